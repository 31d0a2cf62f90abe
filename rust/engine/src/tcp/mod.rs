//! TCP toward apps: the terminator.

mod acknowledge;
mod flow;
mod flows;
mod isn;
mod outgoing;
mod pending;
mod receiver;
mod reply;
mod round_trip;
mod segment;
mod sender;
mod sequence;

pub(crate) use flow::Upstream;
pub(crate) use flows::Flows;
pub(crate) use segment::Segment;

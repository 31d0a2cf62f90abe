//! Capture files: what they hold, as the observations that a relay would have made.
//!
//! [`Capture`] reads a file frame by frame; [`Tracker`] finds the IP packets in each [`Frame`], puts
//! fragments and TCP streams together again and tells what happened as [`Event`]s, in order. A watcher
//! cannot tell a capture from live traffic, but for what the capture lacks: that is told as missed.
//!
//! Pure: bytes come from any [`std::io::Read`], time from the capture. What is held is bounded, see
//! [`limits`], however long the file is.

#![forbid(unsafe_code)]

mod damage;
mod file;
mod flow;
mod ip;
pub mod limits;
mod link;
mod pinned;
#[cfg(test)]
mod testing;
mod tracker;

pub use damage::Damage;
pub use file::{Capture, Frame, Secrets};
pub use flow::OtherFlow;
pub use link::is_read;
pub use tracker::{Event, Tracker};

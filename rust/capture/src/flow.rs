//! What a capture's packets have in common: who began, and what TCP carried.

mod connection;
mod initiative;
mod segment;
mod stream;

use std::net::IpAddr;

use telltale_model::{Timestamp, Traffic};

pub(crate) use connection::Connection;
pub(crate) use initiative::{datagram_is_from_app, segment_is_from_app};
pub(crate) use segment::Segment;

/// What went between two addresses over a protocol that is neither TCP, UDP nor ICMP. The relay carries
/// none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherFlow {
    /// The protocol, in IANA's numbers.
    pub protocol: u8,
    /// Who sent the first packet.
    pub source: IpAddr,
    /// To whom.
    pub destination: IpAddr,
    /// When the first packet came.
    pub started: Timestamp,
    /// When the last one came.
    pub ended: Timestamp,
    /// What went each way; bytes are all that follows the IP header.
    pub traffic: Traffic,
}

/// What became of a piece of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The next bytes.
    Bytes(bytes::Bytes),
    /// The next bytes are lacking, so many; 0 where nobody knows how many.
    Missed(u64),
}

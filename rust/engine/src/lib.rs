//! The relay half of Telltale, sans-IO: IP packets of apps come in, what to do with sockets goes out.
//!
//! The engine never blocks, reads no clock, opens no socket and has no thread. A shell (the
//! `telltale-driver` crate) owns a tun device and sockets and turns this crank:
//!
//! 1. [`Engine::handle_input`] with what happened: a packet read from the tun, a socket that
//!    connected, bytes that arrived. `now` is an argument.
//! 2. [`Engine::poll_output`] again and again, doing what each [`Output`] says, until it answers
//!    [`Output::Timeout`]: the moment at which the engine wants [`Input::Timeout`] at the latest.
//!
//! Nothing here fails: a bad packet is a number in [`Counters`].

#![forbid(unsafe_code)]

mod counters;
mod defragment;
mod echo;
mod engine;
mod input;
pub mod limits;
mod memory;
mod output;
mod pair;
mod recency;
mod resolver;
mod shared;
mod slots;
mod tcp;
mod time;
mod timers;
mod udp;
mod windows;
mod wire;

pub use counters::Counters;
pub use defragment::Defragmenter;
pub use engine::{Config, Engine, Offload, Tunnel};
pub use input::{DatagramFailure, Failure, Input};
pub use output::{Output, Shape};
pub use time::Instant;
pub use wire::{Joined, Packet, Payload, Unfinished};

/// A TCP flow that has, or is about to have, a socket toward its remote. An id is never used twice.
/// `index` is small and dense, for the shell's own tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId {
    /// Dense index, used again after the flow has ended.
    pub index: u32,
    /// Tells the users of one index apart.
    pub generation: u32,
}

/// One app address and port that sends UDP: one unconnected socket toward the network
/// (RFC 4787 4.1, endpoint-independent mapping). Same shape as [`FlowId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MappingId {
    /// Dense index, used again after the mapping has ended.
    pub index: u32,
    /// Tells the users of one index apart.
    pub generation: u32,
}

/// One app address and ICMP echo identifier: one ping socket. Same shape as [`FlowId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EchoId {
    /// Dense index, used again after the echo has ended.
    pub index: u32,
    /// Tells the users of one index apart.
    pub generation: u32,
}

/// A question that an app asked our own resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

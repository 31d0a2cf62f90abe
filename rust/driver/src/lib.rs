//! The shell around the engine: tun, sockets, clock, threads and namespaces. The only crate that
//! knows tokio and libc.

pub mod attach;
mod clock;
mod datagram;
mod descriptors;
mod dns;
mod echo;
pub mod launch;

mod introductions;
mod loopback;
mod netlink;
mod offload;
mod owner;
mod poll;
mod relay;
mod reports;
pub mod resolv;
mod rest;
mod shell;
mod slabs;
mod sys;
pub mod tables;
mod tcp;
mod tun;
mod udp;
pub mod watcher;

pub use descriptors::{Inherited, raise_limit};
pub use relay::{Relay, Setup, Stopped};
pub use shell::Drained;
pub use tun::TunCounters;

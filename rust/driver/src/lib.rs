//! The shell around the engine: tun, sockets, clock, threads and namespaces. The only crate that
//! knows tokio and libc.

pub mod attach;
mod clock;
mod datagram;
mod descriptors;
mod device;
mod dns;
mod echo;
pub mod launch;

mod introductions;
mod loopback;
mod mistakes;
mod netlink;
mod offload;
mod orders;
mod owner;
mod poll;
mod relay;
mod reports;
pub mod resolv;
mod rest;
mod shell;
mod slabs;
mod stall;
mod sys;
pub mod tables;
mod tcp;
mod tun;
mod udp;
pub mod watcher;

pub use clock::{wall, zone};
pub use descriptors::{Inherited, raise_limit};
pub use device::open_tun;
pub use dns::{NameServers, ResolverCalls};
pub use mistakes::tell_places_of_panics;
pub use orders::{Controls, Network, NewTun};
pub use owner::{FindOwner, by_socket};
pub use relay::{Relay, Setup, Stopped};
pub use shell::Drained;
pub use sys::random;
pub use tun::TunCounters;

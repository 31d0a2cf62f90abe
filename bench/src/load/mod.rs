//! What is done through an engine while it is measured.

mod bulk;
mod connect;
mod dns;
mod hold;
mod ping;
mod quiet;
mod udp;

use std::io;
use std::time::Duration;

use crate::bed::{Family, Way};
use crate::figures::Figures;

pub(crate) use hold::{Kind as HoldKind, hold};

/// A load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Load {
    /// As many TCP flows up and down as this, as fast as they go.
    Bulk { up: u64, down: u64 },
    /// The same with TLS hellos before, and in records of TLS.
    Tls { up: u64, down: u64 },
    /// So many at once of: connect, 100 bytes there, 100 bytes back, the server closes.
    Connect { at_once: usize },
    /// One byte string there and back over one connection, again and again, beside so many bulk flows.
    PingTcp { up: u64, down: u64 },
    /// The same with datagrams.
    PingUdp,
    /// Datagrams of this size one way, as fast as they arrive.
    Datagrams { bytes: usize, way: Toward },
    /// Datagrams of 1,200 bytes at a fixed rate each second: how many are lost.
    Paced { each_second: u32 },
    /// Questions to the engine's resolver, sixteen at once.
    Dns,
    /// The engine with nothing to do yet.
    Start,
    /// So many idle connections.
    IdleTcp { flows: usize },
    /// So many UDP flows that have had one exchange.
    IdleUdp { flows: usize },
    /// A hundred connections on which nothing happens.
    Quiet,
    /// A hundred connections with an exchange each thirty seconds.
    Battery,
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Toward {
    /// From the app.
    Server,
    /// To the app.
    App,
}

/// How long a load is watched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lengths {
    /// What most loads get.
    pub(crate) usual: Duration,
    /// For links with loss, where luck needs time to even out.
    pub(crate) lossy: Duration,
    /// For [`Load::Quiet`].
    pub(crate) quiet: Duration,
    /// For [`Load::Battery`].
    pub(crate) battery: Duration,
}

impl Load {
    /// What rows call it, without spaces.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Bulk { up, down: 0 } => format!("tcp-up-{up}"),
            Self::Bulk { up: 0, down } => format!("tcp-down-{down}"),
            Self::Bulk { .. } => "tcp-both".into(),
            Self::Tls { up, down: 0 } => format!("tls-up-{up}"),
            Self::Tls { up: 0, down } => format!("tls-down-{down}"),
            Self::Tls { .. } => "tls-both".into(),
            Self::Connect { at_once } => format!("connect-{at_once}"),
            Self::PingTcp { up: 0, down: 0 } => "ping-tcp".into(),
            Self::PingTcp { down: 0, .. } => "ping-tcp-beside-up".into(),
            Self::PingTcp { .. } => "ping-tcp-beside-down".into(),
            Self::PingUdp => "ping-udp".into(),
            Self::Datagrams { bytes, way: Toward::Server } => format!("udp-up-{bytes}"),
            Self::Datagrams { bytes, way: Toward::App } => format!("udp-down-{bytes}"),
            Self::Paced { each_second } => format!("udp-paced-{each_second}"),
            Self::Dns => "dns".into(),
            Self::Start => "start".into(),
            Self::IdleTcp { flows } => format!("idle-tcp-{flows}"),
            Self::IdleUdp { flows } => format!("idle-udp-{flows}"),
            Self::Quiet => "quiet-100".into(),
            Self::Battery => "battery-100".into(),
        }
    }

    /// What it is, in words.
    pub(crate) fn title(self) -> String {
        match self {
            Self::Bulk { up, down: 0 } => format!("TCP up, {}", connections(up)),
            Self::Bulk { up: 0, down } => format!("TCP down, {}", connections(down)),
            Self::Bulk { up, .. } => format!("TCP both ways at once, {} each", connections(up)),
            Self::Tls { up, down: 0 } => format!("TLS records up, {}", connections(up)),
            Self::Tls { up: 0, down } => format!("TLS records down, {}", connections(down)),
            Self::Tls { up, .. } => format!("TLS records both ways at once, {} each", connections(up)),
            Self::Connect { at_once } => format!("connect + request + close, {at_once} at once"),
            Self::PingTcp { up: 0, down: 0 } => "TCP ping-pong, 64 bytes".into(),
            Self::PingTcp { down: 0, .. } => "TCP ping-pong beside a bulk flow up".into(),
            Self::PingTcp { .. } => "TCP ping-pong beside a bulk flow down".into(),
            Self::PingUdp => "UDP ping-pong, 64 bytes".into(),
            Self::Datagrams { bytes, way: Toward::Server } => {
                format!("UDP up, {bytes} bytes each, 128 under way")
            }
            Self::Datagrams { bytes, way: Toward::App } => {
                format!("UDP down, {bytes} bytes each, 128 under way")
            }
            Self::Paced { each_second } => format!("UDP up, {each_second} of 1200 bytes a second"),
            Self::Dns => "DNS questions to the engine's resolver, 16 at once".into(),
            Self::Start => "memory at start".into(),
            Self::IdleTcp { flows } => format!("memory with {flows} idle TCP connections"),
            Self::IdleUdp { flows } => format!("memory with {flows} UDP flows"),
            Self::Quiet => "100 open connections, nothing said".into(),
            Self::Battery => "100 connections, 100 bytes there and back each 30 s".into(),
        }
    }

    /// Does it through this way.
    ///
    /// # Errors
    /// When it cannot be done at all. What was wrong with the bytes is in the figures.
    pub(crate) fn run(
        self,
        way: &Way<'_>,
        family: Family,
        length: Duration,
        lossy: bool,
    ) -> io::Result<Figures> {
        match self {
            Self::Bulk { up, down } => {
                bulk::run(way, family, bulk::Plan { up, down, lossy, tls: false }, length)
            }
            Self::Tls { up, down } => {
                bulk::run(way, family, bulk::Plan { up, down, lossy, tls: true }, length)
            }
            Self::Connect { at_once } => connect::run(way, family, at_once, length),
            Self::PingTcp { up, down } => {
                ping::tcp(way, family, bulk::Plan { up, down, lossy, tls: false }, length)
            }
            Self::PingUdp => ping::udp(way, family, length),
            Self::Datagrams { bytes, way: toward } => udp::closed(way, family, bytes, toward, length),
            Self::Paced { each_second } => udp::paced(way, family, each_second, length),
            Self::Dns => dns::run(way, length),
            Self::Start => hold::start(way),
            Self::IdleTcp { flows } => hold::idle(way, family, HoldKind::Tcp, flows),
            Self::IdleUdp { flows } => hold::idle(way, family, HoldKind::Udp, flows),
            Self::Quiet => quiet::run(way, family, length),
            Self::Battery => quiet::battery(way, family, length),
        }
    }
}

fn connections(count: u64) -> String {
    if count == 1 { "1 connection".into() } else { format!("{count} connections") }
}

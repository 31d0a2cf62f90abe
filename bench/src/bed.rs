//! Three networks in a row: app, engine, server. Between app and engine a tun; between engine and server a
//! cable, or a bad link.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use telltale_driver::open_tun;
use telltale_scenario::server::{Manner, Server};
use telltale_scenario::{Conditions, Impairer, Namespace, Process};

use crate::clock::now;
use crate::cores::Placing;
use crate::engine::{Engine, Tun};

const SERVER: [(IpAddr, u8); 2] = [(v4(203, 0, 113, 10), 32), (v6(2, 0x10), 128)];
const ROUTER: [(IpAddr, u8); 2] = [(v4(198, 51, 100, 1), 24), (v6(1, 1), 64)];
const MIDDLE: [(IpAddr, u8); 2] = [(v4(198, 51, 100, 2), 24), (v6(1, 2), 64)];
const APP: [(IpAddr, u8); 2] = [(v4(198, 19, 84, 1), 32), (v6(0x7e11, 1), 128)];
/// Where an engine that has a resolver answers.
pub(crate) const RESOLVER: IpAddr = v4(198, 19, 84, 53);
/// A server that is always there: who reaches it has a network.
const ECHO: u16 = 7;
const DEVICE: &str = "tun0";
const DEVICE_NAME: &CStr = c"tun0";

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(network: u16, host: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, network, 0, 0, 0, 0, host))
}

/// The protocol that carries a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// How rows call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }

    /// A port of the server.
    pub(crate) fn server(self, port: u16) -> SocketAddr {
        let [four, six] = SERVER;
        SocketAddr::new(if self == Self::V4 { four.0 } else { six.0 }, port)
    }

    /// Any port of one's own.
    pub(crate) fn any(self) -> SocketAddr {
        match self {
            Self::V4 => (Ipv4Addr::UNSPECIFIED, 0).into(),
            Self::V6 => (Ipv6Addr::UNSPECIFIED, 0).into(),
        }
    }
}

/// What joins engine and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Link {
    /// The round trip in milliseconds; 0 without loss is a plain cable.
    pub(crate) round_trip: u32,
    /// Packets lost each way, of 100.
    pub(crate) loss: u32,
}

impl Link {
    /// Two veth ends.
    pub(crate) const CABLE: Self = Self { round_trip: 0, loss: 0 };

    fn conditions(self) -> Conditions {
        Conditions {
            delay: Duration::from_micros(u64::from(self.round_trip) * 500),
            loss: self.loss * 10_000,
            // Deeper than any window over it: what is lost is what was meant to be.
            queue: 100_000,
            ..Conditions::PERFECT
        }
    }
}

/// The middle and the server's end, which outlast many engines.
pub(crate) struct Bed {
    pub(crate) middle: Namespace,
    pub(crate) server: Namespace,
    link: Link,
    pub(crate) scratch: Scratch,
    _echo: Server,
    _impairer: Option<Impairer>,
}

impl Bed {
    /// Two namespaces joined by this link.
    ///
    /// # Errors
    /// Without root, or without the programs and devices it needs.
    pub(crate) fn new(link: Link) -> io::Result<Self> {
        let (middle, server) = (Namespace::new()?, Namespace::new()?);
        let impairer = if link == Link::CABLE {
            middle.cable(&server, "wan")?;
            None
        } else {
            Some(Impairer::between(&middle, &server, "wan", link.conditions(), 42)?)
        };
        middle.address("wan", &MIDDLE)?;
        server.address("wan", &ROUTER)?;
        server.address("lo", &SERVER)?;
        middle.ip("route add default via 198.51.100.1")?;
        middle.ip("-6 route add default via 2001:db8:1::1")?;
        [&middle, &server].into_iter().try_for_each(|network| tune(network, link))?;
        let scratch = Scratch::new()?;
        middle.overlay(&scratch.0, "/etc/resolv.conf", "nameserver 203.0.113.10\n")?;
        let echo = Server::tcp(&server, &[Family::V4.server(ECHO), Family::V6.server(ECHO)], Manner::Echo)?;
        // IPv6 comes up later than IPv4: up to a second after the cable.
        reach(&middle, Family::V6)?;
        Ok(Self { middle, server, link, scratch, _echo: echo, _impairer: impairer })
    }

    /// The way of an app through this engine; straight on where it is none.
    ///
    /// # Errors
    /// When the engine does not start, or does not carry a connection within five seconds.
    pub(crate) fn way(&self, engine: &Engine, mtu: u32, placing: Placing) -> io::Result<Way<'_>> {
        let Some(mut command) = engine.command(&self.scratch.0) else {
            return Ok(Way { bed: self, app: None, engine: None });
        };
        let app = Namespace::new()?;
        tune(&app, self.link)?;
        let tun = open(&app, engine.tun)?;
        app.ip(&format!("link set {DEVICE} mtu {mtu}"))?;
        app.address(DEVICE, &APP)?;
        app.ip(&format!("route add default dev {DEVICE}"))?;
        app.ip(&format!("-6 route add default dev {DEVICE}"))?;
        command
            .env("TUN_FD", "0")
            .env("TUN_MTU", mtu.to_string())
            .env("TUN_ADDRESSES", APP.map(|(address, _)| address.to_string()).join(","))
            .env("TUN_RESOLVERS", RESOLVER.to_string())
            .stdin(Stdio::from(tun))
            .stdout(Stdio::null());
        let process = placing.beside_engine(|| self.middle.spawn(&mut command))?;
        // Only the engine has it: it is gone with it.
        drop(command);
        reach(&app, Family::V4)?;
        Ok(Way { bed: self, app: Some(app), engine: Some(process) })
    }
}

/// An app's network, and what carries its packets on.
pub(crate) struct Way<'a> {
    pub(crate) bed: &'a Bed,
    app: Option<Namespace>,
    engine: Option<Process>,
}

impl Way<'_> {
    /// The network of the app; without an engine that of the middle.
    pub(crate) fn app(&self) -> &Namespace {
        self.app.as_ref().unwrap_or(&self.bed.middle)
    }

    /// The process of the engine.
    pub(crate) fn engine(&self) -> Option<u32> {
        self.engine.as_ref().map(|process| process.id())
    }

    /// Packets that the tun had no room for since it was made.
    pub(crate) fn tun_drops(&self) -> io::Result<u64> {
        let Some(app) = &self.app else { return Ok(0) };
        let devices = app.inside(|| fs::read_to_string("/proc/thread-self/net/dev"))?;
        let line = devices.lines().find_map(|line| line.trim_start().strip_prefix(DEVICE));
        // After the colon eight figures of what was received, then bytes, packets, errors, drops of what was sent.
        let drops = line.and_then(|line| line.trim_start_matches(':').split_whitespace().nth(11));
        drops.and_then(|drops| drops.parse().ok()).ok_or_else(|| io::Error::other("no figures of the tun"))
    }

    /// TCP segments that the kernels of all three networks have sent again.
    pub(crate) fn retransmits(&self) -> io::Result<u64> {
        let networks = self.app.iter().chain([&self.bed.middle, &self.bed.server]);
        networks.map(|network| network.inside(retransmits)).sum()
    }
}

/// The field of that name in the lines of /proc/net/snmp that begin with `Tcp:`.
fn retransmits() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/thread-self/net/snmp")?;
    let mut lines = text.lines().filter(|line| line.starts_with("Tcp:"));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut fields = names.split_whitespace().zip(values.split_whitespace());
    let value = fields.find(|(name, _)| *name == "RetransSegs").and_then(|(_, value)| value.parse().ok());
    value.ok_or_else(|| io::Error::other("/proc/net/snmp has no RetransSegs"))
}

fn open(app: &Namespace, tun: Tun) -> io::Result<OwnedFd> {
    if tun == Tun::Persistent {
        app.ip(&format!("tuntap add dev {DEVICE} mode tun"))?;
    }
    match tun {
        Tun::Headers => app.inside(|| open_tun(DEVICE_NAME)),
        Tun::Usual | Tun::Persistent => app.tun(DEVICE)?.as_fd().try_clone_to_owned(),
    }
}

/// Every run begins alike: nothing is remembered of the last one's paths, and ports do not run out. Nobody looks
/// for routers from time to time either: where nothing is said, nothing is to wake an engine.
fn tune(network: &Namespace, link: Link) -> io::Result<()> {
    network.inside(|| {
        if link == Link::CABLE {
            wait_for_loss()?;
        }
        fs::write("/proc/sys/net/ipv6/conf/default/router_solicitations", "0")?;
        fs::write("/proc/sys/net/ipv4/tcp_no_metrics_save", "1")?;
        fs::write("/proc/sys/net/ipv4/ip_local_port_range", "1025 65535")
    })
}

/// Has TCP in this network send until something is lost, as on phones: CUBIC (RFC 9438) where the system lets
/// namespaces have it, else Reno (RFC 5681). BBR paces by timers, which over a cable cost more than all else. Which one
/// it is.
fn wait_for_loss() -> io::Result<String> {
    let choose = |name: &str| fs::write(CONGESTION_CONTROL, name);
    choose("cubic").or_else(|_not_allowed| choose("reno"))?;
    congestion_control()
}

const CONGESTION_CONTROL: &str = "/proc/sys/net/ipv4/tcp_congestion_control";

fn congestion_control() -> io::Result<String> {
    Ok(fs::read_to_string(CONGESTION_CONTROL)?.trim().to_owned())
}

/// What TCP does about loss over a cable, and over other links.
///
/// # Errors
/// Without root.
pub(crate) fn congestion_controls() -> io::Result<(String, String)> {
    Ok((Namespace::new()?.inside(wait_for_loss)?, congestion_control()?))
}

fn reach(from: &Namespace, family: Family) -> io::Result<()> {
    let (start, server) = (now(), family.server(ECHO));
    loop {
        match from.inside(|| TcpStream::connect_timeout(&server, Duration::from_millis(500))) {
            Ok(_) => return Ok(()),
            Err(error) if start.elapsed() > Duration::from_secs(5) => {
                return Err(io::Error::new(error.kind(), format!("{server} cannot be reached: {error}")));
            }
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// A folder that is removed with the value.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let mut path = std::env::temp_dir();
        path.push(format!("telltale-bench-{}-{:08x}", std::process::id(), fastrand::u32(..)));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

//! `telltale attach`: relays for a tun that another program has opened, until SIGTERM.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use telltale_driver::attach::{self, Enough, StopSignals};
use telltale_driver::resolv::{RESOLV_CONF, ResolvConf};
use telltale_driver::{NameServers, Relay, Setup, Stopped};
use telltale_model::Owner;

use crate::arguments::AttachOptions;
use crate::problem::{Problem, reason};
use crate::session::{Plan, Session};

/// How long the last flows may take to reach the disk: whoever sent SIGTERM waits 500 ms.
const PATIENCE: Duration = Duration::from_millis(250);

/// The MTU where nobody says another: that of an Ethernet.
const USUAL_MTU: usize = 1_500;

/// RFC 8200 5: IPv6 needs 1,280 bytes. An IP packet has at most 65,535.
const MTUS: std::ops::RangeInclusive<usize> = 1_280..=65_535;

const ADDRESSES: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(198, 19, 84, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x7e11, 0x7a1e, 0, 0, 0, 1)),
];
const RESOLVERS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(198, 19, 84, 53)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x7e11, 0x7a1e, 0, 0, 0, 0x53)),
];

/// Relays until SIGTERM, SIGINT or SIGHUP, or until the tun is closed.
pub(crate) fn attach(options: AttachOptions) -> ExitCode {
    attempt(&options).unwrap_or_else(|problem| problem.tell())
}

fn attempt(options: &AttachOptions) -> Result<ExitCode, Problem> {
    // First of all: no descriptor of our own may be taken for the tun, and no thread miss the signals.
    let tunnel = Tunnel::from_environment(|name| std::env::var(name).ok())?;
    let signals = StopSignals::take().map_err(|error| no_start(&error))?;
    let session = Session::begin(Plan {
        command: &[],
        database: &options.database,
        report: &options.report,
        json: options.json,
        details: options.details,
        live: false,
        watch: options.watch,
        wanted: &options.wanted,
        echo_owner: Owner::default(),
        resolvers: &tunnel.resolvers,
        keys: None,
        events: None,
        maker: None,
    })?;
    let relay = Relay::start(tunnel.setup(&session)).map_err(|error| no_start(&error))?;
    let enough = signals.wait(relay.ended()).map_err(|error| no_start(&error))?;
    let stopped = relay.stop();
    let exit = exit_code(enough, &stopped);
    session.finish(problems(stopped), PATIENCE);
    Ok(exit)
}

/// What the program that started this one has said of its tun.
#[derive(Debug)]
struct Tunnel {
    tun: OwnedFd,
    mtu: usize,
    addresses: Vec<IpAddr>,
    resolvers: Vec<IpAddr>,
}

impl Tunnel {
    fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let number = descriptor(variable("TUN_FD"))?;
        let tun = attach::adopt(number).map_err(|unfit| {
            Problem::new(format!("descriptor {number}, which TUN_FD names, {unfit}")).advise(HOW_TO_START)
        })?;
        Ok(Self {
            mtu: mtu(variable("TUN_MTU"), || attach::device_mtu(tun.as_fd()))?,
            addresses: addresses("TUN_ADDRESSES", variable("TUN_ADDRESSES"), &ADDRESSES)?,
            resolvers: addresses("TUN_RESOLVERS", variable("TUN_RESOLVERS"), &RESOLVERS)?,
            tun,
        })
    }

    fn setup(self, session: &Session) -> Setup {
        Setup {
            owners: attach::owners(self.tun.as_fd()),
            tun: self.tun,
            mtu: self.mtu,
            addresses: self.addresses,
            resolvers: self.resolvers,
            // resolv.conf(5): without a file the name server on this machine is asked.
            name_servers: NameServers::Listed {
                conf: ResolvConf::read(RESOLV_CONF).unwrap_or_else(|_missing| ResolvConf::parse("")),
                file: Some(RESOLV_CONF.into()),
            },
            loopback: Vec::new(),
            watch: session.sender(),
            at_end: None,
        }
    }
}

const HOW_TO_START: &str = "Start telltale attach from the program that opens the tun, and put the number of its \
                            open descriptor into TUN_FD.";

fn descriptor(said: Option<String>) -> Result<RawFd, Problem> {
    let said = said.ok_or_else(|| Problem::new("TUN_FD is not set").advise(HOW_TO_START))?;
    said.parse().map_err(|_no_number| {
        Problem::new(format!("TUN_FD is {said:?}, which is not the number of a descriptor"))
            .advise(HOW_TO_START)
    })
}

fn mtu(said: Option<String>, device: impl FnOnce() -> Option<usize>) -> Result<usize, Problem> {
    let Some(said) = said else {
        return Ok(device().unwrap_or(USUAL_MTU).clamp(*MTUS.start(), *MTUS.end()));
    };
    said.parse().ok().filter(|mtu| MTUS.contains(mtu)).ok_or_else(|| {
        Problem::new(format!("TUN_MTU is {said:?}, which is not a number from 1280 to 65535"))
            .advise("Leave it out, and the device is asked.")
    })
}

fn addresses(name: &str, said: Option<String>, usual: &[IpAddr]) -> Result<Vec<IpAddr>, Problem> {
    let Some(said) = said else { return Ok(usual.to_vec()) };
    said.split(',').map(|part| IpAddr::from_str(part.trim())).collect::<Result<_, _>>().map_err(|_not_one| {
        Problem::new(format!("{name} is {said:?}, which is not a list of IP addresses"))
            .advise("Write them with commas between, such as 198.19.84.1,2001:db8::1.")
    })
}

fn no_start(error: &io::Error) -> Problem {
    Problem::new(format!("the relay could not be started: {}", reason(error)))
}

/// A tun that was closed has done its work; any other end of its own is a failure.
fn exit_code(enough: Enough, stopped: &Stopped) -> ExitCode {
    let closed = stopped.ended.as_ref().is_none_or(|error| error.kind() == io::ErrorKind::UnexpectedEof);
    match enough {
        Enough::Signal => ExitCode::SUCCESS,
        Enough::Ended if closed => ExitCode::SUCCESS,
        Enough::Ended => ExitCode::from(crate::problem::OWN_FAILURE),
    }
}

fn problems(stopped: Stopped) -> Vec<String> {
    let ended = stopped.ended.filter(|error| error.kind() != io::ErrorKind::UnexpectedEof);
    let ended = ended.map(|error| format!("the relay ended, because the tun is gone: {}", reason(&error)));
    ended.into_iter().chain(stopped.problems).collect()
}

#[cfg(test)]
mod tests {
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixDatagram;

    use super::*;

    /// A packet socket for each try: the descriptor goes to the tunnel.
    fn tunnel(mtu: &str, addresses: &str) -> Result<Tunnel, Problem> {
        let number = packet_socket().to_string();
        Tunnel::from_environment(|name| match name {
            "TUN_FD" => Some(number.clone()),
            "TUN_MTU" => Some(mtu.to_owned()).filter(|mtu| !mtu.is_empty()),
            "TUN_ADDRESSES" => Some(addresses.to_owned()).filter(|list| !list.is_empty()),
            _ => None,
        })
    }

    fn packet_socket() -> RawFd {
        let (socket, _other) = UnixDatagram::pair().unwrap();
        socket.into_raw_fd()
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        let tunnel = tunnel("", "").unwrap();
        assert_eq!(tunnel.mtu, 1_500);
        assert_eq!(tunnel.addresses, ADDRESSES);
        assert_eq!(tunnel.resolvers, RESOLVERS);
    }

    #[test]
    fn what_is_said_holds() {
        let tunnel = tunnel("9000", "10.0.0.2, fd00::2").unwrap();
        assert_eq!(tunnel.mtu, 9_000);
        assert_eq!(tunnel.addresses, ["10.0.0.2".parse::<IpAddr>().unwrap(), "fd00::2".parse().unwrap()]);
    }

    #[test]
    fn what_cannot_be_is_told_with_its_name() {
        for (mtu, addresses, named) in [
            ("0", "", "TUN_MTU"),
            ("65536", "", "TUN_MTU"),
            ("x", "", "TUN_MTU"),
            ("", "10.0.0", "TUN_ADDRESSES"),
        ] {
            assert!(tunnel(mtu, addresses).unwrap_err().to_string().starts_with(named));
        }
        assert!(Tunnel::from_environment(|_| None).unwrap_err().to_string().starts_with("TUN_FD is not set"));
        let closed = |name: &str| (name == "TUN_FD").then(|| "1000000".to_owned());
        assert!(Tunnel::from_environment(closed).unwrap_err().to_string().contains("is not open"));
    }
}

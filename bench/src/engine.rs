//! What is measured: programs that take a tun as standard input and relay for it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One engine.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    /// How tables call it.
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) carries: Carries,
    pub(crate) tun: Tun,
    program: Option<PathBuf>,
    arguments: &'static [&'static str],
}

/// What tun it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tun {
    /// As programs make it.
    Usual,
    /// The same with a header before each packet, in which segments may be longer than the MTU.
    Headers,
    /// One that outlives it: telltale asks nothing of such a device, as it may not on Android.
    Persistent,
}

/// What an engine is in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// No engine: app and server share a cable.
    Direct,
    /// What it is all about.
    Ours,
    /// Another's relay.
    Peer,
    /// A relay without duties.
    Ceiling,
    /// A peer as its documentation has it, which was measured before: it tells whether the machine is a like one.
    Yardstick,
}

/// What an engine can carry at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carries {
    pub(crate) udp: bool,
    pub(crate) ipv6: bool,
    /// Whether it answers DNS itself, see [`crate::bed::RESOLVER`].
    pub(crate) dns: bool,
}

const ALL: Carries = Carries { udp: true, ipv6: true, dns: true };
const RELAY: Carries = Carries { dns: false, ..ALL };

/// Telltale on a tun that hands over packets as long as its MTU, with their checksums.
pub(crate) const AS_ON_ANDROID: &str = "telltale-no-offload";

impl Engine {
    /// All of them. `telltale` is its program; the others are beside this one.
    ///
    /// # Errors
    /// When one is not built.
    pub(crate) fn all(telltale: &Path) -> io::Result<Vec<Self>> {
        let beside = std::env::current_exe()?;
        let [ipstack, smoltcp, ceiling] = ["ipstack", "netstack-smoltcp", "ceiling"]
            .map(|name| beside.with_file_name(format!("relay-{name}")));
        let engine = |name, role, carries, program: &Path, arguments| {
            let program = program.canonicalize().map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("{}: {error}; scripts/bench builds it", program.display()),
                )
            })?;
            io::Result::Ok(Self { name, role, carries, tun: Tun::Usual, program: Some(program), arguments })
        };
        let none = Carries { udp: false, ipv6: false, dns: false };
        let ours = |name, tun, arguments| {
            io::Result::Ok(Self { tun, ..engine(name, Role::Ours, ALL, telltale, arguments)? })
        };
        let alone: &[&str] = &["attach", "--no-watch"];
        Ok(vec![
            Self::none(),
            ours("telltale", Tun::Headers, alone)?,
            ours(AS_ON_ANDROID, Tun::Persistent, alone)?,
            ours("telltale+watcher", Tun::Headers, &["attach", "--report", "none", "--db"])?,
            engine("ipstack", Role::Peer, RELAY, &ipstack, &["--tuned"])?,
            engine("netstack-smoltcp", Role::Peer, RELAY, &smoltcp, &["--tuned"])?,
            engine("netstack-documented", Role::Yardstick, RELAY, &smoltcp, &[])?,
            engine("ceiling", Role::Ceiling, none, &ceiling, &[])?,
        ])
    }

    /// App and server alone.
    pub(crate) fn none() -> Self {
        Self {
            name: "direct",
            role: Role::Direct,
            carries: ALL,
            tun: Tun::Usual,
            program: None,
            arguments: &[],
        }
    }

    /// What starts it; `None` where it is nothing.
    pub(crate) fn command(&self, scratch: &Path) -> Option<Command> {
        let mut command = Command::new(self.program.as_ref()?);
        command.args(self.arguments).stderr(Stdio::null());
        if self.arguments.last() == Some(&"--db") {
            command.arg(scratch.join(format!("{:08x}.db", fastrand::u32(..))));
        }
        Some(command)
    }
}

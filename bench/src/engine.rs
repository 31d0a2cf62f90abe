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
    /// Whether its tun outlives it: telltale asks nothing of such a device, as it may not on Android.
    pub(crate) persistent: bool,
    program: Option<PathBuf>,
    arguments: &'static [&'static str],
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
            io::Result::Ok(Self { name, role, carries, persistent: false, program: Some(program), arguments })
        };
        let none = Carries { udp: false, ipv6: false, dns: false };
        let ours = engine("telltale", Role::Ours, ALL, telltale, &["attach", "--no-watch"])?;
        Ok(vec![
            Self::none(),
            ours.clone(),
            Self { name: AS_ON_ANDROID, persistent: true, ..ours },
            engine("telltale+watcher", Role::Ours, ALL, telltale, &["attach", "--report", "none", "--db"])?,
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
            persistent: false,
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

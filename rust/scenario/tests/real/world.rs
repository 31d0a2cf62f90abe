//! A computer, an internet, and `telltale` on the computer.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use telltale_scenario::{Conditions, Impairer, Namespace, Process};

/// The computer's own addresses.
const COMPUTER: [(IpAddr, u8); 2] = [(v4(198, 51, 100, 2), 24), (v6(1, 2), 64)];
/// The router, which is also where the servers are.
const ROUTER: [(IpAddr, u8); 2] = [(v4(198, 51, 100, 1), 24), (v6(1, 1), 64)];
/// Where the servers listen.
const SERVERS: [(IpAddr, u8); 4] =
    [(v4(203, 0, 113, 10), 32), (v4(203, 0, 113, 20), 32), (v6(2, 0x10), 128), (v6(2, 0x20), 128)];

pub(crate) const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

pub(crate) const fn v6(network: u16, host: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, network, 0, 0, 0, 0, host))
}

/// A port of the first server, by IPv4.
pub(crate) fn first(port: u16) -> SocketAddr {
    SocketAddr::new(SERVERS[0].0, port)
}

/// A port of the second server, by IPv4.
pub(crate) fn second(port: u16) -> SocketAddr {
    SocketAddr::new(SERVERS[1].0, port)
}

/// A port of the first server, by IPv6.
pub(crate) fn first_by_v6(port: u16) -> SocketAddr {
    SocketAddr::new(SERVERS[2].0, port)
}

/// A port of the second server, by IPv6.
pub(crate) fn second_by_v6(port: u16) -> SocketAddr {
    SocketAddr::new(SERVERS[3].0, port)
}

/// Two namespaces and what joins them.
pub(crate) struct World {
    pub(crate) computer: Namespace,
    pub(crate) internet: Namespace,
    pub(crate) impairer: Option<Impairer>,
    pub(crate) scratch: Scratch,
    /// The tests measure time, memory and descriptors: one at a time on the machine.
    _turn: MutexGuard<'static, ()>,
}

impl World {
    /// Joined by a cable.
    pub(crate) fn new() -> Self {
        Self::joined(|computer, internet| computer.cable(internet, "wan").map(|()| None))
    }

    /// Joined by a bad link.
    pub(crate) fn through(conditions: Conditions, seed: u64) -> Self {
        Self::joined(|computer, internet| {
            Impairer::between(computer, internet, "wan", conditions, seed).map(Some)
        })
    }

    fn joined(join: impl FnOnce(&Namespace, &Namespace) -> std::io::Result<Option<Impairer>>) -> Self {
        let turn = turn();
        let [computer, internet] =
            [(); 2].map(|()| Namespace::new().expect("no right to make namespaces: scripts/test real"));
        let impairer = join(&computer, &internet).expect("the two namespaces cannot be joined");
        computer.address("wan", &COMPUTER).unwrap();
        internet.address("wan", &ROUTER).unwrap();
        internet.address("lo", &SERVERS).unwrap();
        let world = Self { computer, internet, impairer, scratch: Scratch::new(), _turn: turn };
        world.route_out();
        // IPv6 comes up later than IPv4: up to a second after the cable.
        eventually("IPv6 between the two namespaces", Duration::from_secs(5), || {
            let mut ping = Command::new("ping");
            world
                .computer
                .output(ping.args(["-6", "-c", "1", "-W", "0.2", "2001:db8:1::1"]))
                .unwrap()
                .status
                .success()
        });
        // No server listens there: the tests use addresses. Names are tested by scripts/demo/same.
        world.computer.overlay(&world.scratch.0, "/etc/resolv.conf", "nameserver 203.0.113.10\n").unwrap();
        world
    }

    /// Gives the computer its routes to the internet.
    pub(crate) fn route_out(&self) {
        self.computer.ip("route add default via 198.51.100.1").unwrap();
        self.computer.ip("-6 route add default via 2001:db8:1::1").unwrap();
    }

    /// `telltale run` with these options before COMMAND, its report going to a file.
    pub(crate) fn telltale(&self, command: &[&str]) -> Command {
        self.telltale_with(&[], command)
    }

    /// The same with more options.
    pub(crate) fn telltale_with(&self, options: &[&str], command: &[&str]) -> Command {
        let mut telltale = Command::new(telltale());
        telltale
            .args(["run", "--db", "none", "--json", "--report"])
            .arg(self.report_path())
            .args(options)
            .arg("--")
            .args(command);
        telltale
    }

    /// Runs COMMAND through telltale to its end.
    pub(crate) fn run(&self, command: &[&str]) -> Run {
        self.finish(&mut self.telltale(command))
    }

    /// Runs `telltale-scenario` with these arguments through telltale to its end.
    pub(crate) fn scenario(&self, arguments: &str) -> Run {
        let command: Vec<_> = std::iter::once(SCENARIO).chain(arguments.split(' ')).collect();
        self.run(&command)
    }

    pub(crate) fn finish(&self, command: &mut Command) -> Run {
        let start = now();
        let output = self.computer.output(command).expect("telltale cannot be started");
        let run = Run {
            status: output.status,
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: start.elapsed(),
            report: fs::read(self.report_path()).ok().and_then(|text| serde_json::from_slice(&text).ok()),
        };
        println!("exit {} after {:.1?}\n{}{}", run.status, run.took, run.text(), run.stderr);
        run
    }

    /// Starts COMMAND through telltale; it is killed with the value.
    pub(crate) fn start(&self, command: &[&str]) -> Process {
        let mut telltale = self.telltale(command);
        telltale.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.computer.spawn(&mut telltale).expect("telltale cannot be started")
    }

    fn report_path(&self) -> PathBuf {
        self.scratch.0.join("report.json")
    }
}

/// What became of a command.
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    pub(crate) report: Option<Value>,
}

impl Run {
    /// Its standard output.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Fails the test if the command failed.
    pub(crate) fn succeeded(self) -> Self {
        assert!(
            self.status.success(),
            "expected success, found {}:\n{}{}",
            self.status,
            self.text(),
            self.stderr
        );
        self
    }

    /// Fails the test unless the command ended with this code.
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(
            self.status.code(),
            Some(code),
            "the exit code differs; it said:\n{}{}",
            self.text(),
            self.stderr
        );
        self
    }
}

/// The program under test: `$TELLTALE`, or the release build.
pub(crate) fn telltale() -> PathBuf {
    let program = std::env::var_os("TELLTALE").map_or_else(
        || {
            // target/debug/telltale-scenario is a neighbour of target/release/telltale.
            Path::new(SCENARIO).parent().and_then(Path::parent).unwrap().join("release/telltale")
        },
        PathBuf::from,
    );
    assert!(program.exists(), "{} is not built: cargo build --release -p telltale-cli", program.display());
    program
}

/// The programs of this crate.
pub(crate) const SCENARIO: &str = env!("CARGO_BIN_EXE_telltale-scenario");

/// Waits until `condition` holds, at most this long. What was waited for says the failure.
pub(crate) fn eventually(what: &str, most: Duration, mut condition: impl FnMut() -> bool) {
    let start = now();
    while !condition() {
        assert!(start.elapsed() < most, "expected within {most:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[expect(clippy::disallowed_methods, reason = "these tests are about real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// A folder that is removed with the value.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("telltale-real-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    // A test that failed does not fail the next one.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

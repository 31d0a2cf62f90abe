//! `telltale attach` on the tun of a "phone": a relay whose memory and descriptors can be watched.

use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use telltale_scenario::{Namespace, Process};

use crate::world::{World, eventually, now, telltale, v4, v6};

/// The phone's own addresses.
pub(crate) const PHONE: [(IpAddr, u8); 2] = [(v4(198, 19, 84, 1), 32), (v6(0x7e11, 1), 128)];

/// The relay and the namespace whose only way out it is.
pub(crate) struct Relay {
    pub(crate) phone: Namespace,
    process: Process,
}

impl World {
    /// Starts a relay on this computer for a new phone whose tun has this MTU.
    pub(crate) fn attach(&self, mtu: u32) -> Relay {
        self.attach_to(phone(mtu), mtu)
    }

    /// The same, with a header before each packet of the tun.
    pub(crate) fn attach_with_headers(&self, mtu: u32) -> Relay {
        let open = |phone: &Namespace| phone.inside(|| telltale_driver::open_tun(c"tun0"));
        self.attach_to(phone_with(open, mtu), mtu)
    }

    fn attach_to(&self, (phone, tun): (Namespace, OwnedFd), mtu: u32) -> Relay {
        let mut command = Command::new(telltale());
        command
            .args(["attach", "--db", "none", "--report", "none"])
            .env("TUN_FD", "0")
            .env("TUN_MTU", mtu.to_string())
            .env("TUN_ADDRESSES", "198.19.84.1,2001:db8:7e11::1")
            .env("TUN_RESOLVERS", "198.19.84.53,2001:db8:7e11::53")
            .stdin(Stdio::from(tun));
        let process = self.computer.spawn(&mut command).unwrap();
        let relay = Relay { phone, process };
        relay.eventually("a relay that answers", Duration::from_secs(5), |_| {
            relay
                .phone
                .output(Command::new("ping").args(["-c", "1", "-W", "1", "203.0.113.10"]))
                .unwrap()
                .status
                .success()
        });
        relay
    }
}

/// A namespace whose only way out is this tun.
pub(crate) fn phone(mtu: u32) -> (Namespace, OwnedFd) {
    phone_with(|phone| phone.tun("tun0")?.as_fd().try_clone_to_owned(), mtu)
}

fn phone_with(open: impl FnOnce(&Namespace) -> io::Result<OwnedFd>, mtu: u32) -> (Namespace, OwnedFd) {
    let phone = Namespace::new().unwrap();
    let tun = open(&phone).unwrap();
    phone.ip(&format!("link set tun0 mtu {mtu}")).unwrap();
    phone.address("tun0", &PHONE).unwrap();
    phone.ip("route add default dev tun0").unwrap();
    phone.ip("-6 route add default dev tun0").unwrap();
    (phone, tun)
}

impl Relay {
    /// Starts a program on the phone.
    pub(crate) fn start(&self, command: &[&str]) -> Process {
        let (program, arguments) = command.split_first().unwrap();
        self.phone.spawn(Command::new(program).args(arguments).stdout(Stdio::piped())).unwrap()
    }

    /// Runs a program on the phone to its end. Its standard output.
    pub(crate) fn run(&self, command: &[&str]) -> String {
        self.finish(&mut self.start(command))
    }

    /// Waits for the program. Its standard output.
    pub(crate) fn finish(&self, program: &mut Process) -> String {
        let output = io::read_to_string(program.stdout.take().unwrap()).unwrap();
        program.wait().unwrap();
        output
    }

    /// What the relay holds now.
    pub(crate) fn figures(&self) -> Figures {
        let process = self.process.id();
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let resident =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the relay has ended");
        let kib: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
        Figures { memory: kib << 10, descriptors }
    }

    /// Waits until the figures are such; a failure shows the last ones.
    pub(crate) fn eventually(&self, what: &str, most: Duration, condition: impl Fn(Figures) -> bool) {
        let start = now();
        while !condition(self.figures()) {
            assert!(start.elapsed() < most, "expected within {most:?}: {what}; found {}", self.figures());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the relay with this signal. How it ended, and how long that took.
    pub(crate) fn stop(mut self, signal: Signal) -> (ExitStatus, Duration) {
        let start = now();
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), signal).unwrap();
        let status = self.process.wait().unwrap();
        (status, start.elapsed())
    }

    /// Waits for the relay to end by itself.
    pub(crate) fn ended(mut self, most: Duration) -> ExitStatus {
        let mut status = None;
        eventually("the relay ended", most, || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

/// What the relay's process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Resident, in bytes.
    pub(crate) memory: u64,
    /// Open descriptors.
    pub(crate) descriptors: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} MiB and {} descriptors", self.memory as f64 / 1_048_576.0, self.descriptors)
    }
}

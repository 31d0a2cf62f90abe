//! Network namespaces that last as long as the value: no name, no file, nothing to clean up.

use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use tappers::{Interface, Tun};

/// A network of its own, with its own view of the mounts (for `/etc/resolv.conf`).
#[derive(Debug)]
pub struct Namespace {
    net: File,
    mounts: File,
}

impl Namespace {
    /// An empty network: a loopback device, and no way out.
    ///
    /// # Errors
    /// Without CAP_SYS_ADMIN the system refuses.
    pub fn new() -> io::Result<Self> {
        let namespace = on_a_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS)?;
            // What is mounted in here must not appear outside.
            mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
            Ok(Self {
                net: File::open("/proc/thread-self/ns/net")?,
                mounts: File::open("/proc/thread-self/ns/mnt")?,
            })
        })?;
        // Nobody else is there: addresses need not be checked for a second before they are used.
        namespace.inside(|| {
            ["all", "default"].iter().try_for_each(|which| {
                std::fs::write(format!("/proc/sys/net/ipv6/conf/{which}/accept_dad"), "0")
            })
        })?;
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// Does `work` on a thread inside. Sockets made there stay inside; so do processes.
    ///
    /// # Errors
    /// Those of `work`, and of entering.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        on_a_thread(|| {
            // A thread can enter a mount namespace only when it shares its root with no other thread.
            unshare(CloneFlags::CLONE_FS)?;
            setns(&self.mounts, CloneFlags::CLONE_NEWNS)?;
            setns(&self.net, CloneFlags::CLONE_NEWNET)?;
            work()
        })
    }

    /// Runs a program inside to its end.
    ///
    /// # Errors
    /// When it cannot be started. An exit code other than 0 is not an error here.
    pub fn output(&self, command: &mut Command) -> io::Result<Output> {
        self.inside(|| command.output())
    }

    /// Starts a program inside; it is killed when the value is dropped.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Process> {
        self.inside(|| command.spawn()).map(Process)
    }

    /// Runs `ip` with these arguments, parted by spaces.
    ///
    /// # Errors
    /// What `ip` complained about.
    pub fn ip(&self, arguments: &str) -> io::Result<()> {
        let output = self.output(Command::new("ip").args(arguments.split(' ')))?;
        if output.status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("ip {arguments}: {}", String::from_utf8_lossy(&output.stderr).trim())))
    }

    /// Gives the interface addresses and brings it up. No duplicate address detection: nobody else is there.
    ///
    /// # Errors
    /// Those of `ip`.
    pub fn address(&self, interface: &str, addresses: &[(IpAddr, u8)]) -> io::Result<()> {
        for (address, prefix) in addresses {
            let nodad = if address.is_ipv6() { " nodad" } else { "" };
            self.ip(&format!("address add {address}/{prefix} dev {interface}{nodad}"))?;
        }
        self.ip(&format!("link set {interface} up"))
    }

    /// A cable between two namespaces: an interface of this name in each.
    ///
    /// # Errors
    /// Those of `ip`.
    pub fn cable(&self, other: &Self, interface: &str) -> io::Result<()> {
        let (process, descriptor) = (std::process::id(), other.net.as_raw_fd());
        self.ip(&format!(
            "link add {interface} type veth peer name {interface} netns /proc/{process}/fd/{descriptor}"
        ))
    }

    /// A tun device inside, not yet up.
    ///
    /// # Errors
    /// Without `/dev/net/tun`, or with a name that is taken.
    pub fn tun(&self, name: &str) -> io::Result<Tun> {
        self.inside(|| Tun::new_named(Interface::new(name)?))
    }

    /// Makes `contents` the `path` that programs inside see, by a mount over the real one.
    ///
    /// # Errors
    /// When `path` does not exist, or the file cannot be written to `scratch`.
    pub fn overlay(&self, scratch: &Path, path: &str, contents: &str) -> io::Result<()> {
        let name = path.replace('/', "_");
        let file = scratch.join(name);
        std::fs::write(&file, contents)?;
        // A mount over a symlink's own name is not possible; over what it points at it is.
        let target = std::fs::canonicalize(path)?;
        self.inside(|| Ok(mount(Some(&file), &target, None::<&str>, MsFlags::MS_BIND, None::<&str>)?))
    }
}

/// A program that ends with the value.
#[derive(Debug)]
pub struct Process(Child);

impl Deref for Process {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Process {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has already ended and been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Entering a namespace changes the thread for good, so it is done on one that ends afterwards.
fn on_a_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| scope.spawn(work).join())
        .unwrap_or_else(|_| Err(io::Error::other("the thread inside the namespace panicked")))
}

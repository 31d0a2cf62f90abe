//! Starts COMMAND alone in namespaces of its own, whose only network is a tun that is handed out to
//! the relay: the arrangement that VpnService makes on Android, on Linux.
//!
//! [`Launch::prepare`] forks a child, which builds the namespaces, passes the tun out and waits.
//! [`Prepared::go`] lets it become COMMAND. [`Running`] stays with COMMAND until it has ended.

mod caller;
mod error;
mod exec;
mod handover;
mod inherited;
mod keeper;
mod leftover;
mod mounts;
mod netlink;
mod network;
mod privilege;
mod signals;
mod space;
mod supervise;

use std::env;
use std::ffi::{CString, OsString};
use std::io;
use std::net::{IpAddr, TcpListener};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use caller::Caller;
pub use error::LaunchError;
pub use leftover::Leftover;
pub use supervise::{Exit, Running};

use crate::sys::{self, check};
use error::{Failure, Stage};
use handover::{Handover, News};
use inherited::Inherited;

/// At most so many `--loopback` ports: each takes two listening sockets, all descriptors cross in one
/// message, and the kernel takes 253 of them in one (SCM_MAX_FD).
pub const MAX_LOOPBACK_PORTS: usize = 64;

/// What COMMAND is and what its network looks like.
#[derive(Clone, Debug)]
pub struct Launch {
    /// COMMAND and its arguments.
    pub command: Vec<OsString>,
    /// Variables that COMMAND gets, and this process too, each where there is none of that name.
    pub environment: Vec<(OsString, OsString)>,
    /// The tun's MTU in bytes.
    pub mtu: u32,
    /// COMMAND's own addresses, each with its prefix length. A family without an address gets no
    /// default route, so that COMMAND sees it as missing.
    pub addresses: Vec<(IpAddr, u8)>,
    /// The name servers in COMMAND's resolv.conf.
    pub resolvers: Vec<IpAddr>,
    /// The search domains in COMMAND's resolv.conf.
    pub search: Vec<String>,
    /// The options in COMMAND's resolv.conf.
    pub options: Vec<String>,
    /// Ports on which COMMAND's own loopback is listened at, at most [`MAX_LOOPBACK_PORTS`].
    pub loopback: Vec<u16>,
    /// Whom COMMAND, and from [`Launch::prepare`] on this process too, runs as. `None`: as now.
    pub caller: Option<Caller>,
}

/// A child that waits in its namespaces for the word to become COMMAND. Dropped, it ends.
#[derive(Debug)]
pub struct Prepared {
    /// The tun, which is COMMAND's only network.
    pub tun: OwnedFd,
    /// A NETLINK_SOCK_DIAG socket of COMMAND's network, to ask whose a flow is.
    pub owners: OwnedFd,
    /// Listening sockets on COMMAND's loopback, two for each port where there is IPv6.
    pub loopback: Vec<TcpListener>,
    child: Child,
    handover: Handover,
    inherited: Inherited,
    lifeline: OwnedFd,
    command: OsString,
}

/// Two processes where one was; this is what the first has.
struct Forked {
    inherited: Inherited,
    /// While it is open, the keeper of COMMAND's resolv.conf lives.
    lifeline: OwnedFd,
    handover: Handover,
    child: Child,
}

/// A process of ours that has not been waited for. Dropped, it is: it ends when its handover closes.
#[derive(Debug)]
struct Child(libc::pid_t);

impl Launch {
    /// Forks the child and waits until its namespaces are ready.
    ///
    /// From here on the signals that [`Running`] looks after are blocked in this thread and in all
    /// that it starts, and this process is the reaper of all that COMMAND leaves behind.
    ///
    /// Must be called while this process has one thread alone: a forked copy of a process with more
    /// may wait forever for a lock that one of the others held.
    ///
    /// # Errors
    /// What the system refused, and what to do about it.
    pub fn prepare(self) -> Result<Prepared, LaunchError> {
        if let Some(caller) = &self.caller {
            caller.adopt_environment();
        }
        self.add_to_environment();
        let name = self.command.first().cloned().unwrap_or_default();
        let explain = |failure: Failure| LaunchError::new(&failure, &name);
        let Forked { inherited, lifeline, handover, child } = self.fork().map_err(explain)?;
        let fds = match handover.receive() {
            Ok(News::Ready(fds)) => fds,
            Ok(News::Failed(failure)) => return Err(explain(failure)),
            Ok(News::Gone) => return Err(explain(Failure::new(Stage::Child, 0))),
            Err(error) => return Err(explain(Failure::of(Stage::Child)(error))),
        };
        if let Some(caller) = &self.caller {
            caller.succeed().map_err(Failure::of(Stage::Credentials)).map_err(explain)?;
        }
        let mut fds = fds.into_iter();
        let (Some(tun), Some(owners)) = (fds.next(), fds.next()) else {
            return Err(explain(Failure::new(Stage::Child, libc::EPROTO)));
        };
        let loopback = fds.map(TcpListener::from).collect();
        Ok(Prepared { tun, owners, loopback, child, handover, inherited, lifeline, command: name })
    }

    fn add_to_environment(&self) {
        for (name, value) in self.environment.iter().filter(|(name, _)| env::var_os(name).is_none()) {
            // SAFETY: `Launch::prepare`, which calls this, asks for a process with one thread, so nobody
            // reads the environment meanwhile.
            unsafe { env::set_var(name, value) };
        }
    }

    fn fork(&self) -> Result<Forked, Failure> {
        let arguments = self.arguments()?;
        let (ours, theirs) = Handover::pair().map_err(Failure::of(Stage::Child))?;
        let (watched, lifeline) = sys::pipe().map_err(Failure::of(Stage::Child))?;
        let inherited = signals::hold().map_err(Failure::of(Stage::Child))?;
        leftover::adopt_orphans().map_err(Failure::of(Stage::Child))?;
        // SAFETY: getpid and fork take no pointers. One thread runs (see `prepare`), so the child may do
        // whatever this process may; it leaves by exec or _exit and never returns into this stack.
        let (parent, child) = unsafe { (libc::getpid(), libc::fork()) };
        match check(child).map_err(Failure::of(Stage::Child))? {
            0 => {
                drop(ours);
                let live = || self.be_child(&theirs, &watched, &arguments, &inherited, parent);
                let _panic = catch_unwind(AssertUnwindSafe(live));
                exec::leave()
            }
            child => Ok(Forked { inherited, lifeline, handover: ours, child: Child(child) }),
        }
    }

    fn arguments(&self) -> Result<Vec<CString>, Failure> {
        let c_string = |word: &OsString| CString::new(word.clone().into_vec());
        let words: Result<Vec<_>, _> = self.command.iter().map(c_string).collect();
        words.map_err(|_zero_byte| Failure::new(Stage::Exec, libc::EINVAL))
    }

    fn be_child(
        &self,
        handover: &Handover,
        lifeline: &OwnedFd,
        arguments: &[CString],
        inherited: &Inherited,
        parent: libc::pid_t,
    ) {
        let failure = match space::build(self) {
            Err(failure) => failure,
            Ok(space) => {
                if handover.send_ready(&space.fds).is_err() || !handover.wait_for_go() {
                    return;
                }
                drop(space.fds);
                // Without it COMMAND has the resolver that it has now, until the host takes it away.
                let _without = keeper::start(lifeline);
                exec::become_command(arguments, self.caller.as_ref(), space.rights, inherited, parent)
            }
        };
        // If nobody listens any more, nobody is left to be told.
        let _gone = handover.send_failure(&failure);
    }
}

impl Prepared {
    /// Lets the child become COMMAND.
    ///
    /// # Errors
    /// COMMAND is not found or cannot be run.
    pub fn go(self) -> Result<Running, LaunchError> {
        let explain = |failure: Failure| LaunchError::new(&failure, &self.command);
        self.handover.say_go().map_err(Failure::of(Stage::Child)).map_err(explain)?;
        match self.handover.receive() {
            // Exec has closed the child's end: it is COMMAND now. (Or a signal was waiting for it and
            // has ended it before, which then is how COMMAND ended.)
            Ok(News::Gone) => Ok(Running::new(self.child.release(), self.inherited, self.lifeline)),
            Ok(News::Failed(failure)) => Err(explain(failure)),
            Ok(News::Ready(_)) => Err(explain(Failure::new(Stage::Child, libc::EPROTO))),
            Err(error) => Err(explain(Failure::of(Stage::Child)(error))),
        }
    }
}

impl Child {
    fn release(self) -> libc::pid_t {
        let pid = self.0;
        std::mem::forget(self);
        pid
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may wait for the word that never comes now; it has nothing to lose.
        // SAFETY: the process is our child and has not been waited for, so the number is still its own;
        // a null status is allowed.
        unsafe {
            libc::kill(self.0, libc::SIGKILL);
            libc::waitpid(self.0, std::ptr::null_mut(), 0);
        }
    }
}

/// A copy of the descriptor with this number, which this process was started with.
///
/// # Errors
/// EBADF where there is none.
pub fn inherited_descriptor(number: i32) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD passes no pointers.
    let flags = check(unsafe { libc::fcntl(number, libc::F_GETFD) })?;
    // What closes on exec is one of our own: an inherited one has been through an exec.
    if flags & libc::FD_CLOEXEC != 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: F_DUPFD_CLOEXEC passes no pointers.
    let copy = check(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) })?;
    // SAFETY: the kernel has just made this descriptor and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_inherited_can_be_taken() {
        assert!(inherited_descriptor(2).is_ok());
        let own = std::fs::File::open("/dev/null").unwrap();
        let errno = |number| inherited_descriptor(number).unwrap_err().raw_os_error();
        assert_eq!(errno(std::os::fd::AsRawFd::as_raw_fd(&own)), Some(libc::EBADF));
        assert_eq!(errno(-1), Some(libc::EBADF));
    }
}

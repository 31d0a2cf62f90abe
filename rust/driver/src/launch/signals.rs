//! Signals of this process: held back from before the child is made, then taken one by one by the
//! thread that looks after COMMAND. No handler runs anywhere.

use std::io;
use std::mem::{self, MaybeUninit};
use std::time::Duration;

use super::inherited::{Inherited, dispose, set_mask};
use crate::sys::{check, uninterrupted};

/// What [`next`] takes. WINCH and CONT do nothing unless somebody takes them; the others would end or
/// stop this process.
const HELD: [libc::c_int; 13] = [
    libc::SIGCHLD,
    libc::SIGCONT,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGWINCH,
];

/// A signal that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signal {
    /// Which.
    pub(super) number: libc::c_int,
    /// Whether the kernel sent it: a key at the terminal, a terminal that hung up, a resized window.
    /// COMMAND, in the same process group, has got its own then.
    pub(super) by_kernel: bool,
}

/// Blocks them all. Threads that start from now on inherit that.
pub(super) fn hold() -> io::Result<Inherited> {
    Inherited::keep(&set(&HELD))
}

/// Waits for the next one; `None` where none has come within `limit`.
pub(super) fn next(limit: Option<Duration>) -> Option<Signal> {
    let held = set(&HELD);
    let limit = limit.map(timespec);
    let limit = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let mut about = MaybeUninit::<libc::siginfo_t>::uninit();
    // SAFETY: the set, the room for the answer and the limit live until the call returns.
    let number =
        uninterrupted(|| check(unsafe { libc::sigtimedwait(&raw const held, about.as_mut_ptr(), limit) }))
            .ok()?;
    // SAFETY: the call succeeded and has filled it in.
    let about = unsafe { about.assume_init() };
    Some(Signal { number, by_kernel: about.si_code == libc::SI_KERNEL })
}

/// Stops this process as if the signal had reached it. Returns when it goes on; at once where the
/// system lets nobody stop, because no shell is left to wake it.
pub(super) fn stop_by(signal: libc::c_int) -> io::Result<()> {
    let alone = set(&[signal]);
    if signal != libc::SIGSTOP {
        dispose(signal, libc::SIG_DFL)?;
    }
    // To the process, not the thread: where the terminal has sent the same one here it counts once.
    send(own_id(), signal)?;
    set_mask(libc::SIG_UNBLOCK, &alone)?;
    set_mask(libc::SIG_BLOCK, &alone).map(drop)
}

/// Ends this process by the signal, without a core of its own. Returns only where that cannot be.
pub(super) fn die_by(signal: libc::c_int) -> io::Result<()> {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit lives until the call returns.
    check(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) })?;
    // A core that goes to a program instead of a file does not know that limit.
    // SAFETY: no pointers are passed.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) })?;
    if signal != libc::SIGKILL {
        dispose(signal, libc::SIG_DFL)?;
    }
    send(own_id(), signal)?;
    set_mask(libc::SIG_UNBLOCK, &set(&[signal])).map(drop)
}

/// kill(2).
pub(super) fn send(to: libc::pid_t, signal: libc::c_int) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::kill(to, signal) }).map(drop)
}

fn own_id() -> libc::pid_t {
    // SAFETY: getpid takes no argument and cannot fail.
    unsafe { libc::getpid() }
}

fn set(signals: &[libc::c_int]) -> libc::sigset_t {
    // SAFETY: sigset_t is plain data, for which all zeroes are valid.
    let mut set = unsafe { mem::zeroed() };
    // SAFETY: the set lives until the calls return; they fail only for numbers that are no signals.
    unsafe {
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
    }
    set
}

fn timespec(duration: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: libc::time_t::try_from(duration.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

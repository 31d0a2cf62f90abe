//! What this program was started with and what COMMAND must find again: how SIGPIPE and SIGCHLD are
//! answered, the signal mask, and which of the three standard descriptors are closed.

use std::io;
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::sys::check;

/// Bits of [`AT_START`]: 1 << fd where a standard descriptor was closed, and this one where SIGPIPE was
/// ignored.
const PIPE_IGNORED: u8 = 1 << 7;

/// Rust's runtime ignores SIGPIPE and opens /dev/null over closed standard descriptors before `main`,
/// and neither can be found out afterwards. So this is written once, before the runtime starts, and
/// only read from then on.
static AT_START: AtomicU8 = AtomicU8::new(0);

#[used]
// SAFETY: the section holds pointers to functions that the C runtime calls before `main`, and this is
// one; a pointer has the alignment that the section wants.
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    let mut found = 0;
    for fd in 0..3 {
        // SAFETY: F_GETFD passes no pointers.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
            found |= 1 << fd;
        }
    }
    if disposition(libc::SIGPIPE).is_ok_and(|handler| handler == libc::SIG_IGN) {
        found |= PIPE_IGNORED;
    }
    AT_START.store(found, Ordering::Relaxed);
}

/// See the module.
#[derive(Clone, Copy)]
pub(super) struct Inherited {
    mask: libc::sigset_t,
    pipe: libc::sighandler_t,
    child: libc::sighandler_t,
    closed: [bool; 3],
}

impl Inherited {
    /// Blocks `held` from now on, answers SIGCHLD by default, and keeps how it was before.
    pub(super) fn keep(held: &libc::sigset_t) -> io::Result<Self> {
        let start = AT_START.load(Ordering::Relaxed);
        let pipe = if start & PIPE_IGNORED == 0 { libc::SIG_DFL } else { libc::SIG_IGN };
        // An ignored SIGCHLD would let children vanish before they can be waited for.
        let child = disposition(libc::SIGCHLD)?;
        dispose(libc::SIGCHLD, libc::SIG_DFL)?;
        let closed = [0, 1, 2].map(|fd| start & (1 << fd) != 0);
        Ok(Self { mask: set_mask(libc::SIG_BLOCK, held)?, pipe, child, closed })
    }

    /// Puts everything back, right before exec.
    pub(super) fn restore(&self) -> io::Result<()> {
        for (fd, closed) in (0..).zip(self.closed) {
            if closed {
                // SAFETY: the descriptor is the runtime's stand-in for one that was closed; nobody in
                // this process reads or writes it any more.
                unsafe { libc::close(fd) };
            }
        }
        dispose(libc::SIGPIPE, self.pipe)?;
        dispose(libc::SIGCHLD, self.child)?;
        set_mask(libc::SIG_SETMASK, &self.mask).map(drop)
    }
}

impl std::fmt::Debug for Inherited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inherited").field("closed", &self.closed).finish_non_exhaustive()
    }
}

/// Changes this thread's signal mask; answers the one before.
pub(super) fn set_mask(how: libc::c_int, set: &libc::sigset_t) -> io::Result<libc::sigset_t> {
    let mut before = MaybeUninit::uninit();
    // SAFETY: both sets live until the call returns.
    check(unsafe { libc::sigprocmask(how, set, before.as_mut_ptr()) })?;
    // SAFETY: the call succeeded and has filled it in.
    Ok(unsafe { before.assume_init() })
}

/// Answers a signal from now on by SIG_DFL or SIG_IGN.
pub(super) fn dispose(signal: libc::c_int, handler: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: sigaction is plain data, for which all zeroes are valid: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = handler;
    // SAFETY: the action lives until the call returns, and no handler of ours is named in it.
    check(unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) }).map(drop)
}

fn disposition(signal: libc::c_int) -> io::Result<libc::sighandler_t> {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: the room for the answer lives until the call returns.
    check(unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) })?;
    // SAFETY: the call succeeded and has filled it in.
    Ok(unsafe { action.assume_init() }.sa_sigaction)
}

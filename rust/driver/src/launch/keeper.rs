//! In COMMAND's namespaces, beside COMMAND: keeps our resolv.conf where it is.
//!
//! A host that gives its resolv.conf a new content by renaming another file over it, as NetworkManager
//! and dhclient do, thereby takes away what is mounted there, in every namespace. A process of its own
//! mounts ours again: only one inside, with the rights of before COMMAND, may do that.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::ptr;

use libc::{c_int, c_long};

use super::exec;
use super::mounts::{c_path, resolve_link};
use crate::resolv::RESOLV_CONF;
use crate::sys::{self, check};

// linux/mount.h
const OPEN_TREE_CLONE: c_int = 1;
const MOVE_MOUNT_F_EMPTY_PATH: c_int = 4;

/// Milliseconds until the next look where there is no file to mount over: a rename is not over yet when
/// our mount goes. A host that has none for longer is asked less and less often, from the first to the
/// second of these.
const NO_FILE: (c_int, c_int) = (5, 1_000);

/// Starts it. It ends when nobody holds the other end of `lifeline` any more. A kernel before 5.9 cannot
/// have it, and COMMAND does without.
///
/// # Errors
/// What the system refused. Nothing has changed then.
pub(super) fn start(lifeline: &OwnedFd) -> io::Result<()> {
    let keeper = Keeper::new()?;
    // SAFETY: fork takes no pointers. One thread runs (see `Launch::prepare`), and the copies leave by
    // _exit.
    match check(unsafe { libc::fork() })? {
        0 => {
            // SAFETY: as above. COMMAND must not find a child that it has not made, so it is one of
            // the relay's: orphans go there.
            if unsafe { libc::fork() } == 0 {
                let _ended = keeper.alone(lifeline).and_then(|(mut keeper, lifeline)| keeper.keep(&lifeline));
            }
            exec::leave()
        }
        between => sys::uninterrupted(|| {
            // SAFETY: a null status is allowed.
            check(unsafe { libc::waitpid(between, ptr::null_mut(), 0) })
        })
        .map(drop),
    }
}

/// Our file, ready to be mounted.
struct Keeper {
    /// Device and inode of it.
    ours: (u64, u64),
    /// A mount of it that is nowhere yet.
    spare: OwnedFd,
    /// Tells when a mount has come or gone.
    mounts: OwnedFd,
}

impl Keeper {
    fn new() -> io::Result<Self> {
        let target = resolve_link(Path::new(RESOLV_CONF));
        let mounts = File::open("/proc/self/mountinfo")?.into();
        Ok(Self { ours: identity(&target)?, spare: copy_of_mount(&target)?, mounts })
    }

    /// The same in a process that has nothing else: what COMMAND closes must be closed, and its terminal
    /// be none of ours.
    fn alone(self, lifeline: &OwnedFd) -> io::Result<(Self, OwnedFd)> {
        // SAFETY: no pointers are passed.
        check(unsafe { libc::setsid() })?;
        std::env::set_current_dir("/")?;
        // The runtime keeps the first three taken from the start, so none of these is among them.
        for (place, fd) in (0..).zip([lifeline, &self.mounts, &self.spare]) {
            // SAFETY: nobody in this process uses the standard descriptors any more.
            check(unsafe { libc::dup2(fd.as_raw_fd(), place) })?;
        }
        let Self { ours, spare, mounts } = self;
        let _closed_below = (spare.into_raw_fd(), mounts.into_raw_fd());
        // SAFETY: no pointers are passed. This process leaves by _exit: nothing that still believes to
        // own one of these will close it, and nothing but the three below is used.
        checked(unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) })?;
        Ok((Self { ours, mounts: owned(1), spare: owned(2) }, owned(0)))
    }

    /// Works until the lifeline ends. Wakes up when mounts change, and never else while there is a file.
    fn keep(&mut self, lifeline: &OwnedFd) -> io::Result<()> {
        let mut pause = NO_FILE.0;
        loop {
            let patience = match self.put_back() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => pause,
                // What was refused once is tried again when mounts change.
                Ok(()) | Err(_) => -1,
            };
            let look = |fd: &OwnedFd, events| libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
            let mut fds = [look(lifeline, libc::POLLIN), look(&self.mounts, libc::POLLPRI)];
            // SAFETY: the pointer and the length are those of the array.
            sys::uninterrupted(|| check(unsafe { libc::poll(fds.as_mut_ptr(), 2, patience) }))?;
            pause = if patience < 0 { NO_FILE.0 } else { NO_FILE.1.min(2 * pause) };
            if fds[0].revents != 0 {
                return Ok(());
            }
        }
    }

    fn put_back(&mut self) -> io::Result<()> {
        let target = resolve_link(Path::new(RESOLV_CONF));
        if identity(&target)? == self.ours {
            return Ok(());
        }
        let path = c_path(&target)?;
        let (from, to) = (self.spare.as_raw_fd(), path.as_ptr());
        // SAFETY: both paths end in a zero byte and live until the call returns.
        checked(unsafe {
            libc::syscall(
                libc::SYS_move_mount,
                from,
                c"".as_ptr(),
                libc::AT_FDCWD,
                to,
                MOVE_MOUNT_F_EMPTY_PATH,
            )
        })?;
        self.spare = copy_of_mount(&target)?;
        Ok(())
    }
}

/// Another mount of this file, which is nowhere yet.
fn copy_of_mount(file: &Path) -> io::Result<OwnedFd> {
    let path = c_path(file)?;
    let flags = OPEN_TREE_CLONE | libc::O_CLOEXEC;
    // SAFETY: the path ends in a zero byte and lives until the call returns.
    checked(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) }).map(owned)
}

fn identity(file: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(file).map(|about| (about.dev(), about.ino()))
}

/// The answer of a system call that libc has no function for.
fn checked(answer: c_long) -> io::Result<RawFd> {
    check(c_int::try_from(answer).unwrap_or(-1))
}

fn owned(fd: RawFd) -> OwnedFd {
    // SAFETY: every caller has just had the kernel make it, and nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

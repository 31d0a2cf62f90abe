//! In the child: the last steps before it is COMMAND.

use std::convert::Infallible;
use std::env;
use std::ffi::{CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use super::caller::Caller;
use super::error::{Failure, Stage};
use super::inherited::Inherited;
use super::privilege::{self, Capabilities, Rights};
use crate::sys::{check, errno};

/// Turns this process into COMMAND; answers only where that fails.
pub(super) fn become_command(
    arguments: &[CString],
    caller: Option<&Caller>,
    rights: Rights,
    inherited: &Inherited,
    parent: libc::pid_t,
) -> Failure {
    let Err(failure) = prepare(caller, rights, inherited, parent).and_then(|()| exec(arguments));
    failure
}

/// Ends this copy of the process without running anything that belongs to the original.
pub(super) fn leave() -> ! {
    // SAFETY: _exit takes no pointers and runs no handlers.
    unsafe { libc::_exit(i32::from(super::error::OWN_FAILURE)) }
}

fn prepare(
    caller: Option<&Caller>,
    rights: Rights,
    inherited: &Inherited,
    parent: libc::pid_t,
) -> Result<(), Failure> {
    if let Some(caller) = caller {
        caller.take_on(Capabilities::NONE).map_err(Failure::of(Stage::Credentials))?;
    } else if rights == Rights::Borrowed {
        privilege::keep_only(Capabilities::NONE).map_err(Failure::of(Stage::Credentials))?;
    }
    // After the change of credentials, which would undo it.
    end_with(parent).map_err(Failure::of(Stage::Child))?;
    inherited.restore().map_err(Failure::of(Stage::Child))
}

/// COMMAND must not outlive its relay: without a network it would hang, not fail. Where telltale ends
/// in order, COMMAND has ended before; this is for a telltale that was killed.
fn end_with(parent: libc::pid_t) -> io::Result<()> {
    // SAFETY: neither call passes pointers.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
    // SAFETY: as above.
    if unsafe { libc::getppid() } != parent {
        leave();
    }
    Ok(())
}

fn exec(arguments: &[CString]) -> Result<Infallible, Failure> {
    let Some(program) = arguments.first() else { return Err(Failure::new(Stage::Exec, libc::ENOENT)) };
    let mut pointers: Vec<_> = arguments.iter().map(|word| word.as_ptr()).collect();
    pointers.push(ptr::null());
    // SAFETY: every string ends in a zero byte, the list ends in a null pointer, and all of it lives
    // until the call returns, if it does.
    unsafe { libc::execvp(program.as_ptr(), pointers.as_ptr()) };
    let error = io::Error::last_os_error();
    // A directory of PATH that may not be looked into does not make the command one that is there.
    if errno(&error) == libc::EACCES && !is_there(OsStr::from_bytes(program.to_bytes())) {
        return Err(Failure::new(Stage::Exec, libc::ENOENT));
    }
    Err(Failure::of(Stage::Exec)(error))
}

fn is_there(program: &OsStr) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    program.as_bytes().contains(&b'/')
        || env::split_paths(&path).any(|directory| directory.join(program).exists())
}

//! Who called sudo: COMMAND runs as them, with the groups and the environment that they had.

use std::env;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::ptr;

use super::privilege::{self, Capabilities};
use crate::sys::check;

type Environment = Vec<(OsString, OsString)>;

/// A user who called this program through sudo.
#[derive(Clone, PartialEq, Eq)]
pub struct Caller {
    uid: libc::uid_t,
    gid: libc::gid_t,
    groups: Vec<libc::gid_t>,
    environment: Environment,
}

impl Caller {
    /// The user behind sudo, where this process is root by sudo and the user is somebody else.
    ///
    /// sudo says who it was in SUDO_UID, SUDO_GID and SUDO_USER, and passes that on to all that it
    /// starts: in a root shell that came from sudo, too, COMMAND runs as the user behind it. To run
    /// COMMAND as root there, take SUDO_UID out of the environment.
    pub fn of_sudo() -> Option<Self> {
        let number = |name| env::var(name).ok()?.parse::<u32>().ok();
        let (uid, gid) = (number("SUDO_UID")?, number("SUDO_GID")?);
        if uid == 0 || privilege::ids().0 != 0 {
            return None;
        }
        let entry = PasswordEntry::of(uid);
        let name = env::var_os("SUDO_USER").or_else(|| entry.as_ref().map(|entry| entry.name.clone()));
        let groups = name.map_or_else(|| vec![gid], |name| groups_of(&name, gid));
        let environment = environment_of_sudo().unwrap_or_else(|| environment_from(entry.as_ref()));
        Some(Self { uid, gid, groups, environment })
    }

    /// A variable of the environment that the caller had.
    pub fn variable(&self, name: &str) -> Option<OsString> {
        self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// Makes this process the caller's for the rest of its life, with no right that they have not.
    ///
    /// # Errors
    /// What the system said. Then it is still root's, at least in part, and should end.
    pub fn take_over(&self) -> io::Result<()> {
        self.take_on(Capabilities::NONE)
    }

    /// Gives this process the caller's environment.
    pub(super) fn adopt_environment(&self) {
        // SAFETY: `Launch::prepare`, which calls this, asks for a process with one thread, so nobody
        // reads the environment meanwhile.
        unsafe {
            env::vars_os().for_each(|(name, _)| env::remove_var(name));
            self.environment.iter().for_each(|(name, value)| env::set_var(name, value));
        }
    }

    /// Makes this process the caller's for the rest of its life, so that what it writes is theirs.
    pub(super) fn succeed(&self) -> io::Result<()> {
        self.take_on(Capabilities::RAW_SOCKETS)?;
        // The change of user makes /proc/self root's. It holds nothing that the caller may not know.
        // SAFETY: no pointers are passed.
        check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1) }).map(drop)
    }

    /// Changes user and groups for good and keeps these capabilities alone.
    pub(super) fn take_on(&self, kept: Capabilities) -> io::Result<()> {
        // SAFETY: the list lives until the call returns and its length is its own; the other calls pass
        // no pointers.
        unsafe {
            check(libc::setgroups(self.groups.len(), self.groups.as_ptr()))?;
            check(libc::setresgid(self.gid, self.gid, self.gid))?;
            check(libc::prctl(libc::PR_SET_KEEPCAPS, 1))?;
            check(libc::setresuid(self.uid, self.uid, self.uid))?;
        }
        privilege::keep_only(kept)
    }
}

impl std::fmt::Debug for Caller {
    /// Without the environment, which may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("uid", &self.uid).field("gid", &self.gid).finish_non_exhaustive()
    }
}

/// The environment that sudo was called with: that of the highest sudo among the processes right above
/// us. (sudo puts a process of its own between itself and us where it makes a terminal.)
fn environment_of_sudo() -> Option<Environment> {
    let mut pid = parent_of("self")?;
    let mut found = None;
    while is_sudo(&pid) {
        found = fs::read(format!("/proc/{pid}/environ")).ok().or(found);
        pid = parent_of(&pid)?;
    }
    found.map(|block| parse_environment(&block))
}

fn is_sudo(pid: &str) -> bool {
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    program.file_name().is_some_and(|name| name == "sudo" || name == "sudo-rs")
}

fn parent_of(pid: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:")).map(|pid| pid.trim().to_owned())
}

fn parse_environment(block: &[u8]) -> Environment {
    let pairs = block.split(|byte| *byte == 0).filter_map(|entry| {
        let equals = entry.iter().skip(1).position(|byte| *byte == b'=')? + 1;
        let (name, value) = entry.split_at_checked(equals)?;
        Some((OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(value.get(1..)?).to_owned()))
    });
    pairs.collect()
}

/// What sudo left, with the user's own home and name in it again.
fn environment_from(entry: Option<&PasswordEntry>) -> Environment {
    let own = ["HOME", "USER", "LOGNAME", "SHELL", "MAIL"].map(OsStr::new);
    let left = |(name, _): &(OsString, OsString)| {
        !name.as_bytes().starts_with(b"SUDO_") && (entry.is_none() || !own.contains(&name.as_os_str()))
    };
    let mut environment: Environment = env::vars_os().filter(left).collect();
    if let Some(entry) = entry {
        let values = [&entry.home, &entry.name, &entry.name, &entry.shell];
        environment.extend(own.into_iter().zip(values).map(|(name, value)| (name.to_owned(), value.clone())));
    }
    environment
}

/// The groups that the system gives a user, `gid` among them.
fn groups_of(name: &OsStr, gid: libc::gid_t) -> Vec<libc::gid_t> {
    let Ok(name) = CString::new(name.as_bytes()) else { return vec![gid] };
    let mut groups = vec![0; 64];
    loop {
        let mut count = libc::c_int::try_from(groups.len()).unwrap_or(libc::c_int::MAX);
        let room = groups.len();
        // SAFETY: the name ends in a zero byte; `count` says how many fit, and all of it lives until the
        // call returns.
        let answer = unsafe { libc::getgrouplist(name.as_ptr(), gid, groups.as_mut_ptr(), &raw mut count) };
        let count = usize::try_from(count).unwrap_or(0);
        groups.resize(count, 0);
        // -1: there was not enough room, and `count` says how much there should have been.
        if answer >= 0 || count <= room {
            return groups;
        }
    }
}

/// A line of passwd(5), as far as it is used.
struct PasswordEntry {
    name: OsString,
    home: OsString,
    shell: OsString,
}

impl PasswordEntry {
    fn of(uid: libc::uid_t) -> Option<Self> {
        // SAFETY: passwd is plain data, for which all zeroes are valid.
        let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
        let mut text = vec![0; 16 << 10];
        let mut found = ptr::null_mut();
        // SAFETY: entry, text and answer live until the call returns, and the length is the text's own.
        unsafe { libc::getpwuid_r(uid, &raw mut entry, text.as_mut_ptr(), text.len(), &raw mut found) };
        if found.is_null() {
            return None;
        }
        // SAFETY: the entry was found, so its strings lie in `text` and end in a zero byte.
        let owned = |string| unsafe { OsString::from_vec(CStr::from_ptr(string).to_bytes().to_vec()) };
        Some(Self { name: owned(entry.pw_name), home: owned(entry.pw_dir), shell: owned(entry.pw_shell) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_block_is_read_as_the_kernel_keeps_it() {
        let block = b"A=1\0EMPTY=\0TWO=a=b\0no-equals-sign\0=odd=x\0\0";
        let pairs = parse_environment(block);
        let expected = [("A", "1"), ("EMPTY", ""), ("TWO", "a=b"), ("=odd", "x")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.into(), value.into())));
    }

    #[test]
    fn root_is_in_the_password_file() {
        let root = PasswordEntry::of(0).unwrap();
        assert_eq!(root.name, "root");
        assert!(groups_of(&root.name, 12_345).contains(&12_345));
    }
}

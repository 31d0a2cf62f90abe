//! Rights of this process: capabilities(7) and ids.

use std::io;

use crate::sys::check;

/// From linux/capability.h.
const CAP_NET_ADMIN: u32 = 12;
const CAP_NET_RAW: u32 = 13;
const CAP_SYS_ADMIN: u32 = 21;

/// Where the rights to make the namespaces come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// This process had them before; COMMAND keeps them.
    Kept,
    /// From a user namespace, for the making of it alone; COMMAND gets none.
    Borrowed,
}

/// A set of capabilities as one number, bit by bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Capabilities(u64);

impl Capabilities {
    /// None.
    pub(super) const NONE: Self = Self(0);

    /// Raw sockets, for echo where the system gives no ping sockets.
    pub(super) const RAW_SOCKETS: Self = Self(1 << CAP_NET_RAW);
}

/// struct __user_cap_header_struct, version 3.
#[repr(C)]
struct Header {
    version: u32,
    pid: libc::c_int,
}

/// struct __user_cap_data_struct; two of them, the low half first.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const THIS_PROCESS: Header = Header { version: 0x2008_0522, pid: 0 };

/// Root that may make namespaces as it is. (Root in a container often may not, and takes a user's way.)
pub(super) fn may_make_namespaces() -> bool {
    let needed = 1 << CAP_SYS_ADMIN | 1 << CAP_NET_ADMIN;
    ids().0 == 0 && effective().is_ok_and(|Capabilities(set)| set & needed == needed)
}

/// Effective user and group.
pub(super) fn ids() -> (libc::uid_t, libc::gid_t) {
    // SAFETY: neither takes an argument or can fail.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

/// Keeps these capabilities of those permitted, and no others: permitted and effective, none to inherit.
pub(super) fn keep_only(Capabilities(set): Capabilities) -> io::Result<()> {
    // Ambient ones go with the inheritable ones (capabilities(7), "Ambient").
    let [low, high] = read()?;
    let kept = |bits: u64, Half { permitted, .. }: Half| {
        let bits = u32::try_from(bits & 0xffff_ffff).unwrap_or_default() & permitted;
        Half { effective: bits, permitted: bits, inheritable: 0 }
    };
    let (mut header, halves) = (THIS_PROCESS, [kept(set, low), kept(set >> 32, high)]);
    // SAFETY: version 3 reads one header and two halves, which live until the call returns.
    let answer = unsafe { libc::syscall(libc::SYS_capset, &raw mut header, halves.as_ptr()) };
    check(i32::try_from(answer).unwrap_or(-1)).map(drop)
}

fn effective() -> io::Result<Capabilities> {
    let [low, high] = read()?;
    Ok(Capabilities(u64::from(low.effective) | u64::from(high.effective) << 32))
}

fn read() -> io::Result<[Half; 2]> {
    let (mut header, mut halves) = (THIS_PROCESS, [Half::default(); 2]);
    // SAFETY: version 3 reads one header and writes two halves, which live until the call returns.
    let answer = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, halves.as_mut_ptr()) };
    check(i32::try_from(answer).unwrap_or(-1))?;
    Ok(halves)
}

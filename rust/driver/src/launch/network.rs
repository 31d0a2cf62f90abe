//! In the child: loopback up, a tun with COMMAND's addresses, and a default route for each family.

use std::ffi::CStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use super::error::{Failure, Stage};
use super::netlink::{Netlink, Request};
use crate::sys::check;

/// What COMMAND sees its network called.
const NAME: &CStr = c"telltale0";

const LOOPBACK: &CStr = c"lo";

/// Packets that wait in the tun before it drops any. The usual 500 lose a part of a thousand datagrams sent
/// at once; TCP never needs more than half of 500.
const QUEUE: u32 = 2_000;

/// Answers the tun.
pub(super) fn build(mtu: u32, addresses: &[(IpAddr, u8)]) -> Result<OwnedFd, Failure> {
    let netlink = Netlink::open().map_err(Failure::of(Stage::Network))?;
    let loopback = index(LOOPBACK).map_err(Failure::of(Stage::Network))?;
    netlink.ask(Request::bring_up(loopback, None)).map_err(Failure::of(Stage::Network))?;
    let tun = open_tun()?;
    configure(&netlink, mtu, addresses).map_err(Failure::of(Stage::Network))?;
    Ok(tun.into())
}

fn open_tun() -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_CLOEXEC | libc::O_NONBLOCK);
    let tun = options.open("/dev/net/tun").map_err(Failure::of(Stage::Device))?;
    let request = Interface::new(NAME);
    // SAFETY: TUNSETIFF reads and writes a struct ifreq, which `Interface` is, and which lives until the
    // call returns.
    check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF as _, &raw const request) })
        .map_err(Failure::of(Stage::Tunnel))?;
    Ok(tun)
}

/// A struct ifreq: a name, and flags at the start of 24 bytes of union.
#[repr(C)]
struct Interface {
    name: [libc::c_char; libc::IFNAMSIZ],
    flags: libc::c_short,
    rest: [u8; 22],
}

impl Interface {
    #[expect(clippy::cast_possible_truncation, reason = "both flags fit the field that the kernel reads")]
    fn new(name: &CStr) -> Self {
        const { assert!(size_of::<Self>() == size_of::<libc::ifreq>()) };
        let mut field = [0; libc::IFNAMSIZ];
        for (to, from) in field.iter_mut().zip(name.to_bytes()) {
            *to = from.cast_signed() as libc::c_char;
        }
        let flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
        Self { name: field, flags, rest: [0; 22] }
    }
}

fn configure(netlink: &Netlink, mtu: u32, addresses: &[(IpAddr, u8)]) -> io::Result<()> {
    let tun = index(NAME)?;
    // No link-local address: it would make the kernel send router solicitations of its own. A kernel
    // without IPv6 has no such setting.
    let _without_ipv6 = fs::write("/proc/sys/net/ipv6/conf/telltale0/addr_gen_mode", "1");
    netlink.ask(Request::bring_up(tun, Some((mtu, QUEUE))))?;
    for (address, prefix) in addresses {
        netlink.ask(Request::add_address(tun, *address, *prefix))?;
    }
    for ipv6 in [false, true] {
        if addresses.iter().any(|(address, _)| address.is_ipv6() == ipv6) {
            netlink.ask(Request::add_default_route(tun, ipv6))?;
        }
    }
    Ok(())
}

fn index(name: &CStr) -> io::Result<u32> {
    // SAFETY: the name ends in a zero byte.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}

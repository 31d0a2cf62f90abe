//! In the child: loopback up, a tun with COMMAND's addresses, and a default route for each family.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use super::error::{Failure, Stage};
use super::netlink::{Netlink, Request};
use crate::device;

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
    Ok(tun)
}

fn open_tun() -> Result<OwnedFd, Failure> {
    let opened = device::open().map_err(Failure::of(Stage::Device))?;
    device::make(opened, NAME).map_err(Failure::of(Stage::Tunnel))
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

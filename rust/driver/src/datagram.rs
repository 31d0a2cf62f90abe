//! What datagram sockets say and hear besides payload: control messages and the error queue.
//! Shared by UDP and by echo.

mod control;
mod error_queue;
#[cfg(test)]
pub(crate) mod namespace;
mod single;

use std::io;
use std::os::fd::BorrowedFd;

use libc::c_int;
use telltale_engine::DatagramFailure;

pub(crate) use control::{Control, messages};
pub(crate) use error_queue::{Reported, next_error};
pub(crate) use single::{receive, send};

use crate::sys;

/// What Linux gives a datagram without being asked (net.ipv4.ip_default_ttl and the IPv6 default).
pub(crate) const USUAL_HOP_LIMIT: u8 = 64;

/// Errors that the network reports are to be kept, with who and why, until [`next_error`] takes them.
pub(crate) fn keep_errors(fd: BorrowedFd<'_>, domain: c_int) -> io::Result<()> {
    if domain == libc::AF_INET {
        sys::set_option(fd, libc::IPPROTO_IP, libc::IP_RECVERR, 1)
    } else {
        sys::set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1)
    }
}

/// The control message that gives one datagram its time to live or hop limit.
pub(crate) fn hop_limit_control(domain: c_int, hop_limit: u8, control: &mut Control) {
    let value = c_int::from(hop_limit).to_ne_bytes();
    if domain == libc::AF_INET {
        control.push(libc::IPPROTO_IP, libc::IP_TTL, &value);
    } else {
        control.push(libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &value);
    }
}

/// What the system's refusal to send means in terms of the network.
pub(crate) fn refusal(errno: c_int) -> DatagramFailure {
    match errno {
        libc::ENETUNREACH | libc::ENETDOWN => DatagramFailure::NetworkUnreachable,
        libc::EACCES | libc::EPERM => DatagramFailure::Prohibited,
        libc::ECONNREFUSED => DatagramFailure::PortUnreachable,
        _ => DatagramFailure::HostUnreachable,
    }
}

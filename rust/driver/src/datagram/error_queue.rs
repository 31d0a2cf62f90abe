//! A socket's error queue (ip(7), IP_RECVERR): which datagram came to nothing, why, and who says so.

use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::c_int;
use telltale_engine::DatagramFailure;

use super::control::{Control, messages};
use crate::sys::{self, RawAddress};

/// One entry of an error queue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reported {
    /// Where the datagram went.
    pub(crate) to: SocketAddr,
    /// Why it came to nothing.
    pub(crate) failure: DatagramFailure,
    /// How the datagram began, as far as the report quotes it: for echo its ICMP header.
    pub(crate) quoted: [u8; QUOTED],
}

/// An ICMP echo header; routers quote at least as much (RFC 792, RFC 4443 3).
const QUOTED: usize = 8;

/// Takes the next entry off the queue. `Err`: the queue is empty. `Ok(None)`: an entry that means
/// nothing to an app.
pub(crate) fn next_error(fd: BorrowedFd<'_>) -> std::io::Result<Option<Reported>> {
    let mut address = RawAddress::empty();
    let mut quoted = [0_u8; QUOTED];
    let mut control = Control::new();
    let mut vector = libc::iovec { iov_base: quoted.as_mut_ptr().cast(), iov_len: QUOTED };
    // SAFETY: msghdr is plain data, for which all zeroes mean: nothing there.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_name = address.as_mut_ptr().cast();
    message.msg_namelen = address.len();
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr();
    message.msg_controllen = Control::room();
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: message points to buffers of the lengths that it states, which outlive the call.
    sys::check_len(unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags) })?;
    let written = control.written(message.msg_controllen);
    let failure = messages(written).find_map(|(level, kind, data)| read_report(level, kind, data));
    Ok(failure.zip(address.to_socket_addr()).map(|(failure, to)| Reported { to, failure, quoted }))
}

/// A sock_extended_err and, behind it, the address of whoever reported it.
fn read_report(level: c_int, kind: c_int, data: &[u8]) -> Option<DatagramFailure> {
    let of_v4 = (level, kind) == (libc::IPPROTO_IP, libc::IP_RECVERR);
    let of_v6 = (level, kind) == (libc::IPPROTO_IPV6, libc::IPV6_RECVERR);
    if !(of_v4 || of_v6) {
        return None;
    }
    // ee_errno (4), ee_origin, ee_type, ee_code, ee_pad (1 each), ee_info (4), ee_data (4).
    let (head, offender) = data.split_first_chunk::<16>()?;
    let [e0, e1, e2, e3, origin, icmp_type, code, _pad, i0, i1, i2, i3, ..] = *head;
    let (errno, info) = (i32::from_ne_bytes([e0, e1, e2, e3]), u32::from_ne_bytes([i0, i1, i2, i3]));
    match origin {
        libc::SO_EE_ORIGIN_ICMP => from_icmp(icmp_type, code, info, offender),
        libc::SO_EE_ORIGIN_ICMP6 => from_icmp6(icmp_type, code, info, offender),
        libc::SO_EE_ORIGIN_LOCAL if errno == libc::EMSGSIZE => Some(too_big(info)),
        _ => None,
    }
}

/// RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1.
fn from_icmp(icmp_type: u8, code: u8, info: u32, offender: &[u8]) -> Option<DatagramFailure> {
    match (icmp_type, code) {
        (3, 0 | 6 | 11) => Some(DatagramFailure::NetworkUnreachable),
        (3, 1 | 5 | 7 | 8 | 12) => Some(DatagramFailure::HostUnreachable),
        (3, 2 | 3) => Some(DatagramFailure::PortUnreachable),
        (3, 4) => Some(too_big(info)),
        (3, 9 | 10 | 13..=15) => Some(DatagramFailure::Prohibited),
        (11, 0) => Some(DatagramFailure::HopLimitExceeded(read_address(offender))),
        _ => None,
    }
}

/// RFC 4443 3.1 to 3.3.
fn from_icmp6(icmp_type: u8, code: u8, info: u32, offender: &[u8]) -> Option<DatagramFailure> {
    match (icmp_type, code) {
        (1, 0 | 2) => Some(DatagramFailure::NetworkUnreachable),
        (1, 1 | 5 | 6) => Some(DatagramFailure::Prohibited),
        (1, 3) => Some(DatagramFailure::HostUnreachable),
        (1, 4) => Some(DatagramFailure::PortUnreachable),
        (2, _) => Some(too_big(info)),
        (3, 0) => Some(DatagramFailure::HopLimitExceeded(read_address(offender))),
        _ => None,
    }
}

/// How long the datagram was only its sender knows: reports quote no more than its beginning.
fn too_big(mtu: u32) -> DatagramFailure {
    DatagramFailure::TooBig { mtu, payload_len: 0 }
}

/// The address in a sockaddr_in or sockaddr_in6.
fn read_address(raw: &[u8]) -> Option<IpAddr> {
    let (family, rest) = raw.split_first_chunk()?;
    match c_int::from(libc::sa_family_t::from_ne_bytes(*family)) {
        libc::AF_INET => rest.get(2..)?.first_chunk::<4>().map(|octets| IpAddr::from(*octets)),
        libc::AF_INET6 => rest.get(6..)?.first_chunk::<16>().map(|octets| IpAddr::from(*octets)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    use super::*;
    use crate::datagram::keep_errors;

    fn report(origin: u8, icmp_type: u8, code: u8, info: u32, offender: &[u8]) -> Option<DatagramFailure> {
        let mut data = vec![0; 4];
        data.extend([origin, icmp_type, code, 0]);
        data.extend(info.to_ne_bytes());
        data.extend([0; 4]);
        data.extend(offender);
        let level = if origin == libc::SO_EE_ORIGIN_ICMP6 {
            (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
        } else {
            (libc::IPPROTO_IP, libc::IP_RECVERR)
        };
        read_report(level.0, level.1, &data)
    }

    #[test]
    fn reports_are_read() {
        let too_big = |mtu| Some(DatagramFailure::TooBig { mtu, payload_len: 0 });
        assert_eq!(report(2, 3, 3, 0, &[]), Some(DatagramFailure::PortUnreachable));
        assert_eq!(report(2, 3, 13, 0, &[]), Some(DatagramFailure::Prohibited));
        assert_eq!(report(2, 3, 4, 1280, &[]), too_big(1280));
        assert_eq!(report(3, 1, 0, 0, &[]), Some(DatagramFailure::NetworkUnreachable));
        assert_eq!(report(3, 2, 0, 1400, &[]), too_big(1400));
        assert_eq!(report(4, 0, 0, 0, &[]), None, "time stamps are no errors");
    }

    #[test]
    fn the_router_that_reports_is_named() {
        let mut v4 = 2_u16.to_ne_bytes().to_vec();
        v4.extend([0, 0, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        let router = Some("192.0.2.1".parse().unwrap());
        assert_eq!(report(2, 11, 0, 0, &v4), Some(DatagramFailure::HopLimitExceeded(router)));
        let mut v6 = 10_u16.to_ne_bytes().to_vec();
        v6.extend([0; 6]);
        v6.extend("2001:db8::9".parse::<std::net::Ipv6Addr>().unwrap().octets());
        let router = Some("2001:db8::9".parse().unwrap());
        assert_eq!(report(3, 3, 0, 0, &v6), Some(DatagramFailure::HopLimitExceeded(router)));
        assert_eq!(report(3, 3, 0, 0, &v6[..20]), Some(DatagramFailure::HopLimitExceeded(None)));
    }

    #[test]
    fn a_closed_port_is_reported_with_its_address() {
        for (any, domain) in [("127.0.0.1:0", libc::AF_INET), ("[::1]:0", libc::AF_INET6)] {
            let closed = UdpSocket::bind(any).unwrap().local_addr().unwrap();
            let socket = UdpSocket::bind(any).unwrap();
            keep_errors(socket.as_fd(), domain).unwrap();
            assert!(next_error(socket.as_fd()).is_err(), "nothing has happened yet");
            socket.send_to(b"question", closed).unwrap();
            let reported = next_error(socket.as_fd()).unwrap().unwrap();
            assert_eq!(reported.to, closed);
            assert_eq!(reported.failure, DatagramFailure::PortUnreachable);
            assert_eq!(&reported.quoted, b"question");
            assert!(next_error(socket.as_fd()).is_err());
        }
    }
}

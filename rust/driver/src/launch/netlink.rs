//! The few rtnetlink(7) requests that give an interface its addresses and routes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::IpAddr;

use crate::sys;

/// A socket to the kernel's routing tables, of the network namespace it was opened in.
pub(super) struct Netlink(File);

impl Netlink {
    /// A socket of the current network namespace.
    pub(super) fn open() -> io::Result<Self> {
        let socket = sys::socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE)?;
        Ok(Self(socket.into()))
    }

    /// Sends a request. The kernel answers it before the write returns.
    pub(super) fn ask(&self, request: Request) -> io::Result<()> {
        (&self.0).write_all(&request.finish())?;
        let mut answer = [0; 4096];
        let length = (&self.0).read(&mut answer)?;
        acknowledged(answer.get(..length).unwrap_or_default())
    }
}

/// netlink(7): an acknowledgement is an NLMSG_ERROR whose error, a negated errno, is zero.
fn acknowledged(answer: &[u8]) -> io::Result<()> {
    let error = answer.get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match error {
        Some(0) => Ok(()),
        Some(error) => Err(io::Error::from_raw_os_error(error.saturating_neg())),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// A request under construction: struct nlmsghdr, the struct of its kind, attributes.
pub(super) struct Request(Vec<u8>);

impl Request {
    /// Interface up, where they are given with this MTU and room for so many packets.
    pub(super) fn bring_up(interface: u32, sizes: Option<(u32, u32)>) -> Self {
        let up = libc::IFF_UP.cast_unsigned();
        let mut request = Self::new(libc::RTM_NEWLINK, 0);
        // struct ifinfomsg: family, pad, type, index, flags, and which flags to change.
        request.put(&[0; 4]).put(&interface.to_ne_bytes()).put(&up.to_ne_bytes()).put(&up.to_ne_bytes());
        match sizes {
            Some((mtu, queue)) => request
                .attribute(libc::IFLA_MTU, &mtu.to_ne_bytes())
                .attribute(libc::IFLA_TXQLEN, &queue.to_ne_bytes()),
            None => request,
        }
    }

    /// An address for an interface, usable at once.
    pub(super) fn add_address(interface: u32, address: IpAddr, prefix: u8) -> Self {
        // Duplicate address detection would keep an IPv6 address unusable for a second, with nobody
        // there who could answer.
        const NO_DAD: u8 = 0x02;
        let mut request = Self::new(libc::RTM_NEWADDR, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
        // struct ifaddrmsg: family, prefix length, flags, scope (universe), index.
        request.put(&[family(address.is_ipv6()), prefix, NO_DAD, 0]).put(&interface.to_ne_bytes());
        let octets = octets(address);
        request.attribute(libc::IFA_LOCAL, &octets).attribute(libc::IFA_ADDRESS, &octets)
    }

    /// All of one family goes through this interface.
    pub(super) fn add_default_route(interface: u32, ipv6: bool) -> Self {
        let mut request = Self::new(libc::RTM_NEWROUTE, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
        let scope = if ipv6 { libc::RT_SCOPE_UNIVERSE } else { libc::RT_SCOPE_LINK };
        // struct rtmsg: family, lengths of destination and source, type of service, table, who made it,
        // scope, type, flags.
        let (table, made_by, kind) = (libc::RT_TABLE_MAIN, libc::RTPROT_STATIC, libc::RTN_UNICAST);
        request.put(&[family(ipv6), 0, 0, 0, table, made_by, scope, kind]).put(&[0; 4]);
        request.attribute(libc::RTA_OIF, &interface.to_ne_bytes())
    }

    fn new(kind: u16, flags: i32) -> Self {
        let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags).cast_unsigned();
        let mut request = Self(Vec::with_capacity(64));
        // struct nlmsghdr: length (written last), type, flags, sequence number, sender.
        request.put(&[0; 4]).put(&kind.to_ne_bytes()).put(&low_half(flags)).put(&[0; 8]);
        request
    }

    fn put(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A struct rtattr and its value, padded to four bytes.
    fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
        self.put(&length.to_ne_bytes()).put(&kind.to_ne_bytes()).put(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.splice(..4, length.to_ne_bytes());
        self.0
    }
}

fn family(ipv6: bool) -> u8 {
    let family = if ipv6 { libc::AF_INET6 } else { libc::AF_INET };
    u8::try_from(family).unwrap_or_default()
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// Flags are sixteen bits on the wire and thirty-two in libc.
fn low_half(flags: u32) -> [u8; 2] {
    u16::try_from(flags & 0xffff).unwrap_or_default().to_ne_bytes()
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_with_its_prefix_and_without_duplicate_detection() {
        let request = Request::add_address(5, "198.19.84.1".parse().unwrap(), 32).finish();
        let expected = [
            &[40, 0, 0, 0, 20, 0, 0x05, 0x06, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &[2, 32, 2, 0, 5, 0, 0, 0],
            &[8, 0, 2, 0, 198, 19, 84, 1],
            &[8, 0, 1, 0, 198, 19, 84, 1],
        ];
        assert_eq!(request, expected.concat());
    }

    #[test]
    fn its_sizes_are_set_and_the_interface_brought_up() {
        let request = Request::bring_up(5, Some((65_535, 2_000))).finish();
        let expected = [
            &[48, 0, 0, 0, 16, 0, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &[0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0],
            &[8, 0, 4, 0, 0xff, 0xff, 0, 0],
            &[8, 0, 13, 0, 0xd0, 0x07, 0, 0],
        ];
        assert_eq!(request, expected.concat());
    }

    #[test]
    fn an_answer_is_read_by_its_error() {
        let mut answer = [0; 36];
        assert!(acknowledged(&answer).is_ok());
        answer[16..20].copy_from_slice(&(-libc::EPERM).to_ne_bytes());
        assert_eq!(acknowledged(&answer).unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert!(acknowledged(&answer[..18]).is_err());
    }
}

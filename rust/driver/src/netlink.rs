//! Who holds a socket, as the kernel's sock_diag(7) tells: user and inode by addresses and ports.

use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use bytes::BytesMut;
use libc::c_int;

use crate::sys;

// linux/netlink.h, linux/sock_diag.h
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_DUMP: u16 = 0x300;
/// Bytes of a netlink header.
const HEADER: usize = 16;
/// Bytes of a header and an inet_diag_req_v2.
const REQUEST: usize = HEADER + 56;
/// The kernel's own bound for one answer.
const ANSWER: usize = 32 * 1024;
/// Answers of one dump that are read. Few sockets share a port.
const ANSWERS: usize = 64;
/// Every state of a socket that somebody holds: TIME_WAIT (6) and SYN_RECV (3, 12) are nobody's.
const HELD: u32 = 0xfff & !(1 << 6 | 1 << 3);

/// A NETLINK_SOCK_DIAG socket. It answers for the network namespace in which it was opened.
pub(crate) struct SockDiag {
    fd: OwnedFd,
    sequence: u32,
    buffer: BytesMut,
}

/// A socket that the kernel has told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) local: SocketAddr,
    /// Unspecified where the socket is not connected.
    pub(crate) remote: SocketAddr,
    pub(crate) uid: u32,
    /// 0 where no descriptor holds the socket any more.
    pub(crate) inode: u32,
}

impl SockDiag {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self { fd, sequence: 0, buffer: BytesMut::with_capacity(ANSWER) }
    }

    /// The socket that the kernel itself would pick for a packet from `source` to `destination`, or,
    /// for TCP, the one whose ends they are. `None`: there is none.
    pub(crate) fn find(
        &mut self,
        protocol: c_int,
        source: SocketAddr,
        destination: SocketAddr,
    ) -> io::Result<Option<Held>> {
        let mut found = None;
        self.ask(protocol, (source, destination), NLM_F_REQUEST, |held| found = Some(held))?;
        Ok(found)
    }

    /// All sockets of one family with these ports; port 0 stands for any.
    pub(crate) fn list(
        &mut self,
        protocol: c_int,
        source: SocketAddr,
        destination: SocketAddr,
        each: impl FnMut(Held),
    ) -> io::Result<()> {
        self.ask(protocol, (source, destination), NLM_F_REQUEST | NLM_F_DUMP, each)
    }

    /// The network namespace of this socket: device and inode, as stat(2) tells for /proc/PID/ns/net.
    pub(crate) fn namespace(&self) -> io::Result<(u64, u64)> {
        use std::os::unix::fs::MetadataExt;
        // SAFETY: this request takes no argument.
        let fd = sys::check(unsafe { libc::ioctl(self.fd.as_raw_fd(), libc::SIOCGSKNS as _) })?;
        // SAFETY: the kernel has just made this descriptor and nobody else knows it.
        let namespace = std::fs::File::from(unsafe { OwnedFd::from_raw_fd(fd) }).metadata()?;
        Ok((namespace.dev(), namespace.ino()))
    }

    /// The kernel works on the request while it is sent, so that the answer is there afterwards: no
    /// call here waits.
    fn ask(
        &mut self,
        protocol: c_int,
        ends: (SocketAddr, SocketAddr),
        flags: u16,
        mut each: impl FnMut(Held),
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let request = request(self.sequence, flags, protocol, ends);
        sys::send_slices(self.fd.as_fd(), &[IoSlice::new(&request)])?;
        for _ in 0..ANSWERS {
            self.buffer.clear();
            self.buffer.reserve(ANSWER);
            sys::receive_into(self.fd.as_fd(), &mut self.buffer, ANSWER)?;
            for answer in answers(&self.buffer).filter(|answer| answer.sequence == self.sequence) {
                match answer.body {
                    Body::Socket(held) => {
                        each(held);
                        if flags & NLM_F_DUMP == 0 {
                            return Ok(());
                        }
                    }
                    Body::End => return Ok(()),
                }
            }
        }
        Ok(())
    }
}

fn request(sequence: u32, flags: u16, protocol: c_int, ends: (SocketAddr, SocketAddr)) -> Vec<u8> {
    let (source, destination) = ends;
    let family = u8::try_from(sys::family(&source)).unwrap_or(0);
    let mut request = Vec::with_capacity(REQUEST);
    request.extend(u32::try_from(REQUEST).unwrap_or(0).to_ne_bytes());
    request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request.extend(flags.to_ne_bytes());
    request.extend(sequence.to_ne_bytes());
    request.extend([0; 4]); // to the kernel
    // inet_diag_req_v2: family, protocol, extensions, padding, states.
    request.extend([family, u8::try_from(protocol).unwrap_or(0), 0, 0]);
    request.extend(HELD.to_ne_bytes());
    // inet_diag_sockid: ports, addresses, interface, and the cookie that stands for any.
    request.extend(source.port().to_be_bytes());
    request.extend(destination.port().to_be_bytes());
    request.extend(octets(source.ip()));
    request.extend(octets(destination.ip()));
    request.extend([0; 4]);
    request.extend([0xff; 8]);
    request
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V6(v6) => v6.octets(),
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
    }
}

struct Answer {
    sequence: u32,
    body: Body,
}

enum Body {
    Socket(Held),
    /// No more, or no such socket.
    End,
}

fn answers(mut buffer: &[u8]) -> impl Iterator<Item = Answer> {
    std::iter::from_fn(move || {
        let header: &[u8; HEADER] = buffer.first_chunk()?;
        let [l0, l1, l2, l3, t0, t1, _, _, s0, s1, s2, s3, ..] = *header;
        let len = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
        let data = buffer.get(HEADER..len)?;
        buffer = buffer.get(len.next_multiple_of(4)..).unwrap_or_default();
        let body = match u16::from_ne_bytes([t0, t1]) {
            SOCK_DIAG_BY_FAMILY => Body::Socket(read_held(data)?),
            NLMSG_ERROR | NLMSG_DONE => Body::End,
            _ => return None,
        };
        Some(Answer { sequence: u32::from_ne_bytes([s0, s1, s2, s3]), body })
    })
}

/// An inet_diag_msg: family, state, timer, retransmissions (1 byte each), inet_diag_sockid (48
/// bytes), then expiry, queues, uid and inode (4 bytes each).
fn read_held(data: &[u8]) -> Option<Held> {
    let (head, tail) = data.split_at_checked(52)?;
    let word = |at: usize| tail.get(at..).and_then(<[u8]>::first_chunk).map(|word| u32::from_ne_bytes(*word));
    let port = |at: usize| head.get(at..).and_then(<[u8]>::first_chunk).map(|port| u16::from_be_bytes(*port));
    let of_v4 = head.first().is_some_and(|family| c_int::from(*family) == libc::AF_INET);
    let address = |at: usize| {
        let octets = head.get(at..)?;
        if of_v4 {
            octets.first_chunk::<4>().map(|v4| IpAddr::from(*v4))
        } else {
            plain(octets.first_chunk()?)
        }
    };
    Some(Held {
        local: SocketAddr::new(address(8)?, port(4)?),
        remote: SocketAddr::new(address(24)?, port(6)?),
        uid: word(12)?,
        inode: word(16)?,
    })
}

/// IPv6 sockets that speak IPv4 are told with mapped addresses.
fn plain(octets: &[u8; 16]) -> Option<IpAddr> {
    Some(Ipv6Addr::from(*octets).to_canonical())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn diag() -> SockDiag {
        const NETLINK_SOCK_DIAG: c_int = 4;
        SockDiag::new(sys::socket(libc::AF_NETLINK, libc::SOCK_DGRAM, NETLINK_SOCK_DIAG).unwrap())
    }

    fn inode(socket: &impl AsRawFd) -> u32 {
        let link = format!("/proc/self/fd/{}", socket.as_raw_fd());
        u32::try_from(std::fs::metadata(link).unwrap().ino()).unwrap()
    }

    #[test]
    fn the_request_is_that_of_the_header_file() {
        let ends = ("192.0.2.1:4660".parse().unwrap(), "198.51.100.2:443".parse().unwrap());
        let bytes = request(7, NLM_F_REQUEST, libc::IPPROTO_TCP, ends);
        assert_eq!(bytes.len(), 72);
        assert_eq!(bytes[16..20], [2, 6, 0, 0]);
        assert_eq!(bytes[24..32], [0x12, 0x34, 0x01, 0xbb, 192, 0, 2, 1]);
        assert_eq!(bytes[44..48], [198, 51, 100, 2]);
        assert_eq!(bytes[64..], [0xff; 8]);
    }

    #[test]
    fn both_ends_of_a_connection_are_found() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(any).unwrap();
            let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (local, remote) = (near.local_addr().unwrap(), near.peer_addr().unwrap());
            let held = diag().find(libc::IPPROTO_TCP, local, remote).unwrap().unwrap();
            assert_eq!((held.local, held.remote, held.inode), (local, remote, inode(&near)));
        }
    }

    #[test]
    fn udp_is_looked_up_as_the_packet_that_would_come_back() {
        let (one, two) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let (one_at, two_at) = (one.local_addr().unwrap(), two.local_addr().unwrap());
        let held = diag().find(libc::IPPROTO_UDP, two_at, one_at).unwrap().unwrap();
        assert_eq!(held.inode, inode(&one));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut diag = diag();
        assert_eq!(diag.find(libc::IPPROTO_UDP, gone, gone).unwrap(), None);
        assert_eq!(diag.find(libc::IPPROTO_TCP, gone, gone).unwrap(), None);
    }

    #[test]
    fn sockets_of_a_port_are_listed() {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        let local = socket.local_addr().unwrap();
        let mut listed = Vec::new();
        let any = "0.0.0.0:0".parse().unwrap();
        diag().list(libc::IPPROTO_UDP, local, any, |held| listed.push(held)).unwrap();
        assert!(listed.iter().any(|held| held.inode == inode(&socket)), "{listed:?}");
        assert!(listed.iter().all(|held| held.local.port() == local.port()));
    }

    #[test]
    fn the_namespace_is_told() {
        let Ok(namespace) = diag().namespace() else {
            println!("skipped: the system tells the namespace only to its administrator");
            return;
        };
        let own = std::fs::metadata("/proc/thread-self/ns/net").unwrap();
        assert_eq!(namespace, (own.dev(), own.ino()));
    }
}

//! The socket of one mapping.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use bytes::Bytes;
use libc::c_int;
use telltale_engine::{DatagramFailure, Input, MappingId};

use super::path::PathMtus;
use super::receive::Receiver;
use crate::{datagram, sys};

/// What may wait to be read, in bytes, where the system allows so much (net.core.rmem_max): a burst
/// of 100 Mbit/s for 40 ms. The system's own bound for what waits to be sent is left as it is.
const RECEIVE_BUFFER: c_int = 512 * 1024;
/// Datagrams in a message, as long as none has come: with a limit of 64 this makes for two messages in
/// the first call, one for the usual single answer and one to see that there is no other.
const JOINED: usize = 32;
/// Reports taken from an error queue before others get their turn.
const ERROR_LIMIT: usize = 64;

pub(super) struct Socket {
    fd: OwnedFd,
    pub(super) domain: c_int,
    /// Whether the kernel may cut one large buffer into datagrams (UDP_SEGMENT). Off after the first
    /// time that it could not.
    pub(super) segments: bool,
    /// Datagrams that the last messages held each: GRO joins up to 64.
    joined: usize,
}

impl Socket {
    /// A socket that can send to this address and its kin. The kernel picks its port at the first
    /// send.
    pub(super) fn open(to: SocketAddr) -> io::Result<Self> {
        let domain = c_int::from(sys::family(&to));
        let fd = sys::socket(domain, libc::SOCK_DGRAM, 0)?;
        let socket = Self { fd, domain, segments: true, joined: JOINED };
        socket.set_up()?;
        Ok(socket)
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Receives about `limit` datagrams, as far as the last messages foretell the next. True: more may
    /// be there.
    pub(super) fn receive(
        &mut self,
        receiver: &mut Receiver,
        limit: usize,
        deliver: impl FnMut(SocketAddr, Bytes),
    ) -> io::Result<bool> {
        let received = receiver.receive(self.fd.as_fd(), limit / self.joined, deliver)?;
        self.joined = received.datagrams.div_ceil(received.messages.max(1)).max(1);
        Ok(received.more)
    }

    /// Turns what the network reported about earlier datagrams into inputs. Says how many reports
    /// there were.
    pub(super) fn take_errors(&self, id: MappingId, paths: &mut PathMtus, inputs: &mut Vec<Input>) -> usize {
        let reports = std::iter::from_fn(|| datagram::next_error(self.as_fd()).ok());
        let mut count = 0;
        for reported in reports.take(ERROR_LIMIT) {
            count += 1;
            let Some(reported) = reported else { continue };
            let mut failure = reported.failure;
            if let DatagramFailure::TooBig { mtu, payload_len } = &mut failure {
                match paths.shrunk(reported.to.ip(), *mtu) {
                    Some(len) => *payload_len = len,
                    None => continue,
                }
            }
            inputs.push(Input::DatagramFailed { mapping: id, to: reported.to, failure });
        }
        count
    }

    fn set_up(&self) -> io::Result<()> {
        let set = |level, name, value| sys::set_option(self.as_fd(), level, name, value);
        datagram::keep_errors(self.as_fd(), self.domain)?;
        set(libc::SOL_SOCKET, libc::SO_BROADCAST, 1)?;
        set(libc::SOL_SOCKET, libc::SO_RCVBUF, RECEIVE_BUFFER)?;
        // Kernels before 5.0 have no GRO for sockets; then each datagram comes by itself.
        let _no_matter = set(libc::SOL_UDP, libc::UDP_GRO, 1);
        self.fragment_what_is_too_large()
    }

    /// Packets that fit carry DF, so that the path's MTU is found out; what is known not to fit is
    /// sent in fragments.
    fn fragment_what_is_too_large(&self) -> io::Result<()> {
        let set = |level, name, value| sys::set_option(self.as_fd(), level, name, value);
        if self.domain == libc::AF_INET {
            return set(libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_WANT);
        }
        // One family a mapping: no IPv4 datagram may come in under a mapped address.
        set(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
        set(libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_WANT)
    }
}

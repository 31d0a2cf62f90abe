//! The raw ICMP socket that echoes share where the system allows no ping sockets.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use bytes::BytesMut;
use telltale_engine::{EchoId, Input};

use super::{Family, message, reports};
use crate::poll::{Epoll, Token};
use crate::{datagram, sys};

/// linux/icmp.h: the one option of the level SOL_RAW.
const ICMP_FILTER: libc::c_int = 1;
/// linux/icmpv6.h
const ICMPV6_FILTER: libc::c_int = 1;
/// Random identifiers that are tried before giving up: with 1,000 in use, two hit in 4,000 cases.
const ATTEMPTS: usize = 8;

pub(super) struct RawSocket {
    fd: OwnedFd,
    family: Family,
    /// Who sends under which identifier, and to whom.
    lent: HashMap<u16, (EchoId, IpAddr)>,
}

impl RawSocket {
    pub(super) fn open(epoll: &Epoll, family: Family) -> io::Result<Self> {
        let fd = sys::socket(family.domain(), libc::SOCK_RAW, family.protocol())?;
        datagram::keep_errors(fd.as_fd(), family.domain())?;
        sys::set_option(fd.as_fd(), libc::SOL_SOCKET, libc::SO_BROADCAST, 1)?;
        only_replies(fd.as_fd(), family)?;
        epoll.add_reading(fd.as_fd(), Token::RawEcho(family.number()))?;
        Ok(Self { fd, family, lent: HashMap::new() })
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// An identifier that no other echo uses. `None` where none was found.
    pub(super) fn lend_identifier(&mut self, id: EchoId, to: IpAddr) -> Option<u16> {
        let random = || sys::random::<2>().ok().map(u16::from_ne_bytes);
        let candidates = std::iter::from_fn(random).take(ATTEMPTS);
        let identifier = candidates.into_iter().find(|identifier| !self.lent.contains_key(identifier))?;
        self.lent.insert(identifier, (id, to));
        Some(identifier)
    }

    /// True: that was the last one.
    pub(super) fn give_back(&mut self, identifier: u16) -> bool {
        self.lent.remove(&identifier);
        self.lent.is_empty()
    }

    /// Receives one message; `None` where it is not for one of the echoes here.
    pub(super) fn receive(&self, buffer: &mut BytesMut) -> io::Result<Option<Input>> {
        let from = datagram::receive(self.as_fd(), buffer)?;
        let message = match self.family {
            Family::V4 => message::behind_v4_header(buffer),
            Family::V6 => Some(&**buffer),
        };
        let input = || {
            let reply = message::read_reply(message?)?;
            let (id, to) = self.lent.get(&reply.identifier)?;
            may_answer(from?.ip(), *to).then(|| reply.into_input(*id))
        };
        Ok(input())
    }

    /// Errors that others' echoes caused are passed over.
    pub(super) fn take_errors(&self, inputs: &mut Vec<Input>) {
        inputs.extend(reports(self.as_fd()).filter_map(|reported| {
            let (echo, to) = self.lent.get(&message::identifier(&reported.quoted)).copied()?;
            let sequence = message::sequence(&reported.quoted);
            let failed = Input::EchoFailed { echo, sequence, failure: reported.failure };
            (reported.to.ip() == to).then_some(failed)
        }));
    }
}

/// Another program of this machine may ping under the same identifier: its replies come from elsewhere.
fn may_answer(from: IpAddr, to: IpAddr) -> bool {
    let to_many = match to {
        IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_multicast(),
    };
    to_many || from == to
}

/// Has the kernel drop all that is not an echo reply. In a filter a bit says: drop this type.
fn only_replies(fd: BorrowedFd<'_>, family: Family) -> io::Result<()> {
    match family {
        Family::V4 => sys::set_option(fd, libc::SOL_RAW, ICMP_FILTER, !1),
        Family::V6 => {
            let mut drop_types = [u32::MAX; 8];
            if let Some(word) = drop_types.get_mut(129 / 32) {
                *word &= !(1 << (129 % 32));
            }
            let (value, len) = ((&raw const drop_types).cast(), sys::size_of_len::<[u32; 8]>());
            // SAFETY: the filter lives until the call returns and the length is its own.
            let answer =
                unsafe { libc::setsockopt(fd.as_raw_fd(), libc::IPPROTO_ICMPV6, ICMPV6_FILTER, value, len) };
            sys::check(answer).map(drop)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_answer_only_what_went_to_many() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(may_answer(ip("192.0.2.1"), ip("192.0.2.1")));
        assert!(!may_answer(ip("192.0.2.2"), ip("192.0.2.1")));
        assert!(may_answer(ip("192.0.2.2"), ip("224.0.0.1")));
        assert!(may_answer(ip("192.0.2.2"), ip("255.255.255.255")));
        assert!(may_answer(ip("2001:db8::2"), ip("ff02::1")));
    }
}

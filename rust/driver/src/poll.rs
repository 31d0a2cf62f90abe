//! Which sockets are ready: one epoll set of our own, edge-triggered, so that readiness costs O(ready)
//! and a socket is registered once in its life. The runtime watches the set's own descriptor.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use telltale_engine::{EchoId, FlowId, MappingId};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sys;

/// The set of all sockets of flows.
pub(crate) struct Epoll {
    fd: OwnedFd,
}

/// Whose socket it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    /// The socket of a TCP flow.
    Tcp(FlowId),
    /// The socket of a UDP mapping.
    Udp(MappingId),
    /// The ping socket of an echo.
    Echo(EchoId),
    /// A raw ICMP socket that echoes share: 4 or 6.
    RawEcho(u32),
    /// The socket of a question to a name server: the resolver's own slot and generation.
    Query {
        /// Dense index of the resolver's table.
        slot: u32,
        /// Tells the users of one slot apart.
        generation: u32,
    },
    /// The search for owners: somebody waits for one that was found.
    Owners,
}

/// What has changed at one socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// Whose socket.
    pub(crate) token: Token,
    /// There is something to read: bytes, a datagram, the end, or an error.
    pub(crate) readable: bool,
    /// There is room to write, or a connection attempt has come to an end.
    pub(crate) writable: bool,
    /// An error waits at the socket, for UDP also in its error queue.
    pub(crate) error: bool,
    /// A read that comes back short does not mean that nothing more is there: the end or an error
    /// may follow, or urgent data has split the stream.
    pub(crate) more: bool,
}

/// Room for the events of one look.
pub(crate) struct Events {
    buffer: Box<[libc::epoll_event]>,
    len: usize,
}

impl Epoll {
    /// An empty set.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no pointers are passed.
        let fd = sys::check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the kernel has just made this descriptor and nobody else knows it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Has the runtime watch the set itself, which is readable while something has changed in it. Must
    /// be called inside the runtime.
    pub(crate) fn watched(self) -> io::Result<AsyncFd<Self>> {
        // SAFETY: the set always gives the same descriptor, which is open as long as it lives.
        Ok(unsafe { AsyncFd::register_with_interest(self, Interest::READABLE) }?)
    }

    /// Watches a socket from now until it is closed: for reading, writing, hang-up and errors. What
    /// is ready already is told once. Every change is told once: who does not read all remembers it.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        self.watch(fd, token, libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLPRI)
    }

    /// The same for reading and errors alone: for datagram sockets, whose room to write is not waited
    /// for, this saves a wake-up a datagram.
    pub(crate) fn add_reading(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        self.watch(fd, token, libc::EPOLLIN)
    }

    /// What has changed since the last look, as far as there is room. Never waits.
    pub(crate) fn wait_now(&self, events: &mut Events) -> io::Result<()> {
        events.len = 0;
        let room = i32::try_from(events.buffer.len()).unwrap_or(i32::MAX);
        let buffer = events.buffer.as_mut_ptr();
        // SAFETY: buffer has room for that many events.
        let look = || sys::check(unsafe { libc::epoll_wait(self.fd.as_raw_fd(), buffer, room, 0) });
        let count = sys::uninterrupted(look)?;
        events.len = usize::try_from(count).unwrap_or(0);
        Ok(())
    }

    fn watch(&self, fd: BorrowedFd<'_>, token: Token, interest: i32) -> io::Result<()> {
        let events = bits(interest | libc::EPOLLET);
        let mut event = libc::epoll_event { events, u64: token.pack() };
        let (epoll, socket) = (self.fd.as_raw_fd(), fd.as_raw_fd());
        // SAFETY: event lives until the call returns; the kernel copies it.
        sys::check(unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, socket, &raw mut event) }).map(drop)
    }
}

impl AsRawFd for Epoll {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl Events {
    /// Room for so many events.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { buffer: vec![libc::epoll_event { events: 0, u64: 0 }; capacity].into_boxed_slice(), len: 0 }
    }

    /// Whether there may be more than there was room for.
    pub(crate) fn is_full(&self) -> bool {
        self.len == self.buffer.len()
    }

    /// Forgets the events of the last look.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// One event of the last look.
    pub(crate) fn at(&self, place: usize) -> Option<Event> {
        let told = self.buffer.get(..self.len)?;
        told.get(place).and_then(|raw| Event::read(*raw))
    }
}

impl Event {
    /// What two events of one socket say together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            token: self.token,
            readable: self.readable | other.readable,
            writable: self.writable | other.writable,
            error: self.error | other.error,
            more: self.more | other.more,
        }
    }

    /// For a socket that was not read to the end: readable still.
    pub(crate) fn again(token: Token) -> Self {
        Self { token, readable: true, writable: false, error: false, more: false }
    }

    fn read(raw: libc::epoll_event) -> Option<Self> {
        let set = |mask: i32| raw.events & bits(mask) != 0;
        Some(Self {
            token: Token::unpack(raw.u64)?,
            readable: set(libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR),
            writable: set(libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR),
            error: set(libc::EPOLLERR),
            more: set(libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR | libc::EPOLLPRI),
        })
    }
}

/// The kernel's names for events are ints, its field is unsigned.
fn bits(mask: i32) -> u32 {
    mask.cast_unsigned()
}

// A token packs into the 64 bits that epoll carries: 4 of kind, 28 of index, 32 of generation. No
// process has 2^28 descriptors (the kernel's own ceiling, fs.nr_open, is 2^20 unless raised).
const INDEX_BITS: u32 = 28;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;

impl Token {
    fn pack(self) -> u64 {
        let (kind, index, generation): (u32, u32, u32) = match self {
            Self::Tcp(id) => (0, id.index, id.generation),
            Self::Udp(id) => (1, id.index, id.generation),
            Self::Echo(id) => (2, id.index, id.generation),
            Self::RawEcho(family) => (3, family, 0),
            Self::Query { slot, generation } => (4, slot, generation),
            Self::Owners => (5, 0, 0),
        };
        u64::from(kind << INDEX_BITS | index & INDEX_MASK) << 32 | u64::from(generation)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves of a u64 are taken apart")]
    fn unpack(packed: u64) -> Option<Self> {
        let (high, generation) = ((packed >> 32) as u32, packed as u32);
        let index = high & INDEX_MASK;
        match high >> INDEX_BITS {
            0 => Some(Self::Tcp(FlowId { index, generation })),
            1 => Some(Self::Udp(MappingId { index, generation })),
            2 => Some(Self::Echo(EchoId { index, generation })),
            3 => Some(Self::RawEcho(index)),
            4 => Some(Self::Query { slot: index, generation }),
            5 => Some(Self::Owners),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn tokens_survive_packing() {
        let (index, generation) = (INDEX_MASK, u32::MAX);
        for token in [
            Token::Tcp(FlowId { index, generation }),
            Token::Tcp(FlowId { index: 0, generation: 0 }),
            Token::Udp(MappingId { index, generation }),
            Token::Echo(EchoId { index: 7, generation }),
            Token::RawEcho(6),
            Token::Query { slot: 127, generation },
            Token::Owners,
        ] {
            assert_eq!(Token::unpack(token.pack()), Some(token));
        }
        assert_eq!(Token::unpack(u64::MAX), None);
    }

    #[test]
    fn each_change_is_told_once() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let epoll = Epoll::new().unwrap();
        let mut events = Events::with_capacity(4);
        let token = Token::RawEcho(4);
        epoll.add(far.as_fd(), token).unwrap();
        let mut look = || {
            epoll.wait_now(&mut events).unwrap();
            let told = (0..4).map_while(|place| events.at(place));
            told.map(|event| (event.token, event.readable, event.writable)).collect::<Vec<_>>()
        };
        assert_eq!(look(), [(token, false, true)], "room to write is there from the start");
        assert_eq!(look(), []);
        near.write_all(b"x").unwrap();
        assert_eq!(look(), [(token, true, true)]);
        assert_eq!(look(), [], "nothing was read, and yet it is not told again");
        drop(near);
        assert_eq!(look(), [(token, true, true)]);
    }
}

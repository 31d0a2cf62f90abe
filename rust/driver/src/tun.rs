//! The tun device, or any other descriptor that keeps packets apart: out of it come the packets of
//! apps, into it go the packets to them.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use libc::c_int;
use smallvec::SmallVec;
use telltale_engine::{Joined, Offload, Packet};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::slabs::Slabs;
use crate::{offload, sys};

/// An open tun. Packets that it has no room for wait here, in order.
pub(crate) struct Tun {
    fd: AsyncFd<OwnedFd>,
    /// Bytes of the longest packet from apps, with the header before it.
    read: usize,
    /// Bytes of the longest segment to apps.
    longest: usize,
    offload: Offload,
    /// Bytes of the header before every packet.
    header: usize,
    slabs: Slabs,
    waiting: VecDeque<Packet>,
    /// Datagrams of this turn that may go as one packet.
    joined: Joined,
    /// Whether the kernel takes such, as far as known.
    joins: bool,
    put: Put,
    exhausted: bool,
    /// An error was told: reading says which.
    suspected: bool,
    counters: TunCounters,
}

/// Puts one packet into the descriptor. Behind its own payload follows that of others.
type Put = fn(&OwnedFd, &Packet, &[Packet]) -> io::Result<usize>;

/// What the tun did not take at once. Each only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TunCounters {
    /// Packets that had to wait because the tun, or the kernel's memory, had no room.
    pub delayed: u64,
    /// Packets that went out in pieces because the kernel had no memory for them whole.
    pub cut: u64,
    /// Packets that the tun refused, such as while the interface is down.
    pub refused: u64,
}

/// Packets that may wait before the relay stops to take more work: half a millisecond of a fast tun.
const WAITING: usize = 256;

/// Slices of one packet, of which joined datagrams take the most.
const SLICES: usize = 96;

/// Bytes of a packet that needs no more than a page: the kernel has those when it has no large pieces
/// of memory.
const SMALL: usize = 1_400;

/// Where packets may be as long as this, a buffer takes two of them, or many small ones: in one with more, a
/// kept payload would keep the others.
const LARGE: usize = 16 << 10;

/// Bytes of a slab that smaller packets share: at least eight. The watcher keeps slabs for a while;
/// small ones come back while they are still in the processor's cache.
const SLAB: usize = 128 << 10;

/// Packets of one batch: their payload goes out in one call a flow. Twice as many
/// are more than apps may have in flight, who would wait for the batch to be acknowledged.
pub(crate) const BATCH: usize = 128;

impl Tun {
    /// Takes over an open tun with this MTU. Must be called inside the runtime.
    pub(crate) fn new(fd: OwnedFd, mtu: usize) -> io::Result<Self> {
        sys::set_nonblocking(fd.as_fd())?;
        let fd = sys::watched(fd, Interest::READABLE | Interest::WRITABLE)?;
        let offload = offload::begin(fd.get_ref().as_fd())?;
        let header = if offload.to_apps { offload::HEADER } else { 0 };
        let read = header + if offload.from_apps { offload::LONGEST } else { mtu };
        let slabs = match read {
            LARGE.. => Slabs::new(read, 2 * read, 32),
            _ => Slabs::new(read, SLAB, 16),
        };
        Ok(Self {
            fd,
            read,
            longest: if offload.to_apps { offload::LONGEST } else { mtu },
            offload,
            header,
            slabs,
            waiting: VecDeque::new(),
            joined: Joined::default(),
            joins: offload.to_apps,
            put: if offload.to_apps { put_with_header } else { put },
            exhausted: false,
            suspected: false,
            counters: TunCounters::default(),
        })
    }

    /// What is left to this device to do.
    pub(crate) fn offload(&self) -> Offload {
        self.offload
    }

    /// Bytes of the longest segment to apps: its MTU, or more where it cuts them.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Begins a turn: buffers that are free again are used from the front.
    pub(crate) fn rewind(&mut self) {
        self.slabs.rewind();
    }

    /// No packets will come for a while.
    pub(crate) fn rest(&mut self) {
        self.slabs.rest();
    }

    /// Bytes of buffers that resting would give back.
    pub(crate) fn spare(&self) -> usize {
        self.slabs.spare()
    }

    /// The next packet, if there is one now. An error means that no packet will ever come again.
    pub(crate) fn read(&mut self) -> io::Result<Option<Bytes>> {
        let (slabs, longest) = (&mut self.slabs, self.read);
        let interest = if self.suspected { Interest::ERROR } else { Interest::READABLE };
        let read = |fd: &OwnedFd| slabs.read(|slab| sys::read_into(fd.as_fd(), slab, longest));
        let read = self.fd.try_io(interest, read);
        self.suspected &= read.is_ok();
        match read {
            Ok(packet) if packet.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(packet) => Ok(Some(packet.slice(self.header.min(packet.len())..))),
            Err(error) if transient(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Bytes of the buffer that a packet keeps alive.
    pub(crate) fn pinned(&self) -> usize {
        self.slabs.size()
    }

    /// Writes a packet, after those that wait; a datagram perhaps only at [`Self::end_joining`]. An error means that
    /// the tun is gone.
    pub(crate) fn write(&mut self, packet: Packet) -> io::Result<()> {
        if !self.joins {
            return self.write_alone(packet);
        }
        let Some(other) = self.joined.push(packet) else { return Ok(()) };
        self.end_joining()?;
        match self.joined.push(other) {
            None => Ok(()),
            Some(other) => self.write_alone(other),
        }
    }

    /// Writes the datagrams that were joined, in one piece where the kernel takes them so. An error means that the tun
    /// is gone.
    pub(crate) fn end_joining(&mut self) -> io::Result<()> {
        let whole = self.joined.head().filter(|_| self.waiting.is_empty());
        let written = whole.is_some_and(|head| self.put_joined(&head));
        let mut joined = mem::take(&mut self.joined);
        if written {
            joined.drain().for_each(drop);
        } else {
            joined.drain().try_for_each(|packet| self.write_alone(packet))?;
        }
        // The empty list keeps its memory for the next time.
        self.joined = joined;
        Ok(())
    }

    fn write_alone(&mut self, packet: Packet) -> io::Result<()> {
        if !self.waiting.is_empty() {
            self.counters.delayed += 1;
            self.waiting.push_back(packet);
        } else if !self.put(&packet)? {
            self.counters.delayed += 1;
            if self.hold(packet) {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Tries the packets that wait. An error means that the tun is gone.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while let Some(packet) = self.waiting.pop_front() {
            if !self.put(&packet)? && !self.hold(packet) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether so many packets wait that no more work should be taken on.
    pub(crate) fn is_stuffed(&self) -> bool {
        self.waiting.len() >= WAITING
    }

    /// Whether packets wait for the kernel to have memory again: nothing wakes the relay for that.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted && !self.waiting.is_empty()
    }

    /// Ready when a packet can be read, or a waiting one be written.
    pub(crate) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.waiting.is_empty() && !self.exhausted && self.fd.poll_write_ready(context)?.is_ready() {
            return Poll::Ready(Ok(()));
        }
        if self.is_stuffed() {
            return Poll::Pending;
        }
        drop(ready!(self.fd.poll_read_ready(context))?);
        Poll::Ready(Ok(()))
    }

    /// Waits until an error is told. A tun whose interface is deleted tells nothing else.
    pub(crate) async fn error(&self) {
        // An error of waiting itself is told by poll_ready() too.
        drop(self.fd.ready(Interest::ERROR).await);
    }

    /// Has the next read look for the error that was told.
    pub(crate) fn suspect(&mut self) {
        self.suspected = true;
    }

    /// Takes over from another: the packets that wait there, and its counts.
    pub(crate) fn take_over(&mut self, mut other: Self) {
        self.waiting = mem::take(&mut other.waiting);
        self.waiting.extend(other.joined.drain());
        if !self.offload.to_apps {
            // Nobody would finish these here. TCP sends them again.
            self.waiting.retain(|packet| packet.unfinished().is_none());
        }
        self.counters = other.counters;
    }

    /// What was delayed and refused so far.
    pub(crate) fn counters(&self) -> TunCounters {
        self.counters
    }

    /// Has a packet wait that found no room, before all others. Where the kernel has no memory for a
    /// large one it goes on in pieces: true says that they may find room now.
    fn hold(&mut self, packet: Packet) -> bool {
        if !self.exhausted {
            self.waiting.push_front(packet);
            return false;
        }
        let pieces = packet.smaller(SMALL);
        let cut = pieces.len() > 1;
        self.counters.cut += u64::from(cut);
        pieces.into_iter().rev().for_each(|piece| self.waiting.push_front(piece));
        cut
    }

    /// Puts joined datagrams behind this head. Where that fails, each alone tells why.
    fn put_joined(&mut self, head: &Packet) -> bool {
        let put = |fd: &OwnedFd| (self.put)(fd, head, self.joined.packets());
        let written = self.fd.try_io(Interest::WRITABLE, put);
        // Linux before 6.2 knows of no such packets.
        self.joins &= !written.as_ref().is_err_and(|error| sys::errno(error) == libc::EINVAL);
        written.is_ok()
    }

    /// Puts one packet; false where there is no room for it now.
    fn put(&mut self, packet: &Packet) -> io::Result<bool> {
        self.exhausted = false;
        let error = match self.fd.try_io(Interest::WRITABLE, |fd| (self.put)(fd, packet, &[])) {
            Ok(_len) => return Ok(true),
            Err(error) => error,
        };
        match sys::errno(&error) {
            libc::ENOBUFS | libc::ENOMEM => self.exhausted = true,
            _ if error.kind() == io::ErrorKind::WouldBlock => {}
            code if is_gone(code) => return Err(error),
            _ => {
                // EIO: the interface is down, which may pass; EMSGSIZE, EINVAL: this packet alone.
                self.counters.refused += 1;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Drop for Tun {
    fn drop(&mut self) {
        if self.offload.from_apps {
            offload::end(self.fd.get_ref().as_fd());
        }
    }
}

fn put(fd: &OwnedFd, packet: &Packet, more: &[Packet]) -> io::Result<usize> {
    put_behind(fd, &[], packet, more)
}

fn put_with_header(fd: &OwnedFd, packet: &Packet, more: &[Packet]) -> io::Result<usize> {
    let payload = [packet].into_iter().chain(more).map(|packet| packet.payload().len()).sum();
    put_behind(fd, &offload::header(packet, payload), packet, more)
}

/// One packet is one writev: headers and payload are never copied together.
fn put_behind(fd: &OwnedFd, header: &[u8], packet: &Packet, more: &[Packet]) -> io::Result<usize> {
    let mut slices = SmallVec::<[IoSlice<'_>; SLICES]>::new();
    let payload = [packet].into_iter().chain(more).flat_map(|packet| packet.payload().parts());
    slices
        .extend([header, packet.header()].into_iter().chain(payload.map(|part| &part[..])).map(IoSlice::new));
    sys::write_slices(fd.as_fd(), &slices)
}

fn transient(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || matches!(sys::errno(error), libc::ENOBUFS | libc::ENOMEM)
}

/// Whether this errno of a write says that nobody is there any more.
fn is_gone(code: c_int) -> bool {
    matches!(
        code,
        libc::EBADF
            | libc::EBADFD
            | libc::ENODEV
            | libc::EPIPE
            | libc::ECONNREFUSED
            | libc::ECONNRESET
            | libc::ENOTCONN
    )
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::net::SocketAddr;
    use std::os::unix::net::UnixDatagram;

    use telltale_engine::{Config, Engine, Input, Instant, Output};

    use super::*;

    thread_local! {
        /// The longest packet that the kernel has memory for.
        static MEMORY: Cell<usize> = const { Cell::new(0) };
    }

    fn scarce(fd: &OwnedFd, packet: &Packet, more: &[Packet]) -> io::Result<usize> {
        if packet.len() > MEMORY.get() {
            Err(io::Error::from_raw_os_error(libc::ENOMEM))
        } else {
            put(fd, packet, more)
        }
    }

    /// A kernel that knows nothing of joined datagrams.
    fn old(fd: &OwnedFd, packet: &Packet, more: &[Packet]) -> io::Result<usize> {
        if more.is_empty() { put(fd, packet, more) } else { Err(io::Error::from_raw_os_error(libc::EINVAL)) }
    }

    #[test]
    fn datagrams_of_one_turn_go_as_one_packet() {
        with_tun(|tun, apps| {
            (tun.put, tun.joins) = (put_with_header, true);
            for len in [1_200, 1_200, 1_000, 500] {
                tun.write(datagram(len)).unwrap();
            }
            tun.end_joining().unwrap();
            let received = received(apps);
            let lengths: Vec<usize> = received.iter().map(Vec::len).collect();
            assert_eq!(lengths, [10 + 28 + 3_400, 10 + 28 + 500]);
            // To be cut into 1,200 bytes (0x4b0); the other is complete.
            let fields = |packet: &[u8]| (packet[1], u16::from_ne_bytes([packet[4], packet[5]]));
            assert_eq!((fields(&received[0]), fields(&received[1])), ((5, 1_200), (0, 0)));
            assert!(received[0][38..].iter().all(|byte| *byte == 7));
        });
    }

    #[test]
    fn a_kernel_that_takes_none_joined_gets_each_alone_and_in_order() {
        with_tun(|tun, apps| {
            (tun.put, tun.joins) = (old, true);
            for len in [300, 300, 200, 300] {
                tun.write(datagram(len)).unwrap();
                tun.end_joining().unwrap();
            }
            for len in [300, 300, 200] {
                tun.write(datagram(len)).unwrap();
            }
            tun.end_joining().unwrap();
            tun.write(datagram(100)).unwrap();
            let lengths: Vec<usize> = received(apps).iter().map(|packet| payload(packet).len() - 8).collect();
            assert_eq!(lengths, [300, 300, 200, 300, 300, 300, 200, 100]);
            assert!(!tun.joins);
        });
    }

    #[test]
    fn a_packet_without_memory_goes_out_in_pieces_and_in_order() {
        with_tun(|tun, apps| {
            MEMORY.set(SMALL);
            for packet in [datagram(100), datagram(5_000), datagram(200)] {
                tun.write(packet).unwrap();
            }
            let lengths: Vec<usize> = received(apps).iter().map(|packet| payload(packet).len()).collect();
            // A datagram and its UDP header are 5,008 bytes.
            assert_eq!((lengths[0], lengths[1..lengths.len() - 1].iter().sum()), (108, 5_008));
            assert_eq!(lengths.last(), Some(&208));
            assert!(!tun.is_exhausted());
            assert_eq!(tun.counters(), TunCounters { delayed: 1, cut: 1, refused: 0 });
        });
    }

    #[test]
    fn pieces_wait_for_memory_and_nothing_is_lost() {
        with_tun(|tun, apps| {
            MEMORY.set(0);
            tun.write(datagram(3_000)).unwrap();
            tun.write(datagram(100)).unwrap();
            tun.flush().unwrap();
            assert!(received(apps).is_empty() && tun.is_exhausted());
            MEMORY.set(SMALL);
            tun.flush().unwrap();
            let all: usize = received(apps).iter().map(|packet| payload(packet).len()).sum();
            assert_eq!((all, tun.counters().cut, tun.is_exhausted()), (3_008 + 108, 1, false));
        });
    }

    #[test]
    fn a_full_tun_takes_large_packets_whole_later() {
        with_tun(|tun, apps| {
            MEMORY.set(usize::MAX);
            (0..300).for_each(|_| tun.write(datagram(5_000)).unwrap());
            assert!(!tun.waiting.is_empty() && !tun.is_exhausted());
            assert!(received(apps).iter().all(|packet| payload(packet).len() == 5_008));
            assert_eq!(tun.counters().cut, 0);
        });
    }

    /// A tun whose other end is in the test's hand.
    fn with_tun(work: impl FnOnce(&mut Tun, &UnixDatagram)) {
        let (ours, apps) = UnixDatagram::pair().unwrap();
        apps.set_nonblocking(true).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut tun = Tun::new(ours.into(), 65_535).unwrap();
            tun.put = scarce;
            // The runtime looks at the descriptor.
            drop(tun.fd.writable().await.unwrap());
            work(&mut tun, &apps);
        });
    }

    fn received(apps: &UnixDatagram) -> Vec<Vec<u8>> {
        let mut buffer = vec![0; 65_535];
        std::iter::from_fn(|| apps.recv(&mut buffer).ok().map(|len| buffer[..len].to_vec())).collect()
    }

    /// What is behind the IPv4 header.
    fn payload(packet: &[u8]) -> &[u8] {
        assert_eq!(packet[0], 0x45);
        &packet[20..]
    }

    /// An engine's packet to an app with a datagram of so many bytes.
    fn datagram(len: usize) -> Packet {
        let app: SocketAddr = "10.0.0.2:40000".parse().unwrap();
        let remote: SocketAddr = "192.0.2.1:443".parse().unwrap();
        let config = Config {
            mtu: 65_535,
            addresses: vec![app.ip()],
            resolvers: Vec::new(),
            max_sockets: 64,
            watched: false,
            offload: Offload::default(),
        };
        let now = Instant::default();
        let mut engine = Engine::new(config, [0; 32], now);
        engine.handle_input(now, Input::Packet { packet: Bytes::from_static(&QUESTION), pinned: 29 });
        loop {
            let output = engine.poll_output();
            assert!(!matches!(output, Output::Timeout(_)), "no packet");
            if let Output::Datagram { mapping, .. } = output {
                let payload = Bytes::from(vec![7; len]);
                engine.handle_input(now, Input::Datagram { mapping, from: remote, payload });
            } else if let Output::Packet(packet) = output {
                return packet;
            }
        }
    }

    /// From 10.0.0.2:40000 to 192.0.2.1:443, without a UDP checksum: "x".
    const QUESTION: [u8; 29] = [
        0x45, 0, 0, 29, 0, 0, 0x40, 0, 64, 17, 0x6e, 0xcd, 10, 0, 0, 2, 192, 0, 2, 1, 0x9c, 0x40, 0x01, 0xbb,
        0, 9, 0, 0, b'x',
    ];
}

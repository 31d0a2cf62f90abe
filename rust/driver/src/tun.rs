//! The tun device, or any other descriptor that keeps packets apart: out of it come the packets of
//! apps, into it go the packets to them.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use libc::c_int;
use telltale_engine::Packet;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::slabs::Slabs;
use crate::sys;

/// An open tun. Packets that it has no room for wait here, in order.
pub(crate) struct Tun {
    fd: AsyncFd<OwnedFd>,
    mtu: usize,
    slabs: Slabs,
    waiting: VecDeque<Packet>,
    exhausted: bool,
    /// An error was told: reading says which.
    suspected: bool,
    counters: TunCounters,
}

/// What the tun did not take at once. Each only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TunCounters {
    /// Packets that had to wait because the tun, or the kernel's memory, had no room.
    pub delayed: u64,
    /// Packets that the tun refused, such as while the interface is down.
    pub refused: u64,
}

/// Packets that may wait before the relay stops to take more work: half a millisecond of a fast tun.
const WAITING: usize = 256;

/// From this MTU on every packet gets a buffer of its own: a few of them fill a slab, and a kept
/// payload would keep the others.
const LARGE_MTU: usize = 16 << 10;

/// Packets of one batch, which share a slab: their payload goes out in one call a flow. Twice as many
/// are more than apps may have in flight, who would wait for the batch to be acknowledged.
pub(crate) const BATCH: usize = 128;

impl Tun {
    /// Takes over an open tun with this MTU. Must be called inside the runtime.
    pub(crate) fn new(fd: OwnedFd, mtu: usize) -> io::Result<Self> {
        sys::set_nonblocking(fd.as_fd())?;
        let slabs = match mtu {
            LARGE_MTU.. => Slabs::new(mtu, mtu, 64),
            _ => Slabs::new(mtu, mtu * BATCH, 4),
        };
        let fd = sys::watched(fd, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            fd,
            mtu,
            slabs,
            waiting: VecDeque::new(),
            exhausted: false,
            suspected: false,
            counters: TunCounters::default(),
        })
    }

    /// Begins a turn: buffers that are free again are used from the front.
    pub(crate) fn rewind(&mut self) {
        self.slabs.rewind();
    }

    /// The next packet, if there is one now. An error means that no packet will ever come again.
    pub(crate) fn read(&mut self) -> io::Result<Option<Bytes>> {
        let (slabs, mtu) = (&mut self.slabs, self.mtu);
        let interest = if self.suspected { Interest::ERROR } else { Interest::READABLE };
        let read = |fd: &OwnedFd| slabs.read(|slab| sys::read_into(fd.as_fd(), slab, mtu));
        let read = self.fd.try_io(interest, read);
        self.suspected &= read.is_ok();
        match read {
            Ok(packet) if packet.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(packet) => Ok(Some(packet)),
            Err(error) if transient(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Bytes of the buffer that a packet keeps alive.
    pub(crate) fn pinned(&self) -> usize {
        self.slabs.size()
    }

    /// Writes a packet, after those that wait. An error means that the tun is gone.
    pub(crate) fn write(&mut self, packet: Packet) -> io::Result<()> {
        if self.waiting.is_empty() && self.put(&packet)? {
            return Ok(());
        }
        self.counters.delayed += 1;
        self.waiting.push_back(packet);
        Ok(())
    }

    /// Tries the packets that wait. An error means that the tun is gone.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while let Some(packet) = self.waiting.pop_front() {
            if !self.put(&packet)? {
                self.waiting.push_front(packet);
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

    /// What was delayed and refused so far.
    pub(crate) fn counters(&self) -> TunCounters {
        self.counters
    }

    /// Puts one packet; false where there is no room for it now.
    fn put(&mut self, packet: &Packet) -> io::Result<bool> {
        self.exhausted = false;
        let error = match self.fd.try_io(Interest::WRITABLE, |fd| put(fd, packet)) {
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

/// One packet is one writev: header and payload are never copied together.
fn put(fd: &OwnedFd, packet: &Packet) -> io::Result<usize> {
    let mut slices = [IoSlice::new(&[]); 5];
    let parts = std::iter::once(packet.header()).chain(packet.payload().parts().iter().map(|part| &part[..]));
    let mut count = 0;
    for (slice, part) in slices.iter_mut().zip(parts) {
        *slice = IoSlice::new(part);
        count += 1;
    }
    sys::write_slices(fd.as_fd(), slices.get(..count).unwrap_or(&[]))
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

//! Receiving many datagrams with one system call.

use std::array;
use std::io;
use std::mem;
use std::net::{SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use bytes::{BufMut, Bytes, BytesMut};
use libc::c_int;

use crate::datagram::{Control, messages};
use crate::sys::{self, RawAddress};

/// Messages in one system call at most.
const MESSAGES: usize = 8;
/// Bytes of each buffer: the longest payload of UDP, and of what GRO joins.
const BUFFER: usize = 65_535;

/// Bytes of a buffer that copies of small messages share: so much may a small datagram keep alive.
const COPIES: usize = 16 << 10;

/// The buffers that all mappings receive into, one after the other.
pub(super) struct Receiver {
    buffers: [BytesMut; MESSAGES],
    /// Where small messages go: used again once nobody keeps one of them.
    copies: BytesMut,
}

/// What one system call has brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) messages: usize,
    pub(super) datagrams: usize,
    /// All buffers were filled: more may be there.
    pub(super) more: bool,
}

impl Receiver {
    pub(super) fn new() -> Self {
        Self { buffers: array::from_fn(|_| BytesMut::new()), copies: BytesMut::new() }
    }

    /// Receives what is there, a few messages at most, and hands on each datagram.
    pub(super) fn receive(
        &mut self,
        fd: BorrowedFd<'_>,
        most: usize,
        mut deliver: impl FnMut(SocketAddr, Bytes),
    ) -> io::Result<Received> {
        let most = most.clamp(1, MESSAGES);
        let buffers = self.buffers.get_mut(..most).unwrap_or_default();
        let mut addresses = [RawAddress::empty(); MESSAGES];
        let mut controls = [Control::new(); MESSAGES];
        let lengths = receive_messages(fd, buffers, &mut addresses, &mut controls)?;
        let mut received = Received { messages: lengths.count, datagrams: 0, more: lengths.count == most };
        let parts = buffers.iter_mut().zip(addresses).zip(controls).zip(&lengths.all);
        for (((buffer, address), control), length) in parts.take(lengths.count) {
            let size = segment_size(control.written(length.control)).unwrap_or(length.payload);
            let joined = take(buffer, &mut self.copies);
            let Some(from) = address.to_socket_addr() else { continue };
            let from = unscoped(from);
            if joined.len() <= size {
                received.datagrams += 1;
                deliver(from, joined);
                continue;
            }
            for payload in datagrams(&joined, size) {
                received.datagrams += 1;
                deliver(from, payload);
            }
        }
        Ok(received)
    }
}

/// How many messages came, and the lengths of each.
struct Lengths {
    count: usize,
    all: [Length; MESSAGES],
}

struct Length {
    payload: usize,
    control: usize,
}

fn receive_messages(
    fd: BorrowedFd<'_>,
    buffers: &mut [BytesMut],
    addresses: &mut [RawAddress; MESSAGES],
    controls: &mut [Control; MESSAGES],
) -> io::Result<Lengths> {
    let mut vectors = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; MESSAGES];
    // SAFETY: mmsghdr is plain data, for which all zeroes mean: nothing there.
    let mut headers: [libc::mmsghdr; MESSAGES] = unsafe { mem::zeroed() };
    let parts = buffers.iter_mut().zip(&mut vectors).zip(addresses).zip(controls);
    for (header, (((buffer, vector), address), control)) in headers.iter_mut().zip(parts) {
        // Takes the same memory again once nobody holds a datagram in it any more.
        buffer.reserve(BUFFER);
        *vector = libc::iovec { iov_base: buffer.spare_capacity_mut().as_mut_ptr().cast(), iov_len: BUFFER };
        header.msg_hdr = header_of(vector, address, control);
    }
    let (first, most) = (headers.as_mut_ptr(), buffers.len().try_into().unwrap_or(0));
    let flags = libc::MSG_DONTWAIT as _;
    let count = sys::uninterrupted(|| {
        // SAFETY: every header points to an address, a control buffer and BUFFER bytes of spare
        // capacity, all of which outlive the call; the kernel fills them and writes nothing else.
        sys::check(unsafe { libc::recvmmsg(fd.as_raw_fd(), first, most, flags, ptr::null_mut()) })
    })?;
    let count = usize::try_from(count).unwrap_or(0);
    let all = headers.each_ref().map(Length::of);
    for (buffer, length) in buffers.iter_mut().zip(&all).take(count) {
        // SAFETY: the kernel has written so many bytes of the spare capacity.
        unsafe { buffer.advance_mut(length.payload) };
    }
    Ok(Lengths { count, all })
}

fn header_of(vector: &mut libc::iovec, address: &mut RawAddress, control: &mut Control) -> libc::msghdr {
    // SAFETY: msghdr is plain data, for which all zeroes mean: nothing there.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_name = address.as_mut_ptr().cast();
    header.msg_namelen = address.len();
    header.msg_iov = vector;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr();
    header.msg_controllen = Control::room();
    header
}

impl Length {
    fn of(header: &libc::mmsghdr) -> Self {
        let payload = usize::try_from(header.msg_len).unwrap_or(0).min(BUFFER);
        Self { payload, control: header.msg_hdr.msg_controllen }
    }
}

/// The size of the datagrams that GRO has joined, if it has.
fn segment_size(control: &[u8]) -> Option<usize> {
    let is_size =
        |(level, kind, _): &(c_int, c_int, &[u8])| (*level, *kind) == (libc::SOL_UDP, libc::UDP_GRO);
    let (_, _, data) = messages(control).find(is_size)?;
    let size = c_int::from_ne_bytes(*data.first_chunk()?);
    usize::try_from(size).ok().filter(|size| *size > 0)
}

/// Takes the message out of its buffer. What fills a quarter of it keeps the buffer, less is copied:
/// a small datagram that somebody keeps must not hold 64 KiB.
fn take(buffer: &mut BytesMut, copies: &mut BytesMut) -> Bytes {
    if buffer.len() >= BUFFER / 4 {
        return buffer.split().freeze();
    }
    if copies.capacity() < buffer.len() && !copies.try_reclaim(COPIES) {
        *copies = BytesMut::with_capacity(COPIES);
    }
    copies.extend_from_slice(buffer);
    buffer.clear();
    copies.split().freeze()
}

/// The datagrams of a message, all of that size but the last.
fn datagrams(joined: &Bytes, size: usize) -> impl Iterator<Item = Bytes> {
    let count = if size == 0 { 1 } else { joined.len().div_ceil(size) };
    (0..count).map(move |index| {
        let start = index * size;
        joined.slice(start..joined.len().min(start + size))
    })
}

/// The app does not know the interfaces of the network outside.
fn unscoped(from: SocketAddr) -> SocketAddr {
    match from {
        SocketAddr::V4(_) => from,
        SocketAddr::V6(v6) => SocketAddr::V6(SocketAddrV6::new(*v6.ip(), v6.port(), 0, 0)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn small_datagrams_share_a_buffer_that_is_used_again() {
        let (ours, other) =
            (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let mut receiver = Receiver::new();
        let mut places = std::collections::BTreeSet::new();
        for round in 0..100 {
            other.send_to(&[round; 1_200], ours.local_addr().unwrap()).unwrap();
            let mut got = Bytes::new();
            let deliver = |_, payload: Bytes| got = payload;
            let received = receiver.receive(ours.as_fd(), 1, deliver).unwrap();
            assert_eq!((received.datagrams, &got[..]), (1, &[round; 1_200][..]));
            places.insert(got.as_ptr());
        }
        assert_eq!(places.len(), COPIES / 1_200, "nothing is allocated for the others");
    }

    #[test]
    fn a_small_datagram_that_is_kept_stays_as_it_came() {
        let mut copies = BytesMut::new();
        let mut kept = |value: u8| take(&mut BytesMut::from(&[value; 1_000][..]), &mut copies);
        let all: Vec<Bytes> = (0..100).map(&mut kept).collect();
        assert!((0..100).zip(&all).all(|(value, bytes)| bytes[..] == [value; 1_000]));
    }

    #[test]
    fn joined_datagrams_come_apart() {
        let lengths = |len: usize, size: usize| -> Vec<usize> {
            datagrams(&Bytes::from(vec![0; len]), size).map(|one| one.len()).collect()
        };
        assert_eq!(lengths(10, 4), [4, 4, 2]);
        assert_eq!(lengths(8, 4), [4, 4]);
        assert_eq!(lengths(3, 4), [3]);
        assert_eq!(lengths(0, 0), [0], "an empty datagram is a datagram");
    }

    #[test]
    fn small_messages_leave_the_buffer_alone() {
        let mut buffer = BytesMut::with_capacity(BUFFER);
        let place = buffer.as_ptr();
        buffer.put_bytes(7, 100);
        let mut copies = BytesMut::new();
        let small = take(&mut buffer, &mut copies);
        assert_eq!(small, vec![7; 100]);
        assert!(buffer.is_empty() && buffer.as_ptr() == place);
        buffer.put_bytes(8, BUFFER / 4);
        let large = take(&mut buffer, &mut copies);
        assert_eq!(large.as_ptr(), place, "a large one is not copied");
        drop(large);
        buffer.reserve(BUFFER);
        assert_eq!(buffer.as_ptr(), place, "and its memory is used again");
    }
}

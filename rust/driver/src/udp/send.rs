//! Sending a turn's datagrams of one mapping with as few system calls as possible.

use std::io;
use std::iter;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use bytes::Bytes;
use libc::c_int;
use smallvec::SmallVec;
use telltale_engine::{DatagramFailure, Input, MappingId};

use super::path::PathMtus;
use super::socket::Socket;
use crate::datagram::{self, Control};
use crate::sys::{self, RawAddress};
use crate::tun;

/// Datagrams that one mapping can queue until they are sent, which is after each batch of packets: a
/// packet brings one at most.
pub(super) const QUEUE: usize = tun::BATCH;
/// Messages in one system call.
const BATCH: usize = 32;
/// Datagrams that the kernel cuts from one message (UDP_MAX_SEGMENTS of its older versions).
const SEGMENTS: usize = 64;
/// Bytes in a message that is cut: the largest payload of an IPv4 packet.
const SEGMENTED_BYTES: usize = 65_507;

/// A datagram that waits for the end of the turn.
pub(crate) struct Outgoing {
    to: SocketAddr,
    payload: Bytes,
    hop_limit: u8,
    /// Whether its sender wants to hear of it where it goes out in fragments.
    dont_fragment: bool,
    /// Whether the path carries it in one piece, as far as known.
    fits: bool,
}

impl Outgoing {
    pub(crate) fn new(to: SocketAddr, payload: Bytes, hop_limit: u8, dont_fragment: bool) -> Self {
        Self { to, payload, hop_limit, dont_fragment, fits: true }
    }

    pub(super) fn to(&self) -> SocketAddr {
        self.to
    }

    pub(super) fn failed(&self, mapping: MappingId, failure: DatagramFailure) -> Input {
        Input::DatagramFailed { mapping, to: self.to, failure }
    }
}

/// Sends all of them, in order. What the system refuses becomes an input; what it has no room for is
/// lost, as in any full queue on the way, and counted in the answer.
pub(super) fn send_all(
    id: MappingId,
    socket: &mut Socket,
    outgoing: &mut [Outgoing],
    paths: &mut PathMtus,
    inputs: &mut Vec<Input>,
) -> u64 {
    measure(id, outgoing, paths, inputs);
    let mut rest = &*outgoing;
    let mut dropped = 0;
    let mut again = true;
    while let Some(next) = rest.first() {
        let run = run_length(rest, socket.segments);
        let done = match send_batch(socket, rest) {
            Ok(sent) => sent,
            Err(errno) => match errno {
                libc::EAGAIN => return dropped + rest.len() as u64,
                libc::EIO | libc::EINVAL | libc::EMSGSIZE if run > 1 => {
                    socket.segments = false;
                    continue;
                }
                libc::ENOBUFS | libc::ENOMEM => {
                    dropped += run as u64;
                    run
                }
                // The error may be one that the network reported about an earlier datagram. The call
                // has cleared it.
                _ if again => {
                    socket.take_errors(id, paths, inputs);
                    again = false;
                    continue;
                }
                refused => {
                    inputs.push(next.failed(id, datagram::refusal(refused)));
                    1
                }
            },
        };
        again = true;
        rest = rest.get(done..).unwrap_or_default();
    }
    dropped
}

/// Finds those that will go out in fragments. A sender that forbids fragments must hear of it
/// (RFC 1191 3, RFC 8201 4); one that allows them would only learn to send less to everybody.
fn measure(id: MappingId, outgoing: &mut [Outgoing], paths: &mut PathMtus, inputs: &mut Vec<Input>) {
    for one in outgoing {
        let payload_len = one.payload.len();
        let Some(mtu) = paths.exceeded_by(payload_len, one.to, one.dont_fragment) else { continue };
        one.fits = false;
        if one.dont_fragment {
            inputs.push(one.failed(id, DatagramFailure::TooBig { mtu, payload_len }));
        }
    }
}

/// How many of the first datagrams can go as one message that the kernel cuts again: same peer, same
/// hop limit, same size (the last may be shorter).
fn run_length(rest: &[Outgoing], segments: bool) -> usize {
    let Some(first) = rest.first() else { return 0 };
    let size = first.payload.len();
    if !segments || !first.fits || size == 0 {
        return 1;
    }
    let alike = |one: &&Outgoing| {
        one.to == first.to && one.hop_limit == first.hop_limit && (1..=size).contains(&one.payload.len())
    };
    let most = SEGMENTS.min(SEGMENTED_BYTES / size).max(1);
    let alike = rest.iter().take(most).take_while(alike);
    let full = alike.clone().take_while(|one| one.payload.len() == size).count();
    alike.count().min(full + 1)
}

/// A list as long as one call may need it, on the stack.
type Few<T, const MOST: usize> = SmallVec<[T; MOST]>;

/// One system call for as many datagrams as it takes: how many it took, or the errno of the first.
fn send_batch(socket: &Socket, rest: &[Outgoing]) -> Result<usize, c_int> {
    let runs = || runs(rest, socket.segments).take(BATCH);
    let mut vectors = Few::<_, QUEUE>::new();
    let mut addresses = Few::<RawAddress, BATCH>::new();
    let mut controls = Few::<_, BATCH>::new();
    for run in runs() {
        vectors.extend(run.iter().map(vector));
        addresses.extend(run.first().map(|one| one.to.into()));
        controls.push(control(socket.domain, run));
    }
    let mut unused = &mut *vectors;
    let mut messages = Few::<_, BATCH>::new();
    messages.extend(runs().zip(&mut addresses).zip(&mut controls).map(|((run, address), control)| {
        let (own, behind) = mem::take(&mut unused).split_at_mut(run.len());
        unused = behind;
        message(own, address, control)
    }));
    let taken = send_messages(socket.as_fd(), &mut messages).map_err(|error| sys::errno(&error))?;
    Ok(runs().take(taken).map(<[Outgoing]>::len).sum())
}

fn runs(mut rest: &[Outgoing], segments: bool) -> impl Iterator<Item = &[Outgoing]> {
    iter::from_fn(move || {
        let (run, behind) = rest.split_at(run_length(rest, segments));
        rest = behind;
        (!run.is_empty()).then_some(run)
    })
}

fn vector(one: &Outgoing) -> libc::iovec {
    libc::iovec { iov_base: one.payload.as_ptr().cast_mut().cast(), iov_len: one.payload.len() }
}

fn control(domain: c_int, run: &[Outgoing]) -> Control {
    let mut control = Control::new();
    let [first, behind @ ..] = run else { return control };
    // The system gives multicast a hop limit of 1.
    if first.hop_limit != datagram::USUAL_HOP_LIMIT || first.to.ip().is_multicast() {
        datagram::hop_limit_control(domain, first.hop_limit, &mut control);
    }
    if let (false, Ok(size)) = (behind.is_empty(), u16::try_from(first.payload.len())) {
        control.push(libc::SOL_UDP, libc::UDP_SEGMENT, &size.to_ne_bytes());
    }
    control
}

fn message(vectors: &mut [libc::iovec], address: &mut RawAddress, control: &mut Control) -> libc::mmsghdr {
    // SAFETY: mmsghdr is plain data, for which all zeroes mean: nothing there.
    let mut message: libc::mmsghdr = unsafe { mem::zeroed() };
    message.msg_hdr.msg_name = address.as_mut_ptr().cast();
    message.msg_hdr.msg_namelen = address.len();
    message.msg_hdr.msg_iov = vectors.as_mut_ptr();
    message.msg_hdr.msg_iovlen = vectors.len();
    if control.len() > 0 {
        message.msg_hdr.msg_control = control.as_mut_ptr();
        message.msg_hdr.msg_controllen = control.len();
    }
    message
}

/// How many messages the kernel took.
fn send_messages(fd: BorrowedFd<'_>, messages: &mut [libc::mmsghdr]) -> io::Result<usize> {
    let count = messages.len().try_into().unwrap_or(0);
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    let first = messages.as_mut_ptr();
    let taken = sys::uninterrupted(|| {
        // SAFETY: every message points to an address, payload and control buffer that outlive the
        // call (they are locals of the only caller or borrowed by it), with their right lengths; the
        // kernel reads through them and writes only msg_len.
        sys::check(unsafe { libc::sendmmsg(fd.as_raw_fd(), first, count, flags as _) })
    })?;
    Ok(usize::try_from(taken).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(sizes: &[usize]) -> Vec<Outgoing> {
        let to = "192.0.2.1:443".parse().unwrap();
        sizes.iter().map(|size| Outgoing::new(to, vec![0; *size].into(), 64, true)).collect()
    }

    #[test]
    fn equal_datagrams_make_one_run_which_a_shorter_one_ends() {
        assert_eq!(run_length(&outgoing(&[100, 100, 100]), true), 3);
        assert_eq!(run_length(&outgoing(&[100, 100, 40, 40]), true), 3);
        assert_eq!(run_length(&outgoing(&[100, 40, 100]), true), 2);
        assert_eq!(run_length(&outgoing(&[100, 101]), true), 1);
        assert_eq!(run_length(&outgoing(&[100, 100, 0]), true), 2, "an empty datagram cannot be cut off");
        assert_eq!(run_length(&outgoing(&[0, 0]), true), 1);
        assert_eq!(run_length(&outgoing(&[100, 100]), false), 1);
        assert_eq!(run_length(&outgoing(&[1400; 100]), true), 65_507 / 1400);
        assert_eq!(run_length(&outgoing(&[10; 100]), true), SEGMENTS);
        assert_eq!(run_length(&outgoing(&[60_000, 60_000]), true), 1);
    }

    #[test]
    fn another_peer_or_hop_limit_or_fragments_make_another_run() {
        let mut three = outgoing(&[100; 3]);
        three[2].hop_limit = 1;
        assert_eq!(run_length(&three, true), 2);
        three[1].to = "192.0.2.2:443".parse().unwrap();
        assert_eq!(run_length(&three, true), 1);
        let mut large = outgoing(&[3000, 3000]);
        large[0].fits = false;
        assert_eq!(run_length(&large, true), 1);
    }

    #[test]
    fn nothing_is_lost_between_runs() {
        let mixed = outgoing(&[100, 100, 50, 100, 0, 70, 70, 80]);
        let lengths: Vec<usize> = runs(&mixed, true).map(<[Outgoing]>::len).collect();
        assert_eq!(lengths, [3, 1, 1, 2, 1]);
    }
}

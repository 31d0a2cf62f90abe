//! The TCP sockets of flows, toward the network.

mod failures;

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use std::vec::Drain;

use bytes::Bytes;
use libc::c_int;
use telltale_engine::limits::{MEMORY_SHARE, PAYLOAD_MEMORY};
use telltale_engine::{Failure, FlowId, Input};

use crate::poll::{Epoll, Event, Token};
use crate::slabs::Slabs;
use crate::sys::{self, PIECES};
use failures::{broken, failure};

/// All sockets, by [`FlowId::index`].
pub(crate) struct Sockets {
    sockets: Vec<Option<Socket>>,
    slabs: Slabs,
    /// Bytes of one read.
    read: usize,
    /// What the last read brought.
    pieces: Vec<(Bytes, usize)>,
}

struct Socket {
    fd: OwnedFd,
    to: SocketAddr,
    generation: u32,
    connecting: bool,
    /// Something may be there to read. Edge-triggered readiness is told once, so it is kept here.
    readable: bool,
    /// A short read does not mean that nothing more is there.
    more: bool,
    /// An error was told.
    failed: bool,
    /// The remote's FIN was read.
    finished: bool,
    /// Nothing more will be written.
    shut: bool,
    /// Something was sent.
    spoke: bool,
    /// Nothing small waits for the acknowledgement of what was sent before.
    prompt: bool,
    /// It took no more once, and it was seen to how much it keeps.
    bounded: bool,
    /// Much was there when it was read last.
    much: bool,
    /// Waits in the relay's list of sockets to serve.
    queued: bool,
    /// What ended the connection, to be told once all that arrived before was read.
    broken: Option<Failure>,
}

/// What became of pending bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// So many were taken.
    pub(crate) bytes: usize,
    /// The socket takes no more at the moment.
    pub(crate) blocked: bool,
}

/// What a look at a socket brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Bytes: so many, in [`Sockets::pieces`].
    Bytes(usize),
    /// The remote will send no more.
    Finished,
    /// The connection is over, and the socket is closed. It had not sent so many bytes.
    Broken(Failure, usize),
    /// Nothing at the moment.
    Nothing,
}

/// Bytes of one read, roughly: with less, the calls cost more than the bytes.
const READ: usize = 64 << 10;

/// Headers of a segment over IPv6 without options; over IPv4 they are 20 less.
const HEADERS: usize = 60;

/// Read buffers that are remembered: what many busy flows may hold together, so that none is made anew for each
/// read. They are given back when the relay rests.
const BUFFERS: usize = 256;

// As many flows as share the pool hold a little more than half of it.
const _: () = assert!(BUFFERS * READ >= PAYLOAD_MEMORY / 2 * MEMORY_SHARE / (2 * MEMORY_SHARE - 1));

/// Slices that one system call sends: a turn's reads, so that the payload of a turn goes out in one.
const SLICES: usize = 128;

/// Hardly a network has a round trip as short as this.
const NEAR: Duration = Duration::from_micros(100);

/// Bytes that are not sent yet, past which a socket takes no more over such a path.
const LITTLE: c_int = 128 << 10;

/// An app that probes with keep-alives learns of a dead server after 5 + 4 x 1 minutes.
const KEEP_ALIVE: [(c_int, c_int); 3] =
    [(libc::TCP_KEEPIDLE, 300), (libc::TCP_KEEPINTVL, 60), (libc::TCP_KEEPCNT, 4)];

impl Sockets {
    /// No sockets yet. What they read is to be cut for a tun that takes segments of so many bytes.
    pub(crate) fn new(longest: usize) -> Self {
        let (slabs, read) = reading(longest);
        Self { sockets: Vec::new(), slabs, read, pieces: Vec::with_capacity(PIECES) }
    }

    /// What they read from now on is to be cut for a tun that takes segments of so many bytes.
    pub(crate) fn cut_for(&mut self, longest: usize) {
        (self.slabs, self.read) = reading(longest);
    }

    /// Nothing will be read for a while.
    pub(crate) fn rest(&mut self) {
        self.slabs.rest();
    }

    /// Bytes of buffers that resting would give back.
    pub(crate) fn spare(&self) -> usize {
        self.slabs.spare()
    }

    /// Bytes that the kernel has taken and no server has acknowledged.
    pub(crate) fn unacknowledged(&self) -> i64 {
        let bytes = |socket: &Socket| i64::from(sys::unacknowledged(socket.fd.as_fd()));
        self.sockets.iter().flatten().map(bytes).sum()
    }

    /// Opens a socket and starts to connect it; [`Self::note`] tells how that ended.
    pub(crate) fn connect(&mut self, epoll: &Epoll, flow: FlowId, to: SocketAddr) -> Result<(), Failure> {
        let fd = connecting(epoll, flow, to).map_err(|error| failure(sys::errno(&error)))?;
        let index = place(flow);
        if index >= self.sockets.len() {
            self.sockets.resize_with(index + 1, || None);
        }
        if let Some(slot) = self.sockets.get_mut(index) {
            *slot = Some(Socket::new(fd, to, flow.generation));
        }
        Ok(())
    }

    /// Notes what the set of sockets told. Answers for a connecting socket that is connecting no more:
    /// connected, or failed and closed.
    pub(crate) fn note(&mut self, flow: FlowId, event: Event) -> Option<Result<(), Failure>> {
        let socket = find(&mut self.sockets, flow)?;
        socket.readable |= event.readable;
        socket.more |= event.more;
        socket.failed |= event.error;
        if !socket.connecting || !event.writable {
            return None;
        }
        let error = if event.error { sys::take_error(socket.fd.as_fd()) } else { 0 };
        if error == libc::ECONNABORTED {
            // Android ends the attempts of a network that it takes away; the next network brings a new one.
            return None;
        }
        if error != 0 {
            self.close(flow);
            return Some(Err(failure(error)));
        }
        socket.connecting = false;
        Some(Ok(()))
    }

    /// Sends pending bytes, as many as fit in one call. `None`: there is nothing to send, or nobody to
    /// send it to.
    pub(crate) fn send<'a>(&mut self, flow: FlowId, pending: impl Iterator<Item = &'a [u8]>) -> Option<Sent> {
        let socket = find(&mut self.sockets, flow).filter(|socket| socket.broken.is_none())?;
        let mut pending = pending.peekable();
        pending.peek()?;
        let mut slices = [IoSlice::new(&[]); SLICES];
        let (mut count, mut len) = (0, 0);
        for (slice, bytes) in slices.iter_mut().zip(pending) {
            *slice = IoSlice::new(bytes);
            count += 1;
            len += bytes.len();
        }
        let slices = slices.get(..count).filter(|_| len > 0)?;
        socket.hasten();
        let sent = match sys::send_slices(socket.fd.as_fd(), slices) {
            Ok(bytes) => Sent { bytes, blocked: bytes < len },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Sent { bytes: 0, blocked: true },
            Err(error) => {
                socket.break_off(broken(sys::errno(&error)));
                return None;
            }
        };
        if sent.blocked {
            socket.was_full();
        }
        Some(sent)
    }

    /// Whether a connection has broken and this was not told yet.
    pub(crate) fn is_broken(&mut self, flow: FlowId) -> bool {
        find(&mut self.sockets, flow).is_some_and(|socket| socket.broken.is_some())
    }

    /// Reads at most `room` bytes.
    pub(crate) fn receive(&mut self, flow: FlowId, room: usize) -> Arrival {
        let Some(socket) = find(&mut self.sockets, flow) else { return Arrival::Nothing };
        let arrival = socket.receive(room.min(self.read), &mut self.slabs, &mut self.pieces);
        if let Arrival::Broken(..) = arrival {
            self.close(flow);
        }
        arrival
    }

    /// Takes what the last read brought, each piece with how many bytes of buffer it keeps alive.
    pub(crate) fn pieces(&mut self) -> Drain<'_, (Bytes, usize)> {
        self.pieces.drain(..)
    }

    /// Whether a socket should be put into the list of those to serve; from then on it counts as
    /// being there.
    pub(crate) fn queue(&mut self, flow: FlowId) -> bool {
        find(&mut self.sockets, flow).is_some_and(Socket::queue)
    }

    /// Whether much was there when the socket was read last.
    pub(crate) fn says_much(&mut self, flow: FlowId) -> bool {
        find(&mut self.sockets, flow).is_some_and(|socket| socket.much)
    }

    /// Notes whether much was there.
    pub(crate) fn note_read(&mut self, flow: FlowId, much: bool) {
        if let Some(socket) = find(&mut self.sockets, flow) {
            socket.much = much;
        }
    }

    /// The socket was taken out of the list of those to serve.
    pub(crate) fn unqueue(&mut self, flow: FlowId) {
        if let Some(socket) = find(&mut self.sockets, flow) {
            socket.queued = false;
        }
    }

    /// Says to the remote that no more will come.
    pub(crate) fn finish(&mut self, flow: FlowId) {
        let Some(socket) = find(&mut self.sockets, flow) else { return };
        socket.shut = true;
        if let Err(error) = sys::shutdown_write(socket.fd.as_fd()) {
            socket.break_off(broken(sys::errno(&error)));
        }
    }

    /// Has the kernel find out whether an idle remote still lives.
    pub(crate) fn keep_alive(&mut self, flow: FlowId) {
        let Some(socket) = find(&mut self.sockets, flow) else { return };
        let fd = socket.fd.as_fd();
        for (name, value) in KEEP_ALIVE {
            told("keep-alive time", sys::set_option(fd, libc::IPPROTO_TCP, name, value));
        }
        told("keep-alive", sys::set_option(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1));
    }

    /// The network is another one. Connections from addresses that this machine has no longer are over. Attempts
    /// to connect from there are made once more, if there is a network `online` to make them in; else they wait
    /// for the next.
    pub(crate) fn change_network(
        &mut self,
        epoll: &Epoll,
        online: bool,
        is_gone: impl Fn(SocketAddr) -> bool,
        inputs: &mut Vec<Input>,
    ) {
        let mut known = BTreeMap::new();
        let mut is_gone = |from: SocketAddr| *known.entry(from.ip()).or_insert_with(|| is_gone(from));
        for (flow, to, connecting) in self.living() {
            let from = find(&mut self.sockets, flow).and_then(|socket| sys::local_address(socket.fd.as_fd()));
            if !from.is_none_or(&mut is_gone) {
                continue;
            }
            if !connecting {
                let unsent = self.abort(flow);
                inputs.push(Input::Broken { flow, failure: Failure::Reset, unsent });
            } else if online && let Err(failure) = self.connect(epoll, flow, to) {
                self.close(flow);
                inputs.push(Input::ConnectFailed(flow, failure));
            }
        }
    }

    fn living(&self) -> Vec<(FlowId, SocketAddr, bool)> {
        let indexed = (0..).zip(&self.sockets).filter_map(|(index, socket)| Some((index, socket.as_ref()?)));
        let id = |index, socket: &Socket| FlowId { index, generation: socket.generation };
        indexed.map(|(index, socket)| (id(index, socket), socket.to, socket.connecting)).collect()
    }

    /// Closes a socket in order.
    pub(crate) fn close(&mut self, flow: FlowId) {
        if find(&mut self.sockets, flow).is_some()
            && let Some(slot) = self.sockets.get_mut(place(flow))
        {
            *slot = None;
        }
    }

    /// Closes a socket with a reset. How many bytes it had not sent.
    pub(crate) fn abort(&mut self, flow: FlowId) -> usize {
        let Some(socket) = find(&mut self.sockets, flow) else { return 0 };
        let unsent = socket.unsent();
        told("linger", sys::reset_on_close(socket.fd.as_fd()));
        self.close(flow);
        unsent
    }
}

impl Socket {
    fn new(fd: OwnedFd, to: SocketAddr, generation: u32) -> Self {
        Self {
            fd,
            to,
            generation,
            connecting: true,
            readable: false,
            more: false,
            failed: false,
            finished: false,
            shut: false,
            spoke: false,
            prompt: false,
            bounded: false,
            much: false,
            queued: false,
            broken: None,
        }
    }

    /// What the kernel had received before a reset is delivered first: it still gives it out.
    fn receive(&mut self, room: usize, slabs: &mut Slabs, pieces: &mut Vec<(Bytes, usize)>) -> Arrival {
        if self.connecting || !self.readable {
            return Arrival::Nothing;
        }
        if self.finished {
            return self.end();
        }
        if room == 0 {
            return self.end_if_empty();
        }
        let fd = self.fd.as_fd();
        match slabs.read_pieces(room, pieces, |buffers| sys::receive_pieces(fd, buffers, room)) {
            Ok(0) => self.finish(),
            Ok(len) => {
                // epoll(7): a short read of a stream says that it is drained, as a read that would
                // block does, and a later arrival is told anew.
                self.readable = self.more || len == room;
                Arrival::Bytes(len)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.drained(),
            Err(error) => self.over(broken(sys::errno(&error))),
        }
    }

    /// The remote's FIN was read. An error that follows it is not told by reading.
    fn finish(&mut self) -> Arrival {
        if let Some(failure) = self.broken {
            return self.over(failure);
        }
        self.finished = true;
        Arrival::Finished
    }

    /// After the FIN: nothing, or the error that waits, which reading does not tell.
    fn end(&mut self) -> Arrival {
        let error = if self.failed { sys::take_error(self.fd.as_fd()) } else { 0 };
        if error != 0 {
            return self.over(broken(error));
        }
        self.drained()
    }

    fn drained(&mut self) -> Arrival {
        self.readable = false;
        self.broken.map_or(Arrival::Nothing, |failure| self.over(failure))
    }

    /// The app has no room at the moment. An end with nothing before it must reach it all the same.
    fn end_if_empty(&mut self) -> Arrival {
        if !self.more {
            return Arrival::Nothing;
        }
        match sys::peek(self.fd.as_fd()) {
            Ok(true) => Arrival::Nothing,
            Ok(false) => self.finish(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.drained(),
            Err(error) => self.over(broken(sys::errno(&error))),
        }
    }

    /// What was noted first is why.
    fn over(&self, failure: Failure) -> Arrival {
        Arrival::Broken(self.broken.unwrap_or(failure), self.unsent())
    }

    /// Bytes that it holds and has not sent. The FIN counts as one there.
    fn unsent(&self) -> usize {
        sys::unsent(self.fd.as_fd()).saturating_sub(usize::from(self.shut))
    }

    /// Before each send: a small one is not to wait until what went before is acknowledged (RFC 9293 3.7.4). Nothing
    /// went before the first, whose small end Linux holds behind no full segments of it, and many connections send no
    /// other.
    fn hasten(&mut self) {
        if self.spoke && !self.prompt {
            told("haste", sys::set_option(self.fd.as_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY, 1));
            self.prompt = true;
        }
        self.spoke = true;
    }

    /// What it has not sent it sends as its server acknowledges. On a path within this machine that happens on the
    /// core of the server, while the relay sends on its own: two cores deliver one stream, out of order, and much of
    /// it is sent again. There it is to keep little that is not sent. Not so where a network is between: over 80 ms
    /// it would run dry whenever the relay is not woken at once, and BBR would take that for the path's speed. The
    /// kernel bounds what it keeps, as for any program.
    fn was_full(&mut self) {
        let fd = self.fd.as_fd();
        if !self.bounded && sys::least_round_trip(fd).is_some_and(|time| time < NEAR) {
            told("bound", sys::set_option(fd, libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT, LITTLE));
        }
        self.bounded = true;
    }

    fn break_off(&mut self, failure: Failure) {
        self.broken = self.broken.or(Some(failure));
        self.readable = true;
        self.more = true;
    }

    fn queue(&mut self) -> bool {
        let wanted = self.readable && !self.connecting && !self.queued;
        self.queued |= wanted;
        wanted
    }
}

/// The buffers, and the bytes of one read.
fn reading(mtu: usize) -> (Slabs, usize) {
    let piece = whole_segments(mtu);
    (Slabs::new(piece, piece, BUFFERS), piece * PIECES)
}

/// Bytes of one read that leave no small segment behind.
fn whole_segments(mtu: usize) -> usize {
    let segment = mtu.saturating_sub(HEADERS).max(1);
    READ.max(segment) / segment * segment
}

/// A socket that has begun to connect. It is put into the set after that: an unconnected socket would
/// be told as hung up.
fn connecting(epoll: &Epoll, flow: FlowId, to: SocketAddr) -> io::Result<OwnedFd> {
    let socket = sys::socket(c_int::from(sys::family(&to)), libc::SOCK_STREAM, 0)?;
    let fd = socket.as_fd();
    // RFC 6093 6: urgent data stays in line, for the app to see it where the remote put it.
    sys::set_option(fd, libc::SOL_SOCKET, libc::SO_OOBINLINE, 1)?;
    match sys::connect(fd, to) {
        Err(error) if sys::errno(&error) != libc::EINPROGRESS => return Err(error),
        Ok(()) | Err(_) => {}
    }
    epoll.add(fd, Token::Tcp(flow))?;
    Ok(socket)
}

/// An option that the relay can do without: where the kernel refuses it, the log says so.
fn told(what: &str, result: io::Result<()>) {
    if let Err(error) = result {
        log::debug!("no {what}: {error}");
    }
}

/// The socket of that flow, unless it is gone.
fn find(sockets: &mut [Option<Socket>], flow: FlowId) -> Option<&mut Socket> {
    sockets.get_mut(place(flow))?.as_mut().filter(|socket| socket.generation == flow.generation)
}

fn place(flow: FlowId) -> usize {
    usize::try_from(flow.index).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::poll::Events;

    const FLOW: FlowId = FlowId { index: 3, generation: 7 };

    #[test]
    fn a_read_leaves_no_small_segment_behind() {
        assert_eq!(whole_segments(1_500), 45 * 1_440);
        assert_eq!(whole_segments(9_000), 7 * 8_940);
        assert_eq!(whole_segments(65_535), 65_475);
    }

    #[test]
    fn what_is_read_after_another_tun_has_come_is_cut_for_that_one() {
        let mut bed = Bed::connected();
        bed.sockets.cut_for(9_000);
        bed.remote.write_all(&[1; READ / 2]).unwrap();
        bed.until(|event| event.readable);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(bed.sockets.receive(FLOW, READ / 2), Arrival::Bytes(READ / 2));
        assert!(bed.sockets.pieces().all(|(_, pinned)| pinned == whole_segments(9_000)));
    }

    #[test]
    fn a_stale_id_reaches_nobody() {
        let mut bed = Bed::connected();
        let stale = FlowId { generation: 6, ..FLOW };
        bed.sockets.close(stale);
        assert_eq!(bed.sockets.send(stale, [&b"x"[..]].into_iter()), None);
        assert_eq!(bed.send(&[b"still there"]), Some(Sent { bytes: 11, blocked: false }));
    }

    #[test]
    fn refused_is_told_once_and_closes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = listener.local_addr().unwrap();
        drop(listener);
        let mut bed = Bed::new();
        bed.sockets.connect(&bed.epoll, FLOW, closed).unwrap();
        assert_eq!(bed.wait(), Some(Err(Failure::Refused)));
        assert!(bed.sockets.sockets[3].is_none());
    }

    #[test]
    fn what_follows_the_first_send_never_waits_for_its_acknowledgement() {
        let mut bed = Bed::connected();
        let mut is_prompt = |text: &[u8]| {
            assert_eq!(bed.send(&[text]), Some(Sent { bytes: text.len(), blocked: false }));
            let fd = bed.sockets.sockets[3].as_ref().unwrap().fd.as_fd();
            sys::option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY).unwrap() != 0
        };
        assert_eq!([is_prompt(b"one"), is_prompt(b"two"), is_prompt(b"three")], [false, true, true]);
    }

    #[test]
    fn all_slices_go_out_in_order_in_one_call() {
        let mut bed = Bed::connected();
        assert_eq!(bed.send(&[b"one ", b"", b"two ", b"three"]), Some(Sent { bytes: 13, blocked: false }));
        bed.sockets.finish(FLOW);
        let mut got = String::new();
        bed.remote.read_to_string(&mut got).unwrap();
        assert_eq!(got, "one two three");
    }

    #[test]
    fn a_full_socket_keeps_little_within_this_machine() {
        let mut bed = Bed::connected();
        let block = vec![7; 1 << 20];
        let unsent = |bed: &Bed| sys::unsent(bed.sockets.sockets[3].as_ref().unwrap().fd.as_fd());
        while !bed.send(&[&block]).unwrap().blocked {}
        let kept = unsent(&bed);
        // The remote reads until what waited there is sent; what follows is bounded.
        let mut got = vec![0; 1 << 20];
        for _ in 0..64 {
            let _ = bed.remote.read(&mut got).unwrap();
            bed.look();
            while !bed.send(&[&block]).unwrap().blocked {}
        }
        let kept_then = unsent(&bed);
        assert!(kept_then <= 256 << 10, "{kept_then} bytes, {kept} before");
    }

    #[test]
    fn a_full_socket_blocks_and_becomes_writable_again() {
        let mut bed = Bed::connected();
        let block = vec![7; 1 << 20];
        let mut sent = 0;
        loop {
            let Sent { bytes, blocked } = bed.send(&[&block]).unwrap();
            sent += bytes;
            if blocked {
                break;
            }
        }
        bed.look();
        let mut got = vec![0; sent];
        bed.remote.read_exact(&mut got).unwrap();
        bed.until(|event| event.writable);
        assert!(bed.send(&[b"more"]).unwrap().bytes > 0);
    }

    #[test]
    fn reading_stops_at_the_room_and_goes_on_without_a_new_event() {
        let mut bed = Bed::connected();
        bed.remote.write_all(b"hello world").unwrap();
        bed.until(|event| event.readable);
        assert_eq!(bed.sockets.receive(FLOW, 0), Arrival::Nothing);
        assert_eq!(bed.receive(6), b"hello ");
        assert!(bed.sockets.queue(FLOW), "there is more");
        assert!(!bed.sockets.queue(FLOW), "it is in the list already");
        bed.sockets.unqueue(FLOW);
        assert_eq!(bed.receive(100), b"world");
        assert_eq!(bed.sockets.receive(FLOW, 100), Arrival::Nothing);
        assert!(!bed.sockets.queue(FLOW));
    }

    #[test]
    fn a_large_read_is_handed_over_and_a_small_one_copied_out() {
        let mut bed = Bed::connected();
        bed.remote.write_all(&[1; READ / 2]).unwrap();
        bed.until(|event| event.readable);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(bed.sockets.receive(FLOW, READ / 2), Arrival::Bytes(READ / 2));
        let large: Vec<_> = bed.sockets.pieces().map(|(bytes, pinned)| (bytes.len(), pinned)).collect();
        assert_eq!(large, [(READ / 2, whole_segments(1_500))]);
        bed.remote.write_all(&[2; 10]).unwrap();
        bed.until(|event| event.readable);
        assert_eq!(bed.sockets.receive(FLOW, 100), Arrival::Bytes(10));
        assert_eq!(bed.sockets.pieces().collect::<Vec<_>>(), [(Bytes::from(vec![2; 10]), 10)]);
    }

    #[test]
    fn the_end_follows_the_bytes_even_without_room() {
        let mut bed = Bed::connected();
        bed.remote.write_all(b"last words").unwrap();
        bed.remote.shutdown(std::net::Shutdown::Write).unwrap();
        bed.until(|event| event.more);
        assert_eq!(bed.sockets.receive(FLOW, 0), Arrival::Nothing, "the bytes come first");
        assert_eq!(bed.receive(10), b"last words");
        assert_eq!(bed.sockets.receive(FLOW, 0), Arrival::Finished);
        assert_eq!(bed.sockets.receive(FLOW, 100), Arrival::Nothing, "it is told once");
        assert!(bed.send(&[b"the other way is open"]).unwrap().bytes > 0);
    }

    #[test]
    fn a_reset_follows_the_bytes_that_came_before_it() {
        let mut bed = Bed::connected();
        bed.remote.write_all(b"last words").unwrap();
        bed.until(|event| event.readable);
        sys::reset_on_close(bed.remote.as_fd()).unwrap();
        bed.replace_remote();
        bed.until(|event| event.error);
        assert_eq!(bed.receive(4), b"last");
        assert_eq!(bed.receive(100), b" words");
        assert_eq!(bed.sockets.receive(FLOW, 100), Arrival::Broken(Failure::Reset, 0));
        assert!(bed.sockets.sockets[3].is_none(), "the socket is closed");
    }

    #[test]
    fn a_reset_that_a_send_meets_follows_the_bytes_too() {
        let mut bed = Bed::connected();
        bed.remote.write_all(b"last words").unwrap();
        bed.until(|event| event.readable);
        sys::reset_on_close(bed.remote.as_fd()).unwrap();
        bed.replace_remote();
        bed.until(|event| event.error);
        assert_eq!(bed.send(&[b"x"]), None);
        assert!(bed.sockets.is_broken(FLOW) && bed.sockets.queue(FLOW));
        assert_eq!(bed.receive(100), b"last words");
        assert_eq!(bed.sockets.receive(FLOW, 100), Arrival::Broken(Failure::Reset, 0));
    }

    #[test]
    fn a_reset_with_nothing_before_it_needs_no_room() {
        let mut bed = Bed::connected();
        sys::reset_on_close(bed.remote.as_fd()).unwrap();
        bed.replace_remote();
        bed.until(|event| event.error);
        assert_eq!(bed.sockets.receive(FLOW, 0), Arrival::Broken(Failure::Reset, 0));
    }

    #[test]
    fn what_a_broken_connection_had_not_sent_is_told() {
        let mut bed = Bed::connected();
        let block = vec![7; 1 << 20];
        let mut taken = 0;
        while let Some(Sent { bytes, blocked: false }) = bed.send(&[&block]) {
            taken += bytes;
        }
        let waits = sys::unacknowledged(bed.sockets.sockets[3].as_ref().unwrap().fd.as_fd());
        assert!(waits > 0, "the remote reads nothing of {taken} bytes");
        sys::reset_on_close(bed.remote.as_fd()).unwrap();
        bed.replace_remote();
        bed.until(|event| event.error);
        let Arrival::Broken(Failure::Reset, unsent) = bed.sockets.receive(FLOW, 100) else {
            panic!("it lives")
        };
        assert!((1..=usize::try_from(waits).unwrap()).contains(&unsent), "{unsent} of {waits}");
    }

    #[test]
    fn a_reset_after_the_end_is_told() {
        let mut bed = Bed::connected();
        bed.remote.shutdown(std::net::Shutdown::Write).unwrap();
        bed.until(|event| event.more);
        assert_eq!(bed.sockets.receive(FLOW, 100), Arrival::Finished);
        sys::reset_on_close(bed.remote.as_fd()).unwrap();
        bed.replace_remote();
        bed.until(|event| event.error);
        assert_eq!(bed.sockets.receive(FLOW, 100), Arrival::Broken(Failure::Reset, 0));
    }

    #[test]
    fn urgent_data_stays_in_line() {
        let mut bed = Bed::connected();
        // SAFETY: the pointer and the length are those of the bytes.
        unsafe {
            libc::send(std::os::fd::AsRawFd::as_raw_fd(&bed.remote), b"ab!".as_ptr().cast(), 3, libc::MSG_OOB)
        };
        bed.remote.write_all(b"cd").unwrap();
        bed.remote.shutdown(std::net::Shutdown::Write).unwrap();
        bed.until(|event| event.more);
        let mut got = Vec::new();
        let end = loop {
            match bed.sockets.receive(FLOW, 100) {
                Arrival::Bytes(_) => {
                    bed.sockets.pieces().for_each(|(bytes, _)| got.extend_from_slice(&bytes))
                }
                Arrival::Nothing => drop(bed.look()),
                end @ (Arrival::Finished | Arrival::Broken(..)) => break end,
            }
        };
        assert_eq!((&got[..], end), (&b"ab!cd"[..], Arrival::Finished));
    }

    #[test]
    fn only_connections_from_an_address_that_is_gone_end_with_the_network() {
        let mut bed = Bed::connected();
        let mut inputs = Vec::new();
        bed.sockets.change_network(&bed.epoll, true, |_| false, &mut inputs);
        assert!(inputs.is_empty() && bed.send(&[b"still here"]).is_some());
        bed.sockets.change_network(&bed.epoll, true, |from| from.ip().is_loopback(), &mut inputs);
        assert!(matches!(inputs[..], [Input::Broken { flow: FLOW, failure: Failure::Reset, .. }]));
        assert_eq!(bed.send(&[b"nobody"]), None);
        bed.sockets.change_network(&bed.epoll, true, |_| true, &mut inputs);
        assert_eq!(inputs.len(), 1, "it is told once");
    }

    #[test]
    fn an_attempt_to_connect_is_made_once_more_as_soon_as_there_is_a_network() {
        let mut bed = Bed::new();
        let to = bed.listener.local_addr().unwrap();
        bed.sockets.connect(&bed.epoll, FLOW, to).unwrap();
        let (_first, from) = bed.listener.accept().unwrap();
        let mut inputs = Vec::new();
        bed.sockets.change_network(&bed.epoll, false, |_| true, &mut inputs);
        bed.listener.set_nonblocking(true).unwrap();
        assert!(bed.listener.accept().is_err(), "there is nothing to try it with");
        bed.sockets.change_network(&bed.epoll, true, |gone| gone == from, &mut inputs);
        let (_second, again) = bed.listener.accept().unwrap();
        assert_ne!(again, from);
        assert_eq!(bed.wait(), Some(Ok(())));
        assert!(inputs.is_empty());
    }

    #[test]
    fn an_address_that_this_machine_never_had_is_gone_and_its_own_is_not() {
        assert!(sys::is_gone("192.0.2.254:80".parse().unwrap()));
        assert!(!sys::is_gone("127.0.0.1:80".parse().unwrap()));
    }

    #[test]
    fn an_abort_is_a_reset_to_the_remote() {
        let mut bed = Bed::connected();
        bed.sockets.abort(FLOW);
        let error = bed.remote.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    /// The relay's sockets on one side, a server's on the other.
    struct Bed {
        epoll: Epoll,
        events: Events,
        sockets: Sockets,
        listener: TcpListener,
        remote: TcpStream,
    }

    impl Bed {
        fn new() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let remote = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (_other, _) = listener.accept().unwrap();
            let (epoll, events) = (Epoll::new().unwrap(), Events::with_capacity(8));
            Self { epoll, events, sockets: Sockets::new(1_500), listener, remote }
        }

        fn connected() -> Self {
            let mut bed = Self::new();
            let to = bed.listener.local_addr().unwrap();
            bed.sockets.connect(&bed.epoll, FLOW, to).unwrap();
            bed.remote = bed.listener.accept().unwrap().0;
            assert_eq!(bed.wait(), Some(Ok(())));
            bed
        }

        /// Closes the server's socket.
        fn replace_remote(&mut self) {
            self.remote = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
        }

        fn look(&mut self) -> Vec<(Event, Option<Result<(), Failure>>)> {
            std::thread::sleep(Duration::from_millis(1));
            self.epoll.wait_now(&mut self.events).unwrap();
            let events: Vec<Event> = (0..8).map_while(|place| self.events.at(place)).collect();
            events.into_iter().map(|event| (event, self.sockets.note(FLOW, event))).collect()
        }

        /// How the attempt to connect ended.
        fn wait(&mut self) -> Option<Result<(), Failure>> {
            self.patiently(|(_, ended)| ended)
        }

        fn until(&mut self, wanted: impl Fn(Event) -> bool) {
            self.patiently(|(event, _)| wanted(event).then_some(()));
        }

        fn patiently<T>(
            &mut self,
            wanted: impl Fn((Event, Option<Result<(), Failure>>)) -> Option<T>,
        ) -> Option<T> {
            for _millisecond in 0..5_000 {
                if let Some(found) = self.look().into_iter().find_map(&wanted) {
                    return Some(found);
                }
            }
            panic!("it never came");
        }

        fn send(&mut self, slices: &[&[u8]]) -> Option<Sent> {
            self.sockets.send(FLOW, slices.iter().copied())
        }

        fn receive(&mut self, room: usize) -> Vec<u8> {
            let Arrival::Bytes(len) = self.sockets.receive(FLOW, room) else { panic!("no bytes") };
            let bytes: Vec<u8> = self.sockets.pieces().flat_map(|(bytes, _)| bytes).collect();
            assert_eq!(bytes.len(), len);
            bytes
        }
    }
}

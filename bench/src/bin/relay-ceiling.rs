//! A relay with none of the duties of one: what the kernel alone allows.
//!
//! TCP over IPv4. The peer is trusted: no checks, no retransmission, nothing reordered is kept, nothing
//! counted, nobody told. What it does is what any fast relay must: many tun reads joined into one
//! `writev` to the server, one acknowledgement a batch, and header and payload written together.

use std::collections::{HashMap, HashSet};
use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::{read, writev};
use socket2::{Domain, SockRef, Socket, Type};
use telltale_bench::tun;

/// Tun reads in one turn, and the room for them. A read from a server is answered with one acknowledgement
/// for two packets: these must all find their place in a turn, or the tun would overflow.
const BATCH: usize = 512;
const ROOM: usize = 1 << 20;
/// What is taken from a server at once.
const READ: usize = 1 << 20;
/// The tun holds 500 packets: windows must not sum to more, nor to more than the caches like.
const PACKETS: usize = 200;
const MOST: usize = 512 << 10;
/// The scale of the windows that we give, RFC 7323.
const SCALE: u32 = 8;
const TUN: u64 = 0;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

type Key = (u16, Ipv4Addr, u16);

struct Flow {
    server: TcpStream,
    app: Ipv4Addr,
    key: Key,
    connected: bool,
    /// What the app sends next, and what it may be sent: from, and up to.
    received: u32,
    sent: u32,
    allowed: u32,
    acknowledged: u32,
    scale: u8,
    /// Where the payload of this turn is, and what the server did not take.
    joined: Vec<Range<usize>>,
    left_over: Vec<u8>,
    /// Who has ended: the app, the server.
    ended: [bool; 2],
    watched: EventFlags,
}

impl Flow {
    /// Whether both have ended, and the app knows of the server's end.
    fn is_over(&self) -> bool {
        self.ended == [true, true] && self.acknowledged == self.sent
    }
}

struct Relay {
    tun: OwnedFd,
    epoll: OwnedFd,
    mtu: usize,
    flows: HashMap<u64, Flow>,
    ids: HashMap<Key, u64>,
    next: u64,
    packets: Vec<u8>,
    answer: Vec<u8>,
}

fn main() -> io::Result<()> {
    let (tun, mtu) = (tun::inherited()?, usize::from(tun::mtu()?));
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &tun, EventData::new_u64(TUN), EventFlags::IN)?;
    let (flows, ids) = (HashMap::new(), HashMap::new());
    let (packets, answer) = (vec![0; ROOM], vec![0; READ]);
    let mut relay = Relay { tun, epoll, mtu, flows, ids, next: 1, packets, answer };
    let mut events = Vec::with_capacity(BATCH);
    loop {
        events.clear();
        epoll::wait(&relay.epoll, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in &events {
            match event.data.u64() {
                TUN => relay.drain_tun(),
                id => relay.drain_server(id, event.flags),
            }
        }
    }
}

impl Relay {
    fn drain_tun(&mut self) {
        let mut touched = HashSet::new();
        let mut packets = std::mem::take(&mut self.packets);
        let mut start = 0;
        for _ in 0..BATCH {
            let Some(room) = packets.get_mut(start..start + self.mtu) else { break };
            let Ok(length) = read(&self.tun, &mut *room) else { break };
            let Some(header) = room.get(..length).and_then(|packet| packet.first_chunk::<40>()).copied()
            else {
                continue;
            };
            if header[0] == 0x45 && header[9] == 6 {
                let payload = start + 20 + usize::from(header[32] >> 4) * 4..start + length;
                let options = packets.get(start + 40..payload.start).unwrap_or_default().to_vec();
                touched.extend(self.segment(header, &options, payload));
            }
            start += length.next_multiple_of(64);
        }
        for id in touched {
            self.pass_up(id, &packets);
        }
        self.packets = packets;
    }

    /// Takes a segment of the app. The flow, if it is to be acknowledged.
    fn segment(&mut self, header: [u8; 40], options: &[u8], payload: Range<usize>) -> Option<u64> {
        let long = |at: [u8; 4]| u32::from_be_bytes(at);
        let short = |one: u8, other: u8| u16::from_be_bytes([one, other]);
        let [app, server] = [12, 16].map(|at| {
            let bytes = header.get(at..at + 4).and_then(|bytes| bytes.first_chunk()).copied();
            Ipv4Addr::from(bytes.unwrap_or_default())
        });
        let key = (short(header[20], header[21]), server, short(header[22], header[23]));
        let sequence = long([header[24], header[25], header[26], header[27]]);
        let acknowledged = long([header[28], header[29], header[30], header[31]]);
        let (flags, window) = (header[33], u32::from(short(header[34], header[35])));
        if flags & SYN != 0 {
            let _ = self.open(app, key, sequence.wrapping_add(1), window_scale(options));
            return None;
        }
        let id = *self.ids.get(&key)?;
        let flow = self.flows.get_mut(&id)?;
        if flags & RST != 0 {
            self.close(id);
            return None;
        }
        let was_shut = flow.allowed == flow.sent;
        flow.allowed = acknowledged.wrapping_add(window << flow.scale);
        let length = u32::try_from(payload.len()).unwrap_or_default();
        let in_order = sequence == flow.received;
        if in_order && length > 0 {
            flow.received = flow.received.wrapping_add(length);
            flow.joined.push(payload);
        }
        if in_order && flags & FIN != 0 {
            flow.received = flow.received.wrapping_add(1);
            flow.ended[0] = true;
        }
        flow.acknowledged = acknowledged;
        let is_over = flow.is_over();
        if was_shut && flow.allowed != flow.sent {
            self.watch(id);
        }
        (length > 0 || flags & FIN != 0 || is_over).then_some(id)
    }

    fn open(&mut self, app: Ipv4Addr, key: Key, received: u32, scale: u8) -> io::Result<()> {
        if self.ids.contains_key(&key) {
            return Ok(());
        }
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        let _under_way = socket.connect(&SocketAddr::from((key.1, key.2)).into());
        let id = self.next;
        self.next += 1;
        epoll::add(&self.epoll, &socket, EventData::new_u64(id), EventFlags::OUT)?;
        let flow = Flow {
            server: socket.into(),
            app,
            key,
            connected: false,
            received,
            sent: received.wrapping_mul(0x9e37_79b9),
            allowed: 0,
            acknowledged: 0,
            scale,
            joined: Vec::new(),
            left_over: Vec::new(),
            ended: [false; 2],
            watched: EventFlags::OUT,
        };
        self.flows.insert(id, flow);
        self.ids.insert(key, id);
        Ok(())
    }

    /// Sends what this turn has brought to the server, and acknowledges it.
    fn pass_up(&mut self, id: u64, packets: &[u8]) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        let pieces: Vec<_> = flow.joined.drain(..).filter_map(|range| packets.get(range)).collect();
        let taken = if flow.left_over.is_empty() && !pieces.is_empty() {
            let slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
            writev(&flow.server, &slices).unwrap_or(0)
        } else {
            0
        };
        let mut skipped = taken;
        for piece in pieces {
            let skip = skipped.min(piece.len());
            skipped -= skip;
            flow.left_over.extend_from_slice(piece.get(skip..).unwrap_or_default());
        }
        if flow.ended[0] && flow.left_over.is_empty() {
            let _ = flow.server.shutdown(Shutdown::Write);
        }
        let is_over = flow.is_over() && flow.left_over.is_empty();
        self.watch(id);
        self.write(id, ACK, &[]);
        if is_over {
            self.close(id);
        }
    }

    fn drain_server(&mut self, id: u64, ready: EventFlags) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        if !flow.connected {
            if flow.server.take_error().is_ok_and(|error| error.is_none()) {
                flow.connected = true;
                self.write(id, SYN | ACK, &[]);
                self.advance(id, 1);
                // The handshake's own window is not scaled; the app's first acknowledgement tells the real one.
                if let Some(flow) = self.flows.get_mut(&id) {
                    flow.allowed = flow.sent;
                }
                self.watch(id);
            } else {
                self.write(id, RST | ACK, &[]);
                self.close(id);
            }
            return;
        }
        if ready.contains(EventFlags::OUT) && !flow.left_over.is_empty() {
            let taken = rustix::io::write(&flow.server, &flow.left_over).unwrap_or(0);
            flow.left_over.drain(..taken);
            if flow.left_over.is_empty() && flow.ended[0] {
                let _ = flow.server.shutdown(Shutdown::Write);
            }
            self.watch(id);
            self.write(id, ACK, &[]);
        }
        if ready.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            self.pass_down(id);
        }
    }

    fn pass_down(&mut self, id: u64) {
        let mut answer = std::mem::take(&mut self.answer);
        if let Some(flow) = self.flows.get_mut(&id) {
            let room = usize::try_from(flow.allowed.wrapping_sub(flow.sent)).unwrap_or_default().min(READ);
            match answer.get_mut(..room).map(|room| read(&flow.server, room)) {
                Some(Ok(0)) if room > 0 && !flow.ended[1] => {
                    flow.ended[1] = true;
                    self.write(id, FIN | ACK, &[]);
                    self.advance(id, 1);
                }
                Some(Ok(length)) => {
                    for piece in answer.get(..length).unwrap_or_default().chunks(self.mtu - 40) {
                        self.write(id, ACK | PSH, piece);
                        self.advance(id, u32::try_from(piece.len()).unwrap_or_default());
                    }
                }
                Some(Err(rustix::io::Errno::AGAIN)) | None => {}
                Some(Err(_)) => {
                    self.write(id, RST | ACK, &[]);
                    self.close(id);
                }
            }
        }
        self.answer = answer;
        self.watch(id);
    }

    fn advance(&mut self, id: u64, by: u32) {
        if let Some(flow) = self.flows.get_mut(&id) {
            flow.sent = flow.sent.wrapping_add(by);
        }
    }

    /// Waits for no more of the server than the app can take, and for room only when there is something.
    fn watch(&mut self, id: u64) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        let mut wanted = EventFlags::empty();
        wanted.set(EventFlags::IN, flow.allowed != flow.sent && !flow.ended[1]);
        wanted.set(EventFlags::OUT, !flow.left_over.is_empty());
        if wanted != flow.watched {
            flow.watched = wanted;
            let _ = epoll::modify(&self.epoll, &flow.server, EventData::new_u64(id), wanted);
        }
    }

    fn close(&mut self, id: u64) {
        if let Some(flow) = self.flows.remove(&id) {
            self.ids.remove(&flow.key);
            if flow.ended != [true, true] {
                // close(2) then sends RST.
                let _ = SockRef::from(&flow.server).set_linger(Some(Duration::ZERO));
            }
        }
    }

    /// A segment to the app.
    fn write(&self, id: u64, flags: u8, payload: &[u8]) {
        let Some(flow) = self.flows.get(&id) else { return };
        let options: &[u8] = if flags & SYN != 0 { &self.options() } else { &[] };
        let most = (PACKETS * self.mtu).min(MOST) / self.flows.len().max(1);
        let scale = if flags & SYN != 0 { 0 } else { SCALE };
        let window = (most.saturating_sub(flow.left_over.len()) >> scale).min(65_535);
        let header = header(flow, flags, u16::try_from(window).unwrap_or(u16::MAX), options, payload);
        let _ = writev(&self.tun, &[IoSlice::new(&header), IoSlice::new(options), IoSlice::new(payload)]);
    }

    /// Maximum segment size, no operation, window scale.
    fn options(&self) -> [u8; 8] {
        let [high, low] = u16::try_from(self.mtu - 40).unwrap_or(u16::MAX).to_be_bytes();
        [2, 4, high, low, 1, 3, 3, u8::try_from(SCALE).unwrap_or_default()]
    }
}

fn header(flow: &Flow, flags: u8, window: u16, options: &[u8], payload: &[u8]) -> [u8; 40] {
    let mut header = [0; 40];
    let tcp = 20 + options.len() + payload.len();
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = header.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, &[0x45, 0]);
    put(2, &u16::try_from(20 + tcp).unwrap_or_default().to_be_bytes());
    put(6, &[0x40, 0, 64, 6]);
    put(12, &flow.key.1.octets());
    put(16, &flow.app.octets());
    put(20, &flow.key.2.to_be_bytes());
    put(22, &flow.key.0.to_be_bytes());
    put(24, &flow.sent.to_be_bytes());
    put(28, &flow.received.to_be_bytes());
    let words = u8::try_from(20 + options.len()).unwrap_or_default() << 2;
    put(32, &[words, flags]);
    put(34, &window.to_be_bytes());
    let (network, transport) = header.split_at(20);
    let length = u16::try_from(tcp).unwrap_or_default();
    let pseudo = sum(network.get(12..).unwrap_or_default()) + sum(&[0, 6]) + sum(&length.to_be_bytes());
    let [network, transport] =
        [sum(network), pseudo + sum(transport) + sum(options) + sum(payload)].map(folded);
    [header[10], header[11]] = network;
    [header[36], header[37]] = transport;
    header
}

/// The sum of RFC 1071, not yet folded. Its order of bytes is the machine's own: only the result has one.
fn sum(bytes: &[u8]) -> u64 {
    let (chunks, rest) = bytes.as_chunks::<4>();
    let mut last = [0; 4];
    for (place, byte) in last.iter_mut().zip(rest) {
        *place = *byte;
    }
    let native = |chunk: &[u8; 4]| u64::from(u32::from_ne_bytes(*chunk));
    chunks.iter().map(native).sum::<u64>() + native(&last)
}

fn folded(mut sum: u64) -> [u8; 2] {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!u16::try_from(sum).unwrap_or_default()).to_ne_bytes()
}

/// The option of RFC 7323 in a SYN.
fn window_scale(options: &[u8]) -> u8 {
    let mut rest = options;
    loop {
        rest = match rest {
            [3, 3, scale, ..] => return *scale,
            [1, after @ ..] => after,
            [0, ..] | [] | [_] => return 0,
            [_, length, ..] => rest.get(usize::from(*length).max(2)..).unwrap_or_default(),
        };
    }
}

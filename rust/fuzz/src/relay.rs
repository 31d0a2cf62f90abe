//! What the fuzz targets of the relay do with a string of bytes. A test of the engine replays the
//! committed corpora through the same functions.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use telltale_engine::{Config, Engine, Failure, FlowId, Input, Instant, Offload, Output, limits};

const APP: [u8; 4] = [10, 0, 0, 2];
const REMOTE: [u8; 4] = [192, 0, 2, 1];
const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;
/// The app's SYN, so near the top that sequence numbers cross zero.
const ISN: u32 = u32::MAX - 2_000;

/// Arbitrary packets, each with two bytes of length before it, into an engine with live flows.
pub fn ip_input(mut data: &[u8]) {
    let mut relay = Relay::new();
    for port in [80, 443] {
        relay.shake_hands(port);
    }
    while let [high, low, rest @ ..] = data {
        let len = usize::from(u16::from_be_bytes([*high & 0x0f, *low])).min(rest.len());
        let (packet, after) = rest.split_at(len);
        if high & 0x80 != 0 {
            relay.pass(Duration::from_millis(u64::from(high & 0x70) * 50));
        }
        relay.packet(packet);
        data = after;
    }
    relay.finish();
}

/// Well-formed segments of one flow with odd fields, and what happens at its socket. Eight bytes make a
/// step.
pub fn tcp_segments(data: &[u8]) {
    let mut relay = Relay::new();
    relay.first_byte = Some(0);
    let (first, steps) = data.split_at(data.len().min(1));
    let options = options_of(first.first().copied().unwrap_or(0));
    relay.segment(80, ISN, 0, SYN, 1_000, options, &[]);
    for step in steps.chunks_exact(8) {
        relay.step(step);
        relay.check();
    }
    relay.finish();
}

/// The engine with sockets that do as they are told.
struct Relay {
    engine: Engine,
    now: Instant,
    sockets: BTreeMap<FlowId, Socket>,
    /// The engine's SYN and the furthest right edge that it has told, by the app's port.
    seen: BTreeMap<u16, Seen>,
    /// The number of the first byte of the first flow, where every byte tells its place.
    first_byte: Option<u32>,
}

#[derive(Default)]
struct Socket {
    delivered: usize,
    connected: bool,
    over: bool,
    ended: bool,
    blocked: bool,
    shut: bool,
}

#[derive(Clone, Copy)]
struct Seen {
    next: u32,
    acknowledged: u32,
    edge: u32,
    scale: u8,
}

impl Relay {
    fn new() -> Self {
        let now = Instant::from_micros(1_000_000);
        let config = Config {
            mtu: 1_500,
            addresses: vec![Ipv4Addr::from(APP).into()],
            resolvers: vec![Ipv4Addr::new(10, 0, 0, 53).into()],
            max_sockets: 64,
            watched: true,
            offload: Offload::default(),
        };
        let engine = Engine::new(config, [1; 32], now);
        Self { engine, now, sockets: BTreeMap::new(), seen: BTreeMap::new(), first_byte: None }
    }

    fn shake_hands(&mut self, port: u16) {
        self.segment(port, ISN, 0, SYN, 64_000, options_of(3), &[]);
        self.connect_all();
        if let Some(seen) = self.seen.get(&port) {
            self.segment(port, ISN.wrapping_add(1), seen.next, ACK, 500, &[], b"GET /");
        }
    }

    /// One step: a segment for the first half of the values, else an event.
    fn step(&mut self, step: &[u8]) {
        let &[kind, a, b, c, d, e, f, g] = step else { return };
        let number = i16::from_be_bytes([a, b]);
        let newest = self.sockets.keys().next_back().copied();
        match (kind % 16, newest) {
            (0..=8, _) => self.odd_segment(kind, number, [c, d, e, f, g]),
            (9, _) => self.pass(Duration::from_millis(u64::from(number.unsigned_abs()) << (c % 12))),
            (10, Some(flow)) => self.receive(flow, usize::from(c) << (d % 9), usize::from(e) << 8),
            (11, Some(flow)) => self.unblock(flow),
            (12, Some(flow)) => self.end(flow, c),
            (13, Some(flow)) => self.answer(flow, c),
            (14, Some(flow)) => self.block(flow),
            _ => self.connect_all(),
        }
    }

    /// Numbers are near what the engine expects: most of the space is plainly outside the window.
    fn odd_segment(&mut self, kind: u8, number: i16, rest: [u8; 5]) {
        let [flags, acknowledged, window, options, len] = rest;
        let seen =
            self.seen.get(&80).copied().unwrap_or(Seen { next: 0, acknowledged: ISN, edge: 0, scale: 0 });
        // Bytes follow from their place in the stream, so that what is delivered can be checked.
        let sequence = seen.acknowledged.wrapping_add_signed(i32::from(number) >> (kind / 32));
        let flags = if kind & 16 == 0 { ACK | (flags & 8) } else { flags };
        let back = u32::from(acknowledged) * if acknowledged < 8 { 0 } else { 97 };
        let len = usize::from(len) * usize::from(1 + options % 6);
        let payload: Vec<u8> = (0..len).map(|at| byte_at(sequence.wrapping_add(low(at)))).collect();
        let sack = sack_option(seen.next, options, acknowledged);
        let options = if options & 0x80 == 0 { &sack[..] } else { options_of(options) };
        self.segment(
            80,
            sequence,
            seen.next.wrapping_sub(back),
            flags,
            u16::from(window) << 4,
            options,
            &payload,
        );
    }

    #[expect(clippy::too_many_arguments, reason = "these are the fields of a segment")]
    fn segment(
        &mut self,
        port: u16,
        seq: u32,
        ack: u32,
        flags: u8,
        window: u16,
        options: &[u8],
        payload: &[u8],
    ) {
        let packet = tcp(port, seq, ack, flags, window, options, payload);
        self.packet(&packet);
    }

    fn packet(&mut self, packet: &[u8]) {
        let packet = Bytes::copy_from_slice(packet);
        self.input(Input::Packet { packet, pinned: 64 << 10 });
    }

    fn input(&mut self, input: Input) {
        self.engine.handle_input(self.now, input);
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.input(Input::Timeout);
    }

    fn connect_all(&mut self) {
        let flows: Vec<FlowId> = self.sockets.keys().copied().collect();
        flows.into_iter().for_each(|flow| self.answer(flow, 0));
    }

    fn answer(&mut self, flow: FlowId, how: u8) {
        let Some(socket) = self.sockets.get_mut(&flow).filter(|socket| !socket.connected && !socket.over)
        else {
            return;
        };
        let failure = match how % 8 {
            1 => Failure::Refused,
            2 => Failure::HostUnreachable,
            3 => Failure::TimedOut,
            4 => Failure::NoSockets,
            _ => {
                socket.connected = true;
                return self.input(Input::Connected(flow));
            }
        };
        socket.over = true;
        self.input(Input::ConnectFailed(flow, failure));
    }

    fn receive(&mut self, flow: FlowId, len: usize, pinned: usize) {
        let open =
            self.sockets.get(&flow).is_some_and(|socket| socket.connected && !socket.over && !socket.ended);
        let len = len.min(self.engine.room(flow));
        if open && len > 0 {
            let payload = Bytes::from(vec![b'r'; len]);
            self.input(Input::Received { flow, payload, pinned: len.max(pinned.min(4 * len)) });
        }
    }

    fn end(&mut self, flow: FlowId, how: u8) {
        let Some(socket) = self.sockets.get_mut(&flow).filter(|socket| socket.connected && !socket.over)
        else {
            return;
        };
        if how.is_multiple_of(2) {
            socket.over = true;
            self.input(Input::Broken { flow, failure: Failure::Reset, unsent: usize::from(how) });
        } else if !std::mem::replace(&mut socket.ended, true) {
            self.input(Input::Finished(flow));
        }
    }

    fn block(&mut self, flow: FlowId) {
        if let Some(socket) = self.sockets.get_mut(&flow) {
            socket.blocked = true;
        }
    }

    fn unblock(&mut self, flow: FlowId) {
        let Some(socket) = self.sockets.get_mut(&flow).filter(|socket| socket.connected && !socket.over)
        else {
            return;
        };
        socket.blocked = false;
        self.send(flow);
        self.drain();
    }

    fn drain(&mut self) {
        for _ in 0..100_000 {
            let output = self.engine.poll_output();
            if matches!(output, Output::Timeout(_)) {
                return;
            }
            self.obey(output);
        }
        panic!("the engine never comes to rest");
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Packet(packet) => self.read(&packet.to_vec()),
            Output::Connect { flow, .. } => {
                assert!(self.sockets.insert(flow, Socket::default()).is_none(), "an id was used twice");
            }
            Output::Send(flow) => {
                assert!(self.live(flow).connected, "Send before Connected");
                assert!(self.engine.pending(flow).next().is_some(), "Send without bytes");
                self.send(flow);
            }
            Output::Finish(flow) => {
                assert!(!std::mem::replace(&mut self.live(flow).shut, true), "Finish twice");
                assert!(self.engine.pending(flow).next().is_none(), "Finish too soon");
            }
            Output::Receive(flow) => assert!(self.engine.room(flow) > 0, "Receive without room"),
            Output::KeepAlive(flow) => assert!(!self.live(flow).over),
            Output::Close(flow) | Output::Abort(flow) => self.live(flow).over = true,
            Output::Query { query, .. } => {
                self.engine.handle_input(self.now, Input::Answer { query, message: None });
            }
            Output::Unmap(_)
            | Output::Datagram { .. }
            | Output::EchoRequest { .. }
            | Output::Unecho(_)
            | Output::Forget(_)
            | Output::Opened { .. }
            | Output::Seen { .. }
            | Output::Closed { .. }
            | Output::Timeout(_) => {}
        }
    }

    fn live(&mut self, flow: FlowId) -> &mut Socket {
        let socket = self.sockets.get_mut(&flow).expect("a socket that was asked for");
        assert!(!socket.over, "a socket was used after its end");
        socket
    }

    /// Takes what is pending. In the first flow every byte tells its place.
    fn send(&mut self, flow: FlowId) {
        let Some(socket) = self.sockets.get_mut(&flow) else { return };
        if socket.blocked {
            return self.engine.handle_input(self.now, Input::Blocked(flow));
        }
        let first = self.first_byte.filter(|_| flow == FlowId { index: 0, generation: 0 });
        let mut len = 0;
        for byte in self.engine.pending(flow).flatten() {
            let place = first.map(|first| first.wrapping_add(low(socket.delivered + len)));
            assert!(place.is_none_or(|place| *byte == byte_at(place)), "a byte is not in its place");
            len += 1;
        }
        socket.delivered += len;
        self.engine.handle_input(self.now, Input::Sent(flow, len));
    }

    /// Notes what the app is told, and that its window never shrinks by more than its scale rounds.
    fn read(&mut self, packet: &[u8]) {
        assert!(packet.len() <= 1_500, "{} bytes do not fit the tunnel", packet.len());
        let is_tcp = packet.len() >= 40 && packet[0] == 0x45 && packet[9] == 6;
        if !is_tcp {
            return;
        }
        let word =
            |at: usize| u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]]);
        let (remote, seq, ack) = (u16::from_be_bytes([packet[20], packet[21]]), word(24), word(28));
        let (flags, header) = (packet[33], usize::from(packet[32] >> 4) * 4);
        let window = u32::from(u16::from_be_bytes([packet[34], packet[35]]));
        let end = seq
            .wrapping_add(low(packet.len() - 20 - header))
            .wrapping_add(u32::from(flags & (SYN | FIN) != 0));
        if flags & RST != 0 {
            self.seen.remove(&remote);
        } else if flags & SYN != 0 {
            self.first_byte = self.first_byte.map(|first| if first == 0 { ack } else { first });
            let scale = if packet.get(40..header + 20).is_some_and(|o| o.windows(2).any(|o| o == [3, 3])) {
                limits::WINDOW_SCALE
            } else {
                0
            };
            self.seen
                .insert(remote, Seen { next: end, acknowledged: ack, edge: ack.wrapping_add(window), scale });
        } else if let Some(seen) = self.seen.get_mut(&remote) {
            let edge = ack.wrapping_add(window << seen.scale);
            let lost = seen.edge.wrapping_sub(edge);
            // After the app's FIN nothing is promised any more.
            let shrunk = lost < 1 << 31 && lost >= 1 << seen.scale;
            assert!(!shrunk || window == 0, "the right edge moved left by {lost}");
            let ahead = end.wrapping_sub(seen.next) < 1 << 31;
            seen.next = if ahead { end } else { seen.next };
            seen.acknowledged = ack;
            seen.edge = if lost < 1 << 31 { seen.edge } else { edge };
        }
    }

    fn check(&self) {
        assert!(self.engine.memory() <= 4 * limits::FLOW_MEMORY, "{} bytes held", self.engine.memory());
    }

    fn finish(&mut self) {
        self.engine.stop();
        self.drain();
        assert_eq!((self.engine.live_flows(), self.engine.memory()), (0, 0), "something is left");
        assert!(self.sockets.values().all(|socket| socket.over), "sockets are left");
    }
}

fn byte_at(place: u32) -> u8 {
    place.wrapping_mul(0x9E37_79B1).to_be_bytes()[0]
}

fn options_of(choice: u8) -> &'static [u8] {
    match choice % 5 {
        0 => &[],
        1 => &[2, 4, 5, 0xb4],
        2 => &[2, 4, 0, 1, 1, 3, 3, 14],
        3 => &[2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7],
        _ => &[254, 4, 0, 0, 1, 1, 0, 9],
    }
}

fn sack_option(next: u32, a: u8, b: u8) -> Vec<u8> {
    if b < 128 {
        return Vec::new();
    }
    let left = next.wrapping_sub(u32::from(a) * 64);
    let right = left.wrapping_add(u32::from(b) * 8);
    [&[1, 1, 5, 10][..], &left.to_be_bytes(), &right.to_be_bytes()].concat()
}

fn tcp(port: u16, seq: u32, ack: u32, flags: u8, window: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let header = 20 + options.len().next_multiple_of(4);
    let total = 20 + header + payload.len();
    let mut packet = vec![0; total];
    let length = u16::try_from(total).unwrap_or(u16::MAX).to_be_bytes();
    packet[..4].copy_from_slice(&[0x45, 0, length[0], length[1]]);
    packet[8..10].copy_from_slice(&[64, 6]);
    packet[12..16].copy_from_slice(&APP);
    packet[16..20].copy_from_slice(&REMOTE);
    let sum = checksum(&packet[..20], 0);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet[20..22].copy_from_slice(&40_000_u16.to_be_bytes());
    packet[22..24].copy_from_slice(&port.to_be_bytes());
    packet[24..28].copy_from_slice(&seq.to_be_bytes());
    packet[28..32].copy_from_slice(&ack.to_be_bytes());
    packet[32..34].copy_from_slice(&[low(header / 4).to_be_bytes()[3] << 4, flags]);
    packet[34..36].copy_from_slice(&window.to_be_bytes());
    packet[40..40 + options.len()].copy_from_slice(options);
    packet[20 + header..].copy_from_slice(payload);
    let pseudo = checksum(&packet[12..20], 6 + low(total) - 20);
    let sum = checksum(&packet[20..], u32::from(!pseudo));
    packet[36..38].copy_from_slice(&sum.to_be_bytes());
    packet
}

fn checksum(bytes: &[u8], start: u32) -> u16 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    let mut sum: u32 = start + bytes.chunks(2).map(word).sum::<u32>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

/// Lengths here are far below 2^32.
fn low(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

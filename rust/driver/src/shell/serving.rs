//! Sockets that may be read, each served a bounded amount in its turn.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::time::Duration;

use telltale_engine::{FlowId, Input, Instant};

use super::{PACKETS_WRITTEN, SERVED, Shell};
use crate::poll::{Event, Token};
use crate::tcp::Arrival;

/// TCP sockets that may be read, in the order in which they became so.
pub(super) struct Streams {
    /// Those that had little to say when they were read last: they are served first, for an answer waits for no
    /// more than other answers.
    short: VecDeque<FlowId>,
    long: VecDeque<FlowId>,
    /// When one of the short ones had a little to say again.
    others: Option<Instant>,
    /// Bytes read from all of them in one turn.
    bytes: usize,
}

/// Bytes read from all TCP sockets in one turn: a millisecond of writing. Those that wait share them.
const STREAMS_READ: usize = 1 << 20;

/// But so much of each at least: less costs more than it brings.
const STREAM_READ: usize = 64 << 10;

/// While others have little to say now and then, as answers to what they ask are, the turns that they wait for are
/// shorter: long ones read this fraction (1/n).
const BESIDE: usize = 4;

/// For so long after it.
const NOW_AND_THEN: Duration = Duration::from_millis(20);

/// So much is little, and all that a socket is read for at once as long as it had little.
const SHORT: usize = 8 << 10;

impl Streams {
    /// None yet. What one turn reads is to fill [`PACKETS_WRITTEN`] of a tun that takes segments
    /// of so many bytes.
    pub(super) fn new(longest: usize) -> Self {
        Self { short: VecDeque::new(), long: VecDeque::new(), others: None, bytes: bytes(longest) }
    }

    /// From now on it takes such.
    pub(super) fn fill(&mut self, longest: usize) {
        self.bytes = bytes(longest);
    }

    fn push(&mut self, flow: FlowId, long: bool) {
        let list = if long { &mut self.long } else { &mut self.short };
        list.push_back(flow);
    }

    /// Another than a long one had something to say.
    fn note_other(&mut self, now: Instant) {
        self.others = Some(now);
    }

    /// What long ones may read together in this turn.
    fn room(&self, now: Instant) -> usize {
        let beside = self.others.is_some_and(|at| now - at < NOW_AND_THEN);
        if beside { self.bytes / BESIDE } else { self.bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.short.is_empty() && self.long.is_empty()
    }
}

/// Never more than is good.
fn bytes(longest: usize) -> usize {
    (PACKETS_WRITTEN * longest).min(STREAMS_READ)
}

/// Datagrams read from all sockets in one turn, roughly. To a tun that joins none each is a packet: half a
/// millisecond.
const DATAGRAMS_READ: usize = 128;

/// Datagram sockets that were not read to the end, in the order in which they get their turn.
#[derive(Default)]
pub(super) struct Datagrams {
    waiting: VecDeque<Token>,
    /// What is known of each of them.
    events: HashMap<Token, Event>,
    /// Datagrams that may still be read in this turn.
    left: usize,
}

impl Datagrams {
    /// A turn begins.
    pub(super) fn begin_turn(&mut self) {
        self.left = DATAGRAMS_READ;
    }

    /// Whether one more may be read now, before none that waits.
    fn has_turn(&self) -> bool {
        self.left > 0 && self.waiting.is_empty()
    }

    fn push(&mut self, event: Event) {
        match self.events.entry(event.token) {
            Entry::Occupied(mut earlier) => _ = earlier.insert(earlier.get().and(event)),
            Entry::Vacant(place) => {
                place.insert(event);
                self.waiting.push_back(event.token);
            }
        }
    }

    /// The next to be read in this turn.
    fn pop(&mut self) -> Option<Event> {
        if self.left == 0 {
            return None;
        }
        self.events.remove(&self.waiting.pop_front()?)
    }

    fn read(&mut self, datagrams: usize) {
        self.left = self.left.saturating_sub(datagrams);
    }

    fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Shell {
    /// Reads from TCP sockets: first from those that have little to say, then from the others, who share what a
    /// turn may bring.
    pub(super) fn serve_streams(&mut self) -> io::Result<()> {
        for _ in 0..self.streams.short.len().min(SERVED) {
            if self.tun.is_stuffed() {
                return Ok(());
            }
            let Some(flow) = self.streams.short.pop_front() else { break };
            if (1..SHORT).contains(&self.serve_stream(flow, SHORT)?) {
                self.streams.note_other(self.now);
            }
        }
        let mut left = self.streams.room(self.now);
        let share = (left / self.streams.long.len().max(1)).max(STREAM_READ);
        for _ in 0..self.streams.long.len().min(SERVED) {
            if left == 0 || self.tun.is_stuffed() {
                break;
            }
            let Some(flow) = self.streams.long.pop_front() else { break };
            left -= self.serve_stream(flow, left.min(share))?;
        }
        Ok(())
    }

    /// Reads at most `limit` bytes from a socket that was taken out of its list. How many there were.
    fn serve_stream(&mut self, flow: FlowId, limit: usize) -> io::Result<usize> {
        self.sockets.unqueue(flow);
        let read = self.receive(flow, limit)?;
        self.sockets.note_read(flow, read >= SHORT);
        self.queue_if_roomy(flow);
        Ok(read)
    }

    /// Reads at most `limit` bytes from a socket. How many there were.
    fn receive(&mut self, flow: FlowId, limit: usize) -> io::Result<usize> {
        let mut read = 0;
        while read < limit {
            let room = self.engine.room(flow);
            match self.sockets.receive(flow, room.min(limit - read)) {
                Arrival::Bytes(len) => {
                    read += len;
                    self.stall.answered();
                    for (payload, pinned) in self.sockets.pieces() {
                        self.engine.handle_input(self.now, Input::Received { flow, payload, pinned });
                    }
                }
                Arrival::Finished => self.engine.handle_input(self.now, Input::Finished(flow)),
                Arrival::Broken(failure, unsent) => {
                    self.engine.handle_input(self.now, Input::Broken { flow, failure, unsent });
                }
                Arrival::Nothing => break,
            }
            self.settle()?;
        }
        Ok(read)
    }

    /// Puts a socket that may be read into the list of those to serve, once.
    pub(super) fn queue(&mut self, flow: FlowId) {
        if self.sockets.queue(flow) {
            self.streams.push(flow, self.sockets.says_much(flow));
        }
    }

    /// The same, but only if the engine takes more: else [`Output::Receive`] puts it back.
    ///
    /// [`Output::Receive`]: telltale_engine::Output::Receive
    fn queue_if_roomy(&mut self, flow: FlowId) {
        if self.engine.room(flow) > 0 {
            self.queue(flow);
        }
    }

    /// Reads from a datagram socket that may be read now, or in its turn where others wait.
    pub(super) fn serve_datagrams_of(&mut self, event: Event) -> io::Result<()> {
        let is_read_whole = matches!(event.token, Token::Query { .. } | Token::Owners);
        if is_read_whole || self.datagrams.has_turn() {
            return self.receive_datagrams(event);
        }
        self.datagrams.push(event);
        Ok(())
    }

    /// Goes on with datagram sockets that wait, as far as the turn goes.
    pub(super) fn serve_datagrams(&mut self) -> io::Result<()> {
        for _ in 0..self.datagrams.len() {
            if self.tun.is_stuffed() {
                break;
            }
            let Some(event) = self.datagrams.pop() else { break };
            if !self.introductions.holds_event(event) {
                self.receive_datagrams(event)?;
            }
        }
        Ok(())
    }

    /// Reads a bounded amount from a datagram socket, and remembers it if there may be more.
    fn receive_datagrams(&mut self, event: Event) -> io::Result<()> {
        let (token, failed, inputs) = (event.token, event.error, &mut self.inputs);
        let before = inputs.len();
        let more = match token {
            Token::Udp(mapping) => self.mappings.ready(mapping, failed, self.datagrams.left, inputs),
            Token::Echo(echo) => self.echoes.ready(echo, failed, inputs),
            Token::RawEcho(family) => self.echoes.ready_raw(family, failed, inputs),
            Token::Query { slot, generation } => {
                self.resolver.ready(self.epoll.get_ref(), self.now, slot, generation, inputs);
                false
            }
            Token::Tcp(_) | Token::Owners => false,
        };
        let read = inputs.get(before..).unwrap_or_default();
        if (1..SHORT).contains(&read.iter().map(carried).sum()) {
            self.streams.note_other(self.now);
        }
        self.datagrams.read(read.len());
        if more {
            self.datagrams.push(Event::again(token));
        }
        self.settle()
    }
}

/// Bytes of a datagram.
fn carried(input: &Input) -> usize {
    if let Input::Datagram { payload, .. } = input { payload.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
    use std::os::unix::net::UnixDatagram;

    use telltale_engine::{Config, Offload};

    use super::*;
    use crate::dns::NameServers;
    use crate::relay::Setup;
    use crate::resolv::ResolvConf;

    const APP: Ipv4Addr = Ipv4Addr::new(198, 19, 84, 1);
    const SOCKETS: u16 = 8;
    const EACH: usize = 64;

    #[test]
    fn one_turn_reads_few_datagrams_whatever_waits_and_all_come_through() {
        let Some(address) = outside_address() else {
            println!("skipped: this machine has no address but its loopback's");
            return;
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut shell, app) = shell();
            let server = UdpSocket::bind("0.0.0.0:0").unwrap();
            for port in 0..SOCKETS {
                app.send(&datagram(40_000 + port, address, server.local_addr().unwrap().port())).unwrap();
            }
            turn_for_a_while(&mut shell).await;
            for _ in 0..SOCKETS {
                let (_, from) = server.recv_from(&mut [0; 16]).unwrap();
                (0..EACH).for_each(|_| assert_eq!(server.send_to(&[7; 100], from).unwrap(), 100));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            let before = shell.engine.counters().packets_out;
            shell.turn().unwrap();
            let read = shell.engine.counters().packets_out - before;
            assert!((1..=200).contains(&read), "{read} datagrams in one turn");
            let mut heard = BTreeMap::<[u8; 2], usize>::new();
            for _ in 0..100 {
                turn_for_a_while(&mut shell).await;
                let mut packet = [0; 200];
                while let Ok(len) = app.recv(&mut packet) {
                    assert_eq!(len, 128);
                    *heard.entry([packet[22], packet[23]]).or_default() += 1;
                }
            }
            assert_eq!(heard.values().copied().collect::<Vec<_>>(), [EACH; SOCKETS as usize]);
        });
    }

    async fn turn_for_a_while(shell: &mut Shell) {
        for _ in 0..10 {
            // The runtime learns of what has come only while this task waits.
            tokio::time::sleep(Duration::from_millis(1)).await;
            shell.turn().unwrap();
        }
    }

    fn shell() -> (Shell, UnixDatagram) {
        let (near, far) = UnixDatagram::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let setup = Setup {
            tun: near.into(),
            mtu: 1_500,
            addresses: vec![APP.into()],
            resolvers: Vec::new(),
            name_servers: NameServers::Listed { conf: ResolvConf::parse(""), file: None },
            owners: None,
            loopback: Vec::new(),
            watch: None,
            at_end: None,
        };
        let config = Config {
            mtu: setup.mtu,
            addresses: setup.addresses.clone(),
            resolvers: Vec::new(),
            max_sockets: 100,
            watched: false,
            offload: Offload::default(),
        };
        (Shell::new(setup, config).unwrap(), far)
    }

    /// An address of this machine that the relay dials: it never dials the loopback.
    fn outside_address() -> Option<Ipv4Addr> {
        let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
        socket.connect("192.0.2.1:9").ok()?;
        match socket.local_addr().ok()? {
            SocketAddr::V4(v4) if !v4.ip().is_loopback() => Some(*v4.ip()),
            SocketAddr::V4(_) | SocketAddr::V6(_) => None,
        }
    }

    /// An empty UDP datagram from an app. Its checksum may be 0 (RFC 768): none.
    fn datagram(from: u16, address: Ipv4Addr, port: u16) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0];
        packet.extend(APP.octets());
        packet.extend(address.octets());
        let sum: u32 = packet.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        packet[10..12].copy_from_slice(&(!u16::try_from(folded).unwrap()).to_be_bytes());
        packet.extend([from, port, 8, 0].into_iter().flat_map(u16::to_be_bytes));
        packet
    }

    #[test]
    fn long_ones_read_what_fills_the_tun_in_a_turn_and_less_while_others_have_a_little_to_say() {
        let at = |milliseconds: u64| Instant::from_micros(milliseconds * 1_000);
        let mut streams = Streams::new(65_535);
        assert_eq!(streams.room(at(0)), STREAMS_READ);
        streams.fill(1_500);
        assert_eq!(streams.room(at(0)), 96_000);
        streams.note_other(at(5));
        assert_eq!([5, 24, 25].map(|now| streams.room(at(now))), [24_000, 24_000, 96_000]);
    }
}

//! Turns the engine's crank as its contract says, with servers instead of sockets, and fails at any
//! breach of that contract.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use telltale_engine::{
    Config, DatagramFailure, EchoId, Engine, Failure, FlowId, Input, Instant, MappingId, Offload, Output,
    Packet, QueryId,
};
use telltale_model::{Direction, Ending, FlowKey, FlowNumber, Protocol, Traffic};

use crate::packets::Segment;
use crate::packets::complete;
use crate::random::{Random, pattern};
use crate::server::{Answer, Finish, Server, Socket, Stage};
use crate::watch::Watch;

/// The buffer that the shell reads into, as a real one shares its slabs.
const SLAB: usize = 64 << 10;

pub(crate) const APP_V4: &str = "10.0.0.2";
pub(crate) const APP_V6: &str = "2001:db8::2";
pub(crate) const RESOLVER_V4: &str = "10.0.0.53";

pub(crate) struct Shell {
    pub(crate) engine: Engine,
    pub(crate) now: Instant,
    pub(crate) mtu: usize,
    /// Packets to the app that nobody has taken yet.
    pub(crate) to_app: Vec<Vec<u8>>,
    /// Into segments of how many bytes the tun was left to cut, each different one once.
    pub(crate) cuts: BTreeSet<u16>,
    pub(crate) sockets: BTreeMap<FlowId, Socket>,
    /// What servers at a port do.
    servers: BTreeMap<u16, Server>,
    random: Random,
    ports: BTreeMap<FlowId, u16>,
    /// Sockets that may have something to do.
    busy: BTreeSet<FlowId>,
    answers: BTreeSet<(Instant, FlowId)>,
    pub(crate) open: BTreeMap<FlowNumber, FlowKey>,
    pub(crate) closed: Vec<Closed>,
    /// What was seen of each flow: sent, received.
    pub(crate) seen: BTreeMap<FlowNumber, [Vec<u8>; 2]>,
    pub(crate) wakes_at: Option<(Instant, &'static str)>,
    pub(crate) datagrams: Vec<Datagram>,
    pub(crate) mappings: BTreeMap<MappingId, bool>,
    pub(crate) echoes: Vec<Echo>,
    pub(crate) echo_ids: BTreeMap<EchoId, bool>,
    pub(crate) queries: Vec<(QueryId, Bytes, bool)>,
    pub(crate) forgotten: Vec<QueryId>,
    watch: Watch,
}

/// A flow that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) key: FlowKey,
    pub(crate) traffic: Traffic,
    pub(crate) ending: Ending,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Datagram {
    pub(crate) mapping: MappingId,
    pub(crate) to: SocketAddr,
    pub(crate) payload: Bytes,
    pub(crate) dont_fragment: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Echo {
    pub(crate) echo: EchoId,
    pub(crate) to: IpAddr,
    pub(crate) sequence: u16,
    pub(crate) payload: Bytes,
}

impl Shell {
    pub(crate) fn new(mtu: usize) -> Self {
        Self::with_sockets(mtu, 16_384)
    }

    pub(crate) fn with_sockets(mtu: usize, max_sockets: usize) -> Self {
        let addresses = [APP_V4, APP_V6].map(|address| address.parse().unwrap()).to_vec();
        let resolvers = vec![RESOLVER_V4.parse().unwrap()];
        let now = Instant::from_micros(1_000_000_000);
        let config =
            Config { mtu, addresses, resolvers, max_sockets, watched: true, offload: Offload::default() };
        Self {
            engine: Engine::new(config, [7; 32], now),
            now,
            mtu,
            to_app: Vec::new(),
            cuts: BTreeSet::new(),
            sockets: BTreeMap::new(),
            servers: BTreeMap::new(),
            random: Random::new(99),
            ports: BTreeMap::new(),
            busy: BTreeSet::new(),
            answers: BTreeSet::new(),
            open: BTreeMap::new(),
            closed: Vec::new(),
            seen: BTreeMap::new(),
            wakes_at: None,
            datagrams: Vec::new(),
            mappings: BTreeMap::new(),
            echoes: Vec::new(),
            echo_ids: BTreeMap::new(),
            queries: Vec::new(),
            forgotten: Vec::new(),
            watch: Watch::default(),
        }
    }

    /// What happens at a port of every remote.
    pub(crate) fn serve(&mut self, port: u16, server: Server) {
        self.servers.insert(port, server);
    }

    /// One packet of an app, and all that follows from it.
    pub(crate) fn packet(&mut self, packet: &[u8]) {
        self.feed(packet);
        self.settle();
    }

    /// One packet of a batch: nothing is asked of the engine yet.
    pub(crate) fn feed(&mut self, packet: &[u8]) {
        if let Some(segment) = whole_segment(packet) {
            self.watch.app_said(self.now, &segment);
        }
        self.input(Input::Packet { packet: Bytes::copy_from_slice(packet), pinned: SLAB });
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.engine.handle_input(self.now, input);
    }

    /// Does all that the engine asks for and all that servers have to say, until nothing is left.
    pub(crate) fn settle(&mut self) {
        loop {
            self.drain();
            self.watch.check(self.now);
            if !self.serve_answers() && !self.serve_sockets() {
                break;
            }
        }
    }

    /// The next moment at which anything happens here.
    pub(crate) fn next(&self) -> Option<Instant> {
        let answer = self.answers.first().map(|(at, _)| *at);
        [answer, self.wakes_at.map(|(at, _)| at)].into_iter().flatten().min()
    }

    /// Lets time pass to `at`, stopping at every deadline on the way.
    pub(crate) fn run_until(&mut self, at: Instant) {
        while let Some(next) = self.next().filter(|next| *next <= at) {
            self.jump(next.max(self.now));
        }
        self.jump(at);
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Sets the clock and tells the engine.
    pub(crate) fn jump(&mut self, at: Instant) {
        assert!(at >= self.now, "time went backwards");
        self.now = at;
        if self.wakes_at.is_some_and(|(due, _)| due <= at) {
            self.input(Input::Timeout);
            self.settle();
            let (due, why) = self.wakes_at.unwrap_or((at + Duration::from_secs(1), ""));
            assert!(due > at, "the engine wants to be woken again at once: {why}");
        }
        self.settle();
    }

    pub(crate) fn take_packets(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.to_app)
    }

    /// The socket toward a port.
    pub(crate) fn socket(&mut self, port: u16) -> (FlowId, &mut Socket) {
        let keys: Vec<_> = self.sockets.keys().copied().collect();
        let id = keys.into_iter().rev().find(|id| self.port_of(*id) == Some(port)).expect("a socket");
        (id, self.sockets.get_mut(&id).expect("a socket"))
    }

    /// Something about a socket has changed: a test unblocked it or gave it bytes.
    pub(crate) fn wake(&mut self, id: FlowId) {
        self.busy.insert(id);
        self.settle();
    }

    /// Breaks the connection from the remote's side.
    pub(crate) fn break_off(&mut self, id: FlowId, failure: Failure) {
        self.sockets.get_mut(&id).expect("a socket").stage = Stage::Broken;
        self.input(Input::Broken { flow: id, failure, unsent: 0 });
        self.settle();
    }

    pub(crate) fn answer(&mut self, query: QueryId, message: Option<&[u8]>) {
        self.input(Input::Answer { query, message: message.map(Bytes::copy_from_slice) });
        self.settle();
    }

    pub(crate) fn reply(&mut self, mapping: MappingId, from: SocketAddr, payload: &[u8]) {
        self.input(Input::Datagram { mapping, from, payload: Bytes::copy_from_slice(payload) });
        self.settle();
    }

    pub(crate) fn fail_datagram(&mut self, mapping: MappingId, to: SocketAddr, failure: DatagramFailure) {
        self.input(Input::DatagramFailed { mapping, to, failure });
        self.settle();
    }

    /// Ends the relay and checks that nothing is left.
    pub(crate) fn stop(&mut self) {
        self.engine.stop();
        self.settle();
        self.assert_empty();
    }

    /// No flow, no socket, no memory.
    pub(crate) fn assert_empty(&self) {
        assert_eq!(self.engine.live_flows(), 0, "flows are left: {:?}", self.open);
        assert_eq!(self.engine.memory(), 0, "memory is left");
        assert!(self.open.is_empty(), "flows were never closed: {:?}", self.open);
        let live: Vec<_> = self.sockets.iter().filter(|(_, socket)| socket.is_live()).collect();
        assert!(live.is_empty(), "sockets are left: {live:?}");
        assert!(!self.mappings.values().any(|live| *live), "mappings are left");
        assert!(!self.echo_ids.values().any(|live| *live), "ping sockets are left");
    }

    /// How the flow from this app's port ended.
    pub(crate) fn ending(&self, app_port: u16) -> Option<Ending> {
        let of_port = |closed: &&Closed| closed.key.app.port() == app_port;
        self.closed.iter().rev().find(of_port).map(|closed| closed.ending)
    }

    fn port_of(&self, id: FlowId) -> Option<u16> {
        self.ports.get(&id).copied()
    }

    fn drain(&mut self) {
        for _ in 0..1_000_000 {
            let output = self.engine.poll_output();
            if let Output::Timeout(at) = output {
                self.wakes_at = at;
                return;
            }
            self.obey(output);
        }
        panic!("the engine never comes to rest");
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Packet(packet) => self.take_packet(&packet),
            Output::Connect { flow, number, to } => {
                assert!(self.open.contains_key(&number), "Connect before Opened");
                self.connect(flow, to);
            }
            Output::Send(flow) => {
                assert!(self.live(flow).stage == Stage::Connected, "Send before Connected");
                assert!(self.engine.pending(flow).any(|slice| !slice.is_empty()), "Send without bytes");
                if self.live(flow).script.takes == 0 {
                    self.live(flow).blocked = true;
                    return self.input(Input::Blocked(flow));
                }
                self.send(flow);
            }
            Output::Receive(flow) => {
                assert!(!self.live(flow).ended, "Receive after the end was read");
                assert!(self.engine.room(flow) > 0, "Receive without room");
                self.live(flow).readable = true;
                self.busy.insert(flow);
            }
            Output::Finish(flow) => {
                assert_eq!(self.engine.pending(flow).map(<[u8]>::len).sum::<usize>(), 0, "Finish too soon");
                assert!(!std::mem::replace(&mut self.live(flow).shut, true), "Finish twice");
                self.busy.insert(flow);
            }
            Output::KeepAlive(flow) => {
                assert!(!std::mem::replace(&mut self.live(flow).keep_alive, true), "KeepAlive twice");
            }
            Output::Close(flow) => self.live(flow).stage = Stage::Closed,
            Output::Abort(flow) => self.live(flow).stage = Stage::Aborted,
            Output::Datagram { mapping, number, to, payload, dont_fragment, .. } => {
                assert!(self.open.contains_key(&number), "Datagram before Opened");
                assert!(*self.mappings.entry(mapping).or_insert(true), "a mapping was used after its end");
                self.datagrams.push(Datagram { mapping, to, payload, dont_fragment });
            }
            Output::Unmap(mapping) => {
                let live = self.mappings.insert(mapping, false);
                assert_eq!(live, Some(true), "Unmap of what is not mapped");
            }
            Output::EchoRequest { echo, to, sequence, payload, .. } => {
                assert!(*self.echo_ids.entry(echo).or_insert(true), "an echo was used after its end");
                self.echoes.push(Echo { echo, to, sequence, payload });
            }
            Output::Unecho(echo) => {
                assert_eq!(self.echo_ids.insert(echo, false), Some(true), "Unecho of what is not there");
            }
            Output::Query { query, number, message, over_tcp } => {
                assert!(self.open.contains_key(&number), "Query before Opened");
                assert!(self.queries.iter().all(|(known, ..)| *known != query), "a query's id came twice");
                self.queries.push((query, message, over_tcp));
            }
            Output::Forget(query) => {
                assert!(self.queries.iter().any(|(known, ..)| *known == query));
                self.forgotten.push(query);
            }
            Output::Opened { flow, key } => {
                assert!(self.open.insert(flow, key).is_none(), "a flow was opened twice");
            }
            Output::Closed { flow, traffic, ending } => {
                let key = self.open.remove(&flow).expect("closed, though it was not open");
                self.watch.forget(key.app, key.remote);
                self.check_seen(flow, key, traffic, ending);
                self.closed.push(Closed { key, traffic, ending });
            }
            Output::Seen { flow, direction, payload, pinned, .. } => {
                assert!(self.open.contains_key(&flow), "Seen before Opened or after Closed");
                assert!(pinned >= payload.len(), "a payload keeps itself alive at least");
                let [sent, received] = self.seen.entry(flow).or_default();
                let seen = if direction == Direction::Sent { sent } else { received };
                seen.extend_from_slice(&payload);
            }
            Output::Timeout(_) => unreachable!("handled by the loop"),
        }
    }

    /// All that a flow has carried was seen; of one that broke off, or that the resolver did not read to its
    /// end, also what came no further.
    fn check_seen(&self, flow: FlowNumber, key: FlowKey, traffic: Traffic, ending: Ending) {
        let count = |way: usize| self.seen.get(&flow).map_or(0, |seen| seen[way].len() as u64);
        let (seen, carried) = ([count(0), count(1)], [traffic.bytes_sent, traffic.bytes_received]);
        let whole = matches!(key.protocol, Protocol::Udp | Protocol::Icmp);
        if whole || (ending == Ending::Finished && key.remote.port() != 53) {
            assert_eq!(seen, carried, "{key:?} {ending:?}");
        } else {
            assert!(seen[0] >= carried[0] && seen[1] >= carried[1], "{seen:?} {carried:?}");
        }
    }

    fn take_packet(&mut self, packet: &Packet) {
        let fits = packet.len() <= self.mtu || packet.unfinished().is_some();
        assert!(fits, "{} bytes do not fit the tunnel", packet.len());
        self.cuts.extend(packet.unfinished().map(|unfinished| unfinished.segment));
        let packet = complete(packet);
        if let Some(segment) = whole_segment(&packet) {
            self.watch.app_hears(&segment);
        }
        self.to_app.push(packet);
    }

    fn live(&mut self, flow: FlowId) -> &mut Socket {
        let socket = self.sockets.get_mut(&flow).expect("a socket that was asked for");
        assert!(socket.is_live(), "a socket was used after its end: {:?}", socket.stage);
        socket
    }

    fn connect(&mut self, flow: FlowId, to: SocketAddr) {
        let script = *self.servers.get(&to.port()).unwrap_or(&Server::SINK);
        let stream = pattern(stream_of(to), 0, script.sends);
        let after = match script.answer {
            Answer::Accept(after) | Answer::Fail(after, _) => Some(self.now + after),
            Answer::Never => None,
        };
        self.answers.extend(after.map(|at| (at, flow)));
        self.ports.insert(flow, to.port());
        let before = self.sockets.insert(flow, Socket::new(script, stream));
        assert!(before.is_none(), "an id was used twice");
    }

    fn serve_answers(&mut self) -> bool {
        let Some((_, flow)) = self.answers.first().copied().filter(|(at, _)| *at <= self.now) else {
            return false;
        };
        self.answers.pop_first();
        let socket = self.sockets.get_mut(&flow).expect("a socket");
        if socket.stage != Stage::Connecting {
            return true;
        }
        match socket.script.answer {
            Answer::Fail(_, failure) => {
                socket.stage = Stage::Broken;
                self.input(Input::ConnectFailed(flow, failure));
            }
            Answer::Accept(_) | Answer::Never => {
                socket.stage = Stage::Connected;
                self.busy.insert(flow);
                self.input(Input::Connected(flow));
            }
        }
        true
    }

    fn serve_sockets(&mut self) -> bool {
        let Some(flow) = self.busy.pop_first() else { return false };
        let Some(socket) = self.sockets.get(&flow).filter(|socket| socket.stage == Stage::Connected) else {
            return true;
        };
        if socket.blocked && socket.script.takes > 0 {
            self.live(flow).blocked = false;
            self.send(flow);
        }
        if self.live(flow).reset_is_due() {
            self.break_off_later(flow);
            return true;
        }
        self.read(flow);
        true
    }

    fn break_off_later(&mut self, flow: FlowId) {
        self.live(flow).stage = Stage::Broken;
        self.input(Input::Broken { flow, failure: Failure::Reset, unsent: 0 });
    }

    /// Hands pending bytes to the server, as far as it takes them.
    fn send(&mut self, flow: FlowId) {
        let pending: Vec<u8> = self.engine.pending(flow).flatten().copied().collect();
        let socket = self.live(flow);
        let taken = pending.len().min(socket.script.takes);
        socket.take(&pending[..taken]);
        socket.blocked = taken < pending.len();
        let blocked = socket.blocked;
        if taken > 0 {
            self.input(Input::Sent(flow, taken));
        }
        if blocked {
            self.input(Input::Blocked(flow));
        }
        self.busy.insert(flow);
    }

    /// Reads once from the server, if the engine has room.
    fn read(&mut self, flow: FlowId) {
        if !self.live(flow).readable || self.live(flow).ended {
            return;
        }
        if self.live(flow).has_unread() {
            let room = self.engine.room(flow);
            self.live(flow).readable = room > 0;
            if room > 0 {
                self.read_some(flow, room);
                self.busy.insert(flow);
            }
        } else if let Some(end) = self.live(flow).end_is_next() {
            self.live(flow).ended = true;
            if end == Finish::Reset {
                self.break_off_later(flow);
            } else {
                self.input(Input::Finished(flow));
            }
        }
    }

    fn read_some(&mut self, flow: FlowId, room: usize) {
        let most = self.live(flow).script.read;
        let wanted = 1 + if most > 1 { self.random.below(most) } else { 0 };
        let socket = self.live(flow);
        let len = wanted.min(room).min(socket.stream.len() - socket.read);
        let payload = Bytes::copy_from_slice(&socket.stream[socket.read..socket.read + len]);
        socket.read += len;
        let pinned = if len < SLAB / 4 { len } else { SLAB };
        self.input(Input::Received { flow, payload, pinned });
    }
}

/// The number of the pattern that a server sends.
pub(crate) fn stream_of(to: SocketAddr) -> u64 {
    u64::from(to.port()) << 8
}

fn whole_segment(packet: &[u8]) -> Option<Segment> {
    let is_tcp = match packet.first()? >> 4 {
        4 => packet.get(9) == Some(&6) && packet.get(6..8).is_some_and(|f| f[0] & 0x3f == 0 && f[1] == 0),
        _ => packet.get(6) == Some(&6),
    };
    is_tcp.then(|| Segment::read(packet)).flatten()
}

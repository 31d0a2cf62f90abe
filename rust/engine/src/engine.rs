//! The engine itself: takes inputs to the room that they belong to, and asks the rooms for outputs.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use smoltcp::wire::{IpProtocol, UdpPacket};
use telltale_model::{FlowNumber, Traffic};

#[cfg(doc)]
use crate::Packet;
use crate::echo::{self, Echoes};
use crate::resolver::{Asker, Resolver, Ways};
use crate::shared::Shared;
use crate::tcp::{Flows, Segment, Upstream};
use crate::udp::{Datagram, Datagrams};
use crate::wire::{Ingress, Parsed, Reassembly, Unreachable, parse, parse_echo_request, unreachable};
use crate::{Counters, Failure, FlowId, Input, Instant, Output};

/// The port of our own resolver.
const DNS_PORT: u16 = 53;

/// What the engine must know of its tunnel and its shell.
#[derive(Clone, Debug)]
pub struct Config {
    /// MTU of the tun in bytes, 1,280 to 65,535.
    pub mtu: usize,
    /// The app's side of the tunnel: addresses that are never dialled.
    pub addresses: Vec<IpAddr>,
    /// Our own resolver's addresses inside the tunnel.
    pub resolvers: Vec<IpAddr>,
    /// Sockets that the shell can afford for flows.
    pub max_sockets: usize,
    /// Whether somebody wants to see what flows carry ([`Output::Seen`]).
    pub watched: bool,
    /// What is left to the tun.
    pub offload: Offload,
}

/// Who leaves it to the tun to cut TCP to the MTU and to fill in its checksums, as network cards do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offload {
    /// The apps' system: packets from apps may be of any length that IP allows.
    pub from_apps: bool,
    /// The engine: segments to apps may be of any length that IP allows, see [`Packet::unfinished`].
    pub to_apps: bool,
}

/// What a tun that takes the place of another is like: the same fields of [`Config`].
#[derive(Clone, Debug)]
pub struct Tunnel {
    /// [`Config::mtu`].
    pub mtu: usize,
    /// [`Config::addresses`].
    pub addresses: Vec<IpAddr>,
    /// [`Config::resolvers`].
    pub resolvers: Vec<IpAddr>,
    /// [`Config::offload`].
    pub offload: Offload,
}

/// The relay as a state machine. See the crate's documentation for how to turn it.
pub struct Engine {
    config: Config,
    shared: Shared,
    reassembly: Reassembly,
    flows: Flows,
    datagrams: Datagrams,
    echoes: Echoes,
    resolver: Resolver,
}

impl Engine {
    /// An engine with no flows. `seed` must be random and secret: initial sequence numbers and the order
    /// of hash tables come from it.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let (isn_key, hash_key) = halves(seed);
        Self {
            shared: Shared::new(&config, now),
            reassembly: Reassembly::default(),
            flows: Flows::new(isn_key, hash_key),
            datagrams: Datagrams::new(hash_key),
            echoes: Echoes::new(hash_key),
            resolver: Resolver::default(),
            config,
        }
    }

    /// Takes in what happened. `now` must not go backwards; where it does, time stands still.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        self.shared.now = self.shared.now.max(now);
        match input {
            Input::Packet { packet, pinned } => self.packet(&packet, pinned),
            Input::Timeout => self.time_out(),
            Input::Connected(_)
            | Input::ConnectFailed(..)
            | Input::Sent(..)
            | Input::Blocked(_)
            | Input::Received { .. }
            | Input::Finished(_)
            | Input::Broken { .. } => self.socket_event(input),
            Input::Datagram { mapping, from, payload } => {
                self.datagrams.received(mapping, from, payload, &mut self.shared);
            }
            Input::DatagramFailed { mapping, to, failure } => {
                self.datagrams.failed(mapping, to, failure, &mut self.shared);
            }
            Input::Unmapped(mapping) => {
                self.datagrams.unmapped(mapping, &mut self.shared);
                self.evict();
            }
            Input::EchoReply { echo, sequence, payload } => {
                self.echoes.reply(echo, sequence, payload, &mut self.shared);
            }
            Input::EchoFailed { echo, sequence, failure } => {
                self.echoes.failed(echo, sequence, failure, &mut self.shared);
            }
            Input::Unechoed(echo) => self.echoes.unechoed(echo, &mut self.shared),
            Input::Answer { query, message } => {
                let mut ways = Ways { flows: &mut self.flows, datagrams: &mut self.datagrams };
                self.resolver.answer(query, message, &mut ways, &mut self.shared);
            }
        }
    }

    /// The next thing for the shell to do; [`Output::Timeout`] when there is none.
    pub fn poll_output(&mut self) -> Output {
        let output = self.shared.next_output().or_else(|| self.flows.poll(&mut self.shared));
        match output {
            Some(output) => {
                self.shared.counters.packets_out += u64::from(matches!(output, Output::Packet(_)));
                output
            }
            None => Output::Timeout(self.deadline()),
        }
    }

    /// Bytes that the app has sent and the socket has not taken yet, in order, in pieces.
    pub fn pending(&self, flow: FlowId) -> impl Iterator<Item = &[u8]> {
        self.flows.pending(flow)
    }

    /// How many bytes may be read from a flow's socket now. When that is none, [`Output::Receive`] says
    /// when to ask again.
    pub fn room(&mut self, flow: FlowId) -> usize {
        self.flows.room(flow, &mut self.shared)
    }

    /// What was dropped, repaired or refused since the beginning.
    pub fn counters(&self) -> Counters {
        Counters { memory_full: self.shared.memory.times_full(), ..self.shared.counters }
    }

    /// Flows whose traffic has changed since the last call, with all that they have carried.
    pub fn carried(&mut self) -> Vec<(FlowNumber, Traffic)> {
        let mut carried = Vec::new();
        self.flows.carried(&mut carried);
        self.datagrams.carried(&mut carried);
        self.echoes.carried(&mut carried);
        carried
    }

    /// Flows alive: TCP, UDP and echo.
    pub fn live_flows(&self) -> usize {
        self.flows.len() + self.datagrams.len() + self.echoes.len()
    }

    /// Payload memory in use or promised by windows, in bytes.
    pub fn memory(&self) -> usize {
        self.shared.memory.used()
    }

    /// TCP flows whose app may send more, or has sent what the socket has not taken yet: how many, and
    /// how many bytes the sockets of all flows have taken. Costs a walk through all flows.
    pub fn unfinished(&self) -> (usize, u64) {
        self.flows.unfinished()
    }

    /// Goes on with another tun. Flows of apps whose address it has not any more end; all others go on, with
    /// segments of the size that they agreed on.
    pub fn replace_tun(&mut self, now: Instant, tunnel: Tunnel) {
        self.shared.now = self.shared.now.max(now);
        let Tunnel { mtu, addresses, resolvers, offload } = tunnel;
        let before = std::mem::replace(&mut self.config.addresses, addresses);
        let addresses = &self.config.addresses;
        let gone = |app: IpAddr| before.contains(&app) && !addresses.contains(&app);
        self.flows.end_where(gone, &mut self.shared);
        self.datagrams.end_where(gone, &mut self.shared);
        (self.shared.mtu, self.shared.offload) = (mtu, offload.to_apps);
        (self.config.mtu, self.config.resolvers, self.config.offload) = (mtu, resolvers, offload);
    }

    /// Ends every flow. The outputs that follow close all sockets and tell every ending.
    pub fn stop(&mut self) {
        self.flows.stop(&mut self.shared);
        self.datagrams.stop(&mut self.shared);
        self.echoes.stop(&mut self.shared);
    }

    fn packet(&mut self, packet: &Bytes, pinned: usize) {
        self.shared.counters.packets_in += 1;
        match parse(packet) {
            Parsed::Whole(ingress) => self.whole(&ingress, pinned),
            Parsed::Fragment(fragment) => {
                let whole = self.reassembly.insert(self.shared.now, fragment);
                self.shared.counters.fragments_dropped += self.reassembly.take_dropped();
                if let Some(ingress) = whole {
                    let len = ingress.payload.len();
                    self.whole(&ingress, len);
                }
            }
            Parsed::Malformed => self.shared.counters.malformed += 1,
            Parsed::Unsupported(ingress) => self.unsupported(&ingress),
        }
    }

    fn unsupported(&mut self, ingress: &Ingress) {
        self.shared.counters.unsupported += 1;
        self.shared.reply(unreachable(ingress.destination, &ingress.original, Unreachable::Protocol));
    }

    fn whole(&mut self, ingress: &Ingress, pinned: usize) {
        if self.is_never_dialled(ingress) {
            self.shared.counters.never_dialled += 1;
        } else if !ingress.is_relayed() {
            self.unsupported(ingress);
        } else if !ingress.checksum_ok(self.config.offload.from_apps) {
            self.shared.counters.malformed += 1;
        } else if ingress.protocol == IpProtocol::Tcp {
            self.tcp(ingress, pinned);
        } else if ingress.protocol == IpProtocol::Udp {
            self.udp(ingress, pinned);
        } else {
            self.icmp(ingress);
        }
    }

    fn tcp(&mut self, ingress: &Ingress, pinned: usize) {
        let Some(segment) = Segment::parse(ingress).filter(|_| !ingress.destination.is_multicast()) else {
            self.shared.counters.malformed += 1;
            return;
        };
        let to_resolver = self.config.resolvers.contains(&ingress.destination);
        let upstream = match (to_resolver, segment.remote.port()) {
            (false, _) => Some(Upstream::Socket),
            (true, DNS_PORT) => Some(Upstream::Resolver),
            // 853 above all: else opportunistic Private DNS would try us over TLS.
            (true, _) => None,
        };
        if segment.syn && upstream == Some(Upstream::Socket) && !self.flows.knows(&segment) {
            self.make_room();
        }
        if let Some(flow) = self.flows.segment(segment, pinned, upstream, &mut self.shared) {
            let mut ways = Ways { flows: &mut self.flows, datagrams: &mut self.datagrams };
            self.resolver.read(flow, &mut ways, &mut self.shared);
        }
    }

    fn udp(&mut self, ingress: &Ingress, pinned: usize) {
        let Ok(packet) = UdpPacket::new_checked(&ingress.payload[..]) else {
            self.shared.counters.malformed += 1;
            return;
        };
        let app = SocketAddr::new(ingress.source, packet.src_port());
        let remote = SocketAddr::new(ingress.destination, packet.dst_port());
        let payload = ingress.payload.slice(8..usize::from(packet.len()).max(8));
        if remote.port() == 0 || app.port() == 0 {
            self.shared.counters.malformed += 1;
        } else if !self.config.resolvers.contains(&ingress.destination) {
            if !self.datagrams.has_mapping(app) {
                self.make_room();
            }
            let (hop_limit, dont_fragment) = (ingress.hop_limit, ingress.dont_fragment);
            let datagram = Datagram { app, to: remote, payload, pinned, hop_limit, dont_fragment };
            self.datagrams.send(datagram, &mut self.shared);
        } else if remote.port() == DNS_PORT {
            let number = self.datagrams.ask_resolver(app, remote, &payload, pinned, &mut self.shared);
            let Some(number) = number else { return };
            let asker = (Asker::Datagram { app, resolver: remote }, number);
            let mut ways = Ways { flows: &mut self.flows, datagrams: &mut self.datagrams };
            self.resolver.ask(asker, payload, &mut ways, &mut self.shared);
        } else {
            self.shared.reply(unreachable(ingress.destination, &ingress.original, Unreachable::Port));
        }
    }

    fn icmp(&mut self, ingress: &Ingress) {
        let Some(echo) =
            parse_echo_request(ingress).filter(|_| !self.config.resolvers.contains(&ingress.destination))
        else {
            self.shared.counters.unsupported += 1;
            return;
        };
        let request = echo::Request {
            app: ingress.source,
            remote: ingress.destination,
            identifier: echo.identifier,
            sequence: echo.sequence,
            payload: echo.payload,
            hop_limit: ingress.hop_limit,
        };
        self.echoes.request(request, &mut self.shared);
    }

    fn socket_event(&mut self, input: Input) {
        let shared = &mut self.shared;
        match input {
            Input::Connected(flow) => self.flows.connected(flow, shared),
            Input::ConnectFailed(flow, failure) => {
                self.flows.connect_failed(flow, failure, shared);
                if failure == Failure::NoSockets {
                    // The app repeats its SYN, and finds the place of the flow that is evicted now.
                    self.evict();
                }
            }
            Input::Sent(flow, bytes) => self.flows.sent(flow, bytes, shared),
            Input::Blocked(flow) => self.flows.blocked(flow, shared),
            Input::Received { flow, payload, pinned } => self.flows.received(flow, payload, pinned, shared),
            Input::Finished(flow) => self.flows.finished(flow, shared),
            Input::Broken { flow, unsent, .. } => self.flows.broken(flow, unsent, shared),
            Input::Packet { .. }
            | Input::Timeout
            | Input::Datagram { .. }
            | Input::DatagramFailed { .. }
            | Input::Unmapped(_)
            | Input::EchoReply { .. }
            | Input::EchoFailed { .. }
            | Input::Unechoed(_)
            | Input::Answer { .. } => {}
        }
    }

    /// Sees to it that the shell can afford one more socket.
    fn make_room(&mut self) {
        while self.shared.sockets >= self.config.max_sockets.max(1) && self.evict() {}
    }

    /// Ends the flow, TCP or UDP, that was quiet for longest, if there is one.
    fn evict(&mut self) -> bool {
        match (self.flows.oldest(), self.datagrams.oldest()) {
            (Some(tcp), Some(udp)) if udp < tcp => self.datagrams.evict(&mut self.shared),
            (Some(_), _) => self.flows.evict(&mut self.shared),
            (None, Some(_)) => self.datagrams.evict(&mut self.shared),
            (None, None) => return false,
        }
        true
    }

    fn time_out(&mut self) {
        self.flows.time_out(&mut self.shared);
        self.datagrams.time_out(&mut self.shared);
        self.echoes.time_out(&mut self.shared);
        self.reassembly.expire(self.shared.now);
        self.shared.counters.fragments_dropped += self.reassembly.take_dropped();
        let mut ways = Ways { flows: &mut self.flows, datagrams: &mut self.datagrams };
        self.resolver.time_out(&mut ways, &mut self.shared);
    }

    fn deadline(&self) -> Option<(Instant, &'static str)> {
        let fragments = self.reassembly.next_expiry().map(|at| (at, "fragments"));
        let rooms = [
            self.flows.deadline(),
            self.datagrams.deadline(),
            self.echoes.deadline(),
            self.resolver.deadline(),
            fragments,
        ];
        rooms.into_iter().flatten().min()
    }

    /// Addresses that no socket of ours may ever be opened to: they would lead back into this machine or
    /// this tunnel, not into the network. Our resolver's are answered here and need no socket.
    fn is_never_dialled(&self, ingress: &Ingress) -> bool {
        let destination = ingress.destination;
        let here = match destination {
            IpAddr::V4(v4) => v4.is_loopback() || v4.octets().first() == Some(&0),
            // RFC 4291 2.5.5: mapped and compatible addresses are IPv4 in disguise.
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.to_ipv4().is_some(),
        };
        here || self.config.addresses.contains(&destination)
    }
}

fn halves(seed: [u8; 32]) -> ([u8; 16], [u8; 16]) {
    let (mut first, mut second) = ([0; 16], [0; 16]);
    for (at, byte) in seed.into_iter().enumerate() {
        let half = if at < 16 { &mut first } else { &mut second };
        if let Some(place) = half.get_mut(at % 16) {
            *place = byte;
        }
    }
    (first, second)
}

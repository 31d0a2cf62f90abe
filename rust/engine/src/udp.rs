//! UDP: one mapping for each app address and port, whatever it sends to (RFC 4787 4.1), and any sender's
//! datagram reaches the app once it has sent (RFC 4787 5, endpoint-independent filtering). Flows are
//! records over mappings.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use telltale_model::{Direction, Ending, FlowKey, FlowNumber, Protocol, Traffic};

use crate::limits::{DNS_IDLE, FLOWS_FROM_OUTSIDE, PATH_KNOWN, PATH_LEARNED, UDP_FLOWS, UDP_IDLE};
use crate::pair::{ByPair, Keyed, Pair};
use crate::recency::Recency;
use crate::shared::Shared;
use crate::slots::Slots;
use crate::wire::{
    self, Payload, Unreachable, fragments, synthetic_kernel_echo, synthetic_udp, time_exceeded, too_big,
    unreachable,
};
use crate::{DatagramFailure, Instant, MappingId, Output, Shape};

/// The port of name servers, whose flows are short.
const DNS_PORT: u16 = 53;

/// Bytes of a buffer that a datagram from the network may share with others: joined by the kernel, they
/// are as long as the longest of them.
const RECEIVE_BUFFER: usize = 65_535;

/// A datagram of an app to the network.
pub(crate) struct Datagram {
    pub(crate) app: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) payload: Bytes,
    /// See [`crate::Input::Packet`].
    pub(crate) pinned: usize,
    pub(crate) hop_limit: u8,
    pub(crate) dont_fragment: bool,
}

/// All mappings and the flows over them.
#[derive(Debug)]
pub(crate) struct Datagrams {
    mappings: Slots<Mapping>,
    by_app: HashMap<SocketAddr, u32, Keyed>,
    flows: Slots<UdpFlow>,
    by_pair: ByPair,
    /// Flows by how long they were quiet: those to name servers apart, since they end sooner.
    recency: [Recency; 2],
    identification: u32,
}

#[derive(Debug)]
struct Mapping {
    id: MappingId,
    app: SocketAddr,
    flows: usize,
    /// The flow that was opened last.
    latest: u32,
}

#[derive(Debug)]
struct UdpFlow {
    number: FlowNumber,
    /// `None` for flows to our own resolver, which need no socket.
    mapping: Option<u32>,
    app: SocketAddr,
    remote: SocketAddr,
    traffic: Traffic,
    told: Traffic,
    /// When the app's system was told last that the path carries less.
    too_big_told: Option<Instant>,
}

// What limits.rs counts for a flow is 512 bytes: the rest is for its places in tables and lists.
const _: () = assert!(size_of::<UdpFlow>() + size_of::<Mapping>() <= 384);

impl UdpFlow {
    fn class(&self) -> usize {
        usize::from(self.remote.port() == DNS_PORT)
    }
}

impl Datagrams {
    pub(crate) fn new(hash_key: [u8; 16]) -> Self {
        Self {
            mappings: Slots::default(),
            by_app: HashMap::with_hasher(Keyed(hash_key)),
            flows: Slots::default(),
            by_pair: ByPair::with_hasher(Keyed(hash_key)),
            recency: [Recency::default(), Recency::default()],
            identification: 0,
        }
    }

    /// An app's datagram to the network.
    pub(crate) fn send(&mut self, datagram: Datagram, shared: &mut Shared) {
        let Datagram { app, to, payload, pinned, hop_limit, dont_fragment } = datagram;
        let mapping = self.mapping_of(app, shared);
        let index = self.flow_of(app, to, Some(mapping.index), shared);
        let Some(number) = self.sent(index, &payload, pinned, shared) else { return };
        shared.ask(Output::Datagram { mapping, number, to, payload, hop_limit, dont_fragment });
    }

    /// Whether an app's address and port have a socket already.
    pub(crate) fn has_mapping(&self, app: SocketAddr) -> bool {
        self.by_app.contains_key(&app)
    }

    /// An app's question to our own resolver: a flow without a socket. Its number.
    pub(crate) fn ask_resolver(
        &mut self,
        app: SocketAddr,
        resolver: SocketAddr,
        question: &Bytes,
        pinned: usize,
        shared: &mut Shared,
    ) -> Option<FlowNumber> {
        let index = self.flow_of(app, resolver, None, shared);
        self.sent(index, question, pinned, shared)
    }

    /// Our own resolver's answer to an app.
    pub(crate) fn answer(
        &mut self,
        app: SocketAddr,
        resolver: SocketAddr,
        message: Bytes,
        shared: &mut Shared,
    ) {
        let index = self.flow_of(app, resolver, None, shared);
        let pinned = message.len();
        self.deliver(index, message, pinned, shared);
    }

    /// A datagram from the network to whoever owns the mapping.
    pub(crate) fn received(&mut self, id: MappingId, from: SocketAddr, payload: Bytes, shared: &mut Shared) {
        let Some(app) = self.app_of(id).filter(|app| app.is_ipv4() == from.is_ipv4()) else { return };
        if self.may_record(id.index, &Pair::new(app, from)) {
            let index = self.flow_of(app, from, Some(id.index), shared);
            self.deliver(index, payload, RECEIVE_BUFFER, shared);
        } else {
            // Whoever floods a mapping from many addresses must not end the flows of others.
            shared.counters.unrecorded += 1;
            self.write(from, app, payload, shared);
        }
    }

    /// The network refused a datagram: the app hears of it as it would have without us.
    pub(crate) fn failed(
        &mut self,
        id: MappingId,
        to: SocketAddr,
        failure: DatagramFailure,
        shared: &mut Shared,
    ) {
        let Some(app) = self.app_of(id).filter(|app| app.is_ipv4() == to.is_ipv4()) else { return };
        let original = |len| synthetic_udp(app, to, len);
        let packet = match failure {
            DatagramFailure::TooBig { mtu, payload_len } => {
                let quote = if self.heeds_paths(app, to, shared.now) {
                    synthetic_kernel_echo(app.ip(), to.ip())
                } else {
                    original(payload_len)
                };
                too_big(to.ip(), &quote, mtu)
            }
            DatagramFailure::PortUnreachable => unreachable(to.ip(), &original(0), Unreachable::Port),
            DatagramFailure::HostUnreachable => unreachable(to.ip(), &original(0), Unreachable::Host),
            DatagramFailure::NetworkUnreachable => unreachable(to.ip(), &original(0), Unreachable::Network),
            DatagramFailure::Prohibited => unreachable(to.ip(), &original(0), Unreachable::Prohibited),
            DatagramFailure::HopLimitExceeded(router) => {
                time_exceeded(router.unwrap_or(to.ip()), &original(0))
            }
        };
        shared.reply(packet);
    }

    /// The shell has no socket for a mapping.
    pub(crate) fn unmapped(&mut self, id: MappingId, shared: &mut Shared) {
        if self.app_of(id).is_some() {
            shared.counters.datagrams_dropped += 1;
            self.end_mapping(id.index, Ending::Evicted, shared);
        }
    }

    /// When the flow that was quiet for longest was last heard of.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.oldest_flow().map(|(_, touched)| touched)
    }

    /// Makes room: the flow that was quiet for longest ends, with its mapping if it was the last.
    pub(crate) fn evict(&mut self, shared: &mut Shared) {
        if let Some((index, _)) = self.oldest_flow() {
            shared.counters.evicted += 1;
            self.end_flow(index, Ending::Evicted, shared);
        }
    }

    /// Ends the flows of apps at these addresses.
    pub(crate) fn end_where(&mut self, gone: impl Fn(IpAddr) -> bool, shared: &mut Shared) {
        for index in self.flows.indices() {
            if self.flows.at(index).is_some_and(|flow| gone(flow.app.ip())) {
                self.end_flow(index, Ending::Stopped, shared);
            }
        }
    }

    /// Ends the flows that were quiet for too long.
    pub(crate) fn time_out(&mut self, shared: &mut Shared) {
        while let Some((index, at)) = self.next_idle() {
            if at > shared.now {
                break;
            }
            shared.counters.idle += 1;
            self.end_flow(index, Ending::Idle, shared);
        }
    }

    pub(crate) fn deadline(&self) -> Option<(Instant, &'static str)> {
        self.next_idle().map(|(_, at)| (at, "udp idle"))
    }

    pub(crate) fn stop(&mut self, shared: &mut Shared) {
        for index in self.flows.indices() {
            self.end_flow(index, Ending::Stopped, shared);
        }
    }

    pub(crate) fn carried(&mut self, into: &mut Vec<(FlowNumber, Traffic)>) {
        for index in self.flows.indices() {
            if let Some(flow) = self.flows.at_mut(index).filter(|flow| flow.told != flow.traffic) {
                flow.told = flow.traffic;
                into.push((flow.number, flow.traffic));
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }

    fn app_of(&self, id: MappingId) -> Option<SocketAddr> {
        self.mappings.at(id.index).filter(|mapping| mapping.id == id).map(|mapping| mapping.app)
    }

    fn mapping_of(&mut self, app: SocketAddr, shared: &mut Shared) -> MappingId {
        if let Some(mapping) = self.by_app.get(&app).and_then(|index| self.mappings.at(*index)) {
            return mapping.id;
        }
        let id = |place: crate::slots::Place| MappingId { index: place.index, generation: place.generation };
        let place = self.mappings.insert_with(|place| Mapping { id: id(place), app, flows: 0, latest: 0 });
        self.by_app.insert(app, place.index);
        shared.sockets += 1;
        id(place)
    }

    fn flow_of(
        &mut self,
        app: SocketAddr,
        remote: SocketAddr,
        mapping: Option<u32>,
        shared: &mut Shared,
    ) -> u32 {
        let pair = Pair::new(app, remote);
        if let Some(index) = self.by_pair.get(&pair) {
            return *index;
        }
        if self.flows.len() >= UDP_FLOWS {
            self.evict_keeping(mapping, shared);
        }
        let number = shared.number();
        let (traffic, told) = (Traffic::default(), Traffic::default());
        let flow = UdpFlow { number, mapping, app, remote, traffic, told, too_big_told: None };
        let class = flow.class();
        let index = self.flows.insert_with(|_| flow).index;
        self.by_pair.insert(pair, index);
        self.listed(class).insert(index, shared.now);
        if let Some(mapping) = mapping.and_then(|mapping| self.mappings.at_mut(mapping)) {
            (mapping.flows, mapping.latest) = (mapping.flows + 1, index);
        }
        shared.ask(Output::Opened { flow: number, key: FlowKey { protocol: Protocol::Udp, app, remote } });
        index
    }

    fn listed(&mut self, class: usize) -> &mut Recency {
        let [others, dns] = &mut self.recency;
        if class == 0 { others } else { dns }
    }

    /// An app has sent this in a flow. The flow's number.
    fn sent(
        &mut self,
        index: u32,
        payload: &Bytes,
        pinned: usize,
        shared: &mut Shared,
    ) -> Option<FlowNumber> {
        let flow = self.flows.at_mut(index)?;
        flow.traffic.packets_sent += 1;
        flow.traffic.bytes_sent += payload.len() as u64;
        let (number, class) = (flow.number, flow.class());
        self.listed(class).touch(index, shared.now);
        shared.show(number, Direction::Sent, Shape::Datagram, payload, pinned);
        Some(number)
    }

    fn deliver(&mut self, index: u32, payload: Bytes, pinned: usize, shared: &mut Shared) {
        let Some(flow) = self.flows.at_mut(index) else { return };
        flow.traffic.packets_received += 1;
        flow.traffic.bytes_received += payload.len() as u64;
        let (number, app, remote, class) = (flow.number, flow.app, flow.remote, flow.class());
        self.listed(class).touch(index, shared.now);
        shared.show(number, Direction::Received, Shape::Datagram, &payload, pinned);
        self.write(remote, app, payload, shared);
    }

    fn write(&mut self, from: SocketAddr, app: SocketAddr, payload: Bytes, shared: &mut Shared) {
        let packet = wire::udp(from, app, Payload::from(payload));
        self.identification = self.identification.wrapping_add(1);
        if packet.len() <= shared.mtu {
            return shared.ask(Output::Packet(packet));
        }
        for fragment in fragments(packet, shared.mtu, self.identification) {
            shared.ask(Output::Packet(fragment));
        }
    }

    /// The flow that ends next if nothing is said, and when.
    fn next_idle(&self) -> Option<(u32, Instant)> {
        let [others, dns] = &self.recency;
        let other = others.oldest().map(|(index, touched)| (index, touched + UDP_IDLE));
        let dns = dns.oldest().map(|(index, touched)| (index, touched + DNS_IDLE));
        other.into_iter().chain(dns).min_by_key(|(_, at)| *at)
    }

    fn end_flow(&mut self, index: u32, ending: Ending, shared: &mut Shared) {
        let Some(flow) = self.flows.remove(index) else { return };
        self.by_pair.remove(&Pair::new(flow.app, flow.remote));
        self.listed(flow.class()).remove(index);
        shared.ask(Output::Closed { flow: flow.number, traffic: flow.traffic, ending });
        if let Some(mapping) = flow.mapping {
            self.leave_mapping(mapping, shared);
        }
    }

    /// A mapping without flows ends with its socket.
    fn leave_mapping(&mut self, index: u32, shared: &mut Shared) {
        let Some(mapping) = self.mappings.at_mut(index) else { return };
        mapping.flows = mapping.flows.saturating_sub(1);
        if mapping.flows == 0 {
            let (id, app) = (mapping.id, mapping.app);
            self.mappings.remove(index);
            self.by_app.remove(&app);
            shared.sockets -= 1;
            shared.ask(Output::Unmap(id));
        }
    }

    /// Ends all flows of a mapping. One that never had a socket has a single flow, and that is at hand.
    fn end_mapping(&mut self, mapping: u32, ending: Ending, shared: &mut Shared) {
        let Some((latest, flows)) = self.mappings.at(mapping).map(|mapping| (mapping.latest, mapping.flows))
        else {
            return;
        };
        let all = if flows == 1 { vec![latest] } else { self.flows.indices() };
        for index in all {
            if self.flows.at(index).is_some_and(|flow| flow.mapping == Some(mapping)) {
                self.end_flow(index, ending, shared);
            }
        }
    }

    /// Ends the flow that was quiet for longest, without ending the mapping that is in use just now, should
    /// it be the last of it.
    fn evict_keeping(&mut self, in_use: Option<u32>, shared: &mut Shared) {
        self.hold(in_use, |flows| flows + 1);
        self.evict(shared);
        self.hold(in_use, |flows| flows - 1);
    }

    fn hold(&mut self, mapping: Option<u32>, change: impl Fn(usize) -> usize) {
        if let Some(mapping) = mapping.and_then(|mapping| self.mappings.at_mut(mapping)) {
            mapping.flows = change(mapping.flows);
        }
    }

    fn oldest_flow(&self) -> Option<(u32, Instant)> {
        let [others, dns] = &self.recency;
        [dns.oldest(), others.oldest()].into_iter().flatten().min_by_key(|(_, touched)| *touched)
    }

    /// Whether an incoming datagram of this pair may have a flow: it has one, or its mapping and the whole
    /// table have place for one more that a stranger begins.
    fn may_record(&self, mapping: u32, pair: &Pair) -> bool {
        let few = self.mappings.at(mapping).is_some_and(|mapping| mapping.flows < FLOWS_FROM_OUTSIDE);
        self.by_pair.contains_key(pair) || (few && self.flows.len() < UDP_FLOWS)
    }

    /// Whether the app's socket is likely to heed what its system knows of the path. At first: then the
    /// error quotes no datagram of it, so that the system learns the path's MTU (and from then on makes
    /// fragments or refuses, as the socket wants it) while the socket is spared an EMSGSIZE that it would
    /// not have met without us. One that goes on regardless is told itself.
    fn heeds_paths(&mut self, app: SocketAddr, to: SocketAddr, now: Instant) -> bool {
        let index = self.by_pair.get(&Pair::new(app, to)).copied();
        let Some(flow) = index.and_then(|index| self.flows.at_mut(index)) else { return true };
        let learned = flow.too_big_told.map(|told| now - told);
        if learned.is_none_or(|since| since > PATH_KNOWN) {
            flow.too_big_told = Some(now);
        }
        learned.is_none_or(|since| since > PATH_KNOWN || since < PATH_LEARNED)
    }
}

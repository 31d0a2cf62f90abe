//! UDP: one mapping for each app address and port, whatever it sends to (RFC 4787 4.1), and any sender's
//! datagram reaches the app once it has sent (RFC 4787 5, endpoint-independent filtering). Flows are
//! records over mappings.

use std::collections::HashMap;
use std::net::SocketAddr;

use bytes::Bytes;
use telltale_model::{Ending, FlowKey, FlowNumber, Protocol, Traffic};

use crate::limits::{DNS_IDLE, UDP_FLOWS, UDP_IDLE};
use crate::pair::{ByPair, Keyed, Pair};
use crate::recency::Recency;
use crate::shared::Shared;
use crate::slots::Slots;
use crate::wire::{
    self, Payload, Unreachable, fragments, synthetic_udp, time_exceeded, too_big, unreachable,
};
use crate::{DatagramFailure, Instant, MappingId, Output};

/// The port of name servers, whose flows are short.
const DNS_PORT: u16 = 53;

/// All mappings and the flows over them.
#[derive(Debug)]
pub(crate) struct Datagrams {
    mappings: Slots<Mapping>,
    by_app: HashMap<SocketAddr, u32, Keyed>,
    flows: Slots<UdpFlow>,
    by_pair: ByPair,
    /// Flows by how long they were quiet: those to name servers apart, since they end sooner.
    recency: [Recency; 2],
    most_mappings: usize,
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
}

impl UdpFlow {
    fn class(&self) -> usize {
        usize::from(self.remote.port() == DNS_PORT)
    }
}

impl Datagrams {
    pub(crate) fn new(most_mappings: usize, hash_key: [u8; 16]) -> Self {
        Self {
            mappings: Slots::default(),
            by_app: HashMap::with_hasher(Keyed(hash_key)),
            flows: Slots::default(),
            by_pair: ByPair::with_hasher(Keyed(hash_key)),
            recency: [Recency::default(), Recency::default()],
            most_mappings,
            identification: 0,
        }
    }

    /// An app's datagram to the network.
    pub(crate) fn send(
        &mut self,
        app: SocketAddr,
        to: SocketAddr,
        payload: Bytes,
        hop_limit: u8,
        shared: &mut Shared,
    ) {
        let mapping = self.mapping_of(app, shared);
        let index = self.flow_of(app, to, Some(mapping.index), shared);
        self.count(index, payload.len(), shared.now);
        shared.ask(Output::Datagram { mapping, to, payload, hop_limit });
    }

    /// An app's question to our own resolver: a flow without a socket.
    pub(crate) fn ask_resolver(
        &mut self,
        app: SocketAddr,
        resolver: SocketAddr,
        len: usize,
        shared: &mut Shared,
    ) {
        let index = self.flow_of(app, resolver, None, shared);
        self.count(index, len, shared.now);
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
        self.deliver(index, message, shared);
    }

    /// A datagram from the network to whoever owns the mapping.
    pub(crate) fn received(&mut self, id: MappingId, from: SocketAddr, payload: Bytes, shared: &mut Shared) {
        let Some(app) = self.app_of(id) else { return };
        if app.is_ipv4() == from.is_ipv4() {
            let index = self.flow_of(app, from, Some(id.index), shared);
            self.deliver(index, payload, shared);
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
            DatagramFailure::PortUnreachable => unreachable(to.ip(), &original(0), Unreachable::Port),
            DatagramFailure::HostUnreachable => unreachable(to.ip(), &original(0), Unreachable::Host),
            DatagramFailure::NetworkUnreachable => unreachable(to.ip(), &original(0), Unreachable::Network),
            DatagramFailure::Prohibited => unreachable(to.ip(), &original(0), Unreachable::Prohibited),
            DatagramFailure::HopLimitExceeded(router) => {
                time_exceeded(router.unwrap_or(to.ip()), &original(0))
            }
            DatagramFailure::TooBig { mtu, payload_len } => too_big(to.ip(), &original(payload_len), mtu),
        };
        shared.reply(packet);
    }

    /// The shell has no socket for a mapping.
    pub(crate) fn unmapped(&mut self, id: MappingId, shared: &mut Shared) {
        if self.app_of(id).is_some() {
            shared.counters.datagrams_dropped += 1;
            self.end_mapping(id.index, Ending::Evicted, shared);
            self.evict_mapping(shared);
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
        if self.mappings.len() >= self.most_mappings {
            self.evict_mapping(shared);
        }
        let id = |place: crate::slots::Place| MappingId { index: place.index, generation: place.generation };
        let place = self.mappings.insert_with(|place| Mapping { id: id(place), app, flows: 0, latest: 0 });
        self.by_app.insert(app, place.index);
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
            self.evict_flow_but(mapping, shared);
        }
        let number = shared.number();
        let (traffic, told) = (Traffic::default(), Traffic::default());
        let flow = UdpFlow { number, mapping, app, remote, traffic, told };
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

    fn count(&mut self, index: u32, len: usize, now: Instant) {
        let Some(flow) = self.flows.at_mut(index) else { return };
        flow.traffic.packets_sent += 1;
        flow.traffic.bytes_sent += len as u64;
        let class = flow.class();
        self.listed(class).touch(index, now);
    }

    fn deliver(&mut self, index: u32, payload: Bytes, shared: &mut Shared) {
        let Some(flow) = self.flows.at_mut(index) else { return };
        flow.traffic.packets_received += 1;
        flow.traffic.bytes_received += payload.len() as u64;
        let (app, remote, class) = (flow.app, flow.remote, flow.class());
        self.listed(class).touch(index, shared.now);
        let packet = wire::udp(remote, app, Payload::from(payload));
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

    /// Ends the flow that was quiet for longest, but none of the mapping that is in use just now: a mapping
    /// without flows would end under the hands of its user.
    fn evict_flow_but(&mut self, in_use: Option<u32>, shared: &mut Shared) {
        let [others, dns] = &self.recency;
        let oldest =
            [dns.oldest(), others.oldest()].into_iter().flatten().min_by_key(|(_, touched)| *touched);
        let Some((index, _)) = oldest else { return };
        shared.counters.evicted += 1;
        if let Some(mapping) = in_use.and_then(|mapping| self.mappings.at_mut(mapping)) {
            mapping.flows += 1;
        }
        self.end_flow(index, Ending::Evicted, shared);
        if let Some(mapping) = in_use.and_then(|mapping| self.mappings.at_mut(mapping)) {
            mapping.flows -= 1;
        }
    }

    /// Ends flows, those that were quiet for longest first, until a mapping has none left and is gone.
    fn evict_mapping(&mut self, shared: &mut Shared) {
        let before = self.mappings.len();
        while self.mappings.len() == before && self.flows.len() > 0 {
            self.evict_flow_but(None, shared);
        }
    }
}

//! ICMP echo: one ping socket of the shell for each app address and echo identifier (RFC 5508 3).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use telltale_model::{Direction, Ending, FlowKey, FlowNumber, Protocol, Traffic};

use crate::limits::{ECHO_IDLE, ECHOES};
use crate::pair::Keyed;
use crate::recency::Recency;
use crate::shared::Shared;
use crate::slots::Slots;
use crate::wire::{
    Payload, Unreachable, echo_reply, fragments, synthetic_echo, time_exceeded, too_big, unreachable,
};
use crate::{DatagramFailure, EchoId, Instant, Output, Shape};

/// All echoes under way.
#[derive(Debug)]
pub(crate) struct Echoes {
    echoes: Slots<EchoFlow>,
    by_ends: HashMap<Ends, u32, Keyed>,
    recency: Recency,
    identifications: u32,
}

/// Who asks whom: a `ping` sends to one remote under one identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Ends {
    app: IpAddr,
    identifier: u16,
    remote: IpAddr,
}

#[derive(Debug)]
struct EchoFlow {
    id: EchoId,
    number: FlowNumber,
    ends: Ends,
    traffic: Traffic,
    told: Traffic,
}

/// An echo request of an app.
pub(crate) struct Request {
    pub(crate) app: IpAddr,
    pub(crate) remote: IpAddr,
    pub(crate) identifier: u16,
    pub(crate) sequence: u16,
    pub(crate) payload: Bytes,
    pub(crate) hop_limit: u8,
}

impl Echoes {
    pub(crate) fn new(hash_key: [u8; 16]) -> Self {
        Self {
            echoes: Slots::default(),
            by_ends: HashMap::with_hasher(Keyed(hash_key)),
            recency: Recency::default(),
            identifications: 0,
        }
    }

    pub(crate) fn request(&mut self, request: Request, shared: &mut Shared) {
        let Request { app, remote, identifier, sequence, payload, hop_limit } = request;
        let index = self.flow_of(Ends { app, identifier, remote }, shared);
        let Some(flow) = self.echoes.at_mut(index) else { return };
        flow.traffic.packets_sent += 1;
        flow.traffic.bytes_sent += payload.len() as u64;
        let (echo, number) = (flow.id, flow.number);
        self.recency.touch(index, shared.now);
        shared.show(number, Direction::Sent, Shape::Datagram, &payload, payload.len());
        shared.ask(Output::EchoRequest { echo, to: remote, sequence, payload, hop_limit });
    }

    pub(crate) fn reply(&mut self, id: EchoId, sequence: u16, payload: Bytes, shared: &mut Shared) {
        let Some(flow) = self.get(id) else { return };
        flow.traffic.packets_received += 1;
        flow.traffic.bytes_received += payload.len() as u64;
        let (ends, number) = (flow.ends, flow.number);
        self.recency.touch(id.index, shared.now);
        shared.show(number, Direction::Received, Shape::Datagram, &payload, payload.len());
        self.identifications = self.identifications.wrapping_add(1);
        let packet = echo_reply(ends.remote, ends.app, ends.identifier, sequence, Payload::from(payload));
        if packet.len() <= shared.mtu {
            return shared.ask(Output::Packet(packet));
        }
        for fragment in fragments(packet, shared.mtu, self.identifications) {
            shared.ask(Output::Packet(fragment));
        }
    }

    pub(crate) fn failed(
        &mut self,
        id: EchoId,
        sequence: u16,
        failure: DatagramFailure,
        shared: &mut Shared,
    ) {
        let Some(Ends { app, identifier, remote }) = self.get(id).map(|flow| flow.ends) else { return };
        let original = synthetic_echo(app, remote, identifier, sequence);
        let packet = match failure {
            DatagramFailure::PortUnreachable => unreachable(remote, &original, Unreachable::Port),
            DatagramFailure::HostUnreachable => unreachable(remote, &original, Unreachable::Host),
            DatagramFailure::NetworkUnreachable => unreachable(remote, &original, Unreachable::Network),
            DatagramFailure::Prohibited => unreachable(remote, &original, Unreachable::Prohibited),
            DatagramFailure::HopLimitExceeded(router) => time_exceeded(router.unwrap_or(remote), &original),
            DatagramFailure::TooBig { mtu, .. } => too_big(remote, &original, mtu),
        };
        shared.reply(packet);
    }

    /// The shell has no ping socket for an echo.
    pub(crate) fn unechoed(&mut self, id: EchoId, shared: &mut Shared) {
        if self.get(id).is_some() {
            shared.counters.echoes_dropped += 1;
            self.end(id.index, Ending::Evicted, shared);
        }
    }

    pub(crate) fn time_out(&mut self, shared: &mut Shared) {
        while let Some((index, touched)) = self.recency.oldest() {
            if touched + ECHO_IDLE > shared.now {
                break;
            }
            shared.counters.idle += 1;
            self.end(index, Ending::Idle, shared);
        }
    }

    pub(crate) fn deadline(&self) -> Option<(Instant, &'static str)> {
        self.recency.oldest().map(|(_, touched)| (touched + ECHO_IDLE, "echo idle"))
    }

    pub(crate) fn stop(&mut self, shared: &mut Shared) {
        for index in self.echoes.indices() {
            self.end(index, Ending::Stopped, shared);
        }
    }

    pub(crate) fn carried(&mut self, into: &mut Vec<(FlowNumber, Traffic)>) {
        for index in self.echoes.indices() {
            if let Some(flow) = self.echoes.at_mut(index).filter(|flow| flow.told != flow.traffic) {
                flow.told = flow.traffic;
                into.push((flow.number, flow.traffic));
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.echoes.len()
    }

    fn get(&mut self, id: EchoId) -> Option<&mut EchoFlow> {
        self.echoes.at_mut(id.index).filter(|flow| flow.id == id)
    }

    fn flow_of(&mut self, ends: Ends, shared: &mut Shared) -> u32 {
        if let Some(index) = self.by_ends.get(&ends) {
            return *index;
        }
        if self.echoes.len() >= ECHOES {
            self.evict(shared);
        }
        let number = shared.number();
        let (traffic, told) = (Traffic::default(), Traffic::default());
        let place = self.echoes.insert_with(|place| {
            let id = EchoId { index: place.index, generation: place.generation };
            EchoFlow { id, number, ends, traffic, told }
        });
        self.by_ends.insert(ends, place.index);
        self.recency.insert(place.index, shared.now);
        shared.sockets += 1;
        let (app, remote) = (SocketAddr::new(ends.app, ends.identifier), SocketAddr::new(ends.remote, 0));
        shared.ask(Output::Opened { flow: number, key: FlowKey { protocol: Protocol::Icmp, app, remote } });
        place.index
    }

    fn evict(&mut self, shared: &mut Shared) {
        if let Some((index, _)) = self.recency.oldest() {
            shared.counters.evicted += 1;
            self.end(index, Ending::Evicted, shared);
        }
    }

    fn end(&mut self, index: u32, ending: Ending, shared: &mut Shared) {
        let Some(flow) = self.echoes.remove(index) else { return };
        self.by_ends.remove(&flow.ends);
        self.recency.remove(index);
        shared.sockets -= 1;
        shared.ask(Output::Unecho(flow.id));
        shared.ask(Output::Closed { flow: flow.number, traffic: flow.traffic, ending });
    }
}

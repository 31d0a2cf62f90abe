//! One flow of a capture: its packets in, observations out.

use std::net::SocketAddr;

use bytes::Bytes;
use telltale_model::{Direction, Ending, FlowKey, FlowNumber, Observation, Protocol, Timestamp, Traffic};

use super::Event;
use super::packet::{Content, Packet};
use crate::flow::{Connection, Told};
use crate::ip::{ICMP, ICMPV6, TCP, UDP};
use crate::limits;

pub(super) struct Flow {
    pub(super) number: FlowNumber,
    pub(super) app: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) started: Timestamp,
    pub(super) last: Timestamp,
    /// Not later than its end; where packets came meanwhile, earlier.
    pub(super) look_at: Timestamp,
    pub(super) traffic: Traffic,
    /// `None` where every packet stands for itself.
    connection: Option<Box<Connection>>,
}

impl Flow {
    pub(super) fn new(number: FlowNumber, at: Timestamp, packet: &Packet) -> Self {
        let (app, remote) = if packet.from_app {
            (packet.source, packet.destination)
        } else {
            (packet.destination, packet.source)
        };
        let connection = match packet.content {
            Content::Segment(_) => Some(Box::default()),
            Content::Datagram(..) => None,
        };
        let traffic = Traffic::default();
        let mut flow = Self { number, app, remote, started: at, last: at, look_at: at, traffic, connection };
        flow.look_at = flow.deadline();
        flow
    }

    /// `None` for a protocol that the relay does not know. Echo has no port on the other side.
    pub(super) fn key(&self, protocol: u8) -> Option<FlowKey> {
        let (protocol, remote) = match protocol {
            TCP => (Protocol::Tcp, self.remote),
            UDP => (Protocol::Udp, self.remote),
            ICMP | ICMPV6 => (Protocol::Icmp, SocketAddr::new(self.remote.ip(), 0)),
            _ => return None,
        };
        Some(FlowKey { protocol, app: self.app, remote })
    }

    fn direction(&self, packet: &Packet) -> Direction {
        let from_app = if self.app == self.remote { packet.from_app } else { packet.source == self.app };
        if from_app { Direction::Sent } else { Direction::Received }
    }

    pub(super) fn is_over_for(&self, packet: &Packet) -> bool {
        match (&self.connection, &packet.content) {
            (Some(connection), Content::Segment(segment)) => {
                connection.is_over_for(self.direction(packet), segment)
            }
            _ => false,
        }
    }

    pub(super) fn take(&mut self, at: Timestamp, packet: Packet, events: &mut Vec<Event>) {
        let direction = self.direction(&packet);
        self.last = self.last.max(at);
        self.count_packet(direction);
        let number = self.number;
        match (packet.content, &mut self.connection) {
            (Content::Segment(segment), Some(connection)) => {
                connection.take(direction, segment, &mut |direction, told| {
                    events.push(observed(number, direction, told, at));
                });
                self.count_told();
            }
            (Content::Datagram(payload, missing), _) => {
                self.count_bytes(direction, payload.len() + missing);
                if is_watched(packet.protocol) {
                    datagram(number, direction, payload, missing, at, events);
                }
            }
            (Content::Segment(_), None) => {}
        }
    }

    pub(super) fn wait_no_longer(&mut self, at: Timestamp, events: &mut Vec<Event>) {
        let number = self.number;
        if let Some(connection) = &mut self.connection {
            connection.finish(&mut |direction, told| events.push(observed(number, direction, told, at)));
            self.count_told();
        }
    }

    pub(super) fn held(&self) -> usize {
        self.connection.as_ref().map_or(0, |connection| connection.held())
    }

    fn count_packet(&mut self, direction: Direction) {
        match direction {
            Direction::Sent => self.traffic.packets_sent += 1,
            Direction::Received => self.traffic.packets_received += 1,
        }
    }

    fn count_bytes(&mut self, direction: Direction, bytes: usize) {
        match direction {
            Direction::Sent => self.traffic.bytes_sent += bytes as u64,
            Direction::Received => self.traffic.bytes_received += bytes as u64,
        }
    }

    fn count_told(&mut self) {
        if let Some(connection) = &self.connection {
            self.traffic.bytes_sent = connection.told(Direction::Sent);
            self.traffic.bytes_received = connection.told(Direction::Received);
        }
    }

    /// How it ended: as its packets say, else as the tracker does.
    pub(super) fn ending(&self, otherwise: Ending) -> Ending {
        let Some(connection) = &self.connection else { return otherwise };
        let is_silence = otherwise == Ending::Idle && connection.is_unanswered();
        connection.ending().unwrap_or(if is_silence { Ending::TimedOut } else { otherwise })
    }

    /// When it ends if nothing more is heard of it.
    pub(super) fn deadline(&self) -> Timestamp {
        let seconds = match &self.connection {
            None => limits::DATAGRAMS_IDLE,
            Some(connection) if connection.ending().is_some() => limits::TCP_ENDED,
            Some(connection) if connection.is_unanswered() => limits::TCP_UNANSWERED,
            Some(_) => limits::TCP_IDLE,
        };
        Timestamp(self.last.0.saturating_add(seconds * 1_000_000))
    }
}

fn is_watched(protocol: u8) -> bool {
    matches!(protocol, TCP | UDP | ICMP | ICMPV6)
}

/// What was captured of a datagram, then how much of it is lacking.
fn datagram(
    flow: FlowNumber,
    direction: Direction,
    payload: Bytes,
    missing: usize,
    at: Timestamp,
    events: &mut Vec<Event>,
) {
    if !payload.is_empty() {
        events.push(observed(flow, direction, Told::Bytes(payload), at));
    }
    if missing > 0 {
        events.push(observed(flow, direction, Told::Missed(missing as u64), at));
    }
}

fn observed(flow: FlowNumber, direction: Direction, told: Told, at: Timestamp) -> Event {
    Event::Observed(match told {
        Told::Bytes(payload) => Observation::Bytes { flow, direction, payload, at },
        Told::Missed(bytes) => Observation::Missed { flow, direction, bytes },
    })
}

//! Follows every flow of a capture.

mod flow;
mod fragments;
mod packet;

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use telltale_model::{Ending, FlowNumber, Observation, Timestamp};

use crate::flow::OtherFlow;
use crate::ip::{Ip, Parsed, parse};
use crate::{Frame, limits, link};
use flow::Flow;
use fragments::Fragments;
use packet::{Packet, Pair};

/// What happened, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// To a flow of TCP, UDP or ICMP.
    Observed(Observation),
    /// A flow of another protocol has ended. Nothing else is told of these.
    Other(OtherFlow),
}

/// Finds flows in frames.
#[derive(Default)]
pub struct Tracker {
    flows: HashMap<Pair, Flow>,
    /// When to look whether a flow has ended: [`Flow::look_at`] of each.
    deadlines: BTreeSet<(Timestamp, FlowNumber, Pair)>,
    begun: u64,
    /// Bytes that wait in all TCP connections together.
    held: usize,
    fragments: Fragments,
}

impl Tracker {
    /// A tracker that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next frame of the capture, and appends what happened with it.
    pub fn take(&mut self, frame: &Frame, events: &mut Vec<Event>) {
        self.end_idle(frame.at, events);
        while let Some((at, begin)) = self.fragments.overdue(frame.at) {
            self.whole(at, &begin, 0, events);
        }
        let mut packets = Vec::new();
        link::packets(frame.link, frame.bytes.clone(), &mut packets);
        for packet in packets {
            self.packet(frame.at, packet, limits::TUNNELS, events);
        }
    }

    /// The capture is at its end: appends the end of every flow, oldest first.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        while let Some((at, begin)) = self.fragments.overdue(Timestamp(i64::MAX)) {
            self.whole(at, &begin, 0, events);
        }
        let mut flows: Vec<(Pair, Flow)> = self.flows.drain().collect();
        flows.sort_by_key(|(_, flow)| flow.number);
        self.deadlines.clear();
        for (pair, flow) in flows {
            self.close(pair, flow, Ending::Stopped, events);
        }
    }

    fn packet(&mut self, at: Timestamp, packet: Bytes, depth: usize, events: &mut Vec<Event>) {
        match parse(&packet) {
            Parsed::Whole(ip) => self.whole(at, &ip, depth, events),
            Parsed::Fragment(number, begin) => {
                let whole = self.fragments.insert(at, &packet, number, begin);
                if let Some(Parsed::Whole(ip)) = whole.map(|whole| parse(&whole)) {
                    self.whole(at, &ip, depth, events);
                }
            }
            Parsed::Neither => {}
        }
    }

    /// A packet that carries another is a packet of its own flow too.
    fn whole(&mut self, at: Timestamp, ip: &Ip, depth: usize, events: &mut Vec<Event>) {
        if let Some(packet) = Packet::read(ip) {
            self.deliver(at, packet, events);
        }
        let inside = if depth > 0 { link::inside(ip) } else { None };
        if let Some((layer, bytes)) = inside {
            let mut packets = Vec::new();
            link::unwrap(layer, bytes, &mut packets);
            for packet in packets {
                self.packet(at, packet, depth - 1, events);
            }
        }
    }

    fn deliver(&mut self, at: Timestamp, packet: Packet, events: &mut Vec<Event>) {
        let pair = packet.pair();
        if self.flows.get(&pair).is_some_and(|flow| flow.is_over_for(&packet)) {
            self.end(pair, Ending::Evicted, events);
        }
        if !self.flows.contains_key(&pair) {
            self.begin(at, pair, &packet, events);
        }
        let Some(flow) = self.flows.get_mut(&pair) else { return };
        self.held -= flow.held();
        flow.take(at, packet, events);
        if self.held + flow.held() > limits::WAITING_IN_ALL {
            flow.wait_no_longer(at, events);
        }
        self.held += flow.held();
        if flow.deadline() < flow.look_at {
            self.deadlines.remove(&(flow.look_at, flow.number, pair));
            flow.look_at = flow.deadline();
            self.deadlines.insert((flow.look_at, flow.number, pair));
        }
    }

    fn begin(&mut self, at: Timestamp, pair: Pair, packet: &Packet, events: &mut Vec<Event>) {
        if self.flows.len() >= limits::FLOWS
            && let Some(pair) = self.nearest_to_its_end()
        {
            self.end(pair, Ending::Evicted, events);
        }
        self.begun += 1;
        let flow = Flow::new(FlowNumber(self.begun), at, packet);
        if let Some(key) = flow.key(pair.protocol) {
            events.push(Event::Observed(Observation::Opened { flow: flow.number, key, at }));
        }
        self.deadlines.insert((flow.look_at, flow.number, pair));
        self.flows.insert(pair, flow);
    }

    /// A flow that was heard of moves its deadline only when that is looked at: each does so once for all
    /// that was heard meanwhile.
    fn nearest_to_its_end(&mut self) -> Option<Pair> {
        while let Some((look_at, number, pair)) = self.deadlines.first().copied() {
            let Some(flow) = self.flows.get_mut(&pair).filter(|flow| flow.deadline() > look_at) else {
                return Some(pair);
            };
            flow.look_at = flow.deadline();
            self.deadlines.pop_first();
            self.deadlines.insert((flow.look_at, number, pair));
        }
        None
    }

    /// Ends flows of which nothing was heard for too long, in the order in which that became so.
    fn end_idle(&mut self, now: Timestamp, events: &mut Vec<Event>) {
        while let Some((look_at, number, pair)) = self.deadlines.first().copied()
            && look_at < now
        {
            self.deadlines.pop_first();
            let Some(flow) = self.flows.get_mut(&pair).filter(|flow| flow.deadline() > look_at) else {
                self.end(pair, Ending::Idle, events);
                continue;
            };
            flow.look_at = flow.deadline();
            self.deadlines.insert((flow.look_at, number, pair));
        }
    }

    fn end(&mut self, pair: Pair, ending: Ending, events: &mut Vec<Event>) {
        if let Some(flow) = self.flows.remove(&pair) {
            self.deadlines.remove(&(flow.look_at, flow.number, pair));
            self.close(pair, flow, ending, events);
        }
    }

    fn close(&mut self, pair: Pair, mut flow: Flow, ending: Ending, events: &mut Vec<Event>) {
        self.held -= flow.held();
        flow.wait_no_longer(flow.last, events);
        let (number, traffic, at) = (flow.number, flow.traffic, flow.last);
        events.push(if flow.key(pair.protocol).is_some() {
            let ending = flow.ending(ending);
            Event::Observed(Observation::Closed { flow: number, traffic, ending, at })
        } else {
            Event::Other(OtherFlow {
                protocol: pair.protocol,
                source: flow.app.ip(),
                destination: flow.remote.ip(),
                started: flow.started,
                ended: at,
                traffic,
            })
        });
    }
}

#[cfg(test)]
mod tests;

//! All TCP flows: which segment belongs to which, how many there may be, whose turn it is.

use std::collections::VecDeque;
use std::net::IpAddr;

use bytes::Bytes;
use telltale_model::{Ending, FlowNumber, Traffic};

use super::flow::{Beginning, Flow, Upstream, Verdict};
use super::isn::initial_sequence;
use super::reply::Reply;
use super::segment::Segment;
use super::sender::End;
use crate::limits::{HELD_SYNS, TCP_FLOWS};
use crate::pair::{ByPair, Keyed, Pair};
use crate::recency::Recency;
use crate::shared::Shared;
use crate::slots::Slots;
use crate::timers::Timers;
use crate::wire::{Unreachable, synthetic_tcp, unreachable};
use crate::{Failure, FlowId, Instant, Output};

/// The flows by index and by their two ends.
#[derive(Debug)]
pub(crate) struct Flows {
    flows: Slots<Flow>,
    by_pair: ByPair,
    recency: Recency,
    timers: Timers,
    /// Flows to poll, each listed once.
    ready: VecDeque<u32>,
    held: usize,
    isn_key: [u8; 16],
}

impl Flows {
    /// No flows yet.
    pub(crate) fn new(isn_key: [u8; 16], hash_key: [u8; 16]) -> Self {
        Self {
            flows: Slots::default(),
            by_pair: ByPair::with_hasher(Keyed(hash_key)),
            recency: Recency::default(),
            timers: Timers::default(),
            ready: VecDeque::new(),
            held: 0,
            isn_key,
        }
    }

    /// Takes a segment from an app. `upstream` says where a new flow's bytes would go, or that nothing
    /// listens there. Gives the flow if it is one to our own resolver, which then reads what is pending.
    pub(crate) fn segment(
        &mut self,
        segment: Segment,
        pinned: usize,
        upstream: Option<Upstream>,
        shared: &mut Shared,
    ) -> Option<FlowId> {
        let (app, remote) = (segment.app, segment.remote);
        self.dispatch(segment, pinned, upstream, shared);
        if upstream != Some(Upstream::Resolver) {
            return None;
        }
        let index = self.by_pair.get(&Pair::new(app, remote))?;
        self.flows.at(*index).map(|flow| flow.id)
    }

    fn dispatch(&mut self, segment: Segment, pinned: usize, upstream: Option<Upstream>, shared: &mut Shared) {
        match self.find(&segment) {
            Some(index) if self.is_reborn(index, &segment) => {
                let done = self.flows.at(index).is_some_and(Flow::is_done_upstream);
                // What is unfinished is broken off, for the remote must not take it for whole.
                self.end(index, if done { Ending::Finished } else { Ending::ResetByApp }, shared);
                self.begin(&segment, upstream, shared);
            }
            Some(index) => self.segment_of(index, segment, pinned, shared),
            None if segment.syn && segment.acknowledgement.is_none() && !segment.rst => {
                self.begin(&segment, upstream, shared);
            }
            None => {
                shared.counters.stray_segments += 1;
                shared.reply(Reply::refusal(&segment));
            }
        }
    }

    pub(crate) fn connected(&mut self, id: FlowId, shared: &mut Shared) {
        let Some(flow) = self.get(id) else { return };
        let was_held = flow.is_held();
        flow.connected(shared.now);
        self.held -= usize::from(was_held);
        self.list(id.index);
    }

    /// The socket could not be connected, and the shell has closed it.
    pub(crate) fn connect_failed(&mut self, id: FlowId, failure: Failure, shared: &mut Shared) {
        let Some(flow) = self.get(id) else { return };
        let (app, remote, syn) = (flow.app, flow.remote, flow.syn());
        let original = || synthetic_tcp(app, remote, syn.0);
        let ending = match failure {
            Failure::Refused | Failure::Reset => {
                // RFC 9293 3.10.7.1: a refusal carries no number of its own.
                shared.reply(Some(Reply { app, remote }.reset(super::sequence::Sequence(0), syn.plus(1))));
                Ending::Refused
            }
            Failure::NetworkUnreachable => {
                shared.reply(unreachable(remote.ip(), &original(), Unreachable::Network));
                Ending::Unreachable
            }
            Failure::HostUnreachable => {
                shared.reply(unreachable(remote.ip(), &original(), Unreachable::Host));
                Ending::Unreachable
            }
            // Silence, as the app would have met it; its own clock decides.
            Failure::TimedOut => Ending::TimedOut,
            Failure::NoSockets => Ending::Evicted,
        };
        self.remove(id.index, ending, shared);
    }

    /// Whether a segment belongs to a flow that there is.
    pub(crate) fn knows(&self, segment: &Segment) -> bool {
        self.find(segment).is_some()
    }

    /// When the flow that was quiet for longest was last heard of.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.recency.oldest().map(|(_, touched)| touched)
    }

    pub(crate) fn sent(&mut self, id: FlowId, bytes: usize, shared: &mut Shared) {
        self.with(id, |flow| flow.sent(bytes, shared));
    }

    pub(crate) fn blocked(&mut self, id: FlowId, shared: &mut Shared) {
        self.with(id, |flow| flow.receiver.pending.settle(&mut shared.memory));
    }

    pub(crate) fn received(&mut self, id: FlowId, payload: Bytes, pinned: usize, shared: &mut Shared) {
        let now = shared.now;
        self.with(id, |flow| flow.received(payload, pinned, shared));
        self.recency.touch(id.index, now);
    }

    pub(crate) fn finished(&mut self, id: FlowId, shared: &mut Shared) {
        self.with(id, |flow| flow.ended(End::Fin, shared));
    }

    pub(crate) fn broken(&mut self, id: FlowId, unsent: usize, shared: &mut Shared) {
        self.with(id, |flow| {
            flow.never_sent(unsent);
            shared.sockets -= usize::from(flow.upstream() == Upstream::Socket);
            flow.ended(End::Reset, shared);
        });
    }

    pub(crate) fn room(&mut self, id: FlowId, shared: &mut Shared) -> usize {
        let Some(flow) = self.get(id) else { return 0 };
        flow.room(shared)
    }

    /// The number of a flow.
    pub(crate) fn number(&self, id: FlowId) -> Option<FlowNumber> {
        self.flows.at(id.index).filter(|flow| flow.id == id).map(|flow| flow.number)
    }

    /// Bytes in [`Self::pending`].
    pub(crate) fn pending_len(&self, id: FlowId) -> usize {
        let flow = self.flows.at(id.index).filter(|flow| flow.id == id);
        flow.map_or(0, |flow| flow.receiver.pending.len())
    }

    pub(crate) fn pending(&self, id: FlowId) -> impl Iterator<Item = &[u8]> {
        let flow = self.flows.at(id.index).filter(|flow| flow.id == id);
        flow.into_iter().flat_map(|flow| flow.receiver.pending.slices())
    }

    /// Whether the app has said all that it will.
    pub(crate) fn app_finished(&self, id: FlowId) -> bool {
        self.flows.at(id.index).is_some_and(|flow| flow.id == id && flow.receiver.finished())
    }

    /// The next thing to do for any flow.
    pub(crate) fn poll(&mut self, shared: &mut Shared) -> Option<Output> {
        while let Some(&index) = self.ready.front() {
            let Some(flow) = self.flows.at_mut(index) else {
                self.ready.pop_front();
                continue;
            };
            if let Some(output) = flow.poll(shared) {
                return Some(output);
            }
            flow.listed = false;
            let verdict = flow.verdict();
            self.ready.pop_front();
            self.conclude(index, verdict, shared);
            if let Some(output) = shared.next_output() {
                return Some(output);
            }
        }
        None
    }

    /// Wakes the flows whose deadline has come.
    pub(crate) fn time_out(&mut self, shared: &mut Shared) {
        while let Some(index) = self.timers.pop_due(shared.now) {
            let Some(flow) = self.flows.at_mut(index) else { continue };
            flow.armed = None;
            match flow.time_out(shared) {
                Verdict::Lives => self.list(index),
                Verdict::Ended(ending) => self.end(index, ending, shared),
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<(Instant, &'static str)> {
        self.timers.next().map(|at| (at, "tcp flow"))
    }

    /// Ends the flows of apps at these addresses.
    pub(crate) fn end_where(&mut self, gone: impl Fn(IpAddr) -> bool, shared: &mut Shared) {
        for index in self.flows.indices() {
            if self.flows.at(index).is_some_and(|flow| gone(flow.app.ip())) {
                self.end(index, Ending::Stopped, shared);
            }
        }
    }

    /// Ends every flow because the relay stops.
    pub(crate) fn stop(&mut self, shared: &mut Shared) {
        for index in self.flows.indices() {
            self.end(index, Ending::Stopped, shared);
        }
    }

    /// Flows that carried something since the last call.
    pub(crate) fn carried(&mut self, into: &mut Vec<(FlowNumber, Traffic)>) {
        for index in self.flows.indices() {
            if let Some(flow) = self.flows.at_mut(index).filter(|flow| flow.told != flow.traffic) {
                flow.told = flow.traffic;
                into.push((flow.number, flow.traffic));
            }
        }
    }

    /// How many flows still have something to say, and how many bytes of all were said.
    pub(crate) fn unfinished(&self) -> (usize, u64) {
        let flows = self.flows.indices().into_iter().filter_map(|index| self.flows.at(index));
        flows.fold((0, 0), |(count, said), flow| {
            (count + usize::from(flow.has_more_to_say()), said + flow.traffic.bytes_sent)
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }

    /// Appends our resolver's bytes to a flow that asked it.
    pub(crate) fn answer(&mut self, id: FlowId, message: Bytes, shared: &mut Shared) {
        let pinned = message.len();
        self.received(id, message, pinned, shared);
    }

    /// Takes bytes that our resolver has read from what is pending.
    pub(crate) fn consumed(&mut self, id: FlowId, bytes: usize, shared: &mut Shared) {
        self.sent(id, bytes, shared);
    }

    fn get(&mut self, id: FlowId) -> Option<&mut Flow> {
        self.flows.at_mut(id.index).filter(|flow| flow.id == id)
    }

    fn with(&mut self, id: FlowId, act: impl FnOnce(&mut Flow)) {
        if let Some(flow) = self.get(id) {
            act(flow);
            self.list(id.index);
        }
    }

    fn find(&self, segment: &Segment) -> Option<u32> {
        self.by_pair.get(&Pair::new(segment.app, segment.remote)).copied()
    }

    fn is_reborn(&self, index: u32, segment: &Segment) -> bool {
        let begins = segment.syn && segment.acknowledgement.is_none() && !segment.rst;
        begins && self.flows.at(index).is_some_and(|flow| flow.yields_to(segment.sequence))
    }

    fn segment_of(&mut self, index: u32, segment: Segment, pinned: usize, shared: &mut Shared) {
        let Some(flow) = self.flows.at_mut(index) else { return };
        let verdict = flow.segment(segment, pinned, shared);
        self.recency.touch(index, shared.now);
        match verdict {
            Verdict::Lives => self.list(index),
            Verdict::Ended(ending) => self.end(index, ending, shared),
        }
    }

    fn begin(&mut self, syn: &Segment, upstream: Option<Upstream>, shared: &mut Shared) {
        let Some(upstream) = upstream else { return shared.reply(Reply::refusal(syn)) };
        if self.held >= HELD_SYNS {
            shared.counters.held_dropped += 1;
            return;
        }
        if self.flows.len() >= TCP_FLOWS {
            self.evict(shared);
        }
        let (id, number) = self.insert(syn, upstream, shared);
        if upstream == Upstream::Socket {
            self.held += 1;
            shared.sockets += 1;
            shared.ask(Output::Connect { flow: id, number, to: syn.remote });
        } else {
            self.connected_at_once(id, shared.now);
        }
        self.list(id.index);
    }

    fn insert(&mut self, syn: &Segment, upstream: Upstream, shared: &mut Shared) -> (FlowId, FlowNumber) {
        let isn = initial_sequence(&self.isn_key, syn.app, syn.remote, shared.now);
        let number = shared.number();
        let mut key = None;
        let place = self.flows.insert_with(|place| {
            let id = FlowId { index: place.index, generation: place.generation };
            let flow = Flow::held(&Beginning { id, number, isn, upstream }, syn, shared);
            key = Some(flow.key());
            flow
        });
        self.by_pair.insert(Pair::new(syn.app, syn.remote), place.index);
        self.recency.insert(place.index, shared.now);
        if let Some(key) = key {
            shared.ask(Output::Opened { flow: number, key });
        }
        (FlowId { index: place.index, generation: place.generation }, number)
    }

    fn connected_at_once(&mut self, id: FlowId, now: Instant) {
        if let Some(flow) = self.get(id) {
            flow.connected(now);
        }
    }

    fn list(&mut self, index: u32) {
        if let Some(flow) = self.flows.at_mut(index).filter(|flow| !flow.listed) {
            flow.listed = true;
            self.ready.push_back(index);
        }
    }

    /// After a flow was polled: it is over, or it is armed for its next deadline.
    fn conclude(&mut self, index: u32, verdict: Verdict, shared: &mut Shared) {
        if let Verdict::Ended(ending) = verdict {
            return self.end(index, ending, shared);
        }
        let Some(flow) = self.flows.at_mut(index) else { return };
        let (deadline, quiet) = flow.deadline(shared.now);
        flow.armed = self.timers.rearm(index, flow.armed, Some(deadline), quiet);
    }

    /// Ends a flow as its ending demands on both sides.
    fn end(&mut self, index: u32, ending: Ending, shared: &mut Shared) {
        let Some(flow) = self.flows.at_mut(index) else { return };
        let (id, held) = (flow.id, flow.is_held());
        shared.counters.idle += u64::from(ending == Ending::Idle);
        let silent = match ending {
            Ending::Finished | Ending::ResetByApp | Ending::GivenUp => true,
            Ending::Stopped => false,
            Ending::ResetByRemote
            | Ending::Refused
            | Ending::Unreachable
            | Ending::TimedOut
            | Ending::Idle
            | Ending::Evicted => held,
        };
        if !silent {
            flow.traffic.packets_received += 1;
            shared.reply(Some(flow.reset()));
        }
        if flow.upstream() == Upstream::Socket {
            // What the app has said to its end is on its way, also where the relay does not stay for more.
            let said = ending == Ending::Stopped && flow.has_said_all();
            let orderly = ending == Ending::Finished || said;
            shared.ask(if orderly { Output::Close(id) } else { Output::Abort(id) });
        }
        self.remove(index, ending, shared);
    }

    fn remove(&mut self, index: u32, ending: Ending, shared: &mut Shared) {
        let Some(mut flow) = self.flows.remove(index) else { return };
        flow.release(shared);
        let socket = flow.upstream() == Upstream::Socket;
        self.held -= usize::from(flow.is_held() && socket);
        shared.sockets -= usize::from(socket);
        self.timers.disarm(index, flow.armed);
        self.recency.remove(index);
        self.by_pair.remove(&Pair::new(flow.app, flow.remote));
        shared.ask(Output::Closed { flow: flow.number, traffic: flow.traffic, ending });
    }

    /// Makes room: the flow that was quiet for longest ends.
    pub(crate) fn evict(&mut self, shared: &mut Shared) {
        if let Some((index, _)) = self.recency.oldest() {
            shared.counters.evicted += 1;
            self.end(index, Ending::Evicted, shared);
        }
    }
}

//! One TCP flow: a terminator between an app's connection and a socket of the shell (RFC 9293).
//!
//! The handshake with the app is finished only when the destination has answered. From then on the
//! [`Receiver`] takes what the app sends, the [`Sender`] brings what the socket gave, and each direction
//! ends as it ended on the other side: FIN as FIN, reset as reset.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use telltale_model::{Ending, FlowKey, FlowNumber, Protocol, Traffic};

use super::acknowledge::{Acknowledge, Urgency};
use super::receiver::Receiver;
use super::reply::Reply;
use super::segment::Segment;
use super::sender::{Acknowledgement, End, Sender};
use super::sequence::Sequence;
use crate::limits::{
    FLOW_PENDING, FLOW_RESERVE, HELD_SYN, HELD_SYN_GRACE, IDLE_PROBE_INTERVAL, IDLE_PROBES, LEAST_ROOM,
    RETRANSMISSIONS, RTO_INITIAL, TCP_CLOSING_IDLE, TCP_IDLE, WINDOW_SCALE, WINDOW_STEP,
};
use crate::shared::Shared;
use crate::{FlowId, Instant, Output, Packet};

/// A flow from its first SYN to its last acknowledgement.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) id: FlowId,
    pub(crate) number: FlowNumber,
    pub(crate) app: SocketAddr,
    pub(crate) remote: SocketAddr,
    stage: Stage,
    upstream: Upstream,
    pub(crate) receiver: Receiver,
    sender: Sender,
    mss: usize,
    sack: bool,
    scaled: bool,
    acknowledge: Acknowledge,
    probe_due: bool,
    send_due: bool,
    /// The app has reset the connection.
    broken_off: bool,
    finish_told: bool,
    keep_alive: KeepAlive,
    /// The shell found no room to read into and waits for word.
    starved: bool,
    heard: Instant,
    idle_probes: u32,
    pub(crate) traffic: Traffic,
    /// What was told by [`crate::Engine::carried`] last.
    pub(crate) told: Traffic,
    /// The deadline that is armed in the engine's timers.
    pub(crate) armed: Option<Instant>,
    /// Whether the flow stands in the engine's list of those to poll.
    pub(crate) listed: bool,
}

#[derive(Debug)]
enum Stage {
    /// The SYN is held while the remote has not answered.
    Held { repeated: Instant, interval: Duration },
    /// The remote has answered and so do we: SYN-ACK until the app acknowledges it.
    Answered { due: bool, again_at: Instant, times: u32 },
    /// Both ways open, until each has ended.
    Open,
}

/// Where the app's bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// To a socket of the shell.
    Socket,
    /// To our own resolver.
    Resolver,
    /// Nowhere: the socket broke.
    Gone,
}

/// The app's first keep-alive probe turns keep-alives on upstream, once.
#[derive(Debug, PartialEq, Eq)]
enum KeepAlive {
    Unseen,
    Due,
    Told,
}

/// Whether a flow lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It does.
    Lives,
    /// It has ended, so.
    Ended(Ending),
}

/// What a new flow is made from.
pub(crate) struct Beginning {
    pub(crate) id: FlowId,
    pub(crate) number: FlowNumber,
    pub(crate) isn: Sequence,
    pub(crate) upstream: Upstream,
}

impl Flow {
    /// A flow that begins with this SYN, held until [`Flow::connected`].
    pub(crate) fn held(beginning: &Beginning, syn: &Segment, shared: &Shared) -> Self {
        let mss = segment_size(syn, shared.mtu);
        Self {
            id: beginning.id,
            number: beginning.number,
            app: syn.app,
            remote: syn.remote,
            stage: Stage::Held { repeated: shared.now, interval: Duration::ZERO },
            upstream: beginning.upstream,
            receiver: Receiver::new(syn.sequence),
            sender: Sender::new(
                beginning.isn.plus(1),
                syn.window,
                syn.options.window_scale.unwrap_or(0),
                mss,
            ),
            mss,
            sack: syn.options.sack_permitted,
            scaled: syn.options.window_scale.is_some(),
            acknowledge: Acknowledge::default(),
            probe_due: false,
            send_due: false,
            broken_off: false,
            finish_told: beginning.upstream == Upstream::Resolver,
            keep_alive: KeepAlive::Unseen,
            starved: true,
            heard: shared.now,
            idle_probes: 0,
            traffic: Traffic { packets_sent: 1, ..Traffic::default() },
            told: Traffic::default(),
            armed: None,
            listed: false,
        }
    }

    pub(crate) fn key(&self) -> FlowKey {
        FlowKey { protocol: Protocol::Tcp, app: self.app, remote: self.remote }
    }

    pub(crate) fn upstream(&self) -> Upstream {
        self.upstream
    }

    pub(crate) fn is_held(&self) -> bool {
        matches!(self.stage, Stage::Held { .. })
    }

    /// The number of the app's SYN: what an ICMP error about it must quote.
    pub(crate) fn syn(&self) -> Sequence {
        self.receiver.next().minus(1)
    }

    /// The remote has answered: so does the flow.
    pub(crate) fn connected(&mut self, now: Instant) {
        if self.is_held() {
            self.stage = Stage::Answered { due: true, again_at: now + RTO_INITIAL, times: 0 };
        }
    }

    /// Takes a segment of this flow from the app.
    pub(crate) fn segment(&mut self, segment: Segment, pinned: usize, shared: &mut Shared) -> Verdict {
        self.traffic.packets_sent += 1;
        self.heard = shared.now;
        self.idle_probes = 0;
        match self.stage {
            Stage::Held { .. } => self.segment_while_held(&segment, shared.now),
            Stage::Answered { .. } | Stage::Open => self.segment_in_turn(segment, pinned, shared),
        }
    }

    /// Whether a SYN with this number begins a new connection in place of this flow, which has nothing
    /// left to do but to hear a last acknowledgement (RFC 9293 3.10.7.4, TIME-WAIT).
    pub(crate) fn yields_to(&self, syn: Sequence) -> bool {
        matches!(self.stage, Stage::Open) && self.receiver.finished() && syn.is_after(self.receiver.next())
    }

    /// The next thing to do for this flow.
    pub(crate) fn poll(&mut self, shared: &mut Shared) -> Option<Output> {
        match &mut self.stage {
            Stage::Held { .. } => None,
            Stage::Answered { due, .. } => std::mem::take(due).then(|| self.syn_ack(shared)),
            Stage::Open if self.broken_off => self.poll_send(),
            Stage::Open => self.poll_upstream(shared).or_else(|| self.poll_app(shared)),
        }
    }

    /// Whether polling has brought the flow to its end.
    pub(crate) fn verdict(&self) -> Verdict {
        let both = self.receiver.finished() && self.finish_told && self.sender.finished();
        match self.stage {
            Stage::Open if self.broken_off => Verdict::Ended(Ending::ResetByApp),
            Stage::Open if self.sender.reset_due() => Verdict::Ended(Ending::ResetByRemote),
            Stage::Open if both => Verdict::Ended(Ending::Finished),
            Stage::Held { .. } | Stage::Answered { .. } | Stage::Open => Verdict::Lives,
        }
    }

    /// When the flow must be woken, and whether nothing is under way until then.
    pub(crate) fn deadline(&mut self, now: Instant) -> (Instant, bool) {
        let idle = self.idle_at();
        match &self.stage {
            Stage::Held { repeated, interval } => (given_up_at(*repeated, *interval), true),
            Stage::Answered { again_at, .. } => (*again_at, false),
            Stage::Open => {
                let work = [self.sender.deadline(now), self.acknowledge.later()].into_iter().flatten().min();
                (work.unwrap_or(idle).min(idle), work.is_none())
            }
        }
    }

    /// A deadline may have come: does what is due by now.
    pub(crate) fn time_out(&mut self, shared: &mut Shared) -> Verdict {
        let now = shared.now;
        match &mut self.stage {
            Stage::Held { repeated, interval } if given_up_at(*repeated, *interval) <= now => {
                shared.counters.held_given_up += 1;
                Verdict::Ended(Ending::GivenUp)
            }
            Stage::Held { .. } => Verdict::Lives,
            Stage::Answered { due, again_at, times } if *again_at <= now => {
                (*due, *times) = (true, *times + 1);
                *again_at = now + RTO_INITIAL * 2_u32.pow((*times).min(6));
                if *times > RETRANSMISSIONS { Verdict::Ended(Ending::GivenUp) } else { Verdict::Lives }
            }
            Stage::Answered { .. } => Verdict::Lives,
            Stage::Open => self.time_out_open(now),
        }
    }

    /// The socket took bytes from the front of what is pending.
    pub(crate) fn sent(&mut self, bytes: usize, shared: &mut Shared) {
        self.traffic.bytes_sent += bytes as u64;
        self.heard = shared.now;
        self.receiver.pending.advance(bytes, &mut shared.memory);
        let (window, growth) = (self.receiver.window(), self.opening(shared));
        if growth >= window && self.is_worth_telling(growth, shared) {
            self.acknowledge.now();
        }
    }

    /// The socket gave bytes for the app.
    pub(crate) fn received(&mut self, payload: Bytes, pinned: usize, shared: &mut Shared) {
        self.heard = shared.now;
        self.sender.push(payload, pinned, &mut shared.memory);
    }

    /// The socket will give no more.
    pub(crate) fn ended(&mut self, end: End, shared: &mut Shared) {
        self.sender.end_with(end);
        if end == End::Reset {
            self.upstream = Upstream::Gone;
            self.receiver.discard(&mut shared.memory);
        }
    }

    /// Bytes that may be read from the socket now. Where that is none, the shell hears of it when there
    /// are some again.
    pub(crate) fn room(&mut self, shared: &mut Shared) -> usize {
        let room = match self.stage {
            Stage::Open if !self.sender.ended() => self.room_for_more(shared),
            Stage::Held { .. } | Stage::Answered { .. } | Stage::Open => 0,
        };
        self.starved = room == 0;
        room
    }

    /// Gives back all memory, at the end.
    pub(crate) fn release(&mut self, shared: &mut Shared) {
        self.receiver.clear(&mut shared.memory);
        self.sender.clear(&mut shared.memory);
        shared.windows.forget(self.id.index);
    }

    /// The reset that tells the app that the flow is over.
    pub(crate) fn reset(&self) -> Packet {
        self.reply().reset(self.sender.next(), self.receiver.next())
    }

    fn reply(&self) -> Reply {
        Reply { app: self.app, remote: self.remote }
    }

    fn segment_while_held(&mut self, segment: &Segment, now: Instant) -> Verdict {
        if segment.rst {
            return Verdict::Ended(Ending::GivenUp);
        }
        if segment.syn && segment.acknowledgement.is_none() {
            if let Stage::Held { repeated, interval } = &mut self.stage {
                (*interval, *repeated) = ((now - *repeated).max(*interval), now);
            }
            // The same port may be on its way to a second life: the newest SYN is the one to answer.
            self.receiver = Receiver::new(segment.sequence);
        }
        Verdict::Lives
    }

    /// RFC 9293 3.10.7.4, in its order.
    fn segment_in_turn(&mut self, segment: Segment, pinned: usize, shared: &mut Shared) -> Verdict {
        let repeats_syn = segment.syn && segment.sequence == self.syn() && segment.acknowledgement.is_none();
        if let (Stage::Answered { due, .. }, true) = (&mut self.stage, repeats_syn) {
            *due = true;
            return Verdict::Lives;
        }
        if !self.receiver.acceptable(segment.sequence, segment.len()) {
            return self.unacceptable(segment, shared);
        }
        if segment.rst {
            return self.reset_by_app(segment.sequence, shared);
        }
        let Some(number) = segment.acknowledgement.filter(|_| !segment.syn) else {
            return self.challenge(shared);
        };
        if !self.sender.has_sent(number) {
            return self.challenge(shared);
        }
        self.note_acknowledgement(&segment, number, shared);
        match self.stage {
            Stage::Open => self.take_payload(segment, pinned, shared),
            Stage::Held { .. } | Stage::Answered { .. } => Verdict::Lives,
        }
    }

    /// First check: outside the window. Old bytes, keep-alives and probes of a closed window all get an
    /// acknowledgement; their own acknowledgement is heard all the same, as the answer to ours may be lost.
    fn unacceptable(&mut self, segment: Segment, shared: &mut Shared) -> Verdict {
        if segment.rst {
            shared.counters.unacceptable_segments += 1;
            return Verdict::Lives;
        }
        let probe = segment.sequence == self.receiver.next().minus(1) && segment.payload.len() <= 1;
        // Before a closed window the same segment is a probe of it.
        let open = self.receiver.window() >> WINDOW_SCALE > 0;
        if probe && open && !segment.syn && !segment.fin && self.keep_alive == KeepAlive::Unseen {
            self.keep_alive = KeepAlive::Due;
        }
        if let Some(number) =
            segment.acknowledgement.filter(|number| !segment.syn && self.sender.has_sent(*number))
        {
            self.note_acknowledgement(&segment, number, shared);
        }
        let (memory, end) = (&mut shared.memory, segment.sequence.plus(segment.payload.len()));
        if !segment.payload.is_empty() && !end.is_after(self.receiver.next()) && !probe {
            self.receiver.take(segment.sequence, segment.payload, 0, memory);
        }
        self.challenge(shared)
    }

    /// RFC 5961 3.2: only the exact number resets; any other inside the window is challenged. Bytes of
    /// the same batch are offered to the socket before it is aborted.
    fn reset_by_app(&mut self, sequence: Sequence, shared: &mut Shared) -> Verdict {
        if sequence != self.receiver.next() {
            return self.challenge(shared);
        }
        self.broken_off = true;
        if self.send_due { Verdict::Lives } else { Verdict::Ended(Ending::ResetByApp) }
    }

    fn challenge(&mut self, shared: &mut Shared) -> Verdict {
        shared.counters.unacceptable_segments += 1;
        match &mut self.stage {
            // Before the app has acknowledged it, the SYN-ACK says the same.
            Stage::Answered { due, .. } => *due = true,
            Stage::Held { .. } | Stage::Open => self.acknowledge.now(),
        }
        Verdict::Lives
    }

    fn note_acknowledgement(&mut self, segment: &Segment, number: Sequence, shared: &mut Shared) {
        let acknowledgement = Acknowledgement {
            sequence: segment.sequence,
            number,
            window: segment.window,
            sacked: segment.options.sacked,
            bare: segment.payload.is_empty() && !segment.fin,
        };
        if matches!(self.stage, Stage::Answered { .. }) && number == self.sender.next() {
            self.stage = Stage::Open;
            self.sender.open(&acknowledgement);
        }
        let bytes = self.sender.acknowledge(shared.now, &acknowledgement, &mut shared.memory);
        self.traffic.bytes_received += bytes as u64;
    }

    fn take_payload(&mut self, segment: Segment, pinned: usize, shared: &mut Shared) -> Verdict {
        let (len, end) = (segment.payload.len(), segment.sequence.plus(segment.payload.len()));
        if len > 0 {
            shared.windows.sent(self.id.index, shared.now);
            let taken = self.receiver.take(segment.sequence, segment.payload, pinned, &mut shared.memory);
            self.send_due |= taken.bytes > 0;
            let urgency = if taken.out_of_order { Urgency::Now } else { Urgency::Usual };
            self.acknowledge.owe(len, self.mss, urgency, shared.now);
        }
        if self.upstream == Upstream::Gone {
            // The socket is gone while bytes still go to the app: what was promised is taken, for nobody.
            self.receiver.discard(&mut shared.memory);
        }
        if segment.fin {
            self.receiver.take_fin(end, &mut shared.memory);
            self.acknowledge.now();
        }
        Verdict::Lives
    }

    fn poll_upstream(&mut self, shared: &mut Shared) -> Option<Output> {
        if self.upstream != Upstream::Socket {
            return None;
        }
        if let Some(send) = self.poll_send() {
            return Some(send);
        }
        if self.receiver.finished() && self.receiver.pending.len() == 0 && !self.finish_told {
            self.finish_told = true;
            return Some(Output::Finish(self.id));
        }
        if self.keep_alive == KeepAlive::Due {
            self.keep_alive = KeepAlive::Told;
            return Some(Output::KeepAlive(self.id));
        }
        if self.starved && !self.sender.ended() && self.room_for_more(shared) > 0 {
            self.starved = false;
            return Some(Output::Receive(self.id));
        }
        None
    }

    fn poll_send(&mut self) -> Option<Output> {
        let due = std::mem::take(&mut self.send_due) && self.receiver.pending.len() > 0;
        due.then_some(Output::Send(self.id))
    }

    fn poll_app(&mut self, shared: &mut Shared) -> Option<Output> {
        if let Some(piece) = self.sender.next_piece(shared.now) {
            shared.counters.retransmitted += u64::from(piece.again);
            self.acknowledge.ridden(!piece.payload.is_empty());
            let window = self.offer(shared);
            let (reply, next) = (self.reply(), self.receiver.next());
            return Some(self.packet_out(reply.piece(piece, next, window)));
        }
        if self.acknowledge.take_due() {
            return Some(self.bare_acknowledgement(shared));
        }
        std::mem::take(&mut self.probe_due).then(|| self.probe(shared))
    }

    fn packet_out(&mut self, packet: Packet) -> Output {
        self.traffic.packets_received += 1;
        Output::Packet(packet)
    }

    fn syn_ack(&mut self, shared: &mut Shared) -> Output {
        let size = u16::try_from(shared.mtu.saturating_sub(headers(&self.remote))).unwrap_or(u16::MAX);
        self.offer(shared);
        // RFC 7323 2.2: the window of a SYN is never scaled.
        let window = u16::try_from(self.receiver.window()).unwrap_or(u16::MAX);
        let isn = self.sender.next().minus(1);
        let packet = self.reply().syn_ack(isn, self.receiver.next(), window, size, self.scaled, self.sack);
        self.packet_out(packet)
    }

    fn bare_acknowledgement(&mut self, shared: &mut Shared) -> Output {
        let window = self.offer(shared);
        let blocks = if self.receiver.has_sack_blocks() {
            self.receiver.take_sack_blocks()
        } else {
            Default::default()
        };
        let blocks = if self.sack { blocks } else { Default::default() };
        let packet = self.reply().acknowledgement(self.sender.next(), self.receiver.next(), window, &blocks);
        self.packet_out(packet)
    }

    /// An empty segment outside the app's window: the app must answer it (RFC 9293 3.8.4, 3.8.6.1).
    fn probe(&mut self, shared: &mut Shared) -> Output {
        let window = self.offer(shared);
        let before = self.sender.unacknowledged().minus(1);
        let packet = self.reply().acknowledgement(before, self.receiver.next(), window, &Default::default());
        self.packet_out(packet)
    }

    /// Widens the window as far as the bounds allow; gives the field of the header.
    fn offer(&mut self, shared: &mut Shared) -> u16 {
        let window = self.receiver.window();
        let growth = self.opening(shared);
        if self.is_worth_telling(growth, shared) {
            self.receiver.promise(window + growth, &mut shared.memory);
        }
        let shift = if self.scaled { WINDOW_SCALE } else { 0 };
        u16::try_from(self.receiver.window() >> shift).unwrap_or(u16::MAX)
    }

    /// RFC 9293 3.8.6.2.2: no silly windows, but any window rather than none where memory is short.
    fn is_worth_telling(&self, growth: usize, shared: &Shared) -> bool {
        let step = self.mss.min(shared.windows.allowance(self.id.index) / 2).min(WINDOW_STEP);
        growth >= step || (self.receiver.window() == 0 && growth >= FLOW_RESERVE)
    }

    /// By how much the window could grow now.
    fn opening(&self, shared: &mut Shared) -> usize {
        if self.receiver.finished() || self.upstream == Upstream::Gone {
            return 0;
        }
        let scale_limit = if self.scaled { usize::MAX } else { usize::from(u16::MAX) };
        let space = FLOW_PENDING.saturating_sub(self.receiver.pending.len());
        let allowed = shared.windows.allowance(self.id.index).min(space).min(scale_limit);
        let wanted = allowed.saturating_sub(self.receiver.window());
        wanted.min(shared.memory.share(self.receiver.held()))
    }

    fn room_for_more(&self, shared: &mut Shared) -> usize {
        let outgoing = &self.sender.outgoing;
        let room = shared.memory.share(outgoing.charged());
        if room >= LEAST_ROOM || outgoing.len() == 0 { room } else { 0 }
    }

    fn idle_at(&self) -> Instant {
        let closing = self.receiver.finished() || self.sender.ended();
        let limit = if closing { TCP_CLOSING_IDLE } else { TCP_IDLE };
        self.heard + limit + IDLE_PROBE_INTERVAL * self.idle_probes
    }

    fn time_out_open(&mut self, now: Instant) -> Verdict {
        self.acknowledge.time_out(now);
        if self.sender.deadline(now).is_some_and(|at| at <= now) {
            self.probe_due |= self.sender.time_out(now);
        }
        if self.sender.time_outs() > RETRANSMISSIONS {
            return Verdict::Ended(Ending::Idle);
        }
        if self.idle_at() <= now {
            self.idle_probes += 1;
            self.probe_due = true;
        }
        if self.idle_probes > IDLE_PROBES { Verdict::Ended(Ending::Idle) } else { Verdict::Lives }
    }
}

/// When an app that has not repeated its SYN again has given up. Linux doubles each wait, so twice the
/// last one is the very moment at which it would come.
fn given_up_at(repeated: Instant, interval: Duration) -> Instant {
    repeated + (2 * interval + HELD_SYN_GRACE).max(HELD_SYN)
}

/// IP and TCP headers without options.
fn headers(remote: &SocketAddr) -> usize {
    if remote.is_ipv4() { 40 } else { 60 }
}

/// The payload of a full segment to the app (RFC 9293 3.7.1; RFC 9293 MUST-15 for the default).
fn segment_size(syn: &Segment, mtu: usize) -> usize {
    let default = if syn.remote.is_ipv4() { 536 } else { 1_220 };
    let asked = syn.options.mss.map_or(default, usize::from);
    asked.clamp(64, mtu.saturating_sub(headers(&syn.remote)).max(64))
}

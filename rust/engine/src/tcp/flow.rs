//! One TCP flow: a terminator between an app's connection and a socket of the shell (RFC 9293).
//!
//! The handshake with the app is finished only when the destination has answered. From then on the
//! [`Receiver`] takes what the app sends, the [`Sender`] brings what the socket gave, and each direction
//! ends as it ended on the other side: FIN as FIN, reset as reset.

mod arriving;
mod leaving;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use telltale_model::{Direction, Ending, FlowKey, FlowNumber, Protocol, Traffic};

use super::acknowledge::Acknowledge;
use super::receiver::Receiver;
use super::reply::Reply;
use super::segment::Segment;
use super::sender::{End, Sender};
use super::sequence::Sequence;
use crate::limits::{
    HELD_SYN, HELD_SYN_GRACE, IDLE_PROBE_INTERVAL, IDLE_PROBES, NEAR, RETRANSMISSIONS, RTO_INITIAL,
    TCP_CLOSING_IDLE, TCP_IDLE,
};
use crate::shared::Shared;
use crate::windows::Given;
use crate::{FlowId, Instant, Packet, Shape};

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
    terms: Terms,
    acknowledge: Acknowledge,
    given: Given,
    probe_due: bool,
    send_due: bool,
    /// The remote answered within [`NEAR`].
    near: bool,
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

// What limits.rs counts for a flow is 1 KiB: the rest is for its places in tables and lists.
const _: () = assert!(size_of::<Flow>() <= 768);

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

/// What an app's SYN says about how to speak with it.
#[derive(Clone, Copy, Debug)]
struct Terms {
    /// Payload bytes of a full segment to the app.
    mss: usize,
    sack: bool,
    /// The app's window scale, where it offers scaling at all.
    scale: Option<u8>,
    window: u16,
}

impl Terms {
    fn of(syn: &Segment, mtu: usize) -> Self {
        Self {
            mss: segment_size(syn, mtu),
            sack: syn.options.sack_permitted,
            scale: syn.options.window_scale,
            window: syn.window,
        }
    }

    fn sender(&self, first: Sequence) -> Sender {
        Sender::new(first, self.window, self.scale.unwrap_or(0), self.mss)
    }
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
        let terms = Terms::of(syn, shared.mtu);
        Self {
            id: beginning.id,
            number: beginning.number,
            app: syn.app,
            remote: syn.remote,
            stage: Stage::Held { repeated: shared.now, interval: Duration::ZERO },
            upstream: beginning.upstream,
            receiver: Receiver::new(syn.sequence),
            sender: terms.sender(beginning.isn.plus(1)),
            terms,
            acknowledge: Acknowledge::default(),
            given: Given::new(shared.mtu),
            probe_due: false,
            send_due: false,
            near: false,
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
        if let Stage::Held { repeated, .. } = self.stage {
            self.near = now - repeated <= NEAR;
            self.stage = Stage::Answered { due: true, again_at: now + RTO_INITIAL, times: 0 };
        }
    }

    /// Whether a SYN with this number begins a new connection in place of this flow, which has nothing
    /// left to do but to hear a last acknowledgement (RFC 9293 3.10.7.4, TIME-WAIT).
    pub(crate) fn yields_to(&self, syn: Sequence) -> bool {
        matches!(self.stage, Stage::Open) && self.receiver.finished() && syn.is_after(self.receiver.next())
    }

    /// Whether polling has brought the flow to its end.
    pub(crate) fn verdict(&self) -> Verdict {
        match self.stage {
            Stage::Open if self.broken_off => Verdict::Ended(Ending::ResetByApp),
            Stage::Open if self.sender.reset_due() => Verdict::Ended(Ending::ResetByRemote),
            Stage::Open if self.is_done() => Verdict::Ended(Ending::Finished),
            Stage::Held { .. } | Stage::Answered { .. } | Stage::Open => Verdict::Lives,
        }
    }

    /// Whether each side has heard the other's end.
    fn is_done(&self) -> bool {
        self.receiver.finished() && self.finish_told && self.sender.finished()
    }

    /// Whether the remote has got and said everything, whatever the app has heard of it.
    pub(crate) fn is_done_upstream(&self) -> bool {
        self.finish_told && self.sender.ended()
    }

    /// Whether the app has ended its side, and the socket has taken all of it.
    pub(crate) fn has_said_all(&self) -> bool {
        self.finish_told
    }

    /// Whether the socket may still take something. An app that has ended while its SYN was held does
    /// not say so.
    pub(crate) fn has_more_to_say(&self) -> bool {
        self.upstream == Upstream::Socket && !self.is_held() && !self.finish_told
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
        // A system sends nothing while its window takes no full segment (RFC 9293 3.8.6.2.1).
        let full = shared.mtu.saturating_sub(headers(&self.remote));
        let unblocks = window < full && window + growth >= full;
        if (growth >= window || unblocks) && self.is_worth_telling(growth, shared) {
            self.acknowledge.now();
        }
    }

    /// The socket gave bytes for the app.
    pub(crate) fn received(&mut self, payload: Bytes, pinned: usize, shared: &mut Shared) {
        self.heard = shared.now;
        shared.show(self.number, Direction::Received, Shape::Stream, &payload, pinned);
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

    /// So many bytes of what the socket took stayed in it.
    pub(crate) fn never_sent(&mut self, unsent: usize) {
        self.traffic.bytes_sent = self.traffic.bytes_sent.saturating_sub(unsent as u64);
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
        shared.windows.forget(&mut self.given);
    }

    /// The reset that tells the app that the flow is over.
    pub(crate) fn reset(&self) -> Packet {
        self.reply().reset(self.sender.next(), self.receiver.next())
    }

    /// Takes the app's terms from a SYN of it, before anything was sent.
    fn heed(&mut self, syn: &Segment, first: Sequence, mtu: usize) {
        self.terms = Terms::of(syn, mtu);
        self.receiver = Receiver::new(syn.sequence);
        self.sender = self.terms.sender(first);
    }

    fn reply(&self) -> Reply {
        Reply { app: self.app, remote: self.remote }
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

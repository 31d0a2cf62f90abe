//! Segments from the app (RFC 9293 3.10.7.4).

use telltale_model::{Direction, Ending};

use super::super::acknowledge::Urgency;
use super::super::segment::Segment;
use super::super::sender::Acknowledgement;
use super::super::sequence::Sequence;
use super::{Flow, KeepAlive, Stage, Upstream, Verdict};
use crate::Shape;
use crate::limits::WINDOW_SCALE;
use crate::shared::Shared;

impl Flow {
    /// Takes a segment of this flow from the app.
    pub(crate) fn segment(&mut self, segment: Segment, pinned: usize, shared: &mut Shared) -> Verdict {
        self.traffic.packets_sent += 1;
        self.heard = shared.now;
        self.idle_probes = 0;
        match self.stage {
            Stage::Held { .. } => self.segment_while_held(&segment, shared),
            Stage::Answered { .. } | Stage::Open => self.segment_in_turn(segment, pinned, shared),
        }
    }

    fn segment_while_held(&mut self, segment: &Segment, shared: &Shared) -> Verdict {
        if segment.rst {
            return Verdict::Ended(Ending::GivenUp);
        }
        if segment.syn && segment.acknowledgement.is_none() {
            if let Stage::Held { repeated, interval } = &mut self.stage {
                (*interval, *repeated) = ((shared.now - *repeated).max(*interval), shared.now);
            }
            // The same port may be on its way to a second life: the newest SYN is the one to answer.
            self.heed(segment, self.sender.next(), shared.mtu);
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
            shared.windows.sent(&mut self.given, len, shared.now);
            let taken = self.receiver.take(segment.sequence, segment.payload, pinned, &mut shared.memory);
            self.send_due |= taken.bytes > 0;
            self.show_sent(taken.bytes, shared);
            let urgency = if taken.out_of_order { Urgency::Now } else { Urgency::Usual };
            self.acknowledge.owe(len, self.terms.mss, urgency, shared.now);
        }
        if self.upstream == Upstream::Gone {
            // The socket is gone while bytes still go to the app: what was promised is taken, for nobody.
            self.receiver.discard(&mut shared.memory);
        }
        if segment.fin {
            self.take_fin(end, shared);
        }
        Verdict::Lives
    }

    fn take_fin(&mut self, position: Sequence, shared: &mut Shared) {
        self.receiver.take_fin(position, &mut shared.memory);
        let end_follows = self.near && self.upstream == Upstream::Socket && !self.sender.ended();
        if self.receiver.finished() && end_follows {
            self.acknowledge.with_the_end(shared.now);
        } else {
            self.acknowledge.now();
        }
    }

    /// What was just taken from the app, unless nobody will ever get it.
    fn show_sent(&self, bytes: usize, shared: &mut Shared) {
        if self.upstream != Upstream::Gone {
            for (payload, pinned) in self.receiver.pending.latest(bytes) {
                shared.show(self.number, Direction::Sent, Shape::Stream, payload, pinned);
            }
        }
    }
}

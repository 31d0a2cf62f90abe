//! Both directions of a TCP connection, told in an order in which they can have happened.

use telltale_model::{Direction, Ending};

use super::stream::Stream;
use super::{Segment, Told};
use crate::limits;

/// A TCP connection, as far as a capture has it.
///
/// Bytes are told as soon as all before them were, and all that their sender had received when it sent
/// them: a capture may have lost, repeated, or shuffled packets, the two ends saw them in order. What is
/// lacking is waited for until it cannot come any more, then told as missed.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    sent: Stream,
    received: Stream,
    /// Packets for which nothing could be told though something waits.
    stalled: u32,
    reset: Option<Direction>,
    /// Whether any bytes were told.
    begun: bool,
}

impl Connection {
    /// Whether a segment belongs to another, later connection between the same places.
    pub(crate) fn is_over_for(&self, direction: Direction, segment: &Segment) -> bool {
        let (stream, other) = (self.stream(direction), self.stream(direction.reversed()));
        if !segment.syn {
            return false;
        }
        match stream.initial {
            Some(initial) => initial != segment.sequence,
            // Shuffled packets may put a SYN behind the first bytes. Else it is that of another connection
            // than the one whose beginning the capture lacks.
            None => {
                let lacks_beginning = other.has_begun() && other.initial.is_none();
                self.reset.is_some()
                    || !stream.may_begin_at(segment.sequence)
                    || lacks_beginning && segment.acknowledged.is_none()
            }
        }
    }

    /// Takes a segment in and tells what is in order now.
    pub(crate) fn take(
        &mut self,
        direction: Direction,
        segment: Segment,
        tell: &mut impl FnMut(Direction, Told),
    ) {
        let len = segment.len();
        let (stream, other) = self.streams(direction);
        let mut first = segment.sequence;
        if segment.syn {
            stream.begin_at(segment.sequence);
            first = first.wrapping_add(1);
        }
        let acknowledged = segment.acknowledged.filter(|_| !segment.reset);
        let after = acknowledged.and_then(|number| other.acknowledge(number)).unwrap_or(i64::MIN);
        // Truncation is the arithmetic: sequence space is modulo 2^32.
        #[expect(clippy::cast_possible_truncation, reason = "sequence space is modulo 2^32")]
        let end = first.wrapping_add(len as u32);
        // What stands in a reset is a reason in words, if anything (RFC 9293 3.5.3).
        if segment.reset {
            self.reset.get_or_insert(direction);
        } else {
            stream.insert(first, segment.payload, segment.missing, after);
            if segment.fin {
                stream.end_at(end);
            }
        }
        self.go_on(tell);
    }

    /// Tells everything that still waits.
    pub(crate) fn finish(&mut self, tell: &mut impl FnMut(Direction, Told)) {
        while self.is_waiting() {
            self.give_up(tell);
        }
        for direction in BOTH {
            self.stream_mut(direction).give_up_rest(&mut |told| tell(direction, told));
        }
    }

    /// Bytes that are held until others come.
    pub(crate) fn held(&self) -> usize {
        self.sent.held + self.received.held
    }

    /// Bytes that were told in a direction, missed ones included.
    pub(crate) fn told(&self, direction: Direction) -> u64 {
        self.stream(direction).told
    }

    /// How it ended, if it did.
    pub(crate) fn ending(&self) -> Option<Ending> {
        if self.sent.is_finished() && self.received.is_finished() {
            return Some(Ending::Finished);
        }
        self.reset.map(|by| match by {
            Direction::Sent => Ending::ResetByApp,
            Direction::Received if self.is_unanswered() => Ending::Refused,
            Direction::Received => Ending::ResetByRemote,
        })
    }

    /// Whether the remote has neither accepted it nor said anything.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.received.initial.is_none() && self.received.told == 0 && !self.received.is_waiting()
    }

    fn is_waiting(&self) -> bool {
        self.sent.is_waiting() || self.received.is_waiting()
    }

    fn go_on(&mut self, tell: &mut impl FnMut(Direction, Told)) {
        let told = self.tell_ready(tell);
        self.stalled = if told || !self.is_stalled() { 0 } else { self.stalled + 1 };
        let is_too_much = |stream: &Stream| stream.held > limits::WAITING;
        while self.stalled > limits::PATIENCE || is_too_much(&self.sent) || is_too_much(&self.received) {
            self.stalled = 0;
            self.give_up(tell);
        }
    }

    /// Whether something waits, or is lacking, for which nobody will send a packet again. (A gap that the
    /// receiver has too is no such thing: the sender will fill it.)
    fn is_stalled(&self) -> bool {
        let is_waiting = self.is_waiting();
        let stalls = |stream: &Stream| stream.is_lacking() || is_waiting && stream.may_begin();
        stalls(&self.sent) || stalls(&self.received)
    }

    /// Waits no longer for one thing, and tells what is in order then. Where anything waits, some of it
    /// is told, or known to begin.
    fn give_up(&mut self, tell: &mut impl FnMut(Direction, Told)) {
        let _any = self.begin_anywhere()
            || self.each(tell, Stream::give_up_lacking)
            || self.each(tell, |stream, tell| {
                // The other direction will never be where this one says it was.
                let is_ready = stream.ready().is_some();
                if is_ready {
                    stream.take(tell);
                }
                is_ready
            })
            || self.each(tell, Stream::give_up_gap);
        self.tell_ready(tell);
    }

    fn begin_anywhere(&mut self) -> bool {
        let unknown = BOTH.into_iter().find(|direction| self.stream(*direction).may_begin());
        if let Some(direction) = unknown {
            self.stream_mut(direction).begin_anywhere();
        }
        unknown.is_some()
    }

    /// Does it with the first stream for which it answers true.
    fn each<T: FnMut(Direction, Told)>(
        &mut self,
        tell: &mut T,
        act: impl Fn(&mut Stream, &mut dyn FnMut(Told)) -> bool,
    ) -> bool {
        BOTH.into_iter().any(|direction| act(self.stream_mut(direction), &mut |told| tell(direction, told)))
    }

    /// Tells what is in order; answers whether there was any.
    fn tell_ready(&mut self, tell: &mut impl FnMut(Direction, Told)) -> bool {
        let mut any = false;
        while let Some(direction) = BOTH.into_iter().find(|direction| self.is_ready(*direction)) {
            self.tell_beginning(direction, tell);
            self.stream_mut(direction).take(&mut |told| tell(direction, told));
            any = true;
        }
        any
    }

    /// Of a connection that was there before the capture, nobody knows how many bytes are lacking before the first. Where
    /// it began with bytes that are known to lack, that was told already.
    fn tell_beginning(&mut self, direction: Direction, tell: &mut impl FnMut(Direction, Told)) {
        let begins = !std::mem::replace(&mut self.begun, true);
        let is_first = |stream: &Stream| stream.initial.is_none() && stream.told == 0;
        if begins && BOTH.into_iter().all(|direction| is_first(self.stream(direction))) {
            tell(direction, Told::Missed(0));
        }
    }

    fn is_ready(&self, direction: Direction) -> bool {
        let after = self.stream(direction).ready();
        after.is_some_and(|after| self.stream(direction.reversed()).has_reached(after))
    }

    fn stream(&self, direction: Direction) -> &Stream {
        match direction {
            Direction::Sent => &self.sent,
            Direction::Received => &self.received,
        }
    }

    fn stream_mut(&mut self, direction: Direction) -> &mut Stream {
        self.streams(direction).0
    }

    /// The stream of a direction, and the other one.
    fn streams(&mut self, direction: Direction) -> (&mut Stream, &mut Stream) {
        match direction {
            Direction::Sent => (&mut self.sent, &mut self.received),
            Direction::Received => (&mut self.received, &mut self.sent),
        }
    }
}

const BOTH: [Direction; 2] = [Direction::Sent, Direction::Received];

#[cfg(test)]
mod tests;

//! One direction of a TCP connection: segments in any order in, bytes in order out.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Told;
use crate::limits;

/// Bytes of one direction, from their sequence numbers. A place is counted from where the stream was seen
/// first, without going around at 2^32; what came before that place is below zero.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The sequence number of place 0.
    origin: Option<u32>,
    /// The number of its SYN, once seen.
    pub(super) initial: Option<u32>,
    /// The place of the next byte to be told. `None` until it is known where the stream begins.
    next: Option<i64>,
    /// The capture seems to lack this direction.
    absent: bool,
    waiting: BTreeMap<i64, Piece>,
    /// What is held, see [`Piece::cost`].
    pub(super) held: usize,
    /// The place up to which the other side has it all.
    acknowledged: i64,
    /// The furthest place that was told of, and one beyond [`limits::LEAP`] that a single packet told of.
    furthest: i64,
    leapt: Option<i64>,
    /// Where it ends, once that was said.
    end: Option<i64>,
    /// Bytes that were told, missed ones included.
    pub(super) told: u64,
}

/// A segment that waits.
#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    missing: usize,
    /// The place in the other direction that its sender had seen before.
    after: i64,
}

impl Stream {
    /// The place of a sequence number: the one that is nearest to where the stream is.
    pub(super) fn place(&mut self, sequence: u32) -> i64 {
        let origin = *self.origin.get_or_insert(sequence);
        let near = self.next.unwrap_or(0);
        // Truncation is the arithmetic: sequence space is modulo 2^32 (RFC 9293 3.4).
        #[expect(clippy::cast_possible_truncation, reason = "sequence space is modulo 2^32")]
        let near_sequence = origin.wrapping_add(near as u32);
        near + i64::from(sequence.wrapping_sub(near_sequence).cast_signed())
    }

    /// Whether a SYN of this number can be what the bytes that were seen belong to.
    pub(super) fn may_begin_at(&self, initial: u32) -> bool {
        const FURTHEST: i32 = 1 << 20;
        let distance = self.origin.map_or(0, |origin| origin.wrapping_sub(initial).cast_signed());
        self.next.is_none() && (-FURTHEST..=FURTHEST).contains(&distance)
    }

    /// The stream begins behind a SYN of this number.
    pub(super) fn begin_at(&mut self, initial: u32) {
        self.initial = Some(initial);
        if self.next.is_none() {
            let first = self.place(initial.wrapping_add(1));
            self.next = Some(first);
        }
    }

    /// Nothing says where the stream begins: it does where the first bytes are that came, if any.
    pub(super) fn begin_anywhere(&mut self) {
        self.next = self.next.or_else(|| self.waiting.keys().next().copied());
        self.absent = self.next.is_none();
    }

    /// Takes a piece in. What was told already, or cannot belong here, is passed over.
    pub(super) fn insert(&mut self, sequence: u32, bytes: Bytes, missing: usize, after: i64) {
        let place = self.place(sequence);
        let piece = Piece { bytes, missing, after };
        let next = self.next.unwrap_or(0);
        let is_old = self.next.is_some_and(|next| place + piece.len() <= next);
        if piece.len() == 0 || is_old || !is_near(place, next) || self.leaps(place) {
            return;
        }
        self.furthest = self.furthest.max(place + piece.len());
        if self.waiting.get(&place).is_some_and(|other| other.is_as_good_as(&piece)) {
            return;
        }
        self.held += piece.cost();
        let replaced = self.waiting.insert(place, piece);
        self.held -= replaced.map_or(0, |piece| piece.cost());
    }

    /// The other side has everything before this number; gives its place, unless it makes no sense.
    pub(super) fn acknowledge(&mut self, sequence: u32) -> Option<i64> {
        let place = self.place(sequence);
        if !is_near(place, self.next.unwrap_or(0)) || self.leaps(place) {
            return None;
        }
        self.furthest = self.furthest.max(place);
        self.acknowledged = self.acknowledged.max(place);
        Some(place)
    }

    /// Its sender will say no more after this number.
    pub(super) fn end_at(&mut self, sequence: u32) {
        let place = self.place(sequence);
        if !self.leaps(place) {
            self.end.get_or_insert(place);
        }
    }

    /// Whether a place is so far ahead that one packet is not believed.
    fn leaps(&mut self, place: i64) -> bool {
        if place - self.furthest <= limits::LEAP {
            return false;
        }
        let before = self.leapt.replace(place);
        before.is_none_or(|before| (place - before).abs() > limits::LEAP)
    }

    /// Whether it is known where the stream begins.
    pub(super) fn has_begun(&self) -> bool {
        self.next.is_some()
    }

    /// Whether its beginning is still to be waited for.
    pub(super) fn may_begin(&self) -> bool {
        self.next.is_none() && (!self.absent || self.is_waiting())
    }

    /// Whether all was told, up to an end that is known.
    pub(super) fn is_finished(&self) -> bool {
        self.end.is_some_and(|end| self.next.is_none_or(|next| next >= end)) && !self.is_waiting()
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether bytes are lacking that the other side has, and that so will not be sent again.
    pub(super) fn is_lacking(&self) -> bool {
        self.next.is_some_and(|next| self.known() > next)
    }

    /// Whether all up to that place was told, or can never be.
    pub(super) fn has_reached(&self, place: i64) -> bool {
        match self.next {
            // What was acknowledged may be the end itself, which has a number of its own.
            Some(next) => next >= place || self.end.is_some_and(|end| next >= end),
            None => place == i64::MIN || !self.may_begin(),
        }
    }

    /// If the next bytes are there: the place that the other direction must have reached before them.
    pub(super) fn ready(&self) -> Option<i64> {
        let (place, piece) = self.waiting.first_key_value()?;
        self.next.filter(|next| place <= next).map(|_| piece.after)
    }

    /// Tells the piece that is next. Nothing where it was all told before.
    pub(super) fn take(&mut self, tell: &mut dyn FnMut(Told)) {
        let (Some((place, piece)), Some(next)) = (self.waiting.pop_first(), self.next) else { return };
        self.held -= piece.cost();
        let Some(piece) = piece.from(next - place) else { return };
        self.next = Some(next + piece.len());
        self.told += piece.len().cast_unsigned();
        if !piece.bytes.is_empty() {
            tell(Told::Bytes(piece.bytes));
        }
        if piece.missing > 0 {
            tell(Told::Missed(piece.missing as u64));
        }
    }

    /// Does without bytes that are lacking though the other side has them; answers whether there were any.
    pub(super) fn give_up_lacking(&mut self, tell: &mut dyn FnMut(Told)) -> bool {
        let waiting = self.waiting.keys().next().copied().unwrap_or(i64::MAX);
        self.pass_to(self.known().min(waiting), tell)
    }

    /// Does without all bytes before those that wait; answers whether there were any.
    pub(super) fn give_up_gap(&mut self, tell: &mut dyn FnMut(Told)) -> bool {
        let waiting = self.waiting.keys().next().copied();
        waiting.is_some_and(|place| self.pass_to(place, tell))
    }

    /// At the end, when nothing waits: does without what else was acknowledged. A single byte more is the
    /// end itself, whose segment is lacking.
    pub(super) fn give_up_rest(&mut self, tell: &mut dyn FnMut(Told)) {
        if self.end.is_some() || self.next.is_some_and(|next| self.acknowledged - next > 1) {
            self.give_up_lacking(tell);
        }
    }

    fn pass_to(&mut self, place: i64, tell: &mut dyn FnMut(Told)) -> bool {
        let Some(next) = self.next.filter(|next| *next < place) else { return false };
        let lacking = (place - next).cast_unsigned();
        self.next = Some(place);
        self.told += lacking;
        tell(Told::Missed(lacking));
        true
    }

    /// What the other side has of the bytes, without the end.
    fn known(&self) -> i64 {
        self.end.map_or(self.acknowledged, |end| end.min(self.acknowledged))
    }
}

impl Piece {
    fn len(&self) -> i64 {
        // A packet has 64 KiB at most, a captured one 4 MiB.
        i64::try_from(self.bytes.len() + self.missing).unwrap_or(0)
    }

    fn cost(&self) -> usize {
        self.bytes.len() + limits::SEGMENT
    }

    /// Whether nothing is gained by another piece that begins at the same place.
    fn is_as_good_as(&self, other: &Self) -> bool {
        self.bytes.len() >= other.bytes.len() && self.len() >= other.len()
    }

    /// The piece without its first bytes; `None` where that leaves nothing.
    fn from(self, skip: i64) -> Option<Self> {
        let skip = usize::try_from(skip).ok()?;
        let captured = skip.min(self.bytes.len());
        let missing = self.missing.checked_sub(skip - captured)?;
        let piece = Self { bytes: self.bytes.slice(captured..), missing, ..self };
        (piece.len() > 0).then_some(piece)
    }
}

fn is_near(place: i64, next: i64) -> bool {
    (next - limits::AHEAD..=next + limits::AHEAD).contains(&place)
}

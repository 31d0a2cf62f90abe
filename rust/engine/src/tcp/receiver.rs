//! The half of a flow that receives from the app (RFC 9293 3.10.7.4, RFC 2018, RFC 2883).
//!
//! In-order bytes inside the window are taken at once, always; back-pressure is the window alone. Its
//! right edge never moves left, and what it promises is counted as memory before it is used.

use bytes::Bytes;

use super::pending::Pending;
use super::sequence::Sequence;
use crate::limits::{CHUNK_OVERHEAD, FLOW_MEMORY, FLOW_RESERVE, REORDERED_SEGMENTS};
use crate::memory::Memory;

/// What has arrived and what may still arrive.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// RCV.NXT.
    next: Sequence,
    /// The right edge of the window that the app was told.
    edge: Sequence,
    pub(crate) pending: Pending,
    reordered: Vec<Range>,
    /// Where the app's FIN stands, once seen.
    fin: Option<Sequence>,
    finished: bool,
    /// Bytes that arrived a second time, to be told once (RFC 2883 4).
    duplicate: Option<(Sequence, Sequence)>,
    /// Start of the range that arrived last (RFC 2018 4: it is reported first).
    latest: Sequence,
}

/// Bytes that arrived ahead of their turn. They lie in the window and count with it; what keeping them costs beside
/// counts by itself.
#[derive(Debug)]
struct Range {
    start: Sequence,
    bytes: Bytes,
}

impl Range {
    fn end(&self) -> Sequence {
        self.start.plus(self.bytes.len())
    }
}

/// What a segment brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Bytes that are now in order.
    pub(crate) bytes: usize,
    /// The segment was out of order, a duplicate or filled a gap: answer at once (RFC 5681 4.2).
    pub(crate) out_of_order: bool,
}

impl Receiver {
    /// A receiver after the app's SYN at `syn`, with nothing promised.
    pub(crate) fn new(syn: Sequence) -> Self {
        let next = syn.plus(1);
        let (pending, reordered) = (Pending::default(), Vec::new());
        Self {
            next,
            edge: next,
            pending,
            reordered,
            fin: None,
            finished: false,
            duplicate: None,
            latest: next,
        }
    }

    /// Takes a segment's payload, cut to the window. `pinned`: see [`crate::Input::Packet`].
    pub(crate) fn take(
        &mut self,
        start: Sequence,
        payload: Bytes,
        pinned: usize,
        memory: &mut Memory,
    ) -> Taken {
        let end = start.plus(payload.len());
        if start.is_before(self.next) {
            self.duplicate = Some((start, end.min(self.next)));
        }
        let Some((start, bytes)) = self.cut(start, payload) else {
            return Taken { bytes: 0, out_of_order: true };
        };
        if start != self.next {
            self.keep(start, bytes, memory);
            return Taken { bytes: 0, out_of_order: true };
        }
        let out_of_order = self.duplicate.is_some() || !self.reordered.is_empty();
        let before = self.next;
        self.append(bytes, pinned, memory);
        self.join(memory);
        // A FIN that has come in its turn counts as one.
        Taken { bytes: self.next.since(before) - usize::from(self.finished), out_of_order }
    }

    /// Notes the app's FIN at `position`, if it lies inside the window.
    pub(crate) fn take_fin(&mut self, position: Sequence, memory: &mut Memory) {
        if !position.is_before(self.next) && !position.is_after(self.edge) && !self.finished {
            self.fin = Some(position);
        }
        self.finish_in_turn(memory);
    }

    /// Whether the FIN was taken in its turn: the app will send no more.
    pub(crate) fn finished(&self) -> bool {
        self.finished
    }

    pub(crate) fn next(&self) -> Sequence {
        self.next
    }

    /// Bytes that the app may still send.
    pub(crate) fn window(&self) -> usize {
        if self.finished { 0 } else { self.edge.since(self.next) }
    }

    /// Everything that this half holds or has promised.
    pub(crate) fn held(&self) -> usize {
        self.pending.charged() + self.window() + self.keeping()
    }

    /// Whether a segment of `len` from `start` touches the window (RFC 9293 3.10.7.4, first check).
    pub(crate) fn acceptable(&self, start: Sequence, len: usize) -> bool {
        let end = start.plus(len);
        let inside = |point: Sequence| !point.is_before(self.next) && point.is_before(self.edge);
        match (len, self.window()) {
            (0, 0) => start == self.next,
            (0, _) => inside(start),
            (_, 0) => false,
            (_, _) => {
                inside(start)
                    || inside(end.minus(1))
                    || (start.is_before(self.next) && end.is_after(self.edge))
            }
        }
    }

    /// Moves the right edge so that the window is `window` bytes, or leaves it where it is further.
    pub(crate) fn promise(&mut self, window: usize, memory: &mut Memory) {
        let edge = self.edge.max(self.next.plus(window));
        if !self.finished {
            memory.take(edge.since(self.edge));
            self.edge = edge;
        }
    }

    /// Up to four blocks for the SACK option: a duplicate first, then the latest range, then the
    /// others. The duplicate is told once.
    pub(crate) fn take_sack_blocks(&mut self) -> Blocks {
        let mut blocks = Blocks::default();
        if let Some(duplicate) = self.duplicate.take() {
            blocks.push(duplicate);
        }
        let ranges = self.ranges();
        let latest = |(start, end): &&(Sequence, Sequence)| {
            !self.latest.is_before(*start) && self.latest.is_before(*end)
        };
        ranges.iter().filter(latest).for_each(|range| blocks.push(*range));
        ranges.iter().filter(|range| !latest(range)).for_each(|range| blocks.push(*range));
        blocks
    }

    /// Whether a SACK option has something to say.
    pub(crate) fn has_sack_blocks(&self) -> bool {
        self.duplicate.is_some() || !self.reordered.is_empty()
    }

    /// Gives back everything that is held. What was promised stays so.
    pub(crate) fn discard(&mut self, memory: &mut Memory) {
        self.pending.clear(memory);
        self.forget_reordered(memory);
    }

    /// Gives back everything that is held or promised.
    pub(crate) fn clear(&mut self, memory: &mut Memory) {
        self.discard(memory);
        memory.give_back(self.edge.since(self.next));
        self.edge = self.next;
    }

    /// The part of a payload that is new and inside the window.
    fn cut(&self, start: Sequence, mut payload: Bytes) -> Option<(Sequence, Bytes)> {
        let stale = self.next.since(start).min(payload.len());
        let _ = payload.split_to(stale);
        let start = start.plus(stale);
        payload.truncate(self.edge.since(start));
        if let Some(fin) = self.fin {
            // Nothing comes after a FIN: RFC 9293 3.10.7.4, eighth check.
            payload.truncate(fin.since(start));
        }
        (!payload.is_empty() && !self.finished).then_some((start, payload))
    }

    /// Appends in-order bytes: what was promised is now held.
    fn append(&mut self, bytes: Bytes, pinned: usize, memory: &mut Memory) {
        memory.give_back(bytes.len());
        self.next = self.next.plus(bytes.len());
        self.pending.push(bytes, pinned, memory);
    }

    /// Appends ranges whose turn has come.
    fn join(&mut self, memory: &mut Memory) {
        while self.reordered.first().is_some_and(|range| !range.start.is_after(self.next)) {
            let range = self.reordered.remove(0);
            memory.give_back(CHUNK_OVERHEAD);
            let stale = self.next.since(range.start);
            if stale < range.bytes.len() {
                let pinned = range.bytes.len();
                self.append(range.bytes.slice(stale..), pinned, memory);
            }
        }
        if self.reordered.capacity() > 4 * self.reordered.len() {
            // What many ranges took is not kept for a few.
            self.reordered.shrink_to_fit();
        }
        self.finish_in_turn(memory);
    }

    /// Takes the FIN once everything before it is there. Nothing is promised any more, and nothing comes after it.
    fn finish_in_turn(&mut self, memory: &mut Memory) {
        if self.fin == Some(self.next) && !self.finished {
            self.forget_reordered(memory);
            memory.give_back(self.edge.since(self.next));
            self.finished = true;
            self.next = self.next.plus(1);
            self.edge = self.next;
        }
    }

    /// Keeps bytes ahead of their turn, without those that are there already. They may stay for long, so
    /// they are copied out of their buffer, and count for what they are.
    fn keep(&mut self, mut start: Sequence, mut bytes: Bytes, memory: &mut Memory) {
        self.latest = start;
        let mut place = self.reordered.iter().take_while(|range| !range.end().is_after(start)).count();
        while !bytes.is_empty() {
            let gap = self.reordered.get(place).map_or(bytes.len(), |range| range.start.since(start));
            let piece = bytes.split_to(gap.min(bytes.len()));
            if !piece.is_empty() && self.may_keep(memory) {
                self.insert(place, Range { start, bytes: Bytes::copy_from_slice(&piece) }, memory);
                place += 1;
            }
            start = start.plus(piece.len());
            let covered =
                self.reordered.get(place).map_or(0, |range| range.end().since(start)).min(bytes.len());
            self.note_duplicate(start, covered);
            let _ = bytes.split_to(covered);
            start = start.plus(covered);
            place += 1;
        }
    }

    /// Whether there is room for one range more. One is set aside for each flow; others come out of the pool, since
    /// single bytes with gaps cost many times what they are. What is not kept was not told, and comes again.
    fn may_keep(&self, memory: &mut Memory) -> bool {
        match self.reordered.len() {
            0 => true,
            REORDERED_SEGMENTS.. => false,
            _ => memory.share(FLOW_RESERVE + self.keeping(), FLOW_MEMORY) >= CHUNK_OVERHEAD,
        }
    }

    /// What keeping the ranges costs beside their bytes.
    fn keeping(&self) -> usize {
        self.reordered.len() * CHUNK_OVERHEAD
    }

    fn insert(&mut self, place: usize, range: Range, memory: &mut Memory) {
        memory.take(CHUNK_OVERHEAD);
        self.reordered.insert(place, range);
    }

    fn forget_reordered(&mut self, memory: &mut Memory) {
        memory.give_back(self.keeping());
        self.reordered = Vec::new();
    }

    fn note_duplicate(&mut self, start: Sequence, len: usize) {
        if len > 0 {
            self.duplicate = Some((start, start.plus(len)));
        }
    }

    /// The ranges kept, neighbours joined.
    fn ranges(&self) -> Vec<(Sequence, Sequence)> {
        let mut ranges: Vec<(Sequence, Sequence)> = Vec::new();
        for range in &self.reordered {
            match ranges.last_mut() {
                Some((_, end)) if *end == range.start => *end = range.end(),
                _ => ranges.push((range.start, range.end())),
            }
        }
        ranges
    }
}

/// At most four ranges: what fits into the option space beside nothing else (RFC 2018 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    blocks: [Option<(Sequence, Sequence)>; 4],
}

impl Blocks {
    fn push(&mut self, block: (Sequence, Sequence)) {
        if let Some(free) = self.blocks.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(block);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Sequence, Sequence)> + '_ {
        self.blocks.iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{FLOW_MEMORY, FLOW_RESERVE, PAYLOAD_MEMORY};

    const SLAB: usize = 1 << 18;

    fn receiver(memory: &mut Memory) -> Receiver {
        let mut receiver = Receiver::new(Sequence(u32::MAX - 10));
        receiver.promise(1_000, memory);
        receiver
    }

    fn at(offset: usize) -> Sequence {
        Sequence(u32::MAX - 9).plus(offset)
    }

    fn take(receiver: &mut Receiver, memory: &mut Memory, offset: usize, text: &'static str) -> Taken {
        receiver.take(at(offset), Bytes::from_static(text.as_bytes()), SLAB, memory)
    }

    fn text(receiver: &Receiver) -> String {
        receiver.pending.slices().map(|slice| String::from_utf8_lossy(slice).into_owned()).collect()
    }

    #[test]
    fn any_order_of_overlapping_pieces_gives_the_same_bytes() {
        let whole = "abcdefghijklmnop";
        let pieces = [(8, 12), (2, 6), (4, 10), (14, 16), (0, 3), (10, 15)];
        let mut memory = Memory::default();
        let mut receiver = receiver(&mut memory);
        for (from, to) in pieces {
            take(&mut receiver, &mut memory, from, &whole[from..to]);
        }
        assert_eq!(text(&receiver), whole);
        assert_eq!(receiver.next(), at(16));
        receiver.clear(&mut memory);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn a_gap_is_reported_and_a_duplicate_is_told_once() {
        let mut memory = Memory::default();
        let mut receiver = receiver(&mut memory);
        take(&mut receiver, &mut memory, 4, "efgh");
        take(&mut receiver, &mut memory, 10, "kl");
        let blocks: Vec<_> = receiver.take_sack_blocks().iter().collect();
        assert_eq!(blocks, [(at(10), at(12)), (at(4), at(8))]);
        take(&mut receiver, &mut memory, 5, "fg");
        let blocks: Vec<_> = receiver.take_sack_blocks().iter().collect();
        assert_eq!(blocks.first(), Some(&(at(5), at(7))));
        assert_eq!(receiver.take_sack_blocks().iter().count(), 2);
    }

    #[test]
    fn bytes_past_the_window_are_left_and_its_edge_never_moves_left() {
        let mut memory = Memory::default();
        let mut receiver = Receiver::new(at(0).minus(1));
        receiver.promise(4, &mut memory);
        assert_eq!(take(&mut receiver, &mut memory, 0, "abcdef").bytes, 4);
        assert_eq!((text(&receiver).as_str(), receiver.window()), ("abcd", 0));
        assert!(!receiver.acceptable(at(4), 1));
        receiver.promise(10, &mut memory);
        receiver.promise(2, &mut memory);
        assert_eq!(receiver.window(), 10);
    }

    #[test]
    fn single_bytes_with_gaps_cost_no_more_than_is_set_aside_once_memory_is_full() {
        let mut memory = Memory::default();
        let full = PAYLOAD_MEMORY / 2;
        memory.take(full);
        let mut receiver = Receiver::new(at(0).minus(1));
        let window = memory.share(receiver.held(), FLOW_MEMORY);
        receiver.promise(window, &mut memory);
        for offset in (1..window).step_by(2) {
            assert!(take(&mut receiver, &mut memory, offset, "x").out_of_order);
            assert!(memory.used() - full <= FLOW_RESERVE + 2 * CHUNK_OVERHEAD, "{}", memory.used() - full);
        }
        assert!(receiver.has_sack_blocks(), "one range is kept all the same");
        receiver.clear(&mut memory);
        assert_eq!(memory.used(), full);
    }

    #[test]
    fn a_window_that_lies_behind_one_gap_is_kept_whole() {
        let mut memory = Memory::default();
        let mut receiver = Receiver::new(at(0).minus(1));
        receiver.promise(FLOW_MEMORY, &mut memory);
        for segment in 1..REORDERED_SEGMENTS {
            receiver.take(at(segment * 1_000), Bytes::from(vec![7; 1_000]), SLAB, &mut memory);
        }
        let taken = receiver.take(at(0), Bytes::from(vec![7; 1_000]), SLAB, &mut memory);
        assert_eq!(taken.bytes, REORDERED_SEGMENTS * 1_000);
        receiver.clear(&mut memory);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn what_lies_past_a_fin_is_not_kept() {
        let mut memory = Memory::default();
        let mut receiver = receiver(&mut memory);
        take(&mut receiver, &mut memory, 6, "past");
        take(&mut receiver, &mut memory, 0, "abc");
        receiver.take_fin(at(3), &mut memory);
        assert!(receiver.finished() && !receiver.has_sack_blocks());
        receiver.discard(&mut memory);
        receiver.clear(&mut memory);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn a_fin_ahead_of_its_turn_waits_for_the_bytes_before_it() {
        let mut memory = Memory::default();
        let mut receiver = receiver(&mut memory);
        take(&mut receiver, &mut memory, 3, "def");
        receiver.take_fin(at(6), &mut memory);
        assert!(!receiver.finished());
        take(&mut receiver, &mut memory, 0, "abc");
        assert!(receiver.finished());
        assert_eq!((text(&receiver).as_str(), receiver.next()), ("abcdef", at(7)));
    }
}

//! What the relay sees in one turn, on its way to the watcher in one piece: payload by reference where that
//! keeps little else in memory; what is small is copied, and of one stream joined.

use std::mem;

use bytes::{Bytes, BytesMut};
use telltale_engine::Shape;
use telltale_engine::limits::COPY_OUT_SHARE;
use telltale_model::{Direction, FlowNumber, Observation, Sealed, Timestamp};

use super::limits::{BATCH, BUFFER, SMALL};
use crate::clock;

/// Observations since the last [`Turn::take`].
#[derive(Debug, Default)]
pub(super) struct Turn {
    seen: Vec<Observation>,
    pinned: usize,
    copies: BytesMut,
    /// Whose bytes are at the end of `copies` and not in `seen` yet.
    joining: Option<Joining>,
    /// The buffer whose payload came last, by reference.
    lent: Option<Lent>,
    /// When the payload of this turn came: a clock for each piece would cost more than it tells.
    at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Joining {
    flow: FlowNumber,
    direction: Direction,
}

/// A buffer that some of the observations share. Where it begins nobody says, so that its neighbour in memory
/// may be taken for its rest: at worst half of what is kept is counted.
#[derive(Debug)]
struct Lent {
    address: usize,
    size: usize,
    /// The place of the first of them.
    first: usize,
    /// Their bytes.
    bytes: usize,
}

impl Lent {
    fn holds(&self, payload: &Bytes) -> bool {
        payload.as_ptr().addr().wrapping_sub(self.address) < self.size
    }
}

/// Observations in order, and the bytes of memory behind their payload, at most.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) observations: Vec<Observation>,
    pub(super) pinned: usize,
}

impl Turn {
    /// Appends what is no payload.
    pub(super) fn push(&mut self, observation: Observation) {
        self.end_joining();
        self.seen.push(observation);
    }

    /// Appends payload. `pinned` are the bytes of the buffer that it keeps alive.
    pub(super) fn push_payload(
        &mut self,
        flow: FlowNumber,
        direction: Direction,
        shape: Shape,
        payload: Bytes,
        pinned: usize,
    ) {
        if payload.len() < SMALL {
            self.copy(Joining { flow, direction }, shape, &payload);
        } else {
            self.end_joining();
            self.lend(&payload, pinned.max(payload.len()));
            let at = self.now();
            self.seen.push(Observation::Bytes { flow, direction, payload, at });
        }
    }

    /// Appends records of TLS that nobody can read.
    pub(super) fn push_sealed(&mut self, flow: FlowNumber, sealed: Sealed) {
        self.end_joining();
        match self.seen.last_mut() {
            Some(Observation::Sealed { flow: of, sealed: sum, .. }) if *of == flow => sum.add(&sealed),
            _ => {
                let at = self.now();
                self.seen.push(Observation::Sealed { flow, sealed, at });
            }
        }
    }

    /// Appends bytes that nobody will look at.
    pub(super) fn push_missed(&mut self, flow: FlowNumber, direction: Direction, bytes: usize) {
        self.end_joining();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        match self.seen.last_mut() {
            Some(Observation::Missed { flow: of, direction: way, bytes: sum })
                if (*of, *way) == (flow, direction) =>
            {
                *sum = sum.saturating_add(bytes);
            }
            _ => self.seen.push(Observation::Missed { flow, direction, bytes }),
        }
    }

    /// Whether it is time to hand it over, in the midst of a turn.
    pub(super) fn is_full(&self) -> bool {
        self.seen.len() >= BATCH.0 || self.kept() >= BATCH.1
    }

    /// Whether there is no room for payload that keeps `pinned` bytes of a buffer alive. A buffer of which a part is in
    /// already has room for the rest: between two batches it would count twice.
    pub(super) fn is_too_full_for(&self, payload: &Bytes, pinned: usize) -> bool {
        let is_lent = self.lent.as_ref().is_some_and(|lent| lent.holds(payload));
        payload.len() >= SMALL && !is_lent && !self.is_empty() && self.kept() + pinned > BATCH.1
    }

    fn kept(&self) -> usize {
        self.pinned + self.lent.as_ref().map_or(0, |lent| lent.size)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty() && self.joining.is_none()
    }

    /// All since the last call. What follows is gathered in `fresh`, an empty list.
    pub(super) fn take(&mut self, fresh: Vec<Observation>) -> Seen {
        self.end_joining();
        self.end_lending();
        self.at = None;
        Seen { observations: mem::replace(&mut self.seen, fresh), pinned: mem::take(&mut self.pinned) }
    }

    fn now(&mut self) -> Timestamp {
        *self.at.get_or_insert_with(clock::wall)
    }

    fn copy(&mut self, of: Joining, shape: Shape, payload: &[u8]) {
        if self.joining != Some(of) || shape == Shape::Datagram {
            self.end_joining();
        }
        if self.copies.capacity() - self.copies.len() < payload.len() {
            self.end_joining();
            self.copies.reserve(BUFFER);
        }
        self.joining = Some(of);
        self.copies.extend_from_slice(payload);
        self.pinned += payload.len();
    }

    fn end_joining(&mut self) {
        if let Some(Joining { flow, direction }) = self.joining.take() {
            let (payload, at) = (self.copies.split().freeze(), self.now());
            self.seen.push(Observation::Bytes { flow, direction, payload, at });
        }
    }

    fn lend(&mut self, payload: &Bytes, size: usize) {
        match &mut self.lent {
            Some(lent) if lent.holds(payload) => lent.bytes += payload.len(),
            _ => {
                self.end_lending();
                let address = payload.as_ptr().addr();
                let (first, bytes) = (self.seen.len(), payload.len());
                self.lent = Some(Lent { address, size, first, bytes });
            }
        }
    }

    /// A buffer of which little is used is given back at once.
    fn end_lending(&mut self) {
        let Some(lent) = self.lent.take() else { return };
        if lent.bytes >= lent.size / COPY_OUT_SHARE {
            self.pinned += lent.size;
            return;
        }
        self.pinned += lent.bytes;
        for observation in self.seen.iter_mut().skip(lent.first) {
            if let Observation::Bytes { payload, .. } = observation
                && lent.holds(payload)
            {
                *payload = Bytes::copy_from_slice(payload);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: FlowNumber = FlowNumber(1);

    fn push(turn: &mut Turn, flow: u64, payload: &Bytes, pinned: usize) {
        turn.push_payload(FlowNumber(flow), Direction::Sent, Shape::Stream, payload.clone(), pinned);
    }

    fn payloads(seen: &Seen) -> Vec<(u64, &Bytes)> {
        let payload = |observation| {
            let &Observation::Bytes { flow, ref payload, .. } = observation else {
                panic!("{observation:?}")
            };
            (flow.0, payload)
        };
        seen.observations.iter().map(payload).collect()
    }

    #[test]
    fn small_pieces_of_a_stream_are_joined_and_datagrams_are_not() {
        let mut turn = Turn::default();
        for (flow, piece) in [(1, "one "), (1, "stream"), (2, "another"), (1, "again")] {
            push(&mut turn, flow, &Bytes::from_static(piece.as_bytes()), 1 << 18);
        }
        for piece in ["two", "", "datagrams"] {
            let payload = Bytes::from_static(piece.as_bytes());
            turn.push_payload(FlowNumber(3), Direction::Sent, Shape::Datagram, payload, 1 << 18);
        }
        let seen = turn.take(Vec::new());
        let text: Vec<_> =
            payloads(&seen).iter().map(|(flow, bytes)| (*flow, str::from_utf8(bytes).unwrap())).collect();
        let joined = [(1, "one stream"), (2, "another"), (1, "again"), (3, "two"), (3, ""), (3, "datagrams")];
        assert_eq!((&text[..], seen.pinned), (&joined[..], 34));
        assert!(turn.is_empty());
    }

    #[test]
    fn what_is_joined_never_grows_past_a_buffer() {
        let mut turn = Turn::default();
        let piece = Bytes::from(vec![7; 1_460]);
        (0..1_000).for_each(|_| push(&mut turn, 1, &piece, 1 << 18));
        let seen = turn.take(Vec::new());
        let lengths: Vec<usize> = payloads(&seen).iter().map(|(_, bytes)| bytes.len()).collect();
        assert_eq!(lengths.iter().sum::<usize>(), 1_460_000);
        assert!(lengths.iter().all(|length| (1..=BUFFER).contains(length)) && lengths.len() < 30);
    }

    #[test]
    fn a_buffer_that_is_well_used_is_lent_and_counted_once() {
        let mut turn = Turn::default();
        let buffer = Bytes::from(vec![1; 100_000]);
        for start in (0..90_000).step_by(10_000) {
            push(&mut turn, 1, &buffer.slice(start..start + 9_000), 100_000);
        }
        let seen = turn.take(Vec::new());
        assert_eq!((seen.observations.len(), seen.pinned), (9, 100_000));
        assert_eq!(payloads(&seen)[0].1.as_ptr(), buffer.as_ptr());
    }

    #[test]
    fn a_batch_takes_two_long_buffers_whole() {
        let (mut turn, buffers) = (Turn::default(), [1, 2, 3].map(|byte| Bytes::from(vec![byte; 131_090])));
        let fits = |turn: &Turn, payload: &Bytes| !turn.is_too_full_for(payload, 131_090);
        for half in buffers.iter().take(2).flat_map(|buffer| [buffer.slice(..65_545), buffer.slice(65_545..)])
        {
            assert!(fits(&turn, &half) && !turn.is_full());
            push(&mut turn, 1, &half, 131_090);
        }
        assert!(!fits(&turn, &buffers[2]));
        assert!(fits(&turn, &buffers[2].slice(..100)), "it is copied");
        assert_eq!(turn.take(Vec::new()).pinned, 262_180);
        assert!(fits(&turn, &buffers[2]));
    }

    #[test]
    fn a_buffer_of_which_little_is_used_is_not_kept() {
        let mut turn = Turn::default();
        let (little, much) = (Bytes::from(vec![1; 100_000]), Bytes::from(vec![2; 30_000]));
        push(&mut turn, 1, &little.slice(..8_000), 100_000);
        push(&mut turn, 1, &much, 64_000);
        let seen = turn.take(Vec::new());
        let [(_, copied), (_, lent)] = payloads(&seen)[..] else { panic!("{seen:?}") };
        assert_eq!((&copied[..], seen.pinned), (&[1; 8_000][..], 72_000));
        assert!(copied.as_ptr() != little.as_ptr() && lent.as_ptr() == much.as_ptr());
    }

    #[test]
    fn order_is_kept_between_payload_and_all_else() {
        let mut turn = Turn::default();
        let owned = || Observation::Owned { flow: FLOW, owner: Default::default() };
        push(&mut turn, 1, &Bytes::from_static(b"before"), 10);
        turn.push(owned());
        push(&mut turn, 1, &Bytes::from_static(b"after"), 10);
        turn.push_missed(FLOW, Direction::Sent, 3);
        turn.push_missed(FLOW, Direction::Sent, 4);
        let seen = turn.take(Vec::new()).observations;
        assert!(matches!(
            &seen[..],
            [
                Observation::Bytes { .. },
                Observation::Owned { .. },
                Observation::Bytes { .. },
                Observation::Missed { bytes: 7, .. }
            ]
        ));
    }
}

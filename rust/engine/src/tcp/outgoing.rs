//! Bytes for an app that it has not acknowledged yet, sent and unsent, by reference.

use std::collections::VecDeque;
use std::mem;
use std::ops::{Range, RangeInclusive};

use bytes::{Buf, Bytes, BytesMut};

use crate::limits::{CHUNK_OVERHEAD, FLOW_UNACKNOWLEDGED};
use crate::memory::Memory;
use crate::wire::Payload;

/// Pieces smaller than this that wait behind each other are gathered, if they keep no more alive than themselves: a
/// packet takes few pieces, and a server that trickles would fill none.
const SMALL: usize = 16 << 10;

/// Smallest and largest buffer that they are gathered in.
const GATHER: RangeInclusive<usize> = 256..=64 << 10;

/// The queue from the socket to the app. Its front is the first byte that is not acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    chunks: VecDeque<Chunk>,
    len: usize,
    charged: usize,
    /// Where the next new byte is taken from, and how many bytes stand before it.
    unsent: Mark,
    sent: usize,
}

#[derive(Debug)]
struct Chunk {
    body: Body,
    charge: usize,
}

#[derive(Debug)]
enum Body {
    Shared(Bytes),
    /// Nothing of it was sent, and more may be appended.
    Gathering(BytesMut),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    chunk: usize,
    offset: usize,
}

impl Outgoing {
    /// Appends bytes that keep `pinned` bytes of buffer alive.
    pub(crate) fn push(&mut self, bytes: Bytes, pinned: usize, memory: &mut Memory) {
        let is_small = bytes.len() < SMALL && pinned <= bytes.len();
        if !(is_small && self.gather(&bytes, memory)) {
            let kept = pinned.max(bytes.len());
            self.append(Body::Shared(bytes.clone()), kept, memory);
        }
        self.len += bytes.len();
    }

    /// Takes up to `most` unsent bytes, as many as fit into one payload.
    pub(crate) fn take_unsent(&mut self, most: usize) -> Payload {
        let (payload, mark) = self.collect(self.unsent, most);
        self.unsent = mark;
        self.sent += payload.len();
        payload
    }

    /// Bytes again, from `offset` after the front: as many of `most` as fit into one payload.
    pub(crate) fn again(&mut self, offset: usize, most: usize) -> Payload {
        let mut mark = Mark { chunk: 0, offset };
        while let Some(chunk) = self.chunks.get(mark.chunk).filter(|chunk| chunk.body.len() <= mark.offset) {
            mark = Mark { chunk: mark.chunk + 1, offset: mark.offset - chunk.body.len() };
        }
        self.collect(mark, most).0
    }

    /// Forgets acknowledged bytes at the front.
    pub(crate) fn acknowledge(&mut self, mut bytes: usize, memory: &mut Memory) {
        self.len = self.len.saturating_sub(bytes);
        self.sent = self.sent.saturating_sub(bytes);
        while let Some(chunk) = self.chunks.front_mut() {
            let here = chunk.body.len();
            if bytes < here {
                chunk.body.advance(bytes);
                return self.move_mark(0, bytes);
            }
            bytes -= here;
            self.move_mark(1, here);
            self.drop_front(memory);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self, memory: &mut Memory) {
        self.acknowledge(self.len, memory);
    }

    /// All bytes, sent and unsent.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn unsent(&self) -> usize {
        self.len - self.sent
    }

    pub(crate) fn charged(&self) -> usize {
        self.charged
    }

    /// Appends to what is gathered at the end, or begins to gather with the small piece there. False, with nothing
    /// done, where neither waits there, or memory is short.
    fn gather(&mut self, bytes: &[u8], memory: &mut Memory) -> bool {
        let end = Mark { chunk: self.chunks.len().saturating_sub(1), offset: 0 };
        let waits = self.unsent.chunk < end.chunk || self.unsent == end;
        let (begun, capacity) = match self.chunks.back_mut().filter(|_| waits).map(|last| &mut last.body) {
            Some(Body::Gathering(buffer)) if buffer.capacity() - buffer.len() >= bytes.len() => {
                buffer.extend_from_slice(bytes);
                return true;
            }
            Some(Body::Gathering(full)) => (Bytes::new(), 2 * full.capacity().max(bytes.len())),
            Some(Body::Shared(first)) if first.len() < SMALL => {
                (first.clone(), 2 * (first.len() + bytes.len()))
            }
            Some(Body::Shared(_)) | None => return false,
        };
        let capacity = capacity.clamp(*GATHER.start(), *GATHER.end());
        if memory.share(self.charged, FLOW_UNACKNOWLEDGED) < capacity {
            return false;
        }
        if !begun.is_empty() {
            let first = self.chunks.pop_back();
            self.uncharge(first, memory);
        }
        let mut buffer = BytesMut::with_capacity(capacity);
        buffer.extend_from_slice(&begun);
        buffer.extend_from_slice(bytes);
        self.append(Body::Gathering(buffer), capacity, memory);
        true
    }

    fn append(&mut self, body: Body, kept: usize, memory: &mut Memory) {
        let charge = kept + CHUNK_OVERHEAD;
        memory.take(charge);
        self.charged += charge;
        self.chunks.push_back(Chunk { body, charge });
    }

    fn collect(&mut self, mut mark: Mark, most: usize) -> (Payload, Mark) {
        let mut payload = Payload::default();
        let mut left = most;
        while let Some(chunk) = self.chunks.get_mut(mark.chunk).filter(|_| left > 0) {
            let len = chunk.body.len();
            let here = len.saturating_sub(mark.offset).min(left);
            if !payload.push(chunk.body.slice(mark.offset..mark.offset + here)) {
                break;
            }
            left -= here;
            mark.offset += here;
            if mark.offset == len {
                mark = Mark { chunk: mark.chunk + 1, offset: 0 };
            }
        }
        (payload, mark)
    }

    /// Keeps the mark on its byte while the front moves. Only sent bytes are acknowledged, so the mark
    /// is never before the front.
    fn move_mark(&mut self, chunks: usize, bytes: usize) {
        if chunks == 0 && self.unsent.chunk == 0 {
            self.unsent.offset = self.unsent.offset.saturating_sub(bytes);
        }
        self.unsent.chunk = self.unsent.chunk.saturating_sub(chunks);
    }

    fn drop_front(&mut self, memory: &mut Memory) {
        let first = self.chunks.pop_front();
        self.uncharge(first, memory);
        if self.chunks.is_empty() {
            // An idle flow keeps no queue.
            self.chunks = VecDeque::new();
            self.unsent = Mark::default();
        }
    }

    fn uncharge(&mut self, chunk: Option<Chunk>, memory: &mut Memory) {
        let charge = chunk.map_or(0, |chunk| chunk.charge);
        self.charged -= charge;
        memory.give_back(charge);
    }
}

impl Body {
    fn len(&self) -> usize {
        match self {
            Self::Shared(bytes) => bytes.len(),
            Self::Gathering(bytes) => bytes.len(),
        }
    }

    fn advance(&mut self, bytes: usize) {
        match self {
            Self::Shared(shared) => shared.advance(bytes),
            Self::Gathering(gathered) => gathered.advance(bytes),
        }
    }

    /// A part for a packet. Nothing is appended to the rest any more.
    fn slice(&mut self, part: Range<usize>) -> Bytes {
        match self {
            Self::Shared(bytes) => bytes.slice(part),
            Self::Gathering(gathered) => {
                let bytes = mem::take(gathered).freeze();
                let part = bytes.slice(part);
                *self = Self::Shared(bytes);
                part
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(payload: &Payload) -> String {
        payload.parts().iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()
    }

    #[test]
    fn new_bytes_go_once_and_old_ones_can_go_again() {
        let mut memory = Memory::default();
        let mut outgoing = Outgoing::default();
        for part in ["abc", "def", "ghi"] {
            outgoing.push(Bytes::from_static(part.as_bytes()), 3, &mut memory);
        }
        assert_eq!(text(&outgoing.take_unsent(4)), "abcd");
        assert_eq!(text(&outgoing.take_unsent(3)), "efg");
        outgoing.acknowledge(2, &mut memory);
        assert_eq!(text(&outgoing.again(0, 3)), "cde");
        assert_eq!(text(&outgoing.again(2, 9)), "efghi");
        outgoing.acknowledge(3, &mut memory);
        assert_eq!(text(&outgoing.take_unsent(9)), "hi");
        assert_eq!((outgoing.len(), outgoing.unsent()), (4, 0));
        outgoing.push(Bytes::from_static(b"jk"), 2, &mut memory);
        outgoing.acknowledge(4, &mut memory);
        assert_eq!(text(&outgoing.take_unsent(9)), "jk");
        outgoing.acknowledge(2, &mut memory);
        assert_eq!((outgoing.len(), memory.used()), (0, 0));
    }

    #[test]
    fn pieces_that_keep_a_buffer_fill_one_payload_as_far_as_it_has_places() {
        let mut memory = Memory::default();
        let mut outgoing = Outgoing::default();
        for part in ["a", "b", "c", "d", "e"] {
            outgoing.push(Bytes::from_static(part.as_bytes()), 2, &mut memory);
        }
        assert_eq!(text(&outgoing.take_unsent(9)), "abcd");
        assert_eq!(text(&outgoing.take_unsent(9)), "e");
    }

    #[test]
    fn small_pieces_that_wait_are_gathered_and_those_that_were_sent_stay() {
        let mut memory = Memory::default();
        let mut outgoing = Outgoing::default();
        let mut push = |outgoing: &mut Outgoing, parts: &[&'static str]| {
            for part in parts {
                outgoing.push(Bytes::from_static(part.as_bytes()), part.len(), &mut memory);
            }
        };
        push(&mut outgoing, &["a", "b", "c", "d", "e", "f"]);
        assert_eq!(text(&outgoing.take_unsent(5)), "abcde");
        push(&mut outgoing, &["g", "h", "i"]);
        assert_eq!(text(&outgoing.take_unsent(2)), "fg");
        assert_eq!(text(&outgoing.again(1, 5)), "bcdef");
        assert_eq!(text(&outgoing.take_unsent(9)), "hi");
        push(&mut outgoing, &["j"]);
        assert_eq!((outgoing.len(), outgoing.unsent()), (10, 1));
        outgoing.acknowledge(9, &mut memory);
        assert_eq!(text(&outgoing.take_unsent(9)), "j");
        outgoing.acknowledge(1, &mut memory);
        assert_eq!((outgoing.len(), outgoing.charged(), memory.used()), (0, 0, 0));
    }

    #[test]
    fn a_long_piece_behind_short_ones_is_counted_whole() {
        let (mut memory, mut outgoing) = (Memory::default(), Outgoing::default());
        for len in [1, 1, 10_000] {
            outgoing.push(Bytes::from(vec![7; len]), len, &mut memory);
        }
        assert!(outgoing.charged() >= 10_000, "{}", outgoing.charged());
        outgoing.clear(&mut memory);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn what_a_server_trickles_behind_a_closed_window_fills_packets() {
        let mut memory = Memory::default();
        let mut outgoing = Outgoing::default();
        for _ in 0..1_000 {
            outgoing.push(Bytes::from(vec![7; 100]), 100, &mut memory);
        }
        assert!(outgoing.charged() < 2 * 100_000 + (64 << 10), "{}", outgoing.charged());
        let packets =
            std::iter::from_fn(|| Some(outgoing.take_unsent(1_460)).filter(|sent| !sent.is_empty()));
        assert_eq!(packets.count(), 69);
        outgoing.clear(&mut memory);
        assert_eq!(memory.used(), 0);
    }
}

//! Bytes for an app that it has not acknowledged yet, sent and unsent, by reference.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use crate::limits::CHUNK_OVERHEAD;
use crate::memory::Memory;
use crate::wire::Payload;

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
    bytes: Bytes,
    charge: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    chunk: usize,
    offset: usize,
}

impl Outgoing {
    /// Appends bytes that keep `pinned` bytes of buffer alive.
    pub(crate) fn push(&mut self, bytes: Bytes, pinned: usize, memory: &mut Memory) {
        let charge = pinned.max(bytes.len()) + CHUNK_OVERHEAD;
        memory.take(charge);
        self.charged += charge;
        self.len += bytes.len();
        self.chunks.push_back(Chunk { bytes, charge });
    }

    /// Takes up to `most` unsent bytes, as many as fit into one payload.
    pub(crate) fn take_unsent(&mut self, most: usize) -> Payload {
        let (payload, mark) = self.collect(self.unsent, most);
        self.unsent = mark;
        self.sent += payload.len();
        payload
    }

    /// Bytes again, from `offset` after the front: as many of `most` as fit into one payload.
    pub(crate) fn again(&self, offset: usize, most: usize) -> Payload {
        let mut mark = Mark { chunk: 0, offset };
        while let Some(chunk) = self.chunks.get(mark.chunk).filter(|chunk| chunk.bytes.len() <= mark.offset) {
            mark = Mark { chunk: mark.chunk + 1, offset: mark.offset - chunk.bytes.len() };
        }
        self.collect(mark, most).0
    }

    /// Forgets acknowledged bytes at the front.
    pub(crate) fn acknowledge(&mut self, mut bytes: usize, memory: &mut Memory) {
        self.len = self.len.saturating_sub(bytes);
        self.sent = self.sent.saturating_sub(bytes);
        while let Some(chunk) = self.chunks.front_mut() {
            let here = chunk.bytes.len();
            if bytes < here {
                chunk.bytes.advance(bytes);
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

    fn collect(&self, mut mark: Mark, most: usize) -> (Payload, Mark) {
        let mut payload = Payload::default();
        let mut left = most;
        while let Some(chunk) = self.chunks.get(mark.chunk).filter(|_| left > 0) {
            let here = chunk.bytes.len().saturating_sub(mark.offset).min(left);
            if !payload.push(chunk.bytes.slice(mark.offset..mark.offset + here)) {
                break;
            }
            left -= here;
            mark.offset += here;
            if mark.offset == chunk.bytes.len() {
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
        if let Some(chunk) = self.chunks.pop_front() {
            self.charged -= chunk.charge;
            memory.give_back(chunk.charge);
        }
        if self.chunks.is_empty() {
            // An idle flow keeps no queue.
            self.chunks = VecDeque::new();
            self.unsent = Mark::default();
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
    fn many_small_pieces_fill_one_payload_as_far_as_it_has_places() {
        let mut memory = Memory::default();
        let mut outgoing = Outgoing::default();
        for part in ["a", "b", "c", "d", "e"] {
            outgoing.push(Bytes::from_static(part.as_bytes()), 1, &mut memory);
        }
        assert_eq!(text(&outgoing.take_unsent(9)), "abcd");
        assert_eq!(text(&outgoing.take_unsent(9)), "e");
    }
}

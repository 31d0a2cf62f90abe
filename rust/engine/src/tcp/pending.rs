//! Bytes that an app has sent and its socket has not taken yet, in order, counted by what they keep
//! in memory.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use crate::limits::{CHUNK_OVERHEAD, COPY_OUT_SHARE};
use crate::memory::Memory;

/// Smallest and largest buffer that small payloads are gathered in. The smallest is less than what a flow
/// is always granted, else ten thousand stalled ones would hold more than is set aside for them.
const GATHER: std::ops::RangeInclusive<usize> = 256..=64 << 10;

/// The queue between the app and the socket. Payload enters by reference and usually leaves so within
/// the same turn; what has to stay is moved out of shared buffers by [`Pending::settle`].
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// Settled chunks first, then fresh ones.
    chunks: VecDeque<Chunk>,
    settled: usize,
    len: usize,
    charged: usize,
}

#[derive(Debug)]
struct Chunk {
    body: Body,
    charge: usize,
    /// Where the buffer's part of this flow begins, of one that is kept whole, and how long the buffer is. It counts
    /// with its first chunk.
    buffer: Option<(usize, usize)>,
}

#[derive(Debug)]
enum Body {
    Shared(Bytes, usize),
    Gathered(BytesMut),
}

impl Pending {
    /// Appends payload. Its length counts as held until it is settled or sent.
    pub(crate) fn push(&mut self, payload: Bytes, pinned: usize, memory: &mut Memory) {
        let charge = payload.len() + CHUNK_OVERHEAD;
        self.len += payload.len();
        self.append(Chunk { body: Body::Shared(payload, pinned), charge, buffer: None }, memory);
    }

    /// The last so many bytes in the pieces in which they were pushed, with what each keeps alive. They
    /// must not have been settled since.
    pub(crate) fn latest(&self, bytes: usize) -> impl Iterator<Item = (&Bytes, usize)> {
        let mut left = bytes;
        let is_wanted = |chunk: &&Chunk| {
            let wanted = left > 0;
            left = left.saturating_sub(chunk.body.len());
            wanted
        };
        let older = self.chunks.len() - self.chunks.iter().rev().take_while(is_wanted).count();
        self.chunks.iter().skip(older).filter_map(|chunk| match &chunk.body {
            Body::Shared(bytes, pinned) => Some((bytes, *pinned)),
            Body::Gathered(_) => None,
        })
    }

    /// Takes bytes from the front that were sent.
    pub(crate) fn advance(&mut self, mut bytes: usize, memory: &mut Memory) {
        self.len = self.len.saturating_sub(bytes);
        while let Some(chunk) = self.chunks.front_mut() {
            let here = chunk.body.len();
            if bytes < here {
                return chunk.body.advance(bytes);
            }
            bytes -= here;
            self.drop_front(memory);
        }
    }

    /// Moves everything out of buffers that are shared with other flows: small payloads are gathered,
    /// large ones keep their buffer and count all of it, once.
    pub(crate) fn settle(&mut self, memory: &mut Memory) {
        let fresh = self.chunks.split_off(self.settled.min(self.chunks.len()));
        for chunk in fresh {
            self.uncharge(chunk.charge, memory);
            match chunk.body {
                Body::Shared(bytes, pinned) if bytes.len() < pinned / COPY_OUT_SHARE => {
                    self.gather(&bytes, memory)
                }
                Body::Shared(bytes, pinned) => self.keep(bytes, pinned, memory),
                Body::Gathered(bytes) => self.gather(&bytes, memory),
            }
        }
        self.settled = self.chunks.len();
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self, memory: &mut Memory) {
        self.advance(self.len, memory);
        while !self.chunks.is_empty() {
            self.drop_front(memory);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn charged(&self) -> usize {
        self.charged
    }

    pub(crate) fn slices(&self) -> impl Iterator<Item = &[u8]> {
        self.chunks.iter().map(|chunk| chunk.body.as_slice())
    }

    fn append(&mut self, chunk: Chunk, memory: &mut Memory) {
        memory.take(chunk.charge);
        self.charged += chunk.charge;
        self.chunks.push_back(chunk);
    }

    /// Where a buffer begins nobody says, so that its neighbour in memory may be taken for its rest: at worst half of
    /// what is kept is counted.
    fn keep(&mut self, bytes: Bytes, pinned: usize, memory: &mut Memory) {
        let (address, size) = (bytes.as_ptr().addr(), pinned.max(bytes.len()));
        let before = self.chunks.back().and_then(|chunk| chunk.buffer);
        let is_same = |(begin, long): &(usize, usize)| *long == size && address.wrapping_sub(*begin) < size;
        let buffer = before.filter(is_same).unwrap_or((address, size));
        let charge = if before == Some(buffer) { 0 } else { size } + CHUNK_OVERHEAD;
        self.append(Chunk { body: Body::Shared(bytes, pinned), charge, buffer: Some(buffer) }, memory);
    }

    fn gather(&mut self, bytes: &[u8], memory: &mut Memory) {
        if let Some(Chunk { body: Body::Gathered(last), .. }) = self.chunks.back_mut()
            && last.capacity() - last.len() >= bytes.len()
        {
            return last.extend_from_slice(bytes);
        }
        let capacity = self.len.clamp(*GATHER.start(), *GATHER.end()).max(bytes.len());
        let mut buffer = BytesMut::with_capacity(capacity);
        buffer.extend_from_slice(bytes);
        let charge = capacity + CHUNK_OVERHEAD;
        self.append(Chunk { body: Body::Gathered(buffer), charge, buffer: None }, memory);
    }

    fn drop_front(&mut self, memory: &mut Memory) {
        if let Some(chunk) = self.chunks.pop_front() {
            self.settled = self.settled.saturating_sub(1);
            self.uncharge(chunk.charge, memory);
            self.keep_on(&chunk, memory);
        }
        if self.chunks.is_empty() {
            // An idle flow keeps no queue.
            self.chunks = VecDeque::new();
        }
    }

    /// What was counted with a chunk that is gone counts with the next one of the same buffer.
    fn keep_on(&mut self, gone: &Chunk, memory: &mut Memory) {
        let same = |next: &&mut Chunk| next.buffer.is_some() && next.buffer == gone.buffer;
        if let Some(next) = self.chunks.front_mut().filter(same) {
            let buffer = gone.charge - CHUNK_OVERHEAD;
            next.charge += buffer;
            self.charged += buffer;
            memory.take(buffer);
        }
    }

    fn uncharge(&mut self, charge: usize, memory: &mut Memory) {
        self.charged -= charge;
        memory.give_back(charge);
    }
}

impl Body {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Shared(bytes, _) => bytes,
            Self::Gathered(bytes) => bytes,
        }
    }

    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn advance(&mut self, bytes: usize) {
        match self {
            Self::Shared(shared, _) => shared.advance(bytes),
            Self::Gathered(gathered) => gathered.advance(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(pending: &Pending) -> Vec<u8> {
        pending.slices().flatten().copied().collect()
    }

    #[test]
    fn what_is_pushed_comes_out_in_order_however_it_is_taken() {
        let mut memory = Memory::default();
        let mut pending = Pending::default();
        for part in ["one ", "byte ", "after ", "another"] {
            pending.push(Bytes::from_static(part.as_bytes()), 1 << 18, &mut memory);
        }
        pending.advance(6, &mut memory);
        pending.settle(&mut memory);
        assert_eq!(contents(&pending), b"te after another");
        pending.push(Bytes::from_static(b"!"), 1 << 18, &mut memory);
        pending.settle(&mut memory);
        pending.advance(3, &mut memory);
        assert_eq!(contents(&pending), b"after another!");
        pending.advance(14, &mut memory);
        assert_eq!((pending.len(), pending.charged(), memory.used()), (0, 0, 0));
    }

    #[test]
    fn the_latest_bytes_are_found_behind_those_that_wait() {
        let mut memory = Memory::default();
        let mut pending = Pending::default();
        pending.push(Bytes::from_static(b"waits"), 1 << 18, &mut memory);
        pending.settle(&mut memory);
        for part in ["before", "one", "two"] {
            pending.push(Bytes::from_static(part.as_bytes()), 7, &mut memory);
        }
        let latest: Vec<_> = pending.latest(6).collect();
        assert_eq!(latest, [(&Bytes::from_static(b"one"), 7), (&Bytes::from_static(b"two"), 7)]);
        assert_eq!(pending.latest(0).count(), 0);
    }

    #[test]
    fn a_thousand_single_bytes_cost_little_more_than_themselves() {
        let mut memory = Memory::default();
        let mut pending = Pending::default();
        for _ in 0..1_000 {
            pending.push(Bytes::from_static(b"x"), 1 << 18, &mut memory);
            pending.settle(&mut memory);
        }
        assert_eq!(pending.len(), 1_000);
        assert!(memory.used() < 3_000, "{} bytes held", memory.used());
    }

    #[test]
    fn a_large_payload_keeps_its_buffer_and_counts_all_of_it() {
        let mut memory = Memory::default();
        let mut pending = Pending::default();
        pending.push(Bytes::from(vec![0; 40_000]), 65_536, &mut memory);
        pending.settle(&mut memory);
        assert_eq!(pending.charged(), 65_536 + CHUNK_OVERHEAD);
        pending.clear(&mut memory);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn two_payloads_in_one_buffer_count_it_once_until_both_are_gone() {
        const SLAB: usize = 131_090;
        let mut memory = Memory::default();
        let mut pending = Pending::default();
        let slab = Bytes::from(vec![0; 2 * SLAB]);
        let (first, second) = (slab.slice(..65_483), slab.slice(65_545..131_028));
        for payload in [&first, &second, &slab.slice(SLAB..SLAB + 65_483)] {
            pending.push(payload.clone(), SLAB, &mut memory);
            pending.settle(&mut memory);
        }
        assert_eq!(pending.charged(), 2 * SLAB + 3 * CHUNK_OVERHEAD);
        pending.advance(first.len() + 1, &mut memory);
        assert_eq!(pending.charged(), 2 * SLAB + 2 * CHUNK_OVERHEAD, "the second keeps the buffer");
        pending.advance(second.len() - 1, &mut memory);
        assert_eq!(pending.charged(), SLAB + CHUNK_OVERHEAD);
        pending.clear(&mut memory);
        assert_eq!((pending.charged(), memory.used()), (0, 0));
    }
}

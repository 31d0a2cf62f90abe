//! Bytes that both ends know, checked as fast as they can be received.
//!
//! The receiver compares every byte with what it must be, which costs less than copying it, and both ends
//! hash a sixty-fourth of the stream with SHA-256, spread over all of it. All of it would cost both ends more
//! than the engine spends, and the load would be what is measured.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// The most bytes that are handed to the kernel, or taken from it, at once.
pub(crate) const PIECE: usize = 64 << 10;
/// Small enough for the caches, and a prime: no number of lost segments looks like none.
const PERIOD: usize = 262_139;
/// One stretch of this length in [`SAMPLE`] is hashed.
const STRETCH: u64 = 64 << 10;
const SAMPLE: u64 = 64;

static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut noise = vec![0; PERIOD];
    fastrand::Rng::with_seed(7).fill(&mut noise);
    noise.extend_from_within(..PIECE);
    noise
});

/// A full record of TLS 1.3: header, 16 KiB of content, its type and the tag (RFC 8446 5.2).
const RECORD: usize = 5 + (16 << 10) + 1 + 16;
/// Records until they repeat, a prime as well.
const RECORDS: usize = 17;

static FRAMED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut framed = vec![0; RECORDS * RECORD];
    fastrand::Rng::with_seed(8).fill(&mut framed);
    for record in framed.chunks_mut(RECORD) {
        let [high, low] = u16::try_from(RECORD - 5).unwrap_or_default().to_be_bytes();
        if let Some(header) = record.first_chunk_mut() {
            *header = [23, 3, 3, high, low];
        }
    }
    framed.extend_from_within(..PIECE);
    framed
});

/// The bytes of one flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    start: u64,
    period: u64,
    bytes: &'static [u8],
}

impl Pattern {
    /// Noise. Flows of different numbers carry different bytes.
    pub(crate) fn new(flow: u64) -> Self {
        Self { start: flow * 4_099, period: PERIOD as u64, bytes: &NOISE }
    }

    /// Noise in records of TLS: what is sent behind its handshake.
    pub(crate) fn framed(flow: u64) -> Self {
        Self { start: flow * RECORD as u64, period: (RECORDS * RECORD) as u64, bytes: &FRAMED }
    }

    /// The bytes from `offset` on: `length` of them, at most [`PIECE`].
    pub(crate) fn bytes(self, offset: u64, length: usize) -> &'static [u8] {
        let start = usize::try_from((self.start + offset) % self.period).unwrap_or_default();
        self.bytes.get(start..start + length.min(PIECE)).unwrap_or_default()
    }
}

/// The hash of a sixty-fourth of a stream.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    digest: Sha256,
    offset: u64,
}

impl Sample {
    /// What follows in the stream.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let left = usize::try_from(STRETCH - self.offset % STRETCH).unwrap_or_default();
            let (stretch, rest) = bytes.split_at(left.min(bytes.len()));
            if (self.offset / STRETCH).is_multiple_of(SAMPLE) {
                self.digest.update(stretch);
            }
            self.offset += stretch.len() as u64;
            bytes = rest;
        }
    }

    /// The hash, and how long the stream was.
    pub(crate) fn finish(self) -> ([u8; 32], u64) {
        (self.digest.finalize().into(), self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(pieces: &[usize]) -> ([u8; 32], u64) {
        let (mut sample, mut offset) = (Sample::default(), 0);
        for piece in pieces {
            let bytes = Pattern::new(1).bytes(offset, *piece);
            sample.update(bytes);
            offset += bytes.len() as u64;
        }
        sample.finish()
    }

    #[test]
    fn the_same_stream_in_other_pieces_is_the_same() {
        assert_eq!(sample(&[PIECE; 20]), sample(&[PIECE / 2; 40]));
        assert_ne!(sample(&[PIECE; 20]), sample(&[PIECE; 19]));
    }

    #[test]
    fn a_lost_segment_is_seen_wherever_it_is_missing() {
        for lost in [1_u64, 1_460, 8_960, 65_495, 262_144] {
            for offset in (0..PERIOD as u64).step_by(9_973) {
                for pattern in [Pattern::new(3), Pattern::framed(3)] {
                    assert_ne!(pattern.bytes(offset, 4_096), pattern.bytes(offset + lost, 4_096));
                }
            }
        }
    }

    #[test]
    fn flows_differ() {
        assert_ne!(Pattern::new(0).bytes(0, 1_000), Pattern::new(1).bytes(0, 1_000));
        assert_ne!(Pattern::framed(0).bytes(0, 1_000), Pattern::framed(1).bytes(0, 1_000));
    }

    #[test]
    fn every_flow_begins_with_a_record_and_goes_on_with_the_next() {
        for flow in [0, 5, 16, 17, 1_000] {
            for record in [0, 1, 16, 17, 100] {
                let header = Pattern::framed(flow).bytes(record * RECORD as u64, 5);
                assert_eq!(header, [23, 3, 3, 0x40, 0x11]);
            }
        }
    }
}

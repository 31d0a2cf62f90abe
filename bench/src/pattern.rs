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

/// The bytes of one flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern(u64);

impl Pattern {
    /// Flows of different numbers carry different bytes.
    pub(crate) fn new(flow: u64) -> Self {
        Self(flow * 4_099)
    }

    /// The bytes from `offset` on: `length` of them, at most [`PIECE`].
    pub(crate) fn bytes(self, offset: u64, length: usize) -> &'static [u8] {
        let start = usize::try_from((self.0 + offset) % PERIOD as u64).unwrap_or_default();
        NOISE.get(start..start + length.min(PIECE)).unwrap_or_default()
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
                let pattern = Pattern::new(3);
                assert_ne!(pattern.bytes(offset, 4_096), pattern.bytes(offset + lost, 4_096));
            }
        }
    }

    #[test]
    fn flows_differ() {
        assert_ne!(Pattern::new(0).bytes(0, 1_000), Pattern::new(1).bytes(0, 1_000));
    }
}

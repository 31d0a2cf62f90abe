//! Bytes that both ends of a test can make, and their SHA-256.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// The bytes of one direction of one flow: a stretch of one fixed noise, at a place that the seed picks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    seed: u64,
    length: usize,
}

/// A prime, so that the same stretch never meets the same segment boundaries twice.
const NOISE: usize = 4_194_301;

static NOISE_BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    (0..NOISE)
        .map(|_| {
            // xorshift64 (Marsaglia 2003)
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[0]
        })
        .collect()
});

impl Payload {
    /// `length` bytes that differ from those of any other seed.
    pub fn new(seed: u64, length: usize) -> Self {
        Self { seed, length }
    }

    /// The bytes from `offset` on, at most `most` of them; empty at the end.
    pub fn bytes(&self, offset: usize, most: usize) -> &'static [u8] {
        let left = self.length.saturating_sub(offset).min(most);
        let start = (usize::try_from(self.seed % 1_000_003).unwrap_or_default() * 4_099 + offset) % NOISE;
        NOISE_BYTES.get(start..(start + left).min(NOISE)).unwrap_or_default()
    }

    /// How many bytes there are.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The SHA-256 of all of it.
    pub fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut offset = 0;
        while offset < self.length {
            let bytes = self.bytes(offset, self.length);
            digest.update(bytes);
            offset += bytes.len();
        }
        digest.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_make_the_whole_whatever_their_size() {
        let payload = Payload::new(3, 10_000_000);
        let mut digest = Sha256::new();
        let mut offset = 0;
        loop {
            let bytes = payload.bytes(offset, 7_919);
            if bytes.is_empty() {
                break;
            }
            digest.update(bytes);
            offset += bytes.len();
        }
        assert_eq!(offset, 10_000_000);
        assert_eq!(<[u8; 32]>::from(digest.finalize()), payload.digest());
    }

    #[test]
    fn two_seeds_give_two_payloads() {
        assert_ne!(Payload::new(1, 1_000).digest(), Payload::new(2, 1_000).digest());
    }
}

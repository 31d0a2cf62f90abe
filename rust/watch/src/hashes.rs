//! Maps whose keys are hashes already.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// The hash of a name that is kept once for each `mark`: marks differ, and nobody outside can foresee what of.
pub(crate) fn hash(hashes: &RandomState, name: &str, mark: u64) -> u64 {
    // 2^64 divided by the golden ratio: marks are small numbers or short texts.
    hashes.hash_one(name) ^ mark.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A map by hashes that nobody outside can foresee: they need not be hashed once more.
pub(crate) type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Same>>;

/// A set of the same.
pub(crate) type Hashes = HashSet<u64, BuildHasherDefault<Same>>;

/// Gives the number that it got.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

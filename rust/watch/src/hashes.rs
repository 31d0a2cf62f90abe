//! Maps whose keys are hashes already.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

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

//! Finds a question among those that a flow has asked before, however many they are.

use std::hash::RandomState;

use telltale_model::Lookup;

use crate::hashes::{ByHash, hash};

/// The places of [`telltale_model::Facts::lookups`] by hashes that nobody outside can foresee.
#[derive(Debug, Default)]
pub(super) struct Known {
    hashes: RandomState,
    places: ByHash<usize>,
    /// Those of `places` are of the first so many lookups.
    listed: usize,
}

impl Known {
    /// The hash of a question.
    pub(super) fn hash(&self, name: &str, kind: &str) -> u64 {
        hash_of(&self.hashes, name, kind)
    }

    /// The place of the question with this hash.
    pub(super) fn place(&mut self, hash: u64, name: &str, kind: &str, lookups: &[Lookup]) -> Option<usize> {
        let is_same = |lookup: &Lookup| lookup.query == name && lookup.kind == kind;
        self.list(lookups);
        match self.places.get(&hash) {
            Some(place) if lookups.get(*place).is_some_and(is_same) => Some(*place),
            // Two questions of one hash.
            Some(_) => lookups.iter().position(is_same),
            None => None,
        }
    }

    /// The question with this hash was added at the end of these.
    pub(super) fn add(&mut self, hash: u64, lookups: &[Lookup]) {
        let Some(place) = lookups.len().checked_sub(1) else { return };
        self.places.entry(hash).or_insert(place);
        self.listed = lookups.len();
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.places.capacity() * size_of::<(u64, usize)>()
    }

    fn list(&mut self, lookups: &[Lookup]) {
        for (place, lookup) in lookups.iter().enumerate().skip(self.listed) {
            let hash = hash_of(&self.hashes, &lookup.query, &lookup.kind);
            self.places.entry(hash).or_insert(place);
        }
        self.listed = lookups.len();
    }
}

fn hash_of(hashes: &RandomState, name: &str, kind: &str) -> u64 {
    hash(hashes, name, kind.bytes().fold(0, |sum, byte| sum << 7 ^ u64::from(byte)))
}

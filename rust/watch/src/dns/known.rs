//! Finds a question among those that a flow has asked before, however many they are.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use telltale_model::Lookup;

/// The places of [`telltale_model::Facts::lookups`] by hashes that nobody outside can foresee.
#[derive(Debug, Default)]
pub(super) struct Known {
    hashes: RandomState,
    places: HashMap<u64, usize>,
    /// Those of `places` are of the first so many lookups.
    listed: usize,
}

impl Known {
    /// The place of this question.
    pub(super) fn place(&mut self, name: &str, kind: &str, lookups: &[Lookup]) -> Option<usize> {
        let is_same = |lookup: &Lookup| lookup.query == name && lookup.kind == kind;
        self.list(lookups);
        let place = *self.places.get(&self.hashes.hash_one((name, kind)))?;
        if lookups.get(place).is_some_and(is_same) { Some(place) } else { lookups.iter().position(is_same) }
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.places.capacity() * size_of::<(u64, usize)>()
    }

    fn list(&mut self, lookups: &[Lookup]) {
        for (place, lookup) in lookups.iter().enumerate().skip(self.listed) {
            let hash = self.hashes.hash_one((lookup.query.as_str(), lookup.kind.as_str()));
            self.places.entry(hash).or_insert(place);
        }
        self.listed = lookups.len();
    }
}

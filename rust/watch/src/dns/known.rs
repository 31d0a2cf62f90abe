//! Finds a question among those that a flow has asked before, however many they are.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use telltale_model::{Facts, Lookup, Name, NameSource};

/// The places of [`Facts::lookups`] and the names of questions, by hashes that nobody outside can foresee.
#[derive(Debug, Default)]
pub(super) struct Known {
    hashes: RandomState,
    places: HashMap<u64, usize>,
    /// Those of `places` are of the first so many lookups.
    listed: usize,
    names: HashSet<u64>,
    /// Those of `names` are of the first so many names of the flow.
    named: usize,
}

impl Known {
    /// The place of this question.
    pub(super) fn place(&mut self, name: &str, kind: &str, lookups: &[Lookup]) -> Option<usize> {
        let is_same = |lookup: &Lookup| lookup.query == name && lookup.kind == kind;
        self.list(lookups);
        let place = *self.places.get(&self.hashes.hash_one((name, kind)))?;
        if lookups.get(place).is_some_and(is_same) { Some(place) } else { lookups.iter().position(is_same) }
    }

    /// Adds the name of a question to those of the flow, as [`Facts::add_name`] does.
    pub(super) fn add_name(&mut self, name: &str, facts: &mut Facts) {
        let of_questions = facts.names.iter().skip(self.named).filter(|name| name.from == NameSource::Dns);
        self.names.extend(of_questions.map(|name| self.hashes.hash_one(name.name.as_str())));
        if facts.names.len() < Facts::NAMES && self.names.insert(self.hashes.hash_one(name)) {
            facts.names.push(Name { name: name.to_owned(), from: NameSource::Dns, outer: false });
        }
        self.named = facts.names.len();
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.places.capacity() * size_of::<(u64, usize)>() + self.names.capacity() * size_of::<u64>()
    }

    fn list(&mut self, lookups: &[Lookup]) {
        for (place, lookup) in lookups.iter().enumerate().skip(self.listed) {
            let hash = self.hashes.hash_one((lookup.query.as_str(), lookup.kind.as_str()));
            self.places.entry(hash).or_insert(place);
        }
        self.listed = lookups.len();
    }
}

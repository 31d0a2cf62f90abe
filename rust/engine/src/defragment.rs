use bytes::Bytes;

use crate::Instant;
use crate::wire::{Parsed, Reassembly, parse};

/// Puts the fragments of IP packets together again, by the rules and within the bounds of the relay, for
/// those who read packets from elsewhere.
#[derive(Default)]
pub struct Defragmenter {
    reassembly: Reassembly,
}

impl Defragmenter {
    /// Takes a packet that is a fragment; gives the whole packet where this was the last one missing.
    pub fn insert(&mut self, now: Instant, fragment: &Bytes) -> Option<Bytes> {
        let Parsed::Fragment(fragment) = parse(fragment) else { return None };
        self.reassembly.insert(now, fragment).map(|whole| whole.original)
    }
}

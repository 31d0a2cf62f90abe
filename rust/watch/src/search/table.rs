//! Sets of 32-bit keys, each with what it stands for: a filter of bits that nearly all misses end at, and the
//! entries by the first bits of their keys. Keys have to be spread evenly: digests are, others go through [`mix`].

use zeroize::Zeroizing;

/// A filter, and the entries behind it.
#[derive(Debug, Default)]
pub(super) struct Table {
    filter: Filter,
    entries: Entries,
}

impl Table {
    pub(super) fn new(entries: Vec<(u32, u32)>) -> Self {
        Self { filter: Filter::new(entries.iter().map(|(key, _)| *key)), entries: Entries::new(entries) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.references.is_empty()
    }

    /// Whether the key may be there.
    #[inline]
    pub(super) fn may_have(&self, key: u32) -> bool {
        self.filter.may_have(key)
    }

    /// What the key stands for, mostly nothing.
    #[inline]
    pub(super) fn get(&self, key: u32) -> impl Iterator<Item = u32> + '_ {
        self.may_have(key).then(|| self.entries.get(key)).into_iter().flatten()
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.filter.held() + self.entries.held()
    }
}

/// What says of most keys that they are not in a set.
#[derive(Debug, Default)]
pub(super) struct Filter {
    words: Zeroizing<Vec<u64>>,
    shift: u32,
}

/// Bits of the filter for each entry, at least. Of its word each sets two: 1 miss in 60 passes.
const FILTER: usize = 16;

/// Bits of the filter at least, 8 KiB: small sets have next to no misses that pass.
const LEAST: usize = 1 << 16;

/// The bits of a word that a key sets, which its last bits choose; the first ones choose the word. They are counted from
/// two ends: of the key 0, which every place among zeros has, they are two as well.
#[inline]
fn mask(key: u32) -> u64 {
    1 << (key & 63) | (1 << 63) >> (key >> 6 & 63)
}

/// Whether a word has the bits of [`mask`].
#[inline]
fn is_set(word: u64, key: u32) -> bool {
    (word >> (key & 63)) & (word << (key >> 6 & 63) >> 63) & 1 == 1
}

impl Filter {
    pub(super) fn new(keys: impl ExactSizeIterator<Item = u32>) -> Self {
        let bits = (keys.len() * FILTER).next_power_of_two().max(LEAST);
        let shift = 32 - (bits / 64).ilog2().min(31);
        let mut words = Zeroizing::new(vec![0; bits / 64]);
        for key in keys {
            words.get_mut((key >> shift) as usize).into_iter().for_each(|word| *word |= mask(key));
        }
        Self { words, shift }
    }

    /// Whether the key may be there.
    #[inline]
    pub(super) fn may_have(&self, key: u32) -> bool {
        self.words.get((key >> self.shift) as usize).is_some_and(|word| is_set(*word, key))
    }

    /// Whether one of four keys may be there.
    #[inline]
    pub(super) fn may_have_any(&self, keys: [u32; 4]) -> bool {
        // Not by `map`, which is not always inlined.
        let [a, b, c, d] = keys;
        self.may_have(a) | self.may_have(b) | self.may_have(c) | self.may_have(d)
    }

    pub(super) fn held(&self) -> usize {
        self.words.len() * 8
    }
}

/// The filter of a set that is small: it lies in the nearest memory.
#[derive(Debug)]
pub(super) struct Near(Box<Zeroizing<[u64; LEAST / 64]>>);

impl Default for Near {
    fn default() -> Self {
        Self(Box::new(Zeroizing::new([0; LEAST / 64])))
    }
}

impl Near {
    pub(super) fn new(keys: impl Iterator<Item = u32>) -> Self {
        let mut near = Self::default();
        for key in keys {
            near.0.get_mut((key >> 22) as usize).into_iter().for_each(|word| *word |= mask(key));
        }
        near
    }

    #[inline]
    fn may_have(&self, key: u32) -> bool {
        // Ten bits say which word: none lies outside.
        self.0.get((key >> 22) as usize).is_some_and(|word| is_set(*word, key))
    }

    /// Whether one of four keys may be there: nearly never.
    #[inline]
    pub(super) fn may_have_any(&self, keys: [u32; 4]) -> bool {
        let [a, b, c, d] = keys;
        self.may_have(a) | self.may_have(b) | self.may_have(c) | self.may_have(d)
    }
}

/// What keys stand for. Of each the bucket and its last 16 bits are known: what is found so has to be compared.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Where the entries of a bucket begin, one more than there are buckets.
    starts: Zeroizing<Vec<u32>>,
    shift: u32,
    /// The last bits of each key.
    keys: Zeroizing<Vec<u16>>,
    references: Zeroizing<Vec<u32>>,
}

impl Entries {
    pub(super) fn new(entries: Vec<(u32, u32)>) -> Self {
        let mut entries = Zeroizing::new(entries);
        entries.sort_unstable();
        entries.dedup();
        let buckets = (entries.len() / 8).next_power_of_two().max(2);
        let shift = 32 - buckets.ilog2();
        let mut starts = Zeroizing::new(Vec::with_capacity(buckets + 1));
        for bucket in 0..=buckets {
            let start = entries.partition_point(|(key, _)| ((key >> shift) as usize) < bucket);
            starts.push(u32::try_from(start).unwrap_or(u32::MAX));
        }
        let keys = Zeroizing::new(entries.iter().map(|(key, _)| last(*key)).collect());
        let references = Zeroizing::new(entries.iter().map(|(_, reference)| *reference).collect());
        Self { starts, shift, keys, references }
    }

    /// What the key stands for, and now and then what another one does.
    #[inline]
    pub(super) fn get(&self, key: u32) -> impl Iterator<Item = u32> + '_ {
        let bucket = (key >> self.shift) as usize;
        let start = self.starts.get(bucket).copied().unwrap_or(0) as usize;
        let end = self.starts.get(bucket + 1).copied().unwrap_or(0) as usize;
        let keys = self.keys.get(start..end).unwrap_or_default();
        let references = self.references.get(start..end).unwrap_or_default();
        keys.iter().zip(references).filter(move |(known, _)| **known == last(key)).map(|(_, found)| *found)
    }

    pub(super) fn held(&self) -> usize {
        self.starts.len() * 4 + self.keys.len() * 6
    }
}

#[inline]
fn last(key: u32) -> u16 {
    (key & 0xffff) as u16
}

/// Spreads what is not spread already (the finalizer of MurmurHash3, by Austin Appleby).
#[inline]
pub(super) fn mix(value: u64) -> u32 {
    let value = (value ^ value >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let value = (value ^ value >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (value >> 32) as u32
}

/// The same for what is not far from evenly spread, in one step (Knuth, The Art of Computer Programming 3, 6.4).
#[inline]
pub(super) fn spread(value: u32) -> u32 {
    (value ^ value >> 15).wrapping_mul(0x9e37_79b1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_next_to_nothing_else() {
        let entries: Vec<(u32, u32)> =
            (0..5_000).map(|number| (mix(number), u32::try_from(number).unwrap())).collect();
        let table = Table::new(entries);
        for number in 0..5_000 {
            assert!(table.get(mix(number)).any(|found| u64::from(found) == number), "{number}");
        }
        let passed = (5_000..1_000_000).filter(|number| table.may_have(mix(*number))).count();
        assert!(passed < 995_000 / 32, "{passed} misses passed");
        // Ten bits of a bucket and sixteen more: each of them is one of 5,000 out of 2^26.
        assert!((5_000..1_000_000).flat_map(|number| table.get(mix(number))).count() < 200);
        assert!(table.held() < 5_000 * 16);
    }

    #[test]
    fn a_key_of_zeros_sets_two_bits_as_any_other_does() {
        assert_eq!(mask(0).count_ones(), 2);
        for key in (0..1 << 12).chain([u32::MAX]) {
            assert!(is_set(mask(key), key) && !is_set(!mask(key), key));
            assert!(
                (0..64).all(|bit| is_set(1 << bit, key) == (mask(key) == 1 << bit)),
                "both are asked for"
            );
        }
    }

    #[test]
    fn of_one_key_all_is_found_and_of_none_nothing() {
        let table = Table::new(vec![(7, 1), (7, 2), (u32::MAX, 3)]);
        assert_eq!(table.get(7).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(table.get(u32::MAX).collect::<Vec<_>>(), [3]);
        assert_eq!(Table::new(Vec::new()).get(0).count(), 0);
        assert_eq!(Table::default().get(0).count(), 0);
    }

    #[test]
    fn of_many_keys_only_their_own_are_found() {
        let entries = (0..100_000).map(|number| (mix(number), 1)).collect();
        let table = Entries::new(entries);
        let found = (100_000..200_000).filter(|number| table.get(mix(*number)).next().is_some()).count();
        assert!(found < 40, "{found} strangers");
    }
}

//! A set of 32-bit keys, each with what it stands for: a filter of bits that nearly all misses end at, and the
//! entries by the first bits of their keys.

use zeroize::Zeroizing;

/// Built once. Keys have to be spread evenly: digests are, others go through [`mix`].
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The filter of a set that is small: it lies in the nearest memory.
    near: Near,
    filter: Zeroizing<Vec<u64>>,
    filter_shift: u32,
    /// Where the entries of a bucket begin, one more than there are buckets.
    starts: Zeroizing<Vec<u32>>,
    bucket_shift: u32,
    /// Key and reference, by key.
    entries: Zeroizing<Vec<(u32, u32)>>,
}

/// Bits of the filter for each entry, at least. Of its word each sets two: 1 miss in 60 passes.
const FILTER: usize = 16;

/// Bits of the filter at least, 8 KiB: small sets have next to no misses that pass.
const LEAST: usize = 1 << 16;

#[derive(Debug)]
struct Near(Box<Zeroizing<[u64; LEAST / 64]>>);

impl Default for Near {
    fn default() -> Self {
        Self(Box::new(Zeroizing::new([0; LEAST / 64])))
    }
}

impl Near {
    /// Whether a key may be in the set.
    #[inline]
    fn may_have(&self, key: u32) -> bool {
        // Ten bits say which word: none lies outside.
        self.0.get((key >> 22) as usize).is_some_and(|word| word & mask(key) == mask(key))
    }

    fn set(&mut self, key: u32) {
        if let Some(word) = self.0.get_mut((key >> 22) as usize) {
            *word |= mask(key);
        }
    }
}

/// The bits of a word that a key sets, which its last bits choose; the first ones choose the word.
#[inline]
fn mask(key: u32) -> u64 {
    1 << (key & 63) | 1 << (key >> 6 & 63)
}

impl Table {
    pub(super) fn new(mut entries: Vec<(u32, u32)>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        let bits = (entries.len() * FILTER).next_power_of_two().max(LEAST);
        let buckets = (entries.len() / 2).next_power_of_two().max(2);
        let mut table = Self {
            near: Near::default(),
            filter: Zeroizing::new(vec![0; bits / 64]),
            filter_shift: 32 - (bits / 64).ilog2().min(31),
            starts: Zeroizing::new(Vec::with_capacity(buckets + 1)),
            bucket_shift: 32 - buckets.ilog2(),
            entries: Zeroizing::new(Vec::new()),
        };
        for bucket in 0..buckets {
            let below = |entry: &(u32, u32)| ((entry.0 >> table.bucket_shift) as usize) < bucket;
            let start = entries.partition_point(below);
            table.starts.push(u32::try_from(start).unwrap_or(u32::MAX));
        }
        table.starts.push(u32::try_from(entries.len()).unwrap_or(u32::MAX));
        for (key, _) in &entries {
            table.near.set(*key);
            if let Some(word) = table.filter.get_mut((key >> table.filter_shift) as usize) {
                *word |= mask(*key);
            }
        }
        table.entries = Zeroizing::new(entries);
        table
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether one of four keys may be there: of small sets nearly never.
    #[inline]
    pub(super) fn may_have_one(&self, keys: [u32; 4]) -> bool {
        // Not by `map`, which is not always inlined.
        let [a, b, c, d] = keys;
        self.near.may_have(a) | self.near.may_have(b) | self.near.may_have(c) | self.near.may_have(d)
    }

    /// The same of sets that are large.
    #[inline]
    pub(super) fn may_have_any(&self, keys: [u32; 4]) -> bool {
        let [a, b, c, d] = keys;
        self.may_have(a) | self.may_have(b) | self.may_have(c) | self.may_have(d)
    }

    /// Whether the key may be there.
    #[inline]
    pub(super) fn may_have(&self, key: u32) -> bool {
        let word = self.filter.get((key >> self.filter_shift) as usize);
        word.is_some_and(|word| word & mask(key) == mask(key))
    }

    /// Whether the key is there.
    #[inline]
    pub(super) fn has(&self, key: u32) -> bool {
        self.may_have(key) && self.get(key).next().is_some()
    }

    /// What the key stands for, mostly nothing.
    #[inline]
    pub(super) fn get(&self, key: u32) -> impl Iterator<Item = u32> + '_ {
        let entries = if self.may_have(key) { self.bucket(key) } else { &[] };
        entries.iter().filter(move |entry| entry.0 == key).map(|entry| entry.1)
    }

    fn bucket(&self, key: u32) -> &[(u32, u32)] {
        let bucket = (key >> self.bucket_shift) as usize;
        let start = self.starts.get(bucket).copied().unwrap_or(0) as usize;
        let end = self.starts.get(bucket + 1).copied().unwrap_or(0) as usize;
        self.entries.get(start..end).unwrap_or_default()
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        LEAST / 8 + self.filter.len() * 8 + self.starts.len() * 4 + self.entries.len() * 8
    }
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
    fn what_was_put_in_is_found_and_nothing_else() {
        let entries: Vec<(u32, u32)> =
            (0..5_000).map(|number| (mix(number), u32::try_from(number).unwrap())).collect();
        let table = Table::new(entries);
        for number in 0..5_000 {
            assert!(table.get(mix(number)).any(|found| u64::from(found) == number), "{number}");
        }
        let passed = (5_000..1_000_000).filter(|number| table.may_have(mix(*number))).count();
        assert!(passed < 995_000 / 32, "{passed} misses passed");
        assert_eq!((5_000..1_000_000).flat_map(|number| table.get(mix(number))).count(), 1);
        assert!(table.held() < 5_000 * 24);
    }

    #[test]
    fn of_one_key_all_is_found_and_of_none_nothing() {
        let table = Table::new(vec![(7, 1), (7, 2), (u32::MAX, 3)]);
        assert_eq!(table.get(7).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(table.get(u32::MAX).collect::<Vec<_>>(), [3]);
        assert_eq!(Table::new(Vec::new()).get(0).count(), 0);
    }
}

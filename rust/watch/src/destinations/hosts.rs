//! A table of host names, looked up by the longest suffix. The layout is at [`HOST_ENTRY`].

use bytes::Bytes;

use super::fields::{part, place_at, u16_at};
use super::layout::{Fingerprint, HOST_ENTRY, MOST_LABELS};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    count: usize,
    bits: u16,
    labels: usize,
    buckets: Bytes,
    entries: Bytes,
}

/// The suffixes of a name, as far as a table may have them: how long each is, and its fingerprint.
#[derive(Debug)]
pub(super) struct Suffixes {
    all: [(usize, Fingerprint); MOST_LABELS],
    count: usize,
}

impl Hosts {
    /// `None` where the lengths do not fit.
    pub(super) fn open(section: &Bytes) -> Option<Self> {
        let count = place_at(section, 0)?;
        let (bits, labels) = (u16_at(section, 4)?, u16_at(section, 6)?);
        let buckets = 4 * (1usize.checked_shl(u32::from(bits)).filter(|_| bits < 24)? + 1);
        Some(Self {
            count,
            bits,
            labels: usize::from(labels),
            buckets: part(section, 8, buckets)?,
            entries: part(section, 8 + buckets, count.checked_mul(HOST_ENTRY)?)?,
        })
    }

    /// How many names it has.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The length of the longest of the suffixes that the table has, and its value.
    pub(super) fn longest(&self, suffixes: &Suffixes) -> Option<(usize, u16)> {
        let tried = suffixes.all.get(..suffixes.count.min(self.labels))?;
        tried.iter().rev().find_map(|(length, fingerprint)| Some((*length, self.get(*fingerprint)?)))
    }

    fn get(&self, name: Fingerprint) -> Option<u16> {
        let (bucket, wanted) = (name.bucket(self.bits), name.remainder(self.bits));
        let from = place_at(&self.buckets, bucket * 4)?;
        let end = place_at(&self.buckets, bucket * 4 + 4)?;
        let entries = self.entries.get(from.checked_mul(HOST_ENTRY)?..end.checked_mul(HOST_ENTRY)?)?;
        let (entries, _) = entries.as_chunks::<HOST_ENTRY>();
        let [.., low, high] = entries.iter().find(|entry| entry.first_chunk() == Some(&wanted))?;
        Some(u16::from_le_bytes([*low, *high]))
    }
}

impl Suffixes {
    /// Those of a name in lower case, without a dot at its end; the shortest comes first. A hostile
    /// name has 127 labels, a table few: what is longer than [`MOST_LABELS`] is left out.
    pub(super) fn of(name: &[u8]) -> Self {
        let mut suffixes = Self { all: [(0, Fingerprint::default()); MOST_LABELS], count: 0 };
        let dots = name.iter().enumerate().rev().filter(|(_, byte)| **byte == b'.');
        let starts = dots.map(|(dot, _)| dot + 1).chain([0]);
        for (place, start) in suffixes.all.iter_mut().zip(starts) {
            let suffix = name.get(start..).unwrap_or_default();
            *place = (suffix.len(), Fingerprint::of(suffix));
            suffixes.count += 1;
        }
        suffixes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffixes_of_a_name() {
        let lengths = |name: &[u8]| {
            let suffixes = Suffixes::of(name);
            suffixes.all.map(|(length, _)| length)[..suffixes.count].to_vec()
        };
        assert_eq!(lengths(b"a.b.example"), [7, 9, 11]);
        assert_eq!(lengths(b"example"), [7]);
        assert_eq!(lengths(b""), [0]);
        assert_eq!(lengths(b".."), [0, 1, 2]);
        assert_eq!(lengths(&b"a.".repeat(100)).len(), MOST_LABELS);
    }
}

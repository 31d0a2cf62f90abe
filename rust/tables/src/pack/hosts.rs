//! Tables of host names.

use std::fmt;

use telltale_watch::destinations::layout::Fingerprint;

use super::number;

/// Two names that a reader could not tell apart. The remedy is another key of the fingerprints.
#[derive(Debug, PartialEq, Eq)]
pub struct Collision(String, String);

impl fmt::Display for Collision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {} have one fingerprint: give Fingerprint another key", self.0, self.1)
    }
}

/// Packs names, in lower case and each once, with their values.
///
/// # Errors
/// Where two names have one fingerprint, which is as good as impossible.
pub fn hosts(names: &[(&str, u16)]) -> Result<Vec<u8>, Collision> {
    let bits = bits(names.len());
    let mut entries: Vec<_> =
        names.iter().map(|(name, value)| (Fingerprint::of(name.as_bytes()), *name, *value)).collect();
    entries.sort_by_key(|(fingerprint, ..)| (fingerprint.bucket(bits), fingerprint.remainder(bits)));
    let mut packed = number(names.len()).to_le_bytes().to_vec();
    packed.extend(bits.to_le_bytes());
    packed.extend(labels(names).to_le_bytes());
    for bucket in 0..=1usize << bits {
        let first = entries.partition_point(|(fingerprint, ..)| fingerprint.bucket(bits) < bucket);
        packed.extend(number(first).to_le_bytes());
    }
    for (fingerprint, _, value) in &entries {
        packed.extend(fingerprint.remainder(bits));
        packed.extend(value.to_le_bytes());
    }
    match entries.windows(2).find(|pair| same(pair, bits)) {
        Some([one, other, ..]) => Err(Collision(one.1.to_owned(), other.1.to_owned())),
        _ => Ok(packed),
    }
}

/// So many that a bucket has 4 to 8 entries: one cache line, and a byte of each name's 8 at most.
fn bits(names: usize) -> u16 {
    let buckets = (names / 4).max(1);
    u16::try_from(buckets.ilog2()).unwrap_or(0)
}

fn labels(names: &[(&str, u16)]) -> u16 {
    let most = names.iter().map(|(name, _)| name.split('.').count()).max().unwrap_or(0);
    u16::try_from(most).unwrap_or(u16::MAX)
}

fn same(pair: &[(Fingerprint, &str, u16)], bits: u16) -> bool {
    let mut places =
        pair.iter().map(|(fingerprint, ..)| (fingerprint.bucket(bits), fingerprint.remainder(bits)));
    places.next() == places.next()
}

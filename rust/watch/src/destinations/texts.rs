//! A table of texts: each has a number. The layout is at [`TEXT_BLOCK`].

use bytes::Bytes;

use super::fields::{part, place_at, u16_at};
use super::layout::TEXT_BLOCK;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Texts {
    count: usize,
    offsets: Bytes,
    lengths: Bytes,
    bytes: Bytes,
}

impl Texts {
    /// `None` where the lengths do not fit.
    pub(super) fn open(section: &Bytes) -> Option<Self> {
        let count = place_at(section, 0)?;
        let lengths = 4 + count.div_ceil(TEXT_BLOCK).checked_mul(4)?;
        let bytes = lengths.checked_add(count.checked_mul(2)?)?;
        Some(Self {
            count,
            offsets: part(section, 4, lengths.checked_sub(4)?)?,
            lengths: part(section, lengths, bytes.checked_sub(lengths)?)?,
            bytes: part(section, bytes, section.len().checked_sub(bytes)?)?,
        })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The text with this number; one that is not there is empty.
    pub(super) fn get(&self, number: usize) -> &str {
        self.find(number).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
    }

    fn find(&self, number: usize) -> Option<&[u8]> {
        let first = number - number % TEXT_BLOCK;
        let mut from = place_at(&self.offsets, number / TEXT_BLOCK * 4)?;
        for earlier in first..number {
            from = from.checked_add(usize::from(u16_at(&self.lengths, earlier * 2)?))?;
        }
        let length = usize::from(u16_at(&self.lengths, number.checked_mul(2)?)?);
        self.bytes.get(from..from.checked_add(length)?)
    }
}

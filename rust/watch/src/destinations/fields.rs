//! Checked reads: every number, record and slice of the packed file comes through here.

use bytes::Bytes;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A u32 as a place or a count.
pub(super) fn place_at(bytes: &[u8], at: usize) -> Option<usize> {
    u32_at(bytes, at).and_then(|number| usize::try_from(number).ok())
}

/// The record with this number, of records that have `SIZE` bytes each.
pub(super) fn record<const SIZE: usize>(records: &[u8], number: usize) -> Option<&[u8; SIZE]> {
    records.get(number.checked_mul(SIZE)?..)?.first_chunk()
}

/// A part that shares the memory of the whole.
pub(super) fn part(whole: &Bytes, from: usize, length: usize) -> Option<Bytes> {
    let end = from.checked_add(length)?;
    (end <= whole.len()).then(|| whole.slice(from..end))
}

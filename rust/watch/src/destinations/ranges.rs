//! A table of ranges of addresses, each with a value. The layout is at [`RANGE_BLOCK`].

use bytes::Bytes;

use super::fields::{part, place_at};
use super::layout::{RANGE_BLOCK, RANGE_FACTOR, RANGE_VALUE};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Ranges {
    count: usize,
    firsts: Bytes,
    offsets: Bytes,
    blocks: Bytes,
}

impl Ranges {
    /// `None` where the lengths do not fit.
    pub(super) fn open(section: &Bytes) -> Option<Self> {
        let (count, blocks) = (place_at(section, 0)?, place_at(section, 4)?);
        let firsts = blocks.checked_mul(8)?;
        let offsets = blocks.checked_add(1)?.checked_mul(4)?;
        let bytes = firsts.checked_add(offsets)?.checked_add(8)?;
        (blocks == count.div_ceil(RANGE_BLOCK)).then_some(())?;
        Some(Self {
            count,
            firsts: part(section, 8, firsts)?,
            offsets: part(section, 8 + firsts, offsets)?,
            blocks: part(section, bytes, section.len().checked_sub(bytes)?)?,
        })
    }

    /// How many starts it has.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The value of the last range that starts at or before `address`.
    pub(super) fn find(&self, address: u64) -> Option<u32> {
        let (firsts, _) = self.firsts.as_chunks::<8>();
        let after = firsts.partition_point(|first| u64::from_le_bytes(*first) <= address);
        let block = after.checked_sub(1)?;
        let first = u64::from_le_bytes(*firsts.get(block)?);
        let from = place_at(&self.offsets, block * 4)?;
        let end = place_at(&self.offsets, block * 4 + 4)?;
        let starts = self.count.checked_sub(block * RANGE_BLOCK)?.min(RANGE_BLOCK);
        let (steps, values) =
            self.blocks.get(from..end)?.split_at_checked((end - from).checked_sub(starts * RANGE_VALUE)?)?;
        let (values, _) = values.as_chunks::<RANGE_VALUE>();
        let [low, middle, high] = *values.get(steps_to(steps, address.checked_sub(first)?))?;
        Some(u32::from_le_bytes([low, middle, high, 0]))
    }
}

/// How many of the steps fit into a distance.
fn steps_to(mut steps: &[u8], mut distance: u64) -> usize {
    let mut taken = 0;
    while let Some(step) = step(&mut steps) {
        match distance.checked_sub(step) {
            Some(rest) => distance = rest,
            None => break,
        }
        taken += 1;
    }
    taken
}

/// Takes the next step off.
fn step(steps: &mut &[u8]) -> Option<u64> {
    let (exponent, rest) = steps.split_first()?;
    *steps = rest;
    let factor = if exponent & RANGE_FACTOR == 0 { 1 } else { factor(steps)? };
    factor.checked_shl(u32::from(exponent & !RANGE_FACTOR))
}

fn factor(steps: &mut &[u8]) -> Option<u64> {
    let mut factor = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = steps.split_first()?;
        *steps = rest;
        factor |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(factor);
        }
    }
    None
}

//! Tables of ranges of addresses.

use telltale_watch::destinations::layout::{RANGE_BLOCK, RANGE_FACTOR, RANGE_VALUE};

use super::number;

/// Packs the starts of ranges, ascending and each once, with the values (24 bits) that hold from there
/// to the next start.
pub fn ranges(starts: &[(u64, u32)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut offsets = vec![0];
    for block in starts.chunks(RANGE_BLOCK) {
        for pair in block.windows(2) {
            if let [(from, _), (to, _)] = pair {
                step(to - from, &mut bytes);
            }
        }
        bytes.extend(block.iter().flat_map(|(_, value)| value.to_le_bytes().into_iter().take(RANGE_VALUE)));
        offsets.push(number(bytes.len()));
    }
    let mut packed = number(starts.len()).to_le_bytes().to_vec();
    packed.extend(number(offsets.len() - 1).to_le_bytes());
    packed.extend(starts.iter().step_by(RANGE_BLOCK).flat_map(|(first, _)| first.to_le_bytes()));
    packed.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
    packed.extend(bytes);
    packed
}

#[expect(clippy::cast_possible_truncation, reason = "an exponent is below 64, and 7 bits are meant")]
fn step(step: u64, bytes: &mut Vec<u8>) {
    let exponent = step.trailing_zeros() as u8;
    let mut factor = step >> exponent;
    if factor == 1 {
        return bytes.push(exponent);
    }
    bytes.push(exponent | RANGE_FACTOR);
    while factor > 0x7f {
        bytes.push(factor as u8 | 0x80);
        factor >>= 7;
    }
    bytes.push(factor as u8);
}

//! Bytes that are no text: addresses, identifiers, numbers and digests that stand in them as they are.

use telltale_model::Form;

use super::candidate::Evidence;
use super::hunt::{Hunt, Origin};
use super::needles::first_four;
use super::table::spread;

impl Hunt<'_> {
    /// Looks at every place.
    pub(super) fn roll(&mut self, bytes: &[u8], origin: Origin<'_>) {
        let needles = self.needles;
        if needles.digest_keys.is_empty() {
            return;
        }
        for (at, four) in bytes.array_windows().enumerate() {
            let key = u32::from_be_bytes(*four);
            if needles.digest_keys.may_have(key) {
                self.digest_at(bytes, at, key, origin);
            }
            if needles.fixed_keys.may_have(spread(key)) {
                self.fixed_at(bytes, at, key, origin);
            }
        }
        for eight in bytes.array_windows() {
            for value in [u64::from_be_bytes(*eight), u64::from_le_bytes(*eight)] {
                if self.may_be_number(value) {
                    self.numeric(value, origin);
                }
            }
        }
    }

    fn digest_at(&mut self, bytes: &[u8], at: usize, key: u32, origin: Origin<'_>) {
        let needles = self.needles;
        // A token that begins as a digest was compared as one already.
        if at == 0 && origin.parent.is_some() && !origin.path.contains("protobuf") && origin.steps.len() > 0 {
            return;
        }
        let there = bytes.get(at..).unwrap_or_default();
        for reference in needles.digest_keys.get(key) {
            let Some(detail) = needles.digested.get((reference / 4) as usize).map(|value| value.detail)
            else {
                continue;
            };
            if !self.wants(detail, true) {
                continue;
            }
            let Some((detail, hash, digest)) = needles.digest(reference) else { continue };
            let count =
                digest.bytes().iter().zip(there).take_while(|(expected, byte)| expected == byte).count();
            if count == digest.bytes().len() {
                self.found_in_bytes(detail, vec![hash], Evidence::Value, origin);
            } else if count >= 6 {
                let cut = Form::Cut(u16::try_from(count).unwrap_or(u16::MAX));
                let bits = u16::try_from(count * 8).unwrap_or(u16::MAX);
                let whole = count == bytes.len();
                self.found_in_bytes(detail, vec![hash, cut], Evidence::Cut { bits, whole }, origin);
            }
        }
    }

    fn fixed_at(&mut self, bytes: &[u8], at: usize, key: u32, origin: Origin<'_>) {
        let needles = self.needles;
        let there = bytes.get(at..).unwrap_or_default();
        for reference in needles.fixed_keys.get(spread(key)) {
            let Some(value) = needles.fixed.get(reference as usize) else { continue };
            let expected = needles.bytes(*value);
            if first_four(expected) == Some(key) && there.starts_with(expected) {
                self.found_in_bytes(value.detail, vec![Form::Binary], Evidence::Value, origin);
            }
        }
    }
}

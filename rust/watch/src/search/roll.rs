//! Bytes that are no text: addresses, identifiers, numbers and digests that stand in them as they are.

use telltale_model::Form;

use super::candidate::Evidence;
use super::hunt::{Hunt, Origin};
use super::needles::first_four;
use super::table::spread;

/// All pieces of a length. (Those of slices know theirs from Rust 1.94 on.)
#[inline]
pub(super) fn windows<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = &[u8; N]> {
    bytes.windows(N).filter_map(|window| window.first_chunk())
}

impl Hunt<'_> {
    /// Whether there may be anything.
    #[inline]
    pub(super) fn may_hold(&self, bytes: &[u8]) -> bool {
        let needles = self.needles;
        let four = |four: &[u8; 4]| needles.raw_keys.has(spread(u32::from_be_bytes(*four)));
        let eight = |eight: &[u8; 8]| {
            self.may_be_number(u64::from_be_bytes(*eight)) || self.may_be_number(u64::from_le_bytes(*eight))
        };
        windows(bytes).any(four) || windows(bytes).any(eight)
    }

    /// Looks at every place.
    pub(super) fn roll(&mut self, bytes: &[u8], origin: Origin<'_>) {
        let needles = self.needles;
        if needles.digest_keys.is_empty() {
            return;
        }
        for (at, four) in windows(bytes).enumerate() {
            let key = u32::from_be_bytes(*four);
            if needles.raw_keys.has(spread(key)) {
                self.digest_at(bytes, at, key, origin);
                self.fixed_at(bytes, at, key, origin);
            }
        }
        for eight in windows(bytes) {
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
            // In letters it is those that say how it was written.
            let letters = [Form::Hex, Form::Base64, Form::Base64Url];
            let in_letters = origin.steps.iter().next().is_some_and(|step| letters.contains(&step));
            let written = [Some(hash), (!in_letters).then_some(Form::Binary)];
            if count == digest.bytes().len() {
                let form = written.into_iter().flatten().collect::<Vec<_>>();
                self.found_in_bytes(detail, form, Evidence::Value, origin);
            } else if count >= 6 {
                let cut = Form::Cut(u16::try_from(count).unwrap_or(u16::MAX));
                let form = written.into_iter().flatten().chain([cut]).collect::<Vec<_>>();
                let bits = u16::try_from(count * 8).unwrap_or(u16::MAX);
                let whole = count == bytes.len();
                self.found_in_bytes(detail, form, Evidence::Cut { bits, whole }, origin);
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

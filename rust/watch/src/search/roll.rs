//! Bytes that are no text: addresses, identifiers, numbers and digests that stand in them as they are.

use telltale_model::Form;

use super::candidate::Evidence;
use super::hunt::{Hunt, Origin};
use super::needles::first_four;
use super::numbers::is_long;
use super::table::{Filter, spread};

/// All pieces of a length. (Those of slices know theirs from Rust 1.94 on.)
#[inline]
pub(super) fn windows<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = &[u8; N]> {
    bytes.windows(N).filter_map(|window| window.first_chunk())
}

/// What eight bytes may be as a number, either end first: those that are looked for have a zero at their high end.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let eights = windows::<8>(bytes).filter(|[first, .., last]| *first == 0 || *last == 0);
    let numbers = eights.flat_map(|eight| [u64::from_be_bytes(*eight), u64::from_le_bytes(*eight)]);
    numbers.filter(|number| is_long(*number))
}

/// Nothing that is looked for in bytes is shorter.
const SHORTEST: usize = 6;

/// Calls `each` with the places where a key may stand, four of which are looked at in one step, and the key.
#[inline]
fn each_key(keys: &Filter, bytes: &[u8], mut each: impl FnMut(usize, u32)) {
    let mut look = |at: usize, key: u32| {
        if keys.may_have(spread(key)) {
            each(at, key);
        }
    };
    let (mut at, mut rest) = (0, bytes);
    while let Some(eight) = rest.first_chunk() {
        let eight = u64::from_be_bytes(*eight);
        let here = [32, 24, 16, 8].map(|shift| (eight >> shift & 0xffff_ffff) as u32);
        if keys.may_have_any(here.map(spread)) {
            (at..).zip(here).for_each(|(at, key)| look(at, key));
        }
        (at, rest) = (at + 4, rest.get(4..).unwrap_or_default());
    }
    let last = rest.len().saturating_sub(SHORTEST - 1);
    (at..).zip(windows(rest)).take(last).for_each(|(at, four)| look(at, u32::from_be_bytes(*four)));
}

impl Hunt<'_> {
    /// Whether there may be anything but a number.
    #[inline]
    pub(super) fn may_hold(&self, bytes: &[u8]) -> bool {
        let mut any = false;
        each_key(&self.needles.raw_keys, bytes, |_, _| any = true);
        any
    }

    /// Whether there may be a number, which has zeros around it.
    #[inline]
    pub(super) fn may_hold_number(&self, bytes: &[u8]) -> bool {
        numbers(bytes).any(|number| self.may_be_number(number))
    }

    /// Looks at every place.
    pub(super) fn roll(&mut self, bytes: &[u8], origin: Origin<'_>) {
        let needles = self.needles;
        each_key(&needles.raw_keys, bytes, |at, key| {
            self.digest_at(bytes, at, key, origin);
            self.fixed_at(bytes, at, key, origin);
        });
        if !needles.number_keys.is_empty() {
            numbers(bytes).for_each(|number| self.numeric(number, origin));
        }
    }

    fn digest_at(&mut self, bytes: &[u8], at: usize, key: u32, origin: Origin<'_>) {
        let needles = self.needles;
        let there = bytes.get(at..).unwrap_or_default();
        for reference in needles.digest_keys.get(key) {
            // In letters it is those that say how it was written.
            let letters = [Form::Hex, Form::Base64, Form::Base64Url];
            let in_letters = origin.steps.iter().next().is_some_and(|step| letters.contains(&step));
            // A token that begins as a digest was compared as one already.
            if at == 0 && in_letters && origin.path.is_empty() {
                return;
            }
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

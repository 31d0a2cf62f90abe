//! Runs of digits, alone and joined over what people write between the digits of one number.

use telltale_model::DetailKind;

use super::bits::Classes;
use super::candidate::Evidence;
use super::hunt::{Hunt, Origin};
use super::needles::{FEWEST_DIGITS, MOST_DIGITS, push_digit};
use super::sheet::{Place, Sheet};
use super::table::mix;
use super::telling;

/// Digits that follow each other.
#[derive(Clone, Copy, Default)]
struct Run {
    value: u64,
    digits: usize,
    start: usize,
    end: usize,
    groups: usize,
    /// Full stops between the groups.
    stops: usize,
}

/// What stands between two groups of digits.
#[derive(Clone, Copy, Default)]
struct Gap {
    /// There is a space in it, or a plus.
    space: bool,
    /// It is a full stop.
    stop: bool,
    /// Numbers are not joined over it.
    wide: bool,
}

/// One before the point and two behind it.
const FEWEST_OF_A_DEGREE: usize = 3;

/// Digits are joined over so many signs, as in `+49 (0) 176`.
const LONGEST_GAP: usize = 2;

/// What so many digits multiply the ones before them with.
static POWERS: [u64; MOST_DIGITS + 1] = powers();

#[expect(clippy::indexing_slicing, reason = "worked out by the compiler")]
const fn powers() -> [u64; MOST_DIGITS + 1] {
    let mut powers = [1; MOST_DIGITS + 1];
    let mut at = 1;
    while at <= MOST_DIGITS {
        powers[at] = 10u64.wrapping_mul(powers[at - 1]);
        at += 1;
    }
    powers
}

impl Gap {
    #[inline]
    fn of(signs: &[u8]) -> Self {
        match signs {
            // Between digits a plus is the space of a form; elsewhere it begins a number.
            [sign] => Self { space: b" +".contains(sign), stop: *sign == b'.', wide: false },
            _ => Self {
                space: signs.iter().any(|sign| b" +".contains(sign)),
                stop: false,
                wide: signs.len() > LONGEST_GAP || signs.contains(&b'+'),
            },
        }
    }
}

impl Run {
    /// One group of digits.
    #[inline]
    fn group(text: &[u8], start: usize, end: usize) -> Self {
        let digits = text.get(start..end).unwrap_or_default();
        let value = digits.iter().fold(0, |value, digit| push_digit(value, *digit));
        Self { value, digits: end - start, start, end, groups: 1, stops: 0 }
    }

    /// Appends a group. The value of more digits than a number has is of no use.
    #[inline]
    fn push(&mut self, group: &Self, gap: Gap) {
        if self.digits == 0 {
            *self = *group;
            return;
        }
        let power = POWERS.get(group.digits).copied().unwrap_or(0);
        self.value = self.value.wrapping_mul(power).wrapping_add(group.value);
        self.digits += group.digits;
        self.end = group.end;
        self.groups += 1;
        self.stops += usize::from(gap.stop);
    }

    fn is_decimal(&self) -> bool {
        self.groups == 2 && self.stops == 1
    }
}

impl Hunt<'_> {
    pub(super) fn numbers(&mut self, sheet: &Sheet, classes: &Classes, depth: usize) {
        let text = sheet.text.as_slice();
        let places = !self.needles.places.is_empty();
        for (start, end) in classes.number.runs::<3>() {
            let digits = classes.digits.count(start, end);
            if digits >= FEWEST_DIGITS && digits == end - start {
                self.digits(text, start, end, depth);
            } else if digits >= FEWEST_DIGITS
                || places
                    && digits >= FEWEST_OF_A_DEGREE
                    && text.get(start..end).is_some_and(|run| run.contains(&b'.'))
            {
                self.run(text, classes, (start, end), depth);
            }
        }
    }

    /// Digits with nothing between them.
    fn digits(&mut self, text: &[u8], start: usize, end: usize, depth: usize) {
        if end - start > MOST_DIGITS {
            return;
        }
        let run = Run::group(text, start, end);
        self.pure(text, run, &Run::default(), depth);
    }

    /// Looks at each group of digits, at groups without spaces between them, and at all of them.
    fn run(&mut self, text: &[u8], classes: &Classes, (start, end): (usize, usize), depth: usize) {
        let (mut group, mut tight, mut loose) = (Run::default(), Run::default(), Run::default());
        let mut at = start;
        while let Some(begin) = classes.digits.each(at, end).next() {
            let gap = Gap::of(text.get(at..begin).unwrap_or_default());
            if group.digits > 0 {
                self.pure(text, group, &tight, depth);
                if gap.space || gap.wide {
                    self.tight(text, &mut tight, depth);
                }
                if gap.wide {
                    self.loose(text, &mut loose, depth);
                }
            }
            at = classes.digits.end(begin);
            group = Run::group(text, begin, at);
            tight.push(&group, gap);
            loose.push(&group, gap);
        }
        if group.digits > 0 {
            self.pure(text, group, &tight, depth);
        }
        self.tight(text, &mut tight, depth);
        self.loose(text, &mut loose, depth);
    }

    /// A group of digits. Most are too short for a number, and too small for ten-millionths of a degree.
    #[inline]
    fn pure(&mut self, text: &[u8], group: Run, tight: &Run, depth: usize) {
        let is_number = (FEWEST_DIGITS..=MOST_DIGITS).contains(&group.digits);
        let is_whole = self.needles.degrees.contains(&group.value);
        if !is_number && !is_whole {
            return;
        }
        let next = text.get(group.end..).unwrap_or_default();
        let goes_on = matches!(next, [b'.' | b'-', digit, ..] if digit.is_ascii_digit());
        let is_fraction =
            tight.is_decimal() && tight.end == group.end && tight.start < group.start && !goes_on;
        if !is_fraction {
            if is_whole {
                self.whole_coordinate(text, (group.start, group.end), depth);
            }
            self.look_up(text, group, depth);
        }
    }

    fn tight(&mut self, text: &[u8], run: &mut Run, depth: usize) {
        let run = std::mem::take(run);
        if run.is_decimal() {
            self.coordinate(text, (run.start, run.end), depth);
        } else if run.groups > 1 {
            self.look_up(text, run, depth);
        }
    }

    fn loose(&mut self, text: &[u8], run: &mut Run, depth: usize) {
        let run = std::mem::take(run);
        let has_space =
            || text.get(run.start..run.end).is_some_and(|text| text.contains(&b' ') || text.contains(&b'+'));
        if run.groups > 1 && run.digits <= MOST_DIGITS && has_space() {
            self.look_up(text, run, depth);
        }
    }

    #[inline]
    fn look_up(&mut self, text: &[u8], run: Run, depth: usize) {
        if !(FEWEST_DIGITS..=MOST_DIGITS).contains(&run.digits) {
            return;
        }
        let needles = self.needles;
        let mut known = false;
        for reference in needles.number_keys.get(mix(run.value)) {
            known |= self.number(text, run, reference, None, depth);
        }
        // 3GPP TS 23.003 6.2.2: an IMEI with the version of the software instead of the check digit. Where that is a
        // detail of its own, it is this one.
        if run.digits == 16 && !known {
            for reference in needles.number_keys.get(mix(run.value / 100)) {
                known |= self.number(text, run, reference, Some(DetailKind::Imei), depth);
            }
        }
        if !known && (14..=20).contains(&run.digits) {
            self.shape_of_number(text, run, depth);
        }
    }

    /// Compares the digits. Of `beginning` it is enough that they begin the run.
    fn number(
        &mut self,
        text: &[u8],
        run: Run,
        reference: u32,
        beginning: Option<DetailKind>,
        depth: usize,
    ) -> bool {
        let needles = self.needles;
        let Some(number) = needles.numbers.get(reference as usize) else { return false };
        let digits =
            text.get(run.start..run.end).unwrap_or_default().iter().filter(|byte| byte.is_ascii_digit());
        let expected = needles.bytes(number.digits);
        let kind = needles.name(number.digits.detail).map(|name| name.kind);
        let same = match beginning {
            None => digits.eq(expected),
            Some(_) if kind == beginning => digits.take(14).eq(expected),
            Some(_) => false,
        };
        if !same || !is_all_of_its_word(text, run.start, run.end) {
            return false;
        }
        let evidence = Evidence::Number {
            coded: number.coded,
            significant: number.significant,
            time: run.groups == 1 && self.is_time(run.value, run.digits),
        };
        self.found(Place::new(depth, run.start, run.end), number.digits.detail, Vec::new(), evidence);
        true
    }

    /// Whether a number may be a time within ten years, in seconds or in milliseconds since 1970.
    fn is_time(&self, value: u64, digits: usize) -> bool {
        const YEARS: u64 = 10 * 31_557_600;
        match digits {
            10 => value.abs_diff(self.at) < YEARS,
            13 => (value / 1_000).abs_diff(self.at) < YEARS,
            _ => false,
        }
    }

    fn shape_of_number(&mut self, text: &[u8], run: Run, depth: usize) {
        let place = Place::new(depth, run.start, run.end);
        let told = || telling::before(text, run.start).and_then(telling::kind);
        let begins = |code: &u32| begins_with(run.value, *code);
        if run.digits == 15 && run.groups == 1 && self.needles.networks.iter().any(begins) {
            if is_all_of_its_word(text, run.start, run.end) {
                self.shape(place, DetailKind::Imsi);
            }
            return;
        }
        let fits = |kind| match kind {
            DetailKind::Imei => {
                run.digits == 15 && passes_luhn(text.get(run.start..run.end).unwrap_or_default())
            }
            DetailKind::ImeiSv => run.digits == 16,
            DetailKind::Imsi => run.digits == 15,
            DetailKind::Iccid => (18..=20).contains(&run.digits),
            DetailKind::Phone
            | DetailKind::Contact
            | DetailKind::Email
            | DetailKind::AdvertisingId
            | DetailKind::AndroidId
            | DetailKind::Serial
            | DetailKind::Mac
            | DetailKind::Ssid
            | DetailKind::Bssid
            | DetailKind::Name
            | DetailKind::Carrier
            | DetailKind::Place
            | DetailKind::Word
            | DetailKind::Package => false,
        };
        match told() {
            Some(DetailKind::AndroidId) if fits(DetailKind::Imei) => self.shape(place, DetailKind::Imei),
            Some(kind) if fits(kind) => self.shape(place, kind),
            _ => {}
        }
    }

    /// Whether a number may be that of a detail, kept as bytes.
    #[inline]
    pub(super) fn may_be_number(&self, value: u64) -> bool {
        is_long(value) && self.needles.number_keys.may_have(mix(value))
    }

    /// A number that was kept as bytes.
    pub(super) fn numeric(&mut self, value: u64, origin: Origin<'_>) {
        let needles = self.needles;
        let references = self.may_be_number(value).then(|| needles.number_keys.get(mix(value)));
        for reference in references.into_iter().flatten() {
            let Some(number) = needles.numbers.get(reference as usize) else { continue };
            let digits = needles.bytes(number.digits);
            let same = digits.iter().fold(0, |value, digit| push_digit(value, *digit)) == value;
            // Leading zeros are not kept.
            let coded = number.coded && digits.first() != Some(&b'0') || number.significant >= 14;
            if same && (coded || digits.first() != Some(&b'0')) {
                let time = self.is_time(value, digits.len());
                let evidence = Evidence::Number { coded, significant: number.significant, time };
                self.found_in_bytes(
                    number.digits.detail,
                    vec![telltale_model::Form::Binary],
                    evidence,
                    origin,
                );
            }
        }
    }
}

/// Whether a number of 15 digits begins with the code of a carrier, which has five digits or six.
fn begins_with(number: u64, code: u32) -> bool {
    let rest = if code < 100_000 { 10_000_000_000 } else { 1_000_000_000 };
    number / rest == u64::from(code)
}

/// Whether a number has as many digits as one that is kept as bytes has: what stands among zeros mostly has none.
#[inline]
pub(super) fn is_long(value: u64) -> bool {
    value.wrapping_sub(100_000_000) < 10_000_000_000_000_000
}

/// Whether a word has no other digits: `imei490154203237518` is a number, `a1b4155550100c` is none.
fn is_all_of_its_word(text: &[u8], start: usize, end: usize) -> bool {
    const LONGEST: usize = 24;
    let before = text.get(start.saturating_sub(LONGEST)..start).unwrap_or_default();
    let after = text.get(end..text.len().min(end + LONGEST)).unwrap_or_default();
    let ends = |byte: Option<&u8>| !byte.is_some_and(u8::is_ascii_digit);
    ends(before.iter().rev().find(|byte| !byte.is_ascii_alphabetic()))
        && ends(after.iter().find(|byte| !byte.is_ascii_alphabetic()))
}

/// ISO/IEC 7812-1, annex B.
fn passes_luhn(digits: &[u8]) -> bool {
    let value = |digit: &u8| u32::from(digit & 0x0f);
    let twice = |digit: u32| digit * 2 / 10 + digit * 2 % 10;
    let digits = digits.iter().filter(|byte| byte.is_ascii_digit()).rev().map(value);
    digits.enumerate().map(|(at, digit)| if at % 2 == 1 { twice(digit) } else { digit }).sum::<u32>() % 10
        == 0
}

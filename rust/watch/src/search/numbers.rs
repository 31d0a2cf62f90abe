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

/// What stands between two digits.
#[derive(Clone, Copy, Default)]
struct Gap {
    len: usize,
    space: bool,
    stop: bool,
}

/// One before the point and two behind it.
const FEWEST_OF_A_DEGREE: usize = 3;

/// Digits are joined over so many signs, as in `+49 (0) 176`.
const LONGEST_GAP: usize = 2;

impl Run {
    #[inline]
    fn push(&mut self, digit: u8, at: usize, gap: Gap) {
        if self.digits == 0 {
            self.start = at;
        }
        if self.digits == 0 || gap.len > 0 {
            self.stops += usize::from(self.digits > 0 && gap.stop && gap.len == 1);
            self.groups += 1;
        }
        self.value = push_digit(self.value, digit);
        self.digits += 1;
        self.end = at + 1;
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
                self.run(text, start, end, depth);
            }
        }
    }

    /// Digits with nothing between them.
    fn digits(&mut self, text: &[u8], start: usize, end: usize, depth: usize) {
        if end - start > MOST_DIGITS {
            return;
        }
        let digits = text.get(start..end).unwrap_or_default();
        let value = digits.iter().fold(0, |value, digit| push_digit(value, *digit));
        let mut run = Run { value, digits: end - start, start, end, groups: 1, stops: 0 };
        self.pure(text, &mut run, &Run::default(), depth);
    }

    /// Looks at each group of digits, at groups without spaces between them, and at all of them.
    fn run(&mut self, text: &[u8], start: usize, end: usize, depth: usize) {
        let (mut pure, mut tight, mut loose) = (Run::default(), Run::default(), Run::default());
        let mut gap = Gap::default();
        for at in start..end {
            let byte = text.get(at).copied().unwrap_or(0);
            if byte.is_ascii_digit() {
                if gap.len > 0 && loose.digits > 0 {
                    self.pure(text, &mut pure, &tight, depth);
                    if gap.space || gap.len > LONGEST_GAP {
                        self.tight(text, &mut tight, depth);
                    }
                    if gap.len > LONGEST_GAP {
                        self.loose(text, &mut loose, depth);
                    }
                }
                for run in [&mut pure, &mut tight, &mut loose] {
                    run.push(byte, at, gap);
                }
                gap = Gap::default();
            } else {
                // A plus begins a number; between digits it is the space of a form.
                let between = gap.len == 0 && text.get(at + 1).is_some_and(u8::is_ascii_digit);
                let plus = byte == b'+' && !(between && loose.digits > 0);
                gap = Gap {
                    len: if plus { LONGEST_GAP + 1 } else { gap.len + 1 },
                    space: gap.space || byte == b' ' || byte == b'+',
                    stop: byte == b'.',
                };
            }
        }
        self.pure(text, &mut pure, &tight, depth);
        self.tight(text, &mut tight, depth);
        self.loose(text, &mut loose, depth);
    }

    fn pure(&mut self, text: &[u8], run: &mut Run, tight: &Run, depth: usize) {
        let run = std::mem::take(run);
        let next = text.get(run.end..).unwrap_or_default();
        let goes_on = matches!(next, [b'.' | b'-', digit, ..] if digit.is_ascii_digit());
        let is_fraction = tight.is_decimal() && tight.end == run.end && tight.start < run.start && !goes_on;
        if !is_fraction {
            if !self.needles.places.is_empty() {
                self.whole_coordinate(text, (run.start, run.end), depth);
            }
            self.look_up(text, run, depth);
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
            text.get(run.start..run.end).is_some_and(|text| text.contains(&b' ') || text.contains(&b'+'));
        if run.groups > 1 && has_space {
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
        if run.digits == 15
            && run.groups == 1
            && self.needles.networks.contains(&(run.value / 10_000_000_000))
        {
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
        value.wrapping_sub(100_000_000) < 10_000_000_000_000_000
            && self.needles.number_keys.may_have(mix(value))
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

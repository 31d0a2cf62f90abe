//! Texts that are kept or shown, with the details replaced by their names.

use telltale_model::{DetailName, Tells};
use zeroize::Zeroize;

use super::hunt::Hunt;
use super::needles::{MOST_DIGITS, Needles, push_digit, text_key, word_key};
use super::room::Room;
use super::scan::same_words;
use super::sheet::{Sheet, Steps};
use super::table::mix;

/// Searches of one text, each of which finds four places of a detail.
const MOST_TIMES: usize = 64;

/// A value of so many bytes is replaced within a longer word too: nobody would write it by chance.
const TELLS_ALONE: usize = 12;

/// Stands for a text that holds more of them.
const REPEATED: &str = "<details>";

impl Needles {
    /// The text with every detail replaced by its name, in any form in which it could be found and however
    /// sure; `None` where there is none. For whatever of a flow is kept, logged or shown. A text has to be
    /// given before it is cut.
    pub fn redact(&self, text: &str) -> Option<String> {
        self.redact_in(text, &mut Room::default())
    }

    /// The same with memory that is there already.
    pub(crate) fn redact_in(&self, text: &str, room: &mut Room) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let mut redacted = text.to_owned();
        // One search tells a few places of each detail: it is done again until there is none.
        for _ in 0..MOST_TIMES {
            let next = self.redact_words(&replaced(&redacted, self.places_in(&redacted, room)));
            if next == redacted {
                return (redacted != text).then_some(redacted);
            }
            redacted = next;
        }
        // Whoever repeats it even more often has written nothing that is worth keeping.
        Some(REPEATED.to_owned())
    }

    /// Where in the text details are, and what to put there.
    fn places_in(&self, text: &str, room: &mut Room) -> Vec<(usize, usize, String)> {
        let mut places = self.found_in(text.as_bytes(), room);
        // What is encoded is replaced as a whole, up to what divides fields.
        let divides = |letter: char| "/?&=;,\"{}[] <>".contains(letter);
        let mut start = 0;
        for piece in text.split_inclusive(divides) {
            let token = piece.trim_end_matches(divides);
            if token.contains('%') {
                let mut sheet = Sheet::default();
                super::decode::percent::decode(
                    token.as_bytes(),
                    super::decode::percent::Keep::Nothing,
                    &mut sheet,
                );
                let first = self.found_in(&sheet.text, room).into_iter().next();
                sheet.text.zeroize();
                places.extend(first.map(|(_, _, name)| (start, start + token.len(), name)));
            }
            start += piece.len();
        }
        places
    }

    fn found_in(&self, text: &[u8], room: &mut Room) -> Vec<(usize, usize, String)> {
        let mut hunt = Hunt::new(self, room, 0, true);
        let mut sheet = hunt.take(0);
        let path = sheet.add_path("");
        sheet.open(path, Steps::default(), None);
        sheet.text.extend_from_slice(text.get(..super::hunt::INPUT).unwrap_or(text));
        sheet.close();
        hunt.give(0, sheet);
        hunt.scan();
        let place = |found: &super::room::Found| {
            let name = self.name(found.detail?)?.to_string();
            let mut place = found.place;
            if found.in_bytes {
                place = room.bytes.leaf(place.start)?.1.parent?;
            }
            while place.depth > 0 {
                place = room.sheets.get(usize::from(place.depth))?.leaf(place.start)?.1.parent?;
            }
            Some((place.start as usize, place.end as usize, name))
        };
        room.found.iter().filter_map(place).collect()
    }

    /// Texts, and words that count only as all of a field, are replaced wherever they stand between other signs than
    /// letters, digits and full stops; long ones, and long numbers, wherever they stand.
    pub(super) fn redact_words(&self, text: &str) -> String {
        let mut redacted = String::with_capacity(text.len());
        let (mut kept, mut at) = (0, 0);
        while at < text.len() {
            let long = self.digits_at(text.as_bytes(), at);
            let Some((end, name)) = self.word_at(text.as_bytes(), at).or(long) else {
                at += 1;
                continue;
            };
            redacted.push_str(text.get(kept..at).unwrap_or_default());
            redacted.push_str(&name.to_string());
            (kept, at) = (end, end);
        }
        redacted.push_str(text.get(kept..).unwrap_or_default());
        redacted
    }

    /// The longest number whose digits stand at a place, also among others: where they end, and its name. The search takes
    /// 2.490154203237518 for one number, and 4901542032375181700000000, which is none of a person's.
    fn digits_at(&self, text: &[u8], at: usize) -> Option<(usize, DetailName)> {
        let rest = text.get(at..)?;
        let most = rest.iter().take(MOST_DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
        (TELLS_ALONE..=most).rev().find_map(|len| {
            let digits = rest.get(..len)?;
            let value = digits.iter().fold(0, |value, digit| push_digit(value, *digit));
            let found = self.number_keys.get(mix(value)).filter_map(|found| self.numbers.get(found as usize));
            let number = found.into_iter().find(|number| self.bytes(number.digits) == digits)?;
            Some((at + len, self.name(number.digits.detail)?))
        })
    }

    /// The longest one that stands at a place, for itself or long enough: where it ends, and its name.
    fn word_at(&self, text: &[u8], at: usize) -> Option<(usize, DetailName)> {
        let is_part =
            |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
        let within = is_part(at.checked_sub(1).and_then(|at| text.get(at)));
        let rest = text.get(at..)?;
        let words = word_key(rest).into_iter().flat_map(|key| self.word_keys.get(key));
        let words = words.filter_map(|reference| self.words.get(reference as usize));
        let texts = rest.first_chunk().into_iter().flat_map(|four| self.text_keys.get(text_key(*four)));
        let texts = texts.filter(|reference| reference % 4 == 0);
        let texts = texts.filter_map(|reference| self.texts.get((reference / 4) as usize));
        let fitting = words.chain(texts).chain(&self.short_words).filter_map(|value| {
            let word = self.bytes(*value);
            let name = self.name(value.detail)?;
            let alone = !within && !is_part(rest.get(word.len()));
            // What many have is no secret within a word, and stands in names of hosts: www.grameenphone.com.
            let long = word.len() >= TELLS_ALONE && name.kind.tells() != Tells::Many;
            let same = (alone || long) && same_words(rest.get(..word.len())?, word);
            Some((at + word.len(), name)).filter(|_| same)
        });
        fitting.max()
    }
}

/// The text with names in place of what overlaps.
fn replaced(text: &str, mut places: Vec<(usize, usize, String)>) -> String {
    places.sort_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)));
    let (mut redacted, mut at) = (String::with_capacity(text.len()), 0);
    for (start, end, name) in places {
        if start >= at
            && let (Some(before), true) = (text.get(at..start), text.is_char_boundary(end.min(text.len())))
        {
            redacted.push_str(before);
            redacted.push_str(&name);
            at = end.min(text.len());
        }
    }
    redacted.push_str(text.get(at..).unwrap_or_default());
    redacted
}

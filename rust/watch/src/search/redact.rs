//! Texts that are kept or shown, with the details replaced by their names.

use super::hunt::Hunt;
use super::needles::Needles;
use super::room::Room;
use super::sheet::Steps;

/// Searches of one text, each of which finds four places of a detail.
const MOST_TIMES: usize = 64;

/// Stands for a text that holds more of them.
const REPEATED: &str = "<details>";

impl Needles {
    /// The text with every detail replaced by its name, in any form in which it could be found and however
    /// sure; `None` where there is none. For whatever of a flow is kept, logged or shown. A text has to be
    /// given before it is cut.
    pub fn redact(&self, text: &str) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let mut redacted = text.to_owned();
        // One search tells a few places of each detail: it is done again until there is none.
        for _ in 0..MOST_TIMES {
            let next = self.redact_words(&replaced(&redacted, self.places_in(&redacted)));
            if next == redacted {
                return (redacted != text).then_some(redacted);
            }
            redacted = next;
        }
        // Whoever repeats it even more often has written nothing that is worth keeping.
        Some(REPEATED.to_owned())
    }

    /// Where in the text details are, and what to put there.
    fn places_in(&self, text: &str) -> Vec<(usize, usize, String)> {
        let mut places = self.found_in(text.as_bytes(), 0);
        // What is encoded is replaced as a whole, up to what divides fields.
        let divides = |letter: char| "/?&=;,\"{}[] <>".contains(letter);
        let mut start = 0;
        for piece in text.split_inclusive(divides) {
            let token = piece.trim_end_matches(divides);
            if token.contains('%') {
                let mut sheet = super::sheet::Sheet::default();
                super::decode::percent::decode(
                    token.as_bytes(),
                    super::decode::percent::Keep::Nothing,
                    &mut sheet,
                );
                let first = self.found_in(&sheet.text, 0).into_iter().next();
                places.extend(first.map(|(_, _, name)| (start, start + token.len(), name)));
            }
            start += piece.len();
        }
        places
    }

    fn found_in(&self, text: &[u8], at: u64) -> Vec<(usize, usize, String)> {
        let mut room = Room::default();
        let mut hunt = Hunt::new(self, &mut room, at, true);
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

    /// Words that count only as all of a field are replaced wherever they stand between other signs than letters,
    /// digits and full stops.
    pub(super) fn redact_words(&self, text: &str) -> String {
        let mut redacted = text.to_owned();
        for value in self.words.iter().chain(&self.texts) {
            let Ok(word) = std::str::from_utf8(self.bytes(*value)) else { continue };
            let Some(name) = self.name(value.detail) else { continue };
            let mut from = 0;
            while let Some((start, end)) = find(&redacted, word, from) {
                let name = name.to_string();
                redacted.replace_range(start..end, &name);
                from = start + name.len();
            }
        }
        redacted
    }
}

/// The next place where a word stands for itself, in either case.
fn find(text: &str, word: &str, from: usize) -> Option<(usize, usize)> {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
    let bytes = text.as_bytes();
    let mut starts = from..(bytes.len() + 1).saturating_sub(word.len());
    let start = starts.find(|start| {
        let end = start + word.len();
        bytes.get(*start..end).is_some_and(|text| text.eq_ignore_ascii_case(word.as_bytes()))
            && !is_part(start.checked_sub(1).and_then(|at| bytes.get(at)))
            && !is_part(bytes.get(end))
            && text.is_char_boundary(*start)
            && text.is_char_boundary(end)
    })?;
    (!word.is_empty()).then_some((start, start + word.len()))
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

//! Scans a sheet: values that stand there as text, whole fields, and names of packages.

use super::bits::Classes;
use super::candidate::Evidence;
use super::contain::{json, xml};
use super::hunt::Hunt;
use super::needles::{SHORTEST_TEXT, WORD_KEY, package_key, text_key, word_key};
use super::room::DEPTHS;
use super::sheet::{Place, Sheet};

impl Hunt<'_> {
    /// Scans all sheets, those that are filled meanwhile too.
    pub(super) fn scan(&mut self) {
        let mut classes = std::mem::take(&mut self.room.classes);
        for depth in 0..DEPTHS {
            let sheet = self.take(depth);
            if !sheet.text.is_empty() {
                classes.read(&sheet.text);
                self.numbers(&sheet, &classes, depth);
                self.hex(&sheet, &classes, depth);
                self.base64(&sheet, &classes, depth);
                self.texts(&sheet, depth);
                self.words(&sheet, &classes, depth);
                self.names(&sheet, &classes, depth);
            }
            self.give(depth, sheet);
        }
        self.room.classes = classes;
    }

    /// Values that count wherever they stand: every fourth place is looked at, each value has keys for all four.
    fn texts(&mut self, sheet: &Sheet, depth: usize) {
        let needles = self.needles;
        if needles.text_keys.is_empty() || sheet.text.len() < SHORTEST_TEXT {
            return;
        }
        let (fours, _) = sheet.text.as_chunks::<4>();
        let (blocks, rest) = fours.as_chunks::<4>();
        let all = |(block, keys): (usize, [u32; 4])| (block * 4..).zip(keys);
        let blocks = blocks.iter().map(|block| block.map(text_key)).enumerate();
        let blocks = blocks.filter(|(_, keys)| needles.near_texts.may_have_any(*keys)).flat_map(all);
        let rest = (fours.len() - rest.len()..).zip(rest.iter().map(|four| text_key(*four)));
        for (at, key) in blocks.chain(rest) {
            for reference in needles.text_keys.get(key) {
                let Some(start) = (at * 4).checked_sub((reference % 4) as usize) else { continue };
                let Some(value) = needles.texts.get((reference / 4) as usize) else { continue };
                let bytes = needles.bytes(*value);
                let end = start + bytes.len();
                let there = sheet.text.get(start..end).is_some_and(|text| same_words(text, bytes));
                if there && is_itself(&sheet.text, start, end) {
                    self.found(Place::new(depth, start, end), value.detail, Vec::new(), Evidence::Value);
                }
            }
        }
    }

    /// Values that count only as all of a field.
    fn words(&mut self, sheet: &Sheet, classes: &Classes, depth: usize) {
        if self.needles.word_keys.is_empty() {
            return;
        }
        let starts = classes.before.each(0, sheet.text.len()).map(|at| at + 1);
        for start in std::iter::once(0).chain(starts) {
            if !self.needles.may_begin_word(sheet.text.get(start)) {
                continue;
            }
            let Some(key) = sheet.text.get(start..start + WORD_KEY).and_then(word_key) else { continue };
            for reference in self.needles.word_keys.get(key) {
                let Some(value) = self.needles.words.get(reference as usize).copied() else { continue };
                let end = start + self.needles.bytes(value).len();
                let text = sheet.text.get(start..end).unwrap_or_default();
                if same_words(text, self.needles.bytes(value)) && is_whole_field(sheet, start, end) {
                    self.found(Place::new(depth, start, end), value.detail, Vec::new(), Evidence::Value);
                }
            }
        }
    }

    /// Names of installed packages.
    fn names(&mut self, sheet: &Sheet, classes: &Classes, depth: usize) {
        if self.needles.package_keys.is_empty() {
            return;
        }
        let mut after = 0;
        for stop in memchr::memchr_iter(b'.', &sheet.text) {
            if stop < after {
                continue;
            }
            let (start, end) = (classes.dotted.start(stop, LONGEST_PACKAGE), classes.dotted.end(stop));
            after = end;
            let name = sheet.text.get(start..end).unwrap_or_default();
            for reference in self.needles.package_keys.get(package_key(name)) {
                let known = self.needles.packages.get(reference as usize);
                let known = known.filter(|known| self.needles.bytes(**known) == name);
                if let Some(known) = known
                    && !self.packages.contains(&known.detail)
                {
                    if self.packages.len() == MOST_PACKAGES {
                        self.understood = false;
                        return;
                    }
                    self.packages.push(known.detail);
                    self.first_package.get_or_insert(Place::new(depth, start, end));
                }
            }
        }
    }
}

/// Longer values are not part of anything by chance.
const UNMISTAKABLE: usize = 10;

const MOST_PACKAGES: usize = 256;

/// No longer name of a package is looked up.
const LONGEST_PACKAGE: usize = 255;

/// Whether a value is not part of another one: what is all hexadecimal digits never is part of longer ones.
fn is_itself(text: &[u8], start: usize, end: usize) -> bool {
    let value = text.get(start..end).unwrap_or_default();
    if value.contains(&b'@') {
        return is_address(text, start, end);
    }
    let is_hex = value.iter().all(u8::is_ascii_hexdigit);
    end - start >= UNMISTAKABLE && !is_hex || stands_alone(text, start, end)
}

/// Whether an e-mail address ends on both sides. Of the signs that RFC 5322 3.2.3 lets stand before it (atext), those
/// that divide fields as well (`=&/?'` and others) are taken for that.
fn is_address(text: &[u8], start: usize, end: usize) -> bool {
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-+~".contains(byte);
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let longer = match text.get(end) {
        Some(b'.') => text.get(end + 1).is_some_and(is_label),
        after => after.is_some_and(is_label),
    };
    !before.is_some_and(goes_on) && !longer
}

fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let free = before.ends_with(b"0x") || !before.last().is_some_and(u8::is_ascii_alphanumeric);
    free && !text.get(end).is_some_and(u8::is_ascii_alphanumeric)
}

/// In either case; in forms a + is a space.
pub(super) fn same_words(text: &[u8], word: &[u8]) -> bool {
    let plain = |byte: &u8| if *byte == b'+' { b' ' } else { byte.to_ascii_lowercase() };
    text.len() == word.len() && text.iter().map(plain).eq(word.iter().map(plain))
}

/// Whether these bytes are all of a field that is not a word of a path, the name of a host or of a program.
fn is_whole_field(sheet: &Sheet, start: usize, end: usize) -> bool {
    let Some((place, leaf)) = sheet.leaf(super::sheet::place(start)) else { return false };
    let path = sheet.path(leaf.path);
    let key =
        sheet.text.get(leaf.start as usize..(leaf.value as usize).saturating_sub(1)).unwrap_or_default();
    if path.starts_with("path[")
        || path == "name"
        || path == "header" && HEADERS.iter().any(|name| key.eq_ignore_ascii_case(name))
    {
        return false;
    }
    let last = sheet.end(place);
    if start == leaf.value as usize && end == last {
        return true;
    }
    let value = sheet.text.get(leaf.value as usize..last).unwrap_or_default();
    let before = start.checked_sub(1).and_then(|at| sheet.text.get(at));
    let after = sheet.text.get(end..last).unwrap_or_default();
    match (before, after.first()) {
        (Some(b'"'), Some(b'"')) if json::looks_like(value) => {
            after.get(1..).unwrap_or_default().trim_ascii_start().first() != Some(&b':')
        }
        (Some(b'"'), Some(b'"')) | (Some(b'>'), Some(b'<')) => xml::looks_like(value),
        _ => false,
    }
}

const HEADERS: [&[u8]; 4] = [b"user-agent", b"host", b"origin", b"referer"];

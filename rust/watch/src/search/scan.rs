//! Scans a sheet: values that stand there as text, whole fields, names of packages, and tokens that are digests
//! or hold something else.

use telltale_model::{DetailKind, Form};

use super::bits::Classes;
use super::candidate::Evidence;
use super::contain::{json, protobuf, xml};
use super::decode::{Compressed, base64, hex, utf16};
use super::hunt::{Hunt, Origin};
use super::needles::{SHORTEST_TEXT, WORD_KEY, package_key, text_key, word_key};
use super::room::DEPTHS;
use super::sheet::{Place, Sheet};
use super::telling;

/// Shorter tokens are not decoded: six bytes.
const SHORTEST_BASE64: usize = 8;
const SHORTEST_HEX: usize = 12;
/// Bytes of tokens that are looked at before they are opened.
const SHORT: usize = 48;
/// Lines of Base64 are at least so long where there are several (RFC 7468, RFC 2045 6.8).
const LINE: usize = 60;

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
        let blocks = blocks.filter(|(_, keys)| needles.text_keys.may_have_one(*keys)).flat_map(all);
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

    fn hex(&mut self, sheet: &Sheet, classes: &Classes, depth: usize) {
        let text = sheet.text.as_slice();
        for (start, end) in classes.hex.runs::<8>() {
            let token = text.get(start..end).unwrap_or_default();
            let before = start.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(b' ');
            if before.is_ascii_alphanumeric() && before != b'x' {
                continue;
            }
            let alone = !text.get(end).is_some_and(u8::is_ascii_alphanumeric);
            if let Some(key) = hex::first_four(token) {
                let place = Place::new(depth, start, end);
                self.digest(key, place, alone, Form::Hex, 4, |digest| hex::common(token, digest));
            }
            if matches!(token.len(), 8 | 12 | 16) {
                self.shapes(text, token, start, depth);
            }
            if alone
                && token.len() >= SHORTEST_HEX
                && token.len() % 2 == 0
                && !token.iter().all(u8::is_ascii_digit)
                || token.len() >= 2 * SHORTEST_HEX && token.len() % 2 == 0
            {
                if token.len() <= 2 * SHORT && self.is_nothing(hex::short(token, &mut [0; SHORT])) {
                    continue;
                }
                let mut inner = self.spare();
                hex::decode(token, &mut inner);
                self.token(&inner, Form::Hex, sheet, Place::new(depth, start, end));
                self.keep(inner);
            }
        }
    }

    /// Identifiers under names that tell them.
    fn shapes(&mut self, text: &[u8], token: &[u8], start: usize, depth: usize) {
        let (kind, len) = match token.len() {
            16 => (DetailKind::AndroidId, 16),
            12 => (DetailKind::Mac, 12),
            8 if is_uuid(text.get(start..start + 36)) => (DetailKind::AdvertisingId, 36),
            _ => return,
        };
        let told = || telling::before(text, start).and_then(telling::kind);
        if start.checked_sub(1).and_then(|at| text.get(at)).is_some_and(telling::is_between)
            && told() == Some(kind)
        {
            self.shape(Place::new(depth, start, start + len), kind);
        }
    }

    fn base64(&mut self, sheet: &Sheet, classes: &Classes, depth: usize) {
        let mut after = 0;
        for (start, end) in classes.base64.runs::<8>() {
            if start < after {
                continue;
            }
            // Letters of Base64 are not all digits by chance, nor 16 of them hexadecimal ones.
            let digits = classes.digits.count(start, end) == end - start;
            if digits || end - start >= 16 && is_all_hex(sheet, classes, start, end) {
                continue;
            }
            self.base64_digests(sheet, classes, (start, end), depth);
            after = self.lines(sheet, classes, (start, end), depth);
            if after > end {
                continue;
            }
            if !self.base64_token(sheet, classes, (start, end), depth) {
                self.pieces(sheet, classes, (start, end), depth);
            }
            if depth == 0 && start == 0 && !self.begins && end - start >= 4 * SHORTEST_BASE64 {
                for shift in 1..4 {
                    self.base64_token(sheet, classes, (start + shift, end), depth);
                }
            }
        }
    }

    /// Digests that begin at the beginning of a run, or behind one of + / - _
    fn base64_digests(&mut self, sheet: &Sheet, classes: &Classes, run: (usize, usize), depth: usize) {
        let (start, end) = run;
        let mut joints = classes.joints.each(start, end);
        let mut next = Some(start);
        while let Some(start) = next {
            next = joints.next().map(|at| at + 1);
            let token = sheet.text.get(start..end).unwrap_or_default();
            let Some(key) = base64::first_four(token) else { return };
            if !self.needles.digest_keys.has(key) {
                continue;
            }
            let place = Place::new(depth, start, end);
            let form = self.alphabet(sheet, classes, start, end);
            self.digest(key, place, true, form, 6, |digest| base64::common(token, digest));
        }
    }

    /// Compares a token with the digests that begin as it does, as far as it goes.
    fn digest(
        &mut self,
        key: u32,
        place: Place,
        alone: bool,
        form: Form,
        bits: usize,
        common: impl Fn(&[u8]) -> usize,
    ) {
        let needles = self.needles;
        for reference in needles.digest_keys.get(key) {
            let Some(detail) = needles.digested.get((reference / 4) as usize).map(|value| value.detail)
            else {
                continue;
            };
            if !self.wants(detail, true) {
                continue;
            }
            let Some((detail, hash, digest)) = needles.digest(reference) else { continue };
            let (count, all) = (common(digest.bytes()), (digest.bytes().len() * 8).div_ceil(bits));
            if count < 8 {
                continue;
            }
            let token = (place.end - place.start) as usize;
            let mut steps = vec![hash, form];
            let evidence = if count == all {
                Evidence::Value
            } else {
                steps.push(Form::Cut(u16::try_from(count).unwrap_or(u16::MAX)));
                let bits = u16::try_from(count * bits).unwrap_or(u16::MAX);
                Evidence::Cut { bits, whole: alone && count == token }
            };
            let end = place.start as usize + count;
            self.found(
                Place::new(usize::from(place.depth), place.start as usize, end),
                detail,
                steps,
                evidence,
            );
        }
    }

    /// Base64 over several lines: gives where it ends.
    fn lines(&mut self, sheet: &Sheet, classes: &Classes, run: (usize, usize), depth: usize) -> usize {
        let (start, mut end) = run;
        let length = end - start;
        if length < LINE || length % 4 != 0 {
            return end;
        }
        let leaf = sheet.leaf(super::sheet::place(start)).map_or(0, |(leaf, _)| sheet.end(leaf));
        if leaf <= end || !sheet.text.get(end).is_some_and(|byte| b"\r\n".contains(byte)) {
            return end;
        }
        let mut inner = self.spare();
        base64::decode(sheet.text.get(start..end).unwrap_or_default(), &mut inner);
        loop {
            let next = end
                + sheet
                    .text
                    .get(end..leaf)
                    .unwrap_or_default()
                    .iter()
                    .take(2)
                    .take_while(|byte| b"\r\n".contains(byte))
                    .count();
            if next == end || next >= leaf || !classes.base64.has(next) {
                break;
            }
            let stop = classes.base64.end(next);
            base64::decode(sheet.text.get(next..stop).unwrap_or_default(), &mut inner);
            end = stop;
            if stop - next < length {
                break;
            }
        }
        if end > run.1 {
            let form = self.alphabet(sheet, classes, start, end);
            self.token(&inner, form, sheet, Place::new(depth, start, end));
        }
        self.keep(inner);
        end
    }

    fn base64_token(
        &mut self,
        sheet: &Sheet,
        classes: &Classes,
        (start, end): (usize, usize),
        depth: usize,
    ) -> bool {
        let token = sheet.text.get(start..end).unwrap_or_default();
        if token.len() <= SHORT / 3 * 4 && self.is_nothing(base64::short(token, &mut [0; SHORT])) {
            return false;
        }
        let mut inner = self.spare();
        base64::decode(token, &mut inner);
        let form = self.alphabet(sheet, classes, start, end);
        let good = self.token(&inner, form, sheet, Place::new(depth, start, end));
        self.keep(inner);
        good
    }

    /// A path or a list of tokens: each piece for itself.
    fn pieces(&mut self, sheet: &Sheet, classes: &Classes, run: (usize, usize), depth: usize) {
        let (start, end) = run;
        let mut from = start;
        for at in classes.joints.each(start, end).chain([end]) {
            if at - from >= SHORTEST_BASE64 && (from, at) != run {
                self.base64_token(sheet, classes, (from, at), depth);
            }
            from = at + 1;
        }
    }

    /// Most words are letters of Base64 by chance, and what they would stand for is nothing.
    #[inline]
    fn is_nothing(&self, inner: &[u8]) -> bool {
        // A zero begins a frame of gRPC.
        inner.first() != Some(&0)
            && !protobuf::is_text(inner)
            && !protobuf::looks_like(inner)
            && Compressed::of(inner).is_none()
            && utf16::end(inner).is_none()
            && !self.may_hold(inner)
    }

    /// Opens what a token stands for, if that is anything.
    fn token(&mut self, inner: &[u8], form: Form, sheet: &Sheet, place: Place) -> bool {
        let Some((_, leaf)) = sheet.leaf(place.start) else { return false };
        let steps = leaf.steps_within();
        let origin = Origin { depth: usize::from(place.depth) + 1, path: "", steps, parent: Some(place) };
        self.step(inner, form, origin)
    }

    /// Letters that both alphabets have tell nothing: then it is that for URLs in a URL, else the other.
    fn alphabet(&self, sheet: &Sheet, classes: &Classes, start: usize, end: usize) -> Form {
        match classes.joints.each(start, end).next().and_then(|at| sheet.text.get(at)) {
            Some(b'+' | b'/') => return Form::Base64,
            Some(_) => return Form::Base64Url,
            None => {}
        }
        let path = sheet.leaf(super::sheet::place(start)).map_or("", |(_, leaf)| sheet.path(leaf.path));
        if path.starts_with("path") || path.starts_with("query") { Form::Base64Url } else { Form::Base64 }
    }
}

/// Whether a token is hexadecimal digits and hyphens: a UUID, or a digest.
fn is_all_hex(sheet: &Sheet, classes: &Classes, start: usize, end: usize) -> bool {
    let mut at = classes.hex.end(start);
    while at < end && sheet.text.get(at) == Some(&b'-') {
        at = classes.hex.end(at + 1);
    }
    at >= end
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

/// RFC 9562 4.
fn is_uuid(text: Option<&[u8]>) -> bool {
    text.is_some_and(|text| {
        text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

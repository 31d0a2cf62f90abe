//! Tokens of a sheet that are digests or hold something else: hexadecimal digits, and letters of Base64.

use telltale_model::{DetailKind, Form};

use super::bits::Classes;
use super::candidate::Evidence;
use super::contain::protobuf;
use super::decode::{Compressed, base64, hex, utf16};
use super::hunt::{Hunt, Origin};
use super::look::{Look, SHORT, is_text};
use super::sheet::{Place, Sheet};
use super::telling;

/// Shorter tokens are not decoded: six bytes.
const SHORTEST_BASE64: usize = 8;
const SHORTEST_HEX: usize = 12;
/// Lines of Base64 are at least so long where there are several (RFC 7468, RFC 2045 6.8).
const LINE: usize = 60;

/// Tokens of a sheet that were found to be nothing: the names of fields come again and again. It is one of its
/// places that is kept of each.
struct Nothings([(u32, u32); 64]);

impl Nothings {
    fn new() -> Self {
        Self([(0, 0); 64])
    }

    /// Which of the places a token has, by its first and last letters, of which it has eight at least.
    #[inline]
    fn slot(token: &[u8]) -> usize {
        let eight = |letters: Option<&[u8; 8]>| letters.map_or(0, |letters| u64::from_le_bytes(*letters));
        let key = eight(token.first_chunk()) ^ eight(token.last_chunk()).rotate_left(23);
        usize::from(key.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0] >> 2)
    }

    #[inline]
    fn has(&self, text: &[u8], token: &[u8]) -> bool {
        let (start, end) = self.0.get(Self::slot(token)).copied().unwrap_or_default();
        text.get(start as usize..end as usize) == Some(token)
    }

    #[inline]
    fn add(&mut self, token: &[u8], start: usize, end: usize) {
        let place = Place::new(0, start, end);
        let slot = self.0.get_mut(Self::slot(token));
        slot.into_iter().for_each(|slot| *slot = (place.start, place.end));
    }
}

impl Hunt<'_> {
    pub(super) fn hex(&mut self, sheet: &Sheet, classes: &Classes, depth: usize) {
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
                let mut short = [0; SHORT];
                if token.len() <= 2 * SHORT && {
                    let len = hex::short(token, &mut short);
                    self.is_nothing(&short, len)
                } {
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

    pub(super) fn base64(&mut self, sheet: &Sheet, classes: &Classes, depth: usize) {
        let (mut after, mut nothings) = (0, Nothings::new());
        for run in classes.base64.runs::<8>() {
            let (start, end) = run;
            let token = sheet.text.get(start..end).unwrap_or_default();
            // Longer ones may go on in the next line, and the first one may be a rest.
            let may_be_known = token.len() < LINE && start > 0;
            if start < after || may_be_known && nothings.has(&sheet.text, token) {
                continue;
            }
            // Letters of Base64 are not all digits by chance, nor 16 of them hexadecimal ones.
            let digits = classes.digits.count(start, end) == end - start;
            if digits || end - start >= 16 && is_all_hex(sheet, classes, start, end) {
                continue;
            }
            let opened = self.opened;
            after = self.base64_run(sheet, classes, run, depth);
            if may_be_known && self.opened == opened {
                nothings.add(token, start, end);
            }
        }
    }

    /// Looks at a run of letters of Base64 in all ways: gives where the lines end that it is of.
    fn base64_run(&mut self, sheet: &Sheet, classes: &Classes, run: (usize, usize), depth: usize) -> usize {
        let (start, end) = run;
        self.base64_digests(sheet, classes, run, depth);
        let after = self.lines(sheet, classes, run, depth);
        if after > end {
            return after;
        }
        if !self.base64_token(sheet, classes, run, depth) {
            self.pieces(sheet, classes, run, depth);
        }
        if depth == 0 && start == 0 && !self.begins && end - start >= 4 * SHORTEST_BASE64 {
            for shift in 1..4 {
                self.base64_token(sheet, classes, (start + shift, end), depth);
            }
        }
        after
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
            if self.needles.digests(key).next().is_none() {
                continue;
            }
            self.opened += 1;
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
        for reference in needles.digests(key) {
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
        if token.len() <= SHORT / 3 * 4 {
            let mut short = [0; SHORT];
            let len = base64::short(token, &mut short);
            if self.is_nothing(&short, len) {
                return false;
            }
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
    fn is_nothing(&self, bytes: &[u8; SHORT], len: usize) -> bool {
        let (look, inner) = (Look::of(bytes, len), bytes.get(..len).unwrap_or_default());
        let zeros = look.has_zeros();
        // A zero begins a frame of gRPC.
        let is_something = look.begins_with_zero()
            || look.may_be_text() && is_text(inner)
            || protobuf::looks_like(inner)
            || Compressed::of(inner).is_some()
            || zeros && self.may_hold_number(inner)
            || (zeros || utf16::is_marked(inner)) && utf16::end(inner).is_some()
            || self.may_hold(inner);
        !is_something
    }

    /// Opens what a token stands for, if that is anything.
    fn token(&mut self, inner: &[u8], form: Form, sheet: &Sheet, place: Place) -> bool {
        self.opened += 1;
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
    classes.hex.or(&classes.joints, start, end)
        && classes.joints.each(start, end).all(|at| sheet.text.get(at) == Some(&b'-'))
}

/// RFC 9562 4.
fn is_uuid(text: Option<&[u8]>) -> bool {
    text.is_some_and(|text| {
        text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_was_nothing_is_known_as_itself_alone() {
        let text = b"contactName xxxx contactName AAAAAAAA1BBBBBBBB AAAAAAAA2BBBBBBBB";
        let mut nothings = Nothings::new();
        nothings.add(b"contactName", 0, 11);
        assert!(nothings.has(text, b"contactName") && !nothings.has(text, b"contactNome"));
        let (one, other) = (b"AAAAAAAA1BBBBBBBB", b"AAAAAAAA2BBBBBBBB");
        assert_eq!(Nothings::slot(one), Nothings::slot(other), "the same place");
        nothings.add(one, 29, 46);
        assert!(nothings.has(text, one) && !nothings.has(text, other));
        nothings.add(other, 47, 64);
        assert!(nothings.has(text, other) && !nothings.has(text, one), "the later one has it");
    }

    #[test]
    fn however_many_tokens_there_are_their_memory_is_as_large() {
        let text: Vec<u8> =
            (0..10_000_u32).flat_map(|number| format!("token{number:07}\n").into_bytes()).collect();
        let mut nothings = Nothings::new();
        for start in (0..text.len()).step_by(13) {
            nothings.add(&text[start..start + 12], start, start + 12);
        }
        let known =
            (0..text.len()).step_by(13).filter(|start| nothings.has(&text, &text[*start..*start + 12]));
        assert!((32..=64).contains(&known.count()), "most places are taken, each by one");
        assert_eq!(size_of::<Nothings>(), 512);
        // A place that the text does not have, as of a token past 4 GiB, is none.
        nothings.add(b"contactName", usize::MAX - 11, usize::MAX);
        assert!(!nothings.has(&text, b"contactName"));
    }
}

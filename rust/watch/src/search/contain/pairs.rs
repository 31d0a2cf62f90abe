//! `a=1&b=2`, `a=1; b=2`: forms (WHATWG URL 5.1), queries and cookies (RFC 6265 4.2).

use super::add_name;
use super::marks::Marks;
use crate::search::decode::percent::{self, Keep};
use crate::search::sheet::Place;
use crate::search::sheet::{Sheet, Steps};

/// Whether a text of which nothing is known may be a form: it begins as one, and has no spaces.
pub(in crate::search) fn looks_like(text: &[u8]) -> bool {
    begin(text) && memchr::memchr3(b' ', b'\n', b'\t', text).is_none()
}

/// Whether a text begins with a name, an equals sign and something else.
pub(in crate::search) fn begin(text: &[u8]) -> bool {
    let is_name = |byte: &u8| IN_NAMES.get(usize::from(*byte)).is_some_and(|is| *is);
    // Most text has no such sign.
    let Some((name, value)) = memchr::memchr(b'=', text).and_then(|at| text.split_at_checked(at)) else {
        return false;
    };
    !name.is_empty() && value.get(1).is_some_and(|byte| *byte != b'=') && name.iter().all(is_name)
}

/// Whether a byte is one of those that names are made of: letters, digits, and a few signs.
static IN_NAMES: [bool; 256] = in_names();

#[expect(clippy::indexing_slicing, reason = "worked out by the compiler")]
const fn in_names() -> [bool; 256] {
    let mut is = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        is[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']' | b'%' | b'~' | b'$' | b'+');
        byte += 1;
    }
    is
}

/// Appends a leaf for each pair, its name and value decoded. Says whether all got one of their own.
pub(in crate::search) fn split(
    text: &[u8],
    divider: u8,
    path: (u32, u32),
    steps: Steps,
    parent: Option<Place>,
    sheet: &mut Sheet,
    mut each: impl FnMut(&mut Sheet),
) -> bool {
    let mut marks = Marks::new(text, [divider, b'=', b'%']);
    let trims = divider == b';';
    let mut start = 0;
    loop {
        // What is behind the last leaf that there is room for is one pair.
        let is_last = sheet.is_full();
        let mut pair = Pair { text, from: start, sheet: &mut *sheet, is_open: false, has_name: false };
        if trims {
            pair.from += pair.text.get(start..).map_or(0, |rest| rest.len() - rest.trim_ascii_start().len());
        }
        let end = loop {
            let at = marks.next().unwrap_or(text.len());
            match text.get(at) {
                Some(b'=') if !pair.has_name => pair.name(at, (path, steps, parent)),
                Some(b'%') => pair.escape(at, (path, steps, parent)),
                Some(sign) if *sign != divider || is_last => {}
                _ => break at,
            }
        };
        pair.close(end, trims, (path, steps, parent), &mut each);
        if end == text.len() {
            return !sheet.is_full();
        }
        start = end + 1;
    }
}

/// Where the leaves of a text come from.
type Source = ((u32, u32), Steps, Option<Place>);

/// A pair that is being read.
struct Pair<'a> {
    text: &'a [u8],
    /// What was not appended yet begins here.
    from: usize,
    sheet: &'a mut Sheet,
    is_open: bool,
    has_name: bool,
}

impl Pair<'_> {
    /// Appends what stands before a place. The first to be appended opens the leaf.
    #[inline]
    fn append(&mut self, text: &[u8], (path, steps, parent): Source) {
        if !self.is_open {
            self.sheet.open(path, steps, parent);
            self.is_open = true;
        }
        self.sheet.text.extend_from_slice(text);
    }

    #[inline]
    fn name(&mut self, at: usize, source: Source) {
        self.append(self.text.get(self.from..at).unwrap_or_default(), source);
        self.sheet.open_value();
        (self.has_name, self.from) = (true, at + 1);
    }

    #[inline]
    fn escape(&mut self, at: usize, source: Source) {
        self.append(self.text.get(self.from..at).unwrap_or_default(), source);
        let rest = percent::escape(self.text.get(at..).unwrap_or_default(), Keep::Nothing, self.sheet);
        self.from = self.text.len() - rest.len();
    }

    /// Ends a pair, if there was any.
    #[inline]
    fn close(mut self, end: usize, trims: bool, source: Source, each: &mut impl FnMut(&mut Sheet)) {
        let last = self.text.get(self.from..end).unwrap_or_default();
        let last = if trims { last.trim_ascii_end() } else { last };
        if self.is_open || !last.is_empty() {
            self.append(last, source);
            each(self.sheet);
            self.sheet.close();
        }
    }
}

/// Appends the name of the pair that a byte of a text is in.
pub(in crate::search) fn path(text: &[u8], at: usize, path: &mut String) {
    let start = text.get(..at).and_then(|before| memchr::memrchr2(b'&', b'?', before)).map_or(0, |at| at + 1);
    let pair = text.get(start..at).unwrap_or_default();
    if let Some(equals) = memchr::memchr(b'=', pair) {
        add_name(path, pair.get(..equals).unwrap_or_default());
    }
}

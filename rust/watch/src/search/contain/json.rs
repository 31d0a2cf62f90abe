//! JSON, RFC 8259, as programs write it: read without complaint where it is cut off or not quite right.

use std::ops::Range;

use super::{DEEPEST, add_name};
use crate::search::decode::percent::{self, Keep, pair};
use crate::search::sheet::Sheet;

/// Whether a text may be JSON: an object or an array.
#[inline]
pub(in crate::search) fn looks_like(text: &[u8]) -> bool {
    // Most text does not even begin so.
    let begins = text.first().is_some_and(|first| b"{[ \t\n\r\x0c".contains(first));
    begins && is_begun(text)
}

fn is_begun(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let next = || text.get(1..).unwrap_or_default().trim_ascii_start().first();
    match text.first() {
        Some(b'{') => matches!(next(), Some(b'"' | b'}' | b'\'') | None),
        Some(b'[') => next().is_none_or(|byte| b"\"{[]-tfn'".contains(byte) || byte.is_ascii_digit()),
        _ => false,
    }
}

/// Appends the text with escapes (RFC 8259 7) and percent-encoding undone where that leaves its structure as it is.
pub(in crate::search) fn copy(text: &[u8], sheet: &mut Sheet) {
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\\', b'%', rest) {
        let (before, from) = rest.split_at(at);
        sheet.text.extend_from_slice(before);
        rest = match from.first() {
            Some(b'%') => percent::escape(from, Keep::Structure, sheet),
            _ => escape(from, &mut sheet.text, false),
        };
    }
    sheet.text.extend_from_slice(rest);
}

/// Appends the contents of a string with all escapes undone.
pub(in crate::search) fn unescape(string: &[u8], to: &mut Vec<u8>) {
    let mut rest = string;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, from) = rest.split_at(at);
        to.extend_from_slice(before);
        rest = escape(from, to, true);
    }
    to.extend_from_slice(rest);
}

/// Appends what the escape at the beginning stands for, and gives what follows it. Unless it is `all` to be undone,
/// quotes and backslashes stay escaped.
fn escape<'a>(from: &'a [u8], to: &mut Vec<u8>, all: bool) -> &'a [u8] {
    let (letter, used) = match from.get(1) {
        Some(b'n') => ('\n', 2),
        Some(b't') => ('\t', 2),
        Some(b'r') => ('\r', 2),
        Some(b'/') => ('/', 2),
        Some(b'b' | b'f') => (' ', 2),
        Some(b'"') => ('"', 2),
        Some(b'\\') => ('\\', 2),
        Some(b'u') => unicode(from),
        _ => ('\\', 1),
    };
    if !all && used > 1 && (letter == '"' || letter == '\\') {
        to.push(b'\\');
    }
    to.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    from.get(used..).unwrap_or_default()
}

/// `\u00e9`, or two of them for what lies above the first plane.
fn unicode(from: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let digits = from.get(at..)?.strip_prefix(b"\\u")?;
        Some(u16::from_be_bytes([pair(digits)?, pair(digits.get(2..)?)?]))
    };
    let Some(first) = unit(0) else { return ('\\', 1) };
    let mut letters = char::decode_utf16([Some(first), unit(6)].into_iter().flatten());
    match letters.next() {
        Some(Ok(letter)) => (letter, if letter.len_utf16() == 2 { 12 } else { 6 }),
        Some(Err(_)) | None => (char::REPLACEMENT_CHARACTER, 6),
    }
}

/// Walks through a text once, and says of places in it, in their order, what field they are in.
#[derive(Debug, Default)]
pub(in crate::search) struct Walk {
    at: usize,
    open: Vec<Open>,
    /// Objects and arrays that are open besides those in `open`.
    deeper: usize,
    string: Range<usize>,
}

#[derive(Debug)]
enum Open {
    /// With the last key.
    Object(Range<usize>),
    /// With the number of its element, counted from 1.
    Array(usize),
}

impl Walk {
    /// Appends the names that lead to the byte at `to`.
    pub(in crate::search) fn path(&mut self, text: &[u8], to: usize, path: &mut String) {
        if self.at > to {
            *self = Self::default();
        }
        while self.step(text, to) {}
        for open in &self.open {
            match open {
                Open::Object(key) if key.is_empty() => {}
                Open::Object(key) => add_name(path, text.get(key.clone()).unwrap_or_default()),
                Open::Array(number) => path.push_str(&format!("[{number}]")),
            }
        }
    }

    /// Goes over the next sign or string that ends before `to`.
    fn step(&mut self, text: &[u8], to: usize) -> bool {
        let rest = text.get(self.at..to).unwrap_or_default();
        let Some(skipped) = rest.iter().position(|byte| b"\"{}[],:".contains(byte)) else { return false };
        let at = self.at + skipped;
        let byte = rest.get(skipped).copied().unwrap_or(0);
        if byte == b'"' {
            let end = string_end(text, at + 1);
            if end >= to {
                return false;
            }
            self.string = at + 1..end;
            self.at = end + 1;
        } else {
            self.sign(byte);
            self.at = at + 1;
        }
        true
    }

    fn sign(&mut self, byte: u8) {
        let full = self.open.len() >= DEEPEST;
        match (byte, self.open.last_mut()) {
            (b'{' | b'[', _) if full => self.deeper += 1,
            (b'}' | b']', _) if self.deeper > 0 => self.deeper -= 1,
            (b'{', _) => self.open.push(Open::Object(0..0)),
            (b'[', _) => self.open.push(Open::Array(1)),
            (b'}' | b']', _) => drop(self.open.pop()),
            (b':', Some(Open::Object(key))) if self.deeper == 0 => *key = self.string.clone(),
            (b',', Some(Open::Object(key))) if self.deeper == 0 => *key = 0..0,
            (b',', Some(Open::Array(number))) if self.deeper == 0 => *number += 1,
            _ => {}
        }
    }
}

/// Where the string ends whose first byte is at `from`: at its quote, or at the end of the text.
fn string_end(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(found) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        at += found;
        if text.get(at) == Some(&b'"') {
            return at;
        }
        at += 2;
    }
    text.len()
}

/// The strings that hold quotes: most are JSON themselves.
pub(in crate::search) fn strings_with_quotes(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + memchr::memchr(b'"', text.get(at..)?)? + 1;
            let end = string_end(text, start);
            at = end + 1;
            if memchr::memmem::find(text.get(start..end)?, b"\\\"").is_some() {
                return Some(start..end);
            }
        }
    })
}

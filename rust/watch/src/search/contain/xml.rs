//! XML, and what looks like it.

use std::ops::Range;

use super::{DEEPEST, add_name};

/// Whether a text may be XML.
pub(in crate::search) fn looks_like(text: &[u8]) -> bool {
    match text.trim_ascii_start() {
        [b'<', next, ..] => next.is_ascii_alphabetic() || b"?!_".contains(next),
        _ => false,
    }
}

/// Walks through a text once, and says of places in it, in their order, what field they are in.
#[derive(Debug, Default)]
pub(in crate::search) struct Walk {
    at: usize,
    open: Vec<Range<usize>>,
    deeper: usize,
}

impl Walk {
    /// Appends the names of the elements around the byte at `to`, and of the attribute that it is in.
    pub(in crate::search) fn path(&mut self, text: &[u8], to: usize, path: &mut String) {
        if self.at > to {
            *self = Self::default();
        }
        let mut inside = None;
        while let Some(found) = memchr::memchr(b'<', text.get(self.at..to).unwrap_or_default()) {
            let start = self.at + found + 1;
            let end = tag_end(text, start);
            if end >= to {
                inside = Some(start);
                break;
            }
            self.tag(text, start, end);
            self.at = end + 1;
        }
        let names = self.open.iter().cloned().chain(inside.map(|start| name(text, start)));
        for name in names {
            add_name(path, text.get(name).unwrap_or_default());
        }
        if let Some(attribute) = inside.and_then(|start| attribute(text.get(start..to)?)) {
            add_name(path, attribute);
        }
    }

    fn tag(&mut self, text: &[u8], start: usize, end: usize) {
        match text.get(start) {
            Some(b'/') if self.deeper > 0 => self.deeper -= 1,
            Some(b'/') => drop(self.open.pop()),
            Some(b'?' | b'!') | None => {}
            Some(_) if end.checked_sub(1).and_then(|last| text.get(last)) == Some(&b'/') => {}
            Some(_) if self.open.len() >= DEEPEST => self.deeper += 1,
            Some(_) => self.open.push(name(text, start)),
        }
    }
}

fn name(text: &[u8], start: usize) -> Range<usize> {
    let is_name = |byte: &u8| !byte.is_ascii_whitespace() && !b"/>=\"<".contains(byte);
    let len = text.get(start..).unwrap_or_default().iter().take(64).take_while(|byte| is_name(byte)).count();
    start..start + len
}

/// Where a tag ends; a section of characters does at its beginning, for what is in it is text.
fn tag_end(text: &[u8], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    match rest.strip_prefix(b"![CDATA[") {
        Some(_) => start + 7,
        None => memchr::memchr(b'>', rest).map_or(text.len(), |len| start + len),
    }
}

/// The name of the attribute whose value a tag breaks off in.
fn attribute(tag: &[u8]) -> Option<&[u8]> {
    let equals = memchr::memrchr(b'=', tag)?;
    tag.get(..equals)?.trim_ascii_end().rsplit(u8::is_ascii_whitespace).next()
}

//! Whether details of a person were in what was sent, in whatever form.
//!
//! [`Needles`] are made once from the details. Of every readable piece [`Needles::search`] says whether it was
//! understood, and gives candidates; [`Needles::judge`] makes hits of those of one request. The forms and
//! containers that are read, and how fields are called, are listed in `docs/findings.md`.
//!
//! All text of a piece is put into one sheet, its fields one after the other, and the sheet is scanned once for
//! each of the searchers. What tokens in it stand for goes into the next sheet, and so on. Only where something
//! was found it is worked out what the field is called.

mod bits;
mod candidate;
mod contain;
mod coordinates;
mod decode;
mod excerpt;
mod hunt;
mod judge;
mod locate;
mod look;
mod media;
mod needles;
mod numbers;
mod part;
mod redact;
mod roll;
mod room;
mod scan;
mod sheet;
mod table;
mod telling;
mod tokens;

pub use candidate::Candidate;
use contain::{json, pairs};
use hunt::{Hunt, INPUT, Origin};
pub use judge::Judgement;
pub use needles::Needles;
pub use part::{Part, Piece};
pub use room::Room;
use sheet::Steps;

/// What came of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// Whether all of it ended in text, numbers or a known structure. What was readable was searched anyway.
    pub understood: bool,
    /// In no order.
    pub candidates: Vec<Candidate>,
}

impl Needles {
    /// Searches one piece. Costs time in proportion to its length, and no more memory than `room` keeps.
    pub fn search(&self, piece: &Piece<'_>, room: &mut Room) -> Searched {
        let mut hunt = Hunt::new(self, room, u64::try_from(piece.at.seconds()).unwrap_or(0), piece.begins);
        hunt.part(&piece.part);
        hunt.scan();
        let candidates = hunt.candidates(piece);
        Searched { understood: hunt.understood && piece.ends, candidates }
    }
}

impl Hunt<'_> {
    fn part(&mut self, part: &Part<'_>) {
        let top = |path| Origin { depth: 0, path, steps: Steps::default(), parent: None };
        match part {
            Part::Head { method, target, fields } => self.head(method, target, fields),
            Part::Body { media, coding, bytes } => {
                let bytes = self.capped(bytes);
                match coding {
                    Some(coding) => self.coded(coding, bytes, *media, top("")),
                    None => drop(self.content(bytes, *media, top(""))),
                }
            }
            Part::Message(bytes) | Part::Raw(bytes) => {
                let bytes = self.capped(bytes);
                self.content(bytes, None, top(""));
            }
            Part::Question(name) => self.leaf("name", name),
        }
    }

    /// What is read of a part.
    fn capped<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        self.understood &= bytes.len() <= INPUT;
        bytes.get(..INPUT).unwrap_or(bytes)
    }

    fn head(&mut self, method: &[u8], target: &[u8], fields: &[(&[u8], &[u8])]) {
        if !is_usual(method) {
            self.leaf("method", method);
        }
        let target = self.capped(target);
        let (path, query) = match memchr::memchr(b'?', target) {
            Some(at) => (target.get(..at).unwrap_or_default(), target.get(at + 1..)),
            None => (target, None),
        };
        // What is neither a path nor an address is one segment.
        let (host, segments) = match path.strip_prefix(b"/") {
            Some(segments) => (None, segments),
            None => split_url(path),
        };
        if let Some(host) = host {
            self.header(b"host", host);
        }
        self.understood &= segments.split(|byte| *byte == b'/').nth(MOST_SEGMENTS).is_none();
        for (number, segment) in segments.split(|byte| *byte == b'/').enumerate().take(MOST_SEGMENTS) {
            self.leaf(&format!("path[{}]", number + 1), segment);
        }
        if let Some(query) = query {
            self.pairs("query", query, b'&');
        }
        self.understood &= fields.len() <= MOST_FIELDS;
        let mut left = INPUT;
        for (name, value) in fields.iter().take(MOST_FIELDS) {
            let Some(rest) = left.checked_sub(value.len()) else {
                self.understood = false;
                break;
            };
            left = rest;
            if name.is_empty() {
                self.leaf("header", value);
            } else if name.eq_ignore_ascii_case(b"cookie") {
                self.pairs("cookie", value, b';');
            } else {
                self.header(name, value);
            }
        }
        self.nested(0, 0);
    }

    /// A value that is a field of its own.
    fn leaf(&mut self, path: &str, value: &[u8]) {
        let mut sheet = self.take(0);
        let path = sheet.add_path(path);
        sheet.open(path, Steps::default(), None);
        decode::percent::decode(value, decode::percent::Keep::Nothing, &mut sheet);
        sheet.close();
        self.give(0, sheet);
    }

    fn pairs(&mut self, path: &str, text: &[u8], divider: u8) {
        let mut sheet = self.take(0);
        let path = sheet.add_path(path);
        let all = pairs::split(text, divider, path, Steps::default(), None, &mut sheet, hunt::json_value);
        self.understood &= all;
        self.give(0, sheet);
    }

    fn header(&mut self, name: &[u8], value: &[u8]) {
        let mut sheet = self.take(0);
        let path = sheet.add_path("header");
        sheet.open(path, Steps::default(), None);
        sheet.text.extend(name.iter().map(u8::to_ascii_lowercase));
        sheet.open_value();
        if json::looks_like(value) {
            json::copy(value, &mut sheet);
        } else {
            decode::percent::decode(value, decode::percent::Keep::Nothing, &mut sheet);
        }
        sheet.close();
        self.give(0, sheet);
    }
}

/// Segments of a path and header fields that have places of their own: servers take no more.
const MOST_SEGMENTS: usize = 128;
const MOST_FIELDS: usize = 256;

/// Methods that hold nothing of anybody: RFC 9110 9.3, RFC 5789.
fn is_usual(method: &[u8]) -> bool {
    const USUAL: [&[u8]; 10] =
        [b"", b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"];
    USUAL.contains(&method)
}

/// Host and path of a whole URL (RFC 9112 3.2.2), with the user's name and the port where they are there.
fn split_url(url: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let Some(after) = memchr::memmem::find(url, b"://").and_then(|at| url.get(at + 3..)) else {
        return (None, url);
    };
    let end = memchr::memchr(b'/', after).unwrap_or(after.len());
    (after.get(..end), after.get(end + 1..).unwrap_or_default())
}

#[cfg(test)]
mod tests;

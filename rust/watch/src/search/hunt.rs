//! One search: contents are opened into sheets, sheets are scanned, what is found in them is opened in turn.

use telltale_model::{DetailKind, Form};
use zeroize::Zeroize;

use super::candidate::Evidence;
use super::contain::{json, multipart, pairs, protobuf};
use super::decode::percent::{self, Keep};
use super::decode::{Compressed, Unpacked, utf16};
use super::look::is_text;
use super::media::{MEDIA, is_media, is_multipart};
use super::needles::Needles;
use super::room::{DEPTHS, Found, Room};
use super::sheet::{Place, Steps};

/// Bytes of a part that are read.
pub(super) const INPUT: usize = 256 << 10;
/// Bytes that decoders make of one part, in all.
const OUTPUT: usize = 1 << 20;
/// How many times larger than its source anything unpacked may be.
const RATIO: usize = 100;
/// Streams that are unpacked of one part, and guesses that something may be one.
const STREAMS: usize = 64;
const GUESSES: usize = 4;
/// Shorter bytes are not guessed to be a stream.
const SHORTEST_GUESS: usize = 64;
/// Encodings that are undone within each other.
const STEPS: usize = 3;
/// Parts of a multipart body that are read singly.
const SECTIONS: usize = 128;
/// Strings of a JSON text that are read as JSON themselves.
const STRINGS: usize = 256;
/// The longest digest in use is that long (SHA-512): what is no text up to there is a number, or a digest.
const DIGEST: usize = 64;
/// Candidates of one part, of one detail in it, in clear and encoded, and mere shapes.
const FOUND: usize = 512;
const TIMES: u8 = 16;
const SHAPES: usize = 16;

pub(super) struct Hunt<'a> {
    pub(super) needles: &'a Needles,
    pub(super) room: &'a mut Room,
    /// Seconds since 1970.
    pub(super) at: u64,
    /// Whether the first byte is that of the part.
    pub(super) begins: bool,
    pub(super) understood: bool,
    pub(super) packages: Vec<u16>,
    /// Where the first of them stood.
    pub(super) first_package: Option<Place>,
    /// Tokens that were more than nothing.
    pub(super) opened: usize,
    left: usize,
    streams: usize,
    guesses: usize,
    shapes: usize,
}

/// Where contents come from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    /// The sheet that they go to.
    pub(super) depth: usize,
    pub(super) path: &'a str,
    pub(super) steps: Steps,
    pub(super) parent: Option<Place>,
}

impl<'a> Hunt<'a> {
    pub(super) fn new(needles: &'a Needles, room: &'a mut Room, at: u64, begins: bool) -> Self {
        room.clear(needles.names.len());
        Self {
            needles,
            room,
            at,
            begins,
            understood: true,
            packages: Vec::new(),
            first_package: None,
            opened: 0,
            left: OUTPUT,
            streams: STREAMS,
            guesses: GUESSES,
            shapes: 0,
        }
    }

    /// Opens contents of any kind. Says whether they were text or a known structure.
    pub(super) fn content(&mut self, bytes: &[u8], media: Option<&[u8]>, origin: Origin<'_>) -> bool {
        if bytes.is_empty() {
            return true;
        }
        if origin.depth >= DEPTHS {
            self.understood &= is_a_digest(bytes);
            return false;
        }
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            self.understood = false;
            return false;
        };
        self.left = left;
        let boundary = if is_multipart(bytes, media) { multipart::boundary(bytes) } else { None };
        if let Some(boundary) = boundary {
            self.multipart(bytes, boundary, origin);
        } else if is_text(bytes) {
            self.text(bytes, media, origin);
        } else {
            return self.binary(bytes, media, origin);
        }
        true
    }

    fn text(&mut self, bytes: &[u8], media: Option<&[u8]>, origin: Origin<'_>) {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut sheet = self.take(origin.depth);
        sheet.text.reserve(bytes.len() + 1);
        let start = sheet.leaves.len();
        let mut may_nest = true;
        let is_form = |bytes| match media {
            Some(media) if is_media(media, b"application/x-www-form-urlencoded") => pairs::begin(bytes),
            Some(media) if !is_media(media, b"text/plain") => false,
            Some(_) | None => pairs::looks_like(bytes),
        };
        if json::looks_like(bytes) {
            let path = sheet.add_path(origin.path);
            sheet.open(path, origin.steps, origin.parent);
            json::copy(bytes, &mut sheet);
            sheet.close();
        } else if is_form(bytes) {
            let path = sheet.add_path(&join(origin.path, "form"));
            let all = pairs::split(bytes, b'&', path, origin.steps, origin.parent, &mut sheet, json_value);
            self.understood &= all;
        } else {
            let path = sheet.add_path(origin.path);
            sheet.open(path, origin.steps, origin.parent);
            percent::decode(bytes, Keep::Structure, &mut sheet);
            sheet.close();
            let leaf = sheet.leaves.get(start).and_then(|leaf| sheet.text.get(leaf.value as usize..));
            may_nest = leaf.is_some_and(json::looks_like);
        }
        self.give(origin.depth, sheet);
        if may_nest {
            self.nested(origin.depth, start);
        }
    }

    /// Opens the strings of JSON texts that are JSON in their turn.
    pub(super) fn nested(&mut self, depth: usize, from: usize) {
        let sheet = self.take(depth);
        let mut strings = 0;
        for place in from..sheet.leaves.len() {
            let Some(leaf) = sheet.leaves.get(place) else { break };
            let start = leaf.value as usize;
            let text = sheet.text.get(start..sheet.end(place)).unwrap_or_default();
            if text.len() < 8 || !json::looks_like(text) || memchr::memmem::find(text, b"\\\"").is_none() {
                continue;
            }
            for string in json::strings_with_quotes(text) {
                strings += 1;
                if strings > STRINGS {
                    self.understood = false;
                    break;
                }
                let parent = Place::new(depth, start + string.start, start + string.end);
                let mut inner = self.spare();
                json::unescape(text.get(string).unwrap_or_default(), &mut inner);
                let steps = leaf.steps_within();
                let origin = Origin { depth: depth + 1, path: "", steps, parent: Some(parent) };
                self.content(&inner, None, origin);
                self.keep(inner);
            }
        }
        self.give(depth, sheet);
    }

    fn multipart(&mut self, bytes: &[u8], boundary: &[u8], origin: Origin<'_>) {
        let mut ends = false;
        for (count, section) in multipart::sections(bytes, boundary).enumerate() {
            if count == SECTIONS {
                self.understood = false;
                break;
            }
            let mut path = join(origin.path, "multipart");
            if !section.name.is_empty() {
                super::contain::add_name(&mut path, section.name);
            }
            if let Some(name) = section.file_name {
                self.content(name, None, Origin { path: &path, ..origin });
            }
            self.content(section.body, section.media, Origin { path: &path, ..origin });
            ends = section.ends;
        }
        self.understood &= ends;
    }

    /// Opens what is no text. Says whether it was a known structure.
    pub(super) fn binary(&mut self, bytes: &[u8], media: Option<&[u8]>, origin: Origin<'_>) -> bool {
        if let Some(compressed) = Compressed::of(bytes)
            && self.unpack(compressed, bytes, origin)
        {
            return true;
        }
        let is_media = media.is_some_and(|media| MEDIA.iter().any(|kind| is_media(media, kind)));
        if !is_media {
            if let Some(end) = utf16::end(bytes) {
                let mut text = self.spare();
                let good = utf16::decode(bytes, end, &mut text) && is_text(&text);
                if good {
                    self.step(&text, Form::Utf16, origin);
                }
                self.keep(text);
                if good {
                    return true;
                }
            }
            if protobuf::looks_like(bytes) {
                self.protobuf(bytes, origin);
                return true;
            }
            if let Some(inner) = grpc(bytes)
                && protobuf::looks_like(inner)
            {
                self.protobuf(inner, origin);
                return true;
            }
        }
        self.roll(bytes, origin);
        if !is_media && bytes.len() >= SHORTEST_GUESS && self.guesses > 0 {
            self.guesses -= 1;
            if self.unpack(Compressed::Deflate, bytes, origin)
                || self.unpack(Compressed::Brotli, bytes, origin)
            {
                return true;
            }
        }
        // All of a part is no digest, however short.
        let whole = origin.parent.is_none() && origin.depth == 0 && origin.path.is_empty();
        if bytes.len() > DIGEST || whole {
            self.understood = false;
            self.strings(bytes, origin);
        }
        false
    }

    /// Unpacks a stream, and opens what was in it. Without a format's own first bytes it is one only if all of it
    /// is, and holds text or a known structure.
    fn unpack(&mut self, compressed: Compressed, bytes: &[u8], origin: Origin<'_>) -> bool {
        if self.streams == 0 || origin.steps.len() >= STEPS {
            self.understood = false;
            return false;
        }
        self.streams -= 1;
        let guess = matches!(compressed, Compressed::Deflate | Compressed::Brotli);
        let mut inner = self.spare();
        let most = self.left.min(bytes.len().saturating_mul(RATIO));
        let unpacked = compressed.unpack(bytes, most, &mut self.room.inflater, &mut inner);
        let good = if guess { unpacked == Unpacked::Whole && is_text(&inner) } else { !inner.is_empty() };
        if good {
            self.understood &= unpacked == Unpacked::Whole;
            self.step(&inner, compressed.form(), origin);
        }
        self.keep(inner);
        good
    }

    /// Undoes a coding that a header told of.
    pub(super) fn coded(&mut self, coding: &[u8], bytes: &[u8], media: Option<&[u8]>, origin: Origin<'_>) {
        let coding = coding.trim_ascii();
        let is = |name: &str| coding.eq_ignore_ascii_case(name.as_bytes());
        let compressed = if is("gzip") || is("x-gzip") {
            Compressed::Gzip
        } else if is("deflate") {
            // RFC 9110 8.4.1.2: zlib, but some send deflate alone.
            Compressed::of(bytes).filter(|format| *format == Compressed::Zlib).unwrap_or(Compressed::Deflate)
        } else if is("br") {
            Compressed::Brotli
        } else if is("zstd") {
            Compressed::Zstd
        } else {
            self.understood &= is("") || is("identity");
            self.content(bytes, media, origin);
            return;
        };
        let mut inner = self.spare();
        let most = self.left.min(bytes.len().saturating_mul(RATIO));
        let unpacked = compressed.unpack(bytes, most, &mut self.room.inflater, &mut inner);
        if inner.is_empty() {
            // Some declare what they did not do.
            self.understood &= is_text(bytes);
            self.content(bytes, media, origin);
        } else {
            self.understood &= unpacked == Unpacked::Whole;
            let steps = origin.steps.after(compressed.form());
            self.content(&inner, media, Origin { steps, ..origin });
        }
        self.keep(inner);
    }

    /// Opens what one more step led to.
    pub(super) fn step(&mut self, inner: &[u8], form: Form, origin: Origin<'_>) -> bool {
        if origin.steps.len() >= STEPS {
            self.understood &= is_a_digest(inner);
            return false;
        }
        self.content(inner, None, Origin { steps: origin.steps.after(form), ..origin })
    }

    fn protobuf(&mut self, bytes: &[u8], origin: Origin<'_>) {
        let (mut leaves, mut path) = (0, String::new());
        protobuf::walk(bytes, &mut |numbers, field| {
            leaves += 1;
            if leaves > super::sheet::MOST_LEAVES {
                self.understood = false;
                return;
            }
            match field {
                protobuf::Field::Number(_) | protobuf::Field::Eight(_) | protobuf::Field::Four(_) => {
                    let value = field.number();
                    let degrees = self.coordinate_of(field);
                    if self.may_be_number(value) || degrees.is_some() {
                        protobuf_path(origin.path, numbers, &mut path);
                        let origin = Origin { path: &path, ..origin };
                        self.numeric(value, origin);
                        degrees.into_iter().for_each(|degrees| self.near_in_bytes(degrees, origin));
                    }
                }
                protobuf::Field::Bytes(inner) if inner.len() >= 3 => {
                    protobuf_path(origin.path, numbers, &mut path);
                    self.content(inner, None, Origin { path: &path, ..origin });
                }
                protobuf::Field::Bytes(_) => {}
            }
        });
    }

    /// Searches the readable pieces of what is not understood.
    fn strings(&mut self, bytes: &[u8], origin: Origin<'_>) {
        const SHORTEST: usize = 7;
        let mut sheet = self.take(origin.depth);
        let path = sheet.add_path(origin.path);
        sheet.open(path, origin.steps, origin.parent);
        let is_sign = |byte: &u8| (0x20..0x7f).contains(byte);
        let mut rest = bytes;
        while let Some(first) = rest.get(..SHORTEST) {
            // From behind: what ends a string there ends all that begin before it.
            let skipped = match first.iter().rposition(|byte| !is_sign(byte)) {
                Some(end) => end + 1,
                None => {
                    let end = rest.iter().position(|byte| !is_sign(byte)).unwrap_or(rest.len());
                    sheet.text.extend_from_slice(rest.get(..end).unwrap_or_default());
                    sheet.text.push(b'\t');
                    end
                }
            };
            rest = rest.get(skipped..).unwrap_or_default();
        }
        sheet.close();
        self.give(origin.depth, sheet);
    }

    /// Keeps what may be a detail, if it was not found often enough already.
    pub(super) fn found(&mut self, place: Place, detail: u16, form: Vec<Form>, evidence: Evidence) {
        let Some(name) = self.needles.name(detail) else { return };
        if !self.wants(detail, !form.is_empty()) {
            return;
        }
        if let Some(times) = self
            .room
            .times
            .get_mut(usize::from(detail))
            .and_then(|times| times.get_mut(usize::from(!form.is_empty())))
        {
            *times += 1;
        }
        let found = Found { place, in_bytes: false, kind: name.kind, detail: Some(detail), form, evidence };
        self.room.found.push(found);
    }

    /// Whether there is room for one more place; where there is none, that is no search to the end.
    pub(super) fn wants(&mut self, detail: u16, encoded: bool) -> bool {
        let times =
            self.room.times.get(usize::from(detail)).and_then(|times| times.get(usize::from(encoded)));
        let wants = self.room.found.len() < FOUND && times.is_some_and(|times| *times < TIMES);
        self.understood &= wants;
        wants
    }

    /// Keeps the shape of a detail.
    pub(super) fn shape(&mut self, place: Place, kind: DetailKind) {
        if self.shapes == SHAPES || self.room.found.len() >= FOUND {
            self.understood = false;
            return;
        }
        self.shapes += 1;
        let (detail, form, evidence) = (None, Vec::new(), Evidence::Shape);
        self.room.found.push(Found { place, in_bytes: false, kind, detail, form, evidence });
    }

    /// Keeps what was found in bytes.
    pub(super) fn found_in_bytes(
        &mut self,
        detail: u16,
        form: Vec<Form>,
        evidence: Evidence,
        origin: Origin<'_>,
    ) {
        let before = self.room.found.len();
        let sheet = &mut self.room.bytes;
        let path = sheet.add_path(origin.path);
        sheet.open(path, origin.steps, origin.parent);
        sheet.close();
        let start = sheet.leaves.last().map_or(0, |leaf| leaf.start as usize);
        self.found(Place::new(0, start, start), detail, form, evidence);
        if let Some(found) = self.room.found.get_mut(before) {
            found.in_bytes = true;
        }
    }

    pub(super) fn spare(&mut self) -> Vec<u8> {
        let mut spare = self.room.spare.pop().unwrap_or_default();
        spare.clear();
        spare
    }

    pub(super) fn keep(&mut self, mut spare: Vec<u8>) {
        if self.room.spare.len() < DEPTHS && spare.capacity() <= OUTPUT {
            self.room.spare.push(spare);
        } else {
            spare.zeroize();
        }
    }

    pub(super) fn take(&mut self, depth: usize) -> super::sheet::Sheet {
        self.room.sheets.get_mut(depth).map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn give(&mut self, depth: usize, sheet: super::sheet::Sheet) {
        if let Some(place) = self.room.sheets.get_mut(depth) {
            *place = sheet;
        }
    }
}

/// The value of a pair that is JSON has its escapes undone.
pub(super) fn json_value(sheet: &mut super::sheet::Sheet) {
    let Some(start) = sheet.leaves.last().map(|leaf| leaf.value as usize) else { return };
    let value = sheet.text.get(start..).unwrap_or_default();
    if json::looks_like(value) && memchr::memchr(b'\\', value).is_some() {
        let value = value.to_vec();
        sheet.text.truncate(start);
        json::copy(&value, sheet);
    }
}

/// Whether bytes that are not opened are no more than a number, or a digest.
fn is_a_digest(bytes: &[u8]) -> bool {
    let known = || Compressed::of(bytes).is_some() || protobuf::looks_like(bytes);
    bytes.len() <= DIGEST && !is_text(bytes) && !known()
}

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn protobuf_path(around: &str, numbers: &[u32], path: &mut String) {
    path.clear();
    path.push_str(around);
    if !around.is_empty() {
        path.push('.');
    }
    path.push_str("protobuf");
    for number in numbers {
        path.push('.');
        push_number(*number, path);
    }
}

fn push_number(number: u32, path: &mut String) {
    if number >= 10 {
        push_number(number / 10, path);
    }
    path.extend(char::from_digit(number % 10, 10));
}

/// The message of a gRPC frame without compression: <https://grpc.github.io>, "gRPC over HTTP2".
fn grpc(bytes: &[u8]) -> Option<&[u8]> {
    let (head, message) = bytes.split_first_chunk()?;
    let [0, a, b, c, d] = *head else { return None };
    (u32::from_be_bytes([a, b, c, d]) as usize == message.len()).then_some(message)
}

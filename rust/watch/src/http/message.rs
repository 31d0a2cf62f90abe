//! The messages of one direction, one after another (RFC 9112).

use super::fields::{Fields, Length};
use super::line::{Line, find_end, without_end};
use super::start::{Start, Target, Trust, may_begin_message, request, status};

/// Cuts a direction into messages. What it holds is one line and what is kept of one head.
#[derive(Debug)]
pub(super) struct Messages {
    state: State,
    line: Line,
    start: Option<Start>,
    fields: Fields,
    /// Whether no line was completed yet.
    fresh: bool,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first line of a message, or bytes that are none: `in_step` where it must be one.
    Start { in_step: bool },
    /// A line of a head.
    Field,
    /// A body, or a chunk of one, of so many bytes more.
    Body { left: u64, chunk: bool },
    /// A body that ends with the connection.
    Rest,
    /// The line before a chunk.
    ChunkSize,
    /// The line end after a chunk.
    ChunkEnd,
    /// A line after the last chunk.
    Trailer,
}

/// How a body ends (RFC 9112 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// After so many bytes.
    After(u64),
    /// With the last chunk.
    Chunked,
    /// With the connection.
    Closing,
    /// Nobody knows.
    Unknown,
}

/// What messages are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Requests,
    Replies,
    Either,
}

/// Bytes that were taken in.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// How many. Those of a line are told when it ends.
    pub(super) bytes: u64,
    pub(super) of: Part,
    /// Whether a head ended with them, and whether all of it was there: it is here until
    /// [`Messages::pass_head`], and its body to be begun by [`Messages::begin_body`].
    pub(super) head: Option<bool>,
}

/// What bytes are part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// A head, or trailers.
    Head,
    /// A body.
    Body,
    /// Chunk sizes, empty lines between messages.
    Framing,
    /// Nothing that is understood.
    #[default]
    Stray,
}

impl Messages {
    /// At the beginning of a connection. `longest` bytes of a line are kept.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            state: State::Start { in_step: true },
            line: Line::new(longest),
            start: None,
            fields: Fields::default(),
            fresh: true,
        }
    }

    /// Whether nothing but empty lines has come.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// The first line of the message whose head is being read.
    pub(super) fn begun(&self) -> Option<&Start> {
        self.start.as_ref()
    }

    /// Whether a message has ended and no other has begun.
    pub(super) fn is_between(&self) -> bool {
        self.state == State::Start { in_step: true } && self.line.is_empty()
    }

    /// Whether no message is being read, or none that is known.
    pub(super) fn is_outside(&self) -> bool {
        matches!(self.state, State::Start { .. }) && self.line.is_empty()
    }

    /// Whether the message that is being read is whole when no more comes.
    pub(super) fn ends_with_connection(&self) -> bool {
        self.state == State::Rest
    }

    /// Reads from the front of `rest`, at least one byte, and at most to the end of a head or a body. Where method
    /// and path of a request are not `kept`, they need not be read.
    pub(super) fn read(&mut self, rest: &mut &[u8], expected: Expected, kept: bool) -> Read {
        match self.state {
            State::Body { left, chunk } => {
                let len = (rest.len() as u64).min(left);
                skip(rest, len);
                self.body_came(left - len, chunk);
                Read { bytes: len, of: Part::Body, head: None }
            }
            State::Rest => {
                let bytes = rest.len() as u64;
                *rest = &[];
                Read { bytes, of: Part::Body, head: None }
            }
            State::Start { .. } | State::Field | State::ChunkSize | State::ChunkEnd | State::Trailer => {
                self.read_lines(rest, expected, kept)
            }
        }
    }

    /// What follows the head that was read. A head is followed by the next message until this says else.
    pub(super) fn begin_body(&mut self, ends: Ends) {
        self.state = match ends {
            Ends::After(0) => State::Start { in_step: true },
            Ends::After(left) => State::Body { left, chunk: false },
            Ends::Chunked => State::ChunkSize,
            Ends::Closing => State::Rest,
            Ends::Unknown => State::Start { in_step: false },
        };
    }

    /// So many bytes are missing, 0 where nobody knows. Gives what was held back, and whether it is known
    /// what follows.
    pub(super) fn miss(&mut self, bytes: u64) -> (Read, bool) {
        match self.state {
            State::Body { left, chunk } if (1..=left).contains(&bytes) => {
                self.body_came(left - bytes, chunk);
                (Read::default(), true)
            }
            State::Rest => (Read::default(), true),
            State::Start { .. }
            | State::Field
            | State::Body { .. }
            | State::ChunkSize
            | State::ChunkEnd
            | State::Trailer => (self.finish(), false),
        }
    }

    /// No more come, or not from here. Gives what was held back.
    pub(super) fn finish(&mut self) -> Read {
        if self.state == State::Field && self.line.is_complete() {
            self.fields.add_line(self.line.content());
        }
        let (bytes, of) = (self.line.take_len(), self.state.part());
        self.next(State::Start { in_step: false });
        self.fresh = false;
        Read { bytes, of, head: self.start.is_some().then_some(false) }
    }

    /// Reads a line, and those after it that are whole and part of the same.
    fn read_lines(&mut self, rest: &mut &[u8], expected: Expected, kept: bool) -> Read {
        if self.line.is_empty()
            && let Some(read) = self.read_in_place(rest)
        {
            return read;
        }
        let mut bytes = 0;
        loop {
            bytes += self.read_fields(rest);
            if bytes > 0 && find_end(rest).is_none() {
                return Read { bytes, of: Part::Head, head: None };
            }
            if self.line.is_complete() {
                self.next_line(rest.first().copied());
            }
            self.line.take(rest);
            if !self.line.is_complete() {
                return Read::default();
            }
            bytes += self.line.take_len();
            let (of, head) = self.end_line(expected, kept);
            // The first line of a message and its fields are parts of the same.
            if head.is_some() || self.state != State::Field {
                return Read { bytes, of, head };
            }
        }
    }

    /// Takes fields in that are whole, and known to be by the byte that follows (RFC 9112 5.2).
    fn read_fields(&mut self, rest: &mut &[u8]) -> u64 {
        let mut bytes = 0;
        while self.state == State::Field
            && (self.line.is_complete() || self.line.is_empty())
            && let Some((line, after)) = find_end(rest).and_then(|end| rest.split_at_checked(end + 1))
            && self.line.has_room_for(line)
            && blank_line(line).is_none()
        {
            if self.line.is_complete() && is_folded(line) {
                self.line.fold();
                self.line.take(rest);
                bytes += self.line.take_len();
                continue;
            }
            if is_folded(line) || after.is_empty() || is_folded(after) {
                break;
            }
            if self.line.is_complete() {
                self.fields.add_line(self.line.content());
                self.line.clear();
            }
            self.fields.add_line(without_end(line));
            bytes += line.len() as u64;
            *rest = after;
        }
        bytes
    }

    /// A field's line is kept until the next one's first byte tells whether it goes on (RFC 9112 5.2).
    fn next_line(&mut self, first: Option<u8>) {
        if first.is_some_and(is_blank) {
            return self.line.fold();
        }
        self.fields.add_line(self.line.content());
        self.line.clear();
    }

    fn end_line(&mut self, expected: Expected, kept: bool) -> (Part, Option<bool>) {
        let of = self.state.part();
        match (self.state, self.line.is_blank()) {
            (State::Field, false) => return (of, None),
            (State::Field, true) => {
                self.next(State::Start { in_step: true });
                return (of, self.start.is_some().then_some(true));
            }
            (State::Trailer, false) => self.next(State::Trailer),
            (State::Trailer, true) => {
                self.next(State::Start { in_step: true });
                return (Part::Framing, None);
            }
            (State::ChunkEnd, true) => self.next(State::ChunkSize),
            (State::ChunkSize, _) => {
                let Some(left) = chunk_size(self.line.content()) else {
                    return self.end_first_line(expected, kept);
                };
                // An extension may say anything.
                let of = if self.line.content().contains(&b';') { Part::Stray } else { of };
                self.next(if left == 0 { State::Trailer } else { State::Body { left, chunk: true } });
                return (of, None);
            }
            _ => return self.end_first_line(expected, kept),
        }
        (of, None)
    }

    fn next(&mut self, state: State) {
        self.line.clear();
        self.state = state;
    }

    /// The line begins a message, or is nothing.
    fn end_first_line(&mut self, expected: Expected, kept: bool) -> (Part, Option<bool>) {
        if self.line.is_blank() {
            self.line.clear();
            return (Part::Framing, None);
        }
        let in_step = self.state == State::Start { in_step: true };
        let trust = Trust { in_step, first: self.fresh, cut: self.line.is_cut(), kept };
        let line = self.line.content();
        let start = match expected {
            Expected::Requests => request(line, trust).map(Start::Request),
            Expected::Replies => status(line).map(Start::Status),
            Expected::Either => {
                status(line).map(Start::Status).or_else(|| request(line, trust).map(Start::Request))
            }
        };
        self.fresh = false;
        self.next(State::Start { in_step: false });
        match start {
            None => (Part::Stray, None),
            Some(start) => {
                let simple = matches!(start, Start::Request(Target { simple: true, .. }));
                self.start = Some(start);
                if !simple {
                    self.state = State::Field;
                }
                (Part::Head, simple.then_some(false))
            }
        }
    }

    /// The request whose head ended.
    pub(super) fn request(&self) -> Option<(&Target, &Fields)> {
        match &self.start {
            Some(Start::Request(target)) => Some((target, &self.fields)),
            Some(Start::Status(_)) | None => None,
        }
    }

    /// The fields of the head that ended.
    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The same as [`Self::request`], for good.
    pub(super) fn take_request(&mut self) -> Option<(Target, Fields)> {
        match self.start.take() {
            Some(Start::Request(target)) => Some((target, std::mem::take(&mut self.fields))),
            Some(Start::Status(_)) | None => None,
        }
    }

    /// Nothing more is to be known of the head that ended.
    pub(super) fn pass_head(&mut self) {
        self.start = None;
        self.fields.clear();
    }

    /// Lines that are here whole and say little: what [`Self::end_line`] does, many times as fast where there is
    /// little else.
    fn read_in_place(&mut self, rest: &mut &[u8]) -> Option<Read> {
        let (of, bytes) = match self.state {
            State::Start { .. } if blank_line(rest).is_some() => (Part::Framing, blank_lines(rest)),
            State::Start { in_step: false } if !self.fresh => {
                (Part::Stray, self.whole_lines(rest, |line| !may_begin_message(line)))
            }
            State::Trailer => (Part::Head, self.whole_lines(rest, |_| true)),
            State::ChunkSize => (Part::Framing, self.short_size(rest)?),
            State::ChunkEnd => {
                let end = blank_line(rest)?;
                self.state = State::ChunkSize;
                // The next size may be there as well.
                (Part::Framing, end + self.short_size(rest.get(end..)?).unwrap_or(0))
            }
            State::Start { .. } | State::Field | State::Body { .. } | State::Rest => return None,
        };
        skip(rest, bytes as u64);
        (bytes > 0).then_some(Read { bytes: bytes as u64, of, head: None })
    }

    /// How many bytes the lines have that are like this, whole, not empty, and short enough to be kept.
    fn whole_lines(&self, rest: &[u8], is_alike: impl Fn(&[u8]) -> bool) -> usize {
        let mut bytes = 0;
        while let Some(after) = rest.get(bytes..)
            && let Some(line) = find_end(after).and_then(|end| after.get(..=end))
            && self.line.has_room_for(line)
            && blank_line(line).is_none()
            && is_alike(line)
        {
            bytes += line.len();
        }
        bytes
    }

    /// Takes in the size of a chunk, if it is a short number alone. Gives the length of its line.
    fn short_size(&mut self, rest: &[u8]) -> Option<usize> {
        let digits = rest.iter().take(SHORT_SIZE).take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (size, after) = rest.split_at_checked(digits)?;
        let left = size.iter().fold(0, |sum, digit| sum << 4 | u64::from(hexadecimal(*digit)));
        let len = digits + blank_line(after)?;
        self.state = match (digits, left) {
            (0, _) => return None,
            (_, 0) => State::Trailer,
            (_, left) => State::Body { left, chunk: true },
        };
        Some(len)
    }

    fn body_came(&mut self, left: u64, chunk: bool) {
        self.state = match (left, chunk) {
            (0, false) => State::Start { in_step: true },
            (0, true) => State::ChunkEnd,
            _ => State::Body { left, chunk },
        };
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        let path = match &self.start {
            Some(Start::Request(target)) => target.path.capacity(),
            _ => 0,
        };
        self.line.held() + self.fields.held() + path
    }
}

impl State {
    /// What a line is part of that is read in this state.
    fn part(self) -> Part {
        match self {
            Self::Field | Self::Trailer => Part::Head,
            Self::ChunkSize | Self::ChunkEnd => Part::Framing,
            Self::Start { .. } | Self::Body { .. } | Self::Rest => Part::Stray,
        }
    }
}

impl Ends {
    /// RFC 9112 6.3, from its third case on.
    pub(super) fn of(fields: &Fields, otherwise: Self) -> Self {
        match fields.length {
            _ if fields.chunked => Self::Chunked,
            _ if fields.coded => Self::Closing,
            Length::Of(length) => Self::After(length),
            Length::Invalid => Self::Unknown,
            Length::Absent => otherwise,
        }
    }
}

/// Digits of a size: chunks are mostly shorter than 16 MiB.
const SHORT_SIZE: usize = 6;

/// Whether what begins so goes on with the line before (RFC 9112 5.2).
fn is_folded(line: &[u8]) -> bool {
    line.first().copied().is_some_and(is_blank)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The length of the empty line at the beginning.
fn blank_line(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        [..] => None,
    }
}

fn blank_lines(bytes: &[u8]) -> usize {
    let mut len = 0;
    while let Some(line) = bytes.get(len..).and_then(blank_line) {
        len += line;
    }
    len
}

/// The value of a digit.
fn hexadecimal(digit: u8) -> u8 {
    (digit & 0x0f) + if digit > b'9' { 9 } else { 0 }
}

/// RFC 9112 7.1; what follows the size is an extension.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let line = line.trim_ascii();
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (digits, after) = line.split_at_checked(end)?;
    if !after.first().is_none_or(|byte| matches!(byte, b';' | b' ' | b'\t')) {
        return None;
    }
    u64::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

fn skip(rest: &mut &[u8], len: u64) {
    let len = usize::try_from(len).unwrap_or(rest.len());
    *rest = rest.get(len..).unwrap_or_default();
}

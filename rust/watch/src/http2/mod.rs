//! HTTP/2 in clear (RFC 9113): by prior knowledge, or after an HTTP/1.1 upgrade (RFC 7540 3.2).
//!
//! Coverage of what is sent:
//! - preface, headers of frames, padding, and frames about the connection are framing: handshake;
//! - field blocks are content, searched as long as they can be decoded, else opaque;
//! - DATA is content, searched where it is text without any coding, as in [`crate::http`], else opaque; that
//!   of a CONNECT is opaque;
//! - frames of unknown types are opaque, and all that follows a gap that hides where frames begin.

mod frame;
mod hpack;
mod streams;

use frame::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, Frames, HEADER, HEADERS, PREFACE, PUSH_PROMISE, Part,
    RST_STREAM, Read, SETTINGS,
};
use hpack::{Bounds, Decoder};
use streams::Streams;
use telltale_model::{Application, Class, Direction, Facts, Request};

use crate::http::{Fields, LONGEST_PATH, Target, host as host_of, text};
use crate::reader::Reader;
use crate::session::{Likeness, Step};

/// A connection.
#[derive(Debug)]
pub(crate) struct Http2 {
    sent: Side,
    received: Side,
    /// Which direction the requests go: that of the preface.
    client: Direction,
    /// Whether stream 1 is still to be opened, by the request of an upgrade.
    upgraded: bool,
    streams: Streams,
    /// The request in progress.
    asking: Asking,
    /// The status of the answer in progress.
    status: Option<u16>,
}

/// One direction.
#[derive(Debug)]
struct Side {
    frames: Frames,
    fields: Decoder,
    /// The field block in progress: the frame that began it.
    block: Option<Frame>,
}

/// What is known of a request whose field block is being read.
#[derive(Debug, Default)]
struct Asking {
    target: Target,
    fields: Fields,
}

impl Http2 {
    /// A connection that begins with the client's preface: the first thing at all, or after `101 Switching
    /// Protocols`, and then the request that was answered so is stream 1 (RFC 7540 3.2).
    pub(crate) fn new(upgraded: bool) -> Self {
        Self {
            sent: Side::new(ASKED_FIELDS),
            received: Side::new(ANSWERED_FIELDS),
            client: Direction::Sent,
            upgraded,
            streams: Streams::default(),
            asking: Asking::default(),
            status: None,
        }
    }

    /// See [`crate::session`].
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], facts: &mut Facts) -> Step {
        facts.application = Some(Application::Http2);
        if std::mem::take(&mut self.upgraded) {
            self.open_first(facts);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let read = self.side(direction).frames.read(&mut rest);
            self.took(direction, read, facts);
        }
        Step::On
    }

    /// See [`crate::session`].
    pub(crate) fn miss(&mut self, direction: Direction, bytes: u64, facts: &mut Facts) {
        let side = self.side(direction);
        let missed = side.frames.miss(bytes);
        if missed.is_none_or(|(frame, _)| frame.is_block()) {
            side.fields.give_up();
        }
        if let Some((frame, true)) = missed {
            self.end_frame(direction, frame, facts);
        }
    }

    /// See [`crate::session`]: nothing is held back.
    pub(crate) fn end(&mut self, _facts: &mut Facts) {}

    /// The answer of the upgrade is not the last one that its request gets.
    fn open_first(&mut self, facts: &Facts) {
        let place = facts.requests.iter().rposition(|request| request.status == Some(101));
        self.streams.open(1, place, Class::Opaque);
        self.streams.end(1, true);
    }

    fn took(&mut self, direction: Direction, read: Read<'_>, facts: &mut Facts) {
        let Read { bytes, of, frame, begins, ends } = read;
        if begins {
            self.begin_frame(direction, frame);
        }
        let len = bytes.len();
        match of {
            Part::Preface => {
                self.client = direction;
                count(direction, None, len, facts);
            }
            Part::Framing => count(direction, None, len, facts),
            Part::Block => self.block(direction, bytes, facts),
            Part::Data => self.data(direction, frame.stream, len, facts),
            Part::Stray => count(direction, Some(Class::Opaque), len, facts),
        }
        if ends {
            self.end_frame(direction, frame, facts);
        }
    }

    /// RFC 9113 4.3: nothing stands between the frames of a field block.
    fn begin_frame(&mut self, direction: Direction, frame: Frame) {
        let is_client = self.is_client(direction);
        let side = self.side(direction);
        let goes_on = frame.kind == CONTINUATION;
        match side.block {
            Some(block) if goes_on && block.stream == frame.stream => return,
            None if !goes_on => {}
            _ => side.fields.give_up(),
        }
        side.block = (frame.is_block() && !goes_on).then_some(frame);
        if side.block.is_some() && is_client {
            self.asking = Asking::default();
        } else if side.block.is_some() {
            self.status = None;
        }
    }

    /// Decodes bytes of a field block.
    fn block(&mut self, direction: Direction, bytes: &[u8], facts: &mut Facts) {
        let is_client = self.is_client(direction);
        let (asking, status) = (&mut self.asking, &mut self.status);
        let fields = match direction {
            Direction::Sent => &mut self.sent.fields,
            Direction::Received => &mut self.received.fields,
        };
        let decoded = fields.decode(bytes, |name, value| {
            if is_client {
                asking.add(name, value);
            } else if name == b":status" {
                *status = str::from_utf8(value).ok().and_then(|status| status.parse().ok());
            }
        });
        count(direction, Some(Class::Searched), decoded, facts);
        count(direction, Some(Class::Opaque), bytes.len() - decoded, facts);
    }

    fn data(&mut self, direction: Direction, stream: u32, len: usize, facts: &mut Facts) {
        let stream = self.streams.get(stream);
        let class = if self.is_client(direction) { stream.map(|stream| stream.class) } else { None };
        count(direction, Some(class.unwrap_or(Class::Opaque)), len, facts);
        if self.is_client(direction)
            && let Some(request) = request_at(stream.and_then(|stream| stream.place), facts)
        {
            request.body = request.body.saturating_add(len as u64);
        }
    }

    fn end_frame(&mut self, direction: Direction, frame: Frame, facts: &mut Facts) {
        match frame.kind {
            DATA if frame.has(END_STREAM) => self.streams.end(frame.stream, self.is_client(direction)),
            RST_STREAM => self.streams.reset(frame.stream),
            HEADERS | PUSH_PROMISE | CONTINUATION if frame.has(END_HEADERS) => {
                self.end_block(direction, facts)
            }
            _ => {}
        }
    }

    fn end_block(&mut self, direction: Direction, facts: &mut Facts) {
        let is_client = self.is_client(direction);
        let side = self.side(direction);
        let Some(block) = side.block.take() else { return };
        // What a server promises was not asked for by the app.
        if !side.fields.end_block() || block.kind == PUSH_PROMISE {
            return;
        }
        if is_client {
            self.request(block.stream, facts);
        } else {
            self.reply(block.stream, facts);
        }
        if block.has(END_STREAM) {
            self.streams.end(block.stream, is_client);
        }
    }

    /// A request, or the trailers of one.
    fn request(&mut self, stream: u32, facts: &mut Facts) {
        if !self.streams.is_new(stream) {
            return;
        }
        let Asking { target, fields } = std::mem::take(&mut self.asking);
        let class = if target.method == "CONNECT" { Class::Opaque } else { fields.class() };
        let place = fields.into_request(target, facts);
        self.streams.open(stream, place, class);
    }

    /// An answer, unless it is a provisional one or trailers.
    fn reply(&mut self, stream: u32, facts: &mut Facts) {
        let Some(status) = self.status.take().filter(|status| *status >= 200) else { return };
        let place = self.streams.get(stream).and_then(|stream| stream.place);
        if let Some(request) = request_at(place, facts) {
            request.status = Some(status);
        }
    }

    fn is_client(&self, direction: Direction) -> bool {
        direction == self.client
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }

    /// Bytes of memory behind it.
    pub(crate) fn held(&self) -> usize {
        let asking = self.asking.fields.held() + self.asking.target.path.capacity();
        self.sent.fields.held() + self.received.fields.held() + asking + self.streams.held()
    }
}

impl Side {
    fn new(bounds: Bounds) -> Self {
        Self { frames: Frames::new(), fields: Decoder::new(bounds), block: None }
    }
}

impl Asking {
    /// RFC 9113 8.3.1. Of each pseudo-field there is one; more are an error, and the first is kept.
    fn add(&mut self, name: &[u8], value: &[u8]) {
        let Target { method, host, path, .. } = &mut self.target;
        match name {
            b":method" if method.is_empty() => *method = text(value, LONGEST_METHOD),
            b":authority" if host.is_none() => *host = host_of(value),
            b":path" if path.is_empty() => *path = text(value, LONGEST_PATH),
            [b':', ..] => {}
            _ => self.fields.add(name, value),
        }
    }
}

/// Whether a client that begins so speaks HTTP/2.
pub(crate) fn looks_like(bytes: &[u8]) -> Likeness {
    match bytes.iter().zip(PREFACE).all(|(byte, expected)| byte == expected) {
        true if bytes.len() >= PREFACE.len() => Likeness::Yes,
        true => Likeness::Maybe,
        false => Likeness::No,
    }
}

/// Whether a server's first bytes are those of HTTP/2: where the client's were not seen. It begins with
/// SETTINGS (RFC 9113 3.4) of stream 0, each six bytes.
pub(crate) fn looks_like_reply(bytes: &[u8]) -> Likeness {
    let mut reader = Reader::new(bytes);
    let Some(len) = reader.u24() else {
        return if bytes.iter().all(|byte| *byte == 0) { Likeness::Maybe } else { Likeness::No };
    };
    let header = [SETTINGS, 0, 0, 0, 0, 0];
    let settings = len % 6 == 0
        && len <= MOST_SETTINGS
        && reader.rest().iter().zip(header).all(|(byte, expected)| *byte == expected);
    match settings {
        true if bytes.len() >= HEADER => Likeness::Yes,
        true => Likeness::Maybe,
        false => Likeness::No,
    }
}

/// Bytes of the settings that a server begins with: some seven are known to anyone.
const MOST_SETTINGS: u32 = 32 * 6;

/// What is kept of the client's fields. Servers take a table of 4,096 bytes unless they say else.
const ASKED_FIELDS: Bounds = Bounds { table: 4_096, name: 64, value: 2_048 };

/// Of the server's fields the status is all that matters.
const ANSWERED_FIELDS: Bounds = Bounds { table: 2_048, name: 16, value: 16 };

/// Longer methods than `UPDATEREDIRECTREF` are not registered.
const LONGEST_METHOD: usize = 32;

fn count(direction: Direction, content: Option<Class>, bytes: usize, facts: &mut Facts) {
    match (direction, content) {
        (Direction::Received, _) => {}
        (Direction::Sent, Some(class)) => facts.count_content(class, bytes),
        (Direction::Sent, None) => facts.count_handshake(bytes),
    }
}

fn request_at(place: Option<u8>, facts: &mut Facts) -> Option<&mut Request> {
    facts.requests.get_mut(usize::from(place?))
}

#[cfg(test)]
mod tests;

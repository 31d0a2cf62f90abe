//! HTTP/2 in clear (RFC 9113): by prior knowledge, or after an HTTP/1.1 upgrade (RFC 7540 3.2).
//!
//! Coverage of what is sent, where no details are looked for, as in [`crate::http`]:
//! - preface, headers of frames, padding, and frames about the connection are framing: handshake;
//! - field blocks are content, searched as long as they can be decoded, else opaque;
//! - DATA is content, searched where it is text without any coding, as in [`crate::http`], else opaque; that
//!   of a CONNECT is opaque;
//! - frames of unknown types are opaque, and all that follows a gap that hides where frames begin.

mod frame;
pub(crate) mod hpack;
mod streams;

use frame::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, Frames, HEADER, HEADERS, PREFACE, PUSH_PROMISE, Part,
    RST_STREAM, Read, SETTINGS,
};
use hpack::{Bounds, Decoder};
use streams::Streams;
use telltale_model::{Application, Class, Direction};

use crate::http::section::{self, Asked, Asking, LONGEST_NAME, LONGEST_VALUE};
use crate::page::{Kind, Page};
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
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        page.facts.application = Some(Application::Http2);
        if std::mem::take(&mut self.upgraded) {
            self.open_first(page);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let read = self.side(direction).frames.read(&mut rest);
            self.took(direction, read, page);
        }
        Step::On
    }

    /// See [`crate::session`].
    pub(crate) fn miss(&mut self, direction: Direction, bytes: u64, page: &mut Page) {
        let side = self.side(direction);
        let missed = side.frames.miss(bytes);
        match missed {
            _ if direction == Direction::Received => {}
            Some((frame, _)) => page.tear(frame.stream),
            None => page.close_all(),
        }
        let side = self.side(direction);
        if missed.is_none_or(|(frame, _)| frame.is_block()) {
            side.fields.give_up();
        }
        if let Some((frame, true)) = missed {
            self.end_frame(direction, frame, page);
        }
    }

    /// See [`crate::session`]: nothing is held back.
    pub(crate) fn end(&mut self, _page: &mut Page) {}

    /// The answer of the upgrade is not the last one that its request gets.
    fn open_first(&mut self, page: &Page) {
        let place = page.facts.requests.iter().rposition(|request| request.status == Some(101));
        let place = place.and_then(|place| u8::try_from(place).ok());
        let _first = self.streams.open(1, place, Class::Opaque);
        self.streams.end(1, true);
    }

    fn took(&mut self, direction: Direction, read: Read<'_>, page: &mut Page) {
        let Read { bytes, of, frame, begins, ends } = read;
        let len = bytes.len();
        match of {
            Part::Preface => {
                self.client = direction;
                count(direction, None, len, page);
            }
            Part::Framing => count(direction, None, len, page),
            Part::Block => self.block(direction, bytes, page),
            Part::Data => self.data(direction, frame.stream, bytes, page),
            Part::Stray => count(direction, Some(Class::Opaque), len, page),
        }
        if begins {
            self.begin_frame(direction, frame, page);
        }
        if ends {
            self.end_frame(direction, frame, page);
        }
    }

    /// RFC 9113 4.3: nothing stands between the frames of a field block.
    fn begin_frame(&mut self, direction: Direction, frame: Frame, page: &mut Page) {
        let is_client = self.is_client(direction);
        let side = self.side(direction);
        let goes_on = frame.kind == CONTINUATION;
        match side.block {
            Some(block) if goes_on && block.stream == frame.stream => return,
            None if !goes_on => {}
            _ => side.fields.give_up(),
        }
        side.block = (frame.is_block() && !goes_on).then_some(frame);
        if side.block.is_some() && direction == Direction::Sent && page.is_searching() {
            page.begin(frame.stream, Kind::Head(section::divide));
        }
        if side.block.is_some() && is_client {
            self.asking.begin(page);
        } else if side.block.is_some() {
            self.status = None;
        }
    }

    /// Decodes bytes of a field block.
    fn block(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) {
        let is_client = self.is_client(direction);
        // Frames of another stream cannot stand between (RFC 9113 4.3); what follows them is not decoded.
        let block = self.side(direction).block.map(|block| block.stream);
        let sheet = block.filter(|_| direction == Direction::Sent && page.is_searching());
        let (asking, status) = (&mut self.asking, &mut self.status);
        let fields = match direction {
            Direction::Sent => &mut self.sent.fields,
            Direction::Received => &mut self.received.fields,
        };
        let decoded = fields.decode(bytes, |name, value| {
            if let Some(sheet) = sheet {
                section::say(name, value, sheet, page);
            }
            if is_client {
                asking.add(name, value);
            } else {
                *status = section::status(name, value).or(*status);
            }
        });
        match sheet {
            Some(sheet) => page.count(sheet, Class::Searched, decoded),
            None => count(direction, Some(Class::Searched), decoded, page),
        }
        count(direction, Some(Class::Opaque), bytes.len() - decoded, page);
    }

    fn data(&mut self, direction: Direction, number: u32, bytes: &[u8], page: &mut Page) {
        let stream = self.streams.get(number);
        let class = if self.is_client(direction) { stream.map(|stream| stream.class) } else { None };
        if direction == Direction::Sent {
            page.write(number, class.unwrap_or(Class::Opaque), bytes);
        }
        if self.is_client(direction) {
            section::add_body(stream.and_then(|stream| stream.place), bytes.len(), page);
        }
    }

    fn end_frame(&mut self, direction: Direction, frame: Frame, page: &mut Page) {
        match frame.kind {
            DATA if frame.has(END_STREAM) => {
                section::end_of_sent(direction, frame.stream, page);
                self.streams.end(frame.stream, self.is_client(direction));
            }
            RST_STREAM => {
                page.close(frame.stream);
                self.streams.reset(frame.stream);
            }
            HEADERS | PUSH_PROMISE | CONTINUATION if frame.has(END_HEADERS) => {
                self.end_block(direction, page)
            }
            _ => {}
        }
    }

    fn end_block(&mut self, direction: Direction, page: &mut Page) {
        let is_client = self.is_client(direction);
        let side = self.side(direction);
        let Some(block) = side.block.take() else { return };
        // What a server promises was not asked for by the app.
        if !side.fields.end_block() || block.kind == PUSH_PROMISE {
            if direction == Direction::Sent {
                page.tear(block.stream);
                page.close(block.stream);
            }
            return;
        }
        if is_client {
            self.request(direction, block.stream, page);
        } else {
            self.reply(block.stream, page);
            if direction == Direction::Sent {
                page.end(block.stream);
            }
        }
        if block.has(END_STREAM) {
            section::end_of_sent(direction, block.stream, page);
            self.streams.end(block.stream, is_client);
        }
    }

    /// A request, or the trailers of one.
    fn request(&mut self, direction: Direction, stream: u32, page: &mut Page) {
        if !self.streams.is_new(stream) {
            return;
        }
        let Asked { place, class } = self.asking.ask(direction, stream, page);
        if let Some(forgotten) = self.streams.open(stream, place, class) {
            page.close(forgotten);
        }
    }

    /// An answer, unless it is a provisional one or trailers.
    fn reply(&mut self, stream: u32, page: &mut Page) {
        let Some(status) = self.status.take().filter(section::is_final) else { return };
        let place = self.streams.get(stream).and_then(|stream| stream.place);
        if let Some(request) = section::request_at(place, page) {
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
        self.sent.fields.held() + self.received.fields.held() + self.asking.held() + self.streams.held()
    }
}

impl Side {
    fn new(bounds: Bounds) -> Self {
        Self { frames: Frames::new(), fields: Decoder::new(bounds), block: None }
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
const ASKED_FIELDS: Bounds = Bounds { table: 4_096, name: LONGEST_NAME, value: LONGEST_VALUE };

/// Of the server's fields the status is all that matters.
const ANSWERED_FIELDS: Bounds = Bounds { table: 2_048, name: 16, value: 16 };

fn count(direction: Direction, content: Option<Class>, bytes: usize, page: &mut Page) {
    match (direction, content) {
        (Direction::Received, _) => {}
        (Direction::Sent, Some(class)) => page.facts.count_content(class, bytes),
        (Direction::Sent, None) => page.facts.count_handshake(bytes),
    }
}

#[cfg(test)]
mod tests;

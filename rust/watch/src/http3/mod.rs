//! HTTP/3 (RFC 9114), on the streams of a QUIC connection that was opened with its keys.
//!
//! Coverage of what is sent:
//! - headers of frames, types of streams, the control stream and the decoder's are framing: handshake;
//! - field sections and what the encoder's stream inserts are content, searched as far as they can be decoded, else
//!   opaque;
//! - DATA is content, searched where it is text without any coding, as in [`crate::http`], else opaque; that
//!   of a CONNECT is opaque;
//! - frames and streams of unknown types are opaque, and all of a stream that follows a gap.

mod frame;
mod qpack;
mod streams;

use telltale_model::{Application, Class, Direction};

use crate::http::section::{self, Asked, Asking};
use crate::page::{Kind, Page};
use crate::reader::Reader;
use frame::Read;
pub(crate) use frame::varint;
use qpack::{Decoded, Decoder};
use streams::{Purpose, Streams};

/// A connection. The client's is the direction that is sent.
#[derive(Debug, Default)]
pub(crate) struct Http3 {
    streams: Streams,
    /// Of the field sections that are sent.
    sent: Decoder,
    received: Decoder,
    /// Field sections that need insertions which have not come.
    blocked: Vec<Blocked>,
    blocked_bytes: usize,
}

/// A field section that cannot be decoded yet (RFC 9204 2.1.2).
#[derive(Debug)]
struct Blocked {
    direction: Direction,
    stream: u64,
    section: Vec<u8>,
    required: u64,
}

/// RFC 9114 7.2.
const DATA: u64 = 0;
const HEADERS: u64 = 1;
const SETTINGS: u64 = 4;

/// RFC 9204 5.
const MAX_TABLE_CAPACITY: u64 = 1;

/// Bytes of a field section that are held until it is whole, and of all that wait for insertions.
const SECTION: usize = 16 * 1_024;
const BLOCKED: usize = 16 * 1_024;

impl Http3 {
    /// The next bytes of a stream, in order.
    pub(crate) fn take(&mut self, direction: Direction, number: u64, bytes: &[u8], page: &mut Page) {
        page.facts.application = Some(Application::Http3);
        self.make_room(number, page);
        let mut rest = bytes;
        if self.streams.get(number).side(direction).lost {
            return count(direction, Class::Opaque, rest.len(), page);
        }
        // RFC 9000 2.1: of the client, both ways; the second bit says that there is one way only.
        match number & 3 {
            0 => self.frames(direction, number, rest, page),
            2 | 3 => {
                let Some(purpose) = self.purpose(direction, number, &mut rest, page) else { return };
                self.one_way(direction, number, purpose, rest, page);
            }
            _ => count(direction, Class::Opaque, rest.len(), page),
        }
    }

    /// Bytes of a stream are missing: what follows there cannot be understood.
    pub(crate) fn miss(&mut self, direction: Direction, number: u64, page: &mut Page) {
        self.make_room(number, page);
        let side = self.streams.get(number).side(direction);
        side.lost = true;
        let (held, purpose) = (side.give_up(), side.purpose);
        count(direction, Class::Opaque, held, page);
        if direction == Direction::Sent {
            page.tear(sheet(number));
        }
        // Of a stream whose type is not known it may have been the encoder's.
        if number & 2 != 0 && purpose.is_none_or(|purpose| purpose == Purpose::Encoder) {
            let left = self.decoder(direction).give_up();
            count(direction, Class::Opaque, left, page);
            self.unblock(direction, page);
        }
    }

    /// A direction of a stream has ended.
    pub(crate) fn end_stream(&mut self, direction: Direction, number: u64, page: &mut Page) {
        if let Some(stream) = self.streams.known(number) {
            let held = stream.side(direction).give_up();
            count(direction, Class::Opaque, held, page);
        }
        section::end_of_sent(direction, sheet(number), page);
        self.streams.end(number, direction);
    }

    /// No more comes.
    pub(crate) fn end(&mut self, page: &mut Page) {
        for blocked in std::mem::take(&mut self.blocked) {
            count(blocked.direction, Class::Opaque, blocked.section.len(), page);
        }
        let left = self.streams.give_up() + self.sent.give_up();
        count(Direction::Sent, Class::Opaque, left, page);
        page.close_all();
        *self = Self::default();
    }

    /// Bytes of memory behind it.
    pub(crate) fn held(&self) -> usize {
        let blocked = self.blocked_bytes + self.blocked.capacity() * size_of::<Blocked>();
        self.streams.held() + self.sent.held() + self.received.held() + blocked
    }

    fn make_room(&mut self, number: u64, page: &mut Page) {
        if let Some((forgotten, held)) = self.streams.make_room(number) {
            count(Direction::Sent, Class::Opaque, held, page);
            page.close(sheet(forgotten));
        }
    }

    /// What a stream of one way is for, once its first bytes say it.
    fn purpose(
        &mut self,
        direction: Direction,
        number: u64,
        rest: &mut &[u8],
        page: &mut Page,
    ) -> Option<Purpose> {
        let side = self.streams.get(number).side(direction);
        let before = rest.len();
        while side.purpose.is_none()
            && let Some((first, after)) = rest.split_first()
        {
            side.purpose = side.kind.push(*first).map(Purpose::of);
            *rest = after;
        }
        let purpose = side.purpose;
        count_framing(direction, before - rest.len(), page);
        purpose
    }

    fn one_way(
        &mut self,
        direction: Direction,
        number: u64,
        purpose: Purpose,
        bytes: &[u8],
        page: &mut Page,
    ) {
        match purpose {
            Purpose::Control => self.control(direction, number, bytes, page),
            Purpose::Encoder => {
                self.instruct(direction, number, bytes, page);
                self.unblock(direction, page);
            }
            Purpose::Decoder => count_framing(direction, bytes.len(), page),
            Purpose::Other => count(direction, Class::Opaque, bytes.len(), page),
        }
    }

    /// What is inserted is searched as it comes: it may never be used.
    fn instruct(&mut self, direction: Direction, number: u64, bytes: &[u8], page: &mut Page) {
        let sheet = sheet(number);
        let searches = direction == Direction::Sent && page.is_searching();
        if searches {
            page.begin(sheet, Kind::Head(section::divide));
        }
        let instructed = self.decoder(direction).instruct(bytes, |name, value| {
            if searches {
                section::say(name, value, sheet, page);
            }
        });
        if direction == Direction::Sent {
            page.count(sheet, Class::Searched, instructed.read);
            page.end(sheet);
            page.close(sheet);
        }
        count(direction, Class::Opaque, instructed.lost, page);
    }

    /// Of the control stream one setting matters: how large the other side's table may be.
    fn control(&mut self, direction: Direction, number: u64, bytes: &[u8], page: &mut Page) {
        count_framing(direction, bytes.len(), page);
        let mut rest = bytes;
        let side = self.streams.get(number).side(direction);
        let mut allowed = None;
        while let Some(Read { kind, payload, ends }) = side.frames.read(&mut rest) {
            if kind == SETTINGS {
                let room = SECTION - side.section.len();
                side.section.extend(payload.iter().take(room));
            }
            if kind == SETTINGS && ends {
                allowed = max_capacity(&std::mem::take(&mut side.section));
            }
        }
        if let Some(capacity) = allowed {
            self.decoder(direction.reversed()).allow(capacity);
        }
    }

    fn frames(&mut self, direction: Direction, number: u64, bytes: &[u8], page: &mut Page) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let before = rest.len();
            let read = self.streams.get(number).side(direction).frames.read(&mut rest);
            let payload = read.as_ref().map_or(0, |read| read.payload.len());
            count_framing(direction, before - rest.len() - payload, page);
            if let Some(Read { kind, payload, ends }) = read {
                match kind {
                    DATA => self.data(direction, number, payload, page),
                    HEADERS => self.headers(direction, number, payload, ends, page),
                    _ => count(direction, Class::Opaque, payload.len(), page),
                }
            }
        }
    }

    fn data(&mut self, direction: Direction, number: u64, bytes: &[u8], page: &mut Page) {
        let stream = self.streams.get(number);
        let (class, place) = (stream.class, stream.place);
        if direction == Direction::Received {
            return;
        }
        page.write(sheet(number), class, bytes);
        section::add_body(place, bytes.len(), page);
    }

    fn headers(&mut self, direction: Direction, number: u64, payload: &[u8], ends: bool, page: &mut Page) {
        let side = self.streams.get(number).side(direction);
        if side.section.len() + payload.len() > SECTION {
            // The frames after it are still known.
            let held = std::mem::take(&mut side.section).len();
            return count(direction, Class::Opaque, held + payload.len(), page);
        }
        side.section.extend_from_slice(payload);
        if ends {
            let section = std::mem::take(&mut side.section);
            self.section(direction, number, section, page);
        }
    }

    fn section(&mut self, direction: Direction, stream: u64, section: Vec<u8>, page: &mut Page) {
        let mut status = None;
        match direction {
            Direction::Sent => return self.sent_section(stream, section, page),
            Direction::Received => {}
        }
        let decoded = self.received.decode(&section, |name, value| {
            status = section::status(name, value).or(status);
        });
        match decoded {
            Decoded::Blocked(required) => self.block(direction, stream, section, required, page),
            Decoded::Whole => self.reply(stream, status, page),
            Decoded::Broken => {}
        }
    }

    fn sent_section(&mut self, stream: u64, section: Vec<u8>, page: &mut Page) {
        let (mut asking, sheet) = (Asking::default(), sheet(stream));
        let searches = page.is_searching();
        let mut begun = false;
        let decoded = self.sent.decode(&section, |name, value| {
            if searches {
                if !std::mem::replace(&mut begun, true) {
                    page.begin(sheet, Kind::Head(section::divide));
                }
                section::say(name, value, sheet, page);
            }
            asking.add(name, value);
        });
        match decoded {
            Decoded::Blocked(required) => self.block(Direction::Sent, stream, section, required, page),
            Decoded::Whole => {
                page.count(sheet, Class::Searched, section.len());
                self.request(stream, asking, page);
            }
            Decoded::Broken => {
                count(Direction::Sent, Class::Opaque, section.len(), page);
                page.tear(sheet);
            }
        }
    }

    fn block(&mut self, direction: Direction, stream: u64, section: Vec<u8>, required: u64, page: &mut Page) {
        if self.blocked_bytes + section.len() > BLOCKED {
            return count(direction, Class::Opaque, section.len(), page);
        }
        self.blocked_bytes += section.len();
        self.blocked.push(Blocked { direction, stream, section, required });
    }

    /// Decodes what insertions have made decodable.
    fn unblock(&mut self, direction: Direction, page: &mut Page) {
        let decoder = self.decoder(direction);
        let (inserted, broken) = (decoder.inserted(), decoder.is_broken());
        let ready = |blocked: &mut Blocked| {
            blocked.direction == direction && (broken || blocked.required <= inserted)
        };
        let ready: Vec<Blocked> = self.blocked.extract_if(.., ready).collect();
        for Blocked { direction, stream, section, .. } in ready {
            self.blocked_bytes -= section.len();
            self.section(direction, stream, section, page);
        }
    }

    /// A request, or the trailers of one.
    fn request(&mut self, number: u64, mut asking: Asking, page: &mut Page) {
        let stream = self.streams.get(number);
        if std::mem::replace(&mut stream.asked, true) {
            return page.end(sheet(number));
        }
        let Asked { place, class } = asking.ask(Direction::Sent, sheet(number), page);
        (stream.place, stream.class) = (place, class);
        set_status(stream.place, stream.status.take(), page);
    }

    /// An answer, unless it is a provisional one or trailers. It may have come by a shorter way.
    fn reply(&mut self, number: u64, status: Option<u16>, page: &mut Page) {
        let Some(status) = status.filter(section::is_final) else { return };
        let stream = self.streams.get(number);
        if stream.asked {
            set_status(stream.place, Some(status), page);
        } else {
            stream.status = Some(status);
        }
    }

    fn decoder(&mut self, direction: Direction) -> &mut Decoder {
        match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }
}

/// Where what can be read of a stream is collected.
fn sheet(stream: u64) -> u32 {
    u32::try_from(stream).unwrap_or(u32::MAX)
}

/// RFC 9114 7.2.4: pairs of identifier and value. What is not there is 0.
fn max_capacity(settings: &[u8]) -> Option<u64> {
    let mut reader = Reader::new(settings);
    while let (Some(identifier), Some(value)) = (varint(&mut reader), varint(&mut reader)) {
        if identifier == MAX_TABLE_CAPACITY {
            return Some(value);
        }
    }
    Some(0)
}

fn count(direction: Direction, class: Class, bytes: usize, page: &mut Page) {
    if direction == Direction::Sent {
        page.facts.count_content(class, bytes);
    }
}

fn count_framing(direction: Direction, bytes: usize, page: &mut Page) {
    if direction == Direction::Sent {
        page.facts.count_handshake(bytes);
    }
}

fn set_status(place: Option<u8>, status: Option<u16>, page: &mut Page) {
    if let Some(request) = section::request_at(place, page) {
        request.status = status.or(request.status);
    }
}

#[cfg(test)]
mod tests;

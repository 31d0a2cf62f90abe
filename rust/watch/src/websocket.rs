//! WebSocket frames (RFC 6455 5), after an upgrade.
//!
//! Coverage of what is sent: headers and the code of a close are framing: handshake; text without an extension
//! is content, and searched; other content is opaque, that of control frames too (125 bytes hold any detail), and
//! so is all that follows a gap that hides where frames begin.

use telltale_model::{Application, Class, Direction};

use crate::page::{Kind, Page};
use crate::session::Step;

/// A connection. What is received says nothing of what was sent.
#[derive(Debug)]
pub(crate) struct WebSocket {
    state: State,
    /// What continuation frames go on with.
    message: Class,
    /// What hides the payload of the present frame (RFC 6455 5.3), and how much of that has come.
    mask: ([u8; 4], usize),
    /// Whether the present frame is the last of its message.
    last: bool,
    /// What the present frame is.
    opcode: u8,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum State {
    /// The header of a frame: so much of it has come.
    Header([u8; HEADER], usize),
    /// Payload that is counted so, of so many bytes more.
    Payload(Class, u64),
    /// Nobody knows any more where frames begin.
    Lost,
}

impl WebSocket {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Header([0; HEADER], 0),
            message: Class::Opaque,
            mask: ([0; 4], 0),
            last: false,
            opcode: BINARY,
        }
    }

    /// See [`crate::session`].
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        page.facts.application = Some(Application::WebSocket);
        if direction == Direction::Sent {
            let mut rest = bytes;
            while !rest.is_empty() {
                self.advance(&mut rest, page);
            }
        }
        Step::On
    }

    /// See [`crate::session`].
    pub(crate) fn miss(&mut self, direction: Direction, bytes: u64, page: &mut Page) {
        if direction == Direction::Received {
            return;
        }
        page.tear(self.sheet());
        self.mask.1 = self.mask.1.wrapping_add(usize::try_from(bytes).unwrap_or_default());
        self.state = match self.state {
            State::Payload(class, left) if (1..=left).contains(&bytes) => payload(class, left - bytes),
            State::Header(..) | State::Payload(..) | State::Lost => State::Lost,
        };
    }

    /// See [`crate::session`]: nothing is held back.
    pub(crate) fn end(&mut self, _page: &mut Page) {}

    /// Bytes of memory behind it.
    pub(crate) fn held(&self) -> usize {
        0
    }

    fn advance(&mut self, rest: &mut &[u8], page: &mut Page) {
        match self.state {
            State::Header(header, have) => self.header(header, have, rest, page),
            State::Payload(class, left) => {
                let bytes = take(rest, left);
                self.payload(class, bytes, page);
                self.state = payload(class, left - bytes.len() as u64);
                self.end_frame(page);
            }
            State::Lost => page.facts.count_content(Class::Opaque, std::mem::take(rest).len()),
        }
    }

    fn header(&mut self, mut header: [u8; HEADER], have: usize, rest: &mut &[u8], page: &mut Page) {
        let bytes = take(rest, (Frame::header(&header, have) - have) as u64);
        header.iter_mut().skip(have).zip(bytes).for_each(|(place, byte)| *place = *byte);
        let have = have + bytes.len();
        page.facts.count_handshake(bytes.len());
        self.state = match Frame::of(&header, have) {
            None => State::Header(header, have),
            Some(frame) if frame.is_known() => {
                let class = self.class(frame);
                self.begin_frame(frame, page);
                payload(class, frame.len)
            }
            Some(_) => State::Lost,
        };
        if let State::Header(_, 0) = self.state {
            self.end_frame(page);
        }
    }

    /// A message that is compressed is a body with the coding of its own (RFC 7692 7.2.2).
    fn begin_frame(&mut self, frame: Frame, page: &mut Page) {
        // Control frames are never in parts (RFC 6455 5.5).
        (self.opcode, self.last) = (frame.opcode, frame.last || frame.opcode >= CLOSE);
        self.mask = (frame.mask, 0);
        if frame.opcode != CONTINUATION && page.is_searching() {
            let coding = (frame.reserved & COMPRESSED != 0).then(|| "deflate".to_owned());
            let compressed = coding.is_some();
            let kind = if compressed { Kind::Body { media: None, coding } } else { Kind::Message };
            page.begin(self.sheet(), kind);
        }
    }

    fn payload(&mut self, class: Class, bytes: &[u8], page: &mut Page) {
        let (code, bytes) = bytes.split_at_checked(self.code()).unwrap_or((bytes, &[]));
        page.facts.count_handshake(code.len());
        self.mask.1 = self.mask.1.wrapping_add(code.len());
        if page.is_searching() {
            self.write(class, bytes, page);
        } else {
            page.facts.count_content(class, bytes.len());
            self.mask.1 = self.mask.1.wrapping_add(bytes.len());
        }
    }

    /// How many bytes more are of the code that a close begins with (RFC 6455 5.5.1).
    fn code(&self) -> usize {
        const CODE: usize = 2;
        if self.opcode == CLOSE { CODE.saturating_sub(self.mask.1) } else { 0 }
    }

    fn write(&mut self, class: Class, bytes: &[u8], page: &mut Page) {
        let (mask, _) = self.mask;
        let mut clear = [0; 512];
        for piece in bytes.chunks(clear.len()) {
            let masks = mask.iter().cycle().skip(self.mask.1 % mask.len());
            let unmasked = piece.iter().zip(masks).map(|(byte, mask)| byte ^ mask);
            clear.iter_mut().zip(unmasked).for_each(|(place, byte)| *place = byte);
            page.write(self.sheet(), class, clear.get(..piece.len()).unwrap_or_default());
            self.mask.1 = self.mask.1.wrapping_add(piece.len());
        }
    }

    /// Where the frame has ended, and the message with it.
    fn end_frame(&mut self, page: &mut Page) {
        if self.last && matches!(self.state, State::Header(_, 0)) {
            page.end(self.sheet());
            page.close(self.sheet());
        }
    }

    /// A control frame may stand between those of a message (RFC 6455 5.4).
    fn sheet(&self) -> u32 {
        if self.opcode < CLOSE { MESSAGE } else { CONTROL }
    }

    fn class(&mut self, frame: Frame) -> Class {
        match frame.opcode {
            CLOSE.. => Class::Opaque,
            CONTINUATION => self.message,
            opcode => {
                // RSV1: compressed (RFC 7692 6).
                let plain = opcode == TEXT && frame.reserved == 0;
                self.message = if plain { Class::Searched } else { Class::Opaque };
                self.message
            }
        }
    }
}

/// The header of a frame, whole.
#[derive(Clone, Copy)]
struct Frame {
    opcode: u8,
    reserved: u8,
    len: u64,
    last: bool,
    /// Zeroes where there is none.
    mask: [u8; 4],
}

impl Frame {
    /// How long a header is, as far as the first two of `have` bytes of it tell.
    fn header(header: &[u8; HEADER], have: usize) -> usize {
        let [_, second, ..] = header;
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        match second & 0x7f {
            _ if have < 2 => 2,
            126 => 4 + mask,
            127 => 10 + mask,
            _ => 2 + mask,
        }
    }

    /// `None` as long as more of it has to come than `have` bytes.
    fn of(header: &[u8; HEADER], have: usize) -> Option<Self> {
        let [first, second, lengths @ ..] = header;
        let (size, len) = match second & 0x7f {
            126 => (2, number(lengths.get(..2)?)),
            127 => (8, number(lengths.get(..8)?)),
            len => (0, u64::from(len)),
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let whole = have >= 2 && have == Self::header(header, have);
        let mask = lengths.get(size..size + mask)?.first_chunk().copied().unwrap_or_default();
        let last = first & 0x80 != 0;
        whole.then_some(Self { opcode: first & 0x0f, reserved: first & 0x70, len, last, mask })
    }

    /// RFC 6455 5.2, 5.5: others end the connection.
    fn is_known(self) -> bool {
        match self.opcode {
            CONTINUATION | TEXT | BINARY => self.reserved & !COMPRESSED == 0 && self.len >> 63 == 0,
            CLOSE | PING | PONG => self.reserved == 0 && self.len <= 125,
            _ => false,
        }
    }
}

/// The longest header: length of eight bytes, mask of four.
const HEADER: usize = 14;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// RSV1.
const COMPRESSED: u8 = 0x40;

fn payload(class: Class, left: u64) -> State {
    if left == 0 { State::Header([0; HEADER], 0) } else { State::Payload(class, left) }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Takes up to `len` bytes from the front.
fn take<'a>(rest: &mut &'a [u8], len: u64) -> &'a [u8] {
    let len = usize::try_from(len).unwrap_or(usize::MAX).min(rest.len());
    let (taken, after) = rest.split_at_checked(len).unwrap_or_default();
    *rest = after;
    taken
}

/// The sheet of the message in progress, and that of a control frame.
const MESSAGE: u32 = 0;
const CONTROL: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    /// A masked frame.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let length = match payload.len() {
            len @ ..126 => vec![0x80 | u8::try_from(len).unwrap()],
            len => [&[0x80 | 126][..], &u16::try_from(len).unwrap().to_be_bytes()].concat(),
        };
        [&[first][..], &length, &[1, 2, 3, 4], payload].concat()
    }

    /// Handshake, searched and opaque bytes.
    fn counted(bytes: &[u8], piece: usize) -> (u64, u64, u64) {
        let (mut socket, mut page) = (WebSocket::new(), Page::default());
        for piece in bytes.chunks(piece) {
            assert_eq!(socket.take(Direction::Sent, piece, &mut page), Step::On);
            socket.take(Direction::Received, b"\xff\xff", &mut page);
        }
        socket.end(&mut page);
        let coverage = page.facts.coverage;
        assert_eq!(coverage.total(), bytes.len() as u64);
        assert_eq!(page.facts.content_sent, coverage.searched + coverage.opaque);
        (coverage.handshake, coverage.searched, coverage.opaque)
    }

    #[test]
    fn text_is_searched_and_all_else_is_opaque() {
        let long = vec![b'x'; 300];
        let cases = [
            (vec![frame(0x81, b"hello")], (6, 5, 0)),
            (vec![frame(0x82, b"hello")], (6, 0, 5)),
            (vec![frame(0xc1, b"hello")], (6, 0, 5)),
            (vec![frame(0x01, &long), frame(0x89, b"ping"), frame(0x80, b"end")], (8 + 6 + 6, 303, 4)),
            (vec![frame(0x02, b"a"), frame(0x80, b"b"), frame(0x88, b"")], (18, 0, 2)),
            (
                vec![frame(0x88, b"\x03\xe8"), frame(0x88, b"\x03\xe8bye"), frame(0x8a, b"x")],
                (8 + 8 + 6, 0, 4),
            ),
            (vec![frame(0x83, b"hello"), frame(0x81, b"lost")], (6, 0, 15)),
            (vec![frame(0x09, b"in parts")], (6, 0, 8)),
        ];
        for (frames, expected) in cases {
            let bytes = frames.concat();
            for piece in [1, 2, 5, bytes.len()] {
                assert_eq!(counted(&bytes, piece), expected, "{bytes:02x?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_gap_inside_a_payload_hides_nothing() {
        let (mut socket, mut page) = (WebSocket::new(), Page::default());
        socket.take(Direction::Sent, &frame(0x81, b"hello")[..8], &mut page);
        socket.miss(Direction::Sent, 3, &mut page);
        socket.take(Direction::Sent, &frame(0x81, b"you"), &mut page);
        assert_eq!((page.facts.coverage.searched, page.facts.coverage.opaque), (5, 0));
        socket.miss(Direction::Sent, 1, &mut page);
        socket.take(Direction::Sent, &frame(0x81, b"you"), &mut page);
        assert_eq!((page.facts.coverage.searched, page.facts.coverage.opaque), (5, 9));
    }

    #[test]
    fn no_damage_makes_it_panic_or_lose_a_byte() {
        let whole = [frame(0x81, b"hello"), frame(0x02, &[0; 200]), frame(0x80, b"x")].concat();
        for at in 0..whole.len() {
            for byte in [0, 0x7f, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                assert_eq!(counted(&damaged, 1), counted(&damaged, 99));
            }
        }
    }
}

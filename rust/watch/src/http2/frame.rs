//! The frames of one direction (RFC 9113 4, 6), as their bytes come.

use crate::reader::Reader;

/// Cuts a direction into frames. It holds nine bytes.
#[derive(Debug)]
pub(super) struct Frames {
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The beginning: so much of the client's preface has come.
    Preface(usize),
    /// The header of a frame: so much of it has come.
    Header([u8; HEADER], usize),
    /// Its payload.
    Payload(Payload),
    /// Nobody knows any more where frames begin.
    Lost,
}

/// What is left of a frame.
#[derive(Clone, Copy, Debug)]
struct Payload {
    frame: Frame,
    left: u32,
    /// How much of that stands before what matters: padding length, priority, promised stream.
    before: u32,
    /// Whether the length of the padding comes next.
    padded: bool,
    /// Padding at the end.
    padding: u32,
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

/// Bytes that were taken in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) of: Part,
    /// The frame that they are in.
    pub(super) frame: Frame,
    /// Whether it begins with them.
    pub(super) begins: bool,
    /// Whether it ends with them.
    pub(super) ends: bool,
}

/// What bytes are part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The whole of the preface, which ended with them.
    Preface,
    /// Headers of frames, padding, frames about the connection itself.
    Framing,
    /// A field block.
    Block,
    /// Content of a stream.
    Data,
    /// Nothing that is understood.
    Stray,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { state: State::Preface(0) }
    }

    /// Reads from the front of `rest`, which is not empty.
    pub(super) fn read<'a>(&mut self, rest: &mut &'a [u8]) -> Read<'a> {
        match self.state {
            State::Preface(have) => self.preface(have, rest),
            State::Header(header, have) => self.header(header, have, rest),
            State::Payload(payload) => self.payload(payload, rest),
            State::Lost => {
                let bytes = std::mem::take(rest);
                Read { bytes, of: Part::Stray, frame: Frame::default(), begins: false, ends: false }
            }
        }
    }

    /// So many bytes are missing, 0 where nobody knows. Gives the frame that they are part of, and whether
    /// it ends with them; `None` where it is not known any more where frames begin.
    pub(super) fn miss(&mut self, bytes: u64) -> Option<(Frame, bool)> {
        if let State::Payload(mut payload) = self.state
            && let Some(missed) =
                u32::try_from(bytes).ok().filter(|missed| (1..=payload.left).contains(missed))
        {
            payload.left -= missed;
            payload.before = payload.before.saturating_sub(missed);
            payload.padded = false;
            return Some((payload.frame, self.go_on(payload)));
        }
        self.state = State::Lost;
        None
    }

    /// A client may also begin with the preface in the middle, after an upgrade: it is the same there.
    fn preface<'a>(&mut self, have: usize, rest: &mut &'a [u8]) -> Read<'a> {
        let expected = PREFACE.get(have..).unwrap_or_default();
        let same = rest.iter().zip(expected).take_while(|(byte, expected)| byte == expected).count();
        let bytes = cut(rest, same);
        let have = have + same;
        if have == PREFACE.len() {
            self.state = State::Header([0; HEADER], 0);
            return framing(bytes, Part::Preface);
        }
        self.state = State::Preface(have);
        if !rest.is_empty() {
            self.state = match PREFACE.get(..have) {
                // A frame may begin with the same byte.
                Some(begun) if have < HEADER => State::Header(begin(begun), have),
                _ => State::Lost,
            };
        }
        framing(bytes, Part::Framing)
    }

    fn header<'a>(&mut self, mut header: [u8; HEADER], have: usize, rest: &mut &'a [u8]) -> Read<'a> {
        let bytes = cut(rest, HEADER - have);
        for (place, byte) in header.iter_mut().skip(have).zip(bytes) {
            *place = *byte;
        }
        let have = have + bytes.len();
        let Some(payload) = (have == HEADER).then(|| Payload::parse(&header)).flatten() else {
            self.state = State::Header(header, have);
            return framing(bytes, Part::Framing);
        };
        let ends = self.go_on(payload);
        Read { bytes, of: Part::Framing, frame: payload.frame, begins: true, ends }
    }

    fn payload<'a>(&mut self, mut payload: Payload, rest: &mut &'a [u8]) -> Read<'a> {
        let after = payload.left - payload.before;
        let (of, len) = match payload.frame.part() {
            _ if payload.padded => (Part::Framing, 1),
            _ if payload.before > 0 => (Part::Framing, payload.before),
            _ if after <= payload.padding => (Part::Framing, payload.left),
            part @ (Part::Preface | Part::Framing | Part::Block | Part::Data | Part::Stray) => {
                (part, after - payload.padding)
            }
        };
        let bytes = cut(rest, usize::try_from(len).unwrap_or(usize::MAX));
        let taken = u32::try_from(bytes.len()).unwrap_or(len);
        if payload.padded {
            payload.padding = bytes.first().copied().map_or(0, u32::from);
            payload.padded = false;
        }
        payload.left -= taken;
        payload.before = payload.before.saturating_sub(taken);
        let ends = self.go_on(payload);
        Read { bytes, of, frame: payload.frame, begins: false, ends }
    }

    /// Whether the frame has ended.
    fn go_on(&mut self, payload: Payload) -> bool {
        let ends = payload.left == 0;
        self.state = if ends { State::Header([0; HEADER], 0) } else { State::Payload(payload) };
        ends
    }
}

impl Payload {
    fn parse(header: &[u8; HEADER]) -> Option<Self> {
        let mut reader = Reader::new(header);
        let left = reader.u24()?;
        let frame = Frame { kind: reader.u8()?, flags: reader.u8()?, stream: reader.u32()? & 0x7fff_ffff };
        let padded = frame.has(PADDED) && matches!(frame.kind, DATA | HEADERS | PUSH_PROMISE);
        let more = match frame.kind {
            HEADERS if frame.has(PRIORITY) => 5,
            PUSH_PROMISE => 4,
            _ => 0,
        };
        let before = (u32::from(padded) + more).min(left);
        Some(Self { frame, left, before, padded: padded && left > 0, padding: 0 })
    }
}

impl Frame {
    pub(super) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether its payload is a field block, or more of one.
    pub(super) fn is_block(self) -> bool {
        self.part() == Part::Block
    }

    fn part(self) -> Part {
        match self.kind {
            DATA => Part::Data,
            HEADERS | PUSH_PROMISE | CONTINUATION => Part::Block,
            // PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE.
            0x2..=0x8 => Part::Framing,
            _ => Part::Stray,
        }
    }
}

/// RFC 9113 3.4.
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// RFC 9113 4.1.
pub(super) const HEADER: usize = 9;

pub(super) const DATA: u8 = 0x0;
pub(super) const HEADERS: u8 = 0x1;
pub(super) const RST_STREAM: u8 = 0x3;
pub(super) const SETTINGS: u8 = 0x4;
pub(super) const PUSH_PROMISE: u8 = 0x5;
pub(super) const CONTINUATION: u8 = 0x9;

pub(super) const END_STREAM: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

fn framing(bytes: &[u8], of: Part) -> Read<'_> {
    Read { bytes, of, frame: Frame::default(), begins: false, ends: false }
}

/// So many bytes from the front of `rest`, or all.
fn cut<'a>(rest: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (bytes, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
    *rest = after;
    bytes
}

fn begin(bytes: &[u8]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    header
}

//! Cuts one direction of a TLS connection into records (RFC 8446 5.1), and finds them again after a gap.

use crate::reader::Reader;
use crate::session::Likeness;

/// One direction of a connection. Payload is passed over by its length and never looked at.
#[derive(Debug, Default)]
pub(super) struct Records {
    head: Head,
    /// Payload of the record that is still to come.
    left: usize,
    /// Of the record that was read last.
    minor: Option<u8>,
    /// Whether the place of the next header is not known.
    lost: bool,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// The header of a record.
    Header(Header),
    /// Payload of the record whose header came last, all of it or a part.
    Payload(&'a [u8]),
    /// So many bytes that belong to no record.
    Stray(usize),
}

/// The header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Of the payload.
    pub(super) len: usize,
}

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    ChangeCipherSpec,
    Alert,
    Handshake,
    ApplicationData,
    /// RFC 6520.
    Heartbeat,
}

/// Whether these are the first bytes of TLS, from either side; `torn` says that bytes lack before them. Where none do,
/// nothing is encrypted yet. SSL 2 and hellos in its form (RFC 5246 E.2) are not: they carry no name.
pub(crate) fn looks_like(bytes: &[u8], torn: bool) -> Likeness {
    let head = Head::of(bytes.get(..HEADER).unwrap_or(bytes));
    if !head.is_possible(None) {
        return Likeness::No;
    }
    match head.whole() {
        None => Likeness::Maybe,
        Some(Header { kind: Kind::Handshake, .. }) => {
            begins_handshake(bytes.get(HEADER..).unwrap_or_default())
        }
        Some(Header { kind: Kind::ApplicationData | Kind::Heartbeat, .. }) if !torn => Likeness::No,
        Some(_) => Likeness::Yes,
    }
}

/// Type, length and version of a ClientHello are told as soon as they are there. Any other message may be
/// encrypted, where the beginning of the connection was not seen.
fn begins_handshake(message: &[u8]) -> Likeness {
    const CLIENT_HELLO: u8 = 1;
    match *message {
        [CLIENT_HELLO, 0..=2, _, _, 3, ..] => Likeness::Yes,
        [] | [CLIENT_HELLO] | [CLIENT_HELLO, 0..=2] | [CLIENT_HELLO, 0..=2, _] => Likeness::Maybe,
        [CLIENT_HELLO, 0..=2, _, _] => Likeness::Maybe,
        [CLIENT_HELLO, ..] => Likeness::No,
        [..] => Likeness::Yes,
    }
}

impl Records {
    /// The next piece of these bytes. `None` when all are taken.
    pub(super) fn next<'a>(&mut self, bytes: &mut Reader<'a>) -> Option<Piece<'a>> {
        if self.left > 0 {
            return self.payload(bytes);
        }
        let mut stray = 0;
        loop {
            stray += self.pass_over(bytes);
            if let Some(header) = self.head.whole() {
                return Some(if stray > 0 { Piece::Stray(stray) } else { self.begin(header) });
            }
            let Some(byte) = bytes.u8() else { break };
            self.head.push(byte);
            stray += self.shed();
        }
        (stray > 0).then_some(Piece::Stray(stray))
    }

    /// What comes next is so much payload of a record, and then a header.
    pub(super) fn go_on_with(&mut self, payload: usize) {
        self.left = payload;
        self.lost = false;
    }

    /// Payload of the present record that is still to come.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Whether a header has begun that is not whole yet.
    pub(super) fn is_in_header(&self) -> bool {
        self.head.held > 0
    }

    /// So many bytes are missing, 0 where nobody knows how many. Tells whether the place of the next
    /// header is still known.
    pub(super) fn miss(&mut self, bytes: u64) -> bool {
        let left = usize::try_from(bytes).ok().and_then(|bytes| self.left.checked_sub(bytes));
        self.lost |= bytes == 0 || left.is_none();
        self.left = if bytes == 0 { 0 } else { left.unwrap_or(0) };
        !self.lost
    }

    /// Gives up the beginning of a header that will not become whole: so many bytes.
    pub(super) fn give_up(&mut self) -> usize {
        std::mem::take(&mut self.head).held
    }

    fn payload<'a>(&mut self, bytes: &mut Reader<'a>) -> Option<Piece<'a>> {
        let payload = bytes.take(self.left.min(bytes.len())).filter(|payload| !payload.is_empty())?;
        self.left -= payload.len();
        Some(Piece::Payload(payload))
    }

    fn begin<'a>(&mut self, header: Header) -> Piece<'a> {
        self.minor = Some(self.head.minor());
        self.head = Head::default();
        self.left = header.len;
        self.lost = false;
        Piece::Header(header)
    }

    /// Goes on to the first header that is whole in these bytes and takes it, if none has begun. Gives how many
    /// bytes were before it; less than a header is left where there is none.
    fn pass_over(&mut self, bytes: &mut Reader<'_>) -> usize {
        if self.head.held > 0 {
            return 0;
        }
        if let Some(head) = bytes.rest().first_chunk().map(Head::whole_of)
            && head.is_possible(self.after_gap())
        {
            self.head = head;
            bytes.take(HEADER);
            return 0;
        }
        let mut passed = 0;
        for window in bytes.rest().windows(HEADER) {
            // Most bytes are told by these two alone.
            if matches!(window, [FIRST_KIND..=LAST_KIND, MAJOR, ..]) {
                let head = Head::of(window);
                if head.is_possible(self.after_gap()) {
                    self.head = head;
                    break;
                }
            }
            self.lost = true;
            passed += 1;
        }
        bytes.take(passed + self.head.held);
        passed
    }

    /// Lets go what cannot be the beginning of a header. Among bytes of which nothing is known, one in
    /// ten million looks like one: it must have the version of those before, or the usual one.
    fn shed(&mut self) -> usize {
        let held = self.head.held;
        while !self.head.is_possible(self.after_gap()) {
            self.head.held -= 1;
            self.lost = true;
        }
        held - self.head.held
    }

    fn after_gap(&self) -> Option<Option<u8>> {
        self.lost.then_some(self.minor)
    }
}

const HEADER: usize = 5;
/// Of the version: SSL 3 and all of TLS.
const MAJOR: u8 = 3;
const FIRST_KIND: u8 = 20;
const LAST_KIND: u8 = 24;

/// Type, version, length: the last `held` bytes of a shift register.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    bytes: u64,
    held: usize,
}

impl Head {
    fn of(bytes: &[u8]) -> Self {
        let mut head = Self::default();
        bytes.iter().for_each(|byte| head.push(*byte));
        head
    }

    fn whole_of(&[a, b, c, d, e]: &[u8; HEADER]) -> Self {
        Self { bytes: u64::from_be_bytes([0, 0, 0, a, b, c, d, e]), held: HEADER }
    }

    fn push(&mut self, byte: u8) {
        self.bytes = self.bytes << 8 | u64::from(byte);
        self.held += 1;
    }

    fn fields(self) -> (u8, u8, u8, u16) {
        let [_, _, _, kind, major, minor, high, low] =
            (self.bytes << (8 * (HEADER - self.held))).to_be_bytes();
        (kind, major, minor, u16::from_be_bytes([high, low]))
    }

    fn minor(self) -> u8 {
        self.fields().2
    }

    fn whole(self) -> Option<Header> {
        let (byte, .., len) = self.fields();
        let kind = kind(byte).filter(|_| self.held == HEADER)?;
        Some(Header { kind, len: len.into() })
    }

    /// Whether what is held so far may be the beginning of a header: of any, or after a gap of one that
    /// fits those before it.
    fn is_possible(self, after_gap: Option<Option<u8>>) -> bool {
        let (byte, major, minor, len) = self.fields();
        let fits = match after_gap {
            None => minor <= 4,
            Some(before) => minor == 3 || Some(minor) == before,
        };
        (self.held < 1 || kind(byte).is_some())
            && (self.held < 2 || major == MAJOR)
            && (self.held < 3 || fits)
            && (self.held < 4 || len <= LONGEST)
            && (self.held < 5 || len > 0 || kind(byte) == Some(Kind::ApplicationData))
    }
}

/// 2^14 bytes and 2,048 of encryption (RFC 5246 6.2.3). Only application data may be empty (6.2.1).
const LONGEST: u16 = 0x4800;

fn kind(byte: u8) -> Option<Kind> {
    match byte {
        FIRST_KIND => Some(Kind::ChangeCipherSpec),
        21 => Some(Kind::Alert),
        22 => Some(Kind::Handshake),
        23 => Some(Kind::ApplicationData),
        LAST_KIND => Some(Kind::Heartbeat),
        _ => None,
    }
}

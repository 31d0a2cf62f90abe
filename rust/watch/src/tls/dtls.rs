//! TLS over datagrams (RFC 6347, RFC 9147): the client's hello, then its records.

use std::collections::BTreeMap;

use telltale_model::{Application, Class, Direction, Facts};

use super::hello::{HelloReader, Transport};
use crate::page::Page;
use crate::reader::Reader;
use crate::session::{Likeness, Step};

/// A DTLS association. Records never span datagrams, so there is nothing to hold but fragments of a hello.
#[derive(Debug, Default)]
pub(crate) struct Dtls {
    hello: Fragments,
    /// Whether the client has sent an encrypted record of DTLS 1.3. The first one is handshake, always.
    encrypted: bool,
}

/// Whether this datagram, of either side, is of DTLS.
pub(crate) fn looks_like(datagram: &[u8]) -> Likeness {
    let whole = Record::read(&mut Reader::new(datagram));
    match whole {
        Some(Record::Plain { .. }) => Likeness::Yes,
        Some(Record::Encrypted { .. }) | None => Likeness::No,
    }
}

impl Dtls {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The next datagram of a direction.
    pub(crate) fn take(&mut self, direction: Direction, datagram: &[u8], page: &mut Page) -> Step {
        let facts = &mut page.facts;
        let mut datagram = Reader::new(datagram);
        while let Some(record) = Record::read(&mut datagram) {
            facts.application.get_or_insert(Application::Dtls);
            if direction == Direction::Sent {
                self.sent(record, facts);
            }
        }
        if direction == Direction::Sent && !datagram.is_empty() {
            facts.count_content(Class::Unknown, datagram.len());
        }
        Step::On
    }

    /// Datagrams are missing: of a hello its fragments may come again.
    pub(crate) fn miss(&mut self, _direction: Direction, _bytes: u64, _page: &mut Page) {}

    /// No more datagrams come.
    pub(crate) fn end(&mut self, page: &mut Page) {
        let facts = &mut page.facts;
        self.hello.tell(facts);
    }

    /// Bytes of memory that are held beyond the session itself.
    pub(crate) fn held(&self) -> usize {
        let entries = self.hello.ahead.len() * size_of::<(usize, Vec<u8>)>();
        self.hello.hello.as_ref().map_or(0, |hello| hello.held()) + self.hello.held + entries
    }

    fn sent(&mut self, record: Record<'_>, facts: &mut Facts) {
        match record {
            Record::Plain { kind, epoch, payload } => {
                facts.count_handshake(PLAIN_HEADER);
                self.plain(kind, epoch, payload, facts);
            }
            Record::Encrypted { header, payload } => {
                facts.count_handshake(header);
                let first = !std::mem::replace(&mut self.encrypted, true);
                count(first, payload, facts);
            }
        }
    }

    fn plain(&mut self, kind: u8, epoch: u16, payload: &[u8], facts: &mut Facts) {
        if kind == HANDSHAKE && epoch == 0 {
            self.hello.read(Reader::new(payload), facts);
        }
        count(![APPLICATION_DATA, TLS12_CID].contains(&kind), payload, facts);
    }
}

fn count(is_handshake: bool, payload: &[u8], facts: &mut Facts) {
    if is_handshake {
        facts.count_handshake(payload.len());
    } else {
        facts.count_content(Class::Encrypted, payload.len());
    }
}

/// One record of a datagram.
enum Record<'a> {
    /// DTLSPlaintext, and all records before 1.3 (RFC 9147 4).
    Plain { kind: u8, epoch: u16, payload: &'a [u8] },
    /// DTLSCiphertext of 1.3, with so many bytes of header.
    Encrypted { header: usize, payload: &'a [u8] },
}

const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
/// RFC 9146: between header and payload stands an id whose length only the two know. It counts as payload.
const TLS12_CID: u8 = 25;
const PLAIN_HEADER: usize = 13;

impl<'a> Record<'a> {
    /// `None`, and nothing taken, where there is none.
    fn read(datagram: &mut Reader<'a>) -> Option<Self> {
        let mut ahead = *datagram;
        let record = match ahead.u8()? {
            kind @ 20..=26 => Self::plain(kind, &mut ahead)?,
            first @ 0x20..=0x3f => Self::encrypted(first, &mut ahead)?,
            _ => return None,
        };
        *datagram = ahead;
        Some(record)
    }

    fn plain(kind: u8, rest: &mut Reader<'a>) -> Option<Self> {
        let (version, epoch) = (rest.u16()?, rest.u16()?);
        rest.take(6)?;
        // Also DTLS 1.3 writes 1.2 here, and 1.0 into a first hello. The last is of a draft, which VPNs still speak.
        let payload =
            if matches!(version, 0xfeff | 0xfefd | 0x0100) { rest.vector16()?.rest() } else { return None };
        Some(Self::Plain { kind, epoch, payload })
    }

    /// RFC 9147 4: bits of the first byte tell what follows. Where a connection id does, of a length that only
    /// the two know, the rest of the datagram counts as one payload.
    fn encrypted(first: u8, rest: &mut Reader<'a>) -> Option<Self> {
        let (has_id, long_number, has_length) = (first & 0x10 != 0, first & 0x08 != 0, first & 0x04 != 0);
        if has_id {
            return Some(Self::Encrypted { header: 1, payload: rest.take(rest.len())? });
        }
        let number = if long_number { 2 } else { 1 };
        rest.take(number)?;
        let payload = if has_length { rest.vector16()?.rest() } else { rest.take(rest.len())? };
        Some(Self::Encrypted { header: 1 + number + if has_length { 2 } else { 0 }, payload })
    }
}

/// The fragments of one ClientHello, in any order (RFC 6347 4.2.3).
#[derive(Debug, Default)]
struct Fragments {
    /// The number of the message, and its length.
    message: Option<(u16, usize)>,
    hello: Option<Box<HelloReader>>,
    /// How much of it was read.
    next: usize,
    /// What lies beyond that, by its place.
    ahead: BTreeMap<usize, Vec<u8>>,
    /// All bytes of `ahead`.
    held: usize,
}

/// Fragments that wait for one before them, and their bytes, at most. Hellos of more than two datagrams are
/// rare, and what is dropped comes again.
const WAITING: usize = 16;
const AHEAD: usize = 4 * 1_024;

impl Fragments {
    /// Reads the fragments in a record.
    fn read(&mut self, mut record: Reader<'_>, facts: &mut Facts) {
        while self.fragment(&mut record, facts).is_some() {}
    }

    fn fragment(&mut self, record: &mut Reader<'_>, facts: &mut Facts) -> Option<()> {
        const CLIENT_HELLO: u8 = 1;
        let (kind, len, number) = (record.u8()?, usize::try_from(record.u24()?).ok()?, record.u16()?);
        let offset = usize::try_from(record.u24()?).ok()?;
        let bytes = record.vector24()?.rest();
        if kind == CLIENT_HELLO && offset + bytes.len() <= len {
            self.begin(number, len, facts);
            self.add(offset, bytes, facts);
        }
        Some(())
    }

    /// After a HelloVerifyRequest or HelloRetryRequest the next hello comes, with the next number.
    fn begin(&mut self, number: u16, len: usize, facts: &mut Facts) {
        if self.message != Some((number, len)) {
            self.tell(facts);
            let hello = Some(Box::new(HelloReader::new(Transport::Dtls, len)));
            *self = Self { message: Some((number, len)), hello, ..Self::default() };
        }
    }

    fn add(&mut self, offset: usize, bytes: &[u8], facts: &mut Facts) {
        if offset > self.next {
            return self.hold(offset, bytes);
        }
        self.feed(offset, bytes, facts);
        while let Some(first) = self.ahead.first_entry().filter(|first| *first.key() <= self.next) {
            let (offset, bytes) = first.remove_entry();
            self.held -= bytes.len();
            self.feed(offset, &bytes, facts);
        }
    }

    fn hold(&mut self, offset: usize, bytes: &[u8]) {
        let known = self.ahead.get(&offset).is_some_and(|held| held.len() >= bytes.len());
        let room = self.ahead.len() < WAITING && self.held + bytes.len() <= AHEAD;
        if self.hello.is_some() && room && !known {
            self.held += bytes.len();
            let replaced = self.ahead.insert(offset, bytes.to_vec());
            self.held -= replaced.map_or(0, |bytes| bytes.len());
        }
    }

    fn feed(&mut self, offset: usize, bytes: &[u8], facts: &mut Facts) {
        let Some(fresh) = bytes.get(self.next - offset..) else { return };
        self.next += fresh.len();
        let over = self.hello.as_mut().is_some_and(|hello| hello.take(&mut Reader::new(fresh)));
        if over {
            self.tell(facts);
        }
    }

    fn tell(&mut self, facts: &mut Facts) {
        if let Some(hello) = self.hello.take() {
            hello.tell(facts);
        }
        self.ahead.clear();
        self.held = 0;
    }
}

//! A TLS connection, read with its keys as far as they are known.

use std::collections::VecDeque;

use telltale_model::{Direction, FlowKey};

use super::epochs::{Connection, Epochs, Opened};
use super::inside::Inside;
use super::records::{APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEADER, Next, Record, Records};
use super::server_hello::{Answer, ServerHello};
use super::sources::Keys;
use super::suite::Version;
use crate::page::Page;
use crate::reader::Reader;
use crate::session::Step;
use crate::tls;

/// A TLS connection.
///
/// Records that open go to the conversation inside; all others go to the session that would have had them
/// without keys, so that they are counted as there. Of a record that opens, what is not content is framing.
/// Bytes that are missing end it for their direction: without the records' numbers nothing opens (RFC 8446 5.3).
#[derive(Debug)]
pub(crate) struct Tls {
    /// Of what does not open.
    outside: tls::Tls,
    inside: Inside,
    keys: Keys,
    sent: Side,
    received: Side,
    answer: Answer,
    hello: Option<ServerHello>,
    /// Records from the first one on whose key may still come.
    waiting: VecDeque<(Direction, Record)>,
    waiting_bytes: usize,
}

/// One direction.
#[derive(Debug, Default)]
struct Side {
    records: Records,
    epochs: Option<Epochs>,
    /// Whether its first protected record of TLS 1.2 has to come next, or has.
    changed: bool,
    /// Whether nothing of it is opened any more.
    lost: bool,
    /// How many of its records wait for their keys.
    waiting: usize,
}

/// Bytes of records that wait for their keys, of both directions: a program has the keys before it sends
/// anything with them, and mostly writes them down at once.
const WAITING: usize = 64 * 1_024;

/// What a record that waits takes besides its bytes.
const ENTRY: usize = size_of::<(Direction, Record)>() + 16;

impl Tls {
    pub(crate) fn new(key: FlowKey, keys: &Keys, depth: u8) -> Self {
        Self {
            outside: tls::Tls::new(),
            inside: Inside::new(key, keys, depth),
            keys: keys.clone(),
            sent: Side::default(),
            received: Side::default(),
            answer: Answer::default(),
            hello: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    /// The next bytes of a direction.
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        let mut rest = Reader::new(bytes);
        while !rest.is_empty() {
            let side = self.side(direction);
            if side.lost {
                return self.outside.take(direction, rest.rest(), page);
            }
            match side.records.next(&mut rest) {
                Next::Whole(record) => self.record(direction, record, page),
                Next::More => break,
                Next::Stray => self.lose(direction, page),
            }
        }
        Step::On
    }

    /// Bytes are missing, 0 where nobody knows how many.
    pub(crate) fn miss(&mut self, direction: Direction, bytes: u64, page: &mut Page) {
        self.lose(direction, page);
        self.outside.miss(direction, bytes, page);
    }

    /// No more bytes come.
    pub(crate) fn end(&mut self, page: &mut Page) {
        self.settle(page);
        for direction in [Direction::Sent, Direction::Received] {
            let rest = self.side(direction).records.rest();
            self.leave(direction, &rest, page);
        }
        self.inside.end(page);
        self.outside.end(page);
    }

    /// Names that were answered inside.
    pub(crate) fn take_answers(&mut self) -> Vec<crate::dns::Answer> {
        self.inside.take_answers()
    }

    /// Bytes of memory that are held beyond the session itself.
    pub(crate) fn held(&self) -> usize {
        let sides = [&self.sent, &self.received].map(Side::held).iter().sum::<usize>();
        self.outside.held() + self.inside.held() + self.answer.held() + sides + self.waiting_bytes
    }

    fn record(&mut self, direction: Direction, record: Record, page: &mut Page) {
        // The server's hello must not wait for early data, nor that for it.
        let comes_first = self.side(direction).waiting == 0 && !self.is_protected(direction, &record);
        if comes_first {
            self.clear(direction, &record, page);
            self.retry(page);
        } else if !self.waiting.is_empty() {
            self.wait(direction, record);
            self.retry(page);
        } else if let Some(record) = self.read(direction, record, false, page) {
            self.wait(direction, record);
        }
        if self.waiting_bytes > WAITING {
            self.lose(direction, page);
            self.lose(direction.reversed(), page);
        }
    }

    fn wait(&mut self, direction: Direction, record: Record) {
        self.waiting_bytes += record.len() + ENTRY;
        self.side(direction).waiting += 1;
        self.waiting.push_back((direction, record));
    }

    /// Reads what waits, up to the first record that has to go on waiting.
    fn retry(&mut self, page: &mut Page) {
        while let Some((direction, record)) = self.waiting.pop_front() {
            let len = record.len() + ENTRY;
            if let Some(record) = self.read(direction, record, false, page) {
                return self.waiting.push_front((direction, record));
            }
            self.waiting_bytes -= len;
            self.side(direction).waiting -= 1;
        }
    }

    /// Nothing waits any longer.
    fn settle(&mut self, page: &mut Page) {
        self.waiting_bytes = 0;
        (self.sent.waiting, self.received.waiting) = (0, 0);
        while let Some((direction, record)) = self.waiting.pop_front() {
            self.read(direction, record, true, page);
        }
    }

    /// Nothing more of a direction is opened.
    fn lose(&mut self, direction: Direction, page: &mut Page) {
        self.settle(page);
        let side = self.side(direction);
        let (rest, begun) = (side.records.rest(), side.has_begun() && !side.lost);
        side.lost = true;
        self.leave(direction, &rest, page);
        if begun {
            self.inside.miss(direction, page);
        }
    }

    /// Reads a record, or gives it back where its key may still come and it is not `due`.
    fn read(&mut self, direction: Direction, record: Record, due: bool, page: &mut Page) -> Option<Record> {
        if !self.is_protected(direction, &record) {
            self.clear(direction, &record, page);
            return None;
        }
        match self.open(direction, &record) {
            Opened::Content(kind, content) => self.opened(direction, kind, &content, record.len(), page),
            Opened::NotYet if !due => return Some(record),
            Opened::NotYet | Opened::Never => self.closed(direction, &record, page),
        }
        None
    }

    /// Everything after ChangeCipherSpec (RFC 5246 7.1); in TLS 1.3 that is nothing but a word, and what is
    /// protected is called application data (RFC 8446 5.2, D.4).
    fn is_protected(&self, direction: Direction, record: &[u8]) -> bool {
        let kind = record.first().copied();
        let changed = self.side_ref(direction).changed && self.version() == Some(Version::Tls12);
        kind == Some(APPLICATION_DATA) || (changed && kind != Some(CHANGE_CIPHER_SPEC))
    }

    fn version(&self) -> Option<Version> {
        self.hello.and_then(|hello| hello.suite).map(|suite| suite.version)
    }

    fn clear(&mut self, direction: Direction, record: &[u8], page: &mut Page) {
        self.leave(direction, record, page);
        let kind = record.first().copied();
        self.side(direction).changed |= kind == Some(CHANGE_CIPHER_SPEC);
        if direction == Direction::Received && kind == Some(HANDSHAKE) && self.hello.is_none() {
            self.hello = self.answer.take(record.get(HEADER..).unwrap_or_default());
        }
    }

    fn open(&mut self, direction: Direction, record: &[u8]) -> Opened {
        let begun = self.outside.begun();
        let Some(client) = begun.random else { return Opened::Never };
        // Early data comes before the server has said anything.
        let Some(server) = self.hello else { return Opened::NotYet };
        let Some(suite) = server.suite else { return Opened::Never };
        let (connection, keys) = (Connection { client, server }, self.keys.clone());
        let epochs = &mut self.side(direction).epochs;
        let epochs = epochs.get_or_insert_with(|| Epochs::new(direction, suite, begun.early_data));
        epochs.open(record, suite, &connection, &keys)
    }

    fn opened(&mut self, direction: Direction, kind: u8, content: &[u8], len: usize, page: &mut Page) {
        let is_content = kind == APPLICATION_DATA;
        if direction == Direction::Sent {
            self.outside.pass_handshake();
            page.facts.count_handshake(if is_content { len - content.len() } else { len });
        }
        if is_content && !content.is_empty() {
            self.inside.take(direction, content, page);
        }
    }

    fn closed(&mut self, direction: Direction, record: &[u8], page: &mut Page) {
        self.leave(direction, record, page);
        let lost = self.side(direction).epochs.as_ref().is_some_and(Epochs::is_lost);
        let side = self.side(direction);
        if lost && !std::mem::replace(&mut side.lost, true) && side.has_begun() {
            self.inside.miss(direction, page);
        }
    }

    /// Leaves bytes to the session without keys.
    fn leave(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) {
        if !bytes.is_empty() {
            self.outside.take(direction, bytes, page);
        }
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }

    fn side_ref(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Sent => &self.sent,
            Direction::Received => &self.received,
        }
    }
}

impl Side {
    fn has_begun(&self) -> bool {
        self.epochs.as_ref().is_some_and(Epochs::has_begun)
    }

    fn held(&self) -> usize {
        self.records.held() + self.epochs.as_ref().map_or(0, Epochs::held)
    }
}

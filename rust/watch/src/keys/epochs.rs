//! The keys of one direction of a TLS connection, one after the other, and what they open.

use telltale_model::Direction;

use super::cipher::{Cipher, Kind};
use super::log::{Label, Random};
use super::records::HEADER;
use super::secret::Secret;
use super::server_hello::ServerHello;
use super::sources::Keys;
use super::suite::{Suite, Version};
use crate::reader::Reader;

/// What both hellos of a connection say, as far as keys depend on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    pub(super) client: Random,
    pub(super) server: ServerHello,
}

/// One direction. Where keys change is not read but tried: RFC 8446 5.1 has them change between records, and
/// the tag tells which one a record was sealed with.
#[derive(Debug)]
pub(super) struct Epochs {
    now: Option<Epoch>,
    /// What comes after it, in order.
    later: Vec<Label>,
    direction: Direction,
    /// Records that did not open.
    failed: u8,
}

#[derive(Debug)]
struct Epoch {
    cipher: Cipher,
    /// Of the next record: RFC 8446 5.3.
    number: u64,
    /// For the next keys.
    secret: Secret,
}

/// What became of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// The type of its content, and that.
    Content(u8, Vec<u8>),
    /// Its key may still come.
    NotYet,
    /// It stays as it is.
    Never,
}

/// Records that may fail before none is tried any more: those of a handshake whose keys were not written down,
/// or early data that the server refused.
const FAILURES: u8 = 16;

impl Epochs {
    pub(super) fn new(direction: Direction, suite: Suite, early_data: bool) -> Self {
        let labels: &[Label] = match (suite.version, direction) {
            (Version::Tls12, _) => &[Label::Master],
            (Version::Tls13, Direction::Sent) if early_data => {
                &[Label::ClientEarly, Label::ClientHandshake, Label::Client]
            }
            (Version::Tls13, Direction::Sent) => &[Label::ClientHandshake, Label::Client],
            (Version::Tls13, Direction::Received) => &[Label::ServerHandshake, Label::Server],
        };
        Self { now: None, later: labels.to_vec(), direction, failed: 0 }
    }

    /// Opens the next record.
    pub(super) fn open(
        &mut self,
        record: &[u8],
        suite: Suite,
        connection: &Connection,
        keys: &Keys,
    ) -> Opened {
        if self.is_lost() {
            return Opened::Never;
        }
        let present = self.now.as_mut().and_then(|epoch| epoch.open(record, suite));
        let opened = present.or_else(|| self.open_later(record, suite, connection, keys));
        match opened {
            Some((kind, content)) => Opened::Content(kind, content),
            None if self.lacks_keys(connection, keys) => Opened::NotYet,
            None => {
                self.failed += 1;
                Opened::Never
            }
        }
    }

    /// Whether no record will be opened any more. Behind a record that was lost the numbers are not known.
    pub(super) fn is_lost(&self) -> bool {
        self.failed >= FAILURES || (self.failed > 0 && self.later.is_empty())
    }

    /// Whether a record was opened.
    pub(super) fn has_begun(&self) -> bool {
        self.now.is_some()
    }

    pub(super) fn held(&self) -> usize {
        self.now.as_ref().map_or(0, |epoch| epoch.cipher.held()) + self.later.capacity()
    }

    /// Programs write keys down in the order of their use, and the last ones before they use them.
    fn lacks_keys(&self, connection: &Connection, keys: &Keys) -> bool {
        let last = self.later.last();
        last.is_some_and(|last| keys.secret(&connection.client, *last).is_none() && keys.may_grow())
    }

    fn open_later(
        &mut self,
        record: &[u8],
        suite: Suite,
        connection: &Connection,
        keys: &Keys,
    ) -> Option<(u8, Vec<u8>)> {
        for (at, label) in self.later.iter().enumerate() {
            let Some(secret) = keys.secret(&connection.client, *label) else { continue };
            let Some(mut epoch) = Epoch::of(secret, suite, connection, self.direction) else { continue };
            if let Some(opened) = epoch.open(record, suite) {
                self.now = Some(epoch);
                // What did not open before were other keys' records.
                self.failed = 0;
                self.later.drain(..=at);
                return Some(opened);
            }
        }
        let updatable = self.later.is_empty() && suite.version == Version::Tls13;
        let mut updated = self.now.as_ref().filter(|_| updatable)?.updated(suite)?;
        let opened = updated.open(record, suite)?;
        self.now = Some(updated);
        Some(opened)
    }
}

impl Epoch {
    fn of(secret: Secret, suite: Suite, connection: &Connection, direction: Direction) -> Option<Self> {
        let cipher = match suite.version {
            Version::Tls12 => tls12(&secret, suite, connection, direction),
            Version::Tls13 => Cipher::of_secret(suite.kind, suite.hash, &secret, [b"key", b"iv"]),
        }?;
        Some(Self { cipher, number: 0, secret })
    }

    /// After a KeyUpdate: RFC 8446 7.2.
    fn updated(&self, suite: Suite) -> Option<Self> {
        let secret = suite.hash.next(&self.secret, b"traffic upd")?;
        let cipher = Cipher::of_secret(suite.kind, suite.hash, &secret, [b"key", b"iv"])?;
        Some(Self { cipher, number: 0, secret })
    }

    /// The type of the content, and that.
    fn open(&mut self, record: &[u8], suite: Suite) -> Option<(u8, Vec<u8>)> {
        let opened = match suite.version {
            Version::Tls13 => self.open13(record),
            Version::Tls12 => self.open12(record, suite.kind),
        }?;
        self.number += 1;
        Some(opened)
    }

    /// RFC 8446 5.2, 5.4: the type stands behind the content, and zeros behind it.
    fn open13(&self, record: &[u8]) -> Option<(u8, Vec<u8>)> {
        let (header, payload) = record.split_at_checked(HEADER)?;
        let mut sealed = payload.to_vec();
        let text = self.cipher.open_numbered(self.number, header, &mut sealed)?.len();
        sealed.truncate(text);
        while sealed.pop_if(|last| *last == 0).is_some() {}
        let kind = sealed.pop()?;
        Some((kind, sealed))
    }

    /// RFC 5246 6.2.3.3, RFC 5288 3, RFC 7905 2.
    fn open12(&self, record: &[u8], kind: Kind) -> Option<(u8, Vec<u8>)> {
        const TAG: usize = super::cipher::TAG;
        let mut reader = Reader::new(record);
        let [content, major, minor] = reader.array()?;
        let mut payload = Reader::new(reader.vector16()?.rest());
        let explicit = if kind == Kind::ChaCha20 { None } else { Some(payload.array()?) };
        let mut sealed = payload.rest().to_vec();
        let len = u16::try_from(sealed.len().checked_sub(TAG)?).ok()?;
        let mut aad = self.number.to_be_bytes().to_vec();
        aad.extend([content, major, minor]);
        aad.extend(len.to_be_bytes());
        match explicit {
            Some(explicit) => self.cipher.open_explicit(explicit, &aad, &mut sealed)?,
            None => self.cipher.open_numbered(self.number, &aad, &mut sealed)?,
        };
        sealed.truncate(len.into());
        Some((content, sealed))
    }
}

/// RFC 5246 6.3: the client's key, the server's, then the fixed parts of their nonces.
fn tls12(secret: &Secret, suite: Suite, connection: &Connection, direction: Direction) -> Option<Cipher> {
    let seed = [connection.server.random, connection.client].concat();
    let (key, fixed) = match suite.kind {
        Kind::Aes128 => (16, 4),
        Kind::Aes256 => (32, 4),
        Kind::ChaCha20 => (32, 12),
    };
    let block = suite.hash.prf(secret, b"key expansion", &seed, 2 * (key + fixed));
    let mut block = Reader::new(&block);
    let (client, server) = (block.take(key)?, block.take(key)?);
    let (fixed_client, fixed_server) = (block.take(fixed)?, block.take(fixed)?);
    let (key, fixed_part) = match direction {
        Direction::Sent => (client, fixed_client),
        Direction::Received => (server, fixed_server),
    };
    let mut iv = [0; 12];
    iv.get_mut(..fixed)?.copy_from_slice(fixed_part);
    Cipher::new(suite.kind, key, iv)
}

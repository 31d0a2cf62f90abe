//! Whole records of one direction of a TLS connection: a tag is checked over all of it.

use crate::reader::Reader;

/// A record with its header (RFC 8446 5.1).
pub(super) type Record = Vec<u8>;

pub(super) const HEADER: usize = 5;

pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;

/// 2^14 bytes and 2,048 of encryption: RFC 5246 6.2.3.
const LONGEST: u16 = 0x4800;

/// Bytes of the record that is coming.
#[derive(Debug, Default)]
pub(super) struct Records {
    held: Vec<u8>,
}

/// What the bytes so far come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Whole(Record),
    /// All bytes were taken, and the record is not whole.
    More,
    /// These bytes are no record.
    Stray,
}

impl Records {
    /// Takes bytes of the next record.
    pub(super) fn next(&mut self, bytes: &mut Reader<'_>) -> Next {
        self.fill(HEADER, bytes);
        let Some(header) = self.held.first_chunk::<HEADER>() else { return Next::More };
        let Some(len) = payload_len(*header) else { return Next::Stray };
        self.fill(HEADER + len, bytes);
        if self.held.len() < HEADER + len { Next::More } else { Next::Whole(std::mem::take(&mut self.held)) }
    }

    /// What was taken and did not become a record.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    pub(super) fn held(&self) -> usize {
        self.held.capacity()
    }

    fn fill(&mut self, len: usize, bytes: &mut Reader<'_>) {
        let lacking = len.saturating_sub(self.held.len());
        self.held.reserve_exact(lacking);
        self.held.extend_from_slice(bytes.take(lacking.min(bytes.len())).unwrap_or_default());
    }
}

fn payload_len([kind, major, _, high, low]: [u8; HEADER]) -> Option<usize> {
    let len = u16::from_be_bytes([high, low]);
    ((20..=24).contains(&kind) && major == 3 && len <= LONGEST).then_some(len.into())
}

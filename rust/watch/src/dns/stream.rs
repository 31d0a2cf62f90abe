//! DNS messages in a stream, each with its length in two bytes before it (RFC 7766 8).

use crate::limits;

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The length of the next message, as far as it is here.
    length: Option<u8>,
    /// Bytes of this message that still come.
    missing: usize,
    /// Its beginning, as far as it is kept.
    kept: Vec<u8>,
    /// Bytes are missing in this message.
    damaged: bool,
    /// Bytes are missing, and with them the places of the lengths.
    lost: bool,
}

impl Stream {
    /// The messages that are complete with these bytes, each cut to [`limits::DNS_MESSAGE`], and how many
    /// of the bytes belong to none.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
        let mut messages = Vec::new();
        while !self.lost
            && let Some((first, rest)) = bytes.split_first()
        {
            if self.missing > 0 {
                bytes = self.fill(bytes);
                messages.extend(self.completed());
                continue;
            }
            match self.length.take() {
                None => self.length = Some(*first),
                Some(high) => self.missing = usize::from(u16::from_be_bytes([high, *first])),
            }
            bytes = rest;
        }
        (messages, bytes.len())
    }

    fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(bytes.len().min(self.missing));
        if !self.damaged {
            self.keep(taken);
        }
        self.missing -= taken.len();
        rest
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = limits::DNS_MESSAGE.saturating_sub(self.kept.len());
        if self.kept.is_empty() {
            self.kept.reserve_exact(self.missing.min(room));
        }
        self.kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    fn completed(&mut self) -> Option<Vec<u8>> {
        if self.missing > 0 {
            return None;
        }
        let message = std::mem::take(&mut self.kept);
        (!std::mem::take(&mut self.damaged)).then_some(message)
    }

    /// A gap inside one message costs that message; any other costs the rest of the stream.
    pub(super) fn miss(&mut self, bytes: u64) {
        self.kept = Vec::new();
        self.damaged = true;
        match usize::try_from(bytes) {
            Ok(gap) if 0 < gap && gap < self.missing => self.missing -= gap,
            _ => self.lost = true,
        }
    }

    pub(super) fn held(&self) -> usize {
        self.kept.capacity()
    }
}

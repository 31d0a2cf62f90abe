//! DNS messages in a stream, each with its length in two bytes before it (RFC 7766 8).

use crate::limits;

/// Bytes of a message's length.
pub(super) const LENGTH: usize = 2;

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
    /// Takes bytes from the front of `rest` up to the end of a message, and gives that, cut to
    /// [`limits::DNS_MESSAGE`]. `None` where it has not ended; then bytes are left only if they belong to none.
    pub(super) fn next<'a, 'b: 'a>(&'a mut self, rest: &mut &'b [u8]) -> Option<&'a [u8]> {
        while !self.lost
            && let Some((first, after)) = rest.split_first()
        {
            if self.missing == 0
                && self.length.is_none()
                && let Some((length, after)) = rest.split_first_chunk()
            {
                *rest = after;
                if self.begin(u16::from_be_bytes(*length)) {
                    return Some(&[]);
                }
                continue;
            }
            if self.missing > 0 {
                let (taken, after) = rest.split_at_checked(self.missing).unwrap_or((rest, &[]));
                *rest = after;
                self.missing -= taken.len();
                if self.missing > 0 {
                    self.keep(taken);
                } else if !std::mem::take(&mut self.damaged) {
                    return Some(self.complete(taken));
                }
                continue;
            }
            *rest = after;
            match self.length.take() {
                None => self.length = Some(*first),
                Some(high) if self.begin(u16::from_be_bytes([high, *first])) => return Some(&[]),
                Some(_) => {}
            }
        }
        None
    }

    /// A message begins; whether it has ended as well.
    fn begin(&mut self, length: u16) -> bool {
        self.missing = length.into();
        self.kept.clear();
        length == 0
    }

    /// The message that ends with these bytes.
    fn complete<'a>(&'a mut self, taken: &'a [u8]) -> &'a [u8] {
        if self.kept.is_empty() {
            return taken.get(..limits::DNS_MESSAGE).unwrap_or(taken);
        }
        self.keep(taken);
        &self.kept
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.damaged {
            return;
        }
        let room = limits::DNS_MESSAGE.saturating_sub(self.kept.len());
        if self.kept.is_empty() {
            self.kept.reserve_exact((self.missing + bytes.len()).min(room));
        }
        self.kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// A gap inside one message costs that message; any other costs the rest of the stream.
    pub(super) fn miss(&mut self, bytes: u64) {
        self.kept = Vec::new();
        match usize::try_from(bytes) {
            Ok(gap) if 0 < gap && gap <= self.missing => self.missing -= gap,
            _ => self.lost = true,
        }
        self.damaged = self.missing > 0;
    }

    pub(super) fn held(&self) -> usize {
        self.kept.capacity()
    }
}

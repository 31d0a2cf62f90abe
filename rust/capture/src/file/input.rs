use std::io::{self, Read};

use super::unread;
use crate::Damage;

/// The bytes of a file in order, and how many have gone by.
pub(super) struct Input<R> {
    source: R,
    offset: u64,
}

impl<R: Read> Input<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, offset: 0 }
    }

    /// Bytes that were taken so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next bytes; `None` where the file ends before the first of them.
    pub(super) fn array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Damage> {
        let begin = self.offset;
        let taken = self.up_to(N)?;
        if taken.is_empty() {
            return Ok(None);
        }
        taken.try_into().map(Some).map_err(|_| Damage::new(begin, "the file ends in the middle of a header"))
    }

    /// The next bytes, all of them.
    pub(super) fn bytes(&mut self, len: usize) -> Result<Vec<u8>, Damage> {
        let begin = self.offset;
        let taken = self.up_to(len)?;
        if taken.len() < len {
            let lacking = len - taken.len();
            return Err(Damage::new(begin, format!("the file ends here, {lacking} bytes too early")));
        }
        Ok(taken)
    }

    /// Passes over bytes without holding them.
    pub(super) fn skip(&mut self, len: u64) -> Result<(), Damage> {
        let begin = self.offset;
        let skipped = io::copy(&mut self.source.by_ref().take(len), &mut io::sink());
        self.offset += skipped.as_ref().copied().unwrap_or(0);
        match skipped {
            Ok(skipped) if skipped == len => Ok(()),
            Ok(skipped) => {
                Err(Damage::new(begin, format!("the file ends here, {} bytes too early", len - skipped)))
            }
            Err(error) => Err(unread(self.offset, &error)),
        }
    }

    /// Memory is set aside as bytes come, not as a length promises them.
    fn up_to(&mut self, len: usize) -> Result<Vec<u8>, Damage> {
        let mut taken = Vec::with_capacity(len.min(1 << 16));
        let read = self.source.by_ref().take(len as u64).read_to_end(&mut taken);
        self.offset += taken.len() as u64;
        read.map(|_| taken).map_err(|error| unread(self.offset, &error))
    }
}

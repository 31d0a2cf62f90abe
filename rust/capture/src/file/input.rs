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
        let taken = self.up_to(N)?;
        if taken.is_empty() {
            return Ok(None);
        }
        taken
            .try_into()
            .map(Some)
            .map_err(|_| Damage::new(self.offset, "the file ends in the middle of a header"))
    }

    /// The next bytes, all of them.
    pub(super) fn bytes(&mut self, len: usize) -> Result<Vec<u8>, Damage> {
        let taken = self.up_to(len)?;
        if taken.len() < len {
            return Err(self.ended((len - taken.len()) as u64));
        }
        Ok(taken)
    }

    /// Passes over bytes without holding them.
    pub(super) fn skip(&mut self, len: u64) -> Result<(), Damage> {
        let skipped = io::copy(&mut self.source.by_ref().take(len), &mut io::sink());
        self.offset += skipped.as_ref().copied().unwrap_or(0);
        match skipped {
            Ok(skipped) if skipped == len => Ok(()),
            Ok(skipped) => Err(self.ended(len - skipped)),
            Err(error) => Err(unread(self.offset, &error)),
        }
    }

    /// Where the file ends, not where what it lacks began.
    fn ended(&self, lacking: u64) -> Damage {
        let bytes = if lacking == 1 { "byte" } else { "bytes" };
        Damage::new(self.offset, format!("the file ends here, {lacking} {bytes} too early"))
    }

    /// Memory is set aside as bytes come, not as a length promises them.
    fn up_to(&mut self, len: usize) -> Result<Vec<u8>, Damage> {
        let mut taken = Vec::with_capacity(len.min(1 << 16));
        let read = self.source.by_ref().take(len as u64).read_to_end(&mut taken);
        self.offset += taken.len() as u64;
        read.map(|_| taken).map_err(|error| unread(self.offset, &error))
    }
}

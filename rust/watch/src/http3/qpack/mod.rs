//! QPACK (RFC 9204): the header fields of one direction of an HTTP/3 connection.
//!
//! Own code beside HPACK, with the same code for texts: the crates for it want a whole HTTP/3 connection around
//! them, or all of a peer's table in memory.

mod fixed;
mod table;
mod text;

use crate::reader::Reader;
use fixed::STATIC;
use table::Table;
use text::{number, string};

/// The decoder of one direction.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    table: Table,
    /// Bytes of an instruction that is not whole yet.
    instruction: Vec<u8>,
    /// What the receiver allows the table to be at most (RFC 9204 5), once that was seen.
    max_capacity: Option<u64>,
    /// Whether what the table holds is not known any more.
    broken: bool,
}

/// The longest instruction that is read: it inserts a field of the largest table that is usual, 64 KiB only
/// in theory.
const LONGEST: usize = 16 * 1_024;

/// What became of bytes of the encoder's stream, and of those that were held of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instructed {
    pub(super) read: usize,
    /// They will never be read.
    pub(super) lost: usize,
}

/// What became of a field section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    Whole,
    /// It needs so many insertions.
    Blocked(u64),
    Broken,
}

impl Decoder {
    /// SETTINGS_QPACK_MAX_TABLE_CAPACITY of the other side.
    pub(super) fn allow(&mut self, capacity: u64) {
        self.max_capacity = Some(capacity);
    }

    /// Insertions so far.
    pub(super) fn inserted(&self) -> u64 {
        self.table.inserted()
    }

    /// Whether what the table holds is not known any more.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// The next bytes of the encoder's stream; `field` gets what is inserted. An instruction that is not whole yet
    /// counts once it is.
    pub(super) fn instruct(&mut self, bytes: &[u8], mut field: impl FnMut(&[u8], &[u8])) -> Instructed {
        if self.broken {
            return Instructed { read: 0, lost: bytes.len() };
        }
        self.instruction.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.instruction);
        let mut reader = Reader::new(&held);
        let mut lost = 0;
        loop {
            let mut ahead = reader;
            match self.instruction(&mut ahead) {
                Some(Some(inserts)) => {
                    reader = ahead;
                    if let Some((name, value)) = self.table.newest().filter(|_| inserts) {
                        field(name, value);
                    }
                }
                Some(None) => {
                    lost = reader.len();
                    break;
                }
                None if reader.len() > LONGEST => {
                    lost = reader.len();
                    break;
                }
                None => break,
            }
        }
        let read = held.len() - reader.len();
        if lost > 0 {
            self.give_up();
        } else {
            self.instruction = reader.rest().to_vec();
        }
        Instructed { read, lost }
    }

    /// Bytes of the encoder's stream are missing, or no more come. Gives how many bytes did not become an instruction.
    pub(super) fn give_up(&mut self) -> usize {
        let left = self.instruction.len();
        *self = Self { broken: true, ..Self::default() };
        left
    }

    /// Reads a whole field section: `field` gets name and value of each field. Where it is broken in the middle
    /// some fields were given.
    pub(super) fn decode(&self, section: &[u8], mut field: impl FnMut(&[u8], &[u8])) -> Decoded {
        let mut reader = Reader::new(section);
        let Some((required, base)) = self.prefix(&mut reader) else { return Decoded::Broken };
        if required > 0 && self.broken {
            return Decoded::Broken;
        }
        if required > self.table.inserted() {
            return Decoded::Blocked(required);
        }
        while !reader.is_empty() {
            if self.line(&mut reader, (required, base), &mut field).is_none() {
                return Decoded::Broken;
            }
        }
        Decoded::Whole
    }

    /// RFC 9204 4.3: whether it inserts a field. The outer `None` where it is not whole, the inner where it is in error.
    fn instruction(&mut self, reader: &mut Reader<'_>) -> Option<Option<bool>> {
        let first = *reader.rest().first()?;
        let inserted = match first {
            0x80.. => {
                let (flags, index) = number(reader, 6)?;
                let value = string(reader, 7)?;
                let name =
                    if flags & 0x40 == 0 { self.relative(index).map(|(name, _)| name) } else { fixed(index) };
                name.and_then(|name| self.table.insert(&name, &value))
            }
            0x40.. => {
                let (name, value) = (string(reader, 5)?, string(reader, 7)?);
                self.table.insert(&name, &value)
            }
            0x20.. => {
                let (_, capacity) = number(reader, 5)?;
                self.table.set_capacity(capacity);
                return Some(Some(false));
            }
            0x00.. => {
                let (_, index) = number(reader, 5)?;
                self.relative(index).and_then(|(name, value)| self.table.insert(&name, &value))
            }
        };
        Some(inserted.map(|()| true))
    }

    /// RFC 9204 3.2.5. An entry that is not kept any more has the text that is shown for nothing.
    fn relative(&self, index: u64) -> Option<(Vec<u8>, Vec<u8>)> {
        let absolute = self.table.inserted().checked_sub(index)?.checked_sub(1)?;
        let (name, value) = self.table.get(absolute).unwrap_or_default();
        Some((name.to_vec(), value.to_vec()))
    }

    /// The required insert count and the base: RFC 9204 4.5.1.
    fn prefix(&self, reader: &mut Reader<'_>) -> Option<(u64, u64)> {
        let (_, encoded) = number(reader, 8)?;
        let required = self.required(encoded)?;
        let (sign, delta) = number(reader, 7)?;
        let base = if sign == 0 {
            required.checked_add(delta)?
        } else {
            required.checked_sub(delta)?.checked_sub(1)?
        };
        Some((required, base))
    }

    /// RFC 9204 4.5.1.1.
    fn required(&self, encoded: u64) -> Option<u64> {
        if encoded == 0 {
            return Some(0);
        }
        // Where the other side's settings were not seen, encoders mostly use all that they may.
        let entries = self.max_capacity.unwrap_or(self.table.capacity()) / 32;
        let full = entries.checked_mul(2).filter(|full| encoded <= *full)?;
        let most = self.table.inserted() + entries;
        let required = (most.checked_div(full)?.checked_mul(full)? + encoded).checked_sub(1)?;
        let required = if required > most { required.checked_sub(full)? } else { required };
        (required > 0).then_some(required)
    }

    /// RFC 9204 4.5.2 to 4.5.6.
    fn line(
        &self,
        reader: &mut Reader<'_>,
        (required, base): (u64, u64),
        field: &mut impl FnMut(&[u8], &[u8]),
    ) -> Option<()> {
        // What was inserted and is not kept any more has no text. RFC 9204 2.2.3: nothing later is used.
        let dynamic = |index: Option<u64>| {
            index.filter(|index| *index < required).map(|index| self.table.get(index).unwrap_or_default())
        };
        let before = |index: u64| dynamic(base.checked_sub(index)?.checked_sub(1));
        let after = |index: u64| dynamic(base.checked_add(index));
        match *reader.rest().first()? {
            0x80.. => {
                let (flags, index) = number(reader, 6)?;
                if flags & 0x40 == 0 {
                    let (name, value) = before(index)?;
                    field(name, value);
                } else {
                    let (name, value) = STATIC.get(usize::try_from(index).ok()?)?;
                    field(name.as_bytes(), value.as_bytes());
                }
            }
            0x40.. => {
                let (flags, index) = number(reader, 4)?;
                let value = string(reader, 7)?;
                if flags & 0x10 == 0 {
                    field(before(index)?.0, &value)
                } else {
                    field(&fixed(index)?, &value)
                }
            }
            0x20.. => {
                let name = string(reader, 3)?;
                field(&name, &string(reader, 7)?);
            }
            0x10.. => {
                let (name, value) = after(number(reader, 4)?.1)?;
                field(name, value);
            }
            0x00.. => {
                let (_, index) = number(reader, 3)?;
                let value = string(reader, 7)?;
                field(after(index)?.0, &value);
            }
        }
        Some(())
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.table.held() + self.instruction.capacity()
    }
}

/// The name of an entry of the static table.
fn fixed(index: u64) -> Option<Vec<u8>> {
    let (name, _) = STATIC.get(usize::try_from(index).ok()?)?;
    Some(name.as_bytes().to_vec())
}

#[cfg(test)]
mod tests;

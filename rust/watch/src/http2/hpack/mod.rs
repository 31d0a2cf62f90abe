//! HPACK (RFC 7541): decodes the header fields of one direction as their bytes come, in pieces of any
//! size. Long names and values are cut, but their lengths are known, so that the tables stay in step.

mod huffman;
mod table;

pub(crate) use huffman::Huffman;
use table::{Indexed, Table};

use crate::reader::Reader;

/// The decoder of one direction.
#[derive(Debug)]
pub(super) struct Decoder {
    table: Table,
    step: Step,
    /// Whether the field in progress goes into the table.
    indexed: bool,
    name: Text,
    value: Text,
    /// Bytes of long values that an index may still stand for.
    credit: usize,
}

/// What a decoder may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Bytes of memory for the dynamic table.
    pub(super) table: usize,
    /// Bytes of a name that are kept.
    pub(super) name: usize,
    /// Bytes of a value that are kept.
    pub(super) value: usize,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The beginning of a field.
    Field,
    /// The beginning of a string's length.
    Length(Part),
    /// The rest of a number.
    Number { of: Number, value: u32, shift: u32 },
    /// A string.
    Text { part: Part, code: Option<Huffman>, left: u32 },
    /// Nothing can be decoded any more.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Name,
    Value,
}

/// What a number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    /// Which field it is.
    Field,
    /// Which field has the name of this one; 0: the name follows.
    Name,
    /// How large the table is from now on.
    Size,
    /// How long the string is.
    Length(Part, Option<Huffman>),
}

impl Decoder {
    /// A decoder at the beginning of a connection.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            table: Table::new(bounds.table),
            step: Step::Field,
            indexed: false,
            name: Text::new(bounds.name),
            value: Text::new(bounds.value),
            credit: CREDIT,
        }
    }

    /// Decodes the next bytes of a field block, and gives how many of them could be. `field` gets name and
    /// value of each field; both are empty where they are not known any more, or would cost too much, and of
    /// several such in a row only one may be told.
    pub(super) fn decode(&mut self, bytes: &[u8], mut field: impl FnMut(&[u8], &[u8])) -> usize {
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            let before = rest.len();
            let whole = if self.step == Step::Field { self.whole_field(&mut rest, &mut field) } else { None };
            let decoded = match self.step {
                _ if whole.is_some() => whole,
                Step::Text { .. } => self.text(&mut rest, &mut field),
                Step::Broken => None,
                step @ (Step::Field | Step::Length(_) | Step::Number { .. }) => {
                    self.byte(step, *first, &mut field).map(|()| rest = after)
                }
            };
            if decoded.is_none() {
                self.give_up();
                break;
            }
            self.credit = CREDIT.min(self.credit + EARNED * (before - rest.len()));
        }
        bytes.len() - rest.len()
    }

    /// A field block ends here. Says whether all of it was decoded.
    pub(super) fn end_block(&mut self) -> bool {
        let whole = self.step == Step::Field;
        if !whole {
            self.give_up();
        }
        whole
    }

    /// Something went wrong, or bytes were lost: what the encoder's table holds is not known any more, and a
    /// peer would end the connection (RFC 9113 4.3). Nothing that follows can be decoded.
    pub(super) fn give_up(&mut self) {
        self.step = Step::Broken;
    }

    /// A field that is whole here, without long numbers and codes: what [`Self::byte`] does, many times as fast.
    /// Takes nothing where it is another.
    fn whole_field(&mut self, rest: &mut &[u8], field: &mut impl FnMut(&[u8], &[u8])) -> Option<()> {
        let mut reader = Reader::new(rest);
        let first = reader.u8()?;
        if first & 0x80 != 0 {
            let index = Some(first & 0x7f).filter(|index| *index < 0x7f)?;
            let Indexed::Field { name, value, .. } = self.table.get(index.into()) else { return None };
            if !give(&mut self.credit, name, value, field) {
                // The same again costs too much until enough bytes have come.
                let unpaid = value.len().saturating_sub(self.credit).div_ceil(EARNED);
                let again = reader.rest().iter().take(unpaid.saturating_sub(1));
                reader.take(again.take_while(|byte| **byte == first).count())?;
            }
            *rest = reader.rest();
            return Some(());
        }
        if first & 0x60 == 0x20 {
            return self.whole_size(first & 0x1f, &mut reader).map(|()| *rest = reader.rest());
        }
        let (mask, indexed) = if first & 0x40 != 0 { (0x3f, true) } else { (0x0f, false) };
        let index = Some(first & mask).filter(|index| *index < mask)?;
        let mut text =
            || Some(reader.u8()?).filter(|len| *len < 0x7f).and_then(|len| reader.take(len.into()));
        let name = if index == 0 { text()? } else { &[] };
        let value = text()?;
        if index == 0 {
            *rest = reader.rest();
            let (short_name, short) = (self.name.beginning_of(name), self.value.beginning_of(value));
            field(short_name, short);
            if indexed {
                self.table.insert((short_name, name.len() as u64), (short, value.len() as u64));
            }
            return Some(());
        }
        // What has no name is taken byte by byte, up to the one that is wrong.
        self.name_of(index.into())?;
        *rest = reader.rest();
        self.value.clear();
        self.value.extend(value);
        self.indexed = indexed;
        self.end_text(Part::Value, field)
    }

    /// A new size of the table: RFC 7541 6.3, with its number in one byte more or two.
    fn whole_size(&mut self, prefix: u8, reader: &mut Reader<'_>) -> Option<()> {
        let mut size = u32::from(prefix);
        if prefix == 0x1f {
            let low = reader.u8()?;
            let high = if low & 0x80 != 0 { reader.u8().filter(|high| high & 0x80 == 0)? } else { 0 };
            size += u32::from(low & 0x7f) + (u32::from(high) << 7);
        }
        self.table.resize(size);
        Some(())
    }

    fn byte(&mut self, step: Step, byte: u8, field: &mut impl FnMut(&[u8], &[u8])) -> Option<()> {
        match step {
            Step::Field => self.begin(byte, field),
            Step::Length(part) => {
                let code = (byte & 0x80 != 0).then(Huffman::default);
                self.prefix(Number::Length(part, code), 0x7f, byte, field)
            }
            Step::Number { of, value, shift } => self.continuation(of, value, shift, byte, field),
            Step::Text { .. } | Step::Broken => None,
        }
    }

    /// RFC 7541 6.
    fn begin(&mut self, byte: u8, field: &mut impl FnMut(&[u8], &[u8])) -> Option<()> {
        self.indexed = byte & 0xc0 == 0x40;
        match byte {
            0x80.. => self.prefix(Number::Field, 0x7f, byte, field),
            0x40.. => self.prefix(Number::Name, 0x3f, byte, field),
            0x20.. => self.prefix(Number::Size, 0x1f, byte, field),
            // Those that are never indexed on the way included.
            0x00.. => self.prefix(Number::Name, 0x0f, byte, field),
        }
    }

    /// RFC 7541 5.1: a number that fits its prefix is whole.
    fn prefix(&mut self, of: Number, mask: u8, byte: u8, field: &mut impl FnMut(&[u8], &[u8])) -> Option<()> {
        let value = byte & mask;
        if value < mask {
            return self.number(of, u32::from(value), field);
        }
        self.step = Step::Number { of, value: u32::from(value), shift: 0 };
        Some(())
    }

    fn continuation(
        &mut self,
        of: Number,
        value: u32,
        shift: u32,
        byte: u8,
        field: &mut impl FnMut(&[u8], &[u8]),
    ) -> Option<()> {
        let value = value + (u32::from(byte & 0x7f) << shift);
        if byte & 0x80 == 0 {
            return self.number(of, value, field);
        }
        self.step = Step::Number { of, value, shift: shift + 7 };
        (shift < LAST_SHIFT).then_some(())
    }

    fn number(&mut self, of: Number, value: u32, field: &mut impl FnMut(&[u8], &[u8])) -> Option<()> {
        match of {
            Number::Field => {
                self.step = Step::Field;
                match self.table.get(value) {
                    Indexed::Field { name, value, .. } => {
                        give(&mut self.credit, name, value, field);
                    }
                    Indexed::Forgotten => field(b"", b""),
                    Indexed::Nothing => return None,
                }
            }
            Number::Name => self.name_of(value)?,
            Number::Size => {
                self.step = Step::Field;
                self.table.resize(value);
            }
            Number::Length(part, code) => self.begin_text(part, code, value, field)?,
        }
        Some(())
    }

    fn name_of(&mut self, index: u32) -> Option<()> {
        self.name.clear();
        if index == 0 {
            self.step = Step::Length(Part::Name);
            return Some(());
        }
        match self.table.get(index) {
            Indexed::Field { name, name_len, .. } => {
                self.name.extend(name);
                self.name.len = name_len;
            }
            Indexed::Forgotten => {}
            Indexed::Nothing => return None,
        }
        self.step = Step::Length(Part::Value);
        Some(())
    }

    fn begin_text(
        &mut self,
        part: Part,
        code: Option<Huffman>,
        left: u32,
        field: &mut impl FnMut(&[u8], &[u8]),
    ) -> Option<()> {
        self.part(part).clear();
        self.step = Step::Text { part, code, left };
        if left == 0 { self.end_text(part, field) } else { Some(()) }
    }

    /// Where it fails, `rest` begins with the byte that was wrong.
    fn text(&mut self, rest: &mut &[u8], field: &mut impl FnMut(&[u8], &[u8])) -> Option<()> {
        let Step::Text { part, mut code, left } = self.step else { return None };
        let len = rest.len().min(usize::try_from(left).ok()?);
        let (bytes, after) = rest.split_at_checked(len)?;
        let left = left - u32::try_from(len).ok()?;
        match &mut code {
            None => self.part(part).extend(bytes),
            Some(code) => {
                let text = self.part(part);
                for (nth, byte) in (1..).zip(bytes) {
                    let last = left == 0 && nth == len;
                    code.push(*byte, |symbol| text.push(symbol))?;
                    (!last || code.may_end()).then_some(())?;
                    *rest = rest.get(1..)?;
                }
            }
        }
        *rest = after;
        self.step = Step::Text { part, code, left };
        if left == 0 { self.end_text(part, field) } else { Some(()) }
    }

    fn end_text(&mut self, part: Part, field: &mut impl FnMut(&[u8], &[u8])) -> Option<()> {
        if part == Part::Name {
            self.step = Step::Length(Part::Value);
            return Some(());
        }
        self.step = Step::Field;
        field(&self.name.kept, &self.value.kept);
        if self.indexed {
            self.table.insert((&self.name.kept, self.name.len), (&self.value.kept, self.value.len));
        }
        Some(())
    }

    fn part(&mut self, part: Part) -> &mut Text {
        match part {
            Part::Name => &mut self.name,
            Part::Value => &mut self.value,
        }
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.table.held() + self.name.kept.capacity() + self.value.kept.capacity()
    }
}

/// A field of a table; one without a name where its value costs more than is left. Whether it could be given.
fn give(credit: &mut usize, name: &[u8], value: &[u8], field: &mut impl FnMut(&[u8], &[u8])) -> bool {
    let afforded = afford(credit, value);
    match afforded {
        Some(value) => field(name, value),
        None => field(b"", b""),
    }
    afforded.is_some()
}

/// The value, unless it is long and there were too many such: one byte stands for all of it, and a packet of
/// such bytes would take a hundred milliseconds to read.
fn afford<'a>(credit: &mut usize, value: &'a [u8]) -> Option<&'a [u8]> {
    let cost = if value.len() > SHORT { value.len() } else { 0 };
    *credit = credit.checked_sub(cost)?;
    Some(value)
}

/// Longer values are counted; hosts and paths are mostly shorter.
const SHORT: usize = 128;

/// A client's first eight requests may each repeat a cookie of 2,048 bytes.
const CREDIT: usize = 16 << 10;

/// Credit for each byte that comes.
const EARNED: usize = 4;

/// The last group of seven bits of a number: more than 2^28 is nobody's length, index or size.
const LAST_SHIFT: u32 = 21;

/// The beginning of a string.
#[derive(Debug)]
struct Text {
    kept: Vec<u8>,
    longest: usize,
    /// How long the whole of it is.
    len: u64,
}

impl Text {
    fn new(longest: usize) -> Self {
        Self { kept: Vec::new(), longest, len: 0 }
    }

    fn clear(&mut self) {
        self.kept.clear();
        self.len = 0;
    }

    /// What of a whole string would be kept.
    fn beginning_of<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(..self.longest).unwrap_or(bytes)
    }

    fn push(&mut self, byte: u8) {
        if self.kept.len() < self.longest {
            self.kept.push(byte);
        }
        self.len += 1;
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = self.longest - self.kept.len();
        self.kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.len += bytes.len() as u64;
    }
}

#[cfg(test)]
mod tests;

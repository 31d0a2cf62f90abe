//! Messages of Protocol Buffers, of which nothing is known but how they are written.

use crate::reader::Reader;
use crate::search::look::is_text;

/// A field that holds no further message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::search) enum Field<'a> {
    /// A number of up to 64 bits.
    Number(u64),
    /// 64 bits, which may be a number or a floating-point number (wire type 1).
    Eight(u64),
    /// 32 bits, the same (wire type 5).
    Four(u32),
    /// Text or bytes.
    Bytes(&'a [u8]),
}

impl Field<'_> {
    /// As a number without a sign; 0 of bytes.
    pub(in crate::search) fn number(self) -> u64 {
        match self {
            Self::Number(value) | Self::Eight(value) => value,
            Self::Four(value) => value.into(),
            Self::Bytes(_) => 0,
        }
    }
}

/// Deeper ones are bytes.
const DEEPEST: usize = 8;

/// More fields are not looked at one by one.
const MOST_FIELDS: usize = 16_384;

/// The kinds of fields that [`next`] reads, a bit for each: what begins with another one, or with field 0, is none.
const KINDS: u8 = 0b0010_0111;

/// Whether all of it is one message: fields, one after the other, the last one ending where it ends.
pub(in crate::search) fn looks_like(bytes: &[u8]) -> bool {
    if !bytes.first().is_some_and(|tag| *tag >= 8 && KINDS >> (tag & 7) & 1 == 1) {
        return false;
    }
    let mut reader = Reader::new(bytes);
    let mut fields = 0;
    while !reader.is_empty() {
        if next(&mut reader).is_none() || fields == MOST_FIELDS {
            return false;
        }
        fields += 1;
    }
    fields > 0
}

/// Calls `each` with every field and the numbers of the fields that lead to it.
pub(in crate::search) fn walk<'a>(bytes: &'a [u8], each: &mut impl FnMut(&[u32], Field<'a>)) {
    let mut path = Vec::with_capacity(DEEPEST);
    message(bytes, &mut path, each);
}

fn message<'a>(bytes: &'a [u8], path: &mut Vec<u32>, each: &mut impl FnMut(&[u32], Field<'a>)) {
    let mut reader = Reader::new(bytes);
    while let Some((number, field)) = next(&mut reader) {
        path.push(number);
        match field {
            Field::Bytes(inner) if path.len() < DEEPEST && !is_text(inner) && looks_like(inner) => {
                message(inner, path, each);
            }
            Field::Bytes(_) | Field::Number(_) | Field::Eight(_) | Field::Four(_) => each(path, field),
        }
        path.pop();
    }
}

/// The number of the next field, and what is in it. Groups are not used any more, and not read.
fn next<'a>(reader: &mut Reader<'a>) -> Option<(u32, Field<'a>)> {
    let tag = varint(reader)?;
    let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number))?;
    let field = match tag & 7 {
        0 => Field::Number(varint(reader)?),
        1 => Field::Eight(reader.array().map(u64::from_le_bytes)?),
        2 => {
            let len = varint(reader)?;
            Field::Bytes(reader.take(usize::try_from(len).ok()?)?)
        }
        5 => Field::Four(reader.array().map(u32::from_le_bytes)?),
        _ => return None,
    };
    Some((number, field))
}

fn varint(reader: &mut Reader<'_>) -> Option<u64> {
    let mut value = 0u64;
    for place in 0..10 {
        let byte = reader.u8()?;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

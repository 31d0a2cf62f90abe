//! The client's hello of Google's own handshake, which their QUIC had before TLS.

use telltale_model::{Name, NameSource};

use crate::name_text::push_name;
use crate::reader::Reader;

/// What a CHLO says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chlo {
    pub(super) name: Option<Name>,
}

/// Bytes of frames that stand before a hello at most: an acknowledgement among them.
const BEFORE: usize = 256;

/// Reads a CHLO: a count of entries, an index of tags with where each value ends, the values; numbers
/// little-endian. `None` if it is none or is cut before the name.
pub(super) fn read(message: &[u8]) -> Option<Chlo> {
    let mut reader = Reader::new(message);
    let (tag, count, _padding) = (reader.array()?, reader.array()?, reader.u16()?);
    if tag != *b"CHLO" {
        return None;
    }
    let mut index = Reader::new(reader.take(8 * usize::from(u16::from_le_bytes(count)))?);
    let mut start = 0;
    while let Some((tag, end)) = index.array().zip(index.array()) {
        let end = usize::try_from(u32::from_le_bytes(end)).ok()?;
        let value = reader.rest().get(start..end)?;
        if tag == *b"SNI\0" {
            let name = (1..256).contains(&value.len()).then(|| host(value));
            let name = name.map(|name| Name { name, from: NameSource::Quic, outer: false });
            return Some(Chlo { name });
        }
        start = end;
    }
    Some(Chlo::default())
}

/// As [`read`], for one that begins somewhere behind other frames.
pub(super) fn find(payload: &[u8]) -> Option<Chlo> {
    let start = payload.windows(4).take(BEFORE).position(|window| window == b"CHLO")?;
    read(payload.get(start..)?)
}

fn host(value: &[u8]) -> String {
    let mut name = String::new();
    push_name(&mut name, value.strip_suffix(b".").unwrap_or(value));
    name
}

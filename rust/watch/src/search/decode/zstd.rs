//! Zstandard, RFC 8878.

use std::io::Read;

use ruzstd::decoding::StreamingDecoder;

use super::Unpacked;
use crate::reader::Reader;

/// The window that a frame may ask for.
const WINDOW: u64 = 128 << 10;

/// All frames, one after the other (RFC 8878 3.1).
pub(super) fn unpack(mut bytes: &[u8], most: usize, to: &mut Vec<u8>) -> Unpacked {
    while !bytes.is_empty() {
        if window(bytes).is_none_or(|window| window > WINDOW) {
            return Unpacked::Part;
        }
        let Ok(frame) = StreamingDecoder::new(&mut bytes) else { return Unpacked::Part };
        let room = u64::try_from(most - to.len().min(most)).unwrap_or(0);
        let whole = frame.take(room + 1).read_to_end(to).is_ok() && to.len() <= most;
        to.truncate(most);
        if !whole {
            return Unpacked::Part;
        }
    }
    Unpacked::Whole
}

/// The memory that a frame needs, as its header says (RFC 8878 3.1.1.1).
fn window(bytes: &[u8]) -> Option<u64> {
    let mut reader = Reader::new(bytes);
    let [_, _, _, _, descriptor] = reader.array()?;
    let single = descriptor & 0x20 != 0;
    if !single {
        let byte = reader.u8()?;
        let base = 1u64 << (10 + (byte >> 3));
        return Some(base + base / 8 * u64::from(byte & 7));
    }
    reader.take([0, 1, 2, 4].get(usize::from(descriptor & 3)).copied()?)?;
    match descriptor >> 6 {
        0 => reader.u8().map(u64::from),
        1 => reader.array().map(|size| u64::from(u16::from_le_bytes(size)) + 256),
        2 => reader.array().map(|size| u64::from(u32::from_le_bytes(size))),
        _ => reader.array().map(u64::from_le_bytes),
    }
}

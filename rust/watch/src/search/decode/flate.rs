//! gzip, zlib and raw deflate: RFC 1952, RFC 1950, RFC 1951.

use flate2::{Decompress, FlushDecompress, Status};

use super::Unpacked;
use crate::reader::Reader;

/// The tables of the last stream, for the next one: 43 KB.
#[derive(Debug, Default)]
pub(in crate::search) struct Inflater {
    raw: Option<Decompress>,
    zlib: Option<Decompress>,
}

/// More members than one are rare.
const MEMBERS: usize = 4;

impl Inflater {
    /// All members, one after the other (RFC 1952 2.2).
    pub(super) fn gzip(&mut self, bytes: &[u8], most: usize, to: &mut Vec<u8>) -> Unpacked {
        let mut rest = bytes;
        for _ in 0..MEMBERS {
            let Some(after) = header(rest) else { return Unpacked::Part };
            let (unpacked, used) = self.stream(after, false, most, to);
            if unpacked == Unpacked::Part && used == after.len() || used == 0 {
                return Unpacked::Part;
            }
            // The checksum and the length: a wrong one does not make the text another.
            match after.get(used..).and_then(|trailer| trailer.get(8..)) {
                Some([]) => return Unpacked::Whole,
                Some(next) if to.len() < most => rest = next,
                Some(_) | None => return Unpacked::Part,
            }
        }
        Unpacked::Part
    }

    pub(super) fn inflate(&mut self, bytes: &[u8], zlib: bool, most: usize, to: &mut Vec<u8>) -> Unpacked {
        match self.stream(bytes, zlib, most, to) {
            (Unpacked::Whole, used) if used == bytes.len() => Unpacked::Whole,
            _ => Unpacked::Part,
        }
    }

    /// One stream, and how many bytes of it were used.
    fn stream(&mut self, bytes: &[u8], zlib: bool, most: usize, to: &mut Vec<u8>) -> (Unpacked, usize) {
        let slot = if zlib { &mut self.zlib } else { &mut self.raw };
        let decompress = slot.get_or_insert_with(|| Decompress::new(zlib));
        decompress.reset(zlib);
        loop {
            let used = usize::try_from(decompress.total_in()).unwrap_or(usize::MAX);
            let rest = bytes.get(used..).unwrap_or_default();
            let have = to.len();
            let room = (most - have.min(most)).min(have.max(rest.len() * 4).max(1_024));
            if room == 0 {
                return (Unpacked::Part, used);
            }
            to.reserve_exact(room);
            let status = decompress.decompress_vec(rest, to, FlushDecompress::None);
            let used = usize::try_from(decompress.total_in()).unwrap_or(usize::MAX);
            to.truncate(most);
            match status {
                Ok(Status::StreamEnd) => return (Unpacked::Whole, used),
                Ok(Status::Ok | Status::BufError) if to.len() > have => {}
                Ok(_) | Err(_) => return (Unpacked::Part, used),
            }
        }
    }
}

/// What follows the header of a member (RFC 1952 2.3).
fn header(bytes: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(bytes);
    let [0x1f, 0x8b, 8, flags, _, _, _, _, _, _] = reader.array()? else { return None };
    let text = |reader: &mut Reader<'_>| {
        let end = memchr::memchr(0, reader.rest())?;
        reader.take(end + 1).map(drop)
    };
    if flags & 4 != 0 {
        let len = reader.array().map(u16::from_le_bytes)?;
        reader.take(usize::from(len))?;
    }
    if flags & 8 != 0 {
        text(&mut reader)?;
    }
    if flags & 16 != 0 {
        text(&mut reader)?;
    }
    if flags & 2 != 0 {
        reader.take(2)?;
    }
    (flags & 0xe0 == 0).then(|| reader.rest())
}

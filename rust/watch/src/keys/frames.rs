//! The frames of an application's QUIC packet (RFC 9000 19).

use crate::http3::varint;
use crate::reader::Reader;

/// What matters of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// RFC 9000 19.8.
    Stream { id: u64, offset: u64, bytes: &'a [u8], last: bool },
    /// RFC 9000 19.4: what was not sent before it is not sent any more.
    Reset { id: u64 },
    /// RFC 9221 4.
    Datagram(&'a [u8]),
    /// About the connection.
    Framing,
}

/// The next frame. `None` if it is not known, or broken: then nobody knows where the one after it begins.
pub(super) fn next<'a>(reader: &mut Reader<'a>) -> Option<Frame<'a>> {
    let mut ahead = *reader;
    let frame = frame(&mut ahead)?;
    *reader = ahead;
    Some(frame)
}

fn frame<'a>(reader: &mut Reader<'a>) -> Option<Frame<'a>> {
    let kind = varint(reader)?;
    match kind {
        0x08..=0x0f => return stream(kind, reader),
        0x04 => {
            let id = varint(reader)?;
            varints(reader, 2)?;
            return Some(Frame::Reset { id });
        }
        0x30 => return Some(Frame::Datagram(reader.take(reader.len())?)),
        0x31 => return Some(Frame::Datagram(sized(reader)?)),
        _ => {}
    }
    // By how many numbers they have: PADDING and PING and HANDSHAKE_DONE none...
    match kind {
        0x00 | 0x01 | 0x1e | 0x1f => {}
        0x02 | 0x03 => acknowledgement(reader, kind == 3)?,
        0x10 | 0x12..=0x14 | 0x16 | 0x17 | 0x19 => varints(reader, 1)?,
        0x05 | 0x11 | 0x15 => varints(reader, 2)?,
        // ACK_FREQUENCY, of a draft that is in use.
        0xaf => varints(reader, 4)?,
        0x06 => {
            varint(reader)?;
            sized(reader)?;
        }
        0x07 => {
            sized(reader)?;
        }
        0x18 => {
            varints(reader, 2)?;
            reader.vector8()?;
            reader.take(16)?;
        }
        0x1a | 0x1b => {
            reader.take(8)?;
        }
        0x1c | 0x1d => {
            varints(reader, if kind == 0x1c { 2 } else { 1 })?;
            sized(reader)?;
        }
        _ => return None,
    }
    Some(Frame::Framing)
}

fn stream<'a>(kind: u64, reader: &mut Reader<'a>) -> Option<Frame<'a>> {
    let id = varint(reader)?;
    let offset = if kind & 4 == 0 { 0 } else { varint(reader)? };
    let bytes = if kind & 2 == 0 { reader.take(reader.len())? } else { sized(reader)? };
    Some(Frame::Stream { id, offset, bytes, last: kind & 1 == 1 })
}

/// RFC 9000 19.3.
fn acknowledgement(reader: &mut Reader<'_>, ecn: bool) -> Option<()> {
    varints(reader, 2)?;
    let ranges = varint(reader)?;
    varint(reader)?;
    for _ in 0..ranges {
        varints(reader, 2)?;
    }
    varints(reader, if ecn { 3 } else { 0 })
}

fn varints(reader: &mut Reader<'_>, count: usize) -> Option<()> {
    (0..count).try_for_each(|_| varint(reader).map(drop))
}

/// What follows its length.
fn sized<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let len = usize::try_from(varint(reader)?).ok()?;
    reader.take(len)
}

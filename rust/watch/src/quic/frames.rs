//! The frames inside an Initial packet: which pieces of the handshake it carries.

use super::packet::varint;
use super::version::Dialect;
use crate::reader::Reader;

/// A piece of the handshake, and where in it it belongs.
pub(super) type Piece<'a> = (u64, &'a [u8]);

/// Gives each piece of the handshake that the payload of an Initial packet carries, up to its end or to
/// what may not be in one (RFC 9000 12.4, table 3).
pub(super) fn pieces(payload: &[u8], dialect: Dialect) -> impl Iterator<Item = Piece<'_>> {
    let mut reader = Reader::new(payload);
    let frame = match dialect {
        Dialect::One | Dialect::Two => frame,
        Dialect::GoogleTls | Dialect::GoogleCrypto => google_frame,
    };
    std::iter::from_fn(move || (!reader.is_empty()).then(|| frame(&mut reader)).flatten()).flatten()
}

/// The next frame: a piece, or another one. `None` if it is not understood.
type Frame<'a> = Option<Option<Piece<'a>>>;

/// RFC 9000 19.
fn frame<'a>(reader: &mut Reader<'a>) -> Frame<'a> {
    match reader.u8()? {
        // PADDING, PING.
        0 | 1 => Some(None),
        ecn @ (2 | 3) => acknowledgement(reader, ecn == 3).map(|()| None),
        6 => crypto(reader).map(Some),
        0x1c => close(reader).map(|()| None),
        _ => None,
    }
}

/// RFC 9000 19.6. Google had the same form under another number.
fn crypto<'a>(reader: &mut Reader<'a>) -> Option<Piece<'a>> {
    let offset = varint(reader)?;
    let len = usize::try_from(varint(reader)?).ok()?;
    Some((offset, reader.take(len)?))
}

/// RFC 9000 19.3.
fn acknowledgement(reader: &mut Reader<'_>, ecn: bool) -> Option<()> {
    let _largest = varint(reader)?;
    let _delay = varint(reader)?;
    let ranges = varint(reader)?;
    let _first = varint(reader)?;
    for _ in 0..ranges {
        let _gap = varint(reader)?;
        let _range = varint(reader)?;
    }
    for _ in 0..if ecn { 3 } else { 0 } {
        let _count = varint(reader)?;
    }
    Some(())
}

/// RFC 9000 19.19.
fn close(reader: &mut Reader<'_>) -> Option<()> {
    let _error = varint(reader)?;
    let _frame = varint(reader)?;
    let reason = usize::try_from(varint(reader)?).ok()?;
    reader.take(reason).map(|_| ())
}

/// The frames of Google's versions of before the standard, as far as a client's first packets have them.
fn google_frame<'a>(reader: &mut Reader<'a>) -> Frame<'a> {
    match reader.u8()? {
        // PADDING, PING.
        0 | 7 => Some(None),
        8 => crypto(reader).map(Some),
        kind @ 0x40..=0x7f => google_acknowledgement(reader, kind).map(|()| None),
        _ => None,
    }
}

/// Type `01ntllmm`: n for more than one block, l and m for the lengths of its numbers.
fn google_acknowledgement(reader: &mut Reader<'_>, kind: u8) -> Option<()> {
    let len = |bits: u8| [1, 2, 4, 6].get(usize::from(bits & 3)).copied();
    let _largest = reader.take(len(kind >> 2)?)?;
    let _delay = reader.u16()?;
    let blocks = if kind & 0x20 == 0 { 0 } else { reader.u8()? };
    let block = len(kind)?;
    let _first = reader.take(block)?;
    reader.take(usize::from(blocks) * (1 + block))?;
    // The first time is of 5 bytes, each further one of 3.
    let times = reader.u8()?;
    reader.take(if times == 0 { 0 } else { 2 + 3 * usize::from(times) }).map(|_| ())
}

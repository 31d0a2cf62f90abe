//! Numbers and strings of QPACK (RFC 9204 4.1).

use crate::http2::hpack::Huffman;
use crate::reader::Reader;

/// A number in the last `bits` of the first byte and, where it does not fit, in those that follow
/// (RFC 7541 5.1). Gives the bits before it too.
pub(super) fn number(reader: &mut Reader<'_>, bits: u8) -> Option<(u8, u64)> {
    let first = reader.u8()?;
    let mask = u8::MAX.checked_shr(u32::from(8 - bits))?;
    let mut value = u64::from(first & mask);
    if first & mask == mask {
        for shift in (0..).step_by(7) {
            // More than 2^35 is nobody's length or index.
            let byte = reader.u8().filter(|_| shift <= 28)?;
            value += u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    Some((first & !mask, value))
}

/// A string whose length is a number of so many bits, with the bit for Huffman's code before it.
pub(super) fn string(reader: &mut Reader<'_>, bits: u8) -> Option<Vec<u8>> {
    let (flags, len) = number(reader, bits)?;
    let bytes = reader.take(usize::try_from(len).ok()?)?;
    if flags.checked_shr(bits.into())? & 1 == 0 {
        return Some(bytes.to_vec());
    }
    let (mut code, mut text) = (Huffman::default(), Vec::new());
    for byte in bytes {
        code.push(*byte, |symbol| text.push(symbol))?;
    }
    code.may_end().then_some(text)
}

//! Percent-encoding, RFC 3986 2.1, undone once or twice.

use crate::search::sheet::Sheet;

/// What is left as it stands, because a structure around it would be another one without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::search) enum Keep {
    /// Nothing.
    Nothing,
    /// What quotes, divides and escapes: " \ & = and control characters.
    Structure,
}

/// Appends the bytes, decoded.
pub(in crate::search) fn decode(bytes: &[u8], keep: Keep, sheet: &mut Sheet) {
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'%', rest) {
        let (before, from) = rest.split_at(at);
        sheet.text.extend_from_slice(before);
        rest = escape(from, keep, sheet);
    }
    sheet.text.extend_from_slice(rest);
}

/// Appends the byte that an escape at the beginning stands for, or the percent sign; gives what follows.
#[inline]
pub(in crate::search) fn escape<'a>(from: &'a [u8], keep: Keep, sheet: &mut Sheet) -> &'a [u8] {
    let (byte, used, times) = match once(from) {
        None => (b'%', 1, 0),
        Some(b'%') => match from.get(3..).and_then(pair) {
            Some(byte) => (byte, 5, 2),
            None => (b'%', 3, 1),
        },
        Some(byte) => (byte, 3, 1),
    };
    if keep == Keep::Structure && times > 0 && (byte < 0x20 || b"\"\\&=".contains(&byte)) {
        sheet.text.extend_from_slice(from.get(..used).unwrap_or_default());
    } else if times > 0 {
        sheet.push_percent(byte, times > 1);
    } else {
        sheet.text.push(byte);
    }
    from.get(used..).unwrap_or_default()
}

#[inline]
fn once(from: &[u8]) -> Option<u8> {
    from.get(1..).and_then(pair)
}

/// The byte that two hexadecimal digits stand for.
#[inline]
pub(in crate::search) fn pair(digits: &[u8]) -> Option<u8> {
    let [high, low] = *digits.first_chunk()?;
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

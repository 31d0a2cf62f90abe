//! UTF-16, either end first: RFC 2781.

/// Which byte of two comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::search) enum End {
    Big,
    Little,
}

/// Whether bytes are UTF-16 text: by a mark at its beginning, or because nearly every other byte is zero, as in
/// all languages that are written in Latin letters.
pub(in crate::search) fn end(bytes: &[u8]) -> Option<End> {
    match bytes {
        _ if bytes.len() < SHORTEST || bytes.len() % 2 == 1 => None,
        [0xff, 0xfe, ..] => Some(End::Little),
        [0xfe, 0xff, ..] => Some(End::Big),
        _ => {
            let (pairs, _) = bytes.as_chunks::<2>();
            // Most of what is short has no zero at all; to count them in it takes longer.
            let none = bytes.len() <= FEW && !bytes.iter().fold(false, |any, byte| any | (*byte == 0));
            if none || memchr::memchr_iter(0, bytes).count() < pairs.len() - pairs.len() / 4 {
                return None;
            }
            let (mut high, mut low) = (0, 0);
            for [first, second] in pairs {
                high += usize::from(*first == 0);
                low += usize::from(*second == 0);
            }
            let many = pairs.len() - pairs.len() / 4;
            match (high >= many, low >= many) {
                (true, false) => Some(End::Big),
                (false, true) => Some(End::Little),
                _ => None,
            }
        }
    }
}

/// Whether there is a mark at the beginning.
#[inline]
pub(in crate::search) fn is_marked(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

/// Four letters.
const SHORTEST: usize = 8;
const FEW: usize = 64;

/// Writes the text in UTF-8, and says whether all of it was text.
pub(in crate::search) fn decode(bytes: &[u8], end: End, to: &mut Vec<u8>) -> bool {
    to.clear();
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| match end {
        End::Big => u16::from_be_bytes(*pair),
        End::Little => u16::from_le_bytes(*pair),
    });
    let mut good = true;
    for letter in char::decode_utf16(units) {
        let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
        good &= letter != char::REPLACEMENT_CHARACTER;
        if letter != '\u{feff}' {
            to.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    good
}

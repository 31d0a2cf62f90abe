//! How bytes of the network are written where a person, a terminal or a database meets them.

/// Writes bytes of a name: letters in lower case, and what is not printable ASCII as `\DDD` (RFC 4343 2.1).
/// A backslash is written `\\`, so that no two names look alike.
pub(crate) fn push_name(text: &mut String, bytes: &[u8]) {
    if !push_plain(text, bytes, b"\\") {
        bytes.iter().for_each(|byte| push(text, byte.to_ascii_lowercase(), b"\\", false));
    }
}

/// As [`push_name`], for one label of a DNS name: a dot inside it is written `\.`. As bytes, which are ASCII: an
/// answer may have a hundred names of odd bytes, and a text would be looked at again with each.
pub(crate) fn push_label(text: &mut Vec<u8>, label: &[u8]) {
    let start = text.len();
    if is_plain(label, b".\\") {
        text.extend_from_slice(label);
        return text.get_mut(start..).into_iter().for_each(<[u8]>::make_ascii_lowercase);
    }
    text.reserve(4 * label.len());
    for byte in label {
        match byte {
            b'.' | b'\\' => text.extend_from_slice(&[b'\\', *byte]),
            0x21..=0x7e => text.push(byte.to_ascii_lowercase()),
            _ => text.extend_from_slice(&in_digits(*byte)),
        }
    }
}

/// Bytes as a quoted string of a zone file (RFC 1035 5.1), at most `longest` of them; `...` stands for
/// the rest.
pub(crate) fn quoted(bytes: &[u8], longest: usize) -> String {
    let mut text = String::from("\"");
    for byte in bytes.iter().take(longest) {
        push(&mut text, *byte, b"\"\\", true);
    }
    text.push_str(if bytes.len() > longest { "...\"" } else { "\"" });
    text
}

/// Writes bytes that stand for themselves but for their case, as nearly all names are; else nothing.
fn push_plain(text: &mut String, bytes: &[u8], escaped: &[u8]) -> bool {
    let Some(plain) = str::from_utf8(bytes).ok().filter(|_| is_plain(bytes, escaped)) else { return false };
    let start = text.len();
    text.push_str(plain);
    text.get_mut(start..).into_iter().for_each(str::make_ascii_lowercase);
    true
}

fn is_plain(bytes: &[u8], escaped: &[u8]) -> bool {
    // Without an early end this goes many bytes at a time.
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7e) & escaped.iter().all(|other| *other != byte);
    bytes.iter().fold(true, |plain, byte| plain & is_plain(*byte))
}

fn push(text: &mut String, byte: u8, escaped: &[u8], space: bool) {
    match byte {
        _ if escaped.contains(&byte) => text.extend(['\\', char::from(byte)]),
        b' ' if space => text.push(' '),
        0x21..=0x7e => text.push(char::from(byte)),
        _ => text.extend(in_digits(byte).map(char::from)),
    }
}

/// `\DDD`.
pub(crate) fn in_digits(byte: u8) -> [u8; 4] {
    const DIGITS: [[u8; 4]; 256] = {
        let (mut digits, mut byte) = ([[b'\\'; 4]; 256], 0_u8);
        loop {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
            let place = &mut digits[byte as usize];
            *place = [b'\\', b'0' + byte / 100, b'0' + byte / 10 % 10, b'0' + byte % 10];
            if byte == u8::MAX {
                break digits;
            }
            byte += 1;
        }
    };
    DIGITS.get(usize::from(byte)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_bytes_cannot_reach_a_terminal() {
        let mut label = Vec::new();
        push_label(&mut label, b"a.\x1b\\\xff Z");
        assert_eq!(label, b"a\\.\\027\\\\\\255\\032z");
        let mut text = String::new();
        push_name(&mut text, b"A.b\n");
        assert_eq!(text, "a.b\\010");
    }

    #[test]
    fn a_string_keeps_its_case_and_spaces_and_is_cut() {
        assert_eq!(quoted(b"v=spf1 \"A\"\0", 99), "\"v=spf1 \\\"A\\\"\\000\"");
        assert_eq!(quoted(b"abcdef", 3), "\"abc...\"");
    }
}

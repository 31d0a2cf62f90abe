//! Texts of a request as they may be shown and kept.

use crate::name_text::{in_digits, push_name};

/// A text: printable ASCII as it is, other bytes as `\DDD`, a backslash twice; cut before `longest`
/// characters are passed.
pub(crate) fn text(bytes: &[u8], longest: usize) -> String {
    // As nearly all are; without an early end this goes many bytes at a time.
    let plain = bytes.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'[' | b']'..=b'~'));
    if let Some(plain) = str::from_utf8(bytes).ok().filter(|_| plain) {
        return plain.get(..longest).unwrap_or(plain).to_owned();
    }
    // As bytes, which are ASCII.
    let mut text = Vec::with_capacity(bytes.len().min(longest));
    for byte in bytes {
        let before = text.len();
        match byte {
            b'\\' => text.extend_from_slice(b"\\\\"),
            b' '..=b'~' => text.push(*byte),
            _ => text.extend_from_slice(&in_digits(*byte)),
        }
        if text.len() > longest {
            text.truncate(before);
            break;
        }
    }
    text.shrink_to_fit();
    String::from_utf8(text).unwrap_or_default()
}

/// The host of an authority (RFC 3986 3.2) or of a `Host` field: without user, port and last dot, in
/// lower case. An address keeps its brackets. `None` where there is none, or none that exists.
pub(crate) fn host(authority: &[u8]) -> Option<String> {
    let authority = authority.trim_ascii();
    let host = authority.rsplit(|byte| *byte == b'@').next()?;
    let host = without_port(host);
    let host = host.strip_suffix(b".").unwrap_or(host);
    if host.is_empty() || host.len() > LONGEST_HOST {
        return None;
    }
    let mut text = String::with_capacity(host.len());
    push_name(&mut text, host);
    text.shrink_to_fit();
    Some(text)
}

/// RFC 1035 2.3.4.
const LONGEST_HOST: usize = 255;

fn without_port(host: &[u8]) -> &[u8] {
    if host.first() == Some(&b'[') {
        return host.iter().position(|byte| *byte == b']').and_then(|end| host.get(..=end)).unwrap_or(host);
    }
    match host.iter().position(|byte| *byte == b':').and_then(|colon| host.split_at_checked(colon)) {
        // One colon: an IPv6 address without brackets has more.
        Some((name, port)) if port.iter().skip(1).all(u8::is_ascii_digit) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_in_lower_case_and_without_port() {
        for (authority, expected) in [
            ("WWW.Example", "www.example"),
            (" a.example.:8080 ", "a.example"),
            ("user:secret@a.example:80", "a.example"),
            ("192.0.2.7:8008", "192.0.2.7"),
            ("[2001:DB8::7]:443", "[2001:db8::7]"),
            ("2001:db8::7", "2001:db8::7"),
            ("a.example:", "a.example"),
            ("a.example:http", "a.example:http"),
            ("a\u{1b}[2J\\", "a\\027[2j\\\\"),
        ] {
            assert_eq!(host(authority.as_bytes()).as_deref(), Some(expected), "{authority}");
        }
        for nothing in ["", " ", ".", ":80", &"a".repeat(256)] {
            assert_eq!(host(nothing.as_bytes()), None, "{nothing}");
        }
    }

    #[test]
    fn a_text_is_printable_and_cut_between_characters() {
        assert_eq!(text(b"/A b\\\x1b\xff", 99), "/A b\\\\\\027\\255");
        assert_eq!(text(b"ab\xff", 5), "ab");
        assert_eq!(text(b"abcdef", 5), "abcde");
    }
}

//! How bytes of the network are written where a person, a terminal or a database meets them.

/// Writes bytes of a name: letters in lower case, and what is not printable ASCII as `\DDD` (RFC 4343 2.1).
/// A backslash is written `\\`, so that no two names look alike.
pub(crate) fn push_name(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        push(text, byte.to_ascii_lowercase(), b"\\", false);
    }
}

/// As [`push_name`], for one label of a DNS name: a dot inside it is written `\.`.
pub(crate) fn push_label(text: &mut String, label: &[u8]) {
    for byte in label {
        push(text, byte.to_ascii_lowercase(), b".\\", false);
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

fn push(text: &mut String, byte: u8, escaped: &[u8], space: bool) {
    match byte {
        _ if escaped.contains(&byte) => text.extend(['\\', char::from(byte)]),
        b' ' if space => text.push(' '),
        0x21..=0x7e => text.push(char::from(byte)),
        _ => text.extend(['\\', digit(byte / 100), digit(byte / 10 % 10), digit(byte % 10)]),
    }
}

fn digit(value: u8) -> char {
    char::from(b'0' + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_bytes_cannot_reach_a_terminal() {
        let mut text = String::new();
        push_label(&mut text, b"a.\x1b\\\xff Z");
        assert_eq!(text, "a\\.\\027\\\\\\255\\032z");
        text.clear();
        push_name(&mut text, b"A.b\n");
        assert_eq!(text, "a.b\\010");
    }

    #[test]
    fn a_string_keeps_its_case_and_spaces_and_is_cut() {
        assert_eq!(quoted(b"v=spf1 \"A\"\0", 99), "\"v=spf1 \\\"A\\\"\\000\"");
        assert_eq!(quoted(b"abcdef", 3), "\"abc...\"");
    }
}

//! The bytes of a head, divided to be searched.

use crate::page::Head;

/// Target and fields of a head of HTTP/1.x. Lines that go on with the one before belong to its value
/// (RFC 9112 5.2).
pub(super) fn divide(text: &[u8]) -> Head<'_> {
    let (first, rest) = split_line(text);
    let (method, target) = split_request(first);
    let mut head = Head { method, target, ..divide_trailers(rest) };
    if method.is_empty() && target.is_empty() && !first.is_empty() {
        head.fields.push((&[], first.trim_ascii()));
    }
    head
}

/// Trailers: fields alone.
pub(super) fn divide_trailers(text: &[u8]) -> Head<'_> {
    let mut head = Head::default();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = split_field(rest);
        let line_end = line.trim_ascii().is_empty();
        head.fields.extend((!line_end).then(|| split_colon(line)));
        rest = after;
    }
    head
}

/// Method and target: what stands between that and the version, or all the rest where there is none. A status line has
/// neither.
fn split_request(line: &[u8]) -> (&[u8], &[u8]) {
    let line = line.trim_ascii();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(start) = line.iter().position(is_blank) else { return (&[], line) };
    if line.starts_with(b"HTTP/") {
        return (&[], &[]);
    }
    let (method, rest) = line.split_at_checked(start).unwrap_or((line, &[]));
    let rest = rest.trim_ascii();
    let target = match rest.iter().rposition(is_blank) {
        Some(end) if rest.get(end + 1..).is_some_and(|version| version.starts_with(b"HTTP/")) => {
            rest.get(..end).unwrap_or_default().trim_ascii()
        }
        _ => rest,
    };
    (method, target)
}

fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1);
    text.split_at_checked(end).unwrap_or((text, &[]))
}

/// A line, and those that go on with it.
fn split_field(text: &[u8]) -> (&[u8], &[u8]) {
    let mut len = split_line(text).0.len();
    while let Some(rest @ [b' ' | b'\t', ..]) = text.get(len..) {
        len += split_line(rest).0.len();
    }
    text.split_at_checked(len).unwrap_or((text, &[]))
}

/// Name and value; a line without a colon is a value alone.
fn split_colon(line: &[u8]) -> (&[u8], &[u8]) {
    let colon = line.iter().position(|byte| *byte == b':');
    let (name, value) = line.split_at_checked(colon.unwrap_or(0)).unwrap_or_default();
    let value = if colon.is_some() { value.get(1..).unwrap_or_default() } else { value };
    (name.trim_ascii(), value.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divided(text: &str) -> (String, Vec<(String, String)>) {
        let text_of = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let head = divide(text.as_bytes());
        let fields = head.fields.iter().map(|(name, value)| (text_of(name), text_of(value))).collect();
        ([text_of(head.method), text_of(head.target)].join(" ").trim().to_owned(), fields)
    }

    #[test]
    fn a_head_has_a_target_and_fields() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let whole = "POST  /a b?c HTTP/1.1\r\nHost :x\r\nodd\r\nX-Id: 1\r\n 2\r\n\r\n";
        let fields = vec![field("Host", "x"), field("", "odd"), field("X-Id", "1\r\n 2")];
        assert_eq!(divided(whole), ("POST /a b?c".into(), fields));
        assert_eq!(divided("GET /old\r\n"), ("GET /old".into(), vec![]));
        let answer = vec![field("A", "b"), field("", "HTTP/1.1 200 OK")];
        assert_eq!(divided("HTTP/1.1 200 OK\nA:b"), (String::new(), answer));
        assert_eq!(divided(""), (String::new(), vec![]));
        assert_eq!(divide_trailers(b"Sum: 7\r\n").fields, [(&b"Sum"[..], &b"7"[..])]);
    }
}

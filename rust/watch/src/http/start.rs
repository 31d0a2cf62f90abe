//! The first line of a message (RFC 9112 3, 4), and what the beginning of a connection looks like.

use std::borrow::Cow;

use super::text::{host, text};
use crate::session::Likeness;

/// A request line or a status line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    Request(Target),
    Status(u16),
}

/// What a request line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// `GET`...
    pub(crate) method: Cow<'static, str>,
    /// The host of CONNECT, or of an absolute URI.
    pub(crate) host: Option<String>,
    /// Path with query.
    pub(crate) path: String,
    /// Whether no head follows: HTTP/0.9.
    pub(super) simple: bool,
}

impl Target {
    /// The same with another target.
    pub(super) fn with(&self, target: &[u8]) -> Self {
        split_target(self.method.as_bytes(), target, self.simple, true)
    }
}

/// What a line could be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trust {
    /// Whether it stands where a message must begin: then it may be odd.
    pub(super) in_step: bool,
    /// Whether it is the first of the connection: then it may be HTTP/0.9.
    pub(super) first: bool,
    /// Whether the end of it is missing, because it was too long.
    pub(super) cut: bool,
    /// Whether its method and path are kept.
    pub(super) kept: bool,
}

/// Reads a request line.
pub(super) fn request(line: &[u8], trust: Trust) -> Option<Target> {
    let (method, rest) = split_space(line)?;
    if !is_method(method) {
        return None;
    }
    let (target, simple) = match rsplit_space(rest) {
        // The version stood at the end.
        _ if trust.cut => (rest, false),
        Some((target, version)) if is_version(version) => (target, false),
        _ => (rest, true),
    };
    let plausible = is_usual_target(method, target);
    let trusted = match (trust.cut, simple) {
        (true, _) => trust.in_step && plausible,
        (_, true) => trust.first && method == b"GET" && plausible,
        _ => plausible || (trust.in_step && !target.is_empty()),
    };
    trusted.then(|| split_target(method, target, simple, trust.kept))
}

/// Reads a status line (RFC 9112 4); reason and version are whatever they are.
pub(super) fn status(line: &[u8]) -> Option<u16> {
    let (version, rest) = split_space(line)?;
    let [hundreds, tens, ones, after @ ..] = rest else { return None };
    let digits = [hundreds, tens, ones];
    let ends = after.first().is_none_or(u8::is_ascii_whitespace);
    if !is_version(version) || !ends || !digits.iter().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(**digit - b'0')))
}

/// Whether a line may be the first of a message where none has to begin: what [`request`] and [`status`] take
/// then has a version at the beginning or the end.
pub(super) fn may_begin_message(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.starts_with(b"HTTP/") || line.last_chunk::<8>().is_some_and(|end| is_version(end))
}

/// Whether a client that begins so speaks HTTP/1.x or 0.9. Once it is [`Likeness::Yes`] or
/// [`Likeness::No`], more bytes do not change it.
pub(crate) fn looks_like(bytes: &[u8]) -> Likeness {
    let bytes = skip_blank(bytes);
    let method_len = bytes.iter().take(LONGEST_METHOD + 1).take_while(|byte| is_token(**byte)).count();
    let (method, rest) = bytes.split_at_checked(method_len).unwrap_or_default();
    match rest.first() {
        None if method_len <= LONGEST_METHOD => return Likeness::Maybe,
        Some(b' ' | b'\t') if is_method(method) => {}
        _ => return Likeness::No,
    }
    let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let target = rest.get(spaces..).unwrap_or_default();
    let (line, complete) = match target.iter().position(|byte| *byte == b'\n') {
        Some(end) => (target.get(..end).unwrap_or_default(), true),
        None => (target, false),
    };
    if known(method).is_some() && is_certain_target(method, line) {
        return Likeness::Yes;
    }
    match rsplit_space(line) {
        _ if line.len() > LONGEST_TARGET => Likeness::No,
        _ if !complete => Likeness::Maybe,
        Some((_, version)) if is_version(version) => Likeness::Yes,
        _ => Likeness::No,
    }
}

/// Whether a server's first bytes are those of an HTTP/1.x reply: where the client's were not seen.
pub(crate) fn looks_like_reply(bytes: &[u8]) -> Likeness {
    // "HTTP/1.1 200"
    let shape = b"HTTP/9.9 999";
    let fits = |(byte, shape): (&u8, &u8)| if *shape == b'9' { byte.is_ascii_digit() } else { byte == shape };
    match bytes.iter().zip(shape).all(fits) {
        true if bytes.len() >= shape.len() => Likeness::Yes,
        true => Likeness::Maybe,
        false => Likeness::No,
    }
}

/// Longer ones than `UPDATEREDIRECTREF` are not registered.
const LONGEST_METHOD: usize = 32;

/// How long an opening may stay undecided.
const LONGEST_TARGET: usize = 2_048;

/// The methods that nearly all requests have: a connection that begins with one and a path is HTTP. Others
/// have to show their version first, for SIP and RTSP look alike until then.
const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

fn known(method: &[u8]) -> Option<&'static str> {
    KNOWN.into_iter().find(|known| known.as_bytes() == method)
}

fn is_method(method: &[u8]) -> bool {
    (1..=LONGEST_METHOD).contains(&method.len()) && method.iter().all(|byte| is_token(*byte))
}

/// RFC 9110 5.6.2.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_version(bytes: &[u8]) -> bool {
    // HTTP/2 has no request lines: `PRI * HTTP/2.0` is its preface.
    matches!(bytes, [b'H', b'T', b'T', b'P', b'/', b'0' | b'1', b'.', minor] if minor.is_ascii_digit())
}

/// Whether the target is of one of the four forms (RFC 9112 3.2).
fn is_usual_target(method: &[u8], target: &[u8]) -> bool {
    match target {
        [b'/', ..] | b"*" => true,
        _ if method == b"CONNECT" => host(target).is_some(),
        _ => split_scheme(target).is_some(),
    }
}

/// As far as it can be said without its end.
fn is_certain_target(method: &[u8], line: &[u8]) -> bool {
    match line {
        [b'/', ..] => true,
        _ if method == b"CONNECT" => {
            let port = line.iter().skip_while(|byte| **byte != b':').nth(1);
            port.is_some_and(u8::is_ascii_digit) && !line.starts_with(b":")
        }
        _ => line.starts_with(b"http://") || line.starts_with(b"https://"),
    }
}

/// A method as it is kept.
pub(crate) fn method_of(method: &[u8]) -> Cow<'static, str> {
    known(method).map_or_else(|| text(method, LONGEST_METHOD).into(), Cow::Borrowed)
}

fn split_target(method: &[u8], target: &[u8], simple: bool, kept: bool) -> Target {
    let (authority, path) = match split_scheme(target) {
        _ if method == b"CONNECT" => (Some(target), &b""[..]),
        Some(rest) => {
            let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end).unwrap_or_default();
            (Some(authority), if path.is_empty() { &b"/"[..] } else { path })
        }
        None => (None, target),
    };
    Target {
        method: if kept { method_of(method) } else { known(method).unwrap_or_default().into() },
        host: authority.and_then(host),
        path: if kept { text(path, LONGEST_PATH) } else { String::new() },
        simple,
    }
}

/// Characters of a path that are kept.
pub(crate) const LONGEST_PATH: usize = 2_048;

/// What follows `scheme://` (RFC 3986 3.1).
fn split_scheme(target: &[u8]) -> Option<&[u8]> {
    let len = target.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte))?;
    let (scheme, rest) = target.split_at_checked(len)?;
    let rest = rest.strip_prefix(b"://")?;
    (scheme.first()?.is_ascii_alphabetic() && !rest.is_empty()).then_some(rest)
}

/// What stands before and after the first white space (RFC 9112 3: any of it).
fn split_space(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| matches!(byte, b' ' | b'\t'))?;
    let (before, after) = line.split_at_checked(at)?;
    Some((before, after.trim_ascii()))
}

/// What stands before and after the last white space: targets of sloppy clients have some inside.
fn rsplit_space(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii_end();
    let at = line.iter().rposition(|byte| matches!(byte, b' ' | b'\t'))?;
    let (before, after) = line.split_at_checked(at)?;
    Some((before.trim_ascii(), after.trim_ascii()))
}

/// Empty lines before a request are skipped (RFC 9112 2.2).
fn skip_blank(bytes: &[u8]) -> &[u8] {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    bytes.get(blank..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Trust = Trust { in_step: true, first: true, cut: false, kept: true };

    fn read(line: &str) -> Option<(String, Option<String>, String)> {
        request(line.as_bytes(), STRICT).map(|target| (target.method.into_owned(), target.host, target.path))
    }

    fn is(method: &str, host: Option<&str>, path: &str) -> Option<(String, Option<String>, String)> {
        Some((method.into(), host.map(str::to_owned), path.into()))
    }

    #[test]
    fn all_forms_of_a_target_are_read() {
        assert_eq!(read("GET /a?b HTTP/1.1"), is("GET", None, "/a?b"));
        assert_eq!(read("PROPFIND\t/a b  HTTP/1.0 "), is("PROPFIND", None, "/a b"));
        assert_eq!(read("OPTIONS * HTTP/1.1"), is("OPTIONS", None, "*"));
        assert_eq!(read("CONNECT A.example:443 HTTP/1.1"), is("CONNECT", Some("a.example"), ""));
        assert_eq!(read("GET http://u@A.example:81/x HTTP/1.1"), is("GET", Some("a.example"), "/x"));
        assert_eq!(read("GET http://a.example?x HTTP/1.1"), is("GET", Some("a.example"), "?x"));
        assert_eq!(read("GET http://a.example HTTP/1.1"), is("GET", Some("a.example"), "/"));
        assert_eq!(read("GET /old"), is("GET", None, "/old"));
        assert_eq!(read("GET odd HTTP/1.1"), is("GET", None, "odd"));
    }

    #[test]
    fn what_is_no_request_line_is_none() {
        for line in [
            "",
            "GET",
            "GET ",
            "GET old",
            "POST /old",
            "PRI * HTTP/2.0",
            "G(T / HTTP/1.1",
            "OPTIONS sip:a SIP/2.0",
            "DESCRIBE rtsp://a/ RTSP/1.0",
            "GET HTTP/1.1",
            " / HTTP/1.1",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
        let later = Trust { in_step: false, first: false, cut: false, kept: true };
        assert_eq!(request(b"GET /old", later), None);
        assert_eq!(request(b"see also HTTP/1.1", later), None);
    }

    #[test]
    fn a_status_line_may_lack_its_reason() {
        for line in ["HTTP/1.1 200 OK", "HTTP/1.0 200", "HTTP/1.1  200  ", "HTTP/1.1 200 \u{e9}"] {
            assert_eq!(status(line.as_bytes()), Some(200), "{line}");
        }
        for line in ["HTTP/1.1 20", "HTTP/2.0 200", "HTTP/1.1 2000", "HTTP/1.1 2x0", "200 OK", "HTTP/1.1"] {
            assert_eq!(status(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn the_opening_of_a_client_is_told_early_and_for_good() {
        let yes = [
            "GET /",
            "\r\nPOST /x",
            "CONNECT a:4",
            "GET http://",
            "M-SEARCH * HTTP/1.1\r\n",
            "get x HTTP/1.0\n",
        ];
        let maybe = ["", "G", "GET", "GET ", "\r\n", "CONNECT a", "PROPFIND /", "GET htt", "OPTIONS * HT"];
        let no = [
            "\x16\x03\x01",
            "SSH-2.0-x\r\n",
            "GET key\r\n",
            "PRI * HTTP/2.0\r\n",
            "OPTIONS sip:a SIP/2.0\r\n",
            "REGISTER sip:a SIP/2.0\r\n",
            "HTTP/1.1 200",
            "EHLO a\r\n",
        ];
        for (openings, expected) in
            [(&yes[..], Likeness::Yes), (&maybe[..], Likeness::Maybe), (&no[..], Likeness::No)]
        {
            for opening in openings {
                assert_eq!(looks_like(opening.as_bytes()), expected, "{opening:?}");
            }
        }
        for opening in yes.iter().chain(&no) {
            let all: Vec<_> = (0..=opening.len()).map(|len| looks_like(&opening.as_bytes()[..len])).collect();
            let decided = all.iter().position(|likeness| *likeness != Likeness::Maybe).unwrap();
            assert!(all[decided..].iter().all(|likeness| *likeness == all[decided]), "{opening:?}: {all:?}");
        }
    }

    #[test]
    fn the_opening_of_a_server_is_a_status_line() {
        assert_eq!(looks_like_reply(b"HTTP/1.1 200 OK"), Likeness::Yes);
        assert_eq!(looks_like_reply(b"HTTP/1."), Likeness::Maybe);
        assert_eq!(looks_like_reply(b"HTTP/1.1 OK"), Likeness::No);
        assert_eq!(looks_like_reply(b"220 a ESMTP"), Likeness::No);
    }
}

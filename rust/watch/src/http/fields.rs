//! What is kept of the header fields of a message, of either version of HTTP.

use telltale_model::{Class, Coverage, Facts, NameSource, Request};

use super::start::Target;
use super::text::{host, text};
use crate::page::{Head, Kind, Page};
use crate::session::Next;

/// Header fields, as far as they matter here.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    /// Whether there is anything.
    begun: bool,
    host: Option<String>,
    /// Hosts besides the first.
    others: Vec<String>,
    user_agent: Option<String>,
    cookies: Vec<String>,
    content_type: Option<String>,
    content_encoding: Option<String>,
    pub(super) length: Length,
    /// Whether the last transfer coding is `chunked`.
    pub(super) chunked: bool,
    /// Whether there is another transfer coding.
    pub(super) coded: bool,
    /// What the connection shall go on with (RFC 9110 7.8).
    pub(super) upgrade: Option<Next>,
}

/// What `Content-Length` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Length {
    #[default]
    Absent,
    Of(u64),
    /// No number, or different ones (RFC 9112 6.3).
    Invalid,
}

impl Fields {
    /// Reads `name: value`.
    pub(super) fn add_line(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = line.split_at_checked(colon).unwrap_or_default();
        self.add(name.trim_ascii(), value.get(1..).unwrap_or_default());
    }

    /// Takes a field in. Names are compared without regard to case.
    pub(crate) fn add(&mut self, name: &[u8], value: &[u8]) {
        let value = value.trim_ascii();
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            4 if is("host") => self.add_host(value),
            6 if is("cookie") => self.add_cookies(value),
            7 if is("upgrade") => self.upgrade = self.upgrade.or_else(|| protocol(value)),
            10 if is("user-agent") => keep(&mut self.user_agent, value, LONGEST_AGENT),
            12 if is("content-type") => keep(&mut self.content_type, value, LONGEST_TYPE),
            14 if is("content-length") => self.length = self.length.and(value),
            16 if is("content-encoding") => keep(&mut self.content_encoding, value, LONGEST_ENCODING),
            17 if is("transfer-encoding") => self.add_codings(value),
            _ => return,
        }
        self.begun = true;
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        if self.begun {
            *self = Self::default();
        }
    }

    /// Takes a host in, besides those of `Host` fields.
    pub(crate) fn add_host(&mut self, authority: &[u8]) {
        if self.others.len() + 1 >= HOSTS {
            return;
        }
        self.begun = true;
        match &self.host {
            None => self.host = host(authority),
            Some(_) => self.others.extend(host(authority)),
        }
    }

    /// Hosts that were named.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &String> {
        self.host.iter().chain(&self.others)
    }

    /// How far a body with these fields can be looked into.
    pub(crate) fn class(&self) -> Class {
        let plain =
            self.content_encoding.as_deref().is_none_or(|coding| coding.eq_ignore_ascii_case("identity"));
        let readable = self.content_type.as_deref().is_some_and(is_text);
        if plain && readable && !self.coded { Class::Searched } else { Class::Opaque }
    }

    /// What a body with these fields is.
    pub(crate) fn body(&self) -> Kind {
        Kind::Body { media: self.content_type.clone(), coding: self.content_encoding.clone() }
    }

    /// What may be kept of the fields of a head; `None` where they may be kept as they are.
    pub(crate) fn redacted(&self, head: &Head<'_>, page: &Page) -> Option<Self> {
        let (mut kept, mut changed) = (Self { begun: true, ..Self::default() }, false);
        for (name, value) in head.fields.iter().filter(|(name, _)| is_kept(name)) {
            match page.redact_bytes(value) {
                None => kept.add(name, value),
                Some(text) => {
                    changed = true;
                    kept.add(name, text.as_bytes());
                }
            }
        }
        // A host has a form of its own, which a name in it does not have.
        let mut hosts =
            self.hosts().map(|host| page.redact(host).unwrap_or_else(|| host.clone())).collect::<Vec<_>>();
        changed |= !hosts.iter().eq(self.hosts());
        kept.host = (!hosts.is_empty()).then(|| hosts.remove(0));
        kept.others = hosts;
        changed.then_some(kept)
    }

    /// The same where the head is not here any more, of the texts themselves.
    pub(crate) fn redact(&mut self, page: &Page) {
        let options =
            [&mut self.host, &mut self.user_agent, &mut self.content_type, &mut self.content_encoding];
        let texts = options.into_iter().flatten().chain(&mut self.others).chain(&mut self.cookies);
        texts.for_each(|text| *text = page.redact(text).unwrap_or_else(|| std::mem::take(text)));
    }

    /// Remembers a request and the names that it carried. Gives its place in [`Facts::requests`], unless
    /// there are enough.
    pub(crate) fn into_request(self, target: Target, page: &mut Page) -> Option<usize> {
        // RFC 9112 3.2.2: a host in the target goes before `Host`.
        let hosts = target.host.into_iter().chain(self.host).chain(self.others);
        let mut hosts = hosts.inspect(|name| page.add_name(name, NameSource::Http));
        let host = hosts.next().unwrap_or_default();
        hosts.for_each(drop);
        let place = page.facts.requests.len();
        if place >= Facts::KEPT {
            return None;
        }
        page.facts.requests.push(Request {
            method: target.method.into_owned(),
            host,
            path: target.path,
            user_agent: self.user_agent,
            cookies: self.cookies,
            content_type: self.content_type,
            content_encoding: self.content_encoding,
            body: 0,
            looked: Coverage::default(),
            status: None,
        });
        Some(place)
    }

    /// RFC 6265 4.2.1: `name=value; name=value`.
    fn add_cookies(&mut self, value: &[u8]) {
        if self.cookies.len() >= COOKIES {
            return;
        }
        let mut room = COOKIE_CHARACTERS - self.cookies.iter().map(String::len).sum::<usize>();
        for pair in value.split(|byte| *byte == b';').take(PAIRS) {
            let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
            if self.cookies.len() >= COOKIES {
                break;
            }
            let name = text(name, LONGEST_COOKIE.min(room));
            if !name.is_empty() {
                room -= name.len();
                self.cookies.push(name);
            }
        }
    }

    /// RFC 9112 6.1, 7.
    fn add_codings(&mut self, value: &[u8]) {
        for coding in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            self.chunked = coding.eq_ignore_ascii_case(b"chunked");
            self.coded |= !self.chunked && !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity");
        }
    }

    /// Bytes of memory behind it.
    pub(crate) fn held(&self) -> usize {
        let options = [&self.host, &self.user_agent, &self.content_type, &self.content_encoding];
        let kept = options.into_iter().flatten().chain(&self.others).chain(&self.cookies);
        let places = (self.others.capacity() + self.cookies.capacity()) * size_of::<String>();
        places + kept.map(String::capacity).sum::<usize>()
    }
}

impl Length {
    /// RFC 9110 8.6: a list of the same number counts as one.
    fn and(self, value: &[u8]) -> Self {
        if self == Self::Invalid || value.len() > LONGEST_LENGTHS {
            return Self::Invalid;
        }
        value.split(|byte| *byte == b',').fold(self, |length, one| match (length, number(one.trim_ascii())) {
            (Self::Absent, Some(number)) => Self::Of(number),
            (Self::Of(before), Some(number)) if before == number => length,
            _ => Self::Invalid,
        })
    }
}

/// Whether the value of a field is kept.
fn is_kept(name: &[u8]) -> bool {
    ["cookie", "user-agent", "content-type", "content-encoding"]
        .iter()
        .any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()))
}

const HOSTS: usize = 4;
const COOKIES: usize = 64;
/// Of one field, those without a name among them.
const PAIRS: usize = 4 * COOKIES;
const COOKIE_CHARACTERS: usize = 1_024;
const LONGEST_COOKIE: usize = 64;
const LONGEST_AGENT: usize = 512;
const LONGEST_TYPE: usize = 128;
const LONGEST_ENCODING: usize = 64;
/// Room for the same number six times.
const LONGEST_LENGTHS: usize = 128;

/// The first of several is kept.
fn keep(field: &mut Option<String>, value: &[u8], longest: usize) {
    field.get_or_insert_with(|| text(value, longest));
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

/// The first protocol of a list that is known here, else that there is one.
fn protocol(value: &[u8]) -> Option<Next> {
    let mut known = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter_map(|name| match name {
        _ if name.eq_ignore_ascii_case(b"websocket") => Some(Next::WebSocket),
        _ if name.eq_ignore_ascii_case(b"h2c") => Some(Next::Http2),
        // RFC 2817 3.
        _ if name.get(..4).is_some_and(|tls| tls.eq_ignore_ascii_case(b"TLS/")) => Some(Next::Tls),
        _ => None,
    });
    known.next().or_else(|| (!value.is_empty()).then_some(Next::Anything))
}

/// Whether content of this type is text that can be searched as it stands.
fn is_text(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((kind, subtype)) = essence.split_once('/') else { return false };
    let structure = subtype.rsplit('+').next().unwrap_or_default();
    kind == "text" || TEXTS.contains(&structure)
}

/// Subtypes and structured suffixes (RFC 6839) that are text, in whatever type.
const TEXTS: [&str; 11] = [
    "csv",
    "ecmascript",
    "graphql",
    "javascript",
    "json",
    "json-rpc",
    "json-seq",
    "ndjson",
    "x-javascript",
    "x-www-form-urlencoded",
    "xml",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[&str]) -> Fields {
        let mut fields = Fields::default();
        lines.iter().for_each(|line| fields.add_line(line.as_bytes()));
        fields
    }

    #[test]
    fn fields_are_found_in_any_case_and_with_any_space() {
        let fields =
            fields(&["HOST :a.example:80 ", "user-agent:x", "no colon", ": y", "Cookie: a=1; b; =c; d=e=f"]);
        assert_eq!(fields.hosts().collect::<Vec<_>>(), ["a.example"]);
        assert_eq!(fields.user_agent.as_deref(), Some("x"));
        assert_eq!(fields.cookies, ["a", "b", "d"]);
    }

    #[test]
    fn text_without_coding_can_be_searched() {
        let class = |content_type: &str, more: &str| {
            fields(&[&format!("Content-Type: {content_type}"), more]).class()
        };
        for readable in [
            "text/plain; charset=utf-8",
            "application/json",
            "application/vnd.api+json",
            "TEXT/HTML",
            "application/x-www-form-urlencoded",
            "application/soap+xml",
            "image/svg+xml",
        ] {
            assert_eq!(class(readable, ""), Class::Searched, "{readable}");
        }
        for other in [
            "",
            "json",
            "json-rpc",
            "application/octet-stream",
            "multipart/form-data; boundary=x",
            "image/png",
        ] {
            assert_eq!(class(other, ""), Class::Opaque, "{other}");
        }
        assert_eq!(class("text/plain", "Content-Encoding: gzip"), Class::Opaque);
        assert_eq!(class("text/plain", "Content-Encoding: identity"), Class::Searched);
        assert_eq!(class("text/plain", "Transfer-Encoding: gzip, chunked"), Class::Opaque);
        assert_eq!(class("text/plain", "Transfer-Encoding: chunked"), Class::Searched);
    }

    #[test]
    fn lengths_that_differ_are_none() {
        for (values, expected) in [
            (&["5"][..], Length::Of(5)),
            (&["5, 5", "5"], Length::Of(5)),
            (&["5", "6"], Length::Invalid),
            (&["+5"], Length::Invalid),
            (&[""], Length::Invalid),
            (&["99999999999999999999"], Length::Invalid),
        ] {
            assert_eq!(
                values.iter().fold(Length::Absent, |length, value| length.and(value.as_bytes())),
                expected
            );
        }
    }

    #[test]
    fn the_protocol_of_an_upgrade_is_told() {
        for (value, next) in [
            ("WebSocket", Some(Next::WebSocket)),
            ("h2c", Some(Next::Http2)),
            ("x, TLS/1.0", Some(Next::Tls)),
            ("x", Some(Next::Anything)),
            ("", None),
        ] {
            assert_eq!(protocol(value.as_bytes()), next, "{value}");
        }
    }

    #[test]
    fn what_is_kept_of_a_head_is_bounded() {
        let mut fields = Fields::default();
        for number in 0..5_000 {
            let name = format!("{number}{}", "\u{ff}".repeat(200));
            for field in ["Host", "User-Agent", "Cookie", "Content-Type", "Content-Encoding"] {
                fields.add_line(format!("{field}: {name}").as_bytes());
            }
        }
        assert!(fields.held() <= 10_000, "{}", fields.held());
    }
}

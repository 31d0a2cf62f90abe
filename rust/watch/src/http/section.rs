//! A head as HTTP/2 and HTTP/3 say it: a section of fields, each as it is decoded.

use std::borrow::Cow;

use telltale_model::{Class, Direction, Facts, Request};

use super::{Fields, LONGEST_PATH, Target, host as host_of, method_of, text};
use crate::page::{Head, Page};

/// What is known of a request whose fields are being read.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    target: Target,
    fields: Fields,
    /// Whether nothing but its hosts, and how its body can be read, will be told of it.
    passed: bool,
    /// Whether anything was read.
    begun: bool,
}

/// A request that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// Its place in [`telltale_model::Facts::requests`], if it is there.
    pub(crate) place: Option<u8>,
    /// How far its body can be looked into, where no details are looked for.
    pub(crate) class: Class,
}

impl Asking {
    /// A request begins. Of one that nobody will see less has to be read.
    pub(crate) fn begin(&mut self, page: &Page) {
        if self.begun {
            *self = Self::default();
        }
        self.passed = page.facts.requests.len() >= Facts::KEPT && !page.is_searching();
    }

    /// RFC 9113 8.3.1, RFC 9114 4.3.1. Of each pseudo-field there is one; more are an error, and the first is kept.
    /// Fields of the connection are none here (8.2.2), and DATA ends where its frames say.
    pub(crate) fn add(&mut self, name: &[u8], value: &[u8]) {
        let Target { method, host, path, .. } = &mut self.target;
        self.begun = true;
        match name {
            [] | b"content-length" | b"transfer-encoding" | b"upgrade" => {}
            b":path" | b"cookie" | b"user-agent" if self.passed => {}
            b":method" if method.is_empty() => *method = method_of(value),
            b":authority" if host.is_none() => *host = host_of(value),
            b":path" if path.is_empty() => *path = text(value, LONGEST_PATH),
            [b':', ..] => {}
            _ => self.fields.add(name, value),
        }
    }

    /// How far the body can be looked into.
    fn class(&self) -> Class {
        if self.target.method == "CONNECT" { Class::Opaque } else { self.fields.class() }
    }

    /// All of it is here, and its head on this sheet. Where it was sent, the sheet goes on with its body. Nothing of
    /// it is left.
    pub(crate) fn ask(&mut self, direction: Direction, sheet: u32, page: &mut Page) -> Asked {
        let class = self.class();
        if self.passed && self.target.host.is_none() && self.fields.hosts().next().is_none() {
            return Asked { place: None, class };
        }
        let body = self.fields.body();
        let asking = std::mem::take(self);
        let Self { target, fields, .. } = if page.is_searching() { asking.kept(sheet, page) } else { asking };
        let place = fields.into_request(target, page);
        if direction == Direction::Sent && page.is_searching() {
            page.end_head(sheet, place, true);
            page.begin(sheet, body);
        }
        Asked { place: place.and_then(|place| u8::try_from(place).ok()), class }
    }

    /// Bytes of memory behind it.
    pub(crate) fn held(&self) -> usize {
        self.fields.held() + self.target.path.capacity()
    }

    /// What may be kept of it.
    fn kept(mut self, sheet: u32, page: &Page) -> Self {
        self.target.method = page.redact(&self.target.method).map_or(self.target.method, Cow::Owned);
        let Some(head) = page.head(sheet) else {
            self.fields.redact(page);
            let texts = [Some(&mut self.target.path), self.target.host.as_mut()];
            texts.into_iter().flatten().for_each(|text| {
                *text = page.redact(text).unwrap_or_else(|| std::mem::take(text));
            });
            return self;
        };
        if let Some(path) = page.redact_bytes(head.target) {
            self.target.path = text(path.as_bytes(), LONGEST_PATH);
        }
        let host = self.target.host.as_deref().and_then(|host| page.redact(host));
        self.target.host = host.or(self.target.host);
        self.fields = self.fields.redacted(&head, page).unwrap_or(self.fields);
        self
    }
}

/// The status that a field of an answer tells.
pub(crate) fn status(name: &[u8], value: &[u8]) -> Option<u16> {
    if name == b":status" { str::from_utf8(value).ok()?.parse().ok() } else { None }
}

/// What answers a request: neither provisional nor trailers (RFC 9110 15).
pub(crate) fn is_final(status: &u16) -> bool {
    *status >= 200
}

/// The request at a place of [`telltale_model::Facts::requests`].
pub(crate) fn request_at(place: Option<u8>, page: &mut Page) -> Option<&mut Request> {
    page.facts.requests.get_mut(usize::from(place?))
}

/// All of a request was sent.
pub(crate) fn end_of_sent(direction: Direction, sheet: u32, page: &mut Page) {
    if direction == Direction::Sent {
        page.end(sheet);
        page.close(sheet);
    }
}

/// More bytes of a body that was sent belong to this request.
pub(crate) fn add_body(place: Option<u8>, bytes: usize, page: &mut Page) {
    if let Some(request) = request_at(place, page) {
        request.body = request.body.saturating_add(bytes as u64);
    }
}

/// Names and values are kept so far; longer ones are cut.
pub(crate) const LONGEST_NAME: usize = 64;
/// See [`LONGEST_NAME`].
pub(crate) const LONGEST_VALUE: usize = 2_048;

/// Stands after each name and each value: neither may hold it (RFC 9113 8.2.1).
const END: u8 = 0;

/// Writes a field down. One that is not known any more, or was cut, leaves the head not understood.
pub(crate) fn say(name: &[u8], value: &[u8], sheet: u32, page: &mut Page) {
    if name.is_empty() || name.len() >= LONGEST_NAME || value.len() >= LONGEST_VALUE {
        page.spoil(sheet);
    }
    if name.is_empty() && value.is_empty() {
        return;
    }
    for text in [name, value] {
        page.say(sheet, text);
        page.say(sheet, &[END]);
    }
}

/// Target and fields as [`say`] wrote them down.
pub(crate) fn divide(text: &[u8]) -> Head<'_> {
    let mut head = Head::default();
    let mut texts = text.split(|byte| *byte == END);
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        match name {
            b":path" => head.target = value,
            b":method" => head.method = value,
            b":authority" => head.fields.push((b"host", value)),
            b":scheme" if matches!(value, b"http" | b"https") => {}
            _ => head.fields.push((name, value)),
        }
    }
    head
}

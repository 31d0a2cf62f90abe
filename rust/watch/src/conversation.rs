//! One flow from its first byte to its last: finds out what is spoken, lets the session of that protocol
//! read it, and goes along where the protocol changes.

use std::sync::Arc;

use telltale_model::{Application, Class, Details, Direction, Facts, FlowKey, Protocol, Sealed, Timestamp};

use crate::database::{MySql, Postgres};
use crate::dns::{Answer, Dns};
use crate::http::Http;
use crate::http2::Http2;
#[cfg(feature = "keys")]
use crate::keys::{self, Keys};
use crate::mail::Mail;
use crate::opening::{Opening, Spoken, is_dns_port};
use crate::page::{Desk, Page};
use crate::plain::Plain;
use crate::quic::Quic;
use crate::session::{Next, Step};
use crate::signatures::{is_push, is_resolver};
use crate::tls::{Dtls, Tls};
use crate::unknown::Unknown;
use crate::websocket::WebSocket;

/// What is read of one flow.
///
/// Every byte that was sent is counted in one class of [`Facts::coverage`], at latest by [`Self::end`].
/// The same bytes in other pieces give the same facts; of UDP a piece is one datagram.
#[derive(Debug)]
pub struct Conversation {
    page: Page,
    talk: Talk,
    /// Whether the hello has been looked at for what is spoken inside.
    named: bool,
}

/// What is spoken, in a flow or inside an encrypted one.
#[derive(Debug)]
pub(crate) struct Talk {
    key: FlowKey,
    session: Session,
    /// How often it may still change its protocol.
    changes: usize,
    /// Whether bytes are missing of it.
    torn: bool,
    /// What may open what is encrypted, and how often inside one another.
    #[cfg(feature = "keys")]
    keys: Option<(Keys, u8)>,
}

#[derive(Debug)]
enum Session {
    Opening(Opening),
    Tls(Box<Tls>),
    Dtls(Box<Dtls>),
    Quic(Box<Quic>),
    #[cfg(feature = "keys")]
    OpenTls(Box<keys::Tls>),
    #[cfg(feature = "keys")]
    OpenQuic(Box<keys::Quic>),
    Http(Box<Http>),
    Http2(Box<Http2>),
    WebSocket(Box<WebSocket>),
    Mail(Box<Mail>),
    MySql(Box<MySql>),
    Postgres(Box<Postgres>),
    Dns(Box<Dns>),
    Plain(Box<Plain>),
    Unknown(Box<Unknown>),
    Over,
}

/// Calls the same function of whichever session it is that reads a protocol.
macro_rules! each {
    ($session:expr, $reader:ident => $call:expr, $otherwise:expr) => {
        match $session {
            Session::Tls($reader) => $call,
            Session::Dtls($reader) => $call,
            Session::Quic($reader) => $call,
            #[cfg(feature = "keys")]
            Session::OpenTls($reader) => $call,
            #[cfg(feature = "keys")]
            Session::OpenQuic($reader) => $call,
            Session::Http($reader) => $call,
            Session::Http2($reader) => $call,
            Session::WebSocket($reader) => $call,
            Session::Mail($reader) => $call,
            Session::MySql($reader) => $call,
            Session::Postgres($reader) => $call,
            Session::Dns($reader) => $call,
            Session::Plain($reader) => $call,
            Session::Unknown($reader) => $call,
            Session::Opening(_) | Session::Over => $otherwise,
        }
    };
}

/// Changes of protocol that a conversation may make: CONNECT, in it HTTP, an upgrade; more are a game.
const CHANGES: usize = 4;

impl Conversation {
    /// Of a flow that begins.
    pub fn new(key: FlowKey) -> Self {
        Self { page: Page::default(), talk: Talk::new(key), named: false }
    }

    /// The same, in which these details are looked for.
    pub fn looking_for(key: FlowKey, details: &Details) -> Self {
        let mut conversation = Self::new(key);
        conversation.look_for(Desk::new(details, &Arc::default()).as_ref());
        conversation
    }

    /// Reads what is encrypted with these keys, as far as they open it.
    #[cfg(feature = "keys")]
    #[must_use]
    pub fn with_keys(self, keys: &Keys) -> Self {
        Self { talk: self.talk.with_keys(keys, keys::DEPTH), ..self }
    }

    /// From now on this is looked for in what is sent; nothing, where it is `None`.
    pub(crate) fn look_for(&mut self, desk: Option<&Arc<Desk>>) {
        self.page.look_for(desk);
    }

    /// What comes next is sent at this moment, by this program.
    pub(crate) fn turn_to(&mut self, at: Timestamp, program: Option<&str>) {
        if self.page.is_searching() {
            self.page.turn_to(at, program);
        }
    }

    /// The next bytes of a direction; over UDP one datagram.
    pub fn take(&mut self, direction: Direction, bytes: &[u8]) {
        self.talk.take(direction, bytes, &mut self.page);
        self.name();
    }

    /// Records of TLS went by that nobody can read, see [`Self::is_sealed`].
    pub fn pass(&mut self, sealed: Sealed) {
        if let Session::Tls(tls) = &mut self.talk.session {
            tls.pass(sealed, &mut self.page);
        } else {
            self.miss(Direction::Sent, sealed.len());
        }
    }

    /// Whether it needs no more of the TLS that it reads than the lengths that [`Framing`](crate::Framing) tells, and
    /// what that leaves over; of what is received nothing.
    pub fn is_sealed(&self) -> bool {
        matches!(&self.talk.session, Session::Tls(tls) if tls.is_sealed())
    }

    /// Bytes of a direction are missing here, 0 where nobody knows how many. They count as content that was
    /// not watched: what a person sent is never more than is told.
    pub fn miss(&mut self, direction: Direction, bytes: u64) {
        if direction == Direction::Sent {
            self.page.facts.coverage.add(Class::NotWatched, bytes);
            self.page.facts.content_sent = self.page.facts.content_sent.saturating_add(bytes);
        }
        self.talk.miss(direction, bytes, &mut self.page);
    }

    /// No more comes: what was held back is counted.
    pub fn end(&mut self) {
        self.talk.end(&mut self.page);
        self.name();
    }

    /// A flow that goes on with the QUIC connection of this one from another port, if its first datagram
    /// says so.
    pub(crate) fn moved(&self, key: FlowKey, datagram: &[u8]) -> Option<Self> {
        let quic = self.talk.quic()?;
        let moved = || Session::Quic(Box::new(quic.moved()));
        let new = Self::new(key);
        quic.is_of(datagram).then(|| Self { talk: Talk { session: moved(), ..new.talk }, ..new })
    }

    /// Whether it speaks QUIC.
    pub(crate) fn is_quic(&self) -> bool {
        self.talk.quic().is_some()
    }

    /// Bytes of memory behind it.
    pub(crate) fn held(&mut self) -> usize {
        size_of::<Self>() + self.talk.held() + self.page.held()
    }

    /// What was read so far.
    pub fn facts(&self) -> &Facts {
        &self.page.facts
    }

    /// The same, for good.
    pub fn into_facts(self) -> Facts {
        self.page.facts
    }

    /// The addresses of names that were answered since the last call.
    pub(crate) fn take_answers(&mut self) -> Vec<Answer> {
        self.talk.take_answers()
    }

    /// What is spoken inside TLS or QUIC, as far as ports and the hello tell.
    fn name(&mut self) {
        self.page.ask_names();
        let (Some(outside), false) = (self.page.facts.application, self.named) else { return };
        let encrypted = matches!(outside, Application::Tls | Application::Quic);
        let port = self.talk.key.remote.port();
        if encrypted && self.page.facts.hello.is_none() && !self.talk.is_over() && port != DNS_PORT {
            return;
        }
        self.page.facts.application = self.inside(outside).filter(|_| encrypted).or(Some(outside));
        self.named = true;
    }

    fn inside(&self, outside: Application) -> Option<Application> {
        // With ECH an outer name (browsers pretend always, RFC 9849 6.2) still tells whose server it is.
        let name = self.page.facts.names.first().map(|name| name.name.as_str());
        let remote = self.talk.key.remote;
        let mut offered = self.page.facts.hello.iter().flat_map(|hello| &hello.alpn);
        let dns = remote.port() == DNS_PORT || offered.any(|protocol| protocol == "dot");
        match () {
            () if dns && outside == Application::Tls => Some(Application::Dot),
            () if dns => Some(Application::Doq),
            () if name.is_some_and(is_push) => Some(Application::Fcm),
            () if remote.port() == 443 && is_resolver(name, remote.ip()) => Some(Application::Doh),
            () => None,
        }
    }
}

impl Talk {
    pub(crate) fn new(key: FlowKey) -> Self {
        Self {
            key,
            session: Session::Opening(Opening::new(key, false)),
            changes: CHANGES,
            torn: false,
            #[cfg(feature = "keys")]
            keys: None,
        }
    }

    /// Reads what is encrypted with these keys, so many times inside one another.
    #[cfg(feature = "keys")]
    pub(crate) fn with_keys(self, keys: &Keys, depth: u8) -> Self {
        Self { keys: (depth > 0).then(|| (keys.clone(), depth)), ..self }
    }

    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) {
        self.read(direction, bytes, page);
    }

    /// Bytes are missing, 0 where nobody knows how many. They were counted as not watched already.
    pub(crate) fn miss(&mut self, direction: Direction, bytes: u64, page: &mut Page) {
        self.torn = true;
        each!(&mut self.session, reader => reader.miss(direction, bytes, page), ());
        // What is behind the gap may tell more than what is before.
        let unknown = matches!(self.session, Session::Opening(_) | Session::Unknown(_));
        if unknown && self.key.protocol == Protocol::Tcp {
            self.end(page);
            self.session = Session::Opening(Opening::new(self.key, true));
        }
    }

    pub(crate) fn end(&mut self, page: &mut Page) {
        // What is held may hold another opening, behind CONNECT; each costs one of the changes that are left.
        while let Session::Opening(opening) = &self.session {
            let spoken = opening.likeliest();
            self.open(spoken, page);
        }
        each!(&mut self.session, reader => reader.end(page), ());
        page.close_all();
        self.session = Session::Over;
    }

    pub(crate) fn held(&self) -> usize {
        let opening = if let Session::Opening(opening) = &self.session { opening.held() } else { 0 };
        each!(&self.session, reader => size_of_val(&**reader) + reader.held(), opening)
    }

    pub(crate) fn take_answers(&mut self) -> Vec<Answer> {
        match &mut self.session {
            Session::Dns(dns) => dns.take_answers(),
            #[cfg(feature = "keys")]
            Session::OpenTls(tls) => tls.take_answers(),
            _ => Vec::new(),
        }
    }

    fn quic(&self) -> Option<&Quic> {
        match &self.session {
            Session::Quic(quic) => Some(quic),
            #[cfg(feature = "keys")]
            Session::OpenQuic(quic) => Some(quic.outside()),
            _ => None,
        }
    }

    fn read(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) {
        if let Session::Opening(opening) = &mut self.session {
            if let Some(decided) = opening.take(direction, bytes) {
                let rest = bytes.get(bytes.len() - decided.rest..).unwrap_or_default();
                // A datagram without a byte is one as well, but says nothing.
                self.open(decided.spoken, page);
                if !rest.is_empty() {
                    self.read(direction, rest, page);
                }
            }
            return;
        }
        let step = each!(&mut self.session, reader => reader.take(direction, bytes, page), Step::On);
        if let Step::Switch { to, sent, received } = step {
            self.switch(to, &sent, &received, page);
        }
    }

    /// Begins to read what is spoken, with what was held until it was known.
    fn open(&mut self, spoken: Spoken, page: &mut Page) {
        let session = self.session_of(spoken);
        if let Session::Opening(opening) = std::mem::replace(&mut self.session, session) {
            for (direction, bytes) in opening.into_held() {
                self.read(direction, &bytes, page);
            }
        }
    }

    /// The old session has counted all but what it hands over.
    fn switch(&mut self, to: Next, sent: &[u8], received: &[u8], page: &mut Page) {
        page.close_all();
        page.facts.before = page.facts.coverage;
        let left = self.changes.checked_sub(1);
        self.changes = left.unwrap_or(0);
        self.session = match to {
            _ if left.is_none() => self.session_of(Spoken::Unknown),
            Next::Tls => self.session_of(Spoken::Tls),
            Next::WithinTls(record) => Session::Tls(Box::new(Tls::within(record))),
            Next::Http2 => Session::Http2(Box::new(Http2::new(true))),
            Next::WebSocket => Session::WebSocket(Box::new(WebSocket::new())),
            Next::Anything => Session::Opening(Opening::new(self.key, self.torn)),
        };
        for (direction, bytes) in [(Direction::Sent, sent), (Direction::Received, received)] {
            if !bytes.is_empty() {
                self.read(direction, bytes, page);
            }
        }
    }

    fn session_of(&self, spoken: Spoken) -> Session {
        #[cfg(feature = "keys")]
        if let Some(session) = self.session_with_keys(spoken) {
            return session;
        }
        match spoken {
            Spoken::Tls => Session::Tls(Box::new(Tls::new())),
            Spoken::Dtls => Session::Dtls(Box::new(Dtls::new())),
            Spoken::Quic => Session::Quic(Box::new(Quic::new())),
            Spoken::Http => Session::Http(Box::new(Http::new())),
            Spoken::Http2 => Session::Http2(Box::new(Http2::new(false))),
            Spoken::Mail => Session::Mail(Box::new(Mail::new())),
            Spoken::MySql => Session::MySql(Box::new(MySql::new())),
            Spoken::Postgres => Session::Postgres(Box::new(Postgres::new())),
            Spoken::DnsDatagrams(dialect) => {
                Session::Dns(Box::new(Dns::over_udp(dialect, is_dns_port(&self.key))))
            }
            Spoken::DnsStream => Session::Dns(Box::new(Dns::over_tcp(is_dns_port(&self.key)))),
            Spoken::Plain(application) => {
                Session::Plain(Box::new(Plain::new(application, self.key.protocol)))
            }
            Spoken::Unknown => Session::Unknown(Box::new(Unknown::new(self.key.protocol, self.torn))),
        }
    }

    #[cfg(feature = "keys")]
    fn session_with_keys(&self, spoken: Spoken) -> Option<Session> {
        let (keys, depth) = self.keys.as_ref()?;
        if spoken == Spoken::Quic {
            return Some(Session::OpenQuic(Box::new(keys::Quic::new(keys))));
        }
        let tls = || Session::OpenTls(Box::new(keys::Tls::new(self.key, keys, *depth)));
        (spoken == Spoken::Tls).then(tls)
    }

    fn is_over(&self) -> bool {
        matches!(self.session, Session::Over)
    }
}

/// Of DNS over TLS and over QUIC, RFC 7858 3.1 and RFC 9250 4.1.1.
const DNS_PORT: u16 = 853;

#[cfg(test)]
mod tests;

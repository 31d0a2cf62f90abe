//! One flow from its first byte to its last: finds out what is spoken, lets the session of that protocol
//! read it, and goes along where the protocol changes.

use std::sync::Arc;

use telltale_model::{Application, Class, Details, Direction, Facts, FlowKey, Protocol, Timestamp};

use crate::dns::{Answer, Dns};
use crate::http::Http;
use crate::http2::Http2;
use crate::mail::Mail;
use crate::opening::{Opening, Spoken};
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
    key: FlowKey,
    page: Page,
    session: Session,
    /// How often it may still change its protocol.
    changes: usize,
    /// Whether the hello has been looked at for what is spoken inside.
    named: bool,
}

#[derive(Debug)]
enum Session {
    Opening(Opening),
    Tls(Box<Tls>),
    Dtls(Box<Dtls>),
    Quic(Box<Quic>),
    Http(Box<Http>),
    Http2(Box<Http2>),
    WebSocket(Box<WebSocket>),
    Mail(Box<Mail>),
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
            Session::Http($reader) => $call,
            Session::Http2($reader) => $call,
            Session::WebSocket($reader) => $call,
            Session::Mail($reader) => $call,
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
        Self {
            key,
            page: Page::default(),
            session: Session::Opening(Opening::new(key)),
            changes: CHANGES,
            named: false,
        }
    }

    /// The same, in which these details are looked for.
    pub fn looking_for(key: FlowKey, details: &Details) -> Self {
        let mut conversation = Self::new(key);
        conversation.look_for(Desk::new(details, &Arc::default()).as_ref());
        conversation
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
        self.read(direction, bytes, self.changes);
        self.name();
    }

    /// Bytes of a direction are missing here, 0 where nobody knows how many. They count as content that was
    /// not watched: what a person sent is never more than is told.
    pub fn miss(&mut self, direction: Direction, bytes: u64) {
        if direction == Direction::Sent {
            self.page.facts.coverage.add(Class::NotWatched, bytes);
            self.page.facts.content_sent = self.page.facts.content_sent.saturating_add(bytes);
        }
        let page = &mut self.page;
        each!(&mut self.session, reader => reader.miss(direction, bytes, page), ());
        // What is behind the gap may tell more than what is before.
        let unknown = matches!(self.session, Session::Opening(_) | Session::Unknown(_));
        if unknown && self.key.protocol == Protocol::Tcp {
            self.end();
            self.session = Session::Opening(Opening::new(self.key));
        }
    }

    /// No more comes: what was held back is counted.
    pub fn end(&mut self) {
        // What is held may hold another opening, behind CONNECT.
        for changes in (0..=self.changes).rev() {
            if let Session::Opening(opening) = &self.session {
                let spoken = if changes == 0 { Spoken::Unknown } else { opening.likeliest() };
                self.open(spoken, changes);
            }
        }
        each!(&mut self.session, reader => reader.end(&mut self.page), ());
        self.page.close_all();
        self.session = Session::Over;
        self.name();
    }

    /// A flow that goes on with the QUIC connection of this one from another port, if its first datagram
    /// says so.
    pub(crate) fn moved(&self, key: FlowKey, datagram: &[u8]) -> Option<Self> {
        let Session::Quic(quic) = &self.session else { return None };
        let moved = || Session::Quic(Box::new(quic.moved()));
        quic.is_of(datagram).then(|| Self { session: moved(), ..Self::new(key) })
    }

    /// Whether it speaks QUIC.
    pub(crate) fn is_quic(&self) -> bool {
        matches!(self.session, Session::Quic(_))
    }

    /// Bytes of memory behind it.
    pub(crate) fn held(&self) -> usize {
        let opening = if let Session::Opening(opening) = &self.session { opening.held() } else { 0 };
        let session = each!(&self.session, reader => size_of_val(&**reader) + reader.held(), opening);
        size_of::<Self>() + session + self.page.held()
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
        if let Session::Dns(dns) = &mut self.session { dns.take_answers() } else { Vec::new() }
    }

    fn read(&mut self, direction: Direction, bytes: &[u8], changes: usize) {
        if let Session::Opening(opening) = &mut self.session {
            if let Some(decided) = opening.take(direction, bytes) {
                let rest = bytes.get(bytes.len() - decided.rest..).unwrap_or_default();
                // A datagram without a byte is one as well, but says nothing.
                self.open(decided.spoken, changes);
                if !rest.is_empty() {
                    self.read(direction, rest, changes);
                }
            }
            return;
        }
        let page = &mut self.page;
        let step = each!(&mut self.session, reader => reader.take(direction, bytes, page), Step::On);
        if let Step::Switch { to, sent, received } = step {
            self.switch(to, &sent, &received, changes);
        }
    }

    /// Begins to read what is spoken, with what was held until it was known.
    fn open(&mut self, spoken: Spoken, changes: usize) {
        let session = self.session_of(spoken);
        if let Session::Opening(opening) = std::mem::replace(&mut self.session, session) {
            for (direction, bytes) in opening.into_held() {
                self.read(direction, &bytes, changes);
            }
        }
    }

    /// The old session has counted all but what it hands over.
    fn switch(&mut self, to: Next, sent: &[u8], received: &[u8], changes: usize) {
        self.page.close_all();
        self.changes = self.changes.saturating_sub(1);
        self.session = match to {
            _ if changes == 0 => Session::Unknown(Box::new(Unknown::new(self.key.protocol))),
            Next::Tls => self.session_of(Spoken::Tls),
            Next::Http2 => Session::Http2(Box::new(Http2::new(true))),
            Next::WebSocket => Session::WebSocket(Box::new(WebSocket::new())),
            Next::Anything => Session::Opening(Opening::new(self.key)),
        };
        for (direction, bytes) in [(Direction::Sent, sent), (Direction::Received, received)] {
            if !bytes.is_empty() {
                self.read(direction, bytes, changes.saturating_sub(1));
            }
        }
    }

    fn session_of(&self, spoken: Spoken) -> Session {
        match spoken {
            Spoken::Tls => Session::Tls(Box::new(Tls::new())),
            Spoken::Dtls => Session::Dtls(Box::new(Dtls::new())),
            Spoken::Quic => Session::Quic(Box::new(Quic::new())),
            Spoken::Http => Session::Http(Box::new(Http::new())),
            Spoken::Http2 => Session::Http2(Box::new(Http2::new(false))),
            Spoken::Mail => Session::Mail(Box::new(Mail::new())),
            Spoken::DnsDatagrams(dialect) => Session::Dns(Box::new(Dns::over_udp(dialect))),
            Spoken::DnsStream => Session::Dns(Box::new(Dns::over_tcp())),
            Spoken::Plain(application) => {
                Session::Plain(Box::new(Plain::new(application, self.key.protocol)))
            }
            Spoken::Unknown => Session::Unknown(Box::new(Unknown::new(self.key.protocol))),
        }
    }

    /// What is spoken inside TLS or QUIC, as far as ports and the hello tell.
    fn name(&mut self) {
        self.page.ask_names();
        let (Some(outside), false) = (self.page.facts.application, self.named) else { return };
        let encrypted = matches!(outside, Application::Tls | Application::Quic);
        if encrypted
            && self.page.facts.hello.is_none()
            && !self.is_over()
            && self.key.remote.port() != DNS_PORT
        {
            return;
        }
        self.page.facts.application = self.inside(outside).filter(|_| encrypted).or(Some(outside));
        self.named = true;
    }

    fn is_over(&self) -> bool {
        matches!(self.session, Session::Over)
    }

    fn inside(&self, outside: Application) -> Option<Application> {
        // With ECH an outer name (browsers pretend always, RFC 9849 6.2) still tells whose server it is.
        let name = self.page.facts.names.first().map(|name| name.name.as_str());
        let remote = self.key.remote;
        let mut offered = self.page.facts.hello.iter().flat_map(|hello| &hello.alpn);
        let dns = remote.port() == DNS_PORT || offered.any(|protocol| protocol == "dot");
        match () {
            () if dns && outside == Application::Tls => Some(Application::Dot),
            () if dns => Some(Application::Doq),
            () if is_push(name, remote.port()) => Some(Application::Fcm),
            () if remote.port() == 443 && is_resolver(name, remote.ip()) => Some(Application::Doh),
            () => None,
        }
    }
}

/// Of DNS over TLS and over QUIC, RFC 7858 3.1 and RFC 9250 4.1.1.
const DNS_PORT: u16 = 853;

#[cfg(test)]
mod tests;

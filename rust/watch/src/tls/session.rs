//! A TLS connection: the client's hellos, then its records up to the end.

use telltale_model::{Application, Class, Direction, Facts, Sealed};

use super::certificate::Shown;
use super::handshake::Messages;
use super::hello::Transport;
use super::record::{Header, Kind, Piece, Records};
use crate::page::Page;
use crate::reader::Reader;
use crate::session::Step;

/// A TLS connection.
///
/// Payload of the client's application data is content; everything else that it sends is handshake, also
/// the end of its handshake where TLS 1.3 sends it as application data (see [`super::flight`] for what of
/// that is an estimate). What is no record is unknown, and the next record is looked for. Of the server's side
/// only the beginning matters: that it speaks, and the names of its certificate where they are in clear.
#[derive(Debug)]
pub(crate) struct Tls {
    sent: Records,
    received: Records,
    /// What the payload of the client's present record is.
    payload: Payload,
    messages: Messages,
    /// Payload of a record that is handshake if it is the last, else content: not counted yet.
    last: usize,
    server_spoke: bool,
    shown: Shown,
    recognised: bool,
    /// Whether the client's records were lost with bytes that nobody watched.
    behind_gap: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payload {
    Messages,
    Framing,
    Content,
    /// Content, unless nothing comes after it.
    Last,
}

impl Tls {
    pub(crate) fn new() -> Self {
        Self {
            sent: Records::default(),
            received: Records::default(),
            payload: Payload::Framing,
            messages: Messages::new(Transport::Tls),
            last: 0,
            server_spoke: false,
            shown: Shown::default(),
            recognised: false,
            behind_gap: false,
        }
    }

    /// The rest of a connection whose beginning was not seen: what the client sends next is so much of a record of
    /// application data, or where that is not known anything.
    pub(crate) fn within(record: Option<usize>) -> Self {
        let mut tls = Self { server_spoke: true, recognised: true, ..Self::new() };
        tls.shown.close();
        tls.payload = Payload::Content;
        if let Some(left) = record {
            tls.sent.go_on_with(left);
        } else {
            tls.sent.miss(0);
        }
        tls
    }

    /// The next bytes of a direction.
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        let facts = &mut page.facts;
        let mut bytes = Reader::new(bytes);
        match direction {
            Direction::Sent => {
                while let Some(piece) = self.sent.next(&mut bytes) {
                    self.piece(piece, facts);
                }
            }
            Direction::Received if !self.server_spoke || self.shown.is_open() => self.hear(&mut bytes, facts),
            Direction::Received => {}
        }
        Step::On
    }

    /// Records went by that were followed elsewhere, see [`super::framing`].
    pub(crate) fn pass(&mut self, sealed: Sealed, page: &mut Page) {
        let facts = &mut page.facts;
        facts.count_handshake(self.sent.give_up());
        self.let_go(facts);
        self.payload = Payload::Content;
        self.sent.go_on_with(sealed.left.into());
        self.behind_gap = false;
        facts.count_handshake(usize::try_from(sealed.framing).unwrap_or(usize::MAX));
        facts.count_content(Class::Encrypted, usize::try_from(sealed.content).unwrap_or(usize::MAX));
    }

    /// Whether nothing can be read any more of what either side says, but for records of the client's that are no
    /// content.
    pub(crate) fn is_sealed(&self) -> bool {
        let hears = !self.server_spoke || self.shown.is_open();
        self.payload == Payload::Content && self.messages.is_settled() && !hears
    }

    /// Bytes are missing, 0 where nobody knows how many.
    pub(crate) fn miss(&mut self, direction: Direction, bytes: u64, page: &mut Page) {
        let facts = &mut page.facts;
        if direction == Direction::Received {
            self.received.miss(0);
            self.received.give_up();
            self.shown.close();
            return;
        }
        facts.count_handshake(self.sent.give_up());
        self.let_go(facts);
        let in_place = self.sent.miss(bytes);
        self.behind_gap |= !in_place;
        if !in_place || self.payload == Payload::Messages {
            self.messages.cut(facts);
            self.payload = Payload::Framing;
        }
    }

    /// No more bytes come.
    pub(crate) fn end(&mut self, page: &mut Page) {
        let facts = &mut page.facts;
        let closes = self.messages.flight().may_close_with(self.last);
        if closes {
            facts.count_handshake(std::mem::take(&mut self.last));
        }
        self.let_go(facts);
        self.messages.cut(facts);
        facts.count_handshake(self.sent.give_up());
    }

    /// Bytes of memory that are held beyond the session itself.
    pub(crate) fn held(&self) -> usize {
        self.messages.held() + self.shown.held()
    }

    /// What keys depend on of the client's hello.
    #[cfg(feature = "keys")]
    pub(crate) fn begun(&self) -> super::handshake::Begun {
        self.messages.begun()
    }

    /// A protected record was opened elsewhere: the end of the client's handshake is not to be looked for here.
    #[cfg(feature = "keys")]
    pub(crate) fn pass_handshake(&mut self) {
        *self.messages.flight() = super::flight::Flight::Over;
    }

    fn piece(&mut self, piece: Piece<'_>, facts: &mut Facts) {
        match piece {
            Piece::Header(header) => {
                self.let_go(facts);
                self.header(header, facts);
            }
            Piece::Payload(bytes) => self.payload(bytes, facts),
            Piece::Stray(bytes) => {
                self.let_go(facts);
                self.messages.cut(facts);
                // What it was nobody can tell who did not watch what came before.
                let class = if self.behind_gap { Class::NotWatched } else { Class::Unknown };
                facts.count_content(class, bytes);
            }
        }
    }

    fn header(&mut self, header: Header, facts: &mut Facts) {
        const LEN: usize = 5;
        self.recognise(facts);
        self.behind_gap = false;
        facts.count_handshake(LEN);
        self.payload = match header.kind {
            Kind::Handshake => Payload::Messages,
            Kind::ApplicationData => self.application_data(header.len),
            Kind::Alert | Kind::Heartbeat => Payload::Framing,
            Kind::ChangeCipherSpec => {
                self.messages.change_cipher();
                Payload::Framing
            }
        };
    }

    fn application_data(&mut self, len: usize) -> Payload {
        let flight = self.messages.flight();
        if flight.takes(len, self.server_spoke) {
            Payload::Framing
        } else if flight.may_close_with(len) {
            Payload::Last
        } else {
            Payload::Content
        }
    }

    fn payload(&mut self, bytes: &[u8], facts: &mut Facts) {
        match self.payload {
            Payload::Content => return facts.count_content(Class::Encrypted, bytes.len()),
            Payload::Last => {
                self.last += bytes.len();
                return;
            }
            Payload::Messages => self.messages.take(bytes, facts),
            Payload::Framing => {}
        }
        facts.count_handshake(bytes.len());
    }

    /// Something comes after what might have been the last record.
    fn let_go(&mut self, facts: &mut Facts) {
        if self.last > 0 {
            facts.count_content(Class::Encrypted, std::mem::take(&mut self.last));
            self.payload = Payload::Content;
        }
    }

    fn hear(&mut self, bytes: &mut Reader<'_>, facts: &mut Facts) {
        while let Some(piece) = self.received.next(bytes) {
            match piece {
                Piece::Header(header) => {
                    self.server_spoke = true;
                    self.recognise(facts);
                    // Behind anything else it is encrypted (RFC 5246 7.1, RFC 8446 D.4).
                    if header.kind != Kind::Handshake {
                        self.shown.close();
                    }
                }
                Piece::Payload(bytes) => {
                    let certificate = self.shown.take(bytes);
                    facts.certificate = facts.certificate.take().or(certificate);
                }
                Piece::Stray(_) => {}
            }
            if self.server_spoke && !self.shown.is_open() {
                return;
            }
        }
    }

    /// Once, so that a better name of what is spoken inside stays.
    fn recognise(&mut self, facts: &mut Facts) {
        if !std::mem::replace(&mut self.recognised, true) {
            facts.application = Some(Application::Tls);
        }
    }
}

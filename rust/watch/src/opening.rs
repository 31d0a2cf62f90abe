//! Finds out what a flow speaks by its first bytes in both directions and its ports, and holds them until
//! then.

use telltale_model::{Application, Direction, FlowKey, Protocol};

use crate::dns::{self, Dialect};
use crate::session::Likeness;
use crate::signatures::{self, Datagram, Start};
use crate::{database, http, http2, limits, mail, quic, tls};

/// The first bytes of a flow. Those of a stream are looked at anew with each piece: 2 KiB a direction at most.
#[derive(Debug)]
pub(crate) struct Opening {
    key: FlowKey,
    /// Whether bytes lack before these.
    torn: bool,
    sent: Vec<u8>,
    received: Vec<u8>,
    /// In which order they came: over UDP each datagram, over TCP what came one way before the other spoke.
    order: Vec<(Direction, usize)>,
}

/// What a flow speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    Tls,
    Dtls,
    Quic,
    Http,
    Http2,
    /// Mail, and what greets like it.
    Mail,
    MySql,
    Postgres,
    DnsDatagrams(Dialect),
    DnsStream,
    /// A protocol that is named and not read.
    Plain(Application),
    /// Nothing that is known here.
    Unknown,
}

/// A decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decided {
    pub(crate) spoken: Spoken,
    /// How many of the last bytes were not held; they come after those of [`Opening::into_held`].
    pub(crate) rest: usize,
}

/// Pieces that are held: a flow of so many that is still not recognised will not be.
const PIECES: usize = 32;

impl Opening {
    pub(crate) fn new(key: FlowKey, torn: bool) -> Self {
        Self { key, torn, sent: Vec::new(), received: Vec::new(), order: Vec::new() }
    }

    /// Looks at the next bytes, over UDP at one datagram, and holds them.
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8]) -> Option<Decided> {
        match self.key.protocol {
            Protocol::Tcp => self.take_stream(direction, bytes),
            Protocol::Udp => self.take_datagram(direction, bytes),
            Protocol::Icmp => Some(Decided { spoken: Spoken::Unknown, rest: bytes.len() }),
        }
    }

    /// What was held, in its order.
    pub(crate) fn into_held(self) -> Vec<(Direction, Vec<u8>)> {
        let (mut sent, mut received) = (self.sent.as_slice(), self.received.as_slice());
        let piece = |(direction, len): &(Direction, usize)| {
            let rest = if *direction == Direction::Sent { &mut sent } else { &mut received };
            let (piece, after) = rest.split_at_checked(*len).unwrap_or((rest, &[]));
            *rest = after;
            (*direction, piece.to_vec())
        };
        self.order.iter().map(piece).collect()
    }

    /// Bytes of memory behind it.
    pub(crate) fn held(&self) -> usize {
        let pieces = self.order.capacity() * size_of::<(Direction, usize)>();
        self.sent.capacity() + self.received.capacity() + pieces
    }

    fn take_stream(&mut self, direction: Direction, bytes: &[u8]) -> Option<Decided> {
        let room = limits::OPENING / 2 - self.of(direction).len();
        let held = bytes.get(..room).unwrap_or(bytes);
        let same = self.order.last_mut().filter(|(last, _)| *last == direction);
        match same {
            Some((_, len)) => *len += held.len(),
            None => self.order.push((direction, held.len())),
        }
        self.of(direction).extend_from_slice(held);
        let full = held.len() == room || self.order.len() > PIECES;
        let rest = bytes.len() - held.len();
        let spoken = if full { Some(self.likeliest()) } else { self.stream() }?;
        Some(Decided { spoken, rest })
    }

    /// A datagram that does not fit is not cut.
    fn take_datagram(&mut self, direction: Direction, bytes: &[u8]) -> Option<Decided> {
        let full = bytes.len() + self.sent.len() + self.received.len() > limits::OPENING;
        let spoken = self.datagram(direction, bytes).or(full.then_some(Spoken::Unknown));
        if let Some(spoken) = spoken {
            return Some(Decided { spoken, rest: bytes.len() });
        }
        self.order.push((direction, bytes.len()));
        self.of(direction).extend_from_slice(bytes);
        (self.order.len() > PIECES).then_some(Decided { spoken: Spoken::Unknown, rest: 0 })
    }

    fn of(&mut self, direction: Direction) -> &mut Vec<u8> {
        match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }

    /// The first protocol that is not ruled out, once it is certain; so it does not matter how many bytes
    /// are looked at in one go.
    fn stream(&self) -> Option<Spoken> {
        match self.possible().find(|(likeness, _)| *likeness != Likeness::No) {
            Some((Likeness::Yes, spoken)) => Some(spoken),
            Some(_) => None,
            None => Some(Spoken::Unknown),
        }
    }

    /// What it most probably is, where no more bytes can tell.
    pub(crate) fn likeliest(&self) -> Spoken {
        let mut possible = self.possible();
        possible
            .find(|(likeness, _)| *likeness == Likeness::Yes)
            .map_or(Spoken::Unknown, |(_, spoken)| spoken)
    }

    fn possible(&self) -> impl Iterator<Item = (Likeness, Spoken)> {
        let start = Start { sent: &self.sent, received: &self.received };
        let first = start.first();
        let ours: [(Likeness, Spoken); 5] = [
            (self.dns_stream(first), Spoken::DnsStream),
            (tls::looks_like(first, self.torn), Spoken::Tls),
            (http2_of(&start), Spoken::Http2),
            (http_of(&start), Spoken::Http),
            (mail_of(&start), Spoken::Mail),
        ];
        let plain = signatures::of_stream(&start)
            .map(|(likeness, application)| (likeness, Spoken::Plain(application)));
        let other_ports = (dns::looks_like_stream(first, false), Spoken::DnsStream);
        let mysql = (mysql_of(&start), Spoken::MySql);
        let postgres = (database::looks_like_postgres(start.sent), Spoken::Postgres);
        let dnscrypt = (signatures::dnscrypt_stream(&start), Spoken::Plain(Application::DnsCrypt));
        ours.into_iter().chain(plain).chain([mysql, postgres, other_ports, dnscrypt])
    }

    fn dns_stream(&self, first: &[u8]) -> Likeness {
        if is_dns_port(&self.key) { dns::looks_like_stream(first, true) } else { Likeness::No }
    }

    fn datagram(&self, direction: Direction, bytes: &[u8]) -> Option<Spoken> {
        if let Some(dialect) = dialect_of(&self.key).filter(|_| dns::could_be(bytes)) {
            return Some(Spoken::DnsDatagrams(dialect));
        }
        let yes = |likeness| likeness == Likeness::Yes;
        match () {
            () if yes(quic::looks_like(bytes)) => Some(Spoken::Quic),
            () if yes(tls::looks_like_dtls(bytes)) => Some(Spoken::Dtls),
            () if yes(dns::looks_like(bytes)) => Some(Spoken::DnsDatagrams(Dialect::Internet)),
            () => {
                let datagram = Datagram { key: self.key, bytes, before: self.before(direction) };
                signatures::of_datagram(&datagram).map(Spoken::Plain)
            }
        }
    }

    /// The last datagram of a direction.
    fn before(&self, direction: Direction) -> &[u8] {
        let all = if direction == Direction::Sent { &self.sent } else { &self.received };
        let last = self.order.iter().rev().find(|(of, _)| *of == direction);
        last.and_then(|(_, len)| all.get(all.len().checked_sub(*len)?..)).unwrap_or_default()
    }
}

const DNS: u16 = 53;

/// Whether one side is a resolver by its port.
pub(crate) fn is_dns_port(key: &FlowKey) -> bool {
    key.remote.port() == DNS || key.app.port() == DNS
}

/// RFC 6762 3, RFC 4795 2, RFC 1002 4.2.
fn dialect_of(key: &FlowKey) -> Option<Dialect> {
    [key.remote.port(), key.app.port()].into_iter().find_map(|port| match port {
        DNS => Some(Dialect::Internet),
        5353 => Some(Dialect::Multicast),
        5355 => Some(Dialect::Llmnr),
        137 => Some(Dialect::NetBios),
        _ => None,
    })
}

/// A preface, or where nothing of the client is here the server's settings.
fn http2_of(start: &Start<'_>) -> Likeness {
    if start.sent.is_empty() {
        http2::looks_like_reply(start.received)
    } else {
        http2::looks_like(start.sent)
    }
}

/// A request, or where requests were not seen a reply. A capture that begins in the middle may take the
/// server for the client.
fn http_of(start: &Start<'_>) -> Likeness {
    match (http::looks_like(start.first()), http::looks_like_reply(start.first())) {
        (Likeness::Yes, _) | (_, Likeness::Yes) => Likeness::Yes,
        (Likeness::No, Likeness::No) => Likeness::No,
        _ => Likeness::Maybe,
    }
}

/// The server speaks first: what a client says before tells nothing.
fn mysql_of(start: &Start<'_>) -> Likeness {
    if start.received.is_empty() { Likeness::No } else { database::looks_like_mysql(start.received) }
}

/// The server speaks first, but the client's command tells as well where its greeting was not seen.
fn mail_of(start: &Start<'_>) -> Likeness {
    let received = mail::looks_like(Direction::Received, start.received);
    let sent = mail::looks_like(Direction::Sent, start.sent);
    match (received, sent) {
        (Likeness::Yes, _) | (_, Likeness::Yes) => Likeness::Yes,
        (Likeness::No, Likeness::No) => Likeness::No,
        (Likeness::Maybe, _) if start.received.is_empty() => sent,
        _ => Likeness::Maybe,
    }
}

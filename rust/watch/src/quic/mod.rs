//! QUIC, versions 1 and 2 (RFC 9000, 9001, 9369), the drafts from 22 on, Facebook's and Google's: the
//! client's hello from its Initial packets, and how much it sent behind the handshake.

mod chlo;
mod frames;
mod google;
mod initials;
mod keys;
mod likeness;
mod packet;
#[cfg(feature = "keys")]
mod protected;
mod stream;
#[cfg(test)]
mod tests;
mod version;

use telltale_model::{Application, Class, Direction, Facts};

use crate::page::Page;
use crate::session::Step;
use initials::Initials;
pub(crate) use likeness::looks_like;
use packet::{ConnectionId, Long, Packet};
#[cfg(feature = "keys")]
pub(crate) use protected::Protected;
use version::Kind;

/// A flow of QUIC.
///
/// Of a packet of the application the header, the packet number and the tag are framing, all else is
/// content. The packet number's length is protected: it is taken for two bytes of one to four, so that the
/// sum is right to within two bytes a packet.
#[derive(Debug, Default)]
pub(crate) struct Quic {
    initials: Initials,
    /// What the server calls itself, the latest last.
    ids: Vec<ConnectionId>,
    /// Whether packets have the public header of Google's older versions.
    public: bool,
    /// The version of the client's latest long header, and what it calls itself there.
    #[cfg(feature = "keys")]
    client: Option<(version::Version, ConnectionId)>,
}

/// Names of the server that are remembered: after each Retry it has another.
const IDS: usize = 4;

/// Packets of one datagram that are looked at. Three are enough, one of each kind (RFC 9000 12.2).
const COALESCED: usize = 6;

/// The length that a connection id is taken for where none was seen: that of most servers.
const ID: usize = 8;

/// The length that a packet number is taken for (RFC 9000 17.1).
const NUMBER: usize = 2;

/// Bytes of a datagram that are not framing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Content {
    pub(crate) encrypted: usize,
    unknown: usize,
}

impl Quic {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The session of a flow with which a connection goes on that began in another: its client has moved
    /// to another port or network (RFC 9000 9).
    pub(crate) fn moved(&self) -> Self {
        Self { ids: self.ids.clone(), public: self.public, ..Self::default() }
    }

    /// Whether a datagram of another flow is of this connection. A name of under four bytes tells nothing.
    pub(crate) fn is_of(&self, datagram: &[u8]) -> bool {
        self.ids.iter().any(|id| id.bytes().len() >= 4 && likeness::is_for(datagram, id))
    }

    /// The next datagram.
    pub(crate) fn take(&mut self, direction: Direction, datagram: &[u8], page: &mut Page) -> Step {
        let content = self.read(direction, datagram, &mut page.facts);
        count(direction, content, datagram.len(), &mut page.facts);
        Step::On
    }

    /// The next datagram, without counting it.
    pub(crate) fn read(&mut self, direction: Direction, datagram: &[u8], facts: &mut Facts) -> Content {
        facts.application.get_or_insert(Application::Quic);
        match self.google(direction, datagram, facts) {
            Some(content) => content,
            None => self.packets(direction, datagram, facts),
        }
    }

    /// Each datagram is read on its own, in any order: nothing is to be done where one is missing.
    pub(crate) fn miss(&mut self, _: Direction, _: u64, _: &mut Page) {}

    /// Every byte was counted when it came.
    pub(crate) fn end(&mut self, _: &mut Page) {}

    /// Bytes of memory behind it.
    pub(crate) fn held(&self) -> usize {
        self.initials.held() + self.ids.capacity() * size_of::<ConnectionId>()
    }

    /// A packet of Google's older versions, if it is one. Until keys are agreed on they are in clear.
    fn google(&mut self, direction: Direction, datagram: &[u8], facts: &mut Facts) -> Option<Content> {
        let known = || if self.public { google::public(datagram) } else { None };
        let packet = google::versioned(datagram).or_else(known)?;
        self.public |= datagram.first().is_some_and(|first| *first < 0x80);
        if direction == Direction::Sent
            && packet.versioned
            && let Some(hello) = chlo::find(packet.payload)
        {
            hello.name.into_iter().for_each(|name| facts.add_name(name));
            return Some(Content::default());
        }
        Some(Content { encrypted: packet.payload.len().saturating_sub(google::TAG), unknown: 0 })
    }

    /// The packets of a datagram.
    fn packets(&mut self, direction: Direction, datagram: &[u8], facts: &mut Facts) -> Content {
        let (mut rest, mut encrypted, mut readable) = (datagram, 0, true);
        for _ in 0..COALESCED {
            let Some((packet, after)) = packet::first(rest) else { break };
            rest = after;
            match packet {
                Packet::Long(long) => {
                    encrypted += early(&long);
                    self.learn(direction, &long);
                    #[cfg(feature = "keys")]
                    self.learn_client(direction, &long);
                    // Anybody can seal with the client's keys, but only the client says whom it wants to speak with. All
                    // in a datagram have the same keys: where one could not be opened, none is tried.
                    if direction == Direction::Sent && readable && long.kind == Kind::Initial {
                        readable = self.initials.take(&long, facts);
                    }
                }
                Packet::Short(bytes) => encrypted += late(bytes, self.id_len()),
                Packet::Negotiation | Packet::Filling => {}
            }
        }
        Content { encrypted, unknown: rest.len() }
    }

    /// Remembers what the server calls itself.
    fn learn(&mut self, direction: Direction, packet: &Long<'_>) {
        let id = match (direction, packet.kind) {
            (Direction::Received, _) => packet.source,
            // By then the client has heard of it (RFC 9000 7.2).
            (Direction::Sent, Kind::Handshake) => packet.destination,
            (Direction::Sent, Kind::Initial | Kind::ZeroRtt | Kind::Retry) => return,
        };
        if self.ids.last() != Some(&id) {
            self.ids.retain(|known| *known != id);
            self.ids.push(id);
            self.ids.drain(..self.ids.len().saturating_sub(IDS));
        }
    }

    /// How long what the server calls itself is.
    fn id_len(&self) -> usize {
        self.ids.last().map_or(ID, |id| id.bytes().len())
    }
}

/// Counts so many bytes of a direction.
pub(crate) fn count(direction: Direction, content: Content, bytes: usize, facts: &mut Facts) {
    if direction == Direction::Sent {
        facts.count_content(Class::Encrypted, content.encrypted);
        facts.count_content(Class::Unknown, content.unknown);
        facts.count_handshake(bytes - content.encrypted - content.unknown);
    }
}

/// What the datagrams of a flow say, read by themselves.
pub fn read_quic<'a>(datagrams: impl IntoIterator<Item = (Direction, &'a [u8])>) -> Facts {
    let (mut quic, mut page) = (Quic::new(), Page::default());
    for (direction, datagram) in datagrams {
        let Step::On = quic.take(direction, datagram, &mut page) else { break };
    }
    quic.end(&mut page);
    page.facts
}

/// The content of a short-header packet behind such a name: RFC 9000 17.3.1.
fn late(packet: &[u8], id_len: usize) -> usize {
    packet.len().saturating_sub(1 + id_len + NUMBER + keys::TAG)
}

/// The content of a long-header packet, which only one of 0-RTT has: RFC 9000 17.2.3.
fn early(packet: &Long<'_>) -> usize {
    if packet.kind != Kind::ZeroRtt {
        return 0;
    }
    packet.bytes.len().saturating_sub(packet.number_at + NUMBER + keys::TAG)
}

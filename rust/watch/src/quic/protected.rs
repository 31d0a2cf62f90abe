//! The packets of an application, for who has the keys to them.

use telltale_model::Direction;

use super::packet::{self, ConnectionId, Long, Packet};
use super::version::{Dialect, Kind};
use super::{COALESCED, Content, Quic, early, late};

/// A packet that application keys protect: RFC 9001 4.1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protected<'a> {
    pub(crate) bytes: &'a [u8],
    /// Where the packet number begins.
    pub(crate) number_at: usize,
    /// Whether it is one of 0-RTT.
    pub(crate) early: bool,
    /// What of it is counted as content as long as it is not open.
    pub(crate) content: usize,
}

/// What names a connection in key logs, and the labels by which its keys follow from its secrets: key, vector,
/// header protection, next secret.
pub(crate) type SecretsOf = ([u8; 32], [&'static [u8]; 4]);

impl Content {
    pub(crate) fn encrypted(bytes: usize) -> Self {
        Self { encrypted: bytes, unknown: 0 }
    }
}

impl Quic {
    /// The packets of a datagram that application keys protect.
    pub(crate) fn protected<'a>(
        &self,
        direction: Direction,
        datagram: &'a [u8],
    ) -> impl Iterator<Item = Protected<'a>> {
        let mut rest = datagram;
        let known = self.client.is_some_and(|(version, _)| is_standard(version.dialect)) && !self.public;
        let next = move || {
            let (packet, after) = packet::first(rest).filter(|_| known)?;
            rest = after;
            Some(packet)
        };
        let (receiver, is_sent) = (self.receiver(direction), direction == Direction::Sent);
        let content = move |bytes| if is_sent { bytes } else { 0 };
        let id_len = self.id_len();
        std::iter::from_fn(next).take(COALESCED).filter_map(move |packet| match packet {
            Packet::Long(long) if long.kind == Kind::ZeroRtt => Some(Protected {
                bytes: long.bytes,
                number_at: long.number_at,
                early: true,
                content: content(early(&long)),
            }),
            Packet::Short(bytes) => {
                let content = content(late(bytes, id_len));
                Some(Protected { bytes, number_at: 1 + receiver?, early: false, content })
            }
            Packet::Long(_) | Packet::Negotiation | Packet::Filling => None,
        })
    }

    /// `None` until the client's hello is whole.
    pub(crate) fn secrets_of(&self) -> Option<SecretsOf> {
        let (version, _) = self.client?;
        let [key, iv, header] = version.labels();
        // RFC 9001 6.1, RFC 9369 3.3.2.
        let next: &[u8] = if version.dialect == Dialect::Two { b"quicv2 ku" } else { b"quic ku" };
        Some((self.initials.random()?, [key, iv, header, next]))
    }

    pub(super) fn learn_client(&mut self, direction: Direction, packet: &Long<'_>) {
        if direction == Direction::Sent {
            self.client = Some((packet.version, packet.source));
        }
    }

    /// How long the name of the receiver is, which stands in every short header.
    fn receiver(&self, direction: Direction) -> Option<usize> {
        let id: Option<ConnectionId> = match direction {
            Direction::Sent => self.ids.last().copied(),
            Direction::Received => self.client.map(|(_, id)| id),
        };
        id.map(|id| id.bytes().len())
    }
}

fn is_standard(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::One | Dialect::Two)
}

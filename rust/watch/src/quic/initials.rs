//! The client's Initial packets: opens them and puts its hello together.

use telltale_model::{Application, Facts};

use super::keys::Keys;
use super::packet::{ConnectionId, Long};
use super::stream::Stream;
use super::version::{Dialect, Version};
use super::{chlo, frames};
use crate::tls::{Messages, Transport};

/// What is known of the client's first flight. It begins anew with another connection id, another version,
/// or both: after a Retry (RFC 9000 17.2.5), after a Version Negotiation, when ports are used again.
#[derive(Debug, Default)]
pub(super) struct Initials {
    keys: Option<Known>,
    stream: Stream,
    done: bool,
    /// What key logs call the connection.
    #[cfg(feature = "keys")]
    random: Option<[u8; 32]>,
}

/// Keys that have opened a packet.
#[derive(Debug)]
struct Known {
    version: Version,
    /// They follow from it.
    id: ConnectionId,
    keys: Keys,
}

impl Initials {
    /// The next Initial packet. Whether it was one of a client and could be opened; one of a server cannot.
    pub(super) fn take(&mut self, packet: &Long<'_>, facts: &mut Facts) -> bool {
        let Some(payload) = self.open(packet) else { return false };
        if !self.done {
            for (offset, piece) in frames::pieces(&payload, packet.version.dialect) {
                self.stream.add(offset, piece);
            }
            let begun = read(self.stream.beginning(), packet.version.dialect, facts);
            self.done = begun.is_some();
            #[cfg(feature = "keys")]
            {
                self.random = begun.and_then(|messages| messages?.begun().random).or(self.random);
            }
        }
        if self.done {
            self.stream = Stream::default();
        }
        true
    }

    /// The payload, with the keys that are known or with those that the packet itself begins.
    fn open(&mut self, packet: &Long<'_>) -> Option<Vec<u8>> {
        let (version, known) = (packet.version, self.keys.as_ref());
        if let Some(known) = known.filter(|known| known.version == version)
            && let Some(payload) = known.keys.open(packet)
        {
            return Some(payload);
        }
        // A server may choose another version in the middle of the first flight; its keys then follow from
        // the connection id of the first packet still (RFC 9369 3.3, RFC 9368 2.3).
        if let Some(known) = known.filter(|known| known.version != version)
            && let Some((keys, payload)) = open_anew(packet, known.id)
        {
            self.keys = Some(Known { version, id: known.id, keys });
            return Some(payload);
        }
        let (keys, payload) = open_anew(packet, packet.destination)?;
        *self = Self { keys: Some(Known { version, id: packet.destination, keys }), ..Self::default() };
        Some(payload)
    }

    /// What key logs call the connection, once the client's hello is whole.
    #[cfg(feature = "keys")]
    pub(super) fn random(&self) -> Option<[u8; 32]> {
        self.random
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.stream.held()
    }
}

fn open_anew(packet: &Long<'_>, id: ConnectionId) -> Option<(Keys, Vec<u8>)> {
    packet.version.salts.iter().find_map(|salt| {
        let keys = Keys::of_client(packet.version, salt, id.bytes())?;
        let payload = keys.open(packet)?;
        Some((keys, payload))
    })
}

/// Reads the hello, if all of it is there: then no more is to come of it. Gives what it was read with, where it
/// is one of TLS.
fn read(beginning: &[u8], dialect: Dialect, facts: &mut Facts) -> Option<Option<Messages>> {
    if dialect == Dialect::GoogleCrypto {
        let hello = chlo::read(beginning)?;
        hello.name.into_iter().for_each(|name| facts.add_name(name));
        return Some(None);
    }
    let message = whole(beginning)?;
    let mut messages = Messages::new(Transport::Quic);
    messages.take(message, facts);
    let offered = facts.hello.iter().flat_map(|hello| &hello.alpn);
    if offered.into_iter().any(|protocol| protocol.starts_with("doq")) {
        // RFC 9250 4.1.1; its drafts had `doq-i00` and so on.
        facts.application = Some(Application::Doq);
    }
    Some(Some(messages))
}

/// The first handshake message with its header, once it is whole: RFC 8446 4.
fn whole(beginning: &[u8]) -> Option<&[u8]> {
    let [_kind, high, middle, low] = *beginning.first_chunk()?;
    let len = u32::from_be_bytes([0, high, middle, low]);
    beginning.get(..4 + usize::try_from(len).ok()?)
}

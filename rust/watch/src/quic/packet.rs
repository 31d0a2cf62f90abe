//! Where the packets of a datagram begin and end (RFC 9000 12.2, 17): all that can be read of a header
//! without keys.

use super::version::{Kind, Version};
use crate::reader::Reader;

/// A packet with a long header, of a known version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Long<'a> {
    pub(super) version: Version,
    pub(super) kind: Kind,
    /// What the receiver is called.
    pub(super) destination: ConnectionId,
    /// What the sender wants to be called.
    pub(super) source: ConnectionId,
    /// The whole packet.
    pub(super) bytes: &'a [u8],
    /// Where the packet number begins; all before it is in clear.
    pub(super) number_at: usize,
}

/// A packet, as far as its header tells it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Packet<'a> {
    Long(Long<'a>),
    /// RFC 9000 17.2.1: the versions that the server speaks.
    Negotiation,
    /// Of the application. It has no length: it is always the last in its datagram.
    Short(&'a [u8]),
    /// Zeros behind the last packet, with which some fill a datagram up.
    Filling,
}

/// The name of one end of a connection: up to 20 bytes (RFC 9000 17.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId {
    len: u8,
    bytes: [u8; Self::LONGEST],
}

impl ConnectionId {
    const LONGEST: usize = 20;

    /// `None` for one that is too long.
    pub(super) fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::LONGEST];
        bytes.get_mut(..id.len())?.copy_from_slice(id);
        Some(Self { len: u8::try_from(id.len()).ok()?, bytes })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// The first packet of these bytes and what follows it. `None` if it is none of a known version, or cut.
pub(super) fn first(bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    match bytes.first()? {
        0x80.. => long(bytes),
        0 if bytes.iter().all(|byte| *byte == 0) => Some((Packet::Filling, &[])),
        _ => Some((Packet::Short(bytes), &[])),
    }
}

fn long(bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let mut reader = Reader::new(bytes);
    let header = header(&mut reader)?;
    if header.number == 0 {
        return is_negotiation(reader.rest()).then_some((Packet::Negotiation, &[]));
    }
    let version = Version::of(header.number)?;
    let kind = version.kind(header.first);
    if kind == Kind::Initial {
        let token = varint(&mut reader)?;
        reader.take(usize::try_from(token).ok()?)?;
    }
    // A Retry has no length (RFC 9000 17.2.5).
    let len = if kind == Kind::Retry { reader.len() } else { usize::try_from(varint(&mut reader)?).ok()? };
    let number_at = bytes.len() - reader.len();
    let (bytes, after) = bytes.split_at_checked(number_at.checked_add(len)?)?;
    let Header { destination, source, .. } = header;
    Some((Packet::Long(Long { version, kind, destination, source, bytes, number_at }), after))
}

/// What is the same in all versions: RFC 8999 5.1.
pub(super) struct Header {
    pub(super) first: u8,
    pub(super) number: u32,
    pub(super) destination: ConnectionId,
    pub(super) source: ConnectionId,
}

/// Reads the beginning of a long header; `None` where there is none, and for connection ids longer than
/// those of any known version.
pub(super) fn header(reader: &mut Reader<'_>) -> Option<Header> {
    let first = reader.u8().filter(|first| first & 0x80 != 0)?;
    let number = reader.u32()?;
    let destination = ConnectionId::new(reader.vector8()?.rest())?;
    let source = ConnectionId::new(reader.vector8()?.rest())?;
    Some(Header { first, number, destination, source })
}

/// RFC 8999 6: whole numbers of versions, at least one of which must be known to be believed.
pub(super) fn is_negotiation(versions: &[u8]) -> bool {
    let (versions, rest) = versions.as_chunks();
    rest.is_empty() && versions.iter().any(|version| Version::of(u32::from_be_bytes(*version)).is_some())
}

/// RFC 9000 16.
pub(super) fn varint(reader: &mut Reader<'_>) -> Option<u64> {
    let first = u64::from(reader.u8()?);
    let more = (1usize << (first >> 6)) - 1;
    let more = reader.take(more)?;
    Some(more.iter().fold(first & 0x3f, |value, byte| value << 8 | u64::from(*byte)))
}

//! Whether a datagram is one of QUIC, told without a session.

use super::google;
use super::packet::{self, ConnectionId, Packet};
use super::version::Version;
use crate::reader::Reader;
use crate::session::Likeness;

/// `Yes` for a long header of a known version, of a version that is there to be refused, or with versions
/// to choose from; for Google's older headers with their version. `Maybe` for what may be a packet of a
/// connection that began elsewhere: it has no mark but one bit, so that a known connection id, the port,
/// or what follows must tell.
pub(crate) fn looks_like(datagram: &[u8]) -> Likeness {
    if is_begun(datagram).is_some() || google::versioned(datagram).is_some() {
        return Likeness::Yes;
    }
    if may_be_short(datagram).is_some() { Likeness::Maybe } else { Likeness::No }
}

/// RFC 8999 5.1, RFC 9000 17.2. The second bit is set, which keeps out RTP, whose second bit is not.
fn is_begun(datagram: &[u8]) -> Option<()> {
    let mut reader = Reader::new(datagram);
    let header = packet::header(&mut reader)?;
    if header.number == 0 {
        return packet::is_negotiation(reader.rest()).then_some(());
    }
    let version = Version::of(header.number).filter(|_| !reader.is_empty())?;
    (header.first & 0x40 != 0 || is_begun_again(version, datagram)).then_some(())
}

/// RFC 9287 3: a client that has met the server before may leave the second bit out of its first packet,
/// of 1,200 bytes at least as all of them.
fn is_begun_again(version: Version, datagram: &[u8]) -> bool {
    let is_packet = || matches!(packet::first(datagram), Some((Packet::Long(_), _)));
    version.salts.len() == 1 && datagram.len() >= 1_200 && is_packet()
}

/// What is shorter is no packet of QUIC (RFC 9000 10.3).
const SHORTEST: usize = 21;

/// RFC 9000 17.3: the second bit is set, and the last 16 bytes are a tag, which looks random.
fn may_be_short(datagram: &[u8]) -> Option<()> {
    let (first, rest) = datagram.split_first().filter(|_| datagram.len() >= SHORTEST)?;
    let length: [u8; 2] = *rest.get(1..)?.first_chunk()?;
    // A channel of TURN begins alike and tells its length (RFC 8656 12.4).
    let is_channel = rest.len() - 3 == usize::from(u16::from_be_bytes(length)).next_multiple_of(4);
    let is_plausible = first >> 6 == 1 && !is_channel && seems_random(rest.last_chunk()?);
    is_plausible.then_some(())
}

/// Of 16 random bytes at least 12 differ and three to thirteen have the high bit, but for one in 200.
fn seems_random(bytes: &[u8; 16]) -> bool {
    let mut sorted = *bytes;
    sorted.sort_unstable();
    let same = sorted.windows(2).filter(|pair| pair.first() == pair.last()).count();
    let high = bytes.iter().filter(|byte| **byte >= 0x80).count();
    same <= 4 && (3..=13).contains(&high)
}

/// Whether a datagram is a packet for the end of this name, of a connection that has begun.
pub(super) fn is_for(datagram: &[u8], id: &ConnectionId) -> bool {
    let short = datagram.split_first().filter(|(first, _)| **first < 0x80);
    short.is_some_and(|(_, rest)| rest.starts_with(id.bytes()))
}

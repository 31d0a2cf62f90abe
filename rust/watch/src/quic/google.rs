//! Google's QUIC of before the standard, Q024 to Q046, whose packets have headers of their own.

use crate::reader::Reader;

/// A packet, as far as its header tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    /// What is behind the header. Of a hello it is in clear.
    pub(super) payload: &'a [u8],
    /// Whether the packet tells its version, as those of a client do until a server has answered.
    pub(super) versioned: bool,
}

/// The tag, or of a packet in clear the hash.
pub(super) const TAG: usize = 12;

/// The packet, if it tells a version.
pub(super) fn versioned(datagram: &[u8]) -> Option<Packet<'_>> {
    let mut reader = Reader::new(datagram);
    if reader.u8()? & 0x80 == 0 {
        return public(datagram).filter(|packet| packet.versioned);
    }
    // Q046: a long header whose two lengths share a byte, then eight bytes and a packet number.
    let known = is_known(reader.array()?) && reader.u8()? == 0x50;
    reader.take(8 + 4)?;
    known.then_some(Packet { payload: reader.rest(), versioned: true })
}

/// The packet, with the header that is called public; of a client, and from Q043 down.
pub(super) fn public(datagram: &[u8]) -> Option<Packet<'_>> {
    let mut reader = Reader::new(datagram);
    let flags = reader.u8()?;
    let versioned = flags & 1 != 0;
    // Bit 1 is for resets, bits 6 and 7 are for nothing.
    if flags & 0xc2 != 0 || flags & 8 == 0 {
        return None;
    }
    let _id = reader.take(8)?;
    if versioned && !is_known(reader.array()?) {
        return None;
    }
    let number = if flags & 0x30 == 0 { 1 } else { 2 * usize::from(flags >> 4 & 3) };
    reader.take(number)?;
    Some(Packet { payload: reader.rest(), versioned })
}

/// `Q024` to `Q049`: `Q050` has headers like the standard's.
fn is_known(version: [u8; 4]) -> bool {
    let [letter, zero, tens, ones] = version;
    letter == b'Q' && zero == b'0' && matches!(tens, b'2'..=b'4') && ones.is_ascii_digit()
}

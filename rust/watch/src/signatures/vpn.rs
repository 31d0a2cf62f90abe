//! Tunnels: WireGuard, OpenVPN, IPsec.

use super::{Datagram, Start, on_port};
use crate::reader::Reader;
use crate::session::Likeness;

/// WireGuard, 5.4: a type, three reserved bytes, and for all but data one size. Data alone is only taken on
/// the usual ports. The reserved bytes are zero, but for Cloudflare's WARP, which marks its devices there.
pub(super) fn wireguard(datagram: &Datagram<'_>) -> bool {
    let Some((kind, rest)) = datagram.bytes.split_first_chunk::<4>() else { return false };
    match (kind, rest.len() + 4) {
        ([1, 0, 0, 0], 148) | ([2, 0, 0, 0], 92) | ([3, 0, 0, 0], 64) => true,
        ([4, 0, 0, 0], len) => is_data(len) && on_port(&datagram.key, &[51_820, WARP]),
        ([1, ..], 148) | ([2, ..], 92) | ([3, ..], 64) => on_port(&datagram.key, &[WARP]),
        ([4, ..], len) => is_data(len) && on_port(&datagram.key, &[WARP]),
        _ => false,
    }
}

/// Whether a datagram of WireGuard builds the tunnel: a type that does, and its size.
pub(crate) fn wireguard_builds(datagram: &[u8]) -> bool {
    matches!((datagram.first(), datagram.len()), (Some(1), 148) | (Some(2), 92) | (Some(3), 64))
}

/// developers.cloudflare.com/cloudflare-one, WARP with firewall: its first port. On those that it falls back to
/// others speak, and a type and a size alone do not tell.
const WARP: u16 = 2_408;

/// A header, blocks of 16 bytes and their tag.
fn is_data(len: usize) -> bool {
    len >= 32 && len.is_multiple_of(16)
}

/// OpenVPN's protocol, "openvpn-rfc" 4: the client's or server's reset of a control channel.
pub(super) fn openvpn(datagram: &Datagram<'_>) -> bool {
    is_reset(datagram.bytes)
}

/// Over TCP each packet has its length before it.
pub(super) fn openvpn_stream(start: &Start<'_>) -> Likeness {
    let first = start.first();
    let mut reader = Reader::new(first);
    let Some(len) = reader.u16() else {
        // All resets of a client are shorter than this.
        return if first.first().is_none_or(|high| *high < 8) { Likeness::Maybe } else { Likeness::No };
    };
    let possible = (14..2_048).contains(&len) && reader.rest().first().is_none_or(|first| is_opcode(*first));
    match reader.take(len.into()) {
        Some(packet) if is_reset(packet) => Likeness::Yes,
        None if possible => Likeness::Maybe,
        _ => Likeness::No,
    }
}

/// P_CONTROL_HARD_RESET_CLIENT_V2, _SERVER_V2 and _CLIENT_V3, with key 0.
fn is_opcode(first: u8) -> bool {
    matches!(first, 0x38 | 0x40 | 0x50)
}

fn is_reset(packet: &[u8]) -> bool {
    reset(packet).is_some()
}

/// Behind opcode and session: nothing; or a hash of 16 to 64 bytes, the packet's number 1 and the time
/// (tls-auth); or the number, the time, a hash and what is encrypted (tls-crypt). Then nothing acknowledged
/// and message 0; of a server the client's session acknowledged.
fn reset(packet: &[u8]) -> Option<()> {
    let mut reader = Reader::new(packet);
    let (opcode, session) = (reader.u8().filter(|first| is_opcode(*first))?, reader.u64()?);
    let tail = if opcode == 0x40 { 17 } else { 5 };
    let body = reader.rest();
    let number = |at: usize| body.get(at..).and_then(|rest| Reader::new(rest).u32());
    let ends_clear = || match opcode {
        0x40 => body.ends_with(&[0; 4]) && body.get(body.len() - 17) == Some(&1),
        _ => body.ends_with(&[0; 5]),
    };
    let known = match body.len() - tail.min(body.len()) {
        0 => body.len() == tail && ends_clear(),
        // MD5, SHA-1, SHA-256, SHA-512.
        len @ (24 | 28 | 40 | 72) if number(len - 8) == Some(1) && ends_clear() => true,
        // tls-crypt; its second version has the client's key behind it (opcode V3).
        40 => number(0).is_some_and(is_first),
        len => opcode == 0x50 && (200..1_200).contains(&len) && number(0).is_some_and(is_first),
    };
    (known && session != 0).then_some(())
}

/// The number of a first packet; the second version of tls-crypt begins elsewhere.
fn is_first(number: u32) -> bool {
    matches!(number, 1 | 0x0f00_0001)
}

/// RFC 7296 3.1: the header of IKE, with the length of all; in UDP 4500 behind four zero bytes
/// (RFC 3948 2.2).
pub(super) fn ike(datagram: &Datagram<'_>) -> bool {
    is_ike(datagram.bytes) || datagram.bytes.strip_prefix(&[0; 4]).is_some_and(is_ike)
}

/// Whether this is a message of IKE, version 1 or 2.
pub(crate) fn is_ike(message: &[u8]) -> bool {
    header(message).is_some()
}

fn header(message: &[u8]) -> Option<()> {
    let mut reader = Reader::new(message);
    let (initiator, _responder) = (reader.u64()?, reader.u64()?);
    let [_next, version, exchange, _flags] = reader.array()?;
    let (_id, len) = (reader.u32()?, reader.u32()?);
    let known = match version {
        0x10 => matches!(exchange, 1..=6 | 32..=34),
        0x20 => (34..=45).contains(&exchange),
        _ => false,
    };
    (known && initiator != 0 && usize::try_from(len) == Ok(message.len())).then_some(())
}

/// RFC 3948 2.1, RFC 4303 2: in UDP 4500, two datagrams of one association, the second soon after the first.
pub(super) fn esp(datagram: &Datagram<'_>) -> bool {
    let (Some((index, number)), Some((before, last))) =
        (esp_header(datagram.bytes), esp_header(datagram.before))
    else {
        return false;
    };
    on_port(&datagram.key, &[4500]) && index == before && (1..=64).contains(&number.wrapping_sub(last))
}

/// Whether a datagram on UDP 4500 carries ESP rather than IKE.
pub(crate) fn is_esp(datagram: &[u8]) -> bool {
    esp_header(datagram).is_some()
}

fn esp_header(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut reader = Reader::new(bytes);
    let (index, number) = (reader.u32()?, reader.u32()?);
    // RFC 4303 2.1: the first 256 are reserved; zero means IKE.
    (index > 255 && reader.len() >= 12).then_some((index, number))
}

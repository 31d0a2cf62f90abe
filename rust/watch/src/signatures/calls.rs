//! Calls: STUN and TURN, RTP and RTCP, SIP.

use super::{Datagram, Start, begins_with_any, on_port};
use crate::reader::Reader;
use crate::session::Likeness;

/// RFC 8489 18.4, and Google's.
const STUN_PORTS: [u16; 3] = [3478, 3479, 19_302];

/// RFC 8489 5.
const COOKIE: u32 = 0x2112_a442;

/// RFC 8489 5: two zero bits, a type, the length of what follows the header, the cookie. Before the cookie
/// (RFC 3489) only the ports tell.
pub(super) fn stun(datagram: &Datagram<'_>) -> bool {
    let known_port = on_port(&datagram.key, &STUN_PORTS);
    is_stun(datagram.bytes) || (known_port && old_stun(datagram.bytes).is_some())
}

/// What an app has another forward (RFC 8656 11.1: DATA), of a STUN message, old or with its cookie; mostly nothing.
/// `None` for what is no such message.
pub(crate) fn stun_data(datagram: &[u8]) -> Option<&[u8]> {
    const DATA: u16 = 0x0013;
    if !is_stun(datagram) && old_stun(datagram).is_none() {
        return None;
    }
    let mut attributes = Reader::new(datagram.get(20..)?);
    while let Some((kind, value)) = attributes.u16().zip(attributes.vector16()) {
        if kind == DATA {
            return Some(value.rest());
        }
        // RFC 8489 14: padded to four bytes.
        attributes.take(value.len().next_multiple_of(4) - value.len());
    }
    Some(&[])
}

/// Whether a datagram is a STUN message with its cookie.
fn is_stun(datagram: &[u8]) -> bool {
    stun_header(datagram).is_some_and(|(len, cookie)| len + 20 == datagram.len() && cookie == COOKIE)
}

fn stun_header(bytes: &[u8]) -> Option<(usize, u32)> {
    let mut reader = Reader::new(bytes);
    let (kind, len, cookie) = (reader.u16()?, reader.u16()?, reader.u32()?);
    (kind < 0x4000 && len % 4 == 0).then_some((len.into(), cookie))
}

/// RFC 3489 11.1: binding and shared secret.
fn old_stun(bytes: &[u8]) -> Option<()> {
    let kind = Reader::new(bytes).u16()?;
    let (len, _) = stun_header(bytes)?;
    let known = matches!(kind, 0x0001 | 0x0101 | 0x0111 | 0x0002 | 0x0102 | 0x0112);
    (known && len + 20 == bytes.len()).then_some(())
}

/// RFC 8489 6.2.2: over TCP the same, without any frame.
pub(super) fn stun_stream(start: &Start<'_>) -> Likeness {
    let first = start.first();
    match stun_header(first) {
        Some((_, COOKIE)) => Likeness::Yes,
        None if first.len() < 8 && first.first().is_none_or(|byte| *byte < 2) => Likeness::Maybe,
        _ => Likeness::No,
    }
}

/// RTCP, RFC 3550 6.4: begins with a report, whose blocks fit its length; and all packets fill the datagram.
pub(super) fn rtcp(datagram: &Datagram<'_>) -> bool {
    reports(datagram.bytes).is_some()
}

fn reports(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader::new(bytes);
    let mut first = true;
    while !reader.is_empty() {
        let [flags, kind, high, low] = reader.array()?;
        let words = u16::from_be_bytes([high, low]);
        // A report has a sender, and six words about each source (sender reports five about itself).
        let least = u16::from(flags & 0x1f) * 6 + if kind == 200 { 6 } else { 1 };
        let report = matches!(kind, 200 | 201) && words >= least && words - least <= 8;
        if flags >> 6 != 2 || !(200..=207).contains(&kind) || (first && !report) {
            return None;
        }
        reader.take(usize::from(words) * 4)?;
        first = false;
    }
    (!first).then_some(())
}

/// RTP, RFC 3550 5.1: two datagrams of one source, the second soon after the first.
pub(super) fn rtp(datagram: &Datagram<'_>) -> bool {
    let (Some(now), Some(before)) = (rtp_header(datagram.bytes), rtp_header(datagram.before)) else {
        return false;
    };
    let step = now.sequence.wrapping_sub(before.sequence);
    now.source == before.source && now.kind == before.kind && (1..=16).contains(&step)
}

struct Rtp {
    kind: u8,
    sequence: u16,
    source: u32,
}

fn rtp_header(bytes: &[u8]) -> Option<Rtp> {
    let mut reader = Reader::new(bytes);
    let [flags, kind] = reader.array()?;
    let (sequence, _time, source) = (reader.u16()?, reader.u32()?, reader.u32()?);
    (flags >> 6 == 2).then_some(Rtp { kind: kind & 0x7f, sequence, source })
}

/// RFC 3261 7: a request's line begins with its method and a SIP URI, an answer's with its version.
const SIP: [&[u8]; 16] = [
    b"SIP/2.0 ",
    b"INVITE sip",
    b"ACK sip",
    b"BYE sip",
    b"CANCEL sip",
    b"REGISTER sip",
    b"OPTIONS sip",
    b"PRACK sip",
    b"SUBSCRIBE sip",
    b"NOTIFY sip",
    b"PUBLISH sip",
    b"INFO sip",
    b"REFER sip",
    b"MESSAGE sip",
    b"UPDATE sip",
    b"INVITE tel:",
];

pub(super) fn sip(datagram: &Datagram<'_>) -> bool {
    begins_with_any(datagram.bytes, &SIP) == Likeness::Yes
}

pub(super) fn sip_stream(start: &Start<'_>) -> Likeness {
    begins_with_any(start.first(), &SIP)
}

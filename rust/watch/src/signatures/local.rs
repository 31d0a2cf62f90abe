//! What keeps a device in its network: time, addresses, devices nearby.

use super::{Datagram, begins_with_any, on_port};
use crate::reader::Reader;
use crate::session::Likeness;

/// RFC 5905 7.3: version 1 to 4, a mode, and the size of a packet with or without what authenticates it;
/// RFC 9327 2 for questions about the state.
pub(super) fn ntp(datagram: &Datagram<'_>) -> bool {
    let Some(first) = datagram.bytes.first() else { return false };
    let (version, mode, len) = (first >> 3 & 7, first & 7, datagram.bytes.len());
    let size = match mode {
        1..=5 => len >= 48 && len.is_multiple_of(4),
        6 | 7 => len >= 8,
        _ => false,
    };
    on_port(&datagram.key, &[123]) && (1..=4).contains(&version) && size
}

/// How many bytes at the beginning of a datagram are of NTP: its times; fields of extensions (RFC 7822 7.5) and what
/// authenticates it, where they fill the rest. Of other messages the header alone (RFC 9327 2).
pub(crate) fn ntp_len(datagram: &[u8]) -> usize {
    const TIMES: usize = 48;
    let len = datagram.len();
    match datagram.first().map(|first| (first >> 3 & 7, first & 7)) {
        Some((1..=4, 1..=5)) if len >= TIMES => {
            if datagram.get(TIMES..).is_some_and(is_extended) {
                len
            } else {
                TIMES
            }
        }
        Some((1..=4, 6 | 7)) => len.min(12),
        _ => 0,
    }
}

/// Fields with their length, of 16 bytes at least, then a number and a digest of up to 64 bytes, or none.
fn is_extended(mut rest: &[u8]) -> bool {
    const AUTHENTICATED: usize = 4 + 64;
    while rest.len() > AUTHENTICATED {
        let mut reader = Reader::new(rest);
        let len = reader.u16().and_then(|_kind| reader.u16()).map_or(0, usize::from);
        match rest.get(len..) {
            Some(after) if len >= 16 && len.is_multiple_of(4) => rest = after,
            _ => return false,
        }
    }
    rest.len().is_multiple_of(4)
}

/// UPnP Device Architecture 2.0, 1.2 and 1.3: HTTP in datagrams.
pub(super) fn ssdp(datagram: &Datagram<'_>) -> bool {
    const LINES: [&[u8]; 3] = [b"M-SEARCH * HTTP/1.1\r\n", b"NOTIFY * HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n"];
    begins_with_any(datagram.bytes, &LINES) == Likeness::Yes
}

/// RFC 2131 2 and 3: the magic cookie stands behind the fixed fields. RFC 9915 8: DHCPv6 has its ports only,
/// and a small type.
pub(super) fn dhcp(datagram: &Datagram<'_>) -> bool {
    let v6 = on_port(&datagram.key, &[546, 547]) && options(datagram.bytes).is_some();
    v6 || bootp(datagram.bytes).is_some()
}

fn bootp(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader::new(bytes);
    let [operation, _hardware, address_len, _hops] = reader.array()?;
    reader.take(232)?;
    let cookie = reader.u32()? == 0x6382_5363;
    (cookie && matches!(operation, 1 | 2) && address_len <= 16).then_some(())
}

/// Options fill a DHCPv6 message to its end.
fn options(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader::new(bytes);
    let [kind, _, _, _] = reader.array()?;
    // Relays put addresses before the options.
    reader.take(if matches!(kind, 12 | 13) { 30 } else { 0 })?;
    let all = reader.len();
    while !reader.is_empty() {
        // RFC 9915 21: all that are used have small numbers.
        reader.u16().filter(|option| *option < 256)?;
        reader.vector16()?;
    }
    ((1..=36).contains(&kind) && all > 0).then_some(())
}

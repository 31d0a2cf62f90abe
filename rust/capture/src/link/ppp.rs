//! PPP, and Cisco's HDLC, which shares its numbers of links.

use bytes::Bytes;

use super::{Layer, Next, after, be16};

/// Address and control, which may be left out (RFC 1661 6.6); then the protocol, whose first byte may be
/// left out where it is 0 (6.5): a last byte is odd, others are even.
pub(super) fn frame(bytes: &Bytes) -> Next {
    let rest = if bytes.starts_with(&[0xff, 3]) { after(bytes, 2)? } else { bytes.clone() };
    let first = *rest.first()?;
    if first & 1 == 1 {
        return behind(first.into(), after(&rest, 1)?);
    }
    behind(be16(&rest, 0)?, after(&rest, 2)?)
}

/// Cisco: address (unicast or broadcast), control 0, EtherType. PPP otherwise.
pub(super) fn hdlc(bytes: &Bytes) -> Next {
    match bytes.first_chunk()? {
        [0x0f | 0x8f, 0] => Some((Layer::EtherType(be16(bytes, 2)?), after(bytes, 4)?)),
        [_, _] => frame(bytes),
    }
}

fn behind(protocol: u16, rest: Bytes) -> Next {
    match protocol {
        // IPv4 (RFC 1332), IPv6 (RFC 5072).
        0x0021 | 0x0057 => Some((Layer::Ip, rest)),
        // RFC 3032 4.3.
        0x0281 => Some((Layer::Mpls, rest)),
        _ => None,
    }
}

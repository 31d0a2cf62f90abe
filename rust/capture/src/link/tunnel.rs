//! Tunnels that carry IP in clear.

use bytes::Bytes;

use super::{Layer, Next, after, be16};
use crate::ip::{Ip, UDP, ports};

/// What a packet carries, where that leads to another IP packet. A tunnel over UDP is known by its port,
/// and by a header that fits.
pub(crate) fn inside(packet: &Ip) -> Next {
    match packet.protocol {
        // IPv4 in IP (RFC 2003), IPv6 in IP (RFC 4213).
        4 | 41 => Some((Layer::Ip, packet.payload.clone())),
        47 => Some((Layer::Gre, packet.payload.clone())),
        // MPLS in IP (RFC 4023).
        137 => Some((Layer::Mpls, packet.payload.clone())),
        UDP => {
            let (source, destination) = ports(&packet.payload)?;
            let datagram = after(&packet.payload, 8)?;
            over_udp(destination, &datagram).or_else(|| over_udp(source, &datagram))
        }
        _ => None,
    }
}

/// RFC 2784, with the fields of RFC 2890 and the version 1 of PPTP (RFC 2637 4.1).
pub(super) fn gre(bytes: &Bytes) -> Next {
    let (flags, kind) = (be16(bytes, 0)?, be16(bytes, 2)?);
    let fields = [CHECKSUM, KEY, SEQUENCE].iter().filter(|flag| flags & **flag != 0).count();
    let acknowledgement = usize::from(flags & VERSION == 1 && flags & ACKNOWLEDGEMENT != 0);
    let rest = after(bytes, 4 + 4 * (fields + acknowledgement))?;
    Some((Layer::EtherType(kind), rest))
}

const CHECKSUM: u16 = 0x8000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGEMENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;

fn over_udp(port: u16, datagram: &Bytes) -> Next {
    match port {
        2152 => gtp(datagram),
        4789 => vxlan(datagram),
        6081 => geneve(datagram),
        5247 => capwap(datagram),
        3544 => teredo(datagram),
        1701 => l2tp(datagram),
        _ => None,
    }
}

/// 3GPP TS 29.281 5: version 1, protocol GTP, message 255 is a packet of a user.
fn gtp(bytes: &Bytes) -> Next {
    let &[flags, kind] = bytes.first_chunk()?;
    if flags & 0xf0 != 0x30 || kind != 255 {
        return None;
    }
    let mut rest = after(bytes, 8)?;
    if flags & 7 != 0 {
        let mut extension = *rest.get(3)?;
        rest = after(&rest, 4)?;
        while extension != 0 {
            let len = 4 * usize::from(*rest.first()?);
            extension = *rest.get(len.checked_sub(1)?)?;
            rest = after(&rest, len)?;
        }
    }
    is_ip(&rest).then_some((Layer::Ip, rest))
}

/// RFC 7348 5: the flag that says that its number is valid, all else reserved.
fn vxlan(bytes: &Bytes) -> Next {
    let rest = after(bytes, 8)?;
    bytes.starts_with(&[0x08, 0, 0, 0]).then_some((Layer::Ethernet, rest))
}

/// RFC 8926 3.4.
fn geneve(bytes: &Bytes) -> Next {
    let first = *bytes.first()?;
    let options = usize::from(first & 0x3f) * 4;
    let rest = after(bytes, 8 + options)?;
    (first >> 6 == 0).then_some((Layer::EtherType(be16(bytes, 2)?), rest))
}

/// RFC 5415 4.3: in clear (type 0), whole, and by its flag a frame of 802.11 or of 802.3.
fn capwap(bytes: &Bytes) -> Next {
    let &[preamble, len, low, flags] = bytes.first_chunk()?;
    let fragmented = flags & 0x80 != 0;
    // The binding's number is 1 for 802.11.
    let binding = (low >> 1) & 0x1f;
    if preamble != 0 || fragmented || binding != 1 {
        return None;
    }
    let rest = after(bytes, usize::from(len >> 3) * 4)?;
    // Its "T" flag is the lowest bit of the third byte.
    let layer = if low & 1 == 1 { Layer::Wifi { padded: false } } else { Layer::Ethernet };
    Some((layer, rest))
}

/// RFC 4380 5.1.1: IPv6, behind indications of origin or authentication.
fn teredo(bytes: &Bytes) -> Next {
    let mut rest = bytes.clone();
    if let Some(&[0, 1, client, authentication]) = rest.first_chunk() {
        rest = after(&rest, 13 + usize::from(client) + usize::from(authentication))?;
    }
    if rest.starts_with(&[0, 0]) {
        rest = after(&rest, 8)?;
    }
    is_ip(&rest).then_some((Layer::Ip, rest))
}

/// RFC 2661 3.1: a data message of version 2, whose fields are there as its bits say.
fn l2tp(bytes: &Bytes) -> Next {
    let flags = be16(bytes, 0)?;
    if flags & 0x800f != 2 {
        return None;
    }
    let length = if flags & 0x4000 == 0 { 0 } else { 2 };
    let sequence = if flags & 0x0800 == 0 { 0 } else { 4 };
    let mut header = 2 + length + 4 + sequence;
    if flags & 0x0200 != 0 {
        header += 2 + usize::from(be16(bytes, header)?);
    }
    Some((Layer::Ppp, after(bytes, header)?))
}

fn is_ip(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| matches!(first >> 4, 4 | 6))
}

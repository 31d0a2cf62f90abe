//! Ethernet and what its types announce.

use bytes::Bytes;

use super::{Layer, Next, after, be16};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const QINQ: u16 = 0x88a8;
/// What QinQ was called before IEEE 802.1ad.
const QINQ_OF_OLD: u16 = 0x9100;
const MPLS: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
pub(super) const PPPOE_SESSION: u16 = 0x8864;
/// Ethernet inside GRE and the like.
const BRIDGED: u16 = 0x6558;
/// PPP inside GRE.
const PPP: u16 = 0x880b;
/// Below, the field is a length, and IEEE 802.2 follows.
const LEAST_TYPE: u16 = 0x0600;

/// Two addresses, then the type.
pub(super) fn frame(bytes: &Bytes) -> Next {
    Some((Layer::EtherType(be16(bytes, 12)?), after(bytes, 14)?))
}

/// What follows an EtherType.
pub(super) fn behind(kind: u16, bytes: &Bytes) -> Next {
    match kind {
        IPV4 | IPV6 => Some((Layer::Ip, bytes.clone())),
        // IEEE 802.1Q: the tag, then another type.
        VLAN | QINQ | QINQ_OF_OLD => Some((Layer::EtherType(be16(bytes, 2)?), after(bytes, 4)?)),
        MPLS | MPLS_MULTICAST => Some((Layer::Mpls, bytes.clone())),
        // RFC 2516 4: version, code, session and length.
        PPPOE_SESSION => Some((Layer::Ppp, after(bytes, 6)?)),
        BRIDGED => Some((Layer::Ethernet, bytes.clone())),
        PPP => Some((Layer::Ppp, bytes.clone())),
        length if length < LEAST_TYPE => Some((Layer::Llc, bytes.clone())),
        _ => None,
    }
}

/// SNAP announces an EtherType (RFC 1042); IP may also stand behind its own service access point.
pub(super) fn llc(bytes: &Bytes) -> Next {
    match bytes.first_chunk()? {
        [0xaa, 0xaa, 3] => Some((Layer::EtherType(be16(bytes, 6)?), after(bytes, 8)?)),
        [6, 6, 3] => Some((Layer::Ip, after(bytes, 3)?)),
        [_, _, _] => None,
    }
}

/// Labels down to the one that is the last. What follows says itself whether it is IP; else it is taken
/// for a pseudowire's Ethernet, with the control word that RFC 4385 puts before it.
pub(super) fn mpls(bytes: &Bytes) -> Next {
    let labels = bytes.chunks_exact(4).position(|label| label.get(2).is_some_and(|byte| byte & 1 == 1))?;
    let rest = after(bytes, 4 * (labels + 1))?;
    match rest.first()? >> 4 {
        4 | 6 => Some((Layer::Ip, rest)),
        0 => Some((Layer::Ethernet, after(&rest, 4)?)),
        _ => Some((Layer::Ethernet, rest)),
    }
}

//! The headers that links and tunnels put before an IP packet.

mod ethernet;
mod ppp;
mod tunnel;
mod wifi;

use bytes::Bytes;

use crate::limits;

pub(crate) use tunnel::inside;

/// What some bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// IPv4 or IPv6: the first four bits say which.
    Ip,
    /// Ethernet II or IEEE 802.3.
    Ethernet,
    /// What an EtherType (<https://www.iana.org/assignments/ieee-802-numbers>) or, below 1,536, the
    /// length of an 802.3 frame announces.
    EtherType(u16),
    /// IEEE 802.2.
    Llc,
    /// PPP from its protocol field on, or from address and control (RFC 1661, RFC 1662).
    Ppp,
    /// Cisco's HDLC, or PPP in HDLC framing: they look different.
    Hdlc,
    /// The label stack of RFC 3032.
    Mpls,
    /// IEEE 802.11, with what stands behind its header padded to four bytes or not.
    Wifi { padded: bool },
    /// Several 802.3 frames in one of 802.11 (A-MSDU).
    Aggregate,
    /// The GRE of RFC 2784, and that of PPTP, RFC 2637.
    Gre,
    /// A header of another kind of link, by its number in the registry.
    Header(u32),
}

/// A layer and its bytes; `None` where there is nothing that leads to IP.
type Next = Option<(Layer, Bytes)>;

/// Finds the IP packets in a frame of a link: mostly one. Those of an unknown kind of link hold none.
pub(crate) fn packets(link: u32, frame: Bytes, found: &mut Vec<Bytes>) {
    let layer = match link {
        1 => Layer::Ethernet,
        // Raw IP: the registry's own numbers, and those that BSDs wrote.
        12 | 14 | 101 | 228 | 229 => Layer::Ip,
        9 => Layer::Ppp,
        50 | 104 => Layer::Hdlc,
        51 => Layer::EtherType(ethernet::PPPOE_SESSION),
        105 => Layer::Wifi { padded: false },
        219 => Layer::Mpls,
        _ => Layer::Header(link),
    };
    unwrap(layer, frame, found);
}

/// Whether packets of this link type are looked into; the numbers are those of the registry of pcap.
pub fn is_read(link: u32) -> bool {
    matches!(link, 0 | 1 | 9 | 12 | 14 | 50 | 51 | 101 | 104 | 105 | 108)
        || matches!(link, 113 | 127 | 192 | 219 | 228 | 229 | 239 | 258 | 276)
}

/// Follows the layers to IP.
pub(crate) fn unwrap(layer: Layer, bytes: Bytes, found: &mut Vec<Bytes>) {
    let mut next = Some((layer, bytes));
    for _ in 0..limits::LAYERS {
        match next.take() {
            None => return,
            Some((Layer::Ip, packet)) => return found.push(packet),
            Some((Layer::Aggregate, frames)) => return wifi::each_frame(&frames, found),
            Some((layer, bytes)) => next = step(layer, &bytes),
        }
    }
}

fn step(layer: Layer, bytes: &Bytes) -> Next {
    match layer {
        Layer::Ethernet => ethernet::frame(bytes),
        Layer::EtherType(kind) => ethernet::behind(kind, bytes),
        Layer::Llc => ethernet::llc(bytes),
        Layer::Ppp => ppp::frame(bytes),
        Layer::Hdlc => ppp::hdlc(bytes),
        Layer::Mpls => ethernet::mpls(bytes),
        Layer::Wifi { padded } => wifi::frame(bytes, padded),
        Layer::Gre => tunnel::gre(bytes),
        Layer::Header(link) => header(link, bytes),
        Layer::Ip | Layer::Aggregate => None,
    }
}

/// Headers of links that hold little besides what follows.
fn header(link: u32, bytes: &Bytes) -> Next {
    match link {
        // BSD loopback: the address family, in the byte order of the writer or in that of the network.
        0 | 108 => Some((Layer::Ip, after(bytes, 4)?)),
        // Linux "cooked", two versions.
        113 => cooked(bytes, 2, 14, 16),
        276 => cooked(bytes, 8, 0, 20),
        127 => wifi::radiotap(bytes),
        192 => wifi::per_packet_information(bytes),
        // Apple's: the header says how long it is and what kind of link follows.
        258 => Some((linked(le32(bytes, 8)?)?, after(bytes, usize::try_from(le32(bytes, 0)?).ok()?)?)),
        // Linux's netfilter log.
        239 => netfilter_log(bytes),
        _ => None,
    }
}

/// A link inside a header that names it.
fn linked(link: u32) -> Option<Layer> {
    match link {
        1 => Some(Layer::Ethernet),
        12 | 14 | 101 | 228 | 229 => Some(Layer::Ip),
        105 => Some(Layer::Wifi { padded: false }),
        0 | 108 => Some(Layer::Header(link)),
        _ => None,
    }
}

/// Linux cooked capture: where it has the kind of the device (ARPHRD), the EtherType, and its end.
fn cooked(bytes: &Bytes, device: usize, kind: usize, len: usize) -> Next {
    let (device, kind, rest) = (be16(bytes, device)?, be16(bytes, kind)?, after(bytes, len)?);
    match (device, kind) {
        (NETLINK, _) => None,
        (GRE_DEVICE, _) => Some((Layer::Gre, rest)),
        (_, 1) => Some((Layer::Ethernet, rest)),
        (_, 4) => Some((Layer::Llc, rest)),
        _ => Some((Layer::EtherType(kind), rest)),
    }
}

/// ARPHRD_NETLINK and ARPHRD_IPGRE of Linux's if_arp.h.
const NETLINK: u16 = 824;
const GRE_DEVICE: u16 = 778;

/// Fields, each with a length that counts its own four bytes, padded to four; one is the packet.
fn netfilter_log(bytes: &Bytes) -> Next {
    const PAYLOAD: u16 = 9;
    let mut rest = after(bytes, 4)?;
    loop {
        let (len, kind) = (usize::from(le16(&rest, 0)?), le16(&rest, 2)?);
        if kind == PAYLOAD {
            return Some((Layer::Ip, after(&rest.slice(..len.min(rest.len())), 4)?));
        }
        rest = after(&rest, len.max(4).next_multiple_of(4))?;
    }
}

/// What comes after so many bytes, by reference.
fn after(bytes: &Bytes, len: usize) -> Option<Bytes> {
    (len <= bytes.len()).then(|| bytes.slice(len..))
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests;

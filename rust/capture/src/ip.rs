//! IP headers as captures have them: the checksum may be left to the network card, the length of a large
//! segment too, and the end of the packet may be cut off. The relay's own reading of packets is strict;
//! a capture shows what others have accepted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;

use crate::pinned::unpinned;

pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const ICMPV6: u8 = 58;

/// A packet, without its IP header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ip {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// What is carried, in IANA's numbers.
    pub(crate) protocol: u8,
    /// What was captured of that.
    pub(crate) payload: Bytes,
    /// How many bytes more there were.
    pub(crate) missing: usize,
}

/// What a packet is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    Whole(Ip),
    /// A part of a datagram: its number, and of the first part what it begins with.
    Fragment(u32, Option<Ip>),
    /// Not IP, or cut off within its headers.
    Neither,
}

/// Reads the IP header and what comes between it and the transport header.
pub(crate) fn parse(packet: &Bytes) -> Parsed {
    let parsed = match packet.first().map(|byte| byte >> 4) {
        Some(4) => parse_ipv4(packet),
        Some(6) => parse_ipv6(packet),
        _ => None,
    };
    parsed.unwrap_or(Parsed::Neither)
}

/// The two ports of TCP or UDP.
pub(crate) fn ports(transport: &[u8]) -> Option<(u16, u16)> {
    let &[a, b, c, d] = transport.first_chunk()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

fn parse_ipv4(packet: &Bytes) -> Option<Parsed> {
    let header: &[u8; 20] = packet.first_chunk()?;
    let &[
        first,
        _,
        total_high,
        total_low,
        id_high,
        id_low,
        place_high,
        place_low,
        _,
        protocol,
        _,
        _,
        ends @ ..,
    ] = header;
    let header_len = usize::from(first & 15) * 4;
    let total = end(u16::from_be_bytes([total_high, total_low]).into(), packet);
    if header_len < header.len() || total < header_len {
        return None;
    }
    let [source, destination] = halves(ends)?.map(|half: [u8; 4]| IpAddr::from(Ipv4Addr::from(half)));
    let place = u16::from_be_bytes([place_high, place_low]);
    let layout = Layout { source, destination, total };
    let whole = || layout.follow(packet, protocol, header_len);
    // "More fragments", or a place that is not the first.
    match (place & 0x2000 != 0, place & 0x1fff) {
        (false, 0) => whole().map(Parsed::Whole),
        (_, place) => {
            let begin = if place == 0 { whole().and_then(Ip::begun) } else { None };
            Some(Parsed::Fragment(u16::from_be_bytes([id_high, id_low]).into(), begin))
        }
    }
}

fn parse_ipv6(packet: &Bytes) -> Option<Parsed> {
    let header: &[u8; 40] = packet.first_chunk()?;
    let &[_, _, _, _, high, low, next, _, ends @ ..] = header;
    let payload = usize::from(u16::from_be_bytes([high, low]));
    let total = end(if payload == 0 { 0 } else { header.len() + payload }, packet);
    let [source, destination] = halves(ends)?.map(|half: [u8; 16]| IpAddr::from(Ipv6Addr::from(half)));
    let layout = Layout { source, destination, total };
    let ip = layout.follow(packet, next, header.len())?;
    if ip.protocol != FRAGMENT {
        return Some(Parsed::Whole(ip));
    }
    let &[next, _, place_high, place_low, id @ ..] = ip.payload.first_chunk::<8>()?;
    let is_first = u16::from_be_bytes([place_high, place_low]) & 0xfff8 == 0;
    let start = total.min(packet.len()) - ip.payload.len() + 8;
    let begin = if is_first { layout.follow(packet, next, start).and_then(Ip::begun) } else { None };
    Some(Parsed::Fragment(u32::from_be_bytes(id), begin))
}

/// Where a packet ends. A length of 0 stands for one that the network card was to fill in.
fn end(length: usize, packet: &Bytes) -> usize {
    if length == 0 { packet.len() } else { length }
}

fn halves<const N: usize>(ends: impl AsRef<[u8]>) -> Option<[[u8; N]; 2]> {
    let (one, rest) = ends.as_ref().split_first_chunk()?;
    Some([*one, *rest.first_chunk()?])
}

/// What the fixed header of a packet says of the whole.
struct Layout {
    source: IpAddr,
    destination: IpAddr,
    /// Bytes that the packet had on its link.
    total: usize,
}

impl Layout {
    /// Follows extension headers to the transport, or to a fragment header. `start` is where the first of
    /// them, or the transport, is.
    fn follow(&self, packet: &Bytes, mut protocol: u8, mut start: usize) -> Option<Ip> {
        for _ in 0..EXTENSION_HEADERS {
            let Some(len) = extension_len(protocol, self.source.is_ipv6(), packet.get(start..)?)? else {
                break;
            };
            protocol = *packet.get(start)?;
            start += len;
        }
        let end = self.total.min(packet.len());
        let payload = packet.slice(start.min(end)..end);
        let missing = self.total.checked_sub(start)?.checked_sub(payload.len())?;
        let payload = unpinned(payload, packet.len());
        Some(Ip { source: self.source, destination: self.destination, protocol, payload, missing })
    }
}

impl Ip {
    /// The first fragment of a datagram: UDP says how many bytes the others have.
    fn begun(self) -> Option<Self> {
        let len = match self.protocol {
            UDP => u16::from_be_bytes(*self.payload.get(4..)?.first_chunk()?).into(),
            _ => 0,
        };
        let missing = self.missing.max(usize::saturating_sub(len, self.payload.len()));
        Some(Self { missing, ..self })
    }
}

/// RFC 8200 4.1 names seven places in a chain.
const EXTENSION_HEADERS: usize = 8;
const FRAGMENT: u8 = 44;

/// The length of an extension header; `Some(None)` where it is none, `None` where it is cut off.
#[expect(clippy::option_option, reason = "cut off, and no extension, are two things")]
fn extension_len(protocol: u8, v6: bool, header: &[u8]) -> Option<Option<usize>> {
    let len = || header.get(1).map(|len| usize::from(*len));
    Some(match protocol {
        // Hop-by-hop options, routing, destination options, mobility, HIP, shim6: in units of eight bytes.
        0 | 43 | 60 | 135 | 139 | 140 if v6 => Some((len()? + 1) * 8),
        // A fragment header before a whole packet: RFC 6946.
        FRAGMENT if v6 && is_atomic(header)? => Some(8),
        // The authentication header, in units of four (RFC 4302 2.2).
        51 => Some((len()? + 2) * 4),
        _ => None,
    })
}

fn is_atomic(header: &[u8]) -> Option<bool> {
    let &[_, _, high, low] = header.first_chunk()?;
    Some(u16::from_be_bytes([high, low]) & 0xfff9 == 0)
}

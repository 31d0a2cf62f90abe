//! What a packet is to the flow that it belongs to.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::flow::{Segment, datagram_is_from_app, segment_is_from_app};
use crate::ip::{ICMP, ICMPV6, Ip, TCP, UDP, ports};

/// The two ends of a flow, the lower one first. Of ICMP echo one port of both is its identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pair {
    pub(super) protocol: u8,
    pub(super) low: SocketAddr,
    pub(super) high: SocketAddr,
}

/// What a packet is to its flow.
pub(super) struct Packet {
    pub(super) protocol: u8,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) from_app: bool,
    pub(super) content: Content,
}

pub(super) enum Content {
    Segment(Segment),
    /// A datagram: what was captured, and how many bytes more there were.
    Datagram(Bytes, usize),
}

impl Packet {
    /// What a whole IP packet is to its flow; `None` where its transport header is cut off or makes no
    /// sense.
    pub(super) fn read(ip: &Ip) -> Option<Self> {
        match ip.protocol {
            TCP => Self::tcp(ip),
            UDP => Self::udp(ip),
            ICMP | ICMPV6 => Self::icmp(ip),
            _ => Some(Self::of(ip, (0, 0), true, Content::Datagram(ip.payload.clone(), ip.missing))),
        }
    }

    fn of(ip: &Ip, (source, destination): (u16, u16), from_app: bool, content: Content) -> Self {
        Self {
            protocol: ip.protocol,
            source: SocketAddr::new(ip.source, source),
            destination: SocketAddr::new(ip.destination, destination),
            from_app,
            content,
        }
    }

    fn tcp(ip: &Ip) -> Option<Self> {
        let segment = Segment::parse(ip)?;
        let ports = (segment.source, segment.destination);
        Some(Self::of(ip, ports, segment_is_from_app(&segment), Content::Segment(segment)))
    }

    fn udp(ip: &Ip) -> Option<Self> {
        const HEADER: usize = 8;
        let (source, destination) = ports(&ip.payload)?;
        let len = ip
            .payload
            .get(4..6)
            .map_or(0, |len| len.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)));
        let whole = ip.payload.len() + ip.missing;
        // A length of 0 stands for one that the network card was to fill in.
        let end = if len == 0 { whole } else { len };
        if end < HEADER || end > whole {
            return None;
        }
        let captured = end.min(ip.payload.len());
        let payload = ip.payload.slice(HEADER.min(captured)..captured);
        let missing = end - HEADER - payload.len();
        let from_app = datagram_is_from_app(source, destination, ip.destination);
        Some(Self::of(ip, (source, destination), from_app, Content::Datagram(payload, missing)))
    }

    /// Echo is a flow for each identifier; all else is one between two addresses.
    fn icmp(ip: &Ip) -> Option<Self> {
        const HEADER: usize = 8;
        let kind = *ip.payload.first()?;
        let request = if ip.protocol == ICMP { 8 } else { 128 };
        let reply = if ip.protocol == ICMP { 0 } else { 129 };
        let identifier =
            || ip.payload.get(4..6).and_then(|pair| pair.first_chunk().copied().map(u16::from_be_bytes));
        let port = if kind == request || kind == reply { identifier().unwrap_or(0) } else { 0 };
        let payload = ip.payload.slice(HEADER.min(ip.payload.len())..);
        let content = Content::Datagram(payload, ip.missing);
        Some(Self::of(ip, (port, port), kind != reply, content))
    }

    pub(super) fn pair(&self) -> Pair {
        let (low, high) = (self.source.min(self.destination), self.source.max(self.destination));
        Pair { protocol: self.protocol, low, high }
    }
}

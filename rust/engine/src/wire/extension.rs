//! The chain of IPv6 extension headers: RFC 8200 4.

use smoltcp::wire::{IpProtocol, Ipv6ExtHeader};

use super::limits::EXTENSION_HEADERS;
use super::packet::{IPV6_LEN, length_field};

/// Length of a fragment header.
pub(super) const FRAGMENT_LEN: usize = 8;

/// The fragment header: RFC 8200 4.5. (smoltcp's view of it leaves out its first two bytes.)
pub(super) struct FragmentHeader {
    /// What the datagram carries behind its fragment headers.
    pub(super) protocol: IpProtocol,
    /// Where the fragment belongs in the datagram, in bytes: a multiple of eight.
    pub(super) offset: usize,
    /// Whether others follow.
    pub(super) more: bool,
    pub(super) identification: u32,
}

impl FragmentHeader {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[protocol, _, high, low, identification @ ..] = bytes.first_chunk::<FRAGMENT_LEN>()?;
        Some(Self {
            protocol: protocol.into(),
            offset: usize::from(u16::from_be_bytes([high, low & !7])),
            more: low & 1 == 1,
            identification: u32::from_be_bytes(identification),
        })
    }

    /// Whether it is no fragment at all, but whole: RFC 6946.
    fn is_atomic(&self) -> bool {
        self.offset == 0 && !self.more
    }

    pub(super) fn write(&self) -> [u8; FRAGMENT_LEN] {
        let [high, low] = length_field(self.offset).to_be_bytes();
        let [a, b, c, d] = self.identification.to_be_bytes();
        [self.protocol.into(), 0, high, low & !7 | u8::from(self.more), a, b, c, d]
    }
}

/// A place in a packet where a header begins.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// What begins here.
    pub(super) protocol: IpProtocol,
    /// Where it begins, from the start of the packet.
    pub(super) start: usize,
    /// Where the next-header field is that names it.
    pub(super) named_at: usize,
}

/// Follows the chain from the fixed header to the first header that is not to be skipped: the transport
/// header, a fragment header of a real fragment (an atomic one is skipped, RFC 6946), or something
/// unknown. `None` where the chain is cut off, too long, or says that the packet is to be discarded.
pub(super) fn follow(packet: &[u8]) -> Option<Place> {
    let protocol = IpProtocol::from(*packet.get(NEXT_HEADER)?);
    follow_from(packet, Place { protocol, start: IPV6_LEN, named_at: NEXT_HEADER })
}

/// The same behind the fragment header at that place.
pub(super) fn follow_fragment(packet: &[u8], fragment: Place) -> Option<Place> {
    follow_from(packet, next(packet, fragment, FRAGMENT_LEN)?)
}

/// The same for a packet that may be cut off or may be a fragment: to the transport header of a packet
/// that has one. `None` for a later fragment.
pub(super) fn follow_head(packet: &[u8]) -> Option<Place> {
    let place = follow(packet)?;
    if place.protocol != IpProtocol::Ipv6Frag {
        return Some(place);
    }
    let fragment = FragmentHeader::read(packet.get(place.start..)?)?;
    if fragment.offset == 0 { follow_fragment(packet, place) } else { None }
}

/// Offset of the next-header field in the fixed header.
const NEXT_HEADER: usize = 6;

fn follow_from(packet: &[u8], mut place: Place) -> Option<Place> {
    for _ in 0..=EXTENSION_HEADERS {
        match step(packet.get(place.start..)?, place)? {
            Step::Skip(length) => place = next(packet, place, length)?,
            Step::Stop => return Some(place),
        }
    }
    None
}

fn next(packet: &[u8], place: Place, length: usize) -> Option<Place> {
    let protocol = IpProtocol::from(*packet.get(place.start)?);
    Some(Place { protocol, start: place.start + length, named_at: place.start })
}

enum Step {
    /// An extension header of so many bytes.
    Skip(usize),
    /// The chain ends here.
    Stop,
}

/// `None` where the packet is to be discarded.
fn step(header: &[u8], place: Place) -> Option<Step> {
    // Hop-by-hop options anywhere but in front are an unknown header: RFC 8200 4.
    let in_front = place.start == IPV6_LEN;
    match place.protocol {
        IpProtocol::Ipv6Opts => options(header).map(Step::Skip),
        IpProtocol::HopByHop if in_front => options(header).map(Step::Skip),
        IpProtocol::Ipv6Route => routing(header).map(Step::Skip),
        IpProtocol::Ipv6Frag if FragmentHeader::read(header)?.is_atomic() => Some(Step::Skip(FRAGMENT_LEN)),
        IpProtocol::Ipv6Frag
        | IpProtocol::HopByHop
        | IpProtocol::Icmp
        | IpProtocol::Igmp
        | IpProtocol::Tcp
        | IpProtocol::Udp
        | IpProtocol::IpSecEsp
        | IpProtocol::IpSecAh
        | IpProtocol::Icmpv6
        | IpProtocol::Ipv6NoNxt
        | IpProtocol::Unknown(_) => Some(Step::Stop),
    }
}

/// The length of a header of options, if none of them says "discard" to those who do not know it:
/// RFC 8200 4.2. That stops jumbograms (RFC 2675) too.
fn options(header: &[u8]) -> Option<usize> {
    let header = Ipv6ExtHeader::new_checked(header).ok()?;
    let mut rest = header.payload();
    while let Some((&kind, after)) = rest.split_first() {
        rest = match kind {
            PAD1 => after,
            kind if kind & DISCARD == 0 => {
                let (&length, data) = after.split_first()?;
                data.get(usize::from(length)..)?
            }
            _ => return None,
        };
    }
    Some(length(&header))
}

/// Padding of one byte, without a length.
const PAD1: u8 = 0;
/// The bits of an option's type that say what to do where it is unknown; zero is "skip".
const DISCARD: u8 = 0xc0;

/// The length of a routing header that is used up. One with segments left asks for forwarding, which
/// only a router does: RFC 8200 4.4; type 0 is treated as unknown, RFC 5095 3, which is the same.
fn routing(header: &[u8]) -> Option<usize> {
    let checked = Ipv6ExtHeader::new_checked(header).ok()?;
    let segments_left = *header.get(3)?;
    (segments_left == 0).then(|| length(&checked))
}

fn length(header: &Ipv6ExtHeader<&[u8]>) -> usize {
    (usize::from(header.header_len()) + 1) * 8
}

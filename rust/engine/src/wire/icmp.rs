//! ICMP and ICMPv6: echo, and errors about packets of apps.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use smoltcp::wire::IpProtocol;

use super::checksum::Sum;
use super::extension;
use super::ingress::Ingress;
use super::packet::{Header, IPV4_LEN, Packet, Payload, SYN, TcpHeader, tcp, udp_header};

/// Length of the ICMP header: type, code, checksum, and four bytes whose meaning the type tells.
const ICMP_LEN: usize = 8;

/// An echo request of an app.
pub(crate) struct Echo {
    pub(crate) identifier: u16,
    pub(crate) sequence: u16,
    pub(crate) payload: Bytes,
}

/// RFC 792, RFC 4443 4.1. Does not look at the checksum.
pub(crate) fn parse_echo_request(ingress: &Ingress) -> Option<Echo> {
    let request = if ingress.source.is_ipv4() {
        (IpProtocol::Icmp, V4_ECHO_REQUEST)
    } else {
        (IpProtocol::Icmpv6, V6_ECHO_REQUEST)
    };
    let &[kind, 0, _, _, identifier @ .., sequence_high, sequence_low] =
        ingress.payload.first_chunk::<ICMP_LEN>()?
    else {
        return None;
    };
    ((ingress.protocol, kind) == request).then(|| Echo {
        identifier: u16::from_be_bytes(identifier),
        sequence: u16::from_be_bytes([sequence_high, sequence_low]),
        payload: ingress.payload.slice(ICMP_LEN..),
    })
}

/// The answer to an echo request: `source` is who was asked, `destination` the app.
pub(crate) fn echo_reply(
    source: IpAddr,
    destination: IpAddr,
    identifier: u16,
    sequence: u16,
    payload: Payload,
) -> Packet {
    let kind = if destination.is_ipv4() { V4_ECHO_REPLY } else { V6_ECHO_REPLY };
    message(source, destination, [kind, 0], echo_fields(identifier, sequence), payload)
}

/// Why a packet goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// No route.
    Network,
    /// The host does not answer.
    Host,
    /// Nobody listens there.
    Port,
    /// Not a protocol that is understood here.
    Protocol,
    /// Somebody forbids it.
    Prohibited,
}

/// The error that tells the sender of `original` that its packet arrived nowhere. `from` is who says so,
/// of the same family. `None` where no error may be sent: see [`Subject::of`].
pub(crate) fn unreachable(from: IpAddr, original: &Bytes, why: Unreachable) -> Option<Packet> {
    let subject = Subject::of(original).filter(|subject| !subject.to_group)?;
    let (kind, fields) = match subject.source {
        IpAddr::V4(_) => ([V4_UNREACHABLE, v4_code(why)], 0),
        IpAddr::V6(_) if why == Unreachable::Protocol => (V6_UNKNOWN_HEADER, subject.named_at),
        IpAddr::V6(_) => ([V6_UNREACHABLE, v6_code(why)], 0),
    };
    error(from, &subject, kind, fields, original)
}

/// The error that tells the sender of `original` the MTU of its path: RFC 1191 4, RFC 4443 3.2. An MTU
/// below what each link must have is told as that, because hosts ignore less (RFC 8201 4) or fall back
/// to a guess (RFC 1191 5).
pub(crate) fn too_big(from: IpAddr, original: &Bytes, mtu: u32) -> Option<Packet> {
    let subject = Subject::of(original)?;
    match subject.source {
        // RFC 1122 3.2.2 has no exception; RFC 4443 2.4 (e.3) has: path MTU discovery of multicast.
        IpAddr::V4(_) if subject.to_group => None,
        IpAddr::V4(_) => {
            let mtu = mtu.clamp(V4_LEAST_MTU, u32::from(u16::MAX));
            error(from, &subject, [V4_UNREACHABLE, V4_FRAGMENTATION_NEEDED], mtu, original)
        }
        IpAddr::V6(_) => error(from, &subject, [V6_TOO_BIG, 0], mtu.max(V6_LEAST_MTU), original),
    }
}

/// The error that tells the sender of `original` that its hop limit was used up on the way.
pub(crate) fn time_exceeded(from: IpAddr, original: &Bytes) -> Option<Packet> {
    let subject = Subject::of(original).filter(|subject| !subject.to_group)?;
    let kind = if subject.source.is_ipv4() { V4_TIME_EXCEEDED } else { V6_TIME_EXCEEDED };
    error(from, &subject, [kind, 0], 0, original)
}

/// The head of a datagram of the app that is gone, to be quoted in an error: the app's kernel finds the
/// socket by its addresses and ports.
pub(crate) fn synthetic_udp(app: SocketAddr, remote: SocketAddr, payload_len: usize) -> Bytes {
    let fixed = udp_header(app, remote, payload_len);
    head(app.ip(), remote.ip(), IpProtocol::Udp, fixed.len() + payload_len, &fixed)
}

/// The same for an echo request.
pub(crate) fn synthetic_echo(app: IpAddr, remote: IpAddr, identifier: u16, sequence: u16) -> Bytes {
    let kind = if app.is_ipv4() { V4_ECHO_REQUEST } else { V6_ECHO_REQUEST };
    let request = message(app, remote, [kind, 0], echo_fields(identifier, sequence), Payload::default());
    Bytes::copy_from_slice(request.header())
}

/// The head of an echo reply of the app's system, which no socket sends: an error about it teaches the
/// system alone (Linux: `icmp_err`, `icmpv6_err`).
pub(crate) fn synthetic_kernel_echo(app: IpAddr, remote: IpAddr) -> Bytes {
    Bytes::copy_from_slice(echo_reply(app, remote, 0, 0, Payload::default()).header())
}

/// The same for a SYN: its sequence number is what makes the app's kernel believe the error
/// (RFC 5927 4.1).
pub(crate) fn synthetic_tcp(app: SocketAddr, remote: SocketAddr, sequence: u32) -> Bytes {
    let syn = TcpHeader {
        source: app,
        destination: remote,
        sequence,
        acknowledgement: 0,
        flags: SYN,
        window: 0,
        options: &[],
    };
    Bytes::copy_from_slice(tcp(&syn, Payload::default()).header())
}

fn head(source: IpAddr, destination: IpAddr, protocol: IpProtocol, length: usize, transport: &[u8]) -> Bytes {
    let mut header = Header::ip(source, destination, protocol, length);
    header.push(transport);
    Bytes::copy_from_slice(header.bytes())
}

/// What an error is about.
struct Subject {
    /// Who sent it and gets the error.
    source: IpAddr,
    /// Whether it went to a multicast or broadcast address.
    to_group: bool,
    /// IPv6: where the transport protocol is named.
    named_at: u32,
}

impl Subject {
    /// Looks into a packet, of which only the head need be there. `None` where no error may be sent:
    /// about an error or a later fragment, or to a sender that is not a single host.
    fn of(original: &[u8]) -> Option<Self> {
        match original.first()? >> 4 {
            4 => Self::of_ipv4(original),
            6 => Self::of_ipv6(original),
            _ => None,
        }
    }

    /// RFC 1122 3.2.2.
    fn of_ipv4(original: &[u8]) -> Option<Self> {
        let header = original.first_chunk::<IPV4_LEN>()?;
        let &[first, .., s0, s1, s2, s3, d0, d1, d2, d3] = header;
        let (source, destination) = (Ipv4Addr::new(s0, s1, s2, s3), Ipv4Addr::new(d0, d1, d2, d3));
        let later_fragment = u16::from_be_bytes([header[6], header[7]]) & 0x1fff != 0;
        let transport = original.get(usize::from(first & 0xf) * 4..)?;
        let about_error =
            IpProtocol::from(header[9]) == IpProtocol::Icmp && !is_v4_query(*transport.first()?);
        if later_fragment || about_error || !is_v4_host(source) {
            return None;
        }
        let to_group = destination.is_multicast() || destination.is_broadcast();
        Some(Self { source: source.into(), to_group, named_at: 0 })
    }

    /// RFC 4443 2.4 (e).
    fn of_ipv6(original: &[u8]) -> Option<Self> {
        let (source, rest) = original.get(8..)?.split_first_chunk::<16>()?;
        let (source, destination) = (Ipv6Addr::from(*source), Ipv6Addr::from(*rest.first_chunk::<16>()?));
        let place = extension::follow_head(original)?;
        let about_error =
            place.protocol == IpProtocol::Icmpv6 && !is_v6_information(*original.get(place.start)?);
        if about_error || source.is_unspecified() || source.is_multicast() {
            return None;
        }
        let named_at = u32::try_from(place.named_at).ok()?;
        Some(Self { source: source.into(), to_group: destination.is_multicast(), named_at })
    }
}

/// Whether it is the address of a single host: not zero, loopback, multicast, class E or broadcast.
fn is_v4_host(address: Ipv4Addr) -> bool {
    !matches!(address.octets(), [0 | 127 | 224..=255, ..])
}

/// Whether an ICMP message of that type is not an error.
fn is_v4_query(kind: u8) -> bool {
    !matches!(kind, V4_UNREACHABLE | V4_SOURCE_QUENCH | V4_REDIRECT | V4_TIME_EXCEEDED | V4_PARAMETER_PROBLEM)
}

/// Whether an ICMPv6 message of that type is neither an error nor a redirect.
fn is_v6_information(kind: u8) -> bool {
    kind >= 128 && kind != V6_REDIRECT
}

/// An error with as much of the original as is good: RFC 1812 4.3.2.3, RFC 4443 2.4 (c).
fn error(from: IpAddr, subject: &Subject, kind: [u8; 2], fields: u32, original: &Bytes) -> Option<Packet> {
    let longest = match (from, subject.source) {
        (IpAddr::V4(_), IpAddr::V4(_)) => V4_LONGEST_QUOTE,
        (IpAddr::V6(_), IpAddr::V6(_)) => V6_LONGEST_QUOTE,
        _ => return None,
    };
    let quote = original.slice(..original.len().min(longest));
    Some(message(from, subject.source, kind, fields.to_be_bytes(), quote.into()))
}

/// Any ICMP message: type and code, then the four bytes, then the payload.
fn message(source: IpAddr, destination: IpAddr, kind: [u8; 2], fields: [u8; 4], payload: Payload) -> Packet {
    let length = ICMP_LEN + payload.len();
    let (protocol, mut sum) = if destination.is_ipv4() {
        (IpProtocol::Icmp, Sum::default())
    } else {
        let protocol = IpProtocol::Icmpv6;
        (protocol, Sum::pseudo_header(source, destination, protocol, length))
    };
    sum.add(&kind);
    sum.add(&fields);
    payload.parts().iter().for_each(|part| sum.add(part));

    let mut header = Header::ip(source, destination, protocol, length);
    header.push(&kind);
    header.push(&sum.finish().to_be_bytes());
    header.push(&fields);
    Packet::new(header, payload)
}

fn echo_fields(identifier: u16, sequence: u16) -> [u8; 4] {
    (u32::from(identifier) << 16 | u32::from(sequence)).to_be_bytes()
}

/// RFC 792, RFC 1812 5.2.7.1.
fn v4_code(why: Unreachable) -> u8 {
    match why {
        Unreachable::Network => 0,
        Unreachable::Host => 1,
        Unreachable::Protocol => 2,
        Unreachable::Port => 3,
        Unreachable::Prohibited => 13,
    }
}

/// RFC 4443 3.1. An unknown protocol is another message there: [`V6_UNKNOWN_HEADER`].
fn v6_code(why: Unreachable) -> u8 {
    match why {
        Unreachable::Network | Unreachable::Protocol => 0,
        Unreachable::Prohibited => 1,
        Unreachable::Host => 3,
        Unreachable::Port => 4,
    }
}

const V4_ECHO_REPLY: u8 = 0;
const V4_UNREACHABLE: u8 = 3;
const V4_SOURCE_QUENCH: u8 = 4;
const V4_REDIRECT: u8 = 5;
const V4_ECHO_REQUEST: u8 = 8;
const V4_TIME_EXCEEDED: u8 = 11;
const V4_PARAMETER_PROBLEM: u8 = 12;
/// Code of [`V4_UNREACHABLE`].
const V4_FRAGMENTATION_NEEDED: u8 = 4;

const V6_UNREACHABLE: u8 = 1;
const V6_TOO_BIG: u8 = 2;
const V6_TIME_EXCEEDED: u8 = 3;
const V6_ECHO_REQUEST: u8 = 128;
const V6_ECHO_REPLY: u8 = 129;
const V6_REDIRECT: u8 = 137;
/// Parameter problem, unrecognised next header: RFC 4443 3.4.
const V6_UNKNOWN_HEADER: [u8; 2] = [4, 1];

/// RFC 791: every link carries as much.
const V4_LEAST_MTU: u32 = 68;
/// RFC 8200 5.
const V6_LEAST_MTU: u32 = 1280;
/// 576 bytes in all: RFC 1812 4.3.2.3.
const V4_LONGEST_QUOTE: usize = 576 - IPV4_LEN - ICMP_LEN;
/// The least MTU of IPv6 in all: RFC 4443 2.4 (c).
const V6_LONGEST_QUOTE: usize = 1280 - super::packet::IPV6_LEN - ICMP_LEN;

#[cfg(test)]
mod tests {
    use smoltcp::phy::ChecksumCapabilities;
    use smoltcp::wire::{
        Icmpv4DstUnreachable, Icmpv4Packet, Icmpv4Repr, Icmpv6DstUnreachable, Icmpv6Packet,
        Icmpv6ParamProblem, Icmpv6Repr, Icmpv6TimeExceeded, Ipv4Packet, Ipv6Packet, UdpPacket,
    };

    use super::super::ingress::{Parsed, parse};
    use super::super::packet::udp;
    use super::*;

    /// UDP from 10.0.0.2:40000 to 192.0.2.1:53, "abc".
    const DATAGRAM: [u8; 31] = [
        0x45, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x6e, 0xcb, 0x0a, 0x00, 0x00, 0x02, 0xc0,
        0x00, 0x02, 0x01, 0x9c, 0x40, 0x00, 0x35, 0x00, 0x0b, 0xd2, 0xfc, 0x61, 0x62, 0x63,
    ];

    const REPLY_V4: [u8; 33] = [
        0x45, 0x00, 0x00, 0x21, 0x00, 0x00, 0x40, 0x00, 0x40, 0x01, 0x6e, 0xd9, 0xc0, 0x00, 0x02, 0x01, 0x0a,
        0x00, 0x00, 0x02, 0x00, 0x00, 0xed, 0xf3, 0x12, 0x34, 0x00, 0x07, 0x70, 0x69, 0x6e, 0x67, 0x21,
    ];

    const REPLY_V6: [u8; 53] = [
        0x60, 0x00, 0x00, 0x00, 0x00, 0x0d, 0x3a, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x81, 0x00, 0x11, 0x37, 0x12, 0x34, 0x00, 0x07, 0x70, 0x69, 0x6e,
        0x67, 0x21,
    ];

    const TOO_BIG: [u8; 59] = [
        0x45, 0x00, 0x00, 0x3b, 0x00, 0x00, 0x40, 0x00, 0x40, 0x01, 0x6e, 0xbf, 0xc0, 0x00, 0x02, 0x01, 0x0a,
        0x00, 0x00, 0x02, 0x03, 0x04, 0xc3, 0xa3, 0x00, 0x00, 0x05, 0x78, 0x45, 0x00, 0x00, 0x1f, 0x00, 0x00,
        0x40, 0x00, 0x40, 0x11, 0x6e, 0xcb, 0x0a, 0x00, 0x00, 0x02, 0xc0, 0x00, 0x02, 0x01, 0x9c, 0x40, 0x00,
        0x35, 0x00, 0x0b, 0xd2, 0xfc, 0x61, 0x62, 0x63,
    ];

    #[test]
    fn echo_replies_are_these_bytes() {
        let ping = || Bytes::from_static(b"ping!").into();
        let v4 = echo_reply(ip("192.0.2.1"), ip("10.0.0.2"), 0x1234, 7, ping());
        assert_eq!(v4.to_vec(), REPLY_V4);
        let v6 = echo_reply(ip("2001:db8::1"), ip("2001:db8::2"), 0x1234, 7, ping());
        assert_eq!(v6.to_vec(), REPLY_V6);
    }

    #[test]
    fn echo_requests_are_read() {
        for (app, remote) in [("10.0.0.2", "192.0.2.1"), ("2001:db8::2", "2001:db8::1")] {
            let ingress = whole(&synthetic_echo(ip(app), ip(remote), 0x1234, 7));
            assert!(ingress.checksum_ok(false));
            let echo = parse_echo_request(&ingress).unwrap();
            assert_eq!((echo.identifier, echo.sequence, echo.payload.len()), (0x1234, 7, 0));
        }
        let mut request = REPLY_V6;
        request[40] = 128;
        assert_eq!(parse_echo_request(&whole(&request)).unwrap().payload, b"ping!"[..]);
    }

    #[test]
    fn nothing_else_is_an_echo_request() {
        assert!(parse_echo_request(&whole(&REPLY_V4)).is_none(), "a reply");
        assert!(parse_echo_request(&whole(&DATAGRAM)).is_none(), "a datagram");
        let mut coded = REPLY_V6;
        coded[40..42].copy_from_slice(&[128, 1]);
        assert!(parse_echo_request(&whole(&coded)).is_none(), "a code");
        let mut short = REPLY_V6[..47].to_vec();
        (short[5], short[40]) = (7, 128);
        assert!(parse_echo_request(&whole(&short)).is_none(), "cut short");
    }

    #[test]
    fn fragmentation_needed_carries_the_mtu() {
        let original = Bytes::from_static(&DATAGRAM);
        let error = too_big(ip("192.0.2.1"), &original, 1_400).unwrap();
        assert_eq!(error.to_vec(), TOO_BIG);
        let told = |mtu| too_big(ip("192.0.2.1"), &original, mtu).unwrap().header()[24..28].to_vec();
        assert_eq!(told(70_000), [0, 0, 0xff, 0xff]);
        assert_eq!(told(0), [0, 0, 0, 68]);
    }

    #[test]
    fn packet_too_big_carries_the_mtu() {
        for (mtu, told) in [(1_400, 1_400), (70_000, 70_000), (600, 1_280)] {
            let error = too_big(ip("2001:db8::9"), &datagram_v6(3), mtu).unwrap();
            let Icmpv6Repr::PktTooBig { mtu, header, .. } = read_v6(&error.to_vec()) else { panic!() };
            assert_eq!((mtu, header.dst_addr), (told, "2001:db8::1".parse().unwrap()));
        }
    }

    #[test]
    fn another_parser_agrees_about_each_ipv4_error() {
        for (why, reason) in [
            (Unreachable::Network, Icmpv4DstUnreachable::NetUnreachable),
            (Unreachable::Host, Icmpv4DstUnreachable::HostUnreachable),
            (Unreachable::Port, Icmpv4DstUnreachable::PortUnreachable),
            (Unreachable::Protocol, Icmpv4DstUnreachable::ProtoUnreachable),
            (Unreachable::Prohibited, Icmpv4DstUnreachable::CommProhibited),
        ] {
            let error = unreachable(ip("192.0.2.9"), &Bytes::from_static(&DATAGRAM), why).unwrap().to_vec();
            let ip = Ipv4Packet::new_checked(&error[..]).unwrap();
            assert!(ip.verify_checksum());
            assert_eq!((ip.src_addr().octets(), ip.dst_addr().octets()), ([192, 0, 2, 9], [10, 0, 0, 2]));
            let icmp = Icmpv4Packet::new_checked(ip.payload()).unwrap();
            let Icmpv4Repr::DstUnreachable { reason: found, header, data } =
                Icmpv4Repr::parse(&icmp, &ChecksumCapabilities::default()).unwrap()
            else {
                panic!()
            };
            assert_eq!((found, header.dst_addr.octets(), data), (reason, [192, 0, 2, 1], &DATAGRAM[20..]));
        }
    }

    #[test]
    fn another_parser_agrees_about_each_ipv6_error() {
        for (why, expected) in [
            (Unreachable::Network, Icmpv6DstUnreachable::NoRoute),
            (Unreachable::Host, Icmpv6DstUnreachable::AddrUnreachable),
            (Unreachable::Port, Icmpv6DstUnreachable::PortUnreachable),
            (Unreachable::Prohibited, Icmpv6DstUnreachable::AdminProhibit),
        ] {
            let error = unreachable(ip("2001:db8::9"), &datagram_v6(3), why).unwrap().to_vec();
            let Icmpv6Repr::DstUnreachable { reason, data, .. } = read_v6(&error) else { panic!() };
            assert_eq!((reason, data), (expected, &datagram_v6(3)[40..]));
        }
        let error = time_exceeded(ip("2001:db8::9"), &datagram_v6(3)).unwrap().to_vec();
        let Icmpv6Repr::TimeExceeded { reason, .. } = read_v6(&error) else { panic!() };
        assert_eq!(reason, Icmpv6TimeExceeded::HopLimitExceeded);
    }

    #[test]
    fn an_unknown_ipv6_protocol_is_pointed_at() {
        let mut original = datagram_v6(3).to_vec();
        original[6] = 132;
        let error = unreachable(ip("2001:db8::9"), &original.clone().into(), Unreachable::Protocol).unwrap();
        let Icmpv6Repr::ParamProblem { reason, pointer, .. } = read_v6(&error.to_vec()) else { panic!() };
        assert_eq!((reason, pointer), (Icmpv6ParamProblem::UnrecognizedNxtHdr, 6));

        original[6] = 60;
        original.splice(40..48, [132, 0, 1, 4, 0, 0, 0, 0]);
        let error = unreachable(ip("2001:db8::9"), &original.into(), Unreachable::Protocol).unwrap();
        let Icmpv6Repr::ParamProblem { pointer, .. } = read_v6(&error.to_vec()) else { panic!() };
        assert_eq!(pointer, 40);
    }

    #[test]
    fn an_error_is_as_long_as_it_may_be() {
        let large = udp(address("10.0.0.2:9"), address("192.0.2.1:53"), Bytes::from(vec![7; 3_000]).into());
        let error = time_exceeded(ip("192.0.2.9"), &large.to_vec().into()).unwrap();
        assert_eq!(error.len(), 576);
        assert_eq!(error.to_vec()[28..], large.to_vec()[..548]);
        let error = unreachable(ip("2001:db8::9"), &datagram_v6(3_000), Unreachable::Port).unwrap();
        assert_eq!(error.len(), 1_280);
    }

    #[test]
    fn rfc_1122_forbids_errors() {
        let about = |change: &dyn Fn(&mut [u8])| {
            let mut original = DATAGRAM;
            change(&mut original);
            let original = Bytes::copy_from_slice(&original);
            let from = ip("192.0.2.9");
            let answers = [
                unreachable(from, &original, Unreachable::Port).is_some(),
                too_big(from, &original, 1_400).is_some(),
                time_exceeded(from, &original).is_some(),
            ];
            assert!(answers == [answers[0]; 3]);
            answers[0]
        };
        assert!(about(&|_| ()));
        for kind in [3, 4, 5, 11, 12] {
            assert!(!about(&|bytes| (bytes[9], bytes[20]) = (1, kind)), "about ICMP {kind}");
        }
        assert!(about(&|bytes| (bytes[9], bytes[20]) = (1, 8)), "about an echo request");
        assert!(!about(&|bytes| bytes[7] = 1), "about a later fragment");
        assert!(about(&|bytes| bytes[6] = 0x20), "about a first fragment");
        for source in [[0, 0, 0, 0], [127, 0, 0, 1], [224, 0, 0, 1], [240, 0, 0, 1], [255; 4]] {
            assert!(!about(&|bytes| bytes[12..16].copy_from_slice(&source)), "to {source:?}");
        }
        for destination in [[224, 0, 0, 251], [239, 255, 255, 250], [255; 4]] {
            assert!(!about(&|bytes| bytes[16..20].copy_from_slice(&destination)), "about {destination:?}");
        }
    }

    #[test]
    fn rfc_4443_forbids_errors() {
        let about = |change: &dyn Fn(&mut [u8])| {
            let mut original = datagram_v6(3).to_vec();
            change(&mut original);
            let (from, original) = (ip("2001:db8::9"), Bytes::from(original));
            let unreachable = unreachable(from, &original, Unreachable::Port).is_some();
            assert_eq!(unreachable, time_exceeded(from, &original).is_some());
            (unreachable, too_big(from, &original, 1_400).is_some())
        };
        assert_eq!(about(&|_| ()), (true, true));
        for kind in [1, 2, 3, 4, 100, 127, 137] {
            assert_eq!(
                about(&|bytes| (bytes[6], bytes[40]) = (58, kind)),
                (false, false),
                "about ICMPv6 {kind}"
            );
        }
        assert_eq!(about(&|bytes| (bytes[6], bytes[40]) = (58, 128)), (true, true), "about an echo request");
        assert_eq!(about(&|bytes| bytes[8..24].fill(0)), (false, false), "to nobody");
        assert_eq!(about(&|bytes| bytes[8] = 0xff), (false, false), "to a group");
        assert_eq!(about(&|bytes| bytes[24] = 0xff), (false, true), "about multicast");
        let later_fragment = [17, 0, 0, 8, 0, 0, 0, 1];
        assert_eq!(
            about(&|bytes| {
                bytes[6] = 44;
                bytes[40..48].copy_from_slice(&later_fragment);
            }),
            (false, false)
        );
    }

    #[test]
    fn an_error_comes_from_its_own_family() {
        assert!(time_exceeded(ip("2001:db8::9"), &Bytes::from_static(&DATAGRAM)).is_none());
        assert!(time_exceeded(ip("192.0.2.9"), &datagram_v6(3)).is_none());
    }

    #[test]
    fn a_lost_datagram_is_quoted_with_its_length() {
        let quote = synthetic_udp(address("10.0.0.2:40000"), address("192.0.2.1:53"), 3);
        assert_eq!(quote[..26], DATAGRAM[..26]);
        assert_eq!(quote.len(), 28);
        let error = unreachable(ip("192.0.2.1"), &quote, Unreachable::Port).unwrap();
        assert_eq!(error.to_vec()[28..], quote);

        let quote = synthetic_udp(address("[2001:db8::2]:40000"), address("[2001:db8::1]:53"), 1_400);
        let ip = Ipv6Packet::new_unchecked(&quote[..]);
        assert_eq!((ip.payload_len(), ip.src_addr()), (1_408, "2001:db8::2".parse().unwrap()));
        let udp = UdpPacket::new_unchecked(&quote[40..]);
        assert_eq!((udp.src_port(), udp.dst_port(), udp.len()), (40_000, 53, 1_408));
    }

    #[test]
    fn a_lost_segment_is_quoted_with_its_sequence_number() {
        let quote = synthetic_tcp(address("10.0.0.2:40000"), address("192.0.2.1:443"), 0xfedc_ba98);
        assert_eq!(quote[20..28], [0x9c, 0x40, 0x01, 0xbb, 0xfe, 0xdc, 0xba, 0x98]);
        assert!(whole(&quote).checksum_ok(false));
        assert!(unreachable(ip("192.0.2.1"), &quote, Unreachable::Host).is_some());
    }

    fn datagram_v6(length: usize) -> Bytes {
        let payload = Bytes::from(vec![7; length]);
        udp(address("[2001:db8::2]:40000"), address("[2001:db8::1]:53"), payload.into()).to_vec().into()
    }

    /// What the other parser makes of an error from 2001:db8::9 to 2001:db8::2.
    fn read_v6(packet: &[u8]) -> Icmpv6Repr<'_> {
        let ip = Ipv6Packet::new_checked(packet).unwrap();
        let (source, destination) = ("2001:db8::9".parse().unwrap(), "2001:db8::2".parse().unwrap());
        assert_eq!((ip.src_addr(), ip.dst_addr()), (source, destination));
        let payload = &packet[40..];
        let icmp = Icmpv6Packet::new_checked(payload).unwrap();
        Icmpv6Repr::parse(&source, &destination, &icmp, &ChecksumCapabilities::default()).unwrap()
    }

    fn whole(packet: &[u8]) -> Ingress {
        let Parsed::Whole(ingress) = parse(&Bytes::copy_from_slice(packet)) else {
            panic!("not a whole packet: {packet:02x?}")
        };
        ingress
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }
}

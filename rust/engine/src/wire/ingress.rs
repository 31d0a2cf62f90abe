//! A packet from an app: what its IP header says.

use std::net::IpAddr;
use std::ops::Range;

use bytes::Bytes;
use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet, UdpPacket};

use super::checksum::Sum;
use super::extension::{self, FRAGMENT_LEN, FragmentHeader, Place};
use super::packet::IPV4_LEN;

/// Where TCP and UDP have their checksum: RFC 9293 3.1, RFC 768.
const TCP_CHECKSUM: Range<usize> = 16..18;
const UDP_CHECKSUM: Range<usize> = 6..8;

/// What a packet is.
pub(crate) enum Parsed {
    /// TCP, UDP or ICMP.
    Whole(Ingress),
    /// A part of a datagram, for [`super::Reassembly`].
    Fragment(Fragment),
    /// Not IP, not well-formed, to be discarded by the rules of IP, or with nothing in it.
    Malformed,
    /// Anything else: the sender is to hear that nobody understands it.
    Unsupported(Ingress),
}

/// A whole IP packet.
pub(crate) struct Ingress {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: IpProtocol,
    pub(crate) hop_limit: u8,
    /// DF of IPv4; for IPv6, where only the sender makes fragments: whether it came in one piece.
    pub(crate) dont_fragment: bool,
    /// The transport header and what follows, without bytes behind the end that IP names.
    pub(crate) payload: Bytes,
    /// The whole IP packet, to be quoted in ICMP errors.
    pub(crate) original: Bytes,
}

/// A part of a datagram.
pub(crate) struct Fragment {
    pub(super) key: Key,
    /// Where its payload belongs in the datagram, in bytes.
    pub(super) offset: usize,
    /// Whether others follow.
    pub(super) more: bool,
    /// The headers that each fragment has: up to the end of the IPv4 header or up to the IPv6 fragment
    /// header.
    pub(super) header: Bytes,
    /// IPv6: where in `header` the fragment header is named, and the protocol that it names.
    pub(super) continues: Option<(usize, IpProtocol)>,
    pub(super) payload: Bytes,
}

/// Which datagram a fragment belongs to: RFC 791 3.2; RFC 8200 4.5 leaves the protocol out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: Option<IpProtocol>,
    identification: u32,
}

/// Reads the IP header and what comes between it and the transport header. The transport's own checksum
/// is left to [`Ingress::checksum_ok`].
pub(crate) fn parse(packet: &Bytes) -> Parsed {
    let parsed = match packet.first().map(|byte| byte >> 4) {
        Some(4) => parse_ipv4(packet),
        Some(6) => parse_ipv6(packet),
        _ => None,
    };
    parsed.unwrap_or(Parsed::Malformed)
}

impl Ingress {
    /// Whether it is of a protocol that can be relayed: each family has its own ICMP.
    pub(crate) fn is_relayed(&self) -> bool {
        let icmp = if self.source.is_ipv4() { IpProtocol::Icmp } else { IpProtocol::Icmpv6 };
        matches!(self.protocol, IpProtocol::Tcp | IpProtocol::Udp) || self.protocol == icmp
    }

    /// Whether the checksum of TCP, UDP or ICMP is right (of a protocol that is not relayed: never), or was
    /// left to the device where `offload` says that it may be. It is also wrong where a UDP header says more
    /// bytes than there are.
    pub(crate) fn checksum_ok(&self, offload: bool) -> bool {
        if self.protocol == IpProtocol::Udp {
            return self.udp_checksum_ok(offload);
        }
        let left = (offload && self.protocol == IpProtocol::Tcp).then_some(TCP_CHECKSUM);
        self.is_relayed() && self.sum_is_right(&self.payload, left)
    }

    /// RFC 768: zero means that none was made; RFC 8200 8.1 forbids that over IPv6.
    fn udp_checksum_ok(&self, offload: bool) -> bool {
        let Ok(udp) = UdpPacket::new_checked(self.payload.as_ref()) else {
            return false;
        };
        if udp.checksum() == 0 {
            return self.source.is_ipv4();
        }
        let field = offload.then_some(UDP_CHECKSUM);
        self.payload.get(..usize::from(udp.len())).is_some_and(|datagram| self.sum_is_right(datagram, field))
    }

    /// ICMP of IPv4 alone has no pseudo-header: RFC 792. A checksum that was left to the device, in this
    /// field, holds the sum of the pseudo-header, and none of what the device would add and invert.
    fn sum_is_right(&self, payload: &[u8], left: Option<Range<usize>>) -> bool {
        let mut sum = if self.protocol == IpProtocol::Icmp {
            Sum::default()
        } else {
            Sum::pseudo_header(self.source, self.destination, self.protocol, payload.len())
        };
        let begun = left.and_then(|field| payload.get(field)?.first_chunk().copied());
        if begun.is_some_and(|begun| u16::from_be_bytes(begun) == !sum.finish()) {
            return true;
        }
        sum.add(payload);
        sum.finish() == 0
    }

    fn into_parsed(self) -> Parsed {
        if self.is_relayed() { Parsed::Whole(self) } else { Parsed::Unsupported(self) }
    }
}

fn parse_ipv4(packet: &Bytes) -> Option<Parsed> {
    let ip = Ipv4Packet::new_checked(packet.as_ref()).ok()?;
    let header_len = usize::from(ip.header_len());
    let header = packet.get(..header_len)?;
    if Sum::of(header).finish() != 0 || !options_pass(header.get(IPV4_LEN..)?) {
        return None;
    }
    if ip.more_frags() || ip.frag_offset() != 0 {
        return ipv4_fragment(packet, &ip).map(Parsed::Fragment);
    }
    let original = packet.slice(..usize::from(ip.total_len()));
    let ingress = Ingress {
        source: ip.src_addr().into(),
        destination: ip.dst_addr().into(),
        protocol: ip.next_header(),
        hop_limit: ip.hop_limit(),
        dont_fragment: ip.dont_frag(),
        payload: original.slice(header_len..),
        original,
    };
    Some(ingress.into_parsed())
}

/// Options are skipped, but a packet that wants to choose its own way is dropped (RFC 7126 4.3, 4.4),
/// and so is one whose options are not well-formed.
fn options_pass(mut options: &[u8]) -> bool {
    while let Some((&kind, after)) = options.split_first() {
        let rest = match kind {
            END_OF_OPTIONS => return true,
            NO_OPERATION => Some(after),
            LOOSE_SOURCE_ROUTE | STRICT_SOURCE_ROUTE => None,
            // The length counts the kind and itself.
            _ => {
                after.first().filter(|&&length| length >= 2).and_then(|&length| options.get(length.into()..))
            }
        };
        let Some(rest) = rest else {
            return false;
        };
        options = rest;
    }
    true
}

const END_OF_OPTIONS: u8 = 0;
const NO_OPERATION: u8 = 1;
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;

fn ipv4_fragment(packet: &Bytes, ip: &Ipv4Packet<&[u8]>) -> Option<Fragment> {
    let header_len = usize::from(ip.header_len());
    let payload = packet.slice(header_len..usize::from(ip.total_len()));
    let fragment = Fragment {
        key: Key {
            source: ip.src_addr().into(),
            destination: ip.dst_addr().into(),
            protocol: Some(ip.next_header()),
            identification: u32::from(ip.ident()),
        },
        offset: usize::from(ip.frag_offset()),
        more: ip.more_frags(),
        header: packet.slice(..header_len),
        continues: None,
        payload,
    };
    fragment.is_well_formed().then_some(fragment)
}

fn parse_ipv6(packet: &Bytes) -> Option<Parsed> {
    let ip = Ipv6Packet::new_checked(packet.as_ref()).ok()?;
    let original = packet.slice(..ip.total_len());
    let place = extension::follow(&original)?;
    if place.protocol == IpProtocol::Ipv6Frag {
        return ipv6_fragment(&original, &ip, place).map(Parsed::Fragment);
    }
    let ingress = Ingress {
        source: ip.src_addr().into(),
        destination: ip.dst_addr().into(),
        protocol: place.protocol,
        hop_limit: ip.hop_limit(),
        dont_fragment: true,
        payload: original.slice(place.start..),
        original,
    };
    // RFC 8200 4.7: behind "no next header" there is nothing.
    (place.protocol != IpProtocol::Ipv6NoNxt).then(|| ingress.into_parsed())
}

fn ipv6_fragment(packet: &Bytes, ip: &Ipv6Packet<&[u8]>, place: Place) -> Option<Fragment> {
    let header = FragmentHeader::read(packet.get(place.start..)?)?;
    let fragment = Fragment {
        key: Key {
            source: ip.src_addr().into(),
            destination: ip.dst_addr().into(),
            protocol: None,
            identification: header.identification,
        },
        offset: header.offset,
        more: header.more,
        header: packet.slice(..place.start),
        continues: Some((place.named_at, header.protocol)),
        payload: packet.slice(place.start + FRAGMENT_LEN..),
    };
    // RFC 7112 5: the first fragment holds the whole chain of headers.
    let complete = fragment.offset > 0 || extension::follow_fragment(packet, place).is_some();
    (complete && fragment.is_well_formed()).then_some(fragment)
}

impl Fragment {
    /// Every fragment but the last holds a multiple of eight bytes, none is empty, and none reaches
    /// beyond the largest datagram: RFC 791 3.2, RFC 8200 4.5.
    fn is_well_formed(&self) -> bool {
        let end = self.offset + self.payload.len();
        !self.payload.is_empty()
            && (!self.more || self.payload.len().is_multiple_of(8))
            && end + self.header.len() <= super::limits::REASSEMBLY_LENGTH
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::packet::{ACK, Header, Packet, Payload, TcpHeader, tcp, udp};
    use super::super::{Reassembly, fragments, icmp};
    use super::*;
    use crate::Instant;

    /// UDP from 10.0.0.2:40000 to 192.0.2.1:53, "abc".
    const DATAGRAM: [u8; 31] = [
        0x45, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x6e, 0xcb, 0x0a, 0x00, 0x00, 0x02, 0xc0,
        0x00, 0x02, 0x01, 0x9c, 0x40, 0x00, 0x35, 0x00, 0x0b, 0xd2, 0xfc, 0x61, 0x62, 0x63,
    ];

    #[test]
    fn an_ipv4_packet_is_read() {
        let ingress = whole(&DATAGRAM);
        assert_eq!(ingress.source, "10.0.0.2".parse::<IpAddr>().unwrap());
        assert_eq!(ingress.destination, "192.0.2.1".parse::<IpAddr>().unwrap());
        assert_eq!((ingress.protocol, ingress.hop_limit), (IpProtocol::Udp, 64));
        assert_eq!(ingress.payload, DATAGRAM[20..]);
        assert_eq!(ingress.original, DATAGRAM[..]);
        assert!(ingress.checksum_ok(false));
    }

    #[test]
    fn bytes_behind_the_end_are_cut_off() {
        let ingress = whole(&[&DATAGRAM[..], b"rest of the buffer"].concat());
        assert_eq!(ingress.original, DATAGRAM[..]);
        assert_eq!(ingress.payload, DATAGRAM[20..]);
        let ingress = whole(&[&ipv6(17, &UDP6)[..], b"rest"].concat());
        assert_eq!(ingress.payload, UDP6[..]);
    }

    #[test]
    fn a_packet_that_was_cut_short_is_malformed() {
        for length in 0..DATAGRAM.len() {
            assert!(is_malformed(&DATAGRAM[..length]), "{length} bytes");
        }
        let packet = ipv6(17, &UDP6);
        for length in 0..packet.len() {
            assert!(is_malformed(&packet[..length]), "{length} bytes of IPv6");
        }
    }

    #[test]
    fn any_changed_bit_of_an_ipv4_header_is_noticed() {
        for bit in 0..20 * 8 {
            let mut packet = DATAGRAM;
            packet[bit / 8] ^= 1 << (bit % 8);
            assert!(is_malformed(&packet), "bit {bit}");
        }
    }

    #[test]
    fn any_changed_bit_of_the_transport_is_noticed() {
        let segment = TcpHeader {
            source: "10.0.0.2:4".parse().unwrap(),
            destination: "192.0.2.1:5".parse().unwrap(),
            sequence: 1,
            acknowledgement: 2,
            flags: ACK,
            window: 3,
            options: &[],
        };
        let segment = tcp(&segment, Bytes::from_static(b"abc").into()).to_vec();
        let echo =
            icmp::echo_reply([10, 0, 0, 2].into(), [192, 0, 2, 1].into(), 1, 2, Payload::default()).to_vec();
        let source = "2001:db8::1".parse().unwrap();
        let echo6 = icmp::echo_reply(source, source, 1, 2, Payload::default()).to_vec();
        for (packet, start) in [(DATAGRAM.to_vec(), 20), (segment, 20), (echo, 20), (echo6, 40)] {
            assert!(whole(&packet).checksum_ok(false));
            for bit in start * 8..packet.len() * 8 {
                let mut packet = packet.clone();
                packet[bit / 8] ^= 1 << (bit % 8);
                assert!(!whole(&packet).checksum_ok(false), "bit {bit} of {} bytes", packet.len());
            }
        }
    }

    #[test]
    fn a_checksum_may_be_left_to_the_device_where_that_was_asked_for() {
        let segment = TcpHeader {
            source: "10.0.0.2:4".parse().unwrap(),
            destination: "192.0.2.1:5".parse().unwrap(),
            sequence: 1,
            acknowledgement: 2,
            flags: ACK,
            window: 3,
            options: &[],
        };
        let segment = tcp(&segment, Bytes::from_static(b"abc").into()).to_vec();
        let udp6 = ipv6(17, &UDP6);
        for (packet, transport, field) in
            [(DATAGRAM.to_vec(), 20, 6), (segment, 20, 16), (udp6.to_vec(), 40, 6)]
        {
            let (mut left, ingress) = (packet.clone(), whole(&packet));
            let (source, destination) = (ingress.source, ingress.destination);
            let length = packet.len() - transport;
            let sum = Sum::pseudo_header(source, destination, ingress.protocol, length).finish();
            left[transport + field..][..2].copy_from_slice(&(!sum).to_be_bytes());
            assert!(whole(&packet).checksum_ok(true) && whole(&left).checksum_ok(true));
            assert!(!whole(&left).checksum_ok(false));
            for byte in [transport + field, transport + field + 1] {
                let mut wrong = left.clone();
                wrong[byte] ^= 1;
                assert!(!whole(&wrong).checksum_ok(true));
            }
        }
    }

    #[test]
    fn a_datagram_without_checksum_is_good_over_ipv4_alone() {
        let mut packet = DATAGRAM;
        packet[26..28].fill(0);
        assert!(whole(&packet).checksum_ok(false));
        let mut datagram = UDP6;
        assert!(whole(&ipv6(17, &datagram)).checksum_ok(false));
        datagram[6..8].fill(0);
        assert!(!whole(&ipv6(17, &datagram)).checksum_ok(false));
    }

    #[test]
    fn the_udp_length_says_what_the_checksum_covers() {
        assert!(whole(&ipv6(17, &[&UDP6[..], b"more"].concat())).checksum_ok(false));
        let mut short = UDP6;
        short[5] += 1;
        assert!(!whole(&ipv6(17, &short)).checksum_ok(false));
        assert!(!whole(&ipv6(17, &[])).checksum_ok(false));
    }

    #[test]
    fn ipv4_options_are_skipped() {
        let ingress = whole(&ipv4(17, 0, &[148, 4, 0, 0, 1, 7, 3, 0], b"payload"));
        assert_eq!(ingress.payload, b"payload"[..]);
    }

    #[test]
    fn source_routes_and_broken_options_are_malformed() {
        for options in [
            [131, 3, 4, 0], // loose source route
            [1, 137, 3, 4], // strict source route behind padding
            [148, 0, 0, 0], // a length that counts nothing
            [148, 1, 0, 0], // a length that does not count itself
            [148, 5, 0, 0], // reaches behind the header
            [1, 1, 1, 148], // no length
        ] {
            assert!(is_malformed(&ipv4(17, 0, &options, b"payload")), "{options:?}");
        }
        // What follows the end of the options says nothing.
        whole(&ipv4(17, 0, &[0, 131, 3, 4], b"payload"));
    }

    #[test]
    fn unknown_protocols_are_unsupported() {
        for packet in [ipv4(132, 0, &[], b"x"), ipv4(58, 0, &[], b"x"), ipv6(132, b"x"), ipv6(1, b"x")] {
            assert!(matches!(parse(&packet), Parsed::Unsupported(_)));
        }
        for kind in [50, 51, 41] {
            assert!(matches!(parse(&ipv6(kind, b"x")), Parsed::Unsupported(_)), "{kind}");
        }
    }

    #[test]
    fn ipv6_extension_headers_are_skipped() {
        let hop_by_hop = [60, 0, 5, 2, 0, 0, 1, 0]; // router alert, PadN
        let destination = [43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let routing = [44, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let atomic = [17, 0, 0, 0, 1, 2, 3, 4];
        let chain = [&hop_by_hop[..], &destination, &routing, &atomic, &UDP6].concat();
        let ingress = whole(&ipv6(0, &chain));
        assert_eq!(ingress.protocol, IpProtocol::Udp);
        assert_eq!(ingress.payload, UDP6[..]);
        assert!(ingress.checksum_ok(false));
    }

    #[test]
    fn ipv6_chains_to_be_discarded_are_malformed() {
        for (first, chain) in [
            (0, [17, 0, 0xc2, 4, 0, 1, 0, 0]),  // jumbogram
            (60, [17, 0, 0x80, 4, 0, 0, 0, 0]), // unknown option that says "discard"
            (60, [17, 0, 0x1e, 5, 0, 0, 0, 0]), // option that reaches behind its header
            (60, [17, 1, 1, 4, 0, 0, 0, 0]),    // header that reaches behind the packet
            (43, [17, 0, 0, 1, 0, 0, 0, 0]),    // routing with a segment left
            (59, [0; 8]),                       // no next header
        ] {
            assert!(is_malformed(&ipv6(first, &chain)), "{first} {chain:?}");
        }
    }

    #[test]
    fn hop_by_hop_options_in_the_middle_are_an_unknown_header() {
        let packet = ipv6(60, &[[0, 0, 1, 4, 0, 0, 0, 0], [17, 0, 1, 4, 0, 0, 0, 0]].concat());
        assert!(matches!(parse(&packet), Parsed::Unsupported(i) if i.protocol == IpProtocol::HopByHop));
    }

    #[test]
    fn a_chain_has_a_bounded_length() {
        let chain = |count: usize| {
            let mut chain = [60, 0, 1, 4, 0, 0, 0, 0].repeat(count);
            let last = chain.len() - 8;
            chain[last] = 17;
            ipv6(60, &[&chain[..], &UDP6].concat())
        };
        assert_eq!(whole(&chain(8)).payload, UDP6[..]);
        assert!(is_malformed(&chain(9)));
    }

    #[test]
    fn fragments_are_told_from_whole_packets() {
        assert!(matches!(parse(&ipv4(17, 0x2000, &[], &[0; 16])), Parsed::Fragment(_)));
        assert!(matches!(parse(&ipv4(17, 0x0001, &[], &[0; 3])), Parsed::Fragment(_)));
        assert!(matches!(
            parse(&ipv6(44, &[17, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])),
            Parsed::Fragment(_)
        ));
    }

    #[test]
    fn impossible_fragments_are_malformed() {
        assert!(is_malformed(&ipv4(17, 0x2000, &[], &[0; 15])), "not the last, not a multiple of eight");
        assert!(is_malformed(&ipv4(17, 0x2000, &[], &[])), "empty");
        assert!(is_malformed(&ipv4(17, 0x1fff, &[], &[0; 9])), "ends behind the largest datagram");
        assert!(is_malformed(&ipv6(44, &[17, 0, 0, 1, 0, 0, 0, 1, 0])), "not a multiple of eight");
        // RFC 7112: destination options that go on in the second fragment.
        assert!(is_malformed(&ipv6(44, &[60, 0, 0, 1, 0, 0, 0, 1, 17, 1, 1, 4, 0, 0, 0, 0])), "chain cut");
    }

    /// What happens to hostile bytes is up to the rest of the tests; here nothing may panic or grow.
    #[test]
    fn no_mutation_panics() {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let seeds = seeds();
        let mut reassembly = Reassembly::default();
        let mut now = Instant::default();
        let (mut outcomes, from) =
            ([0u32; 4], [IpAddr::from([192, 0, 2, 9]), "2001:db8::9".parse().unwrap()]);
        for _ in 0..60_000 {
            let seed = random.below(seeds.len());
            let packet = random.mutate(&seeds[seed]);
            now = now + Duration::from_millis(1);
            for from in from {
                icmp::unreachable(from, &packet, icmp::Unreachable::Protocol);
                let error = icmp::too_big(from, &packet, 1_400);
                assert!(error.is_none_or(|error| error.len() <= 1_280));
            }
            match parse(&packet) {
                Parsed::Whole(ingress) => {
                    assert!(ingress.payload.len() <= packet.len());
                    ingress.checksum_ok(false);
                    icmp::parse_echo_request(&ingress);
                    outcomes[0] += 1;
                }
                Parsed::Fragment(fragment) => {
                    if let Some(ingress) = reassembly.insert(now, fragment) {
                        assert!(ingress.original.len() <= 65_535);
                    }
                    outcomes[1] += 1;
                }
                Parsed::Malformed => outcomes[2] += 1,
                Parsed::Unsupported(_) => outcomes[3] += 1,
            }
        }
        assert!(outcomes.iter().all(|&count| count > 500), "each outcome is reached: {outcomes:?}");
    }

    fn seeds() -> Vec<Vec<u8>> {
        let large = Payload::from(Bytes::from(vec![0x61; 600]));
        let v4 = udp("10.0.0.2:1".parse().unwrap(), "192.0.2.1:2".parse().unwrap(), large.clone());
        let v6 = udp("[2001:db8::1]:1".parse().unwrap(), "[2001:db8::2]:2".parse().unwrap(), large);
        let mut seeds: Vec<_> = [v4, v6].into_iter().flat_map(|packet| fragments(packet, 296, 7)).collect();
        let echo = icmp::echo_reply([10, 0, 0, 2].into(), [192, 0, 2, 1].into(), 1, 2, Payload::default());
        seeds.push(echo);
        let mut seeds: Vec<_> = seeds.iter().map(Packet::to_vec).collect();
        seeds.push(DATAGRAM.to_vec());
        seeds.push(ipv4(6, 0, &[148, 4, 0, 0, 1, 7, 3, 0], &[0; 40]).to_vec());
        let hop_by_hop = [60, 0, 5, 2, 0, 0, 1, 0];
        let destination = [43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let routing = [44, 0, 2, 0, 0, 0, 0, 0];
        let atomic = [17, 0, 0, 0, 1, 2, 3, 4];
        seeds.push(ipv6(0, &[&hop_by_hop[..], &destination, &routing, &atomic, &UDP6].concat()).to_vec());
        seeds
    }

    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn below(&mut self, end: usize) -> usize {
            usize::try_from((self.next() >> 16) % end as u64).unwrap()
        }

        /// Changes up to four bytes, most of them in the headers, sometimes the length; then mostly
        /// repairs the IPv4 checksum, so that what lies behind it is reached.
        fn mutate(&mut self, seed: &[u8]) -> Bytes {
            let mut packet = seed.to_vec();
            for _ in 0..self.below(5) {
                let reach = if self.below(3) == 0 { packet.len() } else { packet.len().min(80) };
                let at = self.below(reach);
                packet[at] = self.next().to_be_bytes()[0];
            }
            if self.below(8) == 0 {
                packet.truncate(self.below(packet.len()));
            }
            if packet.first().is_some_and(|first| first >> 4 == 4) && self.below(8) != 0 {
                let header_len = usize::from(packet[0] & 0xf) * 4;
                if header_len >= 20 && header_len <= packet.len() {
                    packet[10..12].fill(0);
                    let checksum = Sum::of(&packet[..header_len]).finish();
                    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
                }
            }
            packet.into()
        }
    }

    /// UDP from port 53 to 40000, "abc", summed for 2001:db8::1 and 2001:db8::2.
    const UDP6: [u8; 11] = [0x00, 0x35, 0x9c, 0x40, 0x00, 0x0b, 0x43, 0x8b, 0x61, 0x62, 0x63];

    fn ipv4(protocol: u8, flags_and_offset: u16, options: &[u8], payload: &[u8]) -> Bytes {
        let length = 20 + options.len() + payload.len();
        let mut header =
            vec![0x45 + u8::try_from(options.len() / 4).unwrap(), 0, 0, 0, 0, 9, 0, 0, 64, protocol, 0, 0];
        header[2..4].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        header[6..8].copy_from_slice(&flags_and_offset.to_be_bytes());
        header.extend([10, 0, 0, 2, 192, 0, 2, 1]);
        header.extend(options);
        let checksum = Sum::of(&header).finish().to_be_bytes();
        header[10..12].copy_from_slice(&checksum);
        [&header[..], payload].concat().into()
    }

    fn ipv6(next_header: u8, payload: &[u8]) -> Bytes {
        let (source, destination) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        let mut packet = Header::ip(source, destination, next_header.into(), payload.len()).bytes().to_vec();
        packet.extend(payload);
        packet.into()
    }

    fn whole(packet: &[u8]) -> Ingress {
        let Parsed::Whole(ingress) = parse(&Bytes::copy_from_slice(packet)) else {
            panic!("not a whole packet: {packet:02x?}")
        };
        ingress
    }

    fn is_malformed(packet: &[u8]) -> bool {
        matches!(parse(&Bytes::copy_from_slice(packet)), Parsed::Malformed)
    }
}

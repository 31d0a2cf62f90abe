//! A packet to an app: headers in place, payload by reference.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet, TcpPacket, TcpSeqNumber, UdpPacket};

use super::checksum::Sum;

pub(crate) const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const RST: u8 = 0x04;
pub(crate) const PSH: u8 = 0x08;
pub(crate) const ACK: u8 = 0x10;

/// Length of an IPv4 header without options.
pub(super) const IPV4_LEN: usize = 20;
/// Length of the fixed IPv6 header.
pub(super) const IPV6_LEN: usize = 40;

/// Length of a TCP header without options.
const TCP_LEN: usize = 20;
/// Length of a UDP header.
const UDP_LEN: usize = 8;
/// What packets of ours start with: the value that RFC 1700 recommends.
const HOP_LIMIT: u8 = 64;
/// IPv6 header, fragment header, TCP header with 40 bytes of options: 108, rounded up.
const HEADER_ROOM: usize = 120;
/// A segment of 64 KiB gathers what a few reads brought.
const PARTS: usize = 4;

/// What a packet carries: up to four pieces of shared memory, one after the other.
#[derive(Clone, Default)]
pub struct Payload {
    parts: [Bytes; PARTS],
    count: usize,
}

impl Payload {
    /// Appends a piece; an empty one takes no place. False, with nothing done, when all four places
    /// are taken.
    pub fn push(&mut self, part: Bytes) -> bool {
        if part.is_empty() {
            return true;
        }
        let Some(place) = self.parts.get_mut(self.count) else {
            return false;
        };
        *place = part;
        self.count += 1;
        true
    }

    /// Bytes in all pieces.
    pub fn len(&self) -> usize {
        self.parts().iter().map(Bytes::len).sum()
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The pieces, in order, none empty.
    pub fn parts(&self) -> &[Bytes] {
        self.parts.get(..self.count).unwrap_or_default()
    }

    /// The bytes from `start` to `end`, as far as there are any; nothing is copied.
    pub(super) fn slice(&self, start: usize, end: usize) -> Self {
        let mut slice = Self::default();
        let mut at = 0;
        for part in self.parts() {
            let from = start.saturating_sub(at).min(part.len());
            let to = end.saturating_sub(at).min(part.len());
            slice.push(part.slice(from..to.max(from)));
            at += part.len();
        }
        slice
    }
}

impl From<Bytes> for Payload {
    fn from(part: Bytes) -> Self {
        let count = usize::from(!part.is_empty());
        Self { parts: [part, Bytes::new(), Bytes::new(), Bytes::new()], count }
    }
}

/// Shows the length alone: what people send belongs into no log.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}

/// One IP packet to write to the tun: [`Packet::header`], then the parts of [`Packet::payload`].
#[derive(Clone)]
pub struct Packet {
    header: Header,
    payload: Payload,
    unfinished: Option<Unfinished>,
}

/// What a tun has still to do with a TCP segment or with datagrams, as a network card does: to put the checksum into
/// its place, where that of the pseudo-header stands, and to cut what is longer into several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Bytes before the header of TCP or UDP, from which the checksum is summed up.
    pub checksum_from: u16,
    /// Bytes from there to the checksum's place.
    pub checksum_at: u16,
    /// Payload bytes of each segment or datagram that it is cut into.
    pub segment: u16,
}

impl Packet {
    pub(super) fn new(header: Header, payload: Payload) -> Self {
        Self { header, payload, unfinished: None }
    }

    /// The IP header and the headers that follow it.
    pub fn header(&self) -> &[u8] {
        self.header.bytes()
    }

    /// What comes after the header.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// What whoever takes it has still to do; none where it is complete.
    pub fn unfinished(&self) -> Option<Unfinished> {
        self.unfinished
    }

    /// Bytes of the whole packet.
    #[expect(clippy::len_without_is_empty, reason = "a packet has a header, so it is never empty")]
    pub fn len(&self) -> usize {
        self.header().len() + self.payload.len()
    }

    /// The whole packet in one piece, by copying.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut packet = Vec::with_capacity(self.len());
        packet.extend_from_slice(self.header());
        self.payload.parts().iter().for_each(|part| packet.extend_from_slice(part));
        packet
    }
}

/// Shows the length alone: addresses belong into no log.
impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packet({} bytes)", self.len())
    }
}

/// What a TCP segment says besides its payload.
pub(crate) struct TcpHeader<'a> {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) sequence: u32,
    /// Written as it is, also without [`ACK`] (where it should be 0).
    pub(crate) acknowledgement: u32,
    /// [`FIN`], [`SYN`]...: the flag byte itself.
    pub(crate) flags: u8,
    /// As on the wire, already scaled.
    pub(crate) window: u16,
    /// Padded to a multiple of 4, at most 40 bytes.
    pub(crate) options: &'a [u8],
}

/// A TCP segment. The packet must not be longer than 65,535 bytes.
pub(crate) fn tcp(header: &TcpHeader<'_>, payload: Payload) -> Packet {
    let mut fixed = header.fixed();
    let mut sum = header.pseudo_header(&payload);
    sum.add(&fixed);
    sum.add(header.options);
    payload.parts().iter().for_each(|part| sum.add(part));
    [fixed[16], fixed[17]] = sum.finish().to_be_bytes();
    header.packet(&fixed, payload)
}

/// The same, but for whoever cuts it into segments of at most `segment` bytes and completes their checksums.
pub(crate) fn tcp_to_cut(header: &TcpHeader<'_>, payload: Payload, segment: usize) -> Packet {
    let mut fixed = header.fixed();
    [fixed[16], fixed[17]] = (!header.pseudo_header(&payload).finish()).to_be_bytes();
    let mut packet = header.packet(&fixed, payload);
    packet.unfinished = Some(Unfinished::of(header.source, 16, segment));
    packet
}

impl Unfinished {
    fn of(source: SocketAddr, checksum_at: u16, segment: usize) -> Self {
        let checksum_from = length_field(if source.is_ipv4() { IPV4_LEN } else { IPV6_LEN });
        Self { checksum_from, checksum_at, segment: length_field(segment) }
    }
}

impl TcpHeader<'_> {
    /// The sum that the checksum begins with.
    fn pseudo_header(&self, payload: &Payload) -> Sum {
        let length = self.len() + payload.len();
        Sum::pseudo_header(self.source.ip(), self.destination.ip(), IpProtocol::Tcp, length)
    }

    fn packet(&self, fixed: &[u8; TCP_LEN], payload: Payload) -> Packet {
        let length = self.len() + payload.len();
        let mut header = Header::ip(self.source.ip(), self.destination.ip(), IpProtocol::Tcp, length);
        header.push(fixed);
        header.push(self.options);
        Packet::new(header, payload)
    }

    fn len(&self) -> usize {
        let len = TCP_LEN + self.options.len();
        debug_assert!(len.is_multiple_of(4) && len <= 60, "options must fit a TCP header");
        len
    }

    /// The first 20 bytes, with a checksum of zero.
    fn fixed(&self) -> [u8; TCP_LEN] {
        let mut tcp = TcpPacket::new_unchecked([0; TCP_LEN]);
        tcp.set_src_port(self.source.port());
        tcp.set_dst_port(self.destination.port());
        tcp.set_seq_number(TcpSeqNumber(self.sequence.cast_signed()));
        tcp.set_ack_number(TcpSeqNumber(self.acknowledgement.cast_signed()));
        tcp.set_header_len(u8::try_from(self.len()).unwrap_or(60));
        tcp.set_window_len(self.window);
        let mut fixed = tcp.into_inner();
        fixed[13] = self.flags;
        fixed
    }
}

/// The part of a segment whose payload begins `offset` bytes into it, with the flags of `mask` only. Its
/// options are left out: bytes go without any.
pub(super) fn tcp_at(
    (source, destination): (IpAddr, IpAddr),
    whole: &TcpPacket<&[u8]>,
    offset: usize,
    mask: u8,
    payload: Payload,
) -> Packet {
    let flags = whole.clone().into_inner().get(13).copied().unwrap_or_default();
    // Sequence space is modulo 2^32, and a packet is shorter than that.
    let offset = u32::try_from(offset).unwrap_or_default();
    let header = TcpHeader {
        source: SocketAddr::new(source, whole.src_port()),
        destination: SocketAddr::new(destination, whole.dst_port()),
        sequence: whole.seq_number().0.cast_unsigned().wrapping_add(offset),
        acknowledgement: whole.ack_number().0.cast_unsigned(),
        flags: flags & mask,
        window: whole.window_len(),
        options: &[],
    };
    tcp(&header, payload)
}

/// Source, destination and protocol of a packet of ours, which has no extension headers.
pub(super) fn ends(header: &[u8]) -> Option<(IpAddr, IpAddr, IpProtocol)> {
    if header.first()? >> 4 == 4 {
        let ip = Ipv4Packet::new_unchecked(header.get(..IPV4_LEN)?);
        return Some((ip.src_addr().into(), ip.dst_addr().into(), ip.next_header()));
    }
    let ip = Ipv6Packet::new_unchecked(header.get(..IPV6_LEN)?);
    Some((ip.src_addr().into(), ip.dst_addr().into(), ip.next_header()))
}

/// A UDP datagram. The packet, without the IPv6 header, must not be longer than 65,535 bytes.
pub(crate) fn udp(source: SocketAddr, destination: SocketAddr, payload: Payload) -> Packet {
    let length = UDP_LEN + payload.len();
    let mut fixed = udp_header(source, destination, payload.len());
    let mut sum = Sum::pseudo_header(source.ip(), destination.ip(), IpProtocol::Udp, length);
    sum.add(&fixed);
    payload.parts().iter().for_each(|part| sum.add(part));
    // Zero means "no checksum": RFC 768; IPv6 forbids it: RFC 8200 8.1.
    let checksum = if sum.finish() == 0 { 0xffff } else { sum.finish() };
    [fixed[6], fixed[7]] = checksum.to_be_bytes();

    let mut header = Header::ip(source.ip(), destination.ip(), IpProtocol::Udp, length);
    header.push(&fixed);
    Packet::new(header, payload)
}

/// The headers of datagrams that go as one packet with so many bytes behind them, for whoever cuts it into
/// datagrams of at most `segment` bytes and completes their checksums.
pub(super) fn udp_to_cut(source: SocketAddr, destination: SocketAddr, len: usize, segment: usize) -> Packet {
    let mut fixed = udp_header(source, destination, len);
    let sum = Sum::pseudo_header(source.ip(), destination.ip(), IpProtocol::Udp, UDP_LEN + len);
    [fixed[6], fixed[7]] = (!sum.finish()).to_be_bytes();
    let mut header = Header::ip(source.ip(), destination.ip(), IpProtocol::Udp, UDP_LEN + len);
    header.push(&fixed);
    let unfinished = Some(Unfinished::of(source, 6, segment));
    Packet { header, payload: Payload::default(), unfinished }
}

/// The eight bytes, with a checksum of zero.
pub(super) fn udp_header(source: SocketAddr, destination: SocketAddr, payload_len: usize) -> [u8; UDP_LEN] {
    let mut udp = UdpPacket::new_unchecked([0; UDP_LEN]);
    udp.set_src_port(source.port());
    udp.set_dst_port(destination.port());
    udp.set_len(length_field(UDP_LEN + payload_len));
    udp.into_inner()
}

/// The headers of a packet, one after the other.
#[derive(Clone, Copy)]
pub(super) struct Header {
    bytes: [u8; HEADER_ROOM],
    len: usize,
}

impl Header {
    pub(super) fn new() -> Self {
        Self { bytes: [0; HEADER_ROOM], len: 0 }
    }

    /// The IP header of a packet that carries `length` bytes of that protocol.
    pub(super) fn ip(source: IpAddr, destination: IpAddr, protocol: IpProtocol, length: usize) -> Self {
        let mut header = Self::new();
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                header.push(&ipv4(source, destination, protocol, length));
            }
            (source, destination) => header.push(&ipv6(v6(source), v6(destination), protocol, length)),
        }
        header
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        debug_assert!(end <= HEADER_ROOM, "the longest headers have room");
        if let Some(place) = self.bytes.get_mut(self.len..end) {
            place.copy_from_slice(bytes);
            self.len = end;
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// An IPv4 header whose datagram is atomic: DF is set, and with it the identification means nothing
/// and is zero (RFC 6864 4.1).
fn ipv4(source: Ipv4Addr, destination: Ipv4Addr, protocol: IpProtocol, length: usize) -> [u8; IPV4_LEN] {
    let mut header = Ipv4Packet::new_unchecked([0; IPV4_LEN]);
    header.set_version(4);
    header.set_header_len(20);
    header.set_total_len(length_field(IPV4_LEN + length));
    header.set_dont_frag(true);
    header.set_hop_limit(HOP_LIMIT);
    header.set_next_header(protocol);
    header.set_src_addr(source);
    header.set_dst_addr(destination);
    seal_ipv4(header.into_inner())
}

/// Writes the header checksum, over a checksum field of any value.
pub(super) fn seal_ipv4(mut header: [u8; IPV4_LEN]) -> [u8; IPV4_LEN] {
    [header[10], header[11]] = [0, 0];
    [header[10], header[11]] = Sum::of(&header).finish().to_be_bytes();
    header
}

fn ipv6(source: Ipv6Addr, destination: Ipv6Addr, protocol: IpProtocol, length: usize) -> [u8; IPV6_LEN] {
    let mut header = Ipv6Packet::new_unchecked([0; IPV6_LEN]);
    header.set_version(6);
    header.set_payload_len(length_field(length));
    header.set_next_header(protocol);
    header.set_hop_limit(HOP_LIMIT);
    header.set_src_addr(source);
    header.set_dst_addr(destination);
    header.into_inner()
}

/// Both ends of a flow are of one family; a mixed pair could only be written as IPv6.
fn v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// A length as its field holds it. Callers keep within the field, see the builders.
pub(super) fn length_field(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use smoltcp::phy::ChecksumCapabilities;
    use smoltcp::wire::{Ipv4Repr, TcpOption, UdpRepr};

    use super::*;

    const SEGMENT: [u8; 47] = [
        0x45, 0x00, 0x00, 0x2f, 0x00, 0x00, 0x40, 0x00, 0x40, 0x06, 0x6e, 0xc6, 0xc0, 0x00, 0x02, 0x01, 0x0a,
        0x00, 0x00, 0x02, 0x01, 0xbb, 0x9c, 0x40, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x60, 0x18,
        0x12, 0x34, 0x47, 0x64, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 0x61, 0x62, 0x63,
    ];

    const DATAGRAM: [u8; 51] = [
        0x60, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x11, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x35, 0x9c, 0x40, 0x00, 0x0b, 0x43, 0x8b, 0x61, 0x62, 0x63,
    ];

    #[test]
    fn a_segment_is_these_bytes() {
        let packet = tcp(&header("192.0.2.1:443", "10.0.0.2:40000", &[2, 4, 0x05, 0xb4]), abc());
        assert_eq!(packet.to_vec(), SEGMENT);
        assert_eq!(packet.len(), 47);
        assert_eq!(packet.header().len(), 44);
        assert_eq!(packet.payload().parts().concat(), b"abc");
    }

    #[test]
    fn a_datagram_is_these_bytes() {
        let packet = udp(address("[2001:db8::1]:53"), address("[2001:db8::2]:40000"), abc());
        assert_eq!(packet.to_vec(), DATAGRAM);
    }

    #[test]
    fn another_parser_agrees_about_a_segment_over_ipv6() {
        let mut payload = Payload::from(Bytes::from_static(b"odd"));
        payload.push(Bytes::from_static(b", and then even"));
        payload.push(Bytes::from_static(b"."));
        let options = [1, 1, 5, 10, 0, 0, 0, 9, 0, 0, 0, 12];
        let bytes = tcp(&header("[2001:db8::1]:443", "[2001:db8::2]:40000", &options), payload).to_vec();

        let ip = Ipv6Packet::new_checked(&bytes[..]).unwrap();
        assert_eq!((ip.next_header(), ip.hop_limit(), ip.total_len()), (IpProtocol::Tcp, 64, bytes.len()));
        let tcp = TcpPacket::new_checked(ip.payload()).unwrap();
        assert!(tcp.verify_checksum(&ip.src_addr().into(), &ip.dst_addr().into()));
        assert_eq!((tcp.src_port(), tcp.dst_port()), (443, 40000));
        assert_eq!(
            (tcp.seq_number(), tcp.ack_number()),
            (TcpSeqNumber(0x01020304), TcpSeqNumber(0x05060708))
        );
        assert!(tcp.ack() && tcp.psh() && !tcp.syn() && !tcp.fin() && !tcp.rst() && !tcp.urg());
        assert_eq!(
            TcpOption::parse(&tcp.options()[2..]).unwrap().1,
            TcpOption::SackRange([Some((9, 12)), None, None])
        );
        assert_eq!(tcp.payload(), b"odd, and then even.");
    }

    #[test]
    fn another_parser_agrees_about_a_datagram_over_ipv4() {
        let (source, destination) = (address("192.0.2.1:53"), address("10.0.0.2:40000"));
        let bytes = udp(source, destination, abc()).to_vec();
        let ip = Ipv4Packet::new_checked(&bytes[..]).unwrap();
        let checks = ChecksumCapabilities::default();
        Ipv4Repr::parse(&ip, &checks).unwrap();
        assert!(ip.dont_frag() && ip.ident() == 0);
        let udp = UdpPacket::new_checked(ip.payload()).unwrap();
        UdpRepr::parse(&udp, &ip.src_addr().into(), &ip.dst_addr().into(), &checks).unwrap();
        assert_eq!(udp.payload(), b"abc");
    }

    #[test]
    fn a_udp_checksum_of_zero_is_written_as_ones() {
        for (source, destination) in
            [("192.0.2.1:53", "10.0.0.2:13222"), ("[2001:db8::1]:53", "[2001:db8::2]:42036")]
        {
            let packet = udp(address(source), address(destination), Payload::default());
            assert_eq!(packet.header().last_chunk::<2>(), Some(&[0xff, 0xff]), "{source}");
        }
    }

    #[test]
    fn the_largest_datagram_fits() {
        let payload = Payload::from(Bytes::from(vec![7; 65_507]));
        let packet = udp(address("192.0.2.1:53"), address("10.0.0.2:9"), payload);
        assert_eq!(packet.len(), 65_535);
        assert_eq!(packet.header()[2..4], [0xff, 0xff]);
    }

    #[test]
    fn a_payload_takes_four_parts_and_no_empty_ones() {
        let mut payload = Payload::from(Bytes::new());
        assert!(payload.is_empty());
        for _ in 0..4 {
            assert!(payload.push(Bytes::from_static(b"ab")));
            assert!(payload.push(Bytes::new()));
        }
        assert!(!payload.push(Bytes::from_static(b"c")));
        assert_eq!((payload.len(), payload.parts().len()), (8, 4));
    }

    #[test]
    fn a_slice_of_a_payload_spans_its_parts() {
        let mut payload = Payload::default();
        for part in ["abc", "d", "efgh"] {
            payload.push(Bytes::from_static(part.as_bytes()));
        }
        for start in 0..=9 {
            for end in start..=9 {
                let expected = &b"abcdefgh"[start.min(8)..end.min(8)];
                assert_eq!(payload.slice(start, end).parts().concat(), expected, "{start}..{end}");
            }
        }
    }

    #[test]
    fn debug_output_shows_no_address_and_no_byte() {
        let packet = tcp(&header("192.0.2.1:443", "10.0.0.2:40000", &[]), abc());
        assert_eq!(format!("{packet:?} {:?}", packet.payload()), "Packet(43 bytes) Payload(3 bytes)");
    }

    fn header<'a>(source: &str, destination: &str, options: &'a [u8]) -> TcpHeader<'a> {
        TcpHeader {
            source: address(source),
            destination: address(destination),
            sequence: 0x01020304,
            acknowledgement: 0x05060708,
            flags: ACK | PSH,
            window: 0x1234,
            options,
        }
    }

    fn abc() -> Payload {
        Bytes::from_static(b"abc").into()
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }
}

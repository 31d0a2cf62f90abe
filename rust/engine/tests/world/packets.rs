//! Packets as apps send and read them, made and taken apart by hand.

use std::net::{IpAddr, SocketAddr};

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    IpProtocol, IpRepr, Ipv4Packet, Ipv6Packet, TcpOption, TcpPacket, TcpSeqNumber, UdpPacket,
};
use telltale_engine::Packet;

pub(crate) const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const RST: u8 = 0x04;
pub(crate) const PSH: u8 = 0x08;
pub(crate) const ACK: u8 = 0x10;
pub(crate) const URG: u8 = 0x20;

/// A TCP segment with plain fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) urgent: u16,
    pub(crate) options: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Segment {
    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn to_packet(&self) -> Vec<u8> {
        let options = self.options.len().next_multiple_of(4);
        let header = 20 + options;
        let mut bytes = vec![0; header + self.payload.len()];
        let mut tcp = TcpPacket::new_unchecked(&mut bytes[..]);
        tcp.set_src_port(self.from.port());
        tcp.set_dst_port(self.to.port());
        tcp.set_seq_number(TcpSeqNumber(self.seq.cast_signed()));
        tcp.set_ack_number(TcpSeqNumber(self.ack.cast_signed()));
        tcp.set_header_len(u8::try_from(header).unwrap());
        tcp.set_window_len(self.window);
        tcp.set_urgent_at(self.urgent);
        bytes[13] = self.flags;
        bytes[20..20 + self.options.len()].copy_from_slice(&self.options);
        bytes[header..].copy_from_slice(&self.payload);
        TcpPacket::new_unchecked(&mut bytes[..]).fill_checksum(&self.from.ip().into(), &self.to.ip().into());
        ip(self.from.ip(), self.to.ip(), IpProtocol::Tcp, &bytes)
    }

    /// Reads a segment, with its checksum checked. `None` for other protocols.
    pub(crate) fn read(packet: &[u8]) -> Option<Self> {
        let read = Read::packet(packet).filter(|read| read.protocol == IpProtocol::Tcp)?;
        let tcp = TcpPacket::new_checked(&read.payload[..]).expect("a segment");
        assert!(tcp.verify_checksum(&read.from.into(), &read.to.into()), "TCP checksum");
        Some(Self {
            from: SocketAddr::new(read.from, tcp.src_port()),
            to: SocketAddr::new(read.to, tcp.dst_port()),
            seq: tcp.seq_number().0.cast_unsigned(),
            ack: tcp.ack_number().0.cast_unsigned(),
            flags: read.payload[13],
            window: tcp.window_len(),
            urgent: tcp.urgent_at(),
            options: tcp.options().to_vec(),
            payload: tcp.payload().to_vec(),
        })
    }

    pub(crate) fn window_scale(&self) -> Option<u8> {
        let mut rest = &self.options[..];
        while !rest.is_empty() {
            let (after, option) = TcpOption::parse(rest).expect("an option");
            if let TcpOption::WindowScale(scale) = option {
                return Some(scale);
            }
            rest = after;
        }
        None
    }
}

/// One IP packet taken apart, not a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) from: IpAddr,
    pub(crate) to: IpAddr,
    pub(crate) protocol: IpProtocol,
    pub(crate) payload: Vec<u8>,
}

impl Read {
    pub(crate) fn packet(packet: &[u8]) -> Option<Self> {
        if packet[0] >> 4 == 4 {
            let ip = Ipv4Packet::new_checked(packet).expect("an IPv4 packet");
            assert!(ip.verify_checksum(), "IPv4 checksum");
            (!ip.more_frags() && ip.frag_offset() == 0).then(|| Self {
                from: ip.src_addr().into(),
                to: ip.dst_addr().into(),
                protocol: ip.next_header(),
                payload: ip.payload().to_vec(),
            })
        } else {
            let ip = Ipv6Packet::new_checked(packet).expect("an IPv6 packet");
            Some(Self {
                from: ip.src_addr().into(),
                to: ip.dst_addr().into(),
                protocol: ip.next_header(),
                payload: ip.payload().to_vec(),
            })
        }
    }
}

/// A UDP datagram in one packet, of any size up to 65,507 bytes.
pub(crate) fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    bytes.extend_from_slice(payload);
    let len = u16::try_from(bytes.len()).unwrap();
    let mut udp = UdpPacket::new_unchecked(&mut bytes[..]);
    udp.set_src_port(from.port());
    udp.set_dst_port(to.port());
    udp.set_len(len);
    udp.fill_checksum(&from.ip().into(), &to.ip().into());
    ip(from.ip(), to.ip(), IpProtocol::Udp, &bytes)
}

/// The ends and the payload of a UDP packet.
pub(crate) fn read_udp(packet: &[u8]) -> Option<(SocketAddr, SocketAddr, Vec<u8>)> {
    let read = Read::packet(packet).filter(|read| read.protocol == IpProtocol::Udp)?;
    let udp = UdpPacket::new_checked(&read.payload[..]).expect("a datagram");
    assert!(udp.verify_checksum(&read.from.into(), &read.to.into()), "UDP checksum");
    let (from, to) = (SocketAddr::new(read.from, udp.src_port()), SocketAddr::new(read.to, udp.dst_port()));
    Some((from, to, udp.payload().to_vec()))
}

/// A packet as an app's system understands it: with the checksum that the tun is left to complete.
pub(crate) fn complete(packet: &Packet) -> Vec<u8> {
    let mut bytes = packet.to_vec();
    let Some(unfinished) = packet.unfinished() else { return bytes };
    let (from, at) = (usize::from(unfinished.checksum_from), usize::from(unfinished.checksum_at));
    // RFC 1071 over what is there, the sum of the pseudo-header included.
    let mut sum: u32 = bytes[from..]
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let sum = !u16::try_from(sum).unwrap();
    bytes[from + at..from + at + 2].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// An ICMP or ICMPv6 echo request.
pub(crate) fn echo(from: IpAddr, to: IpAddr, identifier: u16, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let (kind, protocol) = if from.is_ipv4() { (8, IpProtocol::Icmp) } else { (128, IpProtocol::Icmpv6) };
    let mut bytes = vec![kind, 0, 0, 0];
    bytes.extend_from_slice(&identifier.to_be_bytes());
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(payload);
    let sum = checksum(from, to, protocol, &bytes);
    bytes[2..4].copy_from_slice(&sum.to_be_bytes());
    ip(from, to, protocol, &bytes)
}

/// Cuts an IPv4 packet into fragments that carry `size` bytes each, a multiple of 8.
pub(crate) fn cut(packet: &[u8], size: usize, identification: u16) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(20);
    let pieces: Vec<_> = payload.chunks(size).collect();
    let fragment = |(at, piece): (usize, &&[u8])| {
        let mut bytes = [header, piece].concat();
        let len = u16::try_from(bytes.len()).unwrap();
        let mut ip = Ipv4Packet::new_unchecked(&mut bytes[..]);
        ip.set_total_len(len);
        ip.set_ident(identification);
        ip.set_dont_frag(false);
        ip.set_more_frags(at + 1 < pieces.len());
        ip.set_frag_offset(u16::try_from(at * size).unwrap());
        ip.fill_checksum();
        bytes
    };
    pieces.iter().enumerate().map(fragment).collect()
}

/// Puts IPv4 fragments together again, as they came.
pub(crate) fn join(fragments: &[Vec<u8>]) -> Vec<u8> {
    let mut whole = fragments[0][..20].to_vec();
    for fragment in fragments {
        let ip = Ipv4Packet::new_checked(&fragment[..]).expect("a fragment");
        assert!(ip.verify_checksum());
        assert_eq!(usize::from(ip.frag_offset()), whole.len() - 20, "fragments in order");
        whole.extend_from_slice(ip.payload());
    }
    let len = u16::try_from(whole.len()).unwrap();
    let mut ip = Ipv4Packet::new_unchecked(&mut whole[..]);
    ip.set_total_len(len);
    ip.set_more_frags(false);
    ip.set_frag_offset(0);
    ip.fill_checksum();
    whole
}

pub(crate) fn ip(from: IpAddr, to: IpAddr, protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
    let repr = IpRepr::new(from.into(), to.into(), protocol, payload.len(), 64);
    let mut bytes = vec![0; repr.header_len()];
    repr.emit(&mut bytes[..], &ChecksumCapabilities::default());
    bytes.extend_from_slice(payload);
    bytes
}

fn checksum(from: IpAddr, to: IpAddr, protocol: IpProtocol, bytes: &[u8]) -> u16 {
    let mut all = Vec::new();
    if let (IpAddr::V6(from), IpAddr::V6(to)) = (from, to) {
        all.extend_from_slice(&from.octets());
        all.extend_from_slice(&to.octets());
        all.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
        all.extend_from_slice(&[0, 0, 0, u8::from(protocol)]);
    }
    all.extend_from_slice(bytes);
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    let mut sum: u32 = all.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}

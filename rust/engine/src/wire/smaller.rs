//! Cuts a packet into smaller ones that say the same, for a system that has no memory for a large one.

use smoltcp::wire::{IpProtocol, TcpPacket};

use super::checksum::Sum;
use super::fragment::fragments;
use super::packet::{FIN, IPV4_LEN, IPV6_LEN, PSH, Packet, ends, tcp_at};

impl Packet {
    /// Packets of at most `most` bytes each (at least 576) that carry the same, in order: segments of TCP,
    /// fragments of anything else. The packet itself where it is small enough.
    pub fn smaller(self, most: usize) -> Vec<Self> {
        if self.len() <= most {
            return vec![self];
        }
        match self.segments(most) {
            Some(segments) => segments,
            None => {
                // Unlikely enough to be that of another datagram under way between the same ends.
                let identification = u32::from(Sum::of(self.header()).finish());
                fragments(self, most, identification).collect()
            }
        }
    }

    fn segments(&self, most: usize) -> Option<Vec<Self>> {
        let (source, destination, protocol) = ends(self.header())?;
        let ip_len = if source.is_ipv4() { IPV4_LEN } else { IPV6_LEN };
        let transport = self.header().get(ip_len..).filter(|_| protocol == IpProtocol::Tcp)?;
        let segment = TcpPacket::new_checked(transport).ok()?;
        let agreed = self.unfinished().map_or(usize::MAX, |unfinished| unfinished.segment.into());
        let step = most.saturating_sub(self.header().len()).min(agreed).max(1);
        let len = self.payload().len();
        let piece = |start: usize| {
            let end = (start + step).min(len);
            let last_only = if end < len { FIN | PSH } else { 0 };
            tcp_at((source, destination), &segment, start, !last_only, self.payload().slice(start, end))
        };
        Some((0..len).step_by(step).map(piece).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use bytes::Bytes;

    use super::super::packet::{ACK, Payload, TcpHeader, tcp, tcp_to_cut, udp};
    use super::super::{Ingress, Parsed, parse};
    use super::*;

    const V4: (&str, &str) = ("192.0.2.1:443", "10.0.0.2:40000");
    const V6: (&str, &str) = ("[2001:db8::1]:443", "[2001:db8::2]:40000");

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn bytes(len: usize) -> Payload {
        Bytes::from((0..=250).cycle().take(len).collect::<Vec<u8>>()).into()
    }

    fn read(packet: &Packet) -> Ingress {
        let Parsed::Whole(ingress) = parse(&Bytes::from(packet.to_vec())) else { panic!("not whole") };
        assert!(ingress.checksum_ok(false));
        ingress
    }

    #[test]
    fn a_segment_becomes_segments_that_say_the_same() {
        for (source, destination) in [V4, V6] {
            let header = TcpHeader {
                source: at(source),
                destination: at(destination),
                sequence: u32::MAX - 1_000,
                acknowledgement: 77,
                flags: ACK | PSH | FIN,
                window: 99,
                options: &[],
            };
            let pieces = tcp(&header, bytes(5_000)).smaller(1_400);
            assert_eq!(pieces.len(), 4);
            let (mut next, mut whole) = (u32::MAX - 1_000, Vec::new());
            for (index, piece) in pieces.iter().enumerate() {
                assert!(piece.len() <= 1_400);
                let ingress = read(piece);
                let segment = TcpPacket::new_checked(&ingress.payload[..]).unwrap();
                assert_eq!(segment.seq_number().0.cast_unsigned(), next);
                assert_eq!((segment.ack_number().0, segment.window_len(), segment.ack()), (77, 99, true));
                assert_eq!((segment.fin(), segment.psh()), (index == 3, index == 3));
                whole.extend_from_slice(segment.payload());
                next = next.wrapping_add(u32::try_from(segment.payload().len()).unwrap());
            }
            assert_eq!(whole, bytes(5_000).parts().concat());
        }
    }

    #[test]
    fn a_segment_that_was_to_be_cut_becomes_whole_ones_of_the_size_that_was_agreed_on() {
        let header = TcpHeader {
            source: at(V4.0),
            destination: at(V4.1),
            sequence: 1,
            acknowledgement: 77,
            flags: ACK,
            window: 99,
            options: &[],
        };
        let pieces = tcp_to_cut(&header, bytes(5_000), 536).smaller(1_400);
        assert!(pieces.iter().all(|piece| piece.unfinished().is_none() && piece.payload().len() <= 536));
        let read: Vec<u8> = pieces.iter().flat_map(|piece| read(piece).payload[20..].to_vec()).collect();
        assert_eq!(read, bytes(5_000).parts().concat());
    }

    #[test]
    fn a_datagram_becomes_fragments_and_a_small_packet_stays() {
        let datagram = udp(at(V4.0), at(V4.1), bytes(5_000));
        let pieces = datagram.clone().smaller(1_400);
        assert_eq!(pieces.len(), 4);
        assert!(pieces.iter().all(|piece| piece.len() <= 1_400));
        assert_eq!(datagram.clone().smaller(6_000)[0].to_vec(), datagram.to_vec());
    }
}

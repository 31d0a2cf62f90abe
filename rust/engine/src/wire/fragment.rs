//! Cuts a packet that is larger than the tun's MTU into fragments.

use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet};

use super::extension::{FRAGMENT_LEN, FragmentHeader};
use super::packet::{Header, IPV4_LEN, IPV6_LEN, Packet, length_field, seal_ipv4};

/// The packet itself where it fits `mtu`, else its fragments, in order: RFC 791 3.2, RFC 8200 4.5.
/// The payload is not copied. IPv4 uses the low 16 bits of `identification`.
pub(crate) fn fragments(packet: Packet, mtu: usize, identification: u32) -> impl Iterator<Item = Packet> {
    let cut = Cut::new(packet, mtu, identification);
    (0..cut.len).step_by(cut.step).map(move |start| cut.piece(start))
}

/// A packet and how it is to be cut.
struct Cut {
    packet: Packet,
    ip_len: usize,
    /// Bytes behind the IP header.
    len: usize,
    /// Bytes of these in each fragment but the last: a multiple of eight. All of them where the packet
    /// stays whole.
    step: usize,
    identification: u32,
}

impl Cut {
    fn new(packet: Packet, mtu: usize, identification: u32) -> Self {
        let is_v4 = packet.header().first().is_some_and(|first| first >> 4 == 4);
        let (ip_len, overhead) =
            if is_v4 { (IPV4_LEN, IPV4_LEN) } else { (IPV6_LEN, IPV6_LEN + FRAGMENT_LEN) };
        let len = packet.len() - ip_len;
        let step = if packet.len() <= mtu { len } else { mtu.saturating_sub(overhead) & !7 };
        Self { packet, ip_len, len, step: step.max(8), identification }
    }

    fn piece(&self, start: usize) -> Packet {
        let end = (start + self.step).min(self.len);
        if end - start == self.len {
            return self.packet.clone();
        }
        let transport = self.packet.header().get(self.ip_len..).unwrap_or_default();
        let within = |at: usize| at.min(transport.len());
        let beyond = |at: usize| at.saturating_sub(transport.len());
        let mut header = self.ip_header(start, end);
        header.push(transport.get(within(start)..within(end)).unwrap_or_default());
        Packet::new(header, self.packet.payload().slice(beyond(start), beyond(end)))
    }

    fn ip_header(&self, start: usize, end: usize) -> Header {
        let mut header = Header::new();
        if self.ip_len == IPV4_LEN {
            header.push(&self.ipv4(start, end));
        } else {
            header.push(&self.ipv6(end - start));
            header.push(&self.fragment_header(start, end));
        }
        header
    }

    fn ipv4(&self, start: usize, end: usize) -> [u8; IPV4_LEN] {
        let mut header = Ipv4Packet::new_unchecked(self.ip());
        header.set_total_len(length_field(IPV4_LEN + end - start));
        header.set_ident((self.identification & 0xffff) as u16);
        header.set_dont_frag(false);
        header.set_more_frags(end < self.len);
        header.set_frag_offset(length_field(start));
        seal_ipv4(header.into_inner())
    }

    fn ipv6(&self, length: usize) -> [u8; IPV6_LEN] {
        let mut header = Ipv6Packet::new_unchecked(self.ip());
        header.set_payload_len(length_field(FRAGMENT_LEN + length));
        header.set_next_header(IpProtocol::Ipv6Frag);
        header.into_inner()
    }

    fn fragment_header(&self, start: usize, end: usize) -> [u8; FRAGMENT_LEN] {
        let header = FragmentHeader {
            protocol: Ipv6Packet::new_unchecked(self.ip::<IPV6_LEN>()).next_header(),
            offset: start,
            more: end < self.len,
            identification: self.identification,
        };
        header.write()
    }

    /// The IP header of the whole packet.
    fn ip<const LEN: usize>(&self) -> [u8; LEN] {
        self.packet.header().first_chunk().copied().unwrap_or([0; LEN])
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::packet::{Payload, udp};
    use super::*;

    #[test]
    fn a_packet_that_fits_stays_as_it_is() {
        let packet = datagram("192.0.2.1:53", "10.0.0.2:9", 72);
        let whole: Vec<_> = fragments(packet.clone(), 100, 1).map(|packet| packet.to_vec()).collect();
        assert_eq!(whole, [packet.to_vec()]);
    }

    #[test]
    fn ipv4_fragments_say_where_they_belong() {
        // 109 bytes behind the IP header: 56 and 53 of them in packets of 76 and 73.
        let packet = datagram("192.0.2.1:53", "10.0.0.2:9", 101);
        let pieces: Vec<_> = fragments(packet.clone(), 80, 0xdead_beef).map(|piece| piece.to_vec()).collect();
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0][..10], [0x45, 0, 0, 76, 0xbe, 0xef, 0x20, 0, 64, 17]);
        assert_eq!(pieces[1][..10], [0x45, 0, 0, 73, 0xbe, 0xef, 0x00, 7, 64, 17]);
        for piece in &pieces {
            assert!(Ipv4Packet::new_checked(&piece[..]).unwrap().verify_checksum());
        }
        assert_eq!([&pieces[0][20..], &pieces[1][20..]].concat(), packet.to_vec()[20..]);
    }

    #[test]
    fn ipv6_fragments_say_where_they_belong() {
        // 109 bytes behind the IP header: 56 and 53 of them in packets of 104 and 101.
        let packet = datagram("[2001:db8::1]:53", "[2001:db8::2]:9", 101);
        let pieces: Vec<_> =
            fragments(packet.clone(), 111, 0xdead_beef).map(|piece| piece.to_vec()).collect();
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0][..8], [0x60, 0, 0, 0, 0, 64, 44, 64]);
        assert_eq!(pieces[0][40..48], [17, 0, 0x00, 0x01, 0xde, 0xad, 0xbe, 0xef]);
        assert_eq!(pieces[1][..8], [0x60, 0, 0, 0, 0, 61, 44, 64]);
        assert_eq!(pieces[1][40..48], [17, 0, 0x00, 56, 0xde, 0xad, 0xbe, 0xef]);
        assert_eq!([&pieces[0][48..], &pieces[1][48..]].concat(), packet.to_vec()[40..]);
    }

    #[test]
    fn no_fragment_is_larger_than_the_mtu_and_none_is_empty() {
        for (source, destination) in [("192.0.2.1:53", "10.0.0.2:9"), ("[2001:db8::1]:53", "[2001:db8::2]:9")]
        {
            let packet = datagram(source, destination, 4_000);
            for mtu in 68..1_500 {
                for piece in fragments(packet.clone(), mtu, 1) {
                    assert!(piece.len() <= mtu, "{} bytes at {mtu}", piece.len());
                    let headers = if source.starts_with('[') { 48 } else { 20 };
                    assert!(piece.len() > headers, "empty at {mtu}");
                }
            }
        }
    }

    #[test]
    fn an_absurd_mtu_still_ends() {
        assert_eq!(fragments(datagram("192.0.2.1:53", "10.0.0.2:9", 92), 0, 1).count(), 13);
    }

    fn datagram(source: &str, destination: &str, length: usize) -> Packet {
        let mut payload = Payload::default();
        let bytes: Bytes = (0..=250).cycle().take(length).collect();
        payload.push(bytes.slice(..length / 3));
        payload.push(bytes.slice(length / 3..));
        udp(source.parse().unwrap(), destination.parse().unwrap(), payload)
    }
}

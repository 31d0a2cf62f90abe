//! Datagrams for an app that go as one packet to a tun that cuts it again, as a network card does for who sends
//! many (`UDP_SEGMENT`, udp(7)).

use std::net::SocketAddr;

use smoltcp::wire::{IpProtocol, UdpPacket};

use super::packet::{IPV4_LEN, IPV6_LEN, Packet, ends, udp_to_cut};

/// Datagrams in a row that can go as one packet.
#[derive(Debug, Default)]
pub struct Joined {
    packets: Vec<Packet>,
    /// Bytes of their payload.
    len: usize,
}

/// Datagrams that Linux makes of one packet (`UDP_MAX_SEGMENTS` of its older versions).
const MOST: usize = 64;

/// Bytes of a packet, as its header counts them.
const LONGEST: usize = 65_535;

impl Joined {
    /// Takes a packet where it is a datagram that goes with those before: from the same port to the same, as
    /// long as the first or shorter, and only the last is shorter. Else gives it back.
    pub fn push(&mut self, packet: Packet) -> Option<Packet> {
        if !self.goes_with(&packet) {
            return Some(packet);
        }
        self.len += packet.payload().len();
        self.packets.push(packet);
        None
    }

    /// What was taken, in order.
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }

    /// The headers of the one packet that carries the payload of all, for whoever finishes it
    /// ([`Packet::unfinished`]). None for less than two.
    pub fn head(&self) -> Option<Packet> {
        let [first, _, ..] = &self.packets[..] else { return None };
        let (source, destination) = sockets(first)?;
        Some(udp_to_cut(source, destination, self.len, first.payload().len()))
    }

    /// Takes out all.
    pub fn drain(&mut self) -> impl Iterator<Item = Packet> {
        self.len = 0;
        self.packets.drain(..)
    }

    fn goes_with(&self, packet: &Packet) -> bool {
        let len = packet.payload().len();
        if packet.payload().parts().len() != 1 || packet.unfinished().is_some() {
            return false;
        }
        let Some(sockets_of) = sockets(packet) else { return false };
        let (Some(first), Some(last)) = (self.packets.first(), self.packets.last()) else { return true };
        let size = first.payload().len();
        self.packets.len() < MOST
            && len <= size
            && last.payload().len() == size
            && packet.header().len() + self.len + len <= LONGEST
            && sockets(first) == Some(sockets_of)
    }
}

/// Whence and whither a whole datagram of ours goes; none for all else.
fn sockets(packet: &Packet) -> Option<(SocketAddr, SocketAddr)> {
    let (source, destination, protocol) = ends(packet.header())?;
    let ip_len = if source.is_ipv4() { IPV4_LEN } else { IPV6_LEN };
    // Nothing but a fragment has other bits in the place of these, or another protocol (RFC 8200 4.5).
    let whole = !source.is_ipv4() || packet.header().get(6..8)? == [0x40, 0];
    let ports = packet.header().get(ip_len..).filter(|_| whole && protocol == IpProtocol::Udp)?;
    let ports = UdpPacket::new_unchecked(ports.first_chunk::<8>()?);
    Some((SocketAddr::new(source, ports.src_port()), SocketAddr::new(destination, ports.dst_port())))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::checksum::Sum;
    use super::super::fragments;
    use super::super::packet::{Payload, udp};
    use super::*;

    const V4: (&str, &str) = ("192.0.2.1:443", "10.0.0.2:40000");
    const V6: (&str, &str) = ("[2001:db8::1]:443", "[2001:db8::2]:40000");

    fn datagram((source, destination): (&str, &str), len: usize) -> Packet {
        let payload = Bytes::from((0..=250).cycle().take(len).collect::<Vec<u8>>());
        udp(source.parse().unwrap(), destination.parse().unwrap(), payload.into())
    }

    /// How many of these go together.
    fn joined(packets: Vec<Packet>) -> usize {
        let mut joined = Joined::default();
        packets.into_iter().take_while(|packet| joined.push(packet.clone()).is_none()).count()
    }

    #[test]
    fn datagrams_of_one_size_go_together_and_a_shorter_one_ends_them() {
        let sizes = |sizes: &[usize]| joined(sizes.iter().map(|len| datagram(V4, *len)).collect());
        assert_eq!(sizes(&[100, 100, 100]), 3);
        assert_eq!(sizes(&[100, 100, 40, 40]), 3);
        assert_eq!(sizes(&[100, 101]), 1);
        assert_eq!(sizes(&[100, 0]), 1);
        assert_eq!(sizes(&[0]), 0);
        assert_eq!(sizes(&[10; 100]), MOST);
        assert_eq!(sizes(&[1_400; 100]), (LONGEST - 28) / 1_400);
    }

    #[test]
    fn another_socket_and_a_fragment_go_alone() {
        let other = ("192.0.2.1:444", "10.0.0.2:40000");
        assert_eq!(joined(vec![datagram(V4, 100), datagram(other, 100)]), 1);
        let other = ("192.0.2.1:443", "10.0.0.2:40001");
        assert_eq!(joined(vec![datagram(V4, 100), datagram(other, 100)]), 1);
        assert_eq!(joined(vec![datagram(V4, 100), datagram(V6, 100)]), 1);
        for ends in [V4, V6] {
            assert_eq!(joined(fragments(datagram(ends, 3_000), 1_500, 7).collect()), 0);
        }
    }

    #[test]
    fn the_head_is_that_of_one_long_datagram_whose_checksum_is_left_to_finish() {
        for ends in [V4, V6] {
            let mut joined = Joined::default();
            assert!([100, 100, 40].iter().all(|len| joined.push(datagram(ends, *len)).is_none()));
            let head = joined.head().unwrap();
            let payload = joined.packets().iter().flat_map(|packet| packet.payload().parts().concat());
            let whole = udp(
                ends.0.parse().unwrap(),
                ends.1.parse().unwrap(),
                Payload::from(payload.collect::<Bytes>()),
            );
            let unfinished = head.unfinished().unwrap();
            let from = usize::from(unfinished.checksum_from);
            let at = from + usize::from(unfinished.checksum_at);
            let mut header = head.header().to_vec();
            // What a tun does: the sum over all from there, with what stands in the field.
            let mut sum = Sum::of(&header[from..]);
            sum.add(&whole.payload().parts().concat());
            header[at..at + 2].copy_from_slice(&sum.finish().to_be_bytes());
            assert_eq!((&header[..], unfinished.segment), (whole.header(), 100));
        }
    }

    #[test]
    fn one_alone_needs_no_head_and_what_is_taken_out_is_gone() {
        let mut joined = Joined::default();
        assert!(joined.push(datagram(V4, 100)).is_none() && joined.head().is_none());
        assert_eq!(joined.drain().count(), 1);
        assert!(joined.packets().is_empty() && joined.push(datagram(V6, 200)).is_none());
    }
}

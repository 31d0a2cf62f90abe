//! Packets of IPv4, and the capture file that they are kept in.

use std::net::SocketAddrV4;

pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const PUSH: u8 = 0x08;
pub(super) const ACK: u8 = 0x10;

/// The protocols' numbers of IANA.
const TCP: u8 = 6;
const UDP: u8 = 17;
/// LINKTYPE_RAW: a packet begins with its IP header.
const RAW: u32 = 101;
const MICROS: u64 = 1_000_000;

/// From whom to whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) source: SocketAddrV4,
    pub(super) destination: SocketAddrV4,
}

/// What TCP says besides the payload: RFC 9293 3.1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) flags: u8,
    pub(super) sequence: u32,
    pub(super) acknowledged: u32,
}

/// A file in the format pcap, with microseconds, the lowest byte first.
#[derive(Debug)]
pub(super) struct File(Vec<u8>);

impl File {
    pub(super) fn new() -> Self {
        // Magic number, version 2.4, no zone, no accuracy, the longest packet, and the link.
        let header = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, RAW];
        Self(header.iter().flat_map(|word: &u32| word.to_le_bytes()).collect())
    }

    /// Adds a packet seen at this time, in microseconds since 1970.
    pub(super) fn add(&mut self, at: u64, packet: &[u8]) {
        let length = packet.len() as u64;
        for word in [at / MICROS, at % MICROS, length, length] {
            // Four bytes are enough until 2106, and for any packet.
            let [first, second, third, fourth, ..] = word.to_le_bytes();
            self.0.extend([first, second, third, fourth]);
        }
        self.0.extend(packet);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A datagram: RFC 768.
pub(super) fn udp(ends: Ends, payload: &[u8]) -> Vec<u8> {
    let header = [ports(ends), [length(8 + payload.len()), [0, 0]].concat()].concat();
    ip(ends, UDP, &checked(ends, UDP, 6, [&header, payload].concat()))
}

/// A segment: RFC 9293 3.1. The first ones say how long the others may be.
pub(super) fn tcp(ends: Ends, segment: Segment, payload: &[u8]) -> Vec<u8> {
    let options: &[u8] = if segment.flags & SYN == 0 { &[] } else { &[2, 4, 5, 180] };
    let words = if options.is_empty() { 5 } else { 6 };
    let mut bytes = ports(ends);
    bytes.extend(segment.sequence.to_be_bytes());
    bytes.extend(segment.acknowledged.to_be_bytes());
    bytes.extend([words << 4, segment.flags, 0xff, 0xff, 0, 0, 0, 0]);
    bytes.extend(options);
    bytes.extend(payload);
    ip(ends, TCP, &checked(ends, TCP, 16, bytes))
}

/// RFC 791 3.1: no fragments, 64 hops.
fn ip(ends: Ends, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = length(20 + payload.len());
    let mut bytes = vec![0x45, 0, high, low, 0, 0, 0x40, 0, 64, protocol, 0, 0];
    bytes.extend(ends.source.ip().octets());
    bytes.extend(ends.destination.ip().octets());
    let sum = checksum(&bytes);
    put(&mut bytes, 10, sum);
    bytes.extend(payload);
    bytes
}

fn ports(ends: Ends) -> Vec<u8> {
    [ends.source.port().to_be_bytes(), ends.destination.port().to_be_bytes()].concat()
}

/// No payload here comes near what two bytes can say.
fn length(bytes: usize) -> [u8; 2] {
    u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes()
}

/// With its checksum at this place, over the pseudo-header too: RFC 9293 3.1.
fn checked(ends: Ends, protocol: u8, place: usize, mut bytes: Vec<u8>) -> Vec<u8> {
    let mut summed = [ends.source.ip().octets(), ends.destination.ip().octets()].concat();
    summed.extend([0, protocol]);
    summed.extend(length(bytes.len()));
    summed.extend(&bytes);
    // A sum of zero would say that there is none: RFC 768.
    let sum = Some(checksum(&summed)).filter(|sum| *sum != 0).unwrap_or(0xffff);
    put(&mut bytes, place, sum);
    bytes
}

fn put(bytes: &mut [u8], place: usize, sum: u16) {
    if let Some(room) = bytes.get_mut(place..place + 2) {
        room.copy_from_slice(&sum.to_be_bytes());
    }
}

/// RFC 1071: the complement of the sum of all pairs of bytes, with the carry added to it.
fn checksum(bytes: &[u8]) -> u16 {
    let pairs = bytes.chunks(2).map(|pair| match pair {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        [high] => u32::from(*high) << 8,
        _ => 0,
    });
    let mut sum: u32 = pairs.sum();
    while let Ok(carry @ 1..) = u16::try_from(sum >> 16) {
        sum = (sum & 0xffff) + u32::from(carry);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 1071 3: the sum of these is ddf2.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        let ends =
            Ends { source: "192.0.2.1:1000".parse().unwrap(), destination: "192.0.2.2:80".parse().unwrap() };
        let packet = udp(ends, b"odd");
        assert_eq!(checksum(&packet[..20]), 0);
        let pseudo = [&packet[12..20], &[0, 17, 0, 11][..]].concat();
        assert_eq!(checksum(&[&pseudo, &packet[20..]].concat()), 0);
    }

    #[test]
    fn a_first_segment_has_its_option_within_its_header() {
        let ends =
            Ends { source: "192.0.2.1:1000".parse().unwrap(), destination: "192.0.2.2:80".parse().unwrap() };
        let packet = tcp(ends, Segment { flags: SYN, sequence: 1, acknowledged: 0 }, b"");
        assert_eq!((packet.len(), packet[3], packet[32]), (44, 44, 0x60));
    }
}

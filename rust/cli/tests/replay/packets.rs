//! Captures written anew: with other segments, in another order, with repeated or cut packets.

/// A packet of a capture of Ethernet.
#[derive(Clone)]
pub(crate) struct Packet {
    /// Seconds and microseconds, as in the file.
    stamp: [u8; 8],
    frame: Vec<u8>,
    /// Bytes that it had on its link.
    length: usize,
}

/// The packets of a pcap file of this machine's byte order.
pub(crate) fn read(file: &[u8]) -> Vec<Packet> {
    let mut rest = &file[HEADER..];
    let mut packets = Vec::new();
    while let Some((record, behind)) = rest.split_first_chunk::<16>() {
        let number = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().unwrap()) as usize;
        let (frame, next) = behind.split_at(number(8));
        let stamp = record[..8].try_into().unwrap();
        packets.push(Packet { stamp, frame: frame.to_vec(), length: number(12) });
        rest = next;
    }
    packets
}

/// A pcap file that holds them.
pub(crate) fn write(packets: &[Packet]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for packet in packets {
        file.extend(packet.stamp);
        for length in [packet.frame.len(), packet.length] {
            file.extend(u32::try_from(length).unwrap().to_le_bytes());
        }
        file.extend(&packet.frame);
    }
    file
}

/// Each TCP segment as segments of at most so many bytes.
pub(crate) fn split(packets: &[Packet], size: usize) -> Vec<Packet> {
    packets.iter().flat_map(|packet| packet.split(size)).collect()
}

/// Each packet twice, and the first ones of all once more at the end.
pub(crate) fn repeated(packets: &[Packet]) -> Vec<Packet> {
    let mut twice: Vec<Packet> = packets.iter().flat_map(|packet| [packet.clone(), packet.clone()]).collect();
    let again = packets.iter().filter(|packet| packet.tcp().is_some()).skip(3).take(5).cloned();
    twice.extend(again);
    twice
}

/// Each packet at most so many places from where it belongs; stamps stay in order.
pub(crate) fn shuffled(packets: &[Packet], reach: usize, seed: u32) -> Vec<Packet> {
    let mut random = seed;
    let mut order: Vec<(usize, usize)> = (0..packets.len())
        .map(|at| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (at + (random >> 8) as usize % (reach + 1), at)
        })
        .collect();
    order.sort_unstable();
    let moved = order.iter().map(|(_, at)| packets[*at].clone());
    moved.zip(packets).map(|(packet, here)| Packet { stamp: here.stamp, ..packet }).collect()
}

/// Packets from servers cut at so many bytes, as by a snaplen.
pub(crate) fn cut(packets: &[Packet], snaplen: usize) -> Vec<Packet> {
    let mut packets = packets.to_vec();
    for packet in packets.iter_mut().filter(|packet| packet.is_from_server()) {
        packet.frame.truncate(snaplen);
    }
    packets
}

/// Bytes of the file's header, and of an Ethernet header.
const HEADER: usize = 24;
const ETHERNET: usize = 14;

impl Packet {
    /// Where the TCP header and its payload begin, and where the payload ends.
    fn tcp(&self) -> Option<(usize, usize, usize)> {
        let ip = &self.frame[ETHERNET..];
        let number = |at: usize| usize::from(u16::from_be_bytes([ip[at], ip[at + 1]]));
        let (protocol, header, end) = match ip[0] >> 4 {
            4 => (ip[9], 4 * usize::from(ip[0] & 15), number(2)),
            _ => (ip[6], 40, 40 + number(4)),
        };
        let tcp = ETHERNET + header;
        (protocol == 6).then(|| (tcp, tcp + 4 * usize::from(self.frame[tcp + 12] >> 4), ETHERNET + end))
    }

    /// Whether it is one of IPv4 and TCP from this port.
    pub(crate) fn is_from(&self, port: u16) -> bool {
        self.tcp().is_some_and(|(tcp, ..)| self.frame[tcp..tcp + 2] == port.to_be_bytes())
    }

    fn is_from_server(&self) -> bool {
        let ip = &self.frame[ETHERNET..];
        match ip[0] >> 4 {
            4 => ip[12..15] == [203, 0, 113],
            _ => ip[8..14] == [0x20, 1, 0x0d, 0xb8, 0, 2],
        }
    }

    fn split(&self, size: usize) -> Vec<Self> {
        let Some((tcp, payload, end)) = self.tcp().filter(|(_, payload, end)| end - payload > size) else {
            return vec![self.clone()];
        };
        let pieces: Vec<&[u8]> = self.frame[payload..end].chunks(size).collect();
        let last = pieces.len() - 1;
        let piece = |(at, bytes): (usize, &&[u8])| {
            let mut frame = [&self.frame[..payload], bytes].concat();
            let sequence = u32::from_be_bytes(frame[tcp + 4..tcp + 8].try_into().unwrap());
            let sequence = sequence.wrapping_add(u32::try_from(at * size).unwrap());
            frame[tcp + 4..tcp + 8].copy_from_slice(&sequence.to_be_bytes());
            // The end belongs to the last.
            frame[tcp + 13] &= if at == last { 0xff } else { 0xfe };
            let ip = u16::try_from(frame.len() - ETHERNET).unwrap();
            match frame[ETHERNET] >> 4 {
                4 => frame[ETHERNET + 2..ETHERNET + 4].copy_from_slice(&ip.to_be_bytes()),
                _ => frame[ETHERNET + 4..ETHERNET + 6].copy_from_slice(&(ip - 40).to_be_bytes()),
            }
            Self { length: frame.len(), frame, ..self.clone() }
        };
        pieces.iter().enumerate().map(piece).collect()
    }
}

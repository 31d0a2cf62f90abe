//! Echo requests and replies: RFC 792, RFC 4443 4.

use bytes::Bytes;
use telltale_engine::{EchoId, Input};

use super::Family;

/// Type, code, checksum, identifier, sequence number.
const HEADER: usize = 8;
const REPLY_V4: u8 = 0;
const REPLY_V6: u8 = 129;

/// The header of a request. The kernel fills in the checksum of ICMPv6, and of ping sockets.
pub(super) fn request_header(family: Family, identifier: u16, sequence: u16, payload: &[u8]) -> [u8; HEADER] {
    let kind = match family {
        Family::V4 => 8,
        Family::V6 => 128,
    };
    let [i0, i1] = identifier.to_be_bytes();
    let [s0, s1] = sequence.to_be_bytes();
    let [c0, c1] = checksum(&[kind, 0, 0, 0, i0, i1, s0, s1], payload).to_be_bytes();
    [kind, 0, c0, c1, i0, i1, s0, s1]
}

/// A reply, whoever asked for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) identifier: u16,
    pub(super) sequence: u16,
    pub(super) payload: Bytes,
}

impl Reply {
    pub(super) fn into_input(self, echo: EchoId) -> Input {
        Input::EchoReply { echo, sequence: self.sequence, payload: self.payload }
    }
}

/// `None`: this is no echo reply.
pub(super) fn read_reply(message: &[u8]) -> Option<Reply> {
    let (header, payload) = message.split_first_chunk::<HEADER>()?;
    let [REPLY_V4 | REPLY_V6, 0, ..] = *header else { return None };
    let payload = Bytes::copy_from_slice(payload);
    Some(Reply { identifier: identifier(header), sequence: sequence(header), payload })
}

/// The ICMP message in an IPv4 packet, as raw sockets get it.
pub(super) fn behind_v4_header(packet: &[u8]) -> Option<&[u8]> {
    let header_len = usize::from(packet.first()? & 0x0f) * 4;
    packet.get(header_len..)
}

pub(super) fn identifier(header: &[u8; HEADER]) -> u16 {
    let [_, _, _, _, i0, i1, _, _] = *header;
    u16::from_be_bytes([i0, i1])
}

pub(super) fn sequence(header: &[u8; HEADER]) -> u16 {
    let [_, _, _, _, _, _, s0, s1] = *header;
    u16::from_be_bytes([s0, s1])
}

/// RFC 1071.
fn checksum(header: &[u8; HEADER], payload: &[u8]) -> u16 {
    let word = |pair: &[u8]| match *pair {
        [high, low] => u64::from(u16::from_be_bytes([high, low])),
        [high] => u64::from(u16::from_be_bytes([high, 0])),
        _ => 0,
    };
    let mut sum: u64 = header.chunks(2).chain(payload.chunks(2)).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_that_of_ping() {
        let header = request_header(Family::V4, 0x0001, 0x0005, b"abcdefghi");
        // The sum of 0800 0001 0005 6162 6364 6566 6768 6900, folded and inverted.
        assert_eq!(header, [8, 0, 0xfd, 0x63, 0, 1, 0, 5]);
        assert_eq!(request_header(Family::V6, 1, 5, b"")[0], 128);
    }

    #[test]
    fn only_replies_are_read() {
        let reply = Reply { identifier: 0x1234, sequence: 7, payload: Bytes::from_static(b"xy") };
        assert_eq!(read_reply(b"\x00\x00\xff\xff\x12\x34\x00\x07xy"), Some(reply));
        assert!(read_reply(b"\x81\x00\xff\xff\x12\x34\x00\x07").is_some());
        assert_eq!(read_reply(b"\x08\x00\xff\xff\x12\x34\x00\x07xy"), None, "a request");
        assert_eq!(read_reply(b"\x00\x00\xff\xff\x12\x34\x00"), None, "cut");
    }

    #[test]
    fn the_ip_header_is_passed_over_with_its_options() {
        let mut packet = vec![0x46; 24];
        packet.extend(b"message");
        assert_eq!(behind_v4_header(&packet), Some(&b"message"[..]));
        assert_eq!(behind_v4_header(&[0x4f, 0, 0]), None);
    }
}

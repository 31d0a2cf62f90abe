use bytes::Bytes;

use crate::ip::Ip;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// What a TCP segment says (RFC 9293 3.1), but for window, options and urgent data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) source: u16,
    pub(crate) destination: u16,
    /// The number of its first byte; of its SYN where it has one.
    pub(crate) sequence: u32,
    /// The number of the byte that its sender wants next.
    pub(crate) acknowledged: Option<u32>,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    pub(crate) reset: bool,
    /// What was captured of its payload.
    pub(crate) payload: Bytes,
    /// How many bytes of payload more it had.
    pub(crate) missing: usize,
}

impl Segment {
    /// Reads the segment in a packet. The checksum is not looked at: where a capture was made on the
    /// sending machine, the network card was yet to fill it in.
    pub(crate) fn parse(packet: &Ip) -> Option<Self> {
        let &[a, b, c, d, s1, s2, s3, s4, a1, a2, a3, a4, offset, flags] = packet.payload.first_chunk()?;
        let header_len = usize::from(offset >> 4) * 4;
        let captured = packet.payload.len();
        if header_len < 20 || header_len > captured + packet.missing {
            return None;
        }
        let is = |flag: u8| flags & flag != 0;
        Some(Self {
            source: u16::from_be_bytes([a, b]),
            destination: u16::from_be_bytes([c, d]),
            sequence: u32::from_be_bytes([s1, s2, s3, s4]),
            acknowledged: is(ACK).then(|| u32::from_be_bytes([a1, a2, a3, a4])),
            syn: is(SYN),
            fin: is(FIN),
            reset: is(RST),
            payload: packet.payload.slice(header_len.min(captured)..),
            missing: packet.missing - header_len.saturating_sub(captured),
        })
    }

    /// Bytes of payload that it had.
    pub(crate) fn len(&self) -> usize {
        self.payload.len() + self.missing
    }
}

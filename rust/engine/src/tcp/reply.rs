//! The segments that go to an app.

use std::net::SocketAddr;

use super::receiver::Blocks;
use super::segment::Segment;
use super::sender::Piece;
use super::sequence::Sequence;
use crate::limits::WINDOW_SCALE;
use crate::wire::{ACK, FIN, PSH, Packet, Payload, RST, SYN, TcpHeader, tcp, tcp_to_cut};

/// From the remote's address to the app's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply {
    pub(crate) app: SocketAddr,
    pub(crate) remote: SocketAddr,
}

impl Reply {
    /// The answer to a segment that belongs to no flow (RFC 9293 3.10.7.1). None to a reset.
    pub(crate) fn refusal(segment: &Segment) -> Option<Packet> {
        let reply = Self { app: segment.app, remote: segment.remote };
        match segment.acknowledgement {
            _ if segment.rst => None,
            Some(number) => Some(empty(&reply.header(number, Sequence(0), RST, 0, &[]))),
            None => Some(reply.reset(Sequence(0), segment.sequence.plus(segment.len()))),
        }
    }

    pub(crate) fn reset(self, sequence: Sequence, acknowledgement: Sequence) -> Packet {
        empty(&self.header(sequence, acknowledgement, RST | ACK, 0, &[]))
    }

    pub(crate) fn syn_ack(
        self,
        isn: Sequence,
        acknowledgement: Sequence,
        window: u16,
        mss: u16,
        scaled: bool,
        sack: bool,
    ) -> Packet {
        let mut options = Options { bytes: [0; 36], len: 0 };
        let [high, low] = mss.to_be_bytes();
        options.add(&[2, 4, high, low]); // RFC 9293 3.7.1
        if scaled {
            options.add(&[1, 3, 3, WINDOW_SCALE]); // RFC 7323 2.2
        }
        if sack {
            options.add(&[1, 1, 4, 2]); // RFC 2018 2
        }
        empty(&self.header(isn, acknowledgement, SYN | ACK, window, options.bytes()))
    }

    pub(crate) fn acknowledgement(
        self,
        sequence: Sequence,
        acknowledgement: Sequence,
        window: u16,
        blocks: &Blocks,
    ) -> Packet {
        let mut options = Options { bytes: [0; 36], len: 0 };
        let count = blocks.iter().count();
        if count > 0 {
            options.add(&[1, 1, 5, u8::try_from(2 + 8 * count).unwrap_or(2)]); // RFC 2018 3
            for (start, end) in blocks.iter() {
                options.add(&start.0.to_be_bytes());
                options.add(&end.0.to_be_bytes());
            }
        }
        empty(&self.header(sequence, acknowledgement, ACK, window, options.bytes()))
    }

    /// A segment with bytes. Where a tun cuts it, into segments of `cut` bytes.
    pub(crate) fn piece(
        self,
        piece: Piece,
        acknowledgement: Sequence,
        window: u16,
        cut: Option<usize>,
    ) -> Packet {
        let push = if piece.push && !piece.payload.is_empty() { PSH } else { 0 };
        let flags = ACK | push | if piece.fin { FIN } else { 0 };
        let header = self.header(piece.sequence, acknowledgement, flags, window, &[]);
        match cut {
            Some(size) => tcp_to_cut(&header, piece.payload, size),
            None => tcp(&header, piece.payload),
        }
    }

    fn header(
        self,
        sequence: Sequence,
        acknowledgement: Sequence,
        flags: u8,
        window: u16,
        options: &[u8],
    ) -> TcpHeader<'_> {
        TcpHeader {
            source: self.remote,
            destination: self.app,
            sequence: sequence.0,
            acknowledgement: acknowledgement.0,
            flags,
            window,
            options,
        }
    }
}

/// A segment without bytes.
fn empty(header: &TcpHeader<'_>) -> Packet {
    tcp(header, Payload::default())
}

/// Option bytes, a multiple of four, at most forty.
struct Options {
    bytes: [u8; 36],
    len: usize,
}

impl Options {
    fn add(&mut self, option: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.len..self.len + option.len()) {
            place.copy_from_slice(option);
            self.len += option.len();
        }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

//! A segment from an app: read by the fields of smoltcp's `TcpPacket`, since its `TcpRepr` rejects
//! flag sets that real stacks send, and ignores the urgent pointer, as in-line delivery does too.

use std::net::SocketAddr;

use bytes::Bytes;
use smoltcp::wire::{TcpOption, TcpPacket};

use super::sequence::Sequence;
use crate::wire::Ingress;

/// What one segment says.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) app: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) sequence: Sequence,
    /// Present where the ACK flag is set.
    pub(crate) acknowledgement: Option<Sequence>,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    pub(crate) rst: bool,
    /// As on the wire, not scaled.
    pub(crate) window: u16,
    pub(crate) options: Options,
    pub(crate) payload: Bytes,
}

/// The options that the relay understands; others are skipped (RFC 9293 3.2).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    pub(crate) mss: Option<u16>,
    pub(crate) window_scale: Option<u8>,
    pub(crate) sack_permitted: bool,
    /// Ranges `[left, right)` that were received past the acknowledgement (RFC 2018 3).
    pub(crate) sacked: [Option<(Sequence, Sequence)>; 3],
}

impl Segment {
    /// Reads a segment; `None` where its header is not well-formed.
    pub(crate) fn parse(ingress: &Ingress) -> Option<Self> {
        let packet = TcpPacket::new_checked(&ingress.payload[..]).ok()?;
        let header = usize::from(packet.header_len());
        let (app, remote) = (packet.src_port(), packet.dst_port());
        if app == 0 || remote == 0 {
            return None;
        }
        Some(Self {
            app: SocketAddr::new(ingress.source, app),
            remote: SocketAddr::new(ingress.destination, remote),
            sequence: sequence(packet.seq_number()),
            acknowledgement: packet.ack().then(|| sequence(packet.ack_number())),
            syn: packet.syn(),
            fin: packet.fin(),
            rst: packet.rst(),
            window: packet.window_len(),
            options: if header > 20 { Options::parse(packet.options()) } else { Options::default() },
            payload: ingress.payload.slice(header..),
        })
    }

    /// The length in sequence space: payload, SYN and FIN (RFC 9293 3.4).
    pub(crate) fn len(&self) -> usize {
        self.payload.len() + usize::from(self.syn) + usize::from(self.fin)
    }
}

impl Options {
    /// Reads options up to the first that is not well-formed, as Linux does (RFC 9293 MUST-7).
    fn parse(mut bytes: &[u8]) -> Self {
        let mut options = Self::default();
        while let Ok((rest, option)) = TcpOption::parse(bytes) {
            match option {
                TcpOption::EndOfList => break,
                TcpOption::MaxSegmentSize(mss) => options.mss = Some(mss),
                // RFC 7323 2.3: a shift over 14 counts as 14.
                TcpOption::WindowScale(shift) => options.window_scale = Some(shift.min(14)),
                TcpOption::SackPermitted => options.sack_permitted = true,
                TcpOption::SackRange(ranges) => {
                    options.sacked = ranges.map(|range| range.map(|(l, r)| (Sequence(l), Sequence(r))));
                }
                TcpOption::NoOperation | TcpOption::TimeStamp { .. } | TcpOption::Unknown { .. } => {}
            }
            bytes = rest;
        }
        options
    }
}

fn sequence(number: smoltcp::wire::TcpSeqNumber) -> Sequence {
    Sequence(number.0.cast_unsigned())
}

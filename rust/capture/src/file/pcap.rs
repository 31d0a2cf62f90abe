//! pcap: a header, then packets one after the other
//! (<https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/>).

use std::io::Read;

use telltale_model::Timestamp;

use super::Frame;
use super::input::Input;
use super::number::{Fields, Order};
use crate::{Damage, limits};

/// A pcap file behind its header.
pub(super) struct Pcap {
    order: Order,
    stamps: Stamps,
    link: u32,
}

/// How the records of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamps {
    Micros,
    Nanos,
    /// Microseconds, and eight bytes more in each record (Alexey Kuznetsov's patch of libpcap).
    MicrosAndMore,
}

/// What the first four bytes of a pcap file say.
pub(super) fn magic(bytes: [u8; 4]) -> Option<(Order, Stamps)> {
    let stamps = |number: u32| match number {
        0xa1b2_c3d4 => Some(Stamps::Micros),
        0xa1b2_3c4d => Some(Stamps::Nanos),
        0xa1b2_cd34 => Some(Stamps::MicrosAndMore),
        _ => None,
    };
    let read = |order: Order| stamps(order.u32(bytes)).map(|stamps| (order, stamps));
    read(Order::Little).or_else(|| read(Order::Big))
}

/// Bytes of the file's header behind the magic number.
const HEADER: usize = 20;

impl Pcap {
    pub(super) fn open(input: &mut Input<impl Read>, order: Order, stamps: Stamps) -> Result<Self, Damage> {
        let header = input.bytes(HEADER)?;
        let mut fields = Fields::new(order, &header);
        // Version, time zone and accuracy, which are always 0, and the snaplen come first.
        let link = fields.bytes(16).and_then(|_| fields.u32());
        // The upper half says how long the frames' checksums are.
        Ok(Self { order, stamps, link: link.unwrap_or_default() & 0xffff })
    }

    pub(super) fn next_frame(&mut self, input: &mut Input<impl Read>) -> Result<Option<Frame>, Damage> {
        let begin = input.offset();
        let Some(header) = input.array::<16>()? else { return Ok(None) };
        let mut fields = Fields::new(self.order, &header);
        let mut number = || fields.u32().unwrap_or_default();
        let (seconds, fraction, captured) = (number(), number(), number());
        if self.stamps == Stamps::MicrosAndMore {
            input.skip(8)?;
        }
        let len = usize::try_from(captured).unwrap_or(usize::MAX);
        if len > limits::RECORD {
            let what = format!("a packet of {len} bytes cannot be: the file is damaged here");
            return Err(Damage::new(begin, what));
        }
        let bytes = input.bytes(len)?.into();
        Ok(Some(Frame { at: self.at(seconds, fraction), link: self.link, bytes }))
    }

    fn at(&self, seconds: u32, fraction: u32) -> Timestamp {
        let micros = match self.stamps {
            Stamps::Nanos => fraction / 1_000,
            Stamps::Micros | Stamps::MicrosAndMore => fraction,
        };
        Timestamp(i64::from(seconds) * 1_000_000 + i64::from(micros))
    }
}

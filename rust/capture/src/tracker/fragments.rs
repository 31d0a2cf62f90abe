use std::collections::VecDeque;

use bytes::Bytes;
use telltale_engine::{Defragmenter, Instant};
use telltale_model::Timestamp;

use crate::ip::{Ip, Parsed, parse};
use crate::limits;

/// Datagrams in pieces. Where a capture lacks some of them, the first piece is told alone, as a datagram
/// whose end is missing: it has the ports, and often what is to be known.
#[derive(Default)]
pub(super) struct Fragments {
    defragmenter: Defragmenter,
    /// First pieces of datagrams that are not complete yet, oldest first.
    begun: VecDeque<Begun>,
}

struct Begun {
    at: Timestamp,
    number: u32,
    begin: Ip,
}

impl Fragments {
    /// Takes a fragment in, with its datagram's number and, of the first one, what it begins with. Gives the
    /// whole packet where this was the last one missing.
    pub(super) fn insert(
        &mut self,
        at: Timestamp,
        packet: &Bytes,
        number: u32,
        begin: Option<Ip>,
    ) -> Option<Bytes> {
        if let Some(begin) = begin.filter(|begin| self.place(number, begin).is_none()) {
            self.begun.push_back(Begun { at, number, begin });
        }
        let whole = self.defragmenter.insert(Instant::from_micros(at.0.max(0).cast_unsigned()), packet)?;
        if let Parsed::Whole(ip) = parse(&whole)
            && let Some(place) = self.place(number, &ip)
        {
            self.begun.remove(place);
        }
        Some(whole)
    }

    /// A first piece whose others have not come in time, or that has to make room.
    pub(super) fn overdue(&mut self, now: Timestamp) -> Option<(Timestamp, Ip)> {
        let oldest = self.begun.front()?;
        let is_late = now.0.saturating_sub(oldest.at.0) > limits::FRAGMENTS_SECONDS * 1_000_000;
        if !is_late && self.begun.len() <= limits::FRAGMENTS {
            return None;
        }
        self.begun.pop_front().map(|begun| (begun.at, begun.begin))
    }

    fn place(&self, number: u32, ip: &Ip) -> Option<usize> {
        self.begun.iter().position(|begun| {
            let ends = (begun.begin.source, begun.begin.destination, begun.begin.protocol);
            begun.number == number && ends == (ip.source, ip.destination, ip.protocol)
        })
    }
}

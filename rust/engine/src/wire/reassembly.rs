//! Puts the fragments of apps together again, within bounds.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use smoltcp::wire::{Ipv4Packet, Ipv6Packet};

use super::ingress::{Fragment, Ingress, Key, Parsed, parse};
use super::limits::{
    REASSEMBLY_BYTES, REASSEMBLY_DATAGRAMS, REASSEMBLY_FRAGMENT_COST, REASSEMBLY_FRAGMENTS,
    REASSEMBLY_LENGTH, REASSEMBLY_TIME,
};
use super::packet::{IPV6_LEN, length_field};
use crate::Instant;

/// The datagrams whose fragments have not all come yet, oldest first.
#[derive(Default)]
pub(crate) struct Reassembly {
    datagrams: VecDeque<Datagram>,
    /// What all of them hold, see [`Fragment::cost`].
    bytes: usize,
    dropped: u64,
}

impl Reassembly {
    /// Takes a fragment in; gives the datagram where it was the last one missing. That may be of a
    /// protocol that is not relayed: see [`Ingress::is_relayed`].
    pub(crate) fn insert(&mut self, now: Instant, fragment: Fragment) -> Option<Ingress> {
        self.expire(now);
        self.make_room(fragment.cost());
        let index = self.find_or_begin(now, fragment.key);
        let datagram = self.datagrams.get_mut(index)?;
        let before = datagram.bytes;
        let dropped = datagram.add(fragment);
        self.dropped += dropped;
        self.bytes = self.bytes + datagram.bytes - before;
        if !datagram.is_complete() {
            return None;
        }
        self.finish(index)
    }

    /// Forgets datagrams that waited for too long.
    pub(crate) fn expire(&mut self, now: Instant) {
        while self.next_expiry().is_some_and(|expiry| expiry <= now) {
            self.evict_oldest();
        }
    }

    /// When [`Reassembly::expire`] will have something to do.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.datagrams.front().map(|oldest| oldest.begun + REASSEMBLY_TIME)
    }

    /// How many fragments were dropped since the last call.
    pub(crate) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn make_room(&mut self, cost: usize) {
        while !self.datagrams.is_empty() && self.bytes + cost > REASSEMBLY_BYTES {
            self.evict_oldest();
        }
    }

    fn find_or_begin(&mut self, now: Instant, key: Key) -> usize {
        if let Some(index) = self.datagrams.iter().position(|datagram| datagram.key == key) {
            return index;
        }
        if self.datagrams.len() >= REASSEMBLY_DATAGRAMS {
            self.evict_oldest();
        }
        self.datagrams.push_back(Datagram::new(key, now));
        self.datagrams.len() - 1
    }

    fn evict_oldest(&mut self) {
        if let Some(datagram) = self.datagrams.pop_front() {
            self.bytes -= datagram.bytes;
            self.dropped += datagram.fragments.len() as u64;
        }
    }

    fn finish(&mut self, index: usize) -> Option<Ingress> {
        let datagram = self.datagrams.remove(index)?;
        self.bytes -= datagram.bytes;
        match datagram.join().map(|packet| parse(&packet)) {
            Some(Parsed::Whole(ingress) | Parsed::Unsupported(ingress)) => {
                Some(Ingress { dont_fragment: false, ..ingress })
            }
            // Too large with its header, fragments within fragments, a bad chain of headers.
            Some(Parsed::Fragment(_) | Parsed::Malformed) | None => {
                self.dropped += datagram.fragments.len() as u64;
                None
            }
        }
    }
}

/// One datagram in the making.
struct Datagram {
    key: Key,
    begun: Instant,
    /// In the order of their offsets, no two overlapping.
    fragments: Vec<Fragment>,
    /// Where the datagram ends, once its last fragment has come.
    end: Option<usize>,
    bytes: usize,
    /// Fragments contradicted each other: all that are still to come are dropped too (RFC 5722 4).
    /// Strict for IPv4 as well: nothing honest overlaps.
    spoiled: bool,
}

impl Datagram {
    fn new(key: Key, begun: Instant) -> Self {
        Self { key, begun, fragments: Vec::new(), end: None, bytes: 0, spoiled: false }
    }

    /// Takes the fragment in; answers how many fragments were dropped by that.
    fn add(&mut self, fragment: Fragment) -> u64 {
        let place = self.fragments.partition_point(|other| other.offset < fragment.offset);
        if self.spoiled || self.fragments.get(place).is_some_and(|other| other.repeats(&fragment)) {
            return 1;
        }
        if self.contradicts(place, &fragment) || self.fragments.len() >= REASSEMBLY_FRAGMENTS {
            return 1 + self.spoil();
        }
        if !fragment.more {
            self.end = Some(fragment.end());
        }
        self.bytes += fragment.cost();
        self.fragments.insert(place, fragment.copied());
        0
    }

    /// Whether the fragment, to stand at `place`, overlaps a neighbour, or says another end than others.
    fn contradicts(&self, place: usize, fragment: &Fragment) -> bool {
        let before = place.checked_sub(1).and_then(|index| self.fragments.get(index));
        let after = self.fragments.get(place);
        let beyond = if fragment.more {
            self.end.is_some_and(|end| fragment.end() > end)
        } else {
            self.end.is_some() || self.fragments.last().is_some_and(|last| last.end() > fragment.end())
        };
        beyond
            || before.is_some_and(|before| before.end() > fragment.offset)
            || after.is_some_and(|after| fragment.end() > after.offset)
    }

    fn spoil(&mut self) -> u64 {
        self.spoiled = true;
        self.bytes = 0;
        self.end = None;
        std::mem::take(&mut self.fragments).len() as u64
    }

    fn is_complete(&self) -> bool {
        let held: usize = self.fragments.iter().map(|fragment| fragment.payload.len()).sum();
        self.end == Some(held)
    }

    /// The packet as if it had never been cut.
    fn join(&self) -> Option<Bytes> {
        let first = self.fragments.first()?;
        let length = first.header.len() + self.end?;
        if length > REASSEMBLY_LENGTH {
            return None;
        }
        let mut packet = BytesMut::with_capacity(length);
        packet.put(first.header.clone());
        first.mend(&mut packet, length)?;
        self.fragments.iter().for_each(|fragment| packet.extend_from_slice(&fragment.payload));
        Some(packet.freeze())
    }
}

impl Fragment {
    fn end(&self) -> usize {
        self.offset + self.payload.len()
    }

    /// What keeping it costs, in bytes.
    fn cost(&self) -> usize {
        self.payload.len() + self.kept_header().len() + REASSEMBLY_FRAGMENT_COST
    }

    /// Only the first fragment's header is used again.
    fn kept_header(&self) -> &[u8] {
        if self.offset == 0 { &self.header } else { &[] }
    }

    /// The same in memory of its own, so that no large read buffer is kept for a small fragment.
    fn copied(self) -> Self {
        let header = Bytes::copy_from_slice(self.kept_header());
        let payload = Bytes::copy_from_slice(&self.payload);
        Self { header, payload, ..self }
    }

    /// RFC 8200 4.5 allows to ignore exact copies rather than to drop the datagram.
    fn repeats(&self, other: &Self) -> bool {
        self.offset == other.offset && self.more == other.more && self.payload == other.payload
    }

    /// Turns the header of a first fragment into that of a whole packet of that length.
    fn mend(&self, header: &mut BytesMut, length: usize) -> Option<()> {
        match self.continues {
            None => {
                let mut ip = Ipv4Packet::new_unchecked(header.as_mut());
                ip.set_total_len(length_field(length));
                ip.set_more_frags(false);
                ip.fill_checksum();
            }
            Some((named_at, protocol)) => {
                Ipv6Packet::new_unchecked(header.as_mut()).set_payload_len(length_field(length - IPV6_LEN));
                *header.get_mut(named_at)? = protocol.into();
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use smoltcp::wire::IpProtocol;

    use super::super::fragments;
    use super::super::packet::{Packet, Payload, udp};
    use super::*;

    const V4: (&str, &str) = ("10.0.0.2:40000", "192.0.2.1:53");
    const V6: (&str, &str) = ("[2001:db8::2]:40000", "[2001:db8::1]:53");

    #[test]
    fn fragments_in_any_order_make_the_datagram() {
        for ends in [V4, V6] {
            let (packet, pieces) = cut(ends, 500, 248, 1);
            assert_eq!(pieces.len(), 3);
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let mut reassembly = Reassembly::default();
                assert!(reassembly.insert(at(0), piece(&pieces[order[0]])).is_none());
                assert!(reassembly.insert(at(0), piece(&pieces[order[1]])).is_none());
                let ingress = reassembly.insert(at(0), piece(&pieces[order[2]])).unwrap();
                assert_eq!(ingress.protocol, IpProtocol::Udp);
                assert_eq!(ingress.payload, transport(&packet), "{order:?}");
                assert!(ingress.checksum_ok(false) && !ingress.dont_fragment);
                assert_eq!(
                    (reassembly.bytes, reassembly.next_expiry(), reassembly.take_dropped()),
                    (0, None, 0)
                );
            }
        }
    }

    #[test]
    fn the_whole_packet_is_as_if_it_had_never_been_cut() {
        let (packet, pieces) = cut(V6, 500, 248, 1);
        assert_eq!(assemble(&pieces).original, packet.to_vec());

        let (packet, pieces) = cut(V4, 500, 248, 1);
        let original = assemble(&pieces).original;
        // But for the identification, the DF bit and the checksum over them.
        assert_eq!(original[..4], packet.to_vec()[..4]);
        assert_eq!(original[4..10], [0, 1, 0, 0, 64, 17]);
        assert_eq!(original[12..], packet.to_vec()[12..]);
    }

    #[test]
    fn extension_headers_before_and_behind_the_fragment_header_are_understood() {
        let destination_options = [17, 0, 1, 4, 0, 0, 0, 0];
        let (packet, _) = cut(V6, 16, 1_280, 1);
        let fragmentable = [&destination_options[..], &transport(&packet)].concat();
        let hop_by_hop = [44, 0, 1, 4, 0, 0, 0, 0];
        let piece_of = |fragment: [u8; 8], data: &[u8]| {
            let mut bytes = packet.header()[..40].to_vec();
            bytes[5] = u8::try_from(16 + data.len()).unwrap();
            bytes[6] = 0;
            bytes.extend([&hop_by_hop[..], &fragment, data].concat());
            piece(&bytes.into())
        };
        let mut reassembly = Reassembly::default();
        reassembly.insert(at(0), piece_of([60, 0, 0, 17, 0, 0, 0, 9], &fragmentable[16..24]));
        reassembly.insert(at(0), piece_of([60, 0, 0, 1, 0, 0, 0, 9], &fragmentable[..16]));
        let last = piece_of([60, 0, 0, 24, 0, 0, 0, 9], &fragmentable[24..]);
        let ingress = reassembly.insert(at(0), last).unwrap();
        assert_eq!(ingress.payload, transport(&packet));
        assert_eq!(ingress.original[6], 0);
        assert_eq!(ingress.original[40], 60);
        assert!(ingress.checksum_ok(false));
    }

    #[test]
    fn datagrams_are_told_apart_by_identification_and_addresses() {
        let (first, one) = cut(V4, 300, 248, 1);
        let (second, two) = cut(V4, 290, 248, 2);
        let (third, three) = cut(("10.0.0.2:40000", "192.0.2.7:53"), 280, 248, 1);
        let mut reassembly = Reassembly::default();
        for pieces in [&one, &two, &three] {
            assert!(reassembly.insert(at(0), piece(&pieces[0])).is_none());
        }
        for (packet, pieces) in [(second, two), (third, three), (first, one)] {
            let ingress = reassembly.insert(at(0), piece(&pieces[1])).unwrap();
            assert_eq!(ingress.payload, transport(&packet));
        }
    }

    #[test]
    fn an_exact_copy_is_ignored() {
        let (packet, pieces) = cut(V6, 500, 248, 1);
        let mut reassembly = Reassembly::default();
        for index in [0, 0, 1, 1] {
            assert!(reassembly.insert(at(0), piece(&pieces[index])).is_none());
        }
        assert_eq!(reassembly.insert(at(0), piece(&pieces[2])).unwrap().payload, transport(&packet));
        assert_eq!(reassembly.take_dropped(), 2);
    }

    #[test]
    fn an_overlap_drops_the_datagram_and_what_still_comes_of_it() {
        for ends in [V4, V6] {
            let (_, pieces) = cut(ends, 500, 248, 1);
            let (_, others) = cut(ends, 500, 128, 1);
            let mut reassembly = Reassembly::default();
            assert!(reassembly.insert(at(0), piece(&pieces[0])).is_none());
            assert!(reassembly.insert(at(0), piece(&others[1])).is_none());
            assert_eq!((reassembly.bytes, reassembly.take_dropped()), (0, 2));
            for bytes in &pieces {
                assert!(reassembly.insert(at(1), piece(bytes)).is_none());
            }
            assert_eq!((reassembly.bytes, reassembly.take_dropped()), (0, 3));
            // When it is forgotten, the same identification means another datagram.
            let late = at(30_000);
            assert!(reassembly.insert(late, piece(&pieces[0])).is_none());
            assert!(reassembly.insert(late, piece(&pieces[1])).is_none());
            assert!(reassembly.insert(late, piece(&pieces[2])).is_some());
        }
    }

    #[test]
    fn fragments_that_name_different_ends_drop_the_datagram() {
        let (_, long) = cut(V4, 500, 248, 1);
        let (_, short) = cut(V4, 300, 248, 1);
        for (first, second) in [(&long[2], &short[1]), (&short[1], &long[2])] {
            let mut reassembly = Reassembly::default();
            assert!(reassembly.insert(at(0), piece(first)).is_none());
            assert!(reassembly.insert(at(0), piece(second)).is_none());
            assert_eq!(reassembly.take_dropped(), 2);
        }
    }

    #[test]
    fn a_datagram_waits_thirty_seconds_from_its_first_fragment() {
        let (_, pieces) = cut(V4, 500, 248, 1);
        let mut reassembly = Reassembly::default();
        reassembly.insert(at(5), piece(&pieces[0]));
        reassembly.insert(at(20_000), piece(&pieces[1]));
        assert_eq!(reassembly.next_expiry(), Some(at(30_005)));
        reassembly.expire(at(30_004));
        assert_eq!(reassembly.take_dropped(), 0);
        reassembly.expire(at(30_005));
        assert_eq!((reassembly.take_dropped(), reassembly.bytes, reassembly.next_expiry()), (2, 0, None));
        assert!(reassembly.insert(at(30_006), piece(&pieces[2])).is_none());
    }

    #[test]
    fn the_oldest_gives_way_when_there_are_too_many() {
        let mut reassembly = Reassembly::default();
        for identification in 0..=64 {
            let (_, pieces) = cut(V4, 300, 248, identification);
            reassembly.insert(at(0), piece(&pieces[0]));
        }
        assert_eq!((reassembly.datagrams.len(), reassembly.take_dropped()), (64, 1));
        assert!(reassembly.insert(at(0), piece(&cut(V4, 300, 248, 64).1[1])).is_some());
        assert!(reassembly.insert(at(0), piece(&cut(V4, 300, 248, 0).1[1])).is_none());
    }

    #[test]
    fn the_oldest_gives_way_when_they_hold_too_much() {
        let mut reassembly = Reassembly::default();
        for identification in 0..40 {
            let (_, pieces) = cut(V4, 65_000, 40_000, identification);
            reassembly.insert(at(0), piece(&pieces[0]));
            assert!(reassembly.bytes <= REASSEMBLY_BYTES);
        }
        assert_eq!((reassembly.datagrams.len(), reassembly.take_dropped()), (26, 14));
    }

    #[test]
    fn a_datagram_has_a_bounded_number_of_fragments() {
        let (_, pieces) = cut(V4, 8 * 130 - 8, 28, 1);
        assert_eq!(pieces.len(), 130);
        let mut reassembly = Reassembly::default();
        assert!(pieces.iter().all(|bytes| reassembly.insert(at(0), piece(bytes)).is_none()));
        assert_eq!((reassembly.bytes, reassembly.take_dropped()), (0, 130));
    }

    #[test]
    fn the_largest_datagram_is_assembled() {
        let (packet, pieces) = cut(V4, 65_507, 1_500, 1);
        assert_eq!(packet.len(), 65_535);
        assert_eq!(assemble(&pieces).payload, transport(&packet));
    }

    #[test]
    fn a_small_fragment_does_not_keep_its_large_buffer() {
        let (_, pieces) = cut(V4, 300, 248, 1);
        let buffer: Bytes = [&pieces[0][..], &[0; 60_000]].concat().into();
        let mut reassembly = Reassembly::default();
        reassembly.insert(at(0), piece(&buffer));
        assert!(buffer.is_unique());
    }

    fn cut(ends: (&str, &str), length: usize, mtu: usize, identification: u32) -> (Packet, Vec<Bytes>) {
        let bytes: Bytes = (0..=250).cycle().take(length).collect();
        let packet = udp(ends.0.parse().unwrap(), ends.1.parse().unwrap(), Payload::from(bytes));
        let pieces = fragments(packet.clone(), mtu, identification).map(|piece| piece.to_vec().into());
        (packet, pieces.collect())
    }

    fn assemble(pieces: &[Bytes]) -> Ingress {
        let mut reassembly = Reassembly::default();
        let mut whole = pieces.iter().filter_map(|bytes| reassembly.insert(at(0), piece(bytes)));
        whole.next().unwrap()
    }

    fn piece(bytes: &Bytes) -> Fragment {
        let Parsed::Fragment(fragment) = parse(bytes) else { panic!("not a fragment") };
        fragment
    }

    fn transport(packet: &Packet) -> Vec<u8> {
        let ip_len = if packet.header()[0] >> 4 == 4 { 20 } else { 40 };
        packet.to_vec()[ip_len..].to_vec()
    }

    fn at(millis: u64) -> Instant {
        Instant::default() + Duration::from_millis(millis)
    }
}

//! How much the apps together may have in flight toward us.
//!
//! The tun's ring drops silently when it is full, so windows are given out of its places: half of them to flows
//! that are sending, the other half to those that are not. A window once given is not taken back (RFC 9293
//! 3.8.6), but what is given next leaves room for all that is under way or may be.

use crate::Instant;
use crate::limits::{RING_PLACE, SENDING, SENDING_SHARE, SILENT_SHARE, STANDING_WINDOW, WINDOW_PLACES};

/// What all windows together count for.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    /// Intervals of [`SENDING`] since the start.
    interval: u64,
    /// Weights of flows that sent in this interval and in the one before, by the parity of its number.
    sending: [u64; 2],
    /// Weights of the others.
    silent: u64,
}

/// What one flow has of them.
#[derive(Debug)]
pub(crate) struct Given {
    /// Bytes of payload that its packets bring.
    packet: u64,
    /// Bytes of payload that have come since it was silent last.
    came: usize,
    /// What its window counts for: the places of the ring that it may fill, [`RING_PLACE`] for each.
    weight: u64,
    /// The interval in which it sent last.
    sent: Option<u64>,
}

/// Half of the ring.
const HALF: u64 = WINDOW_PLACES * RING_PLACE;

/// Of what packets bring, an average over so many.
const PACKETS: u64 = 8;

impl Windows {
    /// A flow sent a packet with so much payload just now.
    pub(crate) fn sent(&mut self, given: &mut Given, bytes: usize, now: Instant) {
        self.turn(now);
        if !self.is_sending(given.sent) {
            given.came = 0;
        }
        *self.pool(given.sent) -= given.weight;
        given.sent = Some(self.interval);
        *self.pool(given.sent) += given.weight;
        given.note(bytes);
    }

    /// The window of a flow is so large now.
    pub(crate) fn weigh(&mut self, given: &mut Given, window: usize) {
        let weight = window as u64 * RING_PLACE / given.counted();
        let pool = self.pool(given.sent);
        *pool = *pool - given.weight + weight;
        given.weight = weight;
    }

    /// The window that a flow may be offered: never less than a full segment. A system that has seen larger
    /// windows sends no part of one (RFC 9293 3.8.6.2.1), and would wait for its timer, 200 ms, each time.
    pub(crate) fn allowance(&mut self, given: &Given, full: usize, now: Instant) -> usize {
        self.turn(now);
        let standing = self.standing(given, full);
        if !self.is_sending(given.sent) {
            return standing;
        }
        let (times, of) = SENDING_SHARE;
        let others = self.sending.iter().sum::<u64>() - given.weight;
        let share = given.window(HALF.saturating_sub(others) * times / of);
        // A system begins with its initial window and adds what was acknowledged (RFC 5681 3.1).
        share.min(standing + given.came).max(full)
    }

    /// What a flow may keep while it is silent: two segments at least, since no system sends one that is larger
    /// than half of the largest window that it has seen.
    fn standing(&self, given: &Given, full: usize) -> usize {
        let own = if self.is_sending(given.sent) { 0 } else { given.weight };
        let share = given.window(HALF.saturating_sub(self.silent - own) / SILENT_SHARE);
        share.max(2 * full).min(STANDING_WINDOW).max(full)
    }

    /// The flow is over.
    pub(crate) fn forget(&mut self, given: &mut Given) {
        self.weigh(given, 0);
    }

    /// What was sent too long ago counts as silent.
    fn turn(&mut self, now: Instant) {
        let interval = now.as_micros() / SENDING;
        let [even, odd] = &mut self.sending;
        let (older, newer) = if interval.is_multiple_of(2) { (even, odd) } else { (odd, even) };
        if interval > self.interval {
            self.silent += std::mem::take(older);
        }
        if interval > self.interval + 1 {
            self.silent += std::mem::take(newer);
        }
        self.interval = interval;
    }

    fn is_sending(&self, sent: Option<u64>) -> bool {
        sent.is_some_and(|interval| interval + 1 >= self.interval)
    }

    fn pool(&mut self, sent: Option<u64>) -> &mut u64 {
        match sent.filter(|_| self.is_sending(sent)) {
            Some(interval) if interval.is_multiple_of(2) => &mut self.sending[0],
            Some(_) => &mut self.sending[1],
            None => &mut self.silent,
        }
    }
}

impl Given {
    /// Nothing yet, to a flow whose packets may bring a full segment.
    pub(crate) fn new(full: usize) -> Self {
        Self { packet: full as u64, came: 0, weight: 0, sent: None }
    }

    /// A larger packet shows at once what may come, smaller ones by and by.
    fn note(&mut self, bytes: usize) {
        self.came = self.came.saturating_add(bytes);
        let bytes = bytes as u64;
        self.packet = bytes.max(self.packet - self.packet.saturating_sub(bytes).div_ceil(PACKETS));
    }

    /// The window that has such a weight.
    fn window(&self, weight: u64) -> usize {
        usize::try_from(weight * self.counted() / RING_PLACE).unwrap_or(usize::MAX)
    }

    /// Bytes for which a place of the ring is counted.
    fn counted(&self) -> u64 {
        self.packet.clamp(1, RING_PLACE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MTU: usize = 1_500;
    const PIECE: usize = 65_483;

    fn at(milliseconds: u64) -> Instant {
        Instant::from_micros(milliseconds * 1_000)
    }

    /// A flow that has sent so many packets of that payload, and has the window that it may.
    fn sends(windows: &mut Windows, given: &mut Given, packet: usize, count: usize) -> usize {
        (0..count).for_each(|_| windows.sent(given, packet, at(0)));
        let window = windows.allowance(given, MTU, at(0));
        windows.weigh(given, window);
        window
    }

    #[test]
    fn one_alone_has_all_that_it_can_use_once_it_has_sent_as_much() {
        let mut windows = Windows::default();
        let mut flow = Given::new(MTU);
        assert_eq!(windows.allowance(&flow, MTU, at(0)), STANDING_WINDOW);
        assert_eq!(sends(&mut windows, &mut flow, PIECE, 1), STANDING_WINDOW + PIECE);
        assert_eq!(sends(&mut windows, &mut flow, PIECE, 10) as u64, HALF * 2 / 3);
        let mut small = Given::new(MTU);
        windows.forget(&mut flow);
        let packets = sends(&mut windows, &mut small, 1_460, 1_000) / 1_460;
        assert!((150..=170).contains(&packets), "two thirds of 250 places: {packets}");
    }

    #[test]
    fn eight_senders_of_large_pieces_may_each_have_one_under_way() {
        let mut windows = Windows::default();
        let mut flows: Vec<Given> = (0..8).map(|_| Given::new(MTU)).collect();
        let mut given = Vec::new();
        for _ in 0..20 {
            given = flows.iter_mut().map(|flow| sends(&mut windows, flow, PIECE, 1)).collect();
        }
        assert!(given.iter().all(|window| *window >= PIECE), "{given:?}");
        assert!(given.iter().sum::<usize>() as u64 <= HALF, "{given:?}");
    }

    #[test]
    fn small_packets_count_for_the_places_that_they_take() {
        let mut windows = Windows::default();
        let mut flow = Given::new(MTU);
        let window = sends(&mut windows, &mut flow, 100, 10_000);
        assert!((15_000..=17_500).contains(&window), "{window}");
        assert_eq!(sends(&mut windows, &mut flow, 1, 10_000), MTU, "a full segment always fits");
    }

    #[test]
    fn who_falls_silent_leaves_its_share_to_others_after_a_while() {
        let mut windows = Windows::default();
        let (mut first, mut second) = (Given::new(MTU), Given::new(MTU));
        let alone = sends(&mut windows, &mut first, PIECE, 20);
        let beside = sends(&mut windows, &mut second, PIECE, 20);
        assert!(beside < alone / 2);
        windows.sent(&mut second, PIECE, at(399));
        assert_eq!(windows.allowance(&second, MTU, at(399)), beside);
        windows.sent(&mut second, PIECE, at(400));
        assert_eq!(windows.allowance(&second, MTU, at(400)), alone);
        assert!(windows.allowance(&first, MTU, at(400)) == STANDING_WINDOW);
        windows.forget(&mut first);
        windows.forget(&mut second);
        assert_eq!((windows.sending, windows.silent), ([0, 0], 0));
    }
}

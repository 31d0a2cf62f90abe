//! How much the apps together may have in flight toward us.
//!
//! The tun's ring drops silently when it is full, so the windows of the flows that are sending share one
//! budget: what is drained in [`WINDOW_TIME`], and never more packets than half the ring.

use std::time::Duration;

use crate::Instant;
use crate::limits::{
    FLOW_MEMORY, LONGEST_PACKET, SENDING, STANDING_WINDOW, WINDOW_FLOOR, WINDOW_PACKETS,
    WINDOW_PACKETS_LEAST, WINDOW_TIME,
};

/// How long the drained bytes are summed before they count as a rate.
const MEASURE: Duration = Duration::from_millis(2);

/// The budget and who shares it.
#[derive(Debug)]
pub(crate) struct Windows {
    mtu: usize,
    /// The largest packet that an app's system hands over: longer than the MTU where it leaves the cutting to the tun.
    piece: usize,
    /// Flows that sent within [`SENDING`], with the moment of their latest bytes.
    sending: Vec<(u32, Instant)>,
    /// Bytes drained in the last measures, as a rate that falls slowly.
    bytes_per_second: u64,
    measured: (Instant, u64),
}

impl Windows {
    pub(crate) fn new(mtu: usize, offload: bool, now: Instant) -> Self {
        let piece = if offload { LONGEST_PACKET } else { mtu };
        Self { mtu, piece, sending: Vec::new(), bytes_per_second: 0, measured: (now, 0) }
    }

    /// Segments may be of another size.
    pub(crate) fn resize(&mut self, mtu: usize) {
        self.mtu = mtu;
    }

    /// Bytes of a packet were read from the tun.
    pub(crate) fn drained(&mut self, now: Instant, bytes: usize) {
        let (start, sum) = self.measured;
        let sum = sum + bytes as u64;
        let elapsed = now - start;
        if elapsed < MEASURE {
            self.measured.1 = sum;
            return;
        }
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).max(1);
        let rate = sum.saturating_mul(1_000_000) / micros;
        self.bytes_per_second = rate.max(self.bytes_per_second - self.bytes_per_second / 16);
        self.measured = (now, 0);
        self.forget_silent(now);
    }

    /// A flow sent bytes just now.
    pub(crate) fn sent(&mut self, index: u32, now: Instant) {
        match self.sending.iter_mut().find(|(sender, _)| *sender == index) {
            Some((_, latest)) => *latest = now,
            None => self.admit(index, now),
        }
    }

    /// The window that a flow may be offered: never less than a full segment. A system that has seen larger
    /// windows sends no part of one (RFC 9293 3.8.6.2.1), and would wait for its timer, 200 ms, each time.
    pub(crate) fn allowance(&self, index: u32) -> usize {
        let senders = self.sending.len().max(1);
        let share = (self.budget() / senders).max(self.mtu);
        if self.sending.iter().any(|(sender, _)| *sender == index) {
            share
        } else {
            share.min(STANDING_WINDOW.max(self.mtu))
        }
    }

    pub(crate) fn forget(&mut self, index: u32) {
        self.sending.retain(|(sender, _)| *sender != index);
    }

    fn budget(&self) -> usize {
        let micros = u64::try_from(WINDOW_TIME.as_micros()).unwrap_or(u64::MAX);
        let drained = self.bytes_per_second.saturating_mul(micros) / 1_000_000;
        let drained = usize::try_from(drained).unwrap_or(usize::MAX);
        let floor = WINDOW_FLOOR.max((WINDOW_PACKETS_LEAST * self.piece).min(FLOW_MEMORY));
        drained.max(floor).min(WINDOW_PACKETS * self.mtu)
    }

    /// Adds a sender, and drops those that have fallen silent: a list no longer than what can be sent by
    /// `WINDOW_PACKETS` packets in [`SENDING`] would ever need.
    fn admit(&mut self, index: u32, now: Instant) {
        self.forget_silent(now);
        if self.sending.len() < WINDOW_PACKETS {
            self.sending.push((index, now));
        }
    }

    fn forget_silent(&mut self, now: Instant) {
        self.sending.retain(|(_, latest)| now - *latest < SENDING);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn senders_share_what_one_has_alone_and_others_stand() {
        let mut windows = Windows::new(1_500, false, at(0));
        windows.sent(1, at(0));
        let alone = windows.allowance(1);
        assert_eq!(alone, WINDOW_FLOOR);
        assert_eq!(windows.allowance(2), STANDING_WINDOW);
        for index in 2..9 {
            windows.sent(index, at(0));
        }
        assert_eq!(windows.allowance(1), alone / 8);
        windows.sent(1, at(20_000));
        windows.sent(9, at(20_000));
        assert_eq!(windows.allowance(1), alone / 2);
    }

    #[test]
    fn a_full_segment_always_fits() {
        const MTU: usize = 65_535;
        let mut windows = Windows::new(MTU, false, at(0));
        for index in 0..100 {
            windows.sent(index, at(0));
        }
        assert_eq!([windows.allowance(1), windows.allowance(200)], [MTU, MTU]);
    }

    #[test]
    fn eight_senders_of_large_pieces_may_each_have_one_under_way() {
        let mut windows = Windows::new(9_000, true, at(0));
        for index in 0..8 {
            windows.sent(index, at(0));
        }
        assert_eq!(windows.allowance(0), LONGEST_PACKET);
        let mut small = Windows::new(1_500, true, at(0));
        small.sent(1, at(0));
        assert_eq!(
            small.allowance(1),
            WINDOW_PACKETS * 1_500,
            "the ring may still be sent packets of the MTU"
        );
    }

    #[test]
    fn a_fast_drain_widens_the_budget_up_to_half_the_ring() {
        let mut windows = Windows::new(1_500, false, at(0));
        windows.sent(1, at(0));
        windows.drained(at(2_000), 10_000_000);
        assert_eq!(windows.allowance(1), WINDOW_PACKETS * 1_500);
    }
}

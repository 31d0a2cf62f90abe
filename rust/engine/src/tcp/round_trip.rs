//! The retransmission time-out (RFC 6298).

use std::time::Duration;

use super::sequence::Sequence;
use crate::Instant;
use crate::limits::{RTO_INITIAL, RTO_MAX, RTO_MIN};

/// Measures one segment at a time, never one that was sent twice (Karn, RFC 6298 3).
#[derive(Debug, Default)]
pub(crate) struct RoundTrip {
    smoothed: Option<Duration>,
    variation: Duration,
    sample: Option<(Sequence, Instant)>,
    backoff: u32,
    /// Waits in vain since the last answer of any kind.
    unanswered: u32,
}

impl RoundTrip {
    /// A segment that ends at `end` was sent for the first time.
    pub(crate) fn sent(&mut self, end: Sequence, now: Instant) {
        self.sample.get_or_insert((end, now));
    }

    /// Something was sent again: what is being measured would be ambiguous.
    pub(crate) fn sent_again(&mut self) {
        self.sample = None;
    }

    /// New bytes up to `acknowledged` were acknowledged.
    pub(crate) fn acknowledged(&mut self, acknowledged: Sequence, now: Instant) {
        (self.backoff, self.unanswered) = (0, 0);
        if let Some((end, sent)) = self.sample
            && !acknowledged.is_before(end)
        {
            self.sample = None;
            self.measure(now - sent);
        }
    }

    /// Waited in vain: the next time-out is twice as long (RFC 6298 5.5).
    pub(crate) fn back_off(&mut self) {
        self.backoff += 1;
        self.unanswered += 1;
        self.sample = None;
    }

    /// The app answered, if without new bytes: it lives. Its closed window is asked for ever more rarely
    /// all the same (RFC 9293 3.8.6.1).
    pub(crate) fn answered(&mut self, probing: bool) {
        self.unanswered = 0;
        if !probing {
            self.backoff = 0;
        }
    }

    /// How often in a row the wait was in vain.
    pub(crate) fn unanswered(&self) -> u32 {
        self.unanswered
    }

    /// The time-out that is in force.
    pub(crate) fn timeout(&self) -> Duration {
        let base = self.smoothed.map_or(RTO_INITIAL, |smoothed| (smoothed + 4 * self.variation).max(RTO_MIN));
        base.saturating_mul(1 << self.backoff.min(16)).min(RTO_MAX)
    }

    fn measure(&mut self, sample: Duration) {
        match self.smoothed {
            None => (self.smoothed, self.variation) = (Some(sample), sample / 2),
            Some(smoothed) => {
                self.variation = (3 * self.variation + smoothed.abs_diff(sample)) / 4;
                self.smoothed = Some((7 * smoothed + sample) / 8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_out_follows_the_round_trip_and_doubles_in_vain() {
        let mut round_trip = RoundTrip::default();
        assert_eq!(round_trip.timeout(), RTO_INITIAL);
        round_trip.sent(Sequence(10), Instant::from_micros(0));
        round_trip.acknowledged(Sequence(10), Instant::from_micros(100_000));
        assert_eq!(round_trip.timeout(), Duration::from_millis(300));
        round_trip.back_off();
        assert_eq!(round_trip.timeout(), Duration::from_millis(600));
        (0..40).for_each(|_| round_trip.back_off());
        assert_eq!(round_trip.timeout(), RTO_MAX);
    }

    #[test]
    fn what_was_sent_twice_is_not_measured() {
        let mut round_trip = RoundTrip::default();
        round_trip.sent(Sequence(10), Instant::from_micros(0));
        round_trip.sent_again();
        round_trip.acknowledged(Sequence(10), Instant::from_micros(9_000_000));
        assert_eq!(round_trip.timeout(), RTO_INITIAL);
    }
}

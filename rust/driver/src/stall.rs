//! Whether anything gets through: apps try, and nothing comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use telltale_engine::Instant;

use crate::clock::Clock;

/// An attempt that is older than this does not count as one any more: its app has given up, or waits for nothing.
const FRESH: Duration = Duration::from_secs(20);

/// What the relay notes, and others may read at any time.
#[derive(Debug, Default)]
pub(crate) struct Stall {
    /// The first attempt since anything came back, and the latest, in microseconds; 0 stands for none.
    first: AtomicU64,
    latest: AtomicU64,
}

impl Stall {
    /// An app has begun something that wants an answer: a connection, a question, a datagram. What goes on within a
    /// connection may want none.
    pub(crate) fn tried(&self, now: Instant) {
        let now = now.as_micros().max(1);
        if self.first.load(Ordering::Relaxed) == 0 {
            self.first.store(now, Ordering::Relaxed);
        }
        self.latest.store(now, Ordering::Relaxed);
    }

    /// Something has come back.
    pub(crate) fn answered(&self) {
        self.first.store(0, Ordering::Relaxed);
    }

    /// For how long apps have tried in vain.
    fn since(&self, now: Instant) -> Option<Duration> {
        let at = |time: &AtomicU64| Instant::from_micros(time.load(Ordering::Relaxed));
        let (first, latest) = (at(&self.first), at(&self.latest));
        (first.as_micros() > 0 && now - latest < FRESH).then(|| latest - first)
    }
}

/// Reads it from outside.
#[derive(Clone)]
pub(crate) struct Watchdog {
    pub(crate) stall: Arc<Stall>,
    pub(crate) clock: Clock,
}

impl Watchdog {
    pub(crate) fn since(&self) -> Option<Duration> {
        self.stall.since(self.clock.now())
    }
}

impl std::fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        self.stall.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn what_is_tried_in_vain_counts_from_the_first_to_the_latest_attempt() {
        let stall = Stall::default();
        assert_eq!(stall.since(at(5)), None);
        stall.tried(at(10));
        stall.tried(at(40));
        assert_eq!(stall.since(at(41)), Some(Duration::from_secs(30)));
        stall.answered();
        assert_eq!(stall.since(at(42)), None);
        stall.tried(at(50));
        assert_eq!(stall.since(at(51)), Some(Duration::ZERO));
    }

    #[test]
    fn who_has_given_up_is_not_stalled() {
        let stall = Stall::default();
        stall.tried(at(10));
        stall.tried(at(40));
        assert_eq!(stall.since(at(61)), None);
    }
}

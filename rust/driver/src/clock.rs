//! The clocks of the relay, as the engine, the runtime and the world count.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use telltale_engine::Instant;
use telltale_model::{Timestamp, Zone};
use tokio::time::Sleep;

/// The engine's clock: microseconds since the relay started, never going back.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    start: std::time::Instant,
}

impl Clock {
    /// A clock that starts now.
    #[expect(clippy::disallowed_methods, reason = "the shell is where clocks are read")]
    pub(crate) fn start() -> Self {
        Self { start: std::time::Instant::now() }
    }

    /// The engine's now.
    pub(crate) fn now(self) -> Instant {
        let micros = self.start.elapsed().as_micros();
        Instant::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// The same moment in the runtime's words.
    pub(crate) fn runtime(self, at: Instant) -> tokio::time::Instant {
        (self.start + Duration::from_micros(at.as_micros())).into()
    }
}

/// One timer that is set again and again.
pub(crate) struct Timer {
    clock: Clock,
    armed: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
}

/// Where a timer stands that waits for nothing.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3_600);

impl Timer {
    /// A timer that waits for nothing. Must be called inside the runtime.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, armed: None, sleep: Box::pin(tokio::time::sleep(NEVER)) }
    }

    /// Ready when `deadline` has come. A deadline given earlier holds no longer.
    pub(crate) fn poll_at(&mut self, deadline: Option<Instant>, context: &mut Context<'_>) -> Poll<()> {
        if deadline != self.armed {
            let at = deadline.unwrap_or_else(|| self.clock.now() + NEVER);
            self.sleep.as_mut().reset(self.clock.runtime(at));
            self.armed = deadline;
        }
        self.sleep.as_mut().poll(context)
    }
}

/// The world's clock: what flows are dated with. It may be set back.
#[expect(clippy::disallowed_methods, reason = "the shell is where clocks are read")]
pub fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// How far the clocks of this machine were ahead of UTC at a moment; 0 where nobody knows.
pub fn zone(at: Timestamp) -> Zone {
    Zone(crate::sys::ahead_of_utc(at.seconds()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_tell_the_same_time() {
        let clock = Clock::start();
        let later = clock.now() + Duration::from_secs(5);
        let wait = clock.runtime(later).duration_since(tokio::time::Instant::from_std(clock.start));
        assert!(wait >= Duration::from_secs(5) && wait < Duration::from_secs(6));
        assert!(wall().seconds() > 1_700_000_000, "the world's clock stands before this code was written");
    }

    #[test]
    fn clocks_are_less_than_a_day_ahead_of_utc_or_behind() {
        let Zone(ahead) = zone(wall());
        assert!(ahead.abs() <= 14 * 3_600 && ahead % 900 == 0, "{ahead}");
        assert_eq!(zone(Timestamp(i64::MAX)), zone(Timestamp(i64::MAX)), "a year that no calendar has");
    }
}

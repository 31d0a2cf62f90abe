//! Giving memory back to the system after a burst. glibc keeps what was freed below what is still in use,
//! so that a relay that once held many payloads would stay as large for ever.

use std::time::Duration;

use telltale_engine::Instant;

/// Payload memory worth giving back after.
const BURST: usize = 4 << 20;

/// The system is asked at most this often.
const INTERVAL: Duration = Duration::from_millis(100);

/// How much payload memory there was since memory was given back last.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    peak: usize,
    trimmed: Option<Instant>,
    due: Option<Instant>,
}

impl Rest {
    /// Payload memory is at `used` bytes, in the midst of work.
    pub(crate) fn note(&mut self, used: usize) {
        self.peak = self.peak.max(used);
    }

    /// Payload memory is at `used` bytes, and there is nothing to do just now.
    pub(crate) fn pause(&mut self, now: Instant, used: usize) {
        if self.peak < BURST || used >= self.peak / 8 {
            return;
        }
        let earliest = self.trimmed.map_or(now, |trimmed| trimmed + INTERVAL);
        if earliest > now {
            self.due = Some(earliest);
            return;
        }
        *self = Self { peak: used, trimmed: Some(now), due: None };
        give_back();
    }

    /// When to pause again, should nothing else happen.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }
}

#[cfg(target_env = "gnu")]
fn give_back() {
    // SAFETY: takes no pointer, and may be called at any time from any thread (malloc_trim(3)).
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators do so by themselves.
#[cfg(not(target_env = "gnu"))]
fn give_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Instant {
        Instant::from_micros(milliseconds * 1_000)
    }

    #[test]
    fn after_a_burst_it_rests_once_and_after_the_next_a_little_later() {
        let mut rest = Rest::default();
        rest.note(BURST);
        rest.pause(at(1), 0);
        assert_eq!((rest.peak, rest.due()), (0, None));
        rest.note(BURST);
        rest.pause(at(3), 0);
        assert_eq!((rest.peak, rest.due()), (BURST, Some(at(101))));
        rest.pause(at(101), 0);
        assert_eq!((rest.peak, rest.due()), (0, None));
    }
}

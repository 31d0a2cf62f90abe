//! When memory is given back to the system: after a burst, once it is over. glibc keeps what was freed
//! below what is still in use, so that a relay that once held many payloads would stay as large for ever.

use std::time::Duration;

use telltale_engine::Instant;

/// Freed memory worth giving back.
const BURST: usize = 1 << 20;

/// A burst is over when none has followed for this long: what it left is used again by the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// How much memory was used since some was given back last.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    peak: usize,
    /// The same since the interval began.
    recent: usize,
    due: Option<Instant>,
}

impl Rest {
    /// Payload takes `used` bytes, and buffers that nobody needs in quiet times `spare` more, in the
    /// midst of work.
    pub(crate) fn note(&mut self, used: usize, spare: usize) {
        self.peak = self.peak.max(used + spare);
        self.recent = self.recent.max(used);
    }

    /// Payload takes `used` bytes, and there is nothing to do just now. True: it is time to
    /// give memory back.
    pub(crate) fn pause(&mut self, now: Instant, used: usize) -> bool {
        if self.peak.saturating_sub(used) < BURST {
            self.due = None;
            return false;
        }
        let is_over = self.due.is_some_and(|due| due <= now);
        if is_over && self.recent.saturating_sub(used) < BURST {
            *self = Self { peak: used, recent: used, due: None };
            return true;
        }
        if is_over || self.due.is_none() {
            self.recent = used;
            self.due = Some(now + INTERVAL);
        }
        false
    }

    /// When to pause again, should nothing else happen.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }
}

/// Gives back what the allocator holds and nobody uses.
#[cfg(target_env = "gnu")]
pub(crate) fn give_back() {
    // SAFETY: takes no pointer, and may be called at any time from any thread (malloc_trim(3)).
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators do so by themselves.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn give_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Instant {
        Instant::from_micros(milliseconds * 1_000)
    }

    #[test]
    fn after_a_burst_memory_is_given_back_once() {
        let mut rest = Rest::default();
        rest.note(BURST, 0);
        assert!(!rest.pause(at(1), 0));
        assert_eq!(rest.due(), Some(at(1_001)));
        assert!(rest.pause(at(1_001), 0));
        assert_eq!(rest.due(), None);
        assert!(!rest.pause(at(5_000), 0));
    }

    #[test]
    fn buffers_are_given_back_though_they_stay_till_then() {
        let mut rest = Rest::default();
        rest.note(0, BURST);
        assert!(!rest.pause(at(1), 0));
        rest.note(0, BURST);
        assert!(rest.pause(at(1_001), 0));
    }

    #[test]
    fn while_bursts_follow_each_other_nothing_is_given_back() {
        let mut rest = Rest::default();
        for second in 1..10 {
            rest.note(BURST, 0);
            assert!(!rest.pause(at(second * 999), 0));
        }
        assert!(!rest.pause(at(9_990), 0), "the last interval saw a burst");
        assert!(rest.pause(at(20_000), 0));
    }

    #[test]
    fn memory_that_stays_in_use_wakes_nobody() {
        let mut rest = Rest::default();
        rest.note(8 * BURST, 0);
        assert!(!rest.pause(at(1), 8 * BURST));
        assert_eq!(rest.due(), None);
    }
}

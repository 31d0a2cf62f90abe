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
}

impl Rest {
    /// Payload memory is at `used` bytes, and there is nothing to do just now.
    pub(crate) fn pause(&mut self, now: Instant, used: usize) {
        self.peak = self.peak.max(used);
        let waited = self.trimmed.is_none_or(|trimmed| now - trimmed >= INTERVAL);
        if self.peak >= BURST && used < self.peak / 8 && waited {
            (self.peak, self.trimmed) = (used, Some(now));
            give_back();
        }
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

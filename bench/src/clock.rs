//! The clock: this program is about real time.

use std::time::Instant;

/// What time it is.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

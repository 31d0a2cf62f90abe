//! Where the keys of all flows come from.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::log::{KeyLog, Label, Random};
use super::secret::Secret;

/// The keys that are known, shared by all flows that are read with them: clones are the same keys.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    log: KeyLog,
    more: Option<Box<More>>,
}

/// Gives what was written to a log since it was called last; it never waits.
type More = dyn FnMut() -> Vec<u8> + Send;

impl Keys {
    /// Keys that are all there before the flows that they are for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keys of a log that is written while the flows are watched. `more` gives what was written since it was
    /// called last, and is called only where a key is lacking.
    pub fn following(more: impl FnMut() -> Vec<u8> + Send + 'static) -> Self {
        let shared = Shared { log: KeyLog::default(), more: Some(Box::new(more)) };
        Self { shared: Arc::new(Mutex::new(shared)) }
    }

    /// Adds a log, or to one.
    pub fn with_log<T>(&self, change: impl FnOnce(&mut KeyLog) -> T) -> T {
        change(&mut self.lock().log)
    }

    /// Whether a key that is lacking may still come.
    pub(super) fn may_grow(&self) -> bool {
        self.lock().more.is_some()
    }

    pub(super) fn secret(&self, random: &Random, label: Label) -> Option<Secret> {
        let mut shared = self.lock();
        let Shared { log, more } = &mut *shared;
        if log.get(random, label).is_none()
            && let Some(more) = more
        {
            log.take(&more());
        }
        log.get(random, label)
    }

    /// What a panic of another left behind is whole: a log changes line by line.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} secrets", self.log.len())
    }
}

//! The end of a command, which may have left much to send: its system goes on sending after it, and so
//! does the relay.

use std::sync::mpsc::SyncSender;
use std::time::Duration;

use telltale_engine::{Engine, Instant};

/// What the command's system had queued is in the tun by then.
const QUEUED: Duration = Duration::from_millis(1);

/// A network that has taken nothing for this long is not waited for any longer: a lost segment is
/// repeated sooner.
const STALLED: Duration = Duration::from_secs(3);

/// A server that takes little at a time is not waited for any longer than this.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits until all is sent. Who asked for that learns it when this is dropped.
pub(super) struct Settling {
    said: u64,
    look_at: Instant,
    stalled_at: Instant,
    until: Instant,
    _asker: SyncSender<()>,
}

impl Settling {
    pub(super) fn begin(now: Instant, asker: SyncSender<()>) -> Self {
        Self { said: 0, look_at: now + QUEUED, stalled_at: now + STALLED, until: now + LIMIT, _asker: asker }
    }

    /// Whether there is nothing more to wait for, with nothing to do just now.
    pub(super) fn is_over(&mut self, now: Instant, engine: &Engine) -> bool {
        if now < self.look_at {
            return false;
        }
        let (unfinished, said) = engine.unfinished();
        if said != self.said {
            (self.said, self.stalled_at) = (said, now + STALLED);
        }
        unfinished == 0 || now >= self.stalled_at.min(self.until)
    }

    /// When to look again, whatever else happens.
    pub(super) fn deadline(&self, now: Instant) -> Instant {
        if now < self.look_at { self.look_at } else { self.stalled_at.min(self.until) }
    }
}

//! The end of a command, which may have left much to send: its system goes on sending after it, and so
//! does the relay.

use std::sync::mpsc::SyncSender;
use std::time::Duration;

use telltale_engine::Instant;

/// What the command's system had queued is in the tun by then.
const QUEUED: Duration = Duration::from_millis(1);

/// How often to look whether servers acknowledge anything: the kernel tells that only who asks.
const LOOK: Duration = Duration::from_millis(250);

/// A network that has carried nothing for this long is not waited for any longer: five lost segments in
/// a row, each repeated after twice the time, are 6 s.
const STALLED: Duration = Duration::from_secs(10);

/// Somebody waits until all that apps have sent is on its way.
pub(crate) struct Drain {
    /// For no longer than this.
    pub(crate) most: Duration,
    /// Whom to tell the end.
    pub(crate) tell: SyncSender<Drained>,
}

/// How waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// All is on its way.
    Whole,
    /// The network has carried nothing for too long.
    Stalled,
    /// There was no more time.
    Cut,
}

/// What is left to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    /// Connections whose apps may have more to say, or have said what their sockets have not taken.
    pub(crate) unfinished: usize,
    /// Grows with every byte that is taken, and with every byte that a server has acknowledged.
    pub(crate) progress: i64,
}

/// The wait.
pub(super) struct Draining {
    drain: Drain,
    progress: i64,
    look_at: Instant,
    stalled_at: Instant,
    until: Instant,
}

impl Draining {
    pub(super) fn begin(now: Instant, drain: Drain) -> Self {
        let until = now + drain.most;
        Self { drain, progress: 0, look_at: now + QUEUED, stalled_at: now + STALLED, until }
    }

    /// When to look at what is left.
    pub(super) fn look_at(&self) -> Instant {
        self.look_at
    }

    /// Looks at what is left. True: the wait is over, and was told to be.
    pub(super) fn is_over(&mut self, now: Instant, rest: Rest) -> bool {
        self.look_at = now + LOOK;
        if rest.progress != self.progress {
            (self.progress, self.stalled_at) = (rest.progress, now + STALLED);
        }
        let end = match rest.unfinished {
            0 => Drained::Whole,
            _ if now >= self.stalled_at => Drained::Stalled,
            _ if now >= self.until => Drained::Cut,
            _ => return false,
        };
        // Who asked may have given up.
        let _ = self.drain.tell.try_send(end);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn at(milliseconds: u64) -> Instant {
        Instant::from_micros(milliseconds * 1_000)
    }

    fn left(progress: i64) -> Rest {
        Rest { unfinished: 1, progress }
    }

    #[test]
    fn a_slow_network_is_waited_for_until_there_is_no_more_time() {
        let (tell, told) = sync_channel(1);
        let mut draining = Draining::begin(at(0), Drain { most: Duration::from_secs(60), tell });
        for second in 1..60 {
            assert!(!draining.is_over(at(second * 1_000), left(second.cast_signed() / 9)));
        }
        assert!(draining.is_over(at(60_000), left(60)));
        assert_eq!(told.try_recv(), Ok(Drained::Cut));
    }

    #[test]
    fn a_network_that_carries_nothing_is_not() {
        let (tell, told) = sync_channel(1);
        let mut draining = Draining::begin(at(0), Drain { most: Duration::from_secs(60), tell });
        assert!(!draining.is_over(at(9_999), left(0)));
        assert!(draining.is_over(at(10_000), left(0)));
        assert_eq!(told.try_recv(), Ok(Drained::Stalled));
    }

    #[test]
    fn with_nothing_left_it_is_over_at_once() {
        let (tell, told) = sync_channel(1);
        let mut draining = Draining::begin(at(0), Drain { most: Duration::from_secs(60), tell });
        assert_eq!(draining.look_at(), at(1));
        assert!(draining.is_over(at(1), Rest { unfinished: 0, progress: 5 }));
        assert_eq!(told.try_recv(), Ok(Drained::Whole));
    }
}

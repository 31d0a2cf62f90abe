//! The end of a command, which may have left much to send: its system goes on sending after it, and so
//! does the relay.

use std::sync::mpsc::SyncSender;
use std::time::Duration;

use telltale_engine::Instant;

/// When to look first: what the command's system had queued is in the tun by then.
const FIRST_LOOK: Duration = Duration::from_millis(1);

/// From then on twice as much later each time, up to this. What servers acknowledge, the kernel tells only
/// who asks.
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
pub(crate) struct Left {
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
    again: Duration,
    stalled_at: Instant,
    until: Instant,
}

impl Draining {
    pub(super) fn begin(now: Instant, drain: Drain) -> Self {
        let (look_at, stalled_at, until) = (now + FIRST_LOOK, now + STALLED, now + drain.most);
        Self { drain, progress: 0, look_at, again: FIRST_LOOK, stalled_at, until }
    }

    /// When to look at what is left.
    pub(super) fn look_at(&self) -> Instant {
        self.look_at
    }

    /// Looks at what is left. True: the wait is over, and was told to be.
    pub(super) fn is_over(&mut self, now: Instant, left: Left) -> bool {
        self.again = (self.again * 2).min(LOOK);
        self.look_at = (now + self.again).min(self.until);
        if left.progress != self.progress {
            (self.progress, self.stalled_at) = (left.progress, now + STALLED);
        }
        let end = match left.unfinished {
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

    fn left(progress: i64) -> Left {
        Left { unfinished: 1, progress }
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
    fn the_looks_grow_rare_but_never_miss_the_end() {
        let (tell, _told) = sync_channel(1);
        let mut draining = Draining::begin(at(0), Drain { most: Duration::from_millis(500), tell });
        let mut looks = Vec::new();
        loop {
            looks.push(draining.look_at().as_micros() / 1_000);
            if draining.is_over(draining.look_at(), left(1)) {
                break;
            }
        }
        assert_eq!(looks, [1, 3, 7, 15, 31, 63, 127, 255, 500]);
    }

    #[test]
    fn with_nothing_left_it_is_over_at_once() {
        let (tell, told) = sync_channel(1);
        let mut draining = Draining::begin(at(0), Drain { most: Duration::from_secs(60), tell });
        assert_eq!(draining.look_at(), at(1));
        assert!(draining.is_over(at(1), Left { unfinished: 0, progress: 5 }));
        assert_eq!(told.try_recv(), Ok(Drained::Whole));
    }
}

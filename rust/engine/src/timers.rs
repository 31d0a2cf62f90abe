//! When each flow wants to be woken. One deadline a flow; moving it later is lazy: the entry that is
//! armed may fire early, and the flow then says its true deadline.

use std::collections::BTreeSet;

use crate::Instant;

/// Armed deadlines by flow index.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    armed: BTreeSet<(Instant, u32)>,
}

impl Timers {
    /// Replaces the armed deadline `old` of a flow by `new`, where that pays: an earlier one always, a
    /// later one only when `quiet`, so that a flow with nothing in flight causes no wake-up.
    /// Gives the deadline that is armed now.
    pub(crate) fn rearm(
        &mut self,
        index: u32,
        old: Option<Instant>,
        new: Option<Instant>,
        quiet: bool,
    ) -> Option<Instant> {
        let keep = match (old, new) {
            (Some(old), Some(new)) => old == new || (old < new && !quiet),
            (Some(_), None) => !quiet,
            (None, None) => true,
            (None, Some(_)) => false,
        };
        if keep {
            return old;
        }
        self.disarm(index, old);
        if let Some(at) = new {
            self.armed.insert((at, index));
        }
        new
    }

    pub(crate) fn disarm(&mut self, index: u32, armed: Option<Instant>) {
        if let Some(at) = armed {
            self.armed.remove(&(at, index));
        }
    }

    /// Takes a flow whose deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<u32> {
        let (at, index) = *self.armed.first()?;
        (at <= now).then(|| {
            self.armed.pop_first();
            index
        })
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.armed.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Option<Instant> {
        Some(Instant::from_micros(micros))
    }

    #[test]
    fn a_later_deadline_waits_until_the_flow_is_quiet() {
        let mut timers = Timers::default();
        let armed = timers.rearm(7, None, at(100), false);
        let armed = timers.rearm(7, armed, at(500), false);
        assert_eq!(armed, at(100));
        let armed = timers.rearm(7, armed, at(500), true);
        assert_eq!((armed, timers.next()), (at(500), at(500)));
        assert_eq!(timers.pop_due(Instant::from_micros(499)), None);
        assert_eq!(timers.pop_due(Instant::from_micros(500)), Some(7));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn an_earlier_deadline_replaces_at_once() {
        let mut timers = Timers::default();
        let armed = timers.rearm(1, None, at(500), false);
        assert_eq!(timers.rearm(1, armed, at(100), false), at(100));
        assert_eq!(timers.next(), at(100));
    }
}

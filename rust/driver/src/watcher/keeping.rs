//! Brings changed flows into the database, in batches, and holds them while it does not take them.

use std::collections::BTreeMap;
use std::time::Duration;

use telltale_engine::Instant;
use telltale_model::{Flow, FlowNumber};
use telltale_store::{Error, Store};
use telltale_watch::Watcher;

use crate::clock::{self, Clock};

/// Flows of one transaction, and how many that began or ended cause one at once.
const BATCH: usize = 256;

/// How long a flow that began or ended waits for others.
const PAUSE: Duration = Duration::from_secs(1);

/// How long what else changes of flows waits: a commit costs more than all that was looked at for it, and
/// flows that say a little now and then change all day.
const GOING_ON: Duration = Duration::from_secs(5);

/// After a failure the next try waits this long at most; it begins with [`PAUSE`] and doubles.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How long the last commits may take that only forget what is too old.
const FORGETTING: Duration = Duration::from_secs(1);

/// Flows that wait while the database takes none. One takes about 1 KB with a name or two: 16 MB; with as
/// many facts as a conversation may hold it is more, yet that takes a program that sends such all the time.
const WAITING: usize = 16_384;

/// The way into the database.
pub(super) struct Keeping {
    store: Option<Store>,
    clock: Clock,
    /// Changed flows that the store has not taken yet.
    waiting: BTreeMap<FlowNumber, Flow>,
    /// When a commit is due, unless a batch is full before; `None` while nothing is to be kept.
    next: Option<Instant>,
    failure: Option<Failure>,
    lost: u64,
}

struct Failure {
    error: Error,
    pause: Duration,
}

impl Keeping {
    pub(super) fn new(store: Option<Store>, clock: Clock) -> Self {
        Self { store, clock, waiting: BTreeMap::new(), next: None, failure: None, lost: 0 }
    }

    /// When [`Self::keep_if_due`] has something to do; `None` while there is nothing to keep.
    pub(super) fn due(&self) -> Option<Instant> {
        self.next
    }

    /// Commits a batch where enough flows have begun or ended, or a change has waited long enough. True: something was
    /// kept. What is left follows when as much time has passed as that took, so that half of it is for what comes
    /// meanwhile.
    pub(super) fn keep_if_due(&mut self, watcher: &mut Watcher) -> bool {
        let full = watcher.news() >= BATCH;
        if full {
            self.collect(watcher);
        }
        if self.store.is_none() || (watcher.changed() == 0 && self.waiting.is_empty() && !self.forgets()) {
            return false;
        }
        if self.is_due(watcher.news() > 0) || (full && self.failure.is_none()) {
            if self.waiting.is_empty() || self.failure.is_some() {
                self.collect(watcher);
            }
            let kept = !self.waiting.is_empty();
            self.commit();
            return kept && self.failure.is_none();
        }
        false
    }

    /// Whether the store has not forgotten all that is too old: it does so a little with each commit.
    fn forgets(&self) -> bool {
        self.store.as_ref().is_some_and(Store::has_more_to_forget)
    }

    /// A try after a failure waits for its own time, whatever is new.
    fn is_due(&mut self, news: bool) -> bool {
        let now = self.clock.now();
        let by = now + if news { PAUSE } else { GOING_ON };
        let next = self.next.filter(|next| self.failure.is_some() || *next < by).unwrap_or(by);
        self.next = Some(next);
        next <= now
    }

    /// The last try. What the person should know about it, if anything.
    pub(super) fn finish(mut self, watcher: &mut Watcher) -> Option<String> {
        self.collect(watcher);
        let until = self.clock.now() + FORGETTING;
        // A run of a second has forgotten little so far, and the next begins anew.
        while (!self.waiting.is_empty() || (self.forgets() && self.clock.now() < until)) && self.commit() {}
        let missing = self.lost + u64::try_from(self.waiting.len()).unwrap_or(u64::MAX);
        let flows = super::many(missing, "flow");
        (missing > 0).then(|| match &self.failure {
            Some(Failure { error, .. }) => format!("{flows} could not be kept: {error}"),
            None => format!("{flows} could not be kept: the database took none for too long"),
        })
    }

    /// The watcher lets go of old flows only when the changed ones are taken.
    fn collect(&mut self, watcher: &mut Watcher) {
        let changed = watcher.take_changed();
        if self.store.is_none() {
            return;
        }
        for flow in changed {
            if self.waiting.len() < WAITING || self.waiting.contains_key(&flow.number) {
                self.waiting.insert(flow.number, flow);
            } else if flow.ended.is_some() {
                // Each flow ends once, so each counts once.
                self.lost += 1;
            }
        }
    }

    /// Commits the oldest of what waits. False: the database did not take it.
    fn commit(&mut self) -> bool {
        let start = self.clock.now();
        match self.commit_batch() {
            Ok(()) => {
                let now = self.clock.now();
                self.next = (!self.waiting.is_empty() || self.forgets()).then(|| now + (now - start));
                self.failure = None;
            }
            Err(error) => {
                let pause =
                    self.failure.as_ref().map_or(PAUSE, |failure| failure.pause * 2).min(LONGEST_PAUSE);
                self.failure = Some(Failure { error, pause });
                self.next = Some(self.clock.now() + pause);
            }
        }
        self.failure.is_none()
    }

    fn commit_batch(&mut self) -> Result<(), Error> {
        let Some(store) = &mut self.store else { return Ok(()) };
        let oldest = std::iter::from_fn(|| self.waiting.pop_first());
        let batch: Vec<Flow> = oldest.take(BATCH).map(|(_, flow)| flow).collect();
        let kept = store.commit(clock::wall(), &batch);
        if kept.is_err() {
            self.waiting.extend(batch.into_iter().map(|flow| (flow.number, flow)));
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use telltale_model::{FlowKey, Observation, Protocol, Timestamp};
    use telltale_store::{Reader, Run, Span};
    use telltale_watch::Config;

    use super::*;

    #[test]
    fn what_begins_takes_along_what_goes_on() {
        let mut keeping = Keeping::new(None, Clock::start());
        let start = keeping.clock.now();
        assert!(!keeping.is_due(false));
        assert!(keeping.next.is_some_and(|next| next >= start + GOING_ON));
        assert!(!keeping.is_due(true));
        let soon = keeping.next;
        assert!(soon.is_some_and(|next| next < start + GOING_ON));
        assert!(!keeping.is_due(false) && !keeping.is_due(true));
        assert_eq!(keeping.next, soon, "what comes later puts nothing off");
    }

    fn run() -> Run {
        Run { started: Timestamp(0), command: "test".into(), version: "0".into() }
    }

    /// So many flows to one place.
    fn open(watcher: &mut Watcher, flows: u64, remote: &str, at: Timestamp) {
        for number in 0..flows {
            let key = FlowKey {
                protocol: Protocol::Tcp,
                app: "198.19.84.1:4000".parse().unwrap(),
                remote: remote.parse().unwrap(),
            };
            watcher.observe(Observation::Opened { flow: FlowNumber(number), key, at });
        }
    }

    #[test]
    fn a_run_that_ends_at_once_forgets_all_that_is_too_old() {
        let home = std::env::temp_dir().join(format!("telltale-forgetting-{}", std::process::id()));
        std::fs::create_dir_all(&home).unwrap();
        let file = home.join("flows.db");
        let mut watcher = Watcher::new(Config::default());
        open(&mut watcher, 3 * BATCH as u64, "192.0.2.7:443", Timestamp(1));
        let mut store = Store::open(&file, run()).unwrap().store;
        store.commit(Timestamp(1), &watcher.take_changed().into_iter().collect::<Vec<_>>()).unwrap();
        drop(store);

        let mut watcher = Watcher::new(Config::default());
        open(&mut watcher, 1, "198.51.100.1:443", clock::wall());
        let store = Store::open(&file, run()).unwrap().store;
        assert_eq!(Keeping::new(Some(store), Clock::start()).finish(&mut watcher), None);
        let reader = Reader::open(&file).unwrap().unwrap();
        let parts = reader.begun(Span { from: Timestamp(0), to: Timestamp(i64::MAX) }).unwrap();
        let places: Vec<String> = parts.iter().filter_map(|part| Some(part.address?.to_string())).collect();
        assert_eq!(places, ["198.51.100.1"]);
        std::fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn many_flows_are_kept_a_batch_at_a_time() {
        const FLOWS: usize = 1_000;
        let home = std::env::temp_dir().join(format!("telltale-keeping-{}", std::process::id()));
        std::fs::create_dir_all(&home).unwrap();
        let store = Store::open(&home.join("flows.db"), run()).unwrap().store;
        let (mut keeping, mut watcher) =
            (Keeping::new(Some(store), Clock::start()), Watcher::new(Config::default()));
        open(&mut watcher, FLOWS as u64, "192.0.2.7:443", Timestamp(1));
        assert!(keeping.keep_if_due(&mut watcher));
        assert_eq!(keeping.waiting.len(), FLOWS - BATCH);
        while keeping.due().is_some() {
            let left = keeping.waiting.len();
            let kept = keeping.keep_if_due(&mut watcher);
            assert_eq!(left - keeping.waiting.len(), if kept { BATCH.min(left) } else { 0 });
        }
        assert_eq!(keeping.finish(&mut watcher), None);
        std::fs::remove_dir_all(home).unwrap();
    }
}

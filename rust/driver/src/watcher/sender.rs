//! The relay's end of the queue: it never blocks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use telltale_model::Observation;
use telltale_watch::Ledger;

/// Observations that wait for the watcher. A thousand flows that begin and end at once fit.
const QUEUE: usize = 4_096;

/// Beginnings and ends that wait at each handle for room in the queue.
const BACKLOG: usize = 4_096;

/// A longer DNS answer is not looked at, so that the queue is at most 16 MiB. Answers over UDP are
/// below it.
const ANSWER: usize = 4_096;

/// How often a handle that is dropped tries to hand over its backlog.
const LAST_TRIES: u32 = 20;

/// How long to wait for room in the queue, where waiting is allowed at all.
const PAUSE: Duration = Duration::from_millis(5);

/// How long a picture of the ledger may take.
const PICTURE: Duration = Duration::from_millis(500);

/// What goes through the queue.
#[derive(Debug)]
pub(super) enum Message {
    /// Something was seen.
    Seen(Observation),
    /// Somebody wants to see the ledger.
    Show(SyncSender<Ledger>),
    /// No more will come that counts.
    Stop,
}

/// A handle to tell the watcher what happens. Each clone has a backlog of its own; what one handle
/// tells arrives in order.
#[derive(Debug)]
pub struct WatchSender {
    queue: SyncSender<Message>,
    backlog: VecDeque<Observation>,
    dropped: Arc<AtomicU64>,
}

impl WatchSender {
    pub(super) fn new() -> (Self, Receiver<Message>) {
        let (queue, receiver) = sync_channel(QUEUE);
        (Self { queue, backlog: VecDeque::new(), dropped: Arc::default() }, receiver)
    }

    /// Tells the watcher, without ever waiting. While the queue is full, beginnings, owners and ends
    /// of flows are kept back for the next call; what does not fit there either is counted.
    pub fn tell(&mut self, observation: Observation) {
        if matches!(&observation, Observation::Resolved { answer, .. } if answer.len() > ANSWER) {
            return self.count_dropped(1);
        }
        self.retry();
        if self.backlog.is_empty() {
            self.offer(observation);
        } else {
            self.keep_back(observation);
        }
    }

    /// The ledger as it is now; `None` while the watcher is too busy to say.
    pub fn snapshot(&self) -> Option<Ledger> {
        let (reply, ledger) = sync_channel(1);
        self.queue.try_send(Message::Show(reply)).ok()?;
        ledger.recv_timeout(PICTURE).ok()
    }

    /// Asks the watcher to end, once there is room in the queue, within `patience`.
    pub(super) fn stop(&self, patience: Duration) {
        let mut tries = patience.as_millis() / PAUSE.as_millis();
        while let Err(TrySendError::Full(_)) = self.queue.try_send(Message::Stop)
            && tries > 0
        {
            thread::sleep(PAUSE);
            tries -= 1;
        }
    }

    /// How many observations the watcher will never see.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn retry(&mut self) {
        while let Some(observation) = self.backlog.pop_front() {
            match self.queue.try_send(Message::Seen(observation)) {
                Ok(()) => {}
                Err(TrySendError::Full(Message::Seen(observation))) => {
                    return self.backlog.push_front(observation);
                }
                Err(_) => self.count_dropped(1),
            }
        }
    }

    fn offer(&mut self, observation: Observation) {
        match self.queue.try_send(Message::Seen(observation)) {
            Ok(()) => {}
            Err(TrySendError::Full(Message::Seen(observation))) => self.keep_back(observation),
            Err(_) => self.count_dropped(1),
        }
    }

    fn keep_back(&mut self, observation: Observation) {
        match observation {
            // A later one, or the end, says the same and more.
            Observation::Carried { .. } => {}
            Observation::Opened { .. } | Observation::Owned { .. } | Observation::Closed { .. }
                if self.backlog.len() < BACKLOG =>
            {
                self.backlog.push_back(observation);
            }
            Observation::Opened { .. }
            | Observation::Owned { .. }
            | Observation::Closed { .. }
            | Observation::Resolved { .. } => self.count_dropped(1),
        }
    }

    fn count_dropped(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }
}

impl Clone for WatchSender {
    fn clone(&self) -> Self {
        let (queue, dropped) = (self.queue.clone(), Arc::clone(&self.dropped));
        Self { queue, backlog: VecDeque::new(), dropped }
    }
}

impl Drop for WatchSender {
    /// The relay has ended: the ends of its last flows are worth a moment.
    fn drop(&mut self) {
        for _ in 0..LAST_TRIES {
            self.retry();
            if self.backlog.is_empty() {
                return;
            }
            thread::sleep(PAUSE);
        }
        self.count_dropped(self.backlog.len().try_into().unwrap_or(u64::MAX));
    }
}

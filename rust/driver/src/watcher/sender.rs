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

/// How often [`WatchSender::finish`] tries to hand over the backlog.
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

    /// Hands over what was kept back, at the end of the relay: the ends of its last flows are worth a
    /// moment. Waits for room, 100 ms at most.
    pub(crate) fn finish(&mut self) {
        for _ in 0..LAST_TRIES {
            self.retry();
            if self.backlog.is_empty() {
                return;
            }
            thread::sleep(PAUSE);
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
            | Observation::Bytes { .. }
            | Observation::Missed { .. }
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
    /// Never waits: only the end of the relay does.
    fn drop(&mut self) {
        self.retry();
        self.count_dropped(self.backlog.len().try_into().unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use telltale_model::{FlowNumber, Owner};

    use super::*;

    fn owned(flow: u64) -> Observation {
        Observation::Owned { flow: FlowNumber(flow), owner: Owner::default() }
    }

    /// A handle that keeps ten observations back, because the queue is full.
    fn full() -> (WatchSender, Receiver<Message>) {
        let (mut sender, queue) = WatchSender::new();
        (0..QUEUE as u64 + 10).for_each(|flow| sender.tell(owned(flow)));
        assert_eq!(sender.backlog.len(), 10);
        (sender, queue)
    }

    #[test]
    fn a_handle_that_is_dropped_waits_for_nobody_and_counts() {
        let (sender, _queue) = full();
        let dropped = Arc::clone(&sender.dropped);
        let clock = crate::clock::Clock::start();
        drop(sender);
        assert!(clock.now().as_micros() < 20_000, "{}", clock.now().as_micros());
        assert_eq!(dropped.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn a_handle_that_finishes_waits_for_room() {
        let (mut sender, queue) = full();
        let reader = thread::spawn(move || {
            thread::sleep(3 * PAUSE);
            queue.iter().count()
        });
        sender.finish();
        assert_eq!((sender.backlog.len(), sender.dropped()), (0, 0));
        drop(sender);
        assert_eq!(reader.join().unwrap(), QUEUE + 10);
    }

    #[test]
    fn a_watcher_that_stands_still_ends_the_waiting() {
        let (mut sender, _queue) = full();
        let clock = crate::clock::Clock::start();
        sender.finish();
        assert!(clock.now().as_micros() < 400_000);
        assert_eq!(sender.backlog.len(), 10, "they are counted when it is dropped");
    }
}

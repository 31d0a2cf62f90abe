//! The relay's end of the queue: it never blocks, and wakes the watcher once a turn at most.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use bytes::Bytes;
use telltale_engine::Shape;
use telltale_model::{Details, Direction, FlowNumber, Observation, Protocol};
use telltale_watch::Ledger;

use super::backlog::Backlog;
use super::limits::{BATCHES, LAST_TRIES, PAUSE, PICTURE, PRESSING, ROOM, SPENT};
use super::seals::{Need, Seals};
use super::turn::{Seen, Turn};

/// What goes through the queue.
#[derive(Debug)]
pub(super) enum Message {
    /// Something was seen.
    Seen(Batch),
    /// Somebody wants to see the ledger.
    Show(SyncSender<Ledger>),
    /// From now on these are looked for.
    LookFor(Box<Details>),
    /// No more will come that counts.
    Stop,
}

/// Observations in order, counted as waiting until they are dropped.
#[derive(Debug)]
pub(super) struct Batch {
    seen: Seen,
    len: usize,
    load: Arc<Load>,
    /// Flows of which the watcher needs no payload any more.
    sealed: Vec<FlowNumber>,
    /// Where these and the empty list go.
    home: SyncSender<Spent>,
}

/// What comes back of a batch.
#[derive(Debug, Default)]
struct Spent {
    /// An empty list, to be filled again.
    list: Vec<Observation>,
    sealed: Vec<FlowNumber>,
}

/// What waits for the watcher.
#[derive(Debug, Default)]
struct Load {
    observations: AtomicUsize,
    pinned: AtomicUsize,
    dropped: AtomicU64,
    watcher: OnceLock<Thread>,
}

/// A handle to tell the watcher what happens. Each clone has a list and a backlog of its own; what one
/// handle tells arrives in order.
#[derive(Debug)]
pub struct WatchSender {
    queue: SyncSender<Message>,
    load: Arc<Load>,
    turn: Turn,
    backlog: Backlog,
    seals: Seals,
    home: SyncSender<Spent>,
    spent: Receiver<Spent>,
}

impl WatchSender {
    pub(super) fn new() -> (Self, Receiver<Message>) {
        let (queue, receiver) = sync_channel(BATCHES);
        (Self::to(queue, Arc::default()), receiver)
    }

    fn to(queue: SyncSender<Message>, load: Arc<Load>) -> Self {
        let (home, spent) = sync_channel(SPENT.0);
        let (turn, backlog, seals) = Default::default();
        Self { queue, load, turn, backlog, seals, home, spent }
    }

    /// Tells the watcher at the next [`Self::hand_over`], without ever waiting.
    pub fn tell(&mut self, observation: Observation) {
        if let Observation::Opened { flow, key, .. } = &observation
            && key.protocol == Protocol::Tcp
        {
            self.seals.opened(*flow);
        } else if let Observation::Closed { flow, .. } = &observation {
            self.seals.ended(*flow);
        }
        self.turn.push(observation);
        self.hand_over_if_full();
    }

    /// The same for payload, which keeps `pinned` bytes of a buffer alive.
    pub(crate) fn tell_payload(
        &mut self,
        flow: FlowNumber,
        direction: Direction,
        shape: Shape,
        payload: Bytes,
        pinned: usize,
    ) {
        let stream = shape == Shape::Stream;
        let need = if stream { self.seals.look(flow, direction, &payload) } else { Need::Payload };
        if need == Need::Payload && self.turn.is_too_full_for(&payload, pinned) {
            self.hand_over();
        }
        match need {
            Need::Nothing => {}
            // A datagram is whole in itself, whatever is missing before it.
            _ if stream && self.backlog.is_blind(flow) => {
                self.turn.push_missed(flow, direction, payload.len());
            }
            Need::Lengths(sealed) => self.turn.push_sealed(flow, sealed),
            Need::Payload => self.turn.push_payload(flow, direction, shape, payload, pinned),
        }
        self.hand_over_if_full();
    }

    /// Hands over what was told, without ever waiting. Where there is no room, beginnings and ends of flows
    /// are kept back for the next time, and of payload its length; what does not fit there either is
    /// counted.
    pub fn hand_over(&mut self) {
        if !self.backlog.is_empty() && self.load.has_room() {
            let observations = self.backlog.take();
            self.send(Seen { observations, pinned: 0 });
        }
        if self.turn.is_empty() {
            return;
        }
        let Spent { list, sealed } = self.spent.try_recv().unwrap_or_default();
        sealed.into_iter().for_each(|flow| self.seals.close(flow));
        let seen = self.turn.take(list);
        if self.backlog.is_empty() && self.load.has_room() {
            self.send(seen);
        } else {
            self.keep_back(seen.observations);
        }
    }

    /// Hands over what was kept back, at the end of the relay: the ends of its last flows are worth a
    /// moment. Waits for room, 100 ms at most.
    pub(crate) fn finish(&mut self) {
        for _ in 0..LAST_TRIES {
            self.hand_over();
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
        self.load.wake();
        ledger.recv_timeout(PICTURE).ok()
    }

    /// From now on these are looked for. False: the watcher was too busy to hear of it within `patience`, or has ended.
    pub fn look_for(&self, details: Details, patience: Duration) -> bool {
        let mut message = Message::LookFor(Box::new(details));
        let mut tries = patience.as_millis() / PAUSE.as_millis();
        loop {
            message = match self.queue.try_send(message) {
                Ok(()) => break,
                Err(TrySendError::Full(message)) if tries > 0 => message,
                Err(_) => return false,
            };
            thread::sleep(PAUSE);
            tries -= 1;
        }
        self.load.wake();
        true
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
        self.load.wake();
    }

    /// Says whom to wake.
    pub(super) fn wakes(&self, watcher: &Thread) {
        // There is one watcher, and it is told once.
        let _ = self.load.watcher.set(watcher.clone());
    }

    /// How many observations the watcher will never hear of in any form.
    pub fn dropped(&self) -> u64 {
        self.load.dropped.load(Ordering::Relaxed)
    }

    fn hand_over_if_full(&mut self) {
        if self.turn.is_full() {
            self.hand_over();
        }
    }

    fn send(&mut self, seen: Seen) {
        let batch = Batch::new(seen, Arc::clone(&self.load), self.home.clone());
        match self.queue.try_send(Message::Seen(batch)) {
            Ok(()) if self.load.is_pressing() => self.load.wake(),
            Ok(()) => {}
            Err(TrySendError::Full(Message::Seen(mut batch))) => self.keep_back(batch.take()),
            // The watcher has ended.
            Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(message)) => self.load.drop_some(message.len()),
        }
    }

    fn keep_back(&mut self, observations: Vec<Observation>) {
        let dropped = self.backlog.keep(observations);
        self.load.drop_some(dropped);
    }
}

impl Clone for WatchSender {
    fn clone(&self) -> Self {
        Self::to(self.queue.clone(), Arc::clone(&self.load))
    }
}

impl Drop for WatchSender {
    /// Never waits: only the end of the relay does.
    fn drop(&mut self) {
        self.hand_over();
        self.load.drop_some(self.backlog.len().try_into().unwrap_or(u64::MAX));
    }
}

impl Message {
    fn len(&self) -> u64 {
        match self {
            Self::Seen(batch) => batch.len.try_into().unwrap_or(u64::MAX),
            Self::Show(_) | Self::LookFor(_) | Self::Stop => 0,
        }
    }
}

impl Batch {
    fn new(seen: Seen, load: Arc<Load>, home: SyncSender<Spent>) -> Self {
        let len = seen.observations.len();
        load.observations.fetch_add(len, Ordering::Relaxed);
        load.pinned.fetch_add(seen.pinned, Ordering::Relaxed);
        Self { seen, len, load, sealed: Vec::new(), home }
    }

    /// Of this flow no payload is needed any more.
    pub(super) fn seal(&mut self, flow: FlowNumber) {
        if self.sealed.last() != Some(&flow) {
            self.sealed.push(flow);
        }
    }

    /// The observations, to be looked at one after the other.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Observation> {
        self.seen.observations.drain(..)
    }

    fn take(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.seen.observations)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let (mut list, sealed) = (self.take(), std::mem::take(&mut self.sealed));
        list.clear();
        self.load.observations.fetch_sub(self.len, Ordering::Relaxed);
        self.load.pinned.fetch_sub(self.seen.pinned, Ordering::Relaxed);
        if list.capacity() > SPENT.1 {
            list = Vec::new();
        }
        if list.capacity() > 0 || !sealed.is_empty() {
            // Whoever sent it may be gone, or have enough of them; what is sealed is told again with the next payload.
            let _ = self.home.try_send(Spent { list, sealed });
        }
    }
}

impl Load {
    fn has_room(&self) -> bool {
        !self.is_at_least(ROOM)
    }

    fn is_pressing(&self) -> bool {
        self.is_at_least(PRESSING)
    }

    fn is_at_least(&self, (observations, pinned): (usize, usize)) -> bool {
        self.observations.load(Ordering::Relaxed) >= observations
            || self.pinned.load(Ordering::Relaxed) >= pinned
    }

    fn wake(&self) {
        if let Some(watcher) = self.watcher.get() {
            watcher.unpark();
        }
    }

    fn drop_some(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use telltale_model::Owner;

    use super::*;

    fn owned(flow: u64) -> Observation {
        Observation::Owned { flow: FlowNumber(flow), owner: Owner::default() }
    }

    /// A handle that keeps ten observations back, because the queue is full.
    fn full() -> (WatchSender, Receiver<Message>) {
        let (mut sender, queue) = WatchSender::new();
        for flow in 0..ROOM.0 as u64 {
            sender.tell(owned(flow));
        }
        sender.hand_over();
        (0..10).for_each(|flow| sender.tell(owned(flow)));
        sender.hand_over();
        assert_eq!(sender.backlog.len(), 10);
        (sender, queue)
    }

    fn payload(sender: &mut WatchSender, len: usize) {
        let payload = Bytes::from(vec![0; len]);
        sender.tell_payload(FlowNumber(1), Direction::Sent, Shape::Stream, payload, len);
        sender.hand_over();
    }

    fn batches(queue: &Receiver<Message>) -> impl Iterator<Item = Vec<Observation>> {
        queue.try_iter().map(|message| match message {
            Message::Seen(mut batch) => batch.drain().collect(),
            Message::Show(_) | Message::LookFor(_) | Message::Stop => Vec::new(),
        })
    }

    #[test]
    fn a_handle_that_is_dropped_waits_for_nobody_and_counts() {
        let (sender, _queue) = full();
        let load = Arc::clone(&sender.load);
        let clock = crate::clock::Clock::start();
        drop(sender);
        assert!(clock.now().as_micros() < 20_000, "{}", clock.now().as_micros());
        assert_eq!(load.dropped.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn a_handle_that_finishes_waits_for_room() {
        let (mut sender, queue) = full();
        let reader = thread::spawn(move || {
            thread::sleep(3 * PAUSE);
            queue.iter().map(|message| message.len()).sum::<u64>()
        });
        sender.finish();
        assert_eq!((sender.backlog.len(), sender.dropped()), (0, 0));
        drop(sender);
        assert_eq!(reader.join().unwrap(), ROOM.0 as u64 + 10);
    }

    #[test]
    fn a_watcher_that_stands_still_ends_the_waiting() {
        let (mut sender, _queue) = full();
        let clock = crate::clock::Clock::start();
        sender.finish();
        assert!(clock.now().as_micros() < 400_000);
        assert_eq!(sender.backlog.len(), 10, "they are counted when it is dropped");
    }

    #[test]
    fn payload_that_finds_no_room_is_told_by_its_length_before_what_follows() {
        let (mut sender, queue) = WatchSender::new();
        (0..100).for_each(|_| payload(&mut sender, 64 << 10));
        assert!((ROOM.1..=ROOM.1 + (64 << 10)).contains(&sender.load.pinned.load(Ordering::Relaxed)));
        let kept: usize = batches(&queue).map(|batch| batch.len()).sum();
        payload(&mut sender, 5_000);
        let rest: Vec<_> = batches(&queue).flatten().collect();
        let [Observation::Missed { bytes, .. }, Observation::Bytes { payload, .. }] = &rest[..] else {
            panic!("{rest:?}")
        };
        assert_eq!((usize::try_from(*bytes).unwrap(), payload.len()), ((100 - kept) * (64 << 10), 5_000));
        assert_eq!((sender.dropped(), sender.load.pinned.load(Ordering::Relaxed)), (0, 0));
    }

    #[test]
    fn lists_come_back_to_be_filled_again() {
        let (mut sender, queue) = WatchSender::new();
        sender.tell(owned(1));
        sender.hand_over();
        let Message::Seen(batch) = queue.recv().unwrap() else { panic!("nothing was seen") };
        let list = batch.seen.observations.as_ptr();
        drop(batch);
        sender.tell(owned(2));
        sender.hand_over();
        sender.tell(owned(3));
        assert_eq!(sender.turn.take(Vec::new()).observations.as_ptr(), list);
    }
}

//! The thread that tells the app what has changed, seldom enough for a screen, and that watching has ended. Nobody
//! else waits for the app.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use telltale_words::Ended;

use crate::Host;

/// Between two tellings at least.
const PAUSE: Duration = Duration::from_millis(250);

/// Calls that may wait: one of a change, and one of each of a few ends.
const WAITING: usize = 16;

/// Something that the thread acts on.
#[derive(Debug)]
pub(crate) enum Call {
    /// The revision has grown.
    Changed,
    /// A run of watching has ended by itself.
    Ended(u64),
    /// The app is to hear that the run of this number has.
    Stopped(u64, Ended),
    /// All is over.
    Over,
}

/// The way to the thread.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    calls: SyncSender<Call>,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    revision: AtomicU64,
    /// A change waits to be told.
    waits: AtomicBool,
}

impl Pulse {
    /// The way, and what the thread is to be given.
    pub(crate) fn new() -> (Self, Beats) {
        let (calls, called) = sync_channel(WAITING);
        let seen = Arc::<Seen>::default();
        (Self { calls, seen: Arc::clone(&seen) }, Beats { calls: called, seen })
    }

    /// Something that can be shown has changed. Never waits.
    pub(crate) fn beat(&self) {
        self.seen.revision.fetch_add(1, Ordering::SeqCst);
        if !self.seen.waits.swap(true, Ordering::SeqCst) {
            self.call(Call::Changed);
        }
    }

    /// Has the thread act. Never waits: where so much waits already, the app answers nothing any more.
    pub(crate) fn call(&self, call: Call) {
        let _deaf = self.calls.try_send(call);
    }

    /// How often something has changed.
    pub(crate) fn revision(&self) -> u64 {
        self.seen.revision.load(Ordering::SeqCst)
    }
}

/// The thread's end of the way.
pub(crate) struct Beats {
    calls: Receiver<Call>,
    seen: Arc<Seen>,
}

impl Beats {
    /// Starts the thread. `act` does what is to be done at an end; where it says false, the thread ends.
    pub(crate) fn start(self, host: Host, act: impl FnMut(Call) -> bool + Send + 'static) -> io::Result<()> {
        let thread = thread::Builder::new().name("telltale-host".into());
        thread.spawn(move || self.run(&host, act)).map(drop)
    }

    fn run(&self, host: &Host, mut act: impl FnMut(Call) -> bool) {
        let mut told = 0;
        while let Ok(call) = self.calls.recv() {
            let goes_on = match call {
                Call::Changed => self.tell(host, &mut told, &mut act),
                Call::Ended(_) | Call::Stopped(..) | Call::Over => act(call),
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Tells as long as there is something new after each pause.
    fn tell(&self, host: &Host, told: &mut u64, act: &mut impl FnMut(Call) -> bool) -> bool {
        loop {
            *told = self.seen.revision.load(Ordering::SeqCst);
            (host.changed)(*told);
            if !self.pause(act) {
                return false;
            }
            self.seen.waits.store(false, Ordering::SeqCst);
            // What has changed just before has found that it need not call.
            let missed = self.seen.revision.load(Ordering::SeqCst) != *told;
            if !missed || self.seen.waits.swap(true, Ordering::SeqCst) {
                return true;
            }
        }
    }

    fn pause(&self, act: &mut impl FnMut(Call) -> bool) -> bool {
        loop {
            match self.calls.recv_timeout(PAUSE) {
                Ok(Call::Changed) => {}
                Ok(call) => {
                    if !act(call) {
                        return false;
                    }
                }
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn host(told: &Arc<Mutex<Vec<u64>>>) -> Host {
        let told = Arc::clone(told);
        Host {
            owner_of: Arc::new(|_| None),
            changed: Arc::new(move |revision| told.lock().unwrap().push(revision)),
            stopped: Arc::new(|_| {}),
        }
    }

    #[test]
    fn many_changes_are_told_seldom_and_the_last_one_always() {
        let told = Arc::default();
        let (pulse, beats) = Pulse::new();
        beats.start(host(&told), |_| true).unwrap();
        for _ in 0..600 {
            pulse.beat();
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(3 * PAUSE);
        let told = told.lock().unwrap().clone();
        assert_eq!(told.last(), Some(&600));
        assert!((2..=8).contains(&told.len()), "{told:?}");
        assert_eq!(pulse.revision(), 600);
    }

    #[test]
    fn an_end_is_acted_on_during_a_pause_and_ends_the_thread() {
        let (pulse, beats) = Pulse::new();
        let (tell, acted) = sync_channel(1);
        beats.start(host(&Arc::default()), move |call| tell.send(format!("{call:?}")).is_err()).unwrap();
        pulse.beat();
        pulse.call(Call::Ended(7));
        assert_eq!(acted.recv_timeout(PAUSE / 2).unwrap(), "Ended(7)");
        assert!(acted.recv_timeout(PAUSE).is_err(), "the thread is gone, and its end of the channel with it");
    }
}

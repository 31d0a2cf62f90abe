//! Which program owns a flow: asked on a thread of its own, when the flow's first packet has come
//! and the app still holds its socket.

mod answered;
mod processes;
mod sockets;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use telltale_model::{FlowKey, FlowNumber, Owner};
use tokio::sync::oneshot;

use crate::netlink::{Held, SockDiag};
pub(crate) use answered::Answered;
use processes::{Process, Processes};

/// Questions that may wait. A look-up takes some 50 µs; who waits longer than this many of them has
/// an owner that is gone.
const WAITING: usize = 1024;

/// How long the end waits for the look-up under way: a walk through the processes at most. What is not over
/// then is an app's that does not answer, and ends by itself.
const LAST_LOOK: Duration = Duration::from_millis(100);

/// Finds the owner of a flow, or `None` where it stays unknown. It is asked on a thread of its own, once a
/// flow, one flow after the other, and may take its time.
pub type FindOwner = Box<dyn FnMut(FlowKey) -> Option<Owner> + Send>;

/// Asks a NETLINK_SOCK_DIAG socket that was opened in the network namespace of the apps, and then /proc.
pub fn by_socket(sock_diag: OwnedFd) -> FindOwner {
    let mut search = Search::new(sock_diag);
    Box::new(move |key| search.find(key))
}

/// Has the owners of flows found. Dropping it ends its thread.
pub(crate) struct Owners {
    questions: Option<Arc<SyncSender<Question>>>,
    answered: Arc<Answered>,
    missed: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    /// Says by its end that the thread has ended.
    over: Receiver<()>,
}

/// The way to ask. It leads nowhere once [`Owners`] are gone.
#[derive(Clone)]
pub(crate) struct Asker {
    questions: Weak<SyncSender<Question>>,
    missed: Arc<AtomicU64>,
}

struct Question {
    flow: FlowNumber,
    key: FlowKey,
    /// Who waits for the end of the search; without one, it is listed in [`Answered`].
    waiting: Option<oneshot::Sender<()>>,
}

impl Owners {
    /// Starts the thread. `tell` hears of each owner that was found, as far as it is known, and
    /// nothing of the others.
    pub(crate) fn start(
        find: FindOwner,
        tell: impl FnMut(FlowNumber, Owner) + Send + 'static,
    ) -> io::Result<Self> {
        let (questions, asked) = sync_channel(WAITING);
        let (ended, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(Answered::new()?));
        let (working, over) = sync_channel(1);
        let (end, list) = (Arc::clone(&ended), Arc::clone(&answered));
        let work = move || {
            search(find, &asked, &end, tell, &list);
            drop(working);
        };
        thread::Builder::new().name("telltale-owners".into()).spawn(work)?;
        let (questions, missed) = (Some(Arc::new(questions)), Arc::new(AtomicU64::new(0)));
        Ok(Self { questions, answered, missed, ended, over })
    }

    /// Asks for the owner of a flow, as [`Asker::ask`] does. When the search is over, [`Self::answered`]
    /// lists the flow. False: nobody searches.
    pub(crate) fn ask(&self, flow: FlowNumber, key: FlowKey) -> bool {
        let question = Question { flow, key, waiting: None };
        let passed = self.questions.as_ref().is_some_and(|questions| questions.try_send(question).is_ok());
        if !passed {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
        passed
    }

    /// A way to ask from elsewhere.
    pub(crate) fn asker(&self) -> Option<Asker> {
        let questions = Arc::downgrade(self.questions.as_ref()?);
        Some(Asker { questions, missed: Arc::clone(&self.missed) })
    }

    /// The flows whose search is over.
    pub(crate) fn answered(&self) -> &Answered {
        &self.answered
    }

    /// Questions that found no room.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

impl Drop for Owners {
    /// Waits for the look-up under way, for [`LAST_LOOK`] at most. After a panic of that thread, which has
    /// been printed, owners stay unknown.
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        self.questions = None;
        if self.over.recv_timeout(LAST_LOOK) == Err(RecvTimeoutError::Timeout) {
            log::warn!("whoever finds owners does not answer");
        }
    }
}

impl Asker {
    /// Asks for the owner of a flow: what comes back ends when the search is over. Never waits: where
    /// too many questions wait already, the owner stays unknown.
    pub(crate) fn ask(&self, flow: FlowNumber, key: FlowKey) -> oneshot::Receiver<()> {
        let (waiting, over) = oneshot::channel();
        let question = Question { flow, key, waiting: Some(waiting) };
        if self.questions.upgrade().is_none_or(|questions| questions.try_send(question).is_err()) {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
        over
    }
}

/// What the thread does.
fn search(
    mut find: FindOwner,
    asked: &Receiver<Question>,
    ended: &AtomicBool,
    mut tell: impl FnMut(FlowNumber, Owner),
    answered: &Answered,
) {
    for Question { flow, key, waiting } in asked {
        if ended.load(Ordering::Relaxed) {
            return;
        }
        if let Some(owner) = find(key) {
            tell(flow, owner);
        }
        match waiting {
            // Nobody may wait any more.
            Some(waiting) => _ = waiting.send(()),
            None => answered.push(flow),
        }
    }
}

/// What sock_diag and /proc need.
struct Search {
    diag: SockDiag,
    processes: Processes,
}

impl Search {
    fn new(sock_diag: OwnedFd) -> Self {
        let diag = SockDiag::new(sock_diag);
        let processes = Processes::new(diag.namespace().ok());
        Self { diag, processes }
    }

    fn find(&mut self, key: FlowKey) -> Option<Owner> {
        let held = sockets::find(&mut self.diag, key)?;
        let process = self.processes.holding(held.inode);
        owner(held, process, || sockets::find(&mut self.diag, key).is_some_and(|now| now.inode == held.inode))
    }
}

/// 0 is what the kernel says of sockets that are nobody's, too. Without a process it counts only while
/// somebody, whom this process may not look at, still holds the socket.
fn owner(held: Held, process: Option<Process>, still_held: impl FnOnce() -> bool) -> Option<Owner> {
    if process.is_none() && held.uid == 0 && !still_held() {
        return None;
    }
    let pid = process.as_ref().map(|process| process.pid);
    Some(Owner { uid: Some(held.uid), pid, program: process.and_then(|process| process.program), app: None })
}

#[cfg(test)]
mod tests;

//! Which program owns a flow: asked on a thread of its own, when the flow's first packet has come
//! and the app still holds its socket.

mod processes;
mod sockets;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use telltale_model::{FlowKey, FlowNumber, Owner};

use crate::netlink::{Held, SockDiag};
use processes::{Process, Processes};

/// Questions that may wait. A look-up takes some 50 µs; who waits longer than this many of them has
/// an owner that is gone.
const WAITING: usize = 1024;

/// Finds the owners of flows. Dropping it ends its thread.
pub(crate) struct Owners {
    questions: Option<SyncSender<(FlowNumber, FlowKey)>>,
    missed: AtomicU64,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Owners {
    /// Starts the thread. `sock_diag` is a NETLINK_SOCK_DIAG socket that was opened in the network
    /// namespace of the apps. `tell` hears of each owner that was found, as far as it is known, and
    /// nothing of the others.
    pub(crate) fn start(
        sock_diag: OwnedFd,
        tell: impl FnMut(FlowNumber, Owner) + Send + 'static,
    ) -> io::Result<Self> {
        let (questions, asked) = sync_channel(WAITING);
        let ended = Arc::new(AtomicBool::new(false));
        let search = Search::new(sock_diag);
        let end = Arc::clone(&ended);
        let work = move || search.run(&asked, &end, tell);
        let thread = thread::Builder::new().name("telltale-owners".into()).spawn(work)?;
        Ok(Self { questions: Some(questions), missed: AtomicU64::new(0), ended, thread: Some(thread) })
    }

    /// Asks for the owner of a flow. Never waits: where too many questions wait already, the owner
    /// stays unknown.
    pub(crate) fn ask(&self, flow: FlowNumber, key: FlowKey) {
        let full = self.questions.as_ref().is_none_or(|questions| questions.try_send((flow, key)).is_err());
        if full {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Questions that found no room.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

impl Drop for Owners {
    /// Waits for the look-up under way: a walk through the processes at most.
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        self.questions = None;
        // A panic of that thread has been printed; owners stay unknown after it.
        let _panic = self.thread.take().map(JoinHandle::join);
    }
}

/// What the thread owns.
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

    fn run(
        mut self,
        asked: &Receiver<(FlowNumber, FlowKey)>,
        ended: &AtomicBool,
        mut tell: impl FnMut(FlowNumber, Owner),
    ) {
        for (flow, key) in asked {
            if ended.load(Ordering::Relaxed) {
                return;
            }
            if let Some(owner) = self.find(key) {
                tell(flow, owner);
            }
        }
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
    Some(Owner { uid: Some(held.uid), pid, program: process.and_then(|process| process.program) })
}

#[cfg(test)]
mod tests;

//! Flows whose owner is no longer searched for: from the thread that searches to the one that relays.

use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use telltale_model::FlowNumber;

use crate::sys;

/// The list, and a descriptor that wakes up who waits for it.
pub(crate) struct Answered {
    list: Mutex<List>,
    wake: OwnedFd,
}

#[derive(Default)]
struct List {
    flows: Vec<FlowNumber>,
    /// Somebody waits: the next flow wakes it up. Otherwise a wake-up would be for nothing.
    wanted: bool,
}

impl Answered {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { list: Mutex::default(), wake: sys::eventfd()? })
    }

    /// Lists a flow, and wakes up who waits. The list is no longer than the questions that were asked
    /// and not taken from here.
    pub(super) fn push(&self, flow: FlowNumber) {
        let mut list = self.locked();
        list.flows.push(flow);
        if mem::take(&mut list.wanted) {
            sys::signal(self.wake.as_fd());
        }
    }

    /// Takes all that is listed. With `wait`, [`Self::wake`] becomes readable with the next one.
    pub(crate) fn take(&self, wait: bool) -> Vec<FlowNumber> {
        let mut list = self.locked();
        list.wanted = wait;
        mem::take(&mut list.flows)
    }

    /// The descriptor to watch, edge-triggered: nobody reads it.
    pub(crate) fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// A list is whole at any moment, so a panic elsewhere cannot break it.
    fn locked(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

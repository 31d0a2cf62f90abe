//! What a flow has asked for itself: an answer to nobody's question names nothing.

use std::collections::VecDeque;

/// The last questions of a flow.
#[derive(Debug)]
pub(super) struct Asked {
    /// By hashes that nobody outside can foresee.
    recent: VecDeque<u64>,
    /// Whether a resolver is where the flow goes to, by its port.
    on_port: bool,
    /// Whether anything that was sent was seen, and whether something was not.
    spoke: bool,
    missed: bool,
}

/// Questions that may wait for their answers: a resolver's socket has some at a time.
const RECENT: usize = 128;

impl Asked {
    pub(super) fn new(on_port: bool) -> Self {
        Self { recent: VecDeque::new(), on_port, spoke: false, missed: false }
    }

    /// Something was sent.
    pub(super) fn speak(&mut self) {
        self.spoke = true;
    }

    /// Something was sent and not seen.
    pub(super) fn miss(&mut self) {
        self.missed = true;
    }

    pub(super) fn ask(&mut self, question: u64) {
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(question);
    }

    /// Whether it was asked for; at a resolver's port perhaps where nobody looked.
    pub(super) fn has(&self, question: u64) -> bool {
        self.recent.contains(&question) || self.on_port && (self.missed || !self.spoke)
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.recent.capacity() * size_of::<u64>()
    }
}

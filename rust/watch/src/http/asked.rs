//! The requests whose answers are still to come, in order (RFC 9112 9.3.2).

use std::collections::VecDeque;

use telltale_model::Facts;

/// What was asked and not answered yet.
#[derive(Debug, Default)]
pub(super) struct Asked {
    first: VecDeque<Question>,
    /// Those after `first`. Answers are matched in order, so that only their number matters: what is
    /// kept of the flow is about the first ones.
    more: u64,
}

/// A request, as far as its answer depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// Its place in [`Facts::requests`], if it is there.
    pub(super) place: Option<u8>,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// HEAD: the answer has no body, whatever it says.
    Head,
    Connect,
    Other,
}

impl Kind {
    pub(super) fn of(method: &str) -> Self {
        match method {
            "HEAD" => Self::Head,
            "CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }
}

impl Asked {
    pub(super) fn push(&mut self, question: Question) {
        if self.more == 0 && self.first.len() < Facts::KEPT {
            self.first.push_back(question);
        } else {
            self.more += 1;
        }
    }

    /// The request that is answered next.
    pub(super) fn pop(&mut self) -> Option<Question> {
        if let Some(question) = self.first.pop_front() {
            return Some(question);
        }
        self.more = self.more.checked_sub(1)?;
        Some(Question { place: None, kind: Kind::Other })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty() && self.more == 0
    }

    /// Requests or answers are missing: nobody knows any more what belongs together.
    pub(super) fn clear(&mut self) {
        self.first.clear();
        self.more = 0;
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.first.capacity() * size_of::<Question>()
    }
}

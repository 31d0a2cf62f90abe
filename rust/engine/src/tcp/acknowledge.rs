//! When bytes of the app are acknowledged: once in each batch, and in a conversation together with the
//! answer, at latest after [`DELAYED_ACK`].

use crate::Instant;
use crate::limits::DELAYED_ACK;

/// After so many questions that were answered before their acknowledgement was due, the next one may
/// wait for its answer too.
const CONVERSATION: u8 = 3;

/// What is owed to the app.
#[derive(Debug, Default)]
pub(crate) struct Acknowledge {
    due: bool,
    later: Option<Instant>,
    owed: usize,
    answered: u8,
}

/// Whether an acknowledgement may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// At the end of this batch.
    Now,
    /// As the conversation goes.
    Usual,
}

impl Acknowledge {
    /// Due at the end of this batch.
    pub(crate) fn now(&mut self) {
        self.due = true;
    }

    /// Bytes arrived.
    pub(crate) fn owe(&mut self, bytes: usize, mss: usize, urgency: Urgency, now: Instant) {
        self.owed += bytes;
        // RFC 9293 3.8.6.3: at least every second full segment.
        if urgency == Urgency::Now
            || self.answered < CONVERSATION
            || self.owed >= 2 * mss
            || self.later.is_some()
        {
            self.due = true;
        } else {
            self.later = Some(now + DELAYED_ACK);
        }
    }

    /// The app has ended its side, and the other end of the connection follows soon: an acknowledgement that is not
    /// due yet rides on that. Linux does the same (`tcp_fin`).
    pub(crate) fn with_the_end(&mut self, now: Instant) {
        if !self.due {
            self.later = self.later.or(Some(now + DELAYED_ACK));
        }
    }

    /// A segment goes to the app and carries the acknowledgement.
    pub(crate) fn ridden(&mut self, with_bytes: bool) {
        if with_bytes && self.owed > 0 {
            self.answered = (self.answered + 1).min(CONVERSATION);
        }
        self.clear();
    }

    /// Whether a bare acknowledgement must go now.
    pub(crate) fn take_due(&mut self) -> bool {
        let due = self.due;
        if due {
            // An answer that comes after the acknowledgement still shows a conversation.
            let owed = self.owed;
            self.clear();
            self.owed = owed.min(1);
        }
        due
    }

    /// No answer came in time: this is no conversation.
    pub(crate) fn time_out(&mut self, now: Instant) {
        if self.later.is_some_and(|at| at <= now) {
            self.answered = 0;
            self.due = true;
        }
    }

    pub(crate) fn later(&self) -> Option<Instant> {
        self.later
    }

    fn clear(&mut self) {
        (self.due, self.later, self.owed) = (false, None, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Instant = Instant::from_micros(0);

    #[test]
    fn at_first_every_batch_is_acknowledged() {
        let mut acknowledge = Acknowledge::default();
        acknowledge.owe(100, 1_460, Urgency::Usual, AT);
        assert!(acknowledge.take_due());
        assert!(!acknowledge.take_due());
    }

    #[test]
    fn in_a_conversation_it_rides_on_the_answer_or_comes_after_40_ms() {
        let mut acknowledge = Acknowledge::default();
        for _ in 0..CONVERSATION {
            acknowledge.owe(100, 1_460, Urgency::Usual, AT);
            acknowledge.ridden(true);
        }
        acknowledge.owe(100, 1_460, Urgency::Usual, AT);
        assert!(!acknowledge.take_due());
        acknowledge.time_out(AT + DELAYED_ACK);
        assert!(acknowledge.take_due());
        acknowledge.owe(100, 1_460, Urgency::Usual, AT);
        assert!(acknowledge.take_due(), "the conversation has ended");
    }

    #[test]
    fn two_full_segments_never_wait() {
        let mut acknowledge = Acknowledge { answered: CONVERSATION, ..Acknowledge::default() };
        acknowledge.owe(1_460, 1_460, Urgency::Usual, AT);
        acknowledge.owe(1_460, 1_460, Urgency::Usual, AT);
        assert!(acknowledge.take_due());
    }
}

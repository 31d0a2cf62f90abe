use bytes::Bytes;

use crate::{Direction, Ending, Event, FlowKey, FlowNumber, Owner, Timestamp, Traffic};

/// Bytes sent in records of TLS that hold encrypted content (RFC 8446 5.2), one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Bytes of headers.
    pub framing: u64,
    /// Bytes of payload.
    pub content: u64,
    /// Bytes of the last record's payload that are still to come.
    pub left: u16,
}

impl Sealed {
    /// All of its bytes.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks whether nothing was sent")]
    pub fn len(&self) -> u64 {
        self.framing.saturating_add(self.content)
    }

    /// Counts what follows it too.
    pub fn add(&mut self, next: &Self) {
        self.framing = self.framing.saturating_add(next.framing);
        self.content = self.content.saturating_add(next.content);
        self.left = next.left;
    }
}

/// What the relay tells the watcher, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// A flow began with the app's first packet.
    Opened {
        /// The flow.
        flow: FlowNumber,
        /// Its addresses, ports and protocol.
        key: FlowKey,
        /// When.
        at: Timestamp,
    },
    /// Its owner was found out. Never sent where it stays unknown.
    Owned {
        /// The flow.
        flow: FlowNumber,
        /// Its owner.
        owner: Owner,
    },
    /// A flow that lives on has carried this much by now.
    Carried {
        /// The flow.
        flow: FlowNumber,
        /// All that went each way since it began.
        traffic: Traffic,
        /// When.
        at: Timestamp,
    },
    /// Payload, each byte once and in order; of UDP one datagram whole.
    Bytes {
        /// The flow.
        flow: FlowNumber,
        /// Which way.
        direction: Direction,
        /// The payload, by reference.
        payload: Bytes,
        /// When.
        at: Timestamp,
    },
    /// Instead of sent bytes of a TLS connection: nobody can read them, and their lengths are enough.
    Sealed {
        /// The flow.
        flow: FlowNumber,
        /// What they were.
        sealed: Sealed,
        /// When.
        at: Timestamp,
    },
    /// Payload that nobody can look at any more: the queue was full, or the capture lacks it.
    Missed {
        /// The flow.
        flow: FlowNumber,
        /// Which way.
        direction: Direction,
        /// How many bytes; 0 where nobody knows.
        bytes: u64,
    },
    /// A flow ended.
    Closed {
        /// The flow.
        flow: FlowNumber,
        /// All that went each way.
        traffic: Traffic,
        /// How.
        ending: Ending,
        /// When.
        at: Timestamp,
    },
    /// Something happened on the phone.
    Happened {
        /// What.
        event: Event,
        /// When.
        at: Timestamp,
    },
}

impl Observation {
    /// The flow that it is about, if it is about one.
    pub fn flow(&self) -> Option<FlowNumber> {
        match self {
            Self::Opened { flow, .. }
            | Self::Owned { flow, .. }
            | Self::Carried { flow, .. }
            | Self::Bytes { flow, .. }
            | Self::Sealed { flow, .. }
            | Self::Missed { flow, .. }
            | Self::Closed { flow, .. } => Some(*flow),
            Self::Happened { .. } => None,
        }
    }
}

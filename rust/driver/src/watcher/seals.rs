//! TLS connections of which the watcher needs no payload any more: their records are followed here, so that what
//! carries most bytes is told by its length, and kept for nobody.

use std::collections::HashMap;

use telltale_model::{Direction, FlowNumber, Sealed};
use telltale_watch::Framing;

/// Flows for which there is room when none is left.
const FEW: usize = 64;

/// The flows that live and may be TLS: as many as the engine lets live, some 100 bytes each.
#[derive(Debug, Default)]
pub(super) struct Seals(HashMap<FlowNumber, Seal>);

#[derive(Debug, Default)]
struct Seal {
    framing: Framing,
    /// Whether the watcher said so.
    closed: bool,
}

/// What is to be told of payload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Itself.
    Payload,
    /// What it was.
    Lengths(Sealed),
    Nothing,
}

impl Seals {
    /// A stream begins.
    pub(super) fn opened(&mut self, flow: FlowNumber) {
        self.0.insert(flow, Seal::default());
    }

    /// It has ended.
    pub(super) fn ended(&mut self, flow: FlowNumber) {
        self.0.remove(&flow);
        if self.0.is_empty() {
            self.0.shrink_to(FEW);
        }
    }

    /// The watcher needs no more of it.
    pub(super) fn close(&mut self, flow: FlowNumber) {
        if let Some(seal) = self.0.get_mut(&flow) {
            seal.closed = true;
        }
    }

    /// The next payload of a stream.
    pub(super) fn look(&mut self, flow: FlowNumber, direction: Direction, payload: &[u8]) -> Need {
        let Some(seal) = self.0.get_mut(&flow) else { return Need::Payload };
        if direction == Direction::Received {
            return if seal.closed { Need::Nothing } else { Need::Payload };
        }
        let sealed = seal.framing.take(payload);
        if seal.framing.is_lost() {
            self.0.remove(&flow);
            return Need::Payload;
        }
        // What has to be looked at may change what is needed after it: the watcher says so again.
        seal.closed &= sealed.is_some();
        sealed.filter(|_| seal.closed).map_or(Need::Payload, Need::Lengths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: FlowNumber = FlowNumber(1);
    const RECORD: [u8; 9] = [23, 3, 3, 0, 4, 1, 2, 3, 4];

    #[test]
    fn payload_is_told_until_the_watcher_needs_no_more() {
        let mut seals = Seals::default();
        assert_eq!(seals.look(FLOW, Direction::Sent, &RECORD), Need::Payload, "its beginning was not told");
        seals.opened(FLOW);
        for direction in [Direction::Sent, Direction::Received] {
            assert_eq!(seals.look(FLOW, direction, &RECORD), Need::Payload);
        }
        seals.close(FLOW);
        let sealed = Sealed { framing: 5, content: 4, left: 0 };
        assert_eq!(seals.look(FLOW, Direction::Sent, &RECORD), Need::Lengths(sealed));
        assert_eq!(seals.look(FLOW, Direction::Received, &RECORD), Need::Nothing);
        assert_eq!(seals.look(FLOW, Direction::Sent, &[21, 3, 3, 0, 1, 0]), Need::Payload, "an alert");
        assert_eq!(
            seals.look(FLOW, Direction::Sent, &RECORD),
            Need::Payload,
            "what it meant is not known yet"
        );
        seals.close(FLOW);
        assert_eq!(seals.look(FLOW, Direction::Received, &RECORD), Need::Nothing);
        seals.ended(FLOW);
        assert_eq!(seals.look(FLOW, Direction::Received, &RECORD), Need::Payload);
    }

    #[test]
    fn what_is_no_tls_any_more_is_told_again() {
        let mut seals = Seals::default();
        seals.opened(FLOW);
        seals.close(FLOW);
        assert_eq!(seals.look(FLOW, Direction::Sent, b"GET / HTTP/1.1"), Need::Payload);
        assert!(seals.0.is_empty());
        assert_eq!(seals.look(FLOW, Direction::Received, &RECORD), Need::Payload);
    }
}

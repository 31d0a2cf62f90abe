//! What waits at the relay while the watcher has no room: beginnings and ends of flows, and how many bytes
//! of each went by meanwhile. Payload does not wait.

use std::collections::{HashMap, VecDeque};

use telltale_model::{Direction, FlowNumber, Observation};

use super::limits::BACKLOG;

/// Observations in order, for the next time that there is room.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: VecDeque<Observation>,
    /// The bytes of each [`Observation::Missed`] in `waiting`, where they stand as 0.
    missed: HashMap<(FlowNumber, Direction), u64>,
    blind: Option<FlowNumber>,
}

impl Backlog {
    /// Keeps back what came. How many observations found no place here either.
    pub(super) fn keep(&mut self, observations: impl IntoIterator<Item = Observation>) -> u64 {
        observations.into_iter().map(|observation| u64::from(!self.keep_one(observation))).sum()
    }

    /// All that waits, in order.
    pub(super) fn take(&mut self) -> Vec<Observation> {
        let mut observations: Vec<_> = std::mem::take(&mut self.waiting).into();
        for observation in &mut observations {
            if let Observation::Missed { flow, direction, bytes } = observation {
                *bytes = self.missed.remove(&(*flow, *direction)).unwrap_or(0);
            }
        }
        self.missed = HashMap::new();
        observations
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether bytes of this flow may be missing that nobody was told of: what follows them must not be
    /// taken for what comes next.
    pub(super) fn is_blind(&self, flow: FlowNumber) -> bool {
        self.blind.is_some_and(|blind| flow <= blind)
    }

    fn keep_one(&mut self, observation: Observation) -> bool {
        match observation {
            // A later one, or the end, says the same and more.
            Observation::Carried { .. } => true,
            Observation::Bytes { flow, direction, payload, .. } => {
                self.miss(flow, direction, u64::try_from(payload.len()).unwrap_or(u64::MAX))
            }
            Observation::Sealed { flow, sealed, .. } => self.miss(flow, Direction::Sent, sealed.len()),
            Observation::Missed { flow, direction, bytes } => self.miss(flow, direction, bytes),
            Observation::Opened { .. }
            | Observation::Owned { .. }
            | Observation::Closed { .. }
            | Observation::Happened { .. } => self.wait(observation),
        }
    }

    /// Where bytes of a flow are missing already, nothing was told of it since but perhaps its end.
    fn miss(&mut self, flow: FlowNumber, direction: Direction, bytes: u64) -> bool {
        if let Some(sum) = self.missed.get_mut(&(flow, direction)) {
            *sum = sum.saturating_add(bytes);
            return true;
        }
        let kept = self.wait(Observation::Missed { flow, direction, bytes: 0 });
        if kept {
            self.missed.insert((flow, direction), bytes);
        } else {
            self.blind = self.blind.max(Some(flow));
        }
        kept
    }

    fn wait(&mut self, observation: Observation) -> bool {
        let kept = self.waiting.len() < BACKLOG;
        if kept {
            self.waiting.push_back(observation);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use telltale_model::{Owner, Timestamp};

    use super::*;

    fn bytes(flow: u64, direction: Direction, payload: &'static str) -> Observation {
        let payload = Bytes::from_static(payload.as_bytes());
        Observation::Bytes { flow: FlowNumber(flow), direction, payload, at: Timestamp(1) }
    }

    fn missed(flow: u64, direction: Direction, bytes: u64) -> Observation {
        Observation::Missed { flow: FlowNumber(flow), direction, bytes }
    }

    fn owned(flow: u64) -> Observation {
        Observation::Owned { flow: FlowNumber(flow), owner: Owner::default() }
    }

    #[test]
    fn payload_becomes_a_count_at_its_place() {
        let mut backlog = Backlog::default();
        let (sent, received) = (Direction::Sent, Direction::Received);
        assert_eq!(backlog.keep([owned(1), bytes(1, sent, "abc"), bytes(1, received, "d")]), 0);
        assert_eq!(
            backlog.keep([owned(2), bytes(2, sent, "e"), bytes(1, sent, "fg"), missed(1, sent, 10)]),
            0
        );
        let expected = [owned(1), missed(1, sent, 15), missed(1, received, 1), owned(2), missed(2, sent, 1)];
        assert_eq!(backlog.take(), expected);
        assert!(backlog.is_empty() && backlog.missed.is_empty());
    }

    #[test]
    fn a_flow_whose_gap_found_no_place_is_never_read_again() {
        let mut backlog = Backlog::default();
        let flows = 0..u64::try_from(BACKLOG).unwrap() + 5;
        assert_eq!(backlog.keep(flows.map(|flow| bytes(flow, Direction::Sent, "x"))), 5);
        assert_eq!(backlog.len(), BACKLOG);
        assert!(backlog.is_blind(FlowNumber(BACKLOG as u64 + 4)) && !backlog.is_blind(FlowNumber(1 << 40)));
        assert_eq!(backlog.keep([bytes(7, Direction::Sent, "more")]), 0, "where it is counted, it goes on");
    }
}

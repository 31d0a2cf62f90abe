//! A mistake in what understands traffic ends the reading of one flow, not the watching.

use std::panic::{AssertUnwindSafe, catch_unwind};

use telltale_model::Observation;

use crate::Watcher;

/// Has the watcher take an observation with `observe`, and outlives a panic in it: then its flow is given up,
/// and its end counts all the same. Whether there was none.
pub fn observe_guarded(
    watcher: &mut Watcher,
    observation: Observation,
    observe: impl Fn(&mut Watcher, Observation),
) -> bool {
    let flow = observation.flow();
    let end = matches!(observation, Observation::Closed { .. }).then(|| observation.clone());
    if outlive(|| observe(watcher, observation)).is_some() {
        return true;
    }
    if let Some(flow) = flow {
        outlive(|| watcher.give_up(flow));
    }
    if let Some(end) = end {
        outlive(|| observe(watcher, end));
    }
    false
}

/// What this gives; `None` where it panics. Whoever calls it must be able to go on with what it left.
pub(crate) fn outlive<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

#[cfg(test)]
mod tests {
    use telltale_model::{Ending, FlowKey, FlowNumber, Protocol, Timestamp, Traffic};

    use super::*;
    use crate::Config;

    #[test]
    fn a_mistake_at_the_end_of_a_flow_costs_neither_the_flow_nor_others() {
        let (app, remote) = ("198.19.84.1:4000".parse().unwrap(), "192.0.2.7:443".parse().unwrap());
        let (key, at) = (FlowKey { protocol: Protocol::Tcp, app, remote }, Timestamp(1));
        let traffic = Traffic { bytes_sent: 7, ..Traffic::default() };
        let mut watcher = Watcher::new(Config::default());
        let fragile = std::cell::Cell::new(true);
        let observe = |watcher: &mut Watcher, observation: Observation| {
            let ends = matches!(observation, Observation::Closed { flow: FlowNumber(1), .. });
            assert!(!(ends && fragile.replace(false)), "a mistake");
            watcher.observe(observation);
        };
        for flow in [1, 2].map(FlowNumber) {
            assert!(observe_guarded(&mut watcher, Observation::Opened { flow, key, at }, observe));
        }
        let closed = |flow| Observation::Closed { flow, traffic, ending: Ending::Finished, at };
        assert!(!observe_guarded(&mut watcher, closed(FlowNumber(1)), observe));
        assert!(observe_guarded(&mut watcher, closed(FlowNumber(2)), observe));
        let ended: Vec<_> = watcher.take_changed().iter().map(|flow| flow.ended).collect();
        assert_eq!(ended, [Some(at), Some(at)]);
    }
}

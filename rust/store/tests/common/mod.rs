//! What both tests of a harsh world share.

use std::path::Path;

use telltale_model::{Destination, Facts, Flow, FlowKey, FlowNumber, Owner, Protocol, Timestamp, Traffic};
use telltale_store::{Filter, Reader, Run};

pub(crate) fn run() -> Run {
    Run { started: Timestamp(0), command: "test".into(), version: "0".into() }
}

/// Flows that live and have sent 100 bytes each.
pub(crate) fn batch(first: u64, length: u64) -> Vec<Flow> {
    (first..first + length).map(flow).collect()
}

/// How many flows the totals know; each must have been counted with all of its bytes.
pub(crate) fn flows_kept(database: &Path) -> u64 {
    let totals = Reader::open(database).unwrap().unwrap().totals(&Filter::default()).unwrap();
    let flows = totals.iter().map(|total| total.flows).sum();
    assert_eq!(totals.iter().map(|total| total.traffic.bytes_sent).sum::<u64>(), 100 * flows, "torn totals");
    flows
}

fn flow(number: u64) -> Flow {
    Flow {
        number: FlowNumber(number),
        key: FlowKey {
            protocol: Protocol::Tcp,
            app: "198.19.84.1:40000".parse().unwrap(),
            remote: "192.0.2.7:443".parse().unwrap(),
        },
        owner: Owner::default(),
        name: None,
        other_names: Vec::new(),
        started: Timestamp(0),
        ended: None,
        ending: None,
        traffic: Traffic { bytes_sent: 100, bytes_received: 0, packets_sent: 1, packets_received: 0 },
        facts: Facts::default(),
        destination: Destination::default(),
        findings: Vec::new(),
    }
}

//! The table: what each program sent to each destination.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use telltale_model::{Flow, Protocol, Traffic};

use crate::limits;

/// What was seen in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// One line for each program and destination, most sent first.
    pub lines: Vec<Line>,
    /// What could not be told apart any more, because it was too many; mostly empty.
    pub others: Sum,
}

/// One program and one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The program's path, where known.
    pub program: Option<String>,
    /// Its user, where known.
    pub uid: Option<u32>,
    /// The name that was asked for, where known. Then `remote` is one of the addresses it had.
    pub name: Option<String>,
    /// Address and port.
    pub remote: SocketAddr,
    /// What was spoken.
    pub protocol: Protocol,
    /// How much.
    pub sum: Sum,
}

/// Traffic of some flows together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// All that went each way.
    pub traffic: Traffic,
    /// How many flows began.
    pub flows: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, traffic: Traffic, flows: u64) {
        let sum = &mut self.traffic;
        sum.bytes_sent = sum.bytes_sent.saturating_add(traffic.bytes_sent);
        sum.bytes_received = sum.bytes_received.saturating_add(traffic.bytes_received);
        sum.packets_sent = sum.packets_sent.saturating_add(traffic.packets_sent);
        sum.packets_received = sum.packets_received.saturating_add(traffic.packets_received);
        self.flows = self.flows.saturating_add(flows);
    }
}

/// Lines while they are being summed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    lines: BTreeMap<Key, (IpAddr, Sum)>,
    others: Sum,
}

/// Flows with one key are one line: addresses that go by one name are one destination.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    program: Option<String>,
    uid: Option<u32>,
    host: Host,
    port: u16,
    protocol: Protocol,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Host {
    Name(String),
    Address(IpAddr),
}

impl Sums {
    pub(crate) fn add(&mut self, flow: &Flow) {
        let key = key(flow);
        if self.lines.len() >= limits::LINES && !self.lines.contains_key(&key) {
            return self.others.add(flow.traffic, 1);
        }
        let (_, sum) = self.lines.entry(key).or_insert((flow.key.remote.ip(), Sum::default()));
        sum.add(flow.traffic, 1);
    }

    pub(crate) fn add_other(&mut self, traffic: Traffic, flows: u64) {
        self.others.add(traffic, flows);
    }

    pub(crate) fn into_ledger(self) -> Ledger {
        let mut lines: Vec<Line> =
            self.lines.into_iter().map(|(key, (address, sum))| line(key, address, sum)).collect();
        // The sort is stable: equal lines stay in the order of their keys.
        lines.sort_by_key(|line| Reverse((line.sum.traffic.bytes_sent, line.sum.traffic.bytes_received)));
        Ledger { lines, others: self.others }
    }
}

fn key(flow: &Flow) -> Key {
    let remote = flow.key.remote;
    Key {
        program: flow.owner.program.clone(),
        uid: flow.owner.uid,
        host: flow.name.clone().map_or(Host::Address(remote.ip()), Host::Name),
        port: remote.port(),
        protocol: flow.key.protocol,
    }
}

fn line(key: Key, address: IpAddr, sum: Sum) -> Line {
    let name = match key.host {
        Host::Name(name) => Some(name),
        Host::Address(_) => None,
    };
    Line {
        program: key.program,
        uid: key.uid,
        name,
        remote: SocketAddr::new(address, key.port),
        protocol: key.protocol,
        sum,
    }
}

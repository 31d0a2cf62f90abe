//! The table: what each program sent to each destination, and to each company.

mod contacts;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use telltale_model::{Content, Destination, Facts, Flow, NameKnown, Protocol, Relation, Role, Told, Traffic};

use crate::findings::Tally;
use crate::limits;
use crate::whom::hosts;
pub use contacts::{Contact, Whom, contacts};

/// What was seen in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// One line for each program and destination, most sent first.
    pub lines: Vec<Line>,
    /// What could not be told apart any more, because it was too many; mostly empty.
    pub others: Sum,
    /// What of it a person may want to know, in the order in which it is told.
    pub findings: Vec<Told>,
    /// Findings that could not be told apart any more; mostly 0.
    pub untold: u64,
    /// Flows of which nobody can say whether they were first contacts, because there were too many; mostly 0.
    pub unremembered: u64,
    /// Flows of which nobody can say what they sent after events, because there were too many; mostly 0.
    pub uncounted: u64,
    /// Flows of which no more is told than their host, how much they sent, and details in it, because there were too
    /// many; mostly 0.
    pub shortened: u64,
}

/// One program and one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The program's path, where known.
    pub program: Option<String>,
    /// Its user, where known.
    pub uid: Option<u32>,
    /// The name of the host, where known. Then `remote` is one of the addresses it had.
    pub name: Option<String>,
    /// Other hosts that its flows named on the way, as through a proxy: what went to each is not told
    /// apart. At most [`limits::OTHER_NAMES`].
    pub other_names: BTreeSet<String>,
    /// How the name is known: of all flows the least sure one.
    pub known: Option<NameKnown>,
    /// Address and port.
    pub remote: SocketAddr,
    /// What was spoken.
    pub protocol: Protocol,
    /// The id of the company that runs it, where known.
    pub company: Option<String>,
    /// Whether the company must be called probable.
    pub probable: bool,
    /// What the host is for, where known.
    pub role: Option<Role>,
    /// What the company is to this phone.
    pub relation: Relation,
    /// Whether there were details to look for, wherever bytes could be searched ([`Facts::given`]).
    pub given: Option<bool>,
    /// How much.
    pub sum: Sum,
}

/// Traffic of some flows together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// All that went each way.
    pub traffic: Traffic,
    /// Of what was sent, what is content, and how far it could be looked into.
    pub content: Content,
    /// How many flows began: how often the destination was contacted.
    pub flows: u64,
}

impl Sum {
    /// Counts another sum too. It stays at the largest number rather than to start again from 0.
    pub fn add(&mut self, other: &Self) {
        let (sum, traffic) = (&mut self.traffic, other.traffic);
        sum.bytes_sent = sum.bytes_sent.saturating_add(traffic.bytes_sent);
        sum.bytes_received = sum.bytes_received.saturating_add(traffic.bytes_received);
        sum.packets_sent = sum.packets_sent.saturating_add(traffic.packets_sent);
        sum.packets_received = sum.packets_received.saturating_add(traffic.packets_received);
        self.content.add(&other.content);
        self.flows = self.flows.saturating_add(other.flows);
    }
}

/// Lines while they are being summed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    lines: BTreeMap<Key, Line>,
    others: Sum,
    /// Names besides the first, of all lines.
    named: usize,
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

/// A host by its name, or by an address of which no name is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl Host {
    /// By its name, where it has one.
    pub fn new(name: Option<&str>, address: IpAddr) -> Self {
        name.map_or(Self::Address(address), |name| Self::Name(name.to_owned()))
    }
}

impl Sums {
    pub(crate) fn add(&mut self, flow: &Flow, facts: &Facts, destination: &Destination) {
        let sum = Sum { traffic: flow.traffic, content: Content::of(facts), flows: 1 };
        let key = key(flow, destination);
        if self.lines.len() >= limits::LINES && !self.lines.contains_key(&key) {
            return self.others.add(&sum);
        }
        let line = self.lines.entry(key).or_insert_with(|| line(flow, destination));
        line.sum.add(&sum);
        self.named += line.count_names(facts, limits::ALL_OTHER_NAMES.saturating_sub(self.named));
        line.known = line.known.max(destination.known);
        line.probable |= destination.probable;
        line.given = all_given([line.given, facts.given()]);
        line.role = line.role.or(destination.role);
        if line.relation == Relation::Unknown {
            line.relation = destination.relation;
        }
    }

    pub(crate) fn add_other(&mut self, traffic: Traffic, flows: u64) {
        self.others.add(&Sum { traffic, flows, ..Sum::default() });
    }

    pub(crate) fn into_ledger(self, tally: Tally) -> Ledger {
        let mut lines: Vec<Line> = self.lines.into_values().collect();
        // The sort is stable: equal lines stay in the order of their keys.
        lines.sort_by_key(|line| Reverse((line.sum.traffic.bytes_sent, line.sum.traffic.bytes_received)));
        let (findings, untold) = tally.into_told();
        Ledger { lines, others: self.others, findings, untold, unremembered: 0, uncounted: 0, shortened: 0 }
    }
}

impl Line {
    /// Takes in the names of a flow, at most so many new ones; tells how many those were.
    fn count_names(&mut self, facts: &Facts, room: usize) -> usize {
        let before = self.other_names.len();
        let most = limits::OTHER_NAMES.min(before.saturating_add(room));
        for name in hosts(facts).filter(|name| Some(*name) != self.name.as_deref()) {
            if self.other_names.len() >= most {
                break;
            }
            if !self.other_names.contains(name) {
                self.other_names.insert(name.to_owned());
            }
        }
        self.other_names.len() - before
    }
}

/// Of several: `Some(true)` only where none says no.
pub fn all_given(parts: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    parts.into_iter().flatten().reduce(|one, other| one && other)
}

fn key(flow: &Flow, destination: &Destination) -> Key {
    let remote = flow.key.remote;
    Key {
        program: flow.owner.program.clone(),
        uid: flow.owner.uid,
        host: Host::new(destination.name.as_deref(), remote.ip()),
        port: remote.port(),
        protocol: flow.key.protocol,
    }
}

/// A line in which nothing is counted yet.
fn line(flow: &Flow, destination: &Destination) -> Line {
    Line {
        program: flow.owner.program.clone(),
        uid: flow.owner.uid,
        name: destination.name.clone(),
        other_names: BTreeSet::new(),
        known: destination.known,
        remote: flow.key.remote,
        protocol: flow.key.protocol,
        company: destination.company.clone(),
        probable: destination.probable,
        role: destination.role,
        relation: destination.relation,
        given: None,
        sum: Sum::default(),
    }
}

#[cfg(test)]
mod tests;

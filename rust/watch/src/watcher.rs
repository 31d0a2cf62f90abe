//! Follows flows from their first packet to their end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use telltale_model::{Ending, Flow, FlowKey, FlowNumber, Observation, Owner, Protocol, Timestamp, Traffic};

use crate::ledger::{Ledger, Sums};
use crate::limits;
use crate::names::Names;

/// What the caller knows beforehand.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Addresses that go by a fixed name, such as the relay's own resolver.
    pub names: Vec<(IpAddr, String)>,
    /// The owner of ICMP echo, which no system call tells.
    pub echo_owner: Owner,
}

/// Turns observations into flows and a ledger.
#[derive(Debug)]
pub struct Watcher {
    config: Config,
    names: Names,
    flows: BTreeMap<FlowNumber, Flow>,
    /// Those of `flows` that have ended, in the order of their ends.
    ended: VecDeque<FlowNumber>,
    changed: BTreeSet<FlowNumber>,
    /// Owners of flows that are not announced yet: owners come over another thread.
    early: BTreeMap<FlowNumber, Owner>,
    /// What left `flows`.
    past: Sums,
}

impl Watcher {
    /// A watcher that has seen nothing yet.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            names: Names::default(),
            flows: BTreeMap::new(),
            ended: VecDeque::new(),
            changed: BTreeSet::new(),
            early: BTreeMap::new(),
            past: Sums::default(),
        }
    }

    /// Takes one observation. Observations may be missing: what is known stays right as far as it
    /// goes, and the end of a flow that was never announced counts in the ledger's `others`.
    pub fn observe(&mut self, observation: Observation) {
        match observation {
            Observation::Opened { flow, key, at } => self.opened(flow, key, at),
            Observation::Owned { flow, owner } => self.owned(flow, owner),
            Observation::Carried { flow, traffic, .. } => self.carried(flow, traffic),
            Observation::Resolved { answer, .. } => self.names.learn(&answer),
            Observation::Closed { flow, traffic, ending, at } => self.closed(flow, traffic, ending, at),
        }
    }

    /// How many flows [`Self::take_changed`] would give.
    pub fn changed(&self) -> usize {
        self.changed.len()
    }

    /// The flows that are new or different since the last call, oldest first: at most
    /// [`limits::FLOWS`].
    pub fn take_changed(&mut self) -> Vec<Flow> {
        let changed = std::mem::take(&mut self.changed);
        let flows = changed.iter().filter_map(|number| self.flows.get(number).cloned()).collect();
        self.let_go();
        flows
    }

    /// What was seen so far, living flows included.
    pub fn ledger(&self) -> Ledger {
        let mut sums = self.past.clone();
        for flow in self.flows.values() {
            sums.add(flow);
        }
        sums.into_ledger()
    }

    fn opened(&mut self, number: FlowNumber, key: FlowKey, at: Timestamp) {
        let owner = self.early.remove(&number).unwrap_or_else(|| self.owner(key.protocol));
        if self.flows.len() >= limits::FLOWS {
            return;
        }
        let flow = Flow {
            number,
            key,
            owner,
            name: self.name(key.remote.ip()),
            started: at,
            ended: None,
            ending: None,
            traffic: Traffic::default(),
        };
        self.flows.insert(number, flow);
        self.changed.insert(number);
    }

    fn owned(&mut self, number: FlowNumber, owner: Owner) {
        if self.flows.contains_key(&number) {
            return self.change(number, |flow| flow.owner = owner);
        }
        self.early.insert(number, owner);
        if self.early.len() > limits::LATE {
            self.early.pop_first();
        }
    }

    /// What the end said is the last word.
    fn carried(&mut self, number: FlowNumber, traffic: Traffic) {
        if self.flows.get(&number).is_some_and(|flow| flow.ended.is_none()) {
            self.change(number, |flow| flow.traffic = traffic);
        }
    }

    fn closed(&mut self, number: FlowNumber, traffic: Traffic, ending: Ending, at: Timestamp) {
        match self.flows.get(&number) {
            None => self.past.add_other(traffic, 1),
            Some(flow) if flow.ended.is_some() => {}
            Some(_) => {
                self.ended.push_back(number);
                self.change(number, |flow| {
                    (flow.traffic, flow.ending, flow.ended) = (traffic, Some(ending), Some(at));
                });
            }
        }
    }

    fn change(&mut self, number: FlowNumber, how: impl FnOnce(&mut Flow)) {
        if let Some(flow) = self.flows.get_mut(&number) {
            how(flow);
            self.changed.insert(number);
        }
    }

    fn owner(&self, protocol: Protocol) -> Owner {
        match protocol {
            Protocol::Icmp => self.config.echo_owner.clone(),
            Protocol::Tcp | Protocol::Udp => Owner::default(),
        }
    }

    fn name(&self, address: IpAddr) -> Option<String> {
        let fixed =
            self.config.names.iter().find(|(known, _)| *known == address).map(|(_, name)| name.as_str());
        fixed.or_else(|| self.names.of(address)).map(str::to_owned)
    }

    /// Flows that ended long ago leave for the ledger; only here, where all of them were taken.
    fn let_go(&mut self) {
        while self.ended.len() > limits::LATE
            && let Some(number) = self.ended.pop_front()
        {
            if let Some(flow) = self.flows.remove(&number) {
                self.past.add(&flow);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESOLVER: &str = "198.19.84.53";
    /// An answer: a.example has the address 192.0.2.7.
    const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x01a\x07example\0\0\x01\0\x01\
        \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";

    fn watcher() -> Watcher {
        let names = vec![(RESOLVER.parse().unwrap(), "system resolver".to_owned())];
        Watcher::new(Config { names, echo_owner: program("/usr/bin/ping") })
    }

    fn program(path: &str) -> Owner {
        Owner { uid: Some(1000), pid: Some(5), program: Some(path.into()) }
    }

    fn opened(number: u64, protocol: Protocol, remote: &str) -> Observation {
        let key =
            FlowKey { protocol, app: "198.19.84.1:4000".parse().unwrap(), remote: remote.parse().unwrap() };
        Observation::Opened { flow: FlowNumber(number), key, at: Timestamp(1) }
    }

    fn owned(number: u64, path: &str) -> Observation {
        Observation::Owned { flow: FlowNumber(number), owner: program(path) }
    }

    fn carried(number: u64, sent: u64) -> Observation {
        Observation::Carried { flow: FlowNumber(number), traffic: sends(sent), at: Timestamp(2) }
    }

    fn closed(number: u64, sent: u64) -> Observation {
        let (traffic, ending) = (sends(sent), Ending::Finished);
        Observation::Closed { flow: FlowNumber(number), traffic, ending, at: Timestamp(3) }
    }

    fn sends(bytes_sent: u64) -> Traffic {
        Traffic { bytes_sent, ..Traffic::default() }
    }

    /// Program, name or address with port, bytes sent, flows.
    fn table(watcher: &Watcher) -> Vec<(String, String, u64, u64)> {
        let text = |line: &crate::Line| {
            let host = line.name.clone().unwrap_or_else(|| line.remote.ip().to_string());
            let program = line.program.clone().unwrap_or_default();
            (program, format!("{host} {}", line.remote.port()), line.sum.traffic.bytes_sent, line.sum.flows)
        };
        watcher.ledger().lines.iter().map(text).collect()
    }

    #[test]
    fn a_flow_is_named_after_the_question_before_it() {
        let mut watcher = watcher();
        watcher.observe(opened(1, Protocol::Tcp, "192.0.2.7:443"));
        watcher.observe(Observation::Resolved { answer: ANSWER.to_vec(), at: Timestamp(1) });
        watcher.observe(opened(2, Protocol::Tcp, "192.0.2.7:443"));
        let flows = watcher.take_changed();
        assert_eq!(flows[0].name, None, "a later question says nothing about an earlier flow");
        assert_eq!(flows[1].name.as_deref(), Some("a.example"));
    }

    #[test]
    fn the_resolver_goes_by_its_fixed_name_and_echo_by_its_owner() {
        let mut watcher = watcher();
        watcher.observe(opened(1, Protocol::Udp, "198.19.84.53:53"));
        watcher.observe(opened(2, Protocol::Icmp, "192.0.2.7:0"));
        let flows = watcher.take_changed();
        assert_eq!(flows[0].name.as_deref(), Some("system resolver"));
        assert_eq!((&flows[0].owner, &flows[1].owner), (&Owner::default(), &program("/usr/bin/ping")));
    }

    #[test]
    fn a_flow_changes_until_its_end_and_is_taken_each_time() {
        let mut watcher = watcher();
        let mut take = |observation| {
            watcher.observe(observation);
            watcher
                .take_changed()
                .pop()
                .map(|flow| (flow.owner.program, flow.traffic.bytes_sent, flow.ending))
        };
        let curl = Some("/usr/bin/curl".to_owned());
        assert_eq!(take(opened(1, Protocol::Tcp, "192.0.2.7:443")), Some((None, 0, None)));
        assert_eq!(take(owned(1, "/usr/bin/curl")), Some((curl.clone(), 0, None)));
        assert_eq!(take(carried(1, 50)), Some((curl.clone(), 50, None)));
        assert_eq!(take(closed(1, 70)), Some((curl, 70, Some(Ending::Finished))));
        assert_eq!(take(carried(1, 60)), None, "what the end said is the last word");
        assert_eq!(take(closed(1, 99)), None);
    }

    #[test]
    fn an_owner_may_come_before_its_flow_and_after_its_end() {
        let mut watcher = watcher();
        watcher.observe(owned(1, "/bin/early"));
        watcher.observe(opened(1, Protocol::Tcp, "192.0.2.7:443"));
        watcher.observe(opened(2, Protocol::Tcp, "192.0.2.7:443"));
        watcher.observe(closed(2, 5));
        watcher.take_changed();
        watcher.observe(owned(2, "/bin/late"));
        let late = watcher.take_changed();
        assert_eq!(late[0].owner.program.as_deref(), Some("/bin/late"));
        let programs: Vec<_> = table(&watcher).into_iter().map(|line| line.0).collect();
        assert_eq!(programs, ["/bin/late", "/bin/early"]);
    }

    #[test]
    fn the_ledger_sums_living_and_ended_flows_by_program_and_destination() {
        let mut watcher = watcher();
        watcher.observe(Observation::Resolved { answer: ANSWER.to_vec(), at: Timestamp(1) });
        for (number, remote) in
            [(1, "192.0.2.7:443"), (2, "192.0.2.7:443"), (3, "192.0.2.9:443"), (4, "192.0.2.7:80")]
        {
            watcher.observe(opened(number, Protocol::Tcp, remote));
            watcher.observe(owned(number, "/usr/bin/curl"));
            watcher.observe(carried(number, number * 100));
        }
        watcher.observe(closed(1, 1_000));
        let curl = |host: &str, sent, flows| ("/usr/bin/curl".to_owned(), host.to_owned(), sent, flows);
        assert_eq!(
            table(&watcher),
            [curl("a.example 443", 1_200, 2), curl("a.example 80", 400, 1), curl("192.0.2.9 443", 300, 1)]
        );
    }

    #[test]
    fn flows_that_ended_long_ago_stay_in_the_ledger_and_nowhere_else() {
        let mut watcher = watcher();
        let many = u64::try_from(limits::LATE).unwrap() * 3;
        for number in 0..many {
            watcher.observe(opened(number, Protocol::Tcp, "192.0.2.9:443"));
            watcher.observe(closed(number, 10));
            if number % 100 == 0 {
                watcher.take_changed();
            }
        }
        watcher.take_changed();
        assert_eq!(watcher.flows.len(), limits::LATE);
        assert_eq!(table(&watcher), [(String::new(), "192.0.2.9 443".into(), many * 10, many)]);
    }

    #[test]
    fn what_is_too_much_counts_as_others() {
        let mut watcher = watcher();
        let many = u64::try_from(limits::FLOWS).unwrap() + 10;
        for number in 0..many {
            watcher.observe(opened(number, Protocol::Tcp, "192.0.2.9:443"));
        }
        watcher.observe(closed(many - 1, 77));
        let ledger = watcher.ledger();
        assert_eq!((ledger.others.traffic.bytes_sent, ledger.others.flows), (77, 1));
        assert_eq!(watcher.take_changed().len(), limits::FLOWS);
    }

    #[test]
    fn the_ledger_has_a_last_line_for_a_scanner() {
        let mut watcher = watcher();
        for number in 0..60_000_u64 {
            watcher.observe(opened(number, Protocol::Tcp, &format!("192.0.2.9:{}", number + 1)));
        }
        let ledger = watcher.ledger();
        assert_eq!(ledger.lines.len(), limits::LINES);
        assert_eq!(ledger.others.flows, 60_000 - u64::try_from(limits::LINES).unwrap());
    }
}

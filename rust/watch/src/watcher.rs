//! Follows flows from their first packet to their end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use telltale_model::{
    Destination, Details, Direction, Ending, Facts, Finding, Flow, FlowKey, FlowNumber, Observation, Owner,
    Protocol, Sealed, Timestamp, Traffic, Zone,
};

use crate::config::Config;
use crate::conversations::Conversations;
use crate::corrections::{never_sent, not_watched, shorten};
use crate::findings::{self, Context, Grown, Noted, Seen, Tally};
use crate::guarded::outlive;
use crate::ledger::{Ledger, Sums};
use crate::limits;
use crate::names::{Asker, Moment, Names};
use crate::page::{Desk, Means, weight};
use crate::whom::Asked;

/// Turns observations into flows and a ledger.
#[derive(Debug)]
pub struct Watcher {
    config: Config,
    names: Names,
    flows: BTreeMap<FlowNumber, Followed>,
    conversations: Conversations,
    /// What searching needs, for all flows and details.
    means: Arc<Means>,
    /// Those of `flows` that have ended, in the order of their ends.
    ended: VecDeque<FlowNumber>,
    changed: BTreeSet<FlowNumber>,
    news: usize,
    /// Bytes of memory behind the facts of flows that are read no further.
    kept: usize,
    /// Owners of flows that are not announced yet: owners come over another thread.
    early: BTreeMap<FlowNumber, Owner>,
    /// What left `flows`.
    past: Sums,
    told: Tally,
    /// What findings need to know besides a flow.
    context: Context,
    /// What is to be said of a flow: [`findings::of`], but in tests.
    judge: fn(&Seen<'_>) -> Vec<Finding>,
    mistakes: u64,
    /// Flows of which less is told than was known.
    shortened: u64,
}

/// A flow and what goes with it.
#[derive(Debug)]
struct Followed {
    /// Its facts are in its conversation while it has one; its destination is as [`Watcher::find`] left it.
    flow: Flow,
    /// When it began, in the order of answers: what was answered later says nothing about it.
    began: Moment,
    /// What is known of its [`Flow::name`].
    asked: Asked,
    /// Whether its bytes are not looked at any more.
    given_up: bool,
    /// Its part of [`Watcher::kept`].
    kept: usize,
    shortened: bool,
    noted: Noted,
    /// Whether nothing more is said of it, since that met a mistake.
    misjudged: bool,
}

impl Watcher {
    /// A watcher that has seen nothing yet.
    pub fn new(mut config: Config) -> Self {
        // What is looked for is kept in one place alone.
        let details = std::mem::take(&mut config.details);
        let mut watcher = Self {
            #[cfg(feature = "keys")]
            conversations: Conversations::with_keys(config.keys.clone()),
            #[cfg(not(feature = "keys"))]
            conversations: Conversations::default(),
            context: Context::new(&config.history, config.tables.as_ref()),
            config,
            names: Names::default(),
            flows: BTreeMap::new(),
            means: Arc::default(),
            ended: VecDeque::new(),
            changed: BTreeSet::new(),
            news: 0,
            kept: 0,
            early: BTreeMap::new(),
            past: Sums::default(),
            told: Tally::default(),
            judge: findings::of,
            mistakes: 0,
            shortened: 0,
        };
        watcher.set_details(&details);
        watcher.turn_to(watcher.config.zone);
        watcher
    }

    /// From now on days end where the phone is now.
    pub fn turn_to(&mut self, zone: Zone) {
        self.context.turn_to(zone);
    }

    /// From now on these are looked for in what is sent: parts in progress are judged by those before, and what
    /// has passed is never judged anew.
    pub fn set_details(&mut self, details: &Details) {
        self.conversations.look_for(Desk::new(details, &self.means));
    }

    /// Takes one observation. Observations may be missing: what is known stays right as far as it
    /// goes, and the end of a flow that was never announced counts in the ledger's `others`.
    pub fn observe(&mut self, observation: Observation) {
        match observation {
            Observation::Opened { flow, key, at } => self.opened(flow, key, at),
            Observation::Owned { flow, owner } => self.owned(flow, owner),
            Observation::Carried { flow, traffic, at } => {
                self.context.pass(at);
                self.carried(flow, traffic);
            }
            Observation::Bytes { flow, direction, payload, at } => self.bytes(flow, direction, &payload, at),
            Observation::Sealed { flow, sealed, at } => self.sealed(flow, sealed, at),
            Observation::Missed { flow, direction, bytes } => self.missed(flow, direction, bytes),
            Observation::Closed { flow, traffic, ending, at } => self.closed(flow, traffic, ending, at),
            Observation::Happened { event, at } => self.context.happened(event, at),
        }
    }

    /// Whether of this flow, TLS that nobody can read, no payload is needed any more: of what is sent it is enough
    /// to tell what [`Framing`](crate::Framing) makes of it, and of what is received nothing.
    pub fn is_sealed(&self, flow: FlowNumber) -> bool {
        self.conversations.is_sealed(flow)
    }

    /// The keys with which flows are read that begin from now on: those of the configuration, or where there
    /// were none yet new ones.
    #[cfg(feature = "keys")]
    pub fn keys(&mut self) -> &crate::Keys {
        self.conversations.keys()
    }

    /// Looks at the bytes of a flow no further: there is a mistake in what understands them. All else that
    /// is known of it stays, and what it still sends was not watched.
    pub fn give_up(&mut self, flow: FlowNumber) {
        let facts = self.conversations.give_up(flow);
        self.give_up_with(flow, facts);
    }

    /// Mistakes that were met while something was to be said of a flow, since the last call. What was said of
    /// that flow before stays, and its bytes are looked at no further.
    pub fn take_mistakes(&mut self) -> u64 {
        std::mem::take(&mut self.mistakes)
    }

    /// How many flows [`Self::take_changed`] would give.
    pub fn changed(&self) -> usize {
        self.changed.len()
    }

    /// How many flows began or ended since [`Self::take_changed`] was called.
    pub fn news(&self) -> usize {
        self.news
    }

    /// The flows that are new or different since the last call, oldest first: at most
    /// [`limits::FLOWS`].
    pub fn take_changed(&mut self) -> Vec<Flow> {
        self.find();
        let changed = std::mem::take(&mut self.changed);
        self.news = 0;
        let flows = changed.iter().filter_map(|number| self.record(*number)).collect();
        self.let_go();
        flows
    }

    /// What was seen so far, living flows included.
    pub fn ledger(&mut self) -> Ledger {
        self.find();
        let (mut sums, mut tally) = (self.past.clone(), self.told.clone());
        for number in self.flows.keys() {
            if let Some((flow, facts)) = self.known(*number) {
                sums.add(flow, facts, &flow.destination);
                flow.findings.iter().for_each(|finding| tally.add(finding));
            }
        }
        self.context.after_events().into_iter().for_each(|told| tally.add_told(told));
        Ledger {
            unremembered: self.context.unremembered(),
            uncounted: self.context.uncounted(),
            shortened: self.shortened,
            ..sums.into_ledger(tally)
        }
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
            name: None,
            other_names: Vec::new(),
            started: at,
            ended: None,
            ending: None,
            traffic: Traffic::default(),
            facts: Facts::default(),
            destination: Destination::default(),
            findings: Vec::new(),
        };
        let began = self.names.moment();
        let (asked, noted) = (Asked::default(), Noted::default());
        let followed = Followed {
            flow,
            began,
            asked,
            given_up: false,
            kept: 0,
            shortened: false,
            noted,
            misjudged: false,
        };
        self.flows.insert(number, followed);
        self.news += 1;
        self.join(number);
    }

    fn owned(&mut self, number: FlowNumber, owner: Owner) {
        if self.flows.contains_key(&number) {
            self.change(number, |followed| followed.flow.owner = owner);
            self.claim(number);
            return self.join(number);
        }
        self.early.insert(number, owner);
        if self.early.len() > limits::LATE {
            self.early.pop_first();
        }
    }

    /// Questions that the flow carried were its owner's.
    fn claim(&mut self, number: FlowNumber) {
        let Some(followed) = self.flows.get(&number) else { return };
        let facts = self.conversations.facts(number).unwrap_or(&followed.flow.facts);
        if let Some(app) = self.config.app(&followed.flow) {
            let addresses = facts.lookups.iter().flat_map(|lookup| lookup.addresses.iter().copied());
            self.names.claim(number, &app, addresses);
        }
    }

    /// Looks for the name that the app had asked for.
    fn join(&mut self, number: FlowNumber) {
        let Some(followed) = self.flows.get_mut(&number) else { return };
        let address = followed.flow.key.remote.ip();
        let fixed = self.config.names.iter().find(|(known, _)| *known == address);
        (followed.asked, (followed.flow.name, followed.flow.other_names)) = match fixed {
            Some((_, name)) => (Asked::Fixed, (Some(name.clone()), Vec::new())),
            None => {
                let app = self.config.app(&followed.flow);
                let fit = self.names.of(address, app.as_ref(), followed.began, followed.flow.started);
                (Asked::by(&fit, |name| self.names.may_hide(name)), fit.into_parts())
            }
        };
        self.changed.insert(number);
        self.settle(number);
    }

    /// Where several names fit, one that the flow itself carried is meant.
    fn settle(&mut self, number: FlowNumber) {
        let Some(followed) = self.flows.get_mut(&number) else { return };
        let flow = &mut followed.flow;
        let facts = self.conversations.facts(number).unwrap_or(&flow.facts);
        let fitting = flow
            .name
            .iter()
            .chain(&flow.other_names)
            .find(|name| facts.names.iter().any(|own| own.name == **name));
        if !flow.other_names.is_empty()
            && let Some(name) = fitting.cloned()
        {
            (flow.name, flow.other_names) = (Some(name), Vec::new());
        }
    }

    fn bytes(&mut self, number: FlowNumber, direction: Direction, bytes: &[u8], at: Timestamp) {
        let Some(followed) = self.flows.get(&number).filter(|followed| followed.flow.ended.is_none()) else {
            return;
        };
        if followed.given_up {
            return self.pass_over(number, direction, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        }
        let names = self.conversations.facts(number).map_or(0, |facts| facts.names.len());
        let sender = (at, followed.flow.owner.program.as_deref());
        let outcome = self.conversations.take(number, followed.flow.key, sender, direction, bytes);
        if !outcome.answers.is_empty() {
            let asker = Asker { flow: Some(number), app: self.config.app(&followed.flow), at };
            outcome.answers.iter().for_each(|answer| self.names.learn(answer, &asker));
        }
        self.make_room(outcome.ended);
        self.keep_up(number);
        if self.conversations.facts(number).is_some_and(|facts| facts.names.len() > names) {
            self.settle(number);
        }
        if direction == Direction::Sent {
            self.note(number, at);
        }
        self.changed.insert(number);
    }

    /// Notes what a flow that has sent more tells the rules.
    fn note(&mut self, number: FlowNumber, at: Timestamp) {
        let Some(followed) = self.flows.get_mut(&number) else { return };
        let Followed { flow, asked, noted, .. } = followed;
        let facts = self.conversations.facts(number).unwrap_or(&flow.facts);
        let destination = || self.config.destination(flow, facts, *asked);
        self.context.grew(Grown { flow, facts, at }, noted, destination);
    }

    /// Brings destinations and findings of flows that have changed up to date: of all others they stay.
    fn find(&mut self) {
        let mut mistaken = Vec::new();
        for number in &self.changed {
            let Some(followed) = self.flows.get_mut(number).filter(|followed| !followed.misjudged) else {
                continue;
            };
            let Followed { flow, asked, noted, .. } = followed;
            let (config, context, judge) = (&self.config, &mut self.context, self.judge);
            let facts = self.conversations.facts(*number).unwrap_or(&flow.facts);
            let judged = outlive(|| {
                let destination = config.destination(flow, facts, *asked);
                context.meet(flow, &destination, config.tables.as_ref(), noted);
                let resolvers = config.resolvers(flow);
                let found = judge(&Seen { flow, facts, destination: &destination, noted, resolvers });
                (destination, found)
            });
            match judged {
                Some(judged) => (flow.destination, flow.findings) = judged,
                None => {
                    followed.misjudged = true;
                    mistaken.push(*number);
                }
            }
        }
        self.mistakes += u64::try_from(mistaken.len()).unwrap_or(0);
        mistaken.into_iter().for_each(|number| self.give_up(number));
    }

    fn sealed(&mut self, number: FlowNumber, sealed: Sealed, at: Timestamp) {
        let Some(followed) = self.flows.get(&number).filter(|followed| followed.flow.ended.is_none()) else {
            return;
        };
        if followed.given_up {
            return self.pass_over(number, Direction::Sent, sealed.len());
        }
        let ended = self.conversations.pass(number, followed.flow.key, sealed);
        self.make_room(ended);
        self.keep_up(number);
        self.note(number, at);
        self.changed.insert(number);
    }

    fn missed(&mut self, number: FlowNumber, direction: Direction, bytes: u64) {
        let Some(followed) = self.flows.get(&number).filter(|followed| followed.flow.ended.is_none()) else {
            return;
        };
        if followed.given_up {
            return self.pass_over(number, direction, bytes);
        }
        let ended = self.conversations.miss(number, followed.flow.key, direction, bytes);
        self.make_room(ended);
        self.keep_up(number);
        self.changed.insert(number);
    }

    fn make_room(&mut self, ended: Vec<(FlowNumber, Facts)>) {
        for (number, facts) in ended {
            self.give_up_with(number, Some(facts));
        }
    }

    /// What was seen is sent, also before the relay reports it.
    fn keep_up(&mut self, number: FlowNumber) {
        let seen = self.conversations.facts(number).map_or(0, |facts| facts.coverage.total());
        if let Some(Followed { flow, .. }) = self.flows.get_mut(&number) {
            flow.traffic.bytes_sent = flow.traffic.bytes_sent.max(seen);
        }
    }

    fn give_up_with(&mut self, number: FlowNumber, facts: Option<Facts>) {
        self.change(number, |followed| {
            followed.given_up = true;
            followed.flow.facts = facts.unwrap_or_else(|| std::mem::take(&mut followed.flow.facts));
        });
        self.weigh(number);
    }

    /// Facts that do not change any more are held within one bound.
    fn weigh(&mut self, number: FlowNumber) {
        let Some(followed) = self.flows.get_mut(&number) else { return };
        let facts = &mut followed.flow.facts;
        self.kept = self.kept.saturating_sub(followed.kept);
        if self.kept.saturating_add(weight(facts)) > limits::FACTS && shorten(facts) {
            self.shortened += u64::from(!std::mem::replace(&mut followed.shortened, true));
        }
        followed.kept = weight(facts);
        self.kept = self.kept.saturating_add(followed.kept);
    }

    /// What nobody looks at may be content.
    fn pass_over(&mut self, number: FlowNumber, direction: Direction, bytes: u64) {
        if direction == Direction::Sent {
            self.change(number, |followed| not_watched(&mut followed.flow.facts, bytes));
        }
    }

    /// What the end said is the last word.
    fn carried(&mut self, number: FlowNumber, traffic: Traffic) {
        if self.flows.get(&number).is_some_and(|followed| followed.flow.ended.is_none()) {
            self.conversations.goes_on(number);
            self.change(number, |followed| {
                let bytes_sent = traffic.bytes_sent.max(followed.flow.traffic.bytes_sent);
                followed.flow.traffic = Traffic { bytes_sent, ..traffic };
            });
        }
    }

    fn closed(&mut self, number: FlowNumber, traffic: Traffic, ending: Ending, at: Timestamp) {
        match self.flows.get(&number) {
            None => self.past.add_other(traffic, 1),
            Some(followed) if followed.flow.ended.is_some() => {}
            Some(_) => {
                self.ended.push_back(number);
                self.news += 1;
                let facts = self.conversations.end(number);
                self.change(number, |Followed { flow, .. }| {
                    (flow.traffic, flow.ending, flow.ended) = (traffic, Some(ending), Some(at));
                    flow.facts = facts.unwrap_or_else(|| std::mem::take(&mut flow.facts));
                    // The relay tells nothing of what its queue had no room for.
                    let told = flow.facts.coverage.total();
                    not_watched(&mut flow.facts, traffic.bytes_sent.saturating_sub(told));
                    never_sent(&mut flow.facts, told.saturating_sub(traffic.bytes_sent));
                });
                self.weigh(number);
                self.settle(number);
                self.note(number, at);
            }
        }
    }

    /// A flow as it is known at this moment, after [`Self::find`].
    fn record(&self, number: FlowNumber) -> Option<Flow> {
        let (flow, facts) = self.known(number)?;
        Some(Flow { facts: facts.clone(), ..flow.clone() })
    }

    fn known(&self, number: FlowNumber) -> Option<(&Flow, &Facts)> {
        let flow = &self.flows.get(&number)?.flow;
        Some((flow, self.conversations.facts(number).unwrap_or(&flow.facts)))
    }

    fn change(&mut self, number: FlowNumber, how: impl FnOnce(&mut Followed)) {
        if let Some(followed) = self.flows.get_mut(&number) {
            how(followed);
            self.changed.insert(number);
        }
    }

    fn owner(&self, protocol: Protocol) -> Owner {
        match protocol {
            Protocol::Icmp => self.config.echo_owner.clone(),
            Protocol::Tcp | Protocol::Udp => Owner::default(),
        }
    }

    /// Flows that ended long ago leave for the ledger; only here, where all of them were taken.
    fn let_go(&mut self) {
        while (self.ended.len() > limits::LATE || self.kept > limits::FACTS / 2)
            && let Some(number) = self.ended.pop_front()
        {
            if let Some(followed) = self.flows.remove(&number) {
                self.kept = self.kept.saturating_sub(followed.kept);
                let flow = &followed.flow;
                self.past.add(flow, &flow.facts, &flow.destination);
                flow.findings.iter().for_each(|finding| self.told.add(finding));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use telltale_model::{Detail, DetailKind, DetailName, NameKnown};

    use super::*;

    const RESOLVER: &str = "198.19.84.53";
    /// An answer: a.example has the address 192.0.2.7.
    const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x01a\x07example\0\0\x01\0\x01\
        \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";

    fn watcher() -> Watcher {
        let names = vec![(RESOLVER.parse().unwrap(), "system resolver".to_owned())];
        Watcher::new(Config { names, echo_owner: program("/usr/bin/ping"), ..Config::default() })
    }

    fn program(path: &str) -> Owner {
        Owner { uid: Some(1000), pid: Some(5), program: Some(path.into()), app: None }
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
    fn table(watcher: &mut Watcher) -> Vec<(String, String, u64, u64)> {
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
        resolved(&mut watcher, 9, ANSWER);
        watcher.observe(opened(2, Protocol::Tcp, "192.0.2.7:443"));
        let flows = watcher.take_changed();
        assert_eq!(flows[0].name, None, "a later question says nothing about an earlier flow");
        assert_eq!(flows[1].name.as_deref(), Some("a.example"));
    }

    fn bytes(number: u64, direction: Direction, payload: &[u8]) -> Observation {
        let payload = payload.to_vec().into();
        Observation::Bytes { flow: FlowNumber(number), direction, payload, at: Timestamp(2) }
    }

    /// Our resolver answers a question in a flow of its own.
    fn resolved(watcher: &mut Watcher, number: u64, answer: &[u8]) {
        watcher.observe(opened(number, Protocol::Udp, &format!("{RESOLVER}:53")));
        watcher.observe(bytes(number, Direction::Received, answer));
    }

    /// The same answer for another name of the same length.
    fn answer(name: &[u8; 9]) -> Vec<u8> {
        [&ANSWER[..12], &[1], &name[..1], &[7], &name[2..], &ANSWER[22..]].concat()
    }

    fn taken(watcher: &mut Watcher, number: u64) -> Flow {
        let mut changed = watcher.take_changed().into_iter();
        changed.find(|flow| flow.number == FlowNumber(number)).expect("a flow that changed")
    }

    #[test]
    fn an_app_means_the_name_that_it_asked_for_itself() {
        let mut watcher = watcher();
        for (number, path, name) in [(1, "/bin/a", b"a.example"), (2, "/bin/b", b"b.example")] {
            watcher.observe(opened(number, Protocol::Udp, "203.0.113.53:53"));
            watcher.observe(bytes(number, Direction::Received, &answer(name)));
            watcher.observe(owned(number, path));
        }
        watcher.observe(opened(3, Protocol::Tcp, "192.0.2.7:443"));
        let unowned = taken(&mut watcher, 3);
        assert_eq!(
            (unowned.name.as_deref(), unowned.other_names),
            (Some("b.example"), vec!["a.example".into()])
        );
        watcher.observe(owned(3, "/bin/a"));
        let flow = taken(&mut watcher, 3);
        assert_eq!((flow.name.as_deref(), flow.other_names.len()), (Some("a.example"), 0));
    }

    #[test]
    fn of_several_names_that_fit_the_flow_itself_may_tell() {
        let mut watcher = watcher();
        for (number, name) in [(8, b"a.example"), (9, b"b.example")] {
            resolved(&mut watcher, number, &answer(name));
        }
        watcher.observe(opened(1, Protocol::Tcp, "192.0.2.7:53"));
        assert_eq!(taken(&mut watcher, 1).other_names, ["a.example"]);
        let question = [&[0, 27][..], &ANSWER[..2], &[1, 0, 0, 1], &[0; 6], &ANSWER[12..27]].concat();
        watcher.observe(bytes(1, Direction::Sent, &question));
        let flow = taken(&mut watcher, 1);
        assert_eq!((flow.name.as_deref(), flow.other_names.len()), (Some("a.example"), 0));
    }

    /// A hello for this name, which may be a cover for another.
    fn hello(name: &str, ech: bool) -> Vec<u8> {
        let vector = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
        let names = vector(&[&[0][..], &vector(name.as_bytes())].concat());
        let mut extensions = [&[0, 0][..], &vector(&names)].concat();
        extensions.extend(if ech { &b"\xfe\x0d\0\x01\0"[..] } else { &[] });
        let body = [&[3, 3][..], &[7; 32], b"\0\0\x02\x13\x01\x01\0", &vector(&extensions)].concat();
        let message = [&[1, 0][..], &vector(&body)].concat();
        [&[22, 3, 1][..], &vector(&message)].concat()
    }

    #[test]
    fn a_cover_is_not_taken_for_the_name_behind_it() {
        let (a, b) = (b"a.example", b"b.example");
        let (hello_of, both) = ("cover.example", [a, b]);
        for (hidden, plain, ech, hello_of, expected) in [
            (&[a][..], &[a][..], true, hello_of, ("a.example", NameKnown::Dns)),
            (&[a], &[a], false, hello_of, ("cover.example", NameKnown::Tls)),
            (&both, &both, true, hello_of, ("b.example", NameKnown::Several)),
            (&both, &both, true, "a.example", ("a.example", NameKnown::Tls)),
            (&[a], &both, true, hello_of, ("cover.example", NameKnown::Outer)),
            (&[], &[a], true, hello_of, ("cover.example", NameKnown::Outer)),
            (&[], &[], true, hello_of, ("cover.example", NameKnown::Outer)),
            (&[], &[], false, hello_of, ("cover.example", NameKnown::Tls)),
            (&[], &[a], true, "a.example", ("a.example", NameKnown::Tls)),
        ] {
            let mut watcher = watcher();
            (0..).zip(hidden).for_each(|(nth, name)| resolved(&mut watcher, 10 + nth, &keys(name)));
            (0..).zip(plain).for_each(|(nth, name)| resolved(&mut watcher, 20 + nth, &answer(name)));
            watcher.observe(opened(1, Protocol::Tcp, "192.0.2.7:443"));
            watcher.observe(bytes(1, Direction::Sent, &hello(hello_of, ech)));
            let Destination { name, known, .. } = taken(&mut watcher, 1).destination;
            assert_eq!((name.as_deref(), known), (Some(expected.0), Some(expected.1)));
        }
    }

    /// An HTTPS record of this name with an ECH configuration, and no hints.
    fn keys(name: &[u8; 9]) -> Vec<u8> {
        let mut keys = answer(name);
        keys[23..25].copy_from_slice(&[0, 65]);
        keys.truncate(29);
        keys.extend(b"\0\x41\0\x01\0\0\0\x3c\0\x0a\0\x01\0\0\x05\0\x03abc");
        keys
    }

    #[test]
    fn a_name_that_another_app_asked_for_is_told_as_a_guess() {
        for (asker, known) in [("/bin/a", NameKnown::Dns), ("/bin/b", NameKnown::Doubtful)] {
            let mut watcher = watcher();
            watcher.observe(opened(8, Protocol::Udp, "203.0.113.53:53"));
            watcher.observe(bytes(8, Direction::Received, ANSWER));
            watcher.observe(owned(8, asker));
            watcher.observe(owned(1, "/bin/a"));
            watcher.observe(opened(1, Protocol::Tcp, "192.0.2.7:7000"));
            let Destination { name, known: told, .. } = taken(&mut watcher, 1).destination;
            assert_eq!((name.as_deref(), told), (Some("a.example"), Some(known)));
        }
    }

    #[test]
    fn a_flow_that_goes_on_is_no_news() {
        let mut watcher = watcher();
        (1..=300).for_each(|number| watcher.observe(opened(number, Protocol::Tcp, "192.0.2.7:443")));
        assert_eq!(watcher.news(), 300);
        watcher.take_changed();
        (1..=300).for_each(|number| watcher.observe(bytes(number, Direction::Sent, b"GET / HTTP/1.1\r\n")));
        assert_eq!((watcher.news(), watcher.changed()), (0, 300));
        watcher.observe(closed(1, 16));
        assert_eq!(watcher.news(), 1);
    }

    #[test]
    fn what_was_seen_counts_as_sent_before_it_is_reported() {
        let mut watcher = watcher();
        watcher.observe(opened(1, Protocol::Tcp, "192.0.2.7:80"));
        watcher.observe(bytes(1, Direction::Sent, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        assert_eq!(taken(&mut watcher, 1).traffic.bytes_sent, 35);
        watcher.observe(carried(1, 20));
        assert_eq!(taken(&mut watcher, 1).traffic.bytes_sent, 35);
        watcher.observe(closed(1, 35));
        assert_eq!(taken(&mut watcher, 1).traffic.bytes_sent, 35);
    }

    #[test]
    fn what_is_read_is_told_while_the_flow_lives_and_after_its_end() {
        let mut watcher = watcher();
        watcher.observe(opened(1, Protocol::Udp, "203.0.113.53:53"));
        watcher.observe(bytes(1, Direction::Received, ANSWER));
        let living = taken(&mut watcher, 1).facts;
        assert_eq!((living.names[0].name.as_str(), living.lookups.len()), ("a.example", 1));
        watcher.observe(bytes(1, Direction::Sent, &ANSWER[..20]));
        watcher.observe(Observation::Missed { flow: FlowNumber(1), direction: Direction::Sent, bytes: 7 });
        watcher.observe(closed(1, 30));
        let facts = taken(&mut watcher, 1).facts;
        assert_eq!(facts.names, living.names);
        assert_eq!((facts.coverage.not_watched, facts.coverage.total()), (10, 30), "3 never came here");
    }

    #[test]
    fn a_flow_that_is_given_up_keeps_what_is_known_and_the_rest_was_not_watched() {
        let mut watcher = watcher();
        watcher.observe(opened(1, Protocol::Udp, "203.0.113.53:53"));
        watcher.observe(bytes(1, Direction::Sent, ANSWER));
        watcher.give_up(FlowNumber(1));
        watcher.give_up(FlowNumber(1));
        watcher.observe(bytes(1, Direction::Sent, &[7; 100]));
        watcher.observe(closed(1, 100 + ANSWER.len() as u64));
        let facts = taken(&mut watcher, 1).facts;
        assert_eq!((facts.names.len(), facts.coverage.not_watched), (1, 100));
        assert_eq!(facts.coverage.handshake, ANSWER.len() as u64);
    }

    #[test]
    fn a_mistake_in_what_is_said_of_a_flow_costs_that_flow_alone() {
        let mut watcher = watcher();
        watcher.judge = |seen| {
            assert_ne!(seen.flow.number, FlowNumber(2), "a mistake");
            findings::of(seen)
        };
        let request = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
        for number in 1..=3 {
            watcher.observe(opened(number, Protocol::Tcp, &format!("192.0.2.{number}:80")));
            watcher.observe(bytes(number, Direction::Sent, request));
        }
        for _ in 0..2 {
            let ledger = watcher.ledger();
            assert_eq!(
                (ledger.lines.len(), ledger.lines.iter().map(|line| line.sum.flows).sum()),
                (2, 3_u64),
                "of the second nobody says any more whose its host is"
            );
        }
        assert_eq!((watcher.take_mistakes(), watcher.take_mistakes()), (1, 0), "told once");
        (1..=3).for_each(|number| watcher.observe(bytes(number, Direction::Sent, request)));
        let flows = watcher.take_changed();
        let of = |flow: &Flow| (flow.destination.name.clone(), flow.facts.coverage.not_watched);
        let a = Some("a.example".to_owned());
        let said: Vec<_> = flows.iter().map(of).collect();
        assert_eq!(said, [(a.clone(), 0), (None, 35), (a, 0)], "what the others sent is watched");
        assert_eq!(watcher.take_mistakes(), 0);
    }

    #[test]
    fn many_flows_stay_within_one_bound_of_memory() {
        let mut watcher = watcher();
        for number in 0..12_000 {
            watcher.observe(opened(number, Protocol::Tcp, "192.0.2.9:7000"));
            watcher.observe(bytes(number, Direction::Sent, &[0xee; 2_000]));
            watcher.observe(bytes(number, Direction::Sent, b"y"));
        }
        let flows = watcher.take_changed();
        assert!(flows.iter().all(|flow| flow.facts.coverage.total() <= 2_001));
        let given_up = flows.iter().filter(|flow| flow.facts.coverage.total() > 0).count();
        assert!((4_000..12_000).contains(&given_up), "{given_up}");
    }

    #[test]
    fn what_is_told_of_flows_that_are_read_no_further_stays_within_one_bound() {
        let mut watcher = watcher();
        let mut request = b"GET /".to_vec();
        request.resize(2_000, b'x');
        request.extend(b" HTTP/1.1\r\nHost: a.example\r\n\r\n");
        let all = request.repeat(Facts::KEPT);
        for number in 0..1_000 {
            watcher.observe(opened(number, Protocol::Tcp, "192.0.2.7:80"));
            watcher.observe(bytes(number, Direction::Sent, &all));
            if number % 2 == 0 {
                watcher.observe(closed(number, all.len() as u64));
            }
        }
        let flows = watcher.take_changed();
        let bytes = |flow: &Flow| flow.facts.requests.iter().map(|request| request.path.len()).sum::<usize>();
        let told: usize = flows.iter().map(bytes).sum();
        assert!((8 << 20..limits::CONVERSATIONS + limits::FACTS).contains(&told), "{told}");
        let sent: u64 = flows.iter().map(|flow| flow.facts.coverage.total()).sum();
        assert_eq!(sent, 1_000 * all.len() as u64, "what was sent is known of all");
        assert!(flows.iter().all(|flow| flow.destination.name.as_deref() == Some("a.example")));
        assert!(watcher.kept <= limits::FACTS);
        let shortened = flows.iter().filter(|flow| flow.facts.requests.is_empty()).count();
        assert_eq!(watcher.ledger().shortened, shortened as u64, "each is counted once");
        let numbers: Vec<u64> = watcher.flows.keys().map(|number| number.0).collect();
        numbers.into_iter().for_each(|number| watcher.observe(closed(number, 0)));
        watcher.take_changed();
        assert!(watcher.kept <= limits::FACTS / 2, "room for the next ones");
    }

    #[test]
    fn what_never_left_is_not_said_to_have_been_sent() {
        let mut watcher = watcher();
        watcher.observe(opened(1, Protocol::Tcp, "192.0.2.7:80"));
        let request = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5000\r\n\r\n";
        watcher.observe(bytes(1, Direction::Sent, request));
        watcher.observe(bytes(1, Direction::Sent, &[b'x'; 3_000]));
        let head = request.len() as u64;
        watcher.observe(closed(1, head + 1_000));
        let flow = taken(&mut watcher, 1);
        assert_eq!((flow.traffic.bytes_sent, flow.facts.content_sent), (head + 1_000, head + 1_000));
        assert_eq!((flow.facts.coverage.searched, flow.facts.coverage.opaque), (head, 1_000));
    }

    #[test]
    fn each_host_of_a_capture_means_what_it_asked_for_itself() {
        let mut watcher = Watcher::new(Config { hosts: true, ..Config::default() });
        let open = |watcher: &mut Watcher, number, app: &str, remote: &str| {
            let key = FlowKey {
                protocol: Protocol::Udp,
                app: app.parse().unwrap(),
                remote: remote.parse().unwrap(),
            };
            watcher.observe(Observation::Opened { flow: FlowNumber(number), key, at: Timestamp(1) });
        };
        for (number, app, name) in [(1, "10.0.0.1:5000", b"a.example"), (2, "10.0.0.2:5000", b"b.example")] {
            open(&mut watcher, number, app, "203.0.113.53:53");
            watcher.observe(bytes(number, Direction::Received, &answer(name)));
        }
        for (number, app) in [(3, "10.0.0.1:6000"), (4, "10.0.0.2:6000"), (5, "10.0.0.3:6000")] {
            open(&mut watcher, number, app, "192.0.2.7:443");
        }
        let flows = watcher.take_changed();
        let names = |at: usize| (flows[at].name.as_deref(), flows[at].other_names.len());
        assert_eq!([names(2), names(3)], [(Some("a.example"), 0), (Some("b.example"), 0)]);
        assert_eq!(names(4), (Some("b.example"), 1), "it asked nobody who was seen");
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
        let programs: Vec<_> = table(&mut watcher).into_iter().map(|line| line.0).collect();
        assert_eq!(programs, ["/bin/late", "/bin/early"]);
    }

    #[test]
    fn the_ledger_sums_living_and_ended_flows_by_program_and_destination() {
        let mut watcher = watcher();
        resolved(&mut watcher, 9, ANSWER);
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
            table(&mut watcher),
            [
                curl("a.example 443", 1_200, 2),
                curl("a.example 80", 400, 1),
                curl("192.0.2.9 443", 300, 1),
                (String::new(), "system resolver 53".into(), 0, 1)
            ]
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
        assert_eq!(table(&mut watcher), [(String::new(), "192.0.2.9 443".into(), many * 10, many)]);
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

    #[test]
    fn details_are_looked_for_from_when_they_are_given() {
        let name = DetailName { kind: DetailKind::Imei, number: 1, id: 7 };
        let detail = Detail { name, value: String::from("490154203237518").into() };
        let mut watcher = watcher();
        let request = |flow| Observation::Bytes {
            flow: FlowNumber(flow),
            direction: Direction::Sent,
            payload: Bytes::from_static(b"GET /?imei=490154203237518 HTTP/1.1\r\n\r\n"),
            at: Timestamp(2),
        };
        for flow in [1, 2] {
            watcher.observe(opened(flow, Protocol::Tcp, "192.0.2.7:80"));
        }
        watcher.observe(request(1));
        watcher.set_details(&Details { set: 5, list: vec![detail], ..Details::default() });
        watcher.observe(request(2));
        watcher.set_details(&Details::default());
        let facts: Vec<Facts> = watcher.take_changed().into_iter().map(|flow| flow.facts).collect();
        let seen: Vec<_> = facts.iter().map(|facts| (facts.hits.len(), facts.coverage.found)).collect();
        assert_eq!(seen, [(0, 0), (1, 39)]);
        assert_eq!(facts[1].requests[0].path, "/?imei=<imei 1>");
    }
}

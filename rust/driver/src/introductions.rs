//! Answers that wait until the owner of their flow is known. On a fast network an app has its answer, and
//! has closed its socket, before anybody has found out whose socket it was. So what comes back first is
//! kept from the engine for as long as the search takes, which on most networks is over by then.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use telltale_engine::{FlowId, Input, Instant, MappingId, QueryId};
use telltale_model::FlowNumber;

use crate::owner::Owners;
use crate::poll::{Event, Token};

/// An owner that is not known after this time stays unknown, so that no app waits for what a person
/// would notice: a walk through thousands of processes takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_millis(50);

/// Flows with an owner to come, and what waits for that.
#[derive(Default)]
pub(crate) struct Introductions {
    /// What carries a flow is known a little later than the flow; several questions may come in one.
    flows: HashMap<FlowNumber, Vec<Carrier>>,
    /// A mapping that carries several flows waits for the latest.
    carriers: HashMap<Carrier, FlowNumber>,
    /// Until when each is waited for, the earliest first.
    until: VecDeque<(Instant, FlowNumber)>,
    held: Vec<(FlowNumber, Held)>,
}

/// Through what an answer comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Carrier {
    Tcp(FlowId),
    Udp(MappingId),
    Query(QueryId),
}

/// What waits.
#[derive(Debug)]
pub(crate) enum Held {
    Event(Event),
    Input(Input),
}

impl Introductions {
    /// The owner of this flow is searched for.
    pub(crate) fn expect(&mut self, flow: FlowNumber, now: Instant) {
        self.flows.insert(flow, Vec::new());
        self.until.push_back((now + PATIENCE, flow));
    }

    /// This carries the flow.
    pub(crate) fn carry(&mut self, flow: FlowNumber, carrier: Carrier) {
        let Some(carriers) = self.flows.get_mut(&flow) else { return };
        if self.carriers.insert(carrier, flow) != Some(flow) {
            carriers.push(carrier);
        }
    }

    /// Keeps something of this carrier if its flow has no owner yet; else gives it back.
    pub(crate) fn hold(&mut self, carrier: Carrier, something: Held) -> Option<Held> {
        let Some(flow) = self.carriers.get(&carrier) else { return Some(something) };
        self.held.push((*flow, something));
        None
    }

    /// What waits no longer, in the order in which it came: its flow has an owner, or was waited for long
    /// enough.
    pub(crate) fn release(&mut self, now: Instant, owners: &Owners) -> Vec<Held> {
        if self.flows.is_empty() {
            return Vec::new();
        }
        for flow in owners.answered().take(!self.held.is_empty()) {
            self.introduced(flow);
        }
        while let Some((_, flow)) = self.until.front().copied().filter(|(until, _)| *until <= now) {
            self.until.pop_front();
            self.introduced(flow);
        }
        let flows = &self.flows;
        self.held.extract_if(.., |(flow, _)| !flows.contains_key(flow)).map(|(_, held)| held).collect()
    }

    /// When to release next, whatever else happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let waits = !self.held.is_empty();
        self.until.front().filter(|_| waits).map(|(until, _)| *until)
    }

    fn introduced(&mut self, flow: FlowNumber) {
        for carrier in self.flows.remove(&flow).unwrap_or_default() {
            if self.carriers.get(&carrier) == Some(&flow) {
                self.carriers.remove(&carrier);
            }
        }
    }
}

impl Carrier {
    /// Whose event it is, if it may have to wait.
    pub(crate) fn of_event(token: Token) -> Option<Self> {
        match token {
            Token::Tcp(flow) => Some(Self::Tcp(flow)),
            Token::Udp(mapping) => Some(Self::Udp(mapping)),
            Token::Echo(_) | Token::RawEcho(_) | Token::Query { .. } | Token::Owners => None,
        }
    }

    /// What an input comes through, if it may have to wait.
    pub(crate) fn of_input(input: &Input) -> Option<Self> {
        match *input {
            Input::ConnectFailed(flow, _) => Some(Self::Tcp(flow)),
            Input::Datagram { mapping, .. } | Input::DatagramFailed { mapping, .. } => {
                Some(Self::Udp(mapping))
            }
            Input::Answer { query, .. } => Some(Self::Query(query)),
            Input::Packet { .. }
            | Input::Timeout
            | Input::Connected(_)
            | Input::Sent(..)
            | Input::Blocked(_)
            | Input::Received { .. }
            | Input::Finished(_)
            | Input::Broken(..)
            | Input::Unmapped(_)
            | Input::EchoReply { .. }
            | Input::EchoFailed { .. }
            | Input::Unechoed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::thread;

    use telltale_model::{FlowKey, Protocol};

    use super::*;
    use crate::sys;

    const FLOW: FlowNumber = FlowNumber(7);
    const CARRIER: Carrier = Carrier::Query(QueryId(1));

    fn owners() -> Owners {
        const NETLINK_SOCK_DIAG: libc::c_int = 4;
        let diag: OwnedFd = sys::socket(libc::AF_NETLINK, libc::SOCK_DGRAM, NETLINK_SOCK_DIAG).unwrap();
        Owners::start(diag, |_, _| {}).unwrap()
    }

    fn held() -> Held {
        Held::Input(Input::Answer { query: QueryId(1), message: None })
    }

    fn at(milliseconds: u64) -> Instant {
        Instant::from_micros(milliseconds * 1_000)
    }

    #[test]
    fn what_comes_for_a_known_flow_passes() {
        let mut introductions = Introductions::default();
        introductions.carry(FLOW, CARRIER);
        assert!(introductions.hold(CARRIER, held()).is_some());
        assert_eq!(introductions.deadline(), None);
    }

    #[test]
    fn an_answer_waits_for_the_owner_and_no_longer_than_it_may() {
        let (mut introductions, owners) = (Introductions::default(), owners());
        introductions.expect(FLOW, at(0));
        introductions.carry(FLOW, CARRIER);
        assert_eq!(introductions.deadline(), None, "nothing waits yet");
        assert!(introductions.hold(CARRIER, held()).is_none());
        assert!(introductions.release(at(49), &owners).is_empty());
        assert_eq!(introductions.deadline(), Some(at(50)));
        assert_eq!(introductions.release(at(50), &owners).len(), 1);
        assert!(introductions.hold(CARRIER, held()).is_some(), "later ones pass");
    }

    #[test]
    fn all_questions_of_one_flow_go_on_when_its_owner_is_found() {
        let (mut introductions, owners) = (Introductions::default(), owners());
        introductions.expect(FLOW, at(0));
        let carriers = [1, 2].map(|query| Carrier::Query(QueryId(query)));
        for carrier in carriers {
            introductions.carry(FLOW, carrier);
        }
        assert!(introductions.hold(carriers[0], held()).is_none());
        let end = "127.0.0.1:7".parse().unwrap();
        owners.ask(FLOW, FlowKey { protocol: Protocol::Udp, app: end, remote: end });
        let released = (0..500).any(|_| {
            thread::sleep(Duration::from_millis(1));
            introductions.release(at(1), &owners).len() == 1
        });
        assert!(released);
        for carrier in carriers {
            assert!(introductions.hold(carrier, held()).is_some());
        }
    }
}

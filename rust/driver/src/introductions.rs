//! Answers that wait until the owner of their flow is known. On a fast network an app has its answer, and
//! has closed its socket, before anybody has found out whose socket it was. So what comes back first is
//! kept from the engine for as long as the search takes, which on most networks is over by then.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use telltale_engine::{Failure, FlowId, Input, Instant, MappingId, QueryId};
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
    carriers: HashMap<Carrier, Held>,
    /// Carriers of which something waits.
    waiting: usize,
    /// Until when each flow is waited for, the earliest first.
    until: VecDeque<(Instant, FlowNumber)>,
    /// What waits no longer, in the order in which it is to be handed on.
    released: VecDeque<Held>,
}

/// Through what an answer comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Carrier {
    Tcp(FlowId),
    Udp(MappingId),
    Query(QueryId),
}

/// What has come back through one carrier: what was said stays in its socket meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// All that has happened at the socket.
    pub(crate) event: Option<Event>,
    /// The end of an attempt to connect, or the answer to a question.
    pub(crate) input: Option<Input>,
}

impl Introductions {
    /// The owner of this flow is searched for.
    pub(crate) fn expect(&mut self, flow: FlowNumber, now: Instant) {
        self.flows.insert(flow, Vec::new());
        self.until.push_back((now + PATIENCE, flow));
    }

    /// This carries the flow. A carrier waits for its first flow alone: it is one socket of the app,
    /// with one owner.
    pub(crate) fn carry(&mut self, flow: FlowNumber, carrier: Carrier) {
        if let Some(carriers) = self.flows.get_mut(&flow)
            && let Entry::Vacant(place) = self.carriers.entry(carrier)
        {
            place.insert(Held::default());
            carriers.push(carrier);
        }
    }

    /// Keeps an event if its flow has no owner yet. False: it is to be acted on.
    pub(crate) fn holds_event(&mut self, event: Event) -> bool {
        let held = Carrier::of_event(event.token).and_then(|carrier| self.carriers.get_mut(&carrier));
        let Some(held) = held else { return false };
        self.waiting += usize::from(held.is_empty());
        held.event = Some(held.event.map_or(event, |earlier| earlier.and(event)));
        true
    }

    /// Keeps an input if its flow has no owner yet; else gives it back.
    pub(crate) fn hold_input(&mut self, input: Input) -> Option<Input> {
        let held = Carrier::of_input(&input).and_then(|carrier| self.carriers.get_mut(&carrier));
        let Some(held) = held else { return Some(input) };
        self.waiting += usize::from(held.is_empty());
        held.input = Some(input);
        None
    }

    /// Finds what waits no longer: its flow has an owner, or was waited for long enough.
    pub(crate) fn look(&mut self, now: Instant, owners: &Owners) {
        if self.flows.is_empty() {
            return;
        }
        for flow in owners.answered().take(self.waiting > 0) {
            self.introduced(flow);
        }
        while let Some((until, flow)) = self.until.front().copied() {
            if until > now && self.flows.contains_key(&flow) {
                return;
            }
            self.until.pop_front();
            self.introduced(flow);
        }
    }

    /// The next that waits no longer.
    pub(crate) fn release(&mut self) -> Option<Held> {
        self.released.pop_front()
    }

    /// Whether [`Self::release`] has more.
    pub(crate) fn has_more(&self) -> bool {
        !self.released.is_empty()
    }

    /// When to look again, whatever else happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.until.front().filter(|_| self.waiting > 0).map(|(until, _)| *until)
    }

    fn introduced(&mut self, flow: FlowNumber) {
        for carrier in self.flows.remove(&flow).unwrap_or_default() {
            let held = self.carriers.remove(&carrier).filter(|held| !held.is_empty());
            self.waiting -= usize::from(held.is_some());
            self.released.extend(held);
        }
    }
}

impl Held {
    fn is_empty(&self) -> bool {
        self.event.is_none() && self.input.is_none()
    }
}

impl Carrier {
    /// Whose event it is, if it may have to wait.
    fn of_event(token: Token) -> Option<Self> {
        match token {
            Token::Tcp(flow) => Some(Self::Tcp(flow)),
            Token::Udp(mapping) => Some(Self::Udp(mapping)),
            Token::Echo(_) | Token::RawEcho(_) | Token::Query { .. } | Token::Owners => None,
        }
    }

    /// What an input comes through, if it may have to wait. Where there was no socket to be had, nothing
    /// goes to the app.
    fn of_input(input: &Input) -> Option<Self> {
        match *input {
            Input::ConnectFailed(_, Failure::NoSockets) => None,
            Input::ConnectFailed(flow, _) => Some(Self::Tcp(flow)),
            Input::Answer { query, .. } => Some(Self::Query(query)),
            Input::Packet { .. }
            | Input::Timeout
            | Input::Connected(_)
            | Input::Sent(..)
            | Input::Blocked(_)
            | Input::Received { .. }
            | Input::Finished(_)
            | Input::Broken { .. }
            | Input::Datagram { .. }
            | Input::DatagramFailed { .. }
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
    use crate::owner::by_socket;
    use crate::sys;

    const FLOW: FlowNumber = FlowNumber(7);

    fn owners() -> Owners {
        const NETLINK_SOCK_DIAG: libc::c_int = 4;
        let diag: OwnedFd = sys::socket(libc::AF_NETLINK, libc::SOCK_DGRAM, NETLINK_SOCK_DIAG).unwrap();
        Owners::start(by_socket(diag), |_, _| {}).unwrap()
    }

    fn answer(query: u64) -> Input {
        Input::Answer { query: QueryId(query), message: None }
    }

    fn at(milliseconds: u64) -> Instant {
        Instant::from_micros(milliseconds * 1_000)
    }

    fn mapping() -> MappingId {
        MappingId { index: 1, generation: 2 }
    }

    #[test]
    fn what_comes_for_a_known_flow_passes() {
        let mut introductions = Introductions::default();
        introductions.carry(FLOW, Carrier::Query(QueryId(1)));
        assert!(introductions.hold_input(answer(1)).is_some());
        assert_eq!(introductions.deadline(), None);
    }

    #[test]
    fn an_answer_waits_for_the_owner_and_no_longer_than_it_may() {
        let (mut introductions, owners) = (Introductions::default(), owners());
        introductions.expect(FLOW, at(0));
        introductions.carry(FLOW, Carrier::Query(QueryId(1)));
        assert_eq!(introductions.deadline(), None, "nothing waits yet");
        assert!(introductions.hold_input(answer(1)).is_none());
        introductions.look(at(49), &owners);
        assert!(introductions.release().is_none());
        assert_eq!(introductions.deadline(), Some(at(50)));
        introductions.look(at(50), &owners);
        assert!(introductions.release().is_some_and(|held| held.input.is_some()));
        assert!(introductions.hold_input(answer(1)).is_some(), "later ones pass");
        assert_eq!(introductions.deadline(), None);
    }

    #[test]
    fn all_questions_of_one_flow_go_on_when_its_owner_is_found() {
        let (mut introductions, owners) = (Introductions::default(), owners());
        introductions.expect(FLOW, at(0));
        for query in [1, 2] {
            introductions.carry(FLOW, Carrier::Query(QueryId(query)));
        }
        assert!(introductions.hold_input(answer(1)).is_none());
        let end = "127.0.0.1:7".parse().unwrap();
        owners.ask(FLOW, FlowKey { protocol: Protocol::Udp, app: end, remote: end });
        let released = (0..500).any(|_| {
            thread::sleep(Duration::from_millis(1));
            introductions.look(at(1), &owners);
            introductions.release().is_some()
        });
        assert!(released);
        for query in [1, 2] {
            assert!(introductions.hold_input(answer(query)).is_some());
        }
    }

    #[test]
    fn a_socket_that_waits_for_its_first_flow_is_told_of_once_and_then_passes() {
        let (mut introductions, owners) = (Introductions::default(), owners());
        introductions.expect(FLOW, at(0));
        introductions.carry(FLOW, Carrier::Udp(mapping()));
        introductions.expect(FlowNumber(8), at(40));
        introductions.carry(FlowNumber(8), Carrier::Udp(mapping()));
        let readable = Event::again(Token::Udp(mapping()));
        assert!(introductions.holds_event(readable));
        assert!(introductions.holds_event(Event { error: true, ..readable }));
        introductions.look(at(50), &owners);
        let event = introductions.release().and_then(|held| held.event).unwrap();
        assert!(event.readable && event.error);
        assert!(introductions.release().is_none());
        assert!(!introductions.holds_event(readable), "the second flow waits for nothing");
    }
}

//! The conversations of all flows that live, within one bound of memory.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use telltale_model::{Class, Direction, Facts, FlowKey, FlowNumber, Protocol, Sealed, Timestamp};

use crate::conversation::Conversation;
use crate::dns::Answer;
use crate::limits;
use crate::page::Desk;

/// Conversations by the number of their flow.
#[derive(Debug, Default)]
pub(crate) struct Conversations {
    live: BTreeMap<FlowNumber, Live>,
    /// For the clock algorithm: a flow that did not go on since the hand passed last goes first.
    hand: VecDeque<FlowNumber>,
    /// The latest QUIC flows to each server: their clients may go on from another port.
    quic: BTreeMap<SocketAddr, VecDeque<FlowNumber>>,
    /// Bytes of memory behind all of them.
    held: usize,
    /// What may open what is encrypted.
    #[cfg(feature = "keys")]
    keys: Option<crate::Keys>,
    /// What is looked for in what they send.
    desk: Option<Arc<Desk>>,
}

#[derive(Debug)]
struct Live {
    conversation: Conversation,
    key: FlowKey,
    sent: u64,
    held: usize,
    spoke: bool,
}

/// What the bytes of a flow led to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Names that were answered.
    pub(crate) answers: Vec<Answer>,
    /// Flows that had to make room, with what is known of them.
    pub(crate) ended: Vec<(FlowNumber, Facts)>,
}

impl Conversations {
    /// Conversations that are read with these keys.
    #[cfg(feature = "keys")]
    pub(crate) fn with_keys(keys: Option<crate::Keys>) -> Self {
        Self { keys, ..Self::default() }
    }

    /// The keys for those that begin from now on, which are made where there were none.
    #[cfg(feature = "keys")]
    pub(crate) fn keys(&mut self) -> &crate::Keys {
        self.keys.get_or_insert_default()
    }

    /// From now on this is looked for.
    pub(crate) fn look_for(&mut self, desk: Option<Arc<Desk>>) {
        self.live.values_mut().for_each(|live| live.conversation.look_for(desk.as_ref()));
        self.desk = desk;
    }

    /// The next bytes of a flow, with when and by which program they were sent. The first ones begin its
    /// conversation.
    pub(crate) fn take(
        &mut self,
        number: FlowNumber,
        key: FlowKey,
        (at, program): (Timestamp, Option<&str>),
        direction: Direction,
        bytes: &[u8],
    ) -> Outcome {
        let begun = self.live.contains_key(&number);
        if !begun {
            self.begin(number, key, direction, bytes);
        }
        let Some(live) = self.live.get_mut(&number) else { return Outcome::default() };
        live.spoke = begun;
        live.conversation.turn_to(at, program);
        if direction == Direction::Sent {
            live.sent = live.sent.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        }
        live.conversation.take(direction, bytes);
        let answers = live.conversation.take_answers();
        if live.conversation.is_quic() {
            self.may_move(number, key.remote);
        }
        self.weigh(number);
        Outcome { answers, ended: self.make_room() }
    }

    /// Records of a flow went by that nobody can read. Answers the flows that had to make room.
    pub(crate) fn pass(
        &mut self,
        number: FlowNumber,
        key: FlowKey,
        sealed: Sealed,
    ) -> Vec<(FlowNumber, Facts)> {
        let Some(live) = self.live.get_mut(&number) else {
            return self.miss(number, key, Direction::Sent, sealed.len());
        };
        live.spoke = true;
        live.sent = live.sent.saturating_add(sealed.len());
        live.conversation.pass(sealed);
        Vec::new()
    }

    /// A flow goes on, though what it says is perhaps not told any more.
    pub(crate) fn goes_on(&mut self, number: FlowNumber) {
        if let Some(live) = self.live.get_mut(&number) {
            live.spoke = true;
        }
    }

    /// See [`Conversation::is_sealed`].
    pub(crate) fn is_sealed(&self, number: FlowNumber) -> bool {
        self.live.get(&number).is_some_and(|live| live.conversation.is_sealed())
    }

    /// Bytes of a flow are missing. Answers the flows that had to make room.
    pub(crate) fn miss(
        &mut self,
        number: FlowNumber,
        key: FlowKey,
        direction: Direction,
        bytes: u64,
    ) -> Vec<(FlowNumber, Facts)> {
        if !self.live.contains_key(&number) {
            self.begin(number, key, direction, &[]);
        }
        if let Some(live) = self.live.get_mut(&number) {
            let sent = if direction == Direction::Sent { bytes } else { 0 };
            live.sent = live.sent.saturating_add(sent);
            live.conversation.miss(direction, bytes);
        }
        self.weigh(number);
        self.make_room()
    }

    /// What is known so far.
    pub(crate) fn facts(&self, number: FlowNumber) -> Option<&Facts> {
        self.live.get(&number).map(|live| live.conversation.facts())
    }

    /// No more comes.
    pub(crate) fn end(&mut self, number: FlowNumber) -> Option<Facts> {
        // A mistake in a session must find its conversation still here, to be given up with what is known.
        self.live.get_mut(&number)?.conversation.end();
        self.remove(number).map(|live| live.conversation.into_facts())
    }

    /// Ends a conversation without touching its session, in which there is a mistake. What it did not count
    /// was not watched.
    pub(crate) fn give_up(&mut self, number: FlowNumber) -> Option<Facts> {
        let live = self.remove(number)?;
        let mut facts = live.conversation.into_facts();
        let missing = live.sent.saturating_sub(facts.coverage.total());
        facts.coverage.add(Class::NotWatched, missing);
        facts.content_sent = facts.content_sent.saturating_add(missing);
        Some(facts)
    }

    fn begin(&mut self, number: FlowNumber, key: FlowKey, direction: Direction, bytes: &[u8]) {
        let may_have_moved = key.protocol == Protocol::Udp && direction == Direction::Sent;
        let earlier = self.quic.get(&key.remote).filter(|_| may_have_moved).into_iter().flatten();
        let mut conversation = earlier
            .filter_map(|earlier| self.live.get(earlier))
            .find_map(|earlier| earlier.conversation.moved(key, bytes))
            .unwrap_or_else(|| self.conversation(key));
        conversation.look_for(self.desk.as_ref());
        self.live.insert(number, Live { conversation, key, sent: 0, held: 0, spoke: false });
        self.hand.push_back(number);
    }

    #[cfg(feature = "keys")]
    fn conversation(&self, key: FlowKey) -> Conversation {
        let new = Conversation::new(key);
        match &self.keys {
            Some(keys) => new.with_keys(keys),
            None => new,
        }
    }

    #[cfg(not(feature = "keys"))]
    fn conversation(&self, key: FlowKey) -> Conversation {
        Conversation::new(key)
    }

    /// The flow that spoke last goes first.
    fn may_move(&mut self, number: FlowNumber, server: SocketAddr) {
        let flows = self.quic.entry(server).or_default();
        if flows.front() != Some(&number) {
            flows.retain(|other| *other != number);
            flows.push_front(number);
            flows.truncate(limits::MOVING);
        }
    }

    fn remove(&mut self, number: FlowNumber) -> Option<Live> {
        let live = self.live.remove(&number)?;
        self.held = self.held.saturating_sub(live.held);
        if let Some(flows) = self.quic.get_mut(&live.key.remote) {
            flows.retain(|other| *other != number);
            if flows.is_empty() {
                self.quic.remove(&live.key.remote);
            }
        }
        // Numbers of flows that are gone leave the hand when there are more of them than of others.
        if self.hand.len() > 2 * self.live.len() + 64 {
            self.hand.retain(|number| self.live.contains_key(number));
        }
        Some(live)
    }

    fn weigh(&mut self, number: FlowNumber) {
        if let Some(live) = self.live.get_mut(&number) {
            let held = live.conversation.held();
            self.held = self.held.saturating_sub(live.held).saturating_add(held);
            live.held = held;
        }
    }

    fn make_room(&mut self) -> Vec<(FlowNumber, Facts)> {
        let mut ended = Vec::new();
        while self.held > limits::CONVERSATIONS
            && let Some(number) = self.hand.pop_front()
        {
            match self.live.get_mut(&number).map(|live| std::mem::take(&mut live.spoke)) {
                Some(true) => self.hand.push_back(number),
                Some(false) => ended.extend(self.end(number).map(|facts| (number, facts))),
                None => {}
            }
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(port: u16) -> FlowKey {
        let (app, remote) = ("198.19.84.1:4000".parse().unwrap(), SocketAddr::from(([192, 0, 2, 7], port)));
        FlowKey { protocol: Protocol::Tcp, app, remote }
    }

    #[test]
    fn the_longest_silent_make_room() {
        let mut conversations = Conversations::default();
        let mut ended = Vec::new();
        for number in 0..40_000 {
            // The first flow goes on speaking.
            for number in [0, number] {
                let outcome = conversations.take(
                    FlowNumber(number),
                    key(1),
                    (Timestamp(1), None),
                    Direction::Sent,
                    b"\x01",
                );
                ended.extend(outcome.ended);
            }
            assert!(conversations.held <= limits::CONVERSATIONS);
        }
        assert!(ended.len() > 1_000 && ended.iter().all(|(number, _)| number.0 != 0));
        assert!(ended.iter().all(|(_, facts)| facts.coverage.total() == 1));
        assert_eq!(ended.len() + conversations.live.len(), 40_000);
        let numbers: Vec<FlowNumber> = conversations.live.keys().copied().collect();
        numbers.into_iter().for_each(|number| drop(conversations.end(number)));
        assert_eq!(conversations.held, 0);
        assert!(conversations.hand.len() <= 64);
    }

    #[test]
    fn gaps_alone_make_room_as_well() {
        let mut conversations = Conversations::default();
        for number in 0..40_000 {
            conversations.miss(FlowNumber(number), key(1), Direction::Sent, 1);
            assert!(conversations.held <= limits::CONVERSATIONS);
        }
    }

    /// A datagram of QUIC version 1 with a long header (RFC 9000 17.2.2), whose sender calls itself so.
    fn long(sender: u8) -> Vec<u8> {
        let names = [&[8][..], &[1; 8], &[8], &[sender; 8]].concat();
        [&[0xc0, 0, 0, 0, 1][..], &names, &[0, 0x40, 64], &[0; 64]].concat()
    }

    #[test]
    fn of_two_connections_to_one_server_each_may_go_on_from_another_port() {
        let mut conversations = Conversations::default();
        let mut say = |number: u64, direction, bytes: &[u8]| {
            let app = SocketAddr::from(([198, 19, 84, 1], 4_000 + u16::try_from(number).unwrap()));
            let key = FlowKey { protocol: Protocol::Udp, app, ..key(8_443) };
            conversations.take(FlowNumber(number), key, (Timestamp(1), None), direction, bytes);
        };
        for number in [1, 2] {
            say(number, Direction::Sent, &long(9));
            say(number, Direction::Received, &long(4 + u8::try_from(number).unwrap()));
        }
        for (number, server) in [(3, 5), (4, 6), (5, 7)] {
            say(number, Direction::Sent, &[&[0x40][..], &[server; 8], &[0; 40]].concat());
        }
        let mut spoken = |number| conversations.facts(FlowNumber(number)).unwrap().application;
        use telltale_model::Application::Quic;
        assert_eq!([3, 4, 5].map(&mut spoken), [Some(Quic), Some(Quic), None]);
        (1..=5).for_each(|number| drop(conversations.end(FlowNumber(number))));
        assert!(conversations.quic.is_empty());
    }

    #[test]
    fn what_was_not_counted_when_it_was_given_up_was_not_watched() {
        let mut conversations = Conversations::default();
        conversations.take(FlowNumber(1), key(1), (Timestamp(1), None), Direction::Sent, b"abc");
        let facts = conversations.give_up(FlowNumber(1)).unwrap();
        assert_eq!((facts.coverage.not_watched, facts.coverage.total()), (3, 3));
        assert!(conversations.facts(FlowNumber(1)).is_none());
    }
}

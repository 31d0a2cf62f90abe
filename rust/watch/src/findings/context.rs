//! What the rules know of other flows, of the days before, and of the phone.

use telltale_model::{Destination, Envelope, Event, Facts, Flow, History, Owner, Timestamp, Told, Zone};

use super::after_event::{Sent, Steps};
use super::past::{First, Met, Past, Unusual, Who, who};
use crate::destinations::Destinations;

/// Everything but the flow itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    past: Past,
    steps: Steps,
    screen_is_off: bool,
    /// Flows of which nobody can say whether they were first contacts: there was no room to remember more.
    unremembered: u64,
}

/// What was noted of a flow while it spoke.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Noted {
    /// When it sent content first.
    pub(super) began: Option<Timestamp>,
    /// Bytes of content that it sent while the screen was off, and since when.
    pub(super) dark: u64,
    pub(super) dark_since: Option<Timestamp>,
    /// That it was the first to its company.
    pub(super) first: Option<First>,
    /// That nobody can say whether it was.
    unremembered: bool,
    /// When with it the day's sum went far past the usual one, and both.
    pub(super) unusual: Option<(Timestamp, Unusual)>,
    /// The minute in which it was last counted for what happens after events.
    pub(super) minute: Option<i64>,
    /// That some of what it sent could not be counted for that.
    pub(super) uncounted: bool,
    /// Content and hits that were counted.
    content: u64,
    hits: usize,
    /// Whose it is: of the owner that is known.
    who: Option<Who>,
}

/// A flow that has sent more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grown<'a> {
    /// Without facts and destination.
    pub(crate) flow: &'a Flow,
    pub(crate) facts: &'a Facts,
    pub(crate) at: Timestamp,
}

impl Context {
    /// With what is remembered from before.
    pub(crate) fn new(history: &History, tables: Option<&Destinations>) -> Self {
        Self { past: Past::new(history, tables), ..Self::default() }
    }

    /// From now on days are those of this place.
    pub(crate) fn turn_to(&mut self, zone: Zone) {
        self.past.turn_to(zone);
    }

    /// Something happened on the phone.
    pub(crate) fn happened(&mut self, event: Event, at: Timestamp) {
        match event {
            Event::ScreenOff => self.screen_is_off = true,
            Event::ScreenOn => self.screen_is_off = false,
            Event::Boot
            | Event::Network
            | Event::AppInstalled
            | Event::Sim
            | Event::ContactAdded
            | Event::MessageSent
            | Event::MessageReceived
            | Event::CallMade
            | Event::CallReceived
            | Event::Quiet => {}
        }
        self.steps.begin(event, at);
    }

    /// Bytes of a flow came. `destination` is asked only where it matters.
    pub(crate) fn grew(
        &mut self,
        grown: Grown<'_>,
        noted: &mut Noted,
        destination: impl Fn() -> Destination,
    ) {
        let Grown { flow, facts, at } = grown;
        self.pass(at);
        let content = facts.content_sent.saturating_sub(noted.content);
        let hits = facts.hits.get(noted.hits..).unwrap_or_default();
        (noted.content, noted.hits) = (facts.content_sent, facts.hits.len());
        if content == 0 && hits.is_empty() {
            return;
        }
        noted.began.get_or_insert(at);
        if self.screen_is_off && content > 0 {
            noted.dark = noted.dark.saturating_add(content);
            noted.dark_since.get_or_insert(at);
        }
        if let Some(unusual) = noted.who(&flow.owner).and_then(|who| self.past.sent(who, at, content)) {
            noted.unusual = Some((at, unusual));
        }
        let envelope = Envelope::of(facts, flow.key.protocol);
        let kinds: Vec<_> = hits.iter().map(|hit| (hit.kind, envelope.of_hit(hit))).collect();
        self.steps.sent(flow, noted, Sent { at, kinds: &kinds, envelope }, destination);
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, at: Timestamp) {
        self.past.watch(at);
        self.steps.pass(at);
    }

    /// With whom a flow speaks, as it is known now.
    pub(crate) fn meet(
        &mut self,
        flow: &Flow,
        destination: &Destination,
        tables: Option<&Destinations>,
        noted: &mut Noted,
    ) {
        let met = self.past.meet(flow, destination, tables);
        let unremembered = met == Met::Unremembered;
        if unremembered && !std::mem::replace(&mut noted.unremembered, true) {
            self.unremembered = self.unremembered.saturating_add(1);
        }
        noted.first = if let Met::First(first) = met { Some(first) } else { None };
    }

    /// Flows of which nobody can say whether they were first contacts.
    pub(crate) fn unremembered(&self) -> u64 {
        self.unremembered
    }

    /// Flows of which it cannot be said what they sent after events, or without.
    pub(crate) fn uncounted(&self) -> u64 {
        self.steps.uncounted()
    }

    /// What was seen after events, as far as it may be claimed by `now`.
    pub(crate) fn after_events(&self) -> Vec<Told> {
        self.steps.findings()
    }
}

impl Noted {
    /// Whose a flow is, told once as long as its owner stays the same.
    fn who(&mut self, owner: &Owner) -> Option<&Who> {
        let known =
            self.who.as_ref().is_some_and(|(program, uid)| (program, uid) == (&owner.program, &owner.uid));
        if !known {
            self.who = who(owner);
        }
        self.who.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use telltale_model::Class;

    use super::*;
    use crate::findings::testing::Case;

    #[test]
    fn content_in_the_dark_is_what_came_between_off_and_on() {
        let (mut context, mut case) = (Context::default(), Case::http());
        let mut dark = Vec::new();
        for event in [None, Some(Event::ScreenOff), None, Some(Event::ScreenOn)] {
            if let Some(event) = event {
                context.happened(event, Timestamp(1));
            }
            case.facts.count_content(Class::Searched, 100);
            let grown = Grown { flow: &case.flow, facts: &case.facts, at: Timestamp(1) };
            context.grew(grown, &mut case.noted, Destination::default);
            dark.push(case.noted.dark);
        }
        assert_eq!(dark, [0, 100, 200, 200]);
    }
}

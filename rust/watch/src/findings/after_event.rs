//! What is sent after events: after, never because. It is claimed only where it came after at least two of
//! three of the same events, and in none of the quiet steps, one before and one after; how often it comes without any
//! event is told beside it.

use std::collections::BTreeMap;

use telltale_model::{
    Confidence, Destination, DetailKind, Envelope, Event, Evidence, Finding, Flow, FlowNumber, Severity,
    Timestamp, Told, What,
};

use super::context::Noted;
use super::past::{Who, who};
use crate::limits;

/// What comes later than this is not told as after it: a quiet step is as long. In microseconds.
const WINDOW: i64 = 3 * MINUTE;

const MINUTE: i64 = 60 * 1_000_000;

/// So often an event is repeated at least.
const REPEATS: u32 = 3;

/// Events, and what was sent after them. Nothing is counted before the first one.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    began: Option<Timestamp>,
    /// The latest moment that was seen.
    now: Timestamp,
    /// The one that something may still be after: steps never overlap, so that nothing is told after two of them.
    open: Option<Step>,
    /// Microseconds in which one was open.
    covered: i64,
    repeats: BTreeMap<Event, Repeats>,
    /// When the first quiet step ended and the last one began, of those that nothing ended early.
    quiet: Option<(Timestamp, Timestamp)>,
    /// What came in quiet steps was too much to be told apart.
    blind: bool,
    seen: BTreeMap<(Subject, Event), Seen>,
    background: BTreeMap<Subject, Minutes>,
    /// Of a subject that is not in `background` nobody knows how often it comes without an event: it was full.
    deaf: bool,
    /// Flows that sent what there was no room to count.
    uncounted: u64,
}

/// Events of one kind.
#[derive(Clone, Copy, Debug)]
struct Repeats {
    count: u32,
    first: Timestamp,
    last: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    event: Event,
    at: Timestamp,
    /// Which of its kind, from 1 on.
    number: u32,
}

/// An app, whom it sent to, and the detail if it is about one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Subject {
    who: Who,
    whom: String,
    kind: Option<DetailKind>,
}

#[derive(Clone, Debug)]
struct Seen {
    /// After so many of them.
    steps: u32,
    /// The last of them.
    last: u32,
    first: Timestamp,
    latest: Timestamp,
    flow: FlowNumber,
    destination: Destination,
    /// [`Envelope::Unknown`] where it was not always the same.
    envelope: Envelope,
}

/// What a flow sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    pub(super) at: Timestamp,
    /// Kinds of the details in it, and how each was protected.
    pub(super) kinds: &'a [(DetailKind, Envelope)],
    /// How the rest was.
    pub(super) envelope: Envelope,
}

/// Minutes in which something was sent.
#[derive(Clone, Copy, Debug, Default)]
struct Minutes {
    count: u64,
    last: i64,
}

impl Steps {
    /// An event. It ends the step before. Of the screen and the network it is passed over while a step of a person's or a
    /// quiet one goes on: they come in between, and what is sent then is after that step.
    pub(super) fn begin(&mut self, event: Event, at: Timestamp) {
        self.advance(at);
        self.began.get_or_insert(at);
        if is_aside(event) && self.open.is_some_and(|step| !is_aside(step.event)) {
            return;
        }
        self.let_go();
        let repeats = self.repeats.entry(event).or_insert(Repeats { count: 0, first: at, last: at });
        *repeats = Repeats { count: repeats.count.saturating_add(1), last: at, ..*repeats };
        self.open = Some(Step { event, at, number: repeats.count });
    }

    /// Time passes: steps end also where nothing is sent any more.
    pub(super) fn pass(&mut self, at: Timestamp) {
        if self.began.is_some() {
            self.advance(at);
        }
    }

    /// A flow sent content. `destination` is asked once a minute and flow.
    pub(super) fn sent(
        &mut self,
        flow: &Flow,
        noted: &mut Noted,
        sent: Sent<'_>,
        destination: impl Fn() -> Destination,
    ) {
        if self.began.is_none() {
            return;
        }
        let Sent { at, kinds, .. } = sent;
        self.advance(at);
        let minute = at.0.div_euclid(MINUTE);
        if kinds.is_empty()
            && noted.minute == Some(minute)
            && self.open.is_none_or(|step| step.at.0.div_euclid(MINUTE) < minute)
        {
            return;
        }
        noted.minute = Some(minute);
        // Of a capture nobody knows the apps: they are one.
        let who = who(&flow.owner).unwrap_or_default();
        let destination = destination();
        let Some(whom) = destination.whom() else { return };
        let kinds = kinds.iter().map(|(kind, envelope)| (Some(*kind), *envelope));
        for (kind, envelope) in kinds.chain([(None, sent.envelope)]) {
            let sent = Sent { envelope, ..sent };
            let subject = Subject { who: who.clone(), whom: whom.clone(), kind };
            let counted = self.count(&subject, flow.number, sent, &destination);
            if !counted && !std::mem::replace(&mut noted.uncounted, true) {
                self.uncounted = self.uncounted.saturating_add(1);
            }
        }
    }

    /// Flows that sent what may have come after an event, or without one, and could not be counted.
    pub(super) fn uncounted(&self) -> u64 {
        self.uncounted
    }

    /// What may be claimed, and what is seen after events but comes on its own too.
    pub(super) fn findings(&self) -> Vec<Told> {
        let repeated = self.seen.iter().filter(|((subject, event), seen)| {
            let repeats = self.repeats(*event);
            *event != Event::Quiet
                && repeats >= REPEATS
                && is_repeated(seen.steps, repeats)
                && (!self.deaf || self.background.contains_key(subject))
                && (self.is_between_quiet_steps(*event) || self.is_on_its_own(subject))
        });
        let told = |subject, event, seen: &Seen| Told {
            last: seen.latest,
            ..Told::new(self.finding(subject, event, seen))
        };
        repeated.map(|((subject, event), seen)| told(subject, *event, seen)).collect()
    }

    fn repeats(&self, event: Event) -> u32 {
        self.repeats.get(&event).map_or(0, |repeats| repeats.count)
    }

    /// Whether a whole quiet step ended before the first of them, and another began after the last.
    fn is_between_quiet_steps(&self, event: Event) -> bool {
        let Some(((ended, began), repeats)) = self.quiet.zip(self.repeats.get(&event)) else { return false };
        !self.blind && ended <= repeats.first && began >= repeats.last
    }

    fn finding(&self, subject: &Subject, event: Event, seen: &Seen) -> Finding {
        let Subject { who: (program, uid), kind, .. } = subject;
        let on_its_own = self.is_on_its_own(subject);
        let what = What::AfterEvent {
            event,
            kind: *kind,
            seen: seen.steps,
            repeats: self.repeats(event),
            on_its_own,
            background: self.background(subject),
        };
        let severity = if kind.is_some() && !on_its_own { Severity::Medium } else { Severity::Info };
        Finding {
            what,
            program: program.clone(),
            uid: *uid,
            destination: seen.destination.clone(),
            envelope: seen.envelope,
            severity,
            confidence: Confidence::VeryLikely,
            evidence: Evidence { flow: seen.flow, offset: None, field: None, excerpt: None },
            times: u64::from(seen.steps),
            at: seen.first,
        }
    }

    /// Whether it was seen in a quiet step too.
    fn is_on_its_own(&self, subject: &Subject) -> bool {
        self.seen.contains_key(&(subject.clone(), Event::Quiet))
    }

    /// Minutes an hour in which it comes without an event, in thousandths.
    fn background(&self, subject: &Subject) -> u64 {
        let count = self.background.get(subject).map_or(0, |minutes| minutes.count);
        let watched =
            self.now.0.saturating_sub(self.began.unwrap_or_default().0).saturating_sub(self.covered);
        let minutes = u64::try_from(watched / MINUTE).unwrap_or(0).max(1);
        count.saturating_mul(60_000) / minutes
    }

    /// False: there was no room.
    fn count(
        &mut self,
        subject: &Subject,
        flow: FlowNumber,
        sent: Sent<'_>,
        destination: &Destination,
    ) -> bool {
        match self.open {
            Some(step) => self.count_after(step, subject, flow, sent, destination),
            None => self.count_alone(subject, sent.at.0.div_euclid(MINUTE)),
        }
    }

    fn count_alone(&mut self, subject: &Subject, minute: i64) -> bool {
        if self.background.len() >= limits::AFTER_EVENTS && !self.background.contains_key(subject) {
            self.deaf = true;
            return false;
        }
        let minutes = self.background.entry(subject.clone()).or_default();
        if minutes.last != minute {
            *minutes = Minutes { count: minutes.count + 1, last: minute };
        }
        true
    }

    fn count_after(
        &mut self,
        Step { event, number, .. }: Step,
        subject: &Subject,
        flow: FlowNumber,
        Sent { at, envelope, .. }: Sent<'_>,
        destination: &Destination,
    ) -> bool {
        let key = (subject.clone(), event);
        if let Some(seen) = self.seen.get_mut(&key) {
            seen.latest = at;
            if seen.envelope != envelope {
                seen.envelope = Envelope::Unknown;
            }
            if seen.last != number {
                (seen.steps, seen.last) = (seen.steps + 1, number);
            }
        } else if self.seen.len() < room(event) {
            let destination = destination.clone();
            let (first, latest, last) = (at, at, number);
            self.seen.insert(key, Seen { steps: 1, last, first, latest, flow, destination, envelope });
        } else {
            self.blind |= event == Event::Quiet;
            return false;
        }
        true
    }

    /// Where room gets scarce, what comes after too few of its events to be told goes: counted anew it would come after
    /// even fewer.
    fn let_go(&mut self) {
        if self.seen.len() < limits::AFTER_EVENTS / 2 {
            return;
        }
        let repeats = &self.repeats;
        self.seen.retain(|(_, event), seen| {
            let repeats = repeats.get(event).map_or(0, |repeats| repeats.count);
            *event == Event::Quiet || repeats < REPEATS || is_repeated(seen.steps, repeats)
        });
    }

    /// Time passes, and steps end.
    fn advance(&mut self, at: Timestamp) {
        let end = |step: &Step| Timestamp(step.at.0.saturating_add(WINDOW));
        if let Some(last) = self.open.as_ref().map(end) {
            let passed = at.min(last).0.saturating_sub(self.now.0).max(0);
            self.covered = self.covered.saturating_add(passed);
        }
        self.now = self.now.max(at);
        let over = self.open.filter(|step| at >= end(step));
        if let Some(step) = over.filter(|step| step.event == Event::Quiet) {
            if self.quiet.is_none() {
                self.forget_before();
            }
            let first = self.quiet.map_or(end(&step), |(first, _)| first);
            self.quiet = Some((first, step.at));
        }
        self.open = self.open.filter(|_| over.is_none());
    }

    /// With the first quiet step the steps begin: what happened by itself before, in days perhaps, is none of them.
    fn forget_before(&mut self) {
        self.repeats.retain(|event, _| *event == Event::Quiet);
        self.seen.retain(|(_, event), _| *event == Event::Quiet);
    }
}

/// At least two of three.
fn is_repeated(steps: u32, repeats: u32) -> bool {
    steps.saturating_mul(3) >= repeats.saturating_mul(2)
}

/// What came after events is told of so many subjects at most. Quiet steps have room besides, since the last one comes
/// when all else is full; what comes in between all the time leaves room to what a person does.
fn room(event: Event) -> usize {
    if event == Event::Quiet {
        2 * limits::AFTER_EVENTS
    } else if is_aside(event) {
        limits::AFTER_EVENTS / 2
    } else {
        limits::AFTER_EVENTS
    }
}

/// What happens beside the steps of a check-up.
fn is_aside(event: Event) -> bool {
    matches!(event, Event::ScreenOn | Event::ScreenOff | Event::Network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::testing::Case;

    /// Begins steps and sends in minutes: an event, or a detail's kind (content for none).
    fn after(
        script: &[(i64, Result<Event, Option<DetailKind>>)],
    ) -> Vec<(Event, Option<DetailKind>, u32, u32, bool)> {
        told(&play(script))
    }

    fn play(script: &[(i64, Result<Event, Option<DetailKind>>)]) -> Steps {
        let (mut steps, mut case) = (Steps::default(), Case::http());
        for (minute, what) in script {
            let at = Timestamp(minute * MINUTE);
            match what {
                Ok(event) => steps.begin(*event, at),
                Err(kind) => {
                    let kinds: Vec<_> = kind.iter().map(|kind| (*kind, Envelope::None)).collect();
                    let sent = Sent { at, kinds: &kinds, envelope: Envelope::None };
                    steps.sent(&case.flow, &mut case.noted, sent, || case.destination.clone());
                }
            }
        }
        steps
    }

    fn told(steps: &Steps) -> Vec<(Event, Option<DetailKind>, u32, u32, bool)> {
        let what = |Told { finding, .. }: &Told| {
            let What::AfterEvent { event, kind, seen, repeats, on_its_own, .. } = finding.what else {
                panic!("{finding:?}")
            };
            (event, kind, seen, repeats, on_its_own)
        };
        steps.findings().iter().map(what).collect()
    }

    const CONTENT: Result<Event, Option<DetailKind>> = Err(None);
    const CONTACT: Result<Event, Option<DetailKind>> = Err(Some(DetailKind::Contact));
    const ADDED: Result<Event, Option<DetailKind>> = Ok(Event::ContactAdded);
    const QUIET: Result<Event, Option<DetailKind>> = Ok(Event::Quiet);

    #[test]
    fn two_of_three_and_no_quiet_step_is_after() {
        let script = [
            (0, QUIET),
            (4, ADDED),
            (5, CONTENT),
            (8, ADDED),
            (12, ADDED),
            (13, CONTENT),
            (16, QUIET),
            (20, CONTENT),
        ];
        assert_eq!(after(&script), [(Event::ContactAdded, None, 2, 3, false)]);
        assert_eq!(play(&script).findings()[0].finding.envelope, Envelope::None);
        let severity = |script| play(script).findings()[0].finding.severity;
        assert_eq!(severity(&script), Severity::Info);
        let detail = script.map(|(at, what)| (at, if what == CONTENT { CONTACT } else { what }));
        assert_eq!(severity(&detail), Severity::Info, "content comes first");
        assert!(after(&detail).contains(&(Event::ContactAdded, Some(DetailKind::Contact), 2, 3, false)));
    }

    #[test]
    fn quiet_steps_count_before_and_after_and_nowhere_else() {
        let events = [(9, ADDED), (10, CONTENT), (13, ADDED), (14, CONTENT), (17, ADDED), (18, CONTENT)];
        let with = |quiet: [i64; 2]| {
            let mut script: Vec<_> = events.into_iter().chain(quiet.map(|at| (at, QUIET))).collect();
            script.push((40, CONTENT));
            script.sort_by_key(|(at, _)| *at);
            after(&script)
        };
        assert_eq!(with([0, 4]), [], "both before");
        assert_eq!(with([24, 30]), [], "both after");
        assert_eq!(with([0, 24]), [(Event::ContactAdded, None, 3, 3, false)]);
    }

    #[test]
    fn once_is_not_claimed() {
        assert_eq!(after(&[(4, ADDED), (5, CONTENT)]), []);
        assert_eq!(after(&[(4, ADDED), (5, CONTENT), (8, ADDED), (12, ADDED)]), []);
    }

    #[test]
    fn what_comes_in_a_quiet_step_too_comes_on_its_own() {
        let script =
            [(0, QUIET), (1, CONTENT), (4, ADDED), (5, CONTENT), (8, ADDED), (9, CONTENT), (12, ADDED)];
        assert_eq!(after(&script), [(Event::ContactAdded, None, 2, 3, true)]);
    }

    #[test]
    fn without_three_repeats_between_two_whole_quiet_steps_nothing_is_claimed() {
        let repeats = |count: i64| (0..count).flat_map(|nth| [(4 + 4 * nth, ADDED), (5 + 4 * nth, CONTENT)]);
        let between = |first: &[(i64, _)], count: i64, last: &[(i64, _)]| {
            let script: Vec<_> =
                first.iter().copied().chain(repeats(count)).chain(last.iter().copied()).collect();
            after(&script).len()
        };
        let last = [(40, QUIET), (44, CONTENT)];
        assert_eq!(between(&[(0, QUIET)], 3, &last), 1);
        assert_eq!(between(&[], 3, &[]), 0, "no quiet step");
        assert_eq!(between(&[(0, QUIET)], 3, &[]), 0, "none after");
        assert_eq!(between(&[(2, QUIET)], 3, &last), 0, "one that was cut short");
        assert_eq!(between(&[(0, QUIET)], 2, &last), 0, "2 of 2");
    }

    #[test]
    fn how_it_was_protected_is_said_where_it_was_always_the_same() {
        let mut steps = play(&[(0, QUIET), (4, ADDED), (5, CONTENT), (8, ADDED)]);
        let mut case = Case::http();
        let mut send = |minute: i64| {
            let sent = Sent { at: Timestamp(minute * MINUTE), kinds: &[], envelope: Envelope::Tls };
            steps.sent(&case.flow, &mut case.noted, sent, || case.destination.clone());
            steps.seen.values().map(|seen| seen.envelope).collect::<Vec<_>>()
        };
        assert_eq!(send(9), [Envelope::Unknown]);
    }

    #[test]
    fn what_comes_later_than_three_minutes_is_background() {
        let script = [(0, ADDED), (4, CONTENT), (6, ADDED), (10, CONTENT)];
        assert_eq!(after(&script), []);
        let steps =
            play(&[(0, ADDED), (1, CONTENT), (10, ADDED), (11, CONTENT), (33, CONTENT), (66, CONTENT)]);
        let subject = steps.background.keys().next().unwrap();
        assert_eq!(steps.background(subject), 2_000, "two minutes in an hour without an event");
    }

    #[test]
    fn the_screen_ends_no_step_and_nothing_is_after_two_of_them() {
        let screen = Ok(Event::ScreenOff);
        let script = [(0, ADDED), (1, screen), (2, CONTENT), (8, ADDED), (9, screen), (10, CONTENT)];
        let steps = play(&script);
        let seen: Vec<_> = steps.seen.iter().map(|((_, event), seen)| (*event, seen.steps)).collect();
        assert_eq!(seen, [(Event::ContactAdded, 2)]);
        let alone = play(&[(0, screen), (1, CONTENT), (2, ADDED), (3, CONTENT), (8, screen), (9, CONTENT)]);
        let seen: Vec<_> = alone.seen.iter().map(|((_, event), seen)| (*event, seen.steps)).collect();
        assert_eq!(seen, [(Event::ScreenOff, 2), (Event::ContactAdded, 1)]);
    }

    #[test]
    fn nothing_is_counted_before_the_first_event_and_all_of_it_has_a_bound() {
        let mut steps = play(&[(0, CONTENT), (1, CONTACT)]);
        assert!(steps.background.is_empty() && steps.seen.is_empty());
        steps.begin(Event::Sim, Timestamp(0));
        let mut case = Case::http();
        for number in 0..limits::AFTER_EVENTS + 10 {
            case.flow.owner.program = Some(number.to_string());
            let (flow, at) = (&case.flow, Timestamp(1));
            let sent = Sent { at, kinds: &[], envelope: Envelope::None };
            steps.sent(flow, &mut Noted::default(), sent, || case.destination.clone());
        }
        assert_eq!((steps.seen.len(), steps.uncounted()), (limits::AFTER_EVENTS, 10));
    }

    /// Content of so many apps at once.
    fn crowd(steps: &mut Steps, apps: std::ops::Range<usize>, minute: i64) {
        let mut case = Case::http();
        for app in apps {
            case.flow.owner.program = Some(app.to_string());
            let sent = Sent { at: Timestamp(minute * MINUTE), kinds: &[], envelope: Envelope::None };
            steps.sent(&case.flow, &mut Noted::default(), sent, || case.destination.clone());
        }
    }

    #[test]
    fn what_comes_in_between_leaves_room_to_what_a_person_does() {
        let mut steps = play(&[(0, Ok(Event::ScreenOn))]);
        crowd(&mut steps, 0..limits::AFTER_EVENTS, 1);
        assert_eq!(steps.seen.len(), limits::AFTER_EVENTS / 2);
        for minute in [10, 20, 30] {
            steps.begin(Event::ScreenOn, Timestamp(minute * MINUTE));
        }
        steps.begin(Event::ContactAdded, Timestamp(40 * MINUTE));
        assert_eq!(steps.seen.len(), 0, "after one of four is not told");
        crowd(&mut steps, 0..limits::AFTER_EVENTS, 41);
        assert_eq!(steps.seen.len(), limits::AFTER_EVENTS);
    }

    #[test]
    fn of_what_could_not_be_counted_without_an_event_nothing_is_said() {
        let mut steps = play(&[(0, QUIET)]);
        crowd(&mut steps, 1..limits::AFTER_EVENTS, 4);
        assert_eq!(steps.uncounted(), 0);
        crowd(&mut steps, 0..2, 5);
        crowd(&mut steps, limits::AFTER_EVENTS..limits::AFTER_EVENTS + 1, 5);
        assert_eq!(steps.uncounted(), 1);
        for minute in [10, 20, 30] {
            steps.begin(Event::ContactAdded, Timestamp(minute * MINUTE));
            crowd(&mut steps, 0..1, minute + 1);
            crowd(&mut steps, limits::AFTER_EVENTS..limits::AFTER_EVENTS + 1, minute + 1);
        }
        steps.begin(Event::Quiet, Timestamp(40 * MINUTE));
        steps.pass(Timestamp(44 * MINUTE));
        let programs: Vec<_> = steps.findings().into_iter().map(|told| told.finding.program).collect();
        assert_eq!(programs, [Some("0".to_owned())], "the other one may come all the time");
    }

    #[test]
    fn what_happened_before_the_first_quiet_step_voids_no_claim() {
        let days = 24 * 60;
        let mut script = vec![(-days, ADDED), (-days / 2, ADDED), (-30, Ok(Event::ScreenOff))];
        script.extend([
            (0, QUIET),
            (4, ADDED),
            (5, CONTENT),
            (8, ADDED),
            (9, CONTENT),
            (12, ADDED),
            (16, QUIET),
        ]);
        script.push((20, CONTENT));
        assert_eq!(after(&script), [(Event::ContactAdded, None, 2, 3, false)]);
    }
}

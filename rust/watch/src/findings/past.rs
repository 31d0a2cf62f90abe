//! Whom an app contacted before, and how much it sends on a day: learned from what the store remembers, and
//! from what is seen since.

use std::collections::BTreeMap;
use std::net::IpAddr;

use telltale_model::{Country, Destination, Flow, FlowNumber, History, NameKnown, Owner, Timestamp, Zone};

use crate::destinations::Destinations;
use crate::limits;

/// Days on which an app was watched before its contacts are news.
const LEARNING: usize = 7;

/// Days of an app that make a usual one.
const DAYS: usize = 7;

/// Hours of a day in which anything was seen, at least: of a few minutes nobody can say what an app does on a day.
const HOURS: u32 = 12;

/// Less content than this on a day is never unusual: one picture.
const LEAST: u64 = 1 << 20;

/// Of a day that the store says was watched.
const ALL_HOURS: u32 = (1 << 24) - 1;

/// What is known of the days before.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    apps: BTreeMap<Who, App>,
    /// Companies and countries of all apps together.
    contacts: usize,
    /// The last days on which anything was watched, and the hours of each, a bit for one.
    watched: BTreeMap<i64, u32>,
    /// The hour that was watched last, counted where the phone is.
    hour: Option<i64>,
    /// Where the phone is: when its days end.
    zone: Zone,
}

/// User and program, as the ledger tells apps from each other.
pub(super) type Who = (Option<String>, Option<u32>);

/// Of an owner, where anything is known of it.
pub(super) fn who(owner: &Owner) -> Option<Who> {
    let known = owner.program.is_some() || owner.uid.is_some();
    known.then(|| (owner.program.clone(), owner.uid))
}

/// What is known of an app.
#[derive(Clone, Debug)]
struct App {
    first: Timestamp,
    /// Each with the flow that contacted it first, if that was since the watcher began.
    companies: BTreeMap<String, Option<FlowNumber>>,
    countries: BTreeMap<Country, Option<FlowNumber>>,
    /// Content by day: the last ones.
    days: BTreeMap<i64, u64>,
    /// The day that was told as unusual.
    told: Option<i64>,
    /// The day on which the usual one was worked out last, and it.
    usual: Option<(i64, Option<u64>)>,
}

/// That a flow was an app's first to its company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct First {
    /// Where it was the first to a country too.
    pub(crate) country: Option<String>,
}

/// A day on which an app sent far more than it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unusual {
    /// As [`Timestamp::day_in`] counts.
    pub(super) day: i64,
    /// Bytes of content up to then.
    pub(super) bytes: u64,
    /// Those of a usual day.
    pub(super) usual: u64,
}

/// What a contact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// Nothing new, or nobody knows whose.
    Known,
    /// News.
    First(First),
    /// It may be new: there was no room to remember it.
    Unremembered,
}

impl Past {
    /// Learns what the store remembers.
    pub(super) fn new(history: &History, tables: Option<&Destinations>) -> Self {
        let mut past = Self {
            watched: history.watched.iter().map(|day| (*day, ALL_HOURS)).collect(),
            ..Self::default()
        };
        for line in &history.contacts {
            let who = (line.program.clone(), line.uid);
            let country = country(line.company.as_deref(), line.address, tables);
            past.learn(who, line.first, line.company.as_deref(), country, None);
        }
        if history.more_contacts {
            // What was not read may be any of those that seem new.
            past.contacts = past.contacts.max(limits::CONTACTS);
        }
        for day in &history.days {
            let who = (day.program.clone(), day.uid);
            if let Some(app) = past.apps.get_mut(&who) {
                app.days.insert(day.day, day.content_sent);
            }
        }
        past
    }

    /// From now on days are those of this place.
    pub(super) fn turn_to(&mut self, zone: Zone) {
        self.zone = zone;
    }

    /// At this moment it is watched.
    pub(super) fn watch(&mut self, at: Timestamp) {
        let hour = at.hour_in(self.zone);
        if self.hour.replace(hour) == Some(hour) {
            return;
        }
        *self.watched.entry(hour.div_euclid(24)).or_default() |= 1 << hour.rem_euclid(24);
        // Only a clock that jumps makes more than a run has days.
        while self.watched.len() > limits::WATCHED_DAYS {
            self.watched.pop_first();
        }
    }

    /// The days from one to before another on which was watched for long enough.
    fn watched(&self, from: i64, to: i64) -> impl Iterator<Item = i64> {
        let days = self.watched.range(from..to);
        days.filter(|(_, hours)| hours.count_ones() >= HOURS).map(|(day, _)| *day)
    }

    /// A flow and with whom it speaks, as far as that is certain.
    pub(super) fn meet(
        &mut self,
        flow: &Flow,
        destination: &Destination,
        tables: Option<&Destinations>,
    ) -> Met {
        let Some(who) = who(&flow.owner).filter(|_| !destination.known.is_some_and(NameKnown::is_guess))
        else {
            return Met::Known;
        };
        let company = destination.company.as_deref();
        let country = country(company, flow.key.remote.ip(), tables);
        // A company that is known has its country already, whatever network it uses now.
        let learned = self.learn(who.clone(), flow.started, company, country, Some(flow.number));
        let Some((new_company, new_country)) = learned else { return Met::Unremembered };
        let country = country
            .filter(|_| new_country && (new_company || company.is_none()))
            .map(|country| country.code().to_owned());
        let is_news = (new_company || country.is_some()) && self.is_learned(&who, flow.started);
        if is_news { Met::First(First { country }) } else { Met::Known }
    }

    /// Whether an app was watched on enough days before this one.
    fn is_learned(&self, who: &Who, at: Timestamp) -> bool {
        let Some(app) = self.apps.get(who) else { return false };
        let (first, today) = (app.first.day_in(self.zone), at.day_in(self.zone));
        first < today && self.watched(first, today).count() >= LEARNING
    }

    /// Content that an app sent now. Says so when the day becomes unusual with it.
    pub(super) fn sent(&mut self, who: &Who, at: Timestamp, bytes: u64) -> Option<Unusual> {
        let today = at.day_in(self.zone);
        let app = self.apps.get_mut(who)?;
        let sum = app.days.entry(today).or_default();
        *sum = sum.saturating_add(bytes);
        let sum = *sum;
        // Days are few, and only a clock that jumps makes more.
        while app.days.len() > limits::DAYS {
            app.days.pop_first();
        }
        if app.told == Some(today) || sum < LEAST {
            return None;
        }
        let usual = self.usual_on(who, today)?;
        let unusual = usual > 0 && sum / 3 > usual;
        if unusual && let Some(app) = self.apps.get_mut(who) {
            app.told = Some(today);
        }
        unusual.then_some(Unusual { day: today, bytes: sum, usual })
    }

    /// Worked out once a day.
    fn usual_on(&mut self, who: &Who, today: i64) -> Option<u64> {
        let app = self.apps.get(who)?;
        if let Some((_, usual)) = app.usual.filter(|(day, _)| *day == today) {
            return usual;
        }
        let usual = self.usual(app, today);
        self.apps.get_mut(who)?.usual = Some((today, usual));
        usual
    }

    /// The median of the days before this one on which it was watched; a day without a word counts as one. `None` of an
    /// app that is not known long enough.
    fn usual(&self, app: &App, today: i64) -> Option<u64> {
        let first = app.first.day_in(self.zone).max(today.saturating_sub(History::DAYS)).min(today);
        let days = self.watched(first, today);
        let mut days: Vec<u64> = days.map(|day| app.days.get(&day).copied().unwrap_or(0)).collect();
        days.sort_unstable();
        days.get(days.len() / 2).copied().filter(|_| days.len() >= DAYS)
    }

    /// Whether company and country are new; with a flow also on its later looks. `None` where they may be, and there is
    /// no room to remember them.
    fn learn(
        &mut self,
        who: Who,
        at: Timestamp,
        company: Option<&str>,
        country: Option<Country>,
        flow: Option<FlowNumber>,
    ) -> Option<(bool, bool)> {
        if !self.has_room(&who, company, country) {
            return None;
        }
        let app = self.apps.entry(who).or_insert_with(|| App::new(at));
        app.first = app.first.min(at);
        let before = app.companies.len() + app.countries.len();
        let is_new = |known: &Option<FlowNumber>| flow.is_some() && *known == flow;
        let company = company.is_some_and(|company| match app.companies.get(company) {
            Some(known) => is_new(known),
            None => is_new(app.companies.entry(company.to_owned()).or_insert(flow)),
        });
        let country = country.is_some_and(|country| is_new(app.countries.entry(country).or_insert(flow)));
        self.contacts += app.companies.len() + app.countries.len() - before;
        Some((company, country))
    }

    /// What is known takes no room.
    fn has_room(&self, who: &Who, company: Option<&str>, country: Option<Country>) -> bool {
        let Some(app) = self.apps.get(who) else {
            return self.apps.len() < limits::APPS && self.contacts < limits::CONTACTS;
        };
        let known = company.is_none_or(|company| app.companies.contains_key(company))
            && country.is_none_or(|country| app.countries.contains_key(&country));
        known || self.contacts < limits::CONTACTS
    }
}

impl App {
    fn new(first: Timestamp) -> Self {
        Self {
            first,
            companies: BTreeMap::new(),
            countries: BTreeMap::new(),
            days: BTreeMap::new(),
            told: None,
            usual: None,
        }
    }
}

/// Where a company is registered, else the network of the address.
fn country(company: Option<&str>, address: IpAddr, tables: Option<&Destinations>) -> Option<Country> {
    let tables = tables?;
    let company = company.and_then(|id| tables.company_with_id(id));
    company.and_then(|company| company.country).or_else(|| tables.address(address)?.country())
}

#[cfg(test)]
mod tests {
    use telltale_model::{Day, Remembered};

    use super::*;
    use crate::findings::testing::Case;

    const DAY: i64 = 86_400 * 1_000_000;
    /// A day at noon.
    const NOW: Timestamp = Timestamp(20_000 * DAY + DAY / 2);

    fn curl() -> Who {
        (Some("/usr/bin/curl".into()), Some(1000))
    }

    /// Curl contacted a company called old so many days ago, and sent so much on each day since.
    fn past(days: i64, content_sent: u64) -> Past {
        let (program, uid) = curl();
        let contact = Remembered {
            program: program.clone(),
            uid,
            company: Some("old".into()),
            address: "192.0.2.7".parse().unwrap(),
            first: Timestamp(NOW.0 - days * DAY),
        };
        let day = |day| Day { program: program.clone(), uid, day, content_sent };
        let watched: Vec<i64> = (NOW.day() - days..NOW.day()).collect();
        let days = watched.iter().copied().map(day).collect();
        Past::new(&History { contacts: vec![contact], days, watched, ..History::default() }, None)
    }

    /// The same, of which only some days were watched.
    fn watched_on(days: i64, content_sent: u64, watched: impl Fn(i64) -> bool) -> Past {
        let mut past = past(days, content_sent);
        past.watched.retain(|day, _| watched(NOW.day() - day));
        let who = curl();
        let days = &past.watched;
        past.apps.get_mut(&who).unwrap().days.retain(|day, _| days.contains_key(day));
        past
    }

    fn meet(past: &mut Past, number: u64, company: &str) -> bool {
        let mut case = Case::http();
        (case.flow.number, case.flow.started) = (FlowNumber(number), NOW);
        case.destination.company = Some(company.into());
        matches!(past.meet(&case.flow, &case.destination, None), Met::First(_))
    }

    #[test]
    fn the_first_contact_with_a_company_is_news_and_stays_so_for_its_flow() {
        let mut past = past(8, 0);
        assert!(!meet(&mut past, 1, "old"));
        assert!(meet(&mut past, 2, "new") && meet(&mut past, 2, "new"));
        assert!(!meet(&mut past, 3, "new"));
    }

    #[test]
    fn an_app_is_learned_for_seven_days_in_silence() {
        assert!(!meet(&mut past(6, 0), 1, "new"));
        assert!(!meet(&mut Past::default(), 1, "new"));
    }

    #[test]
    fn a_guess_is_no_contact_and_an_unknown_app_has_no_past() {
        let mut past = past(8, 0);
        let mut case = Case::http();
        case.flow.started = NOW;
        case.destination.known = Some(NameKnown::Several);
        assert_eq!(past.meet(&case.flow, &case.destination, None), Met::Known);
        case.destination.known = None;
        case.flow.owner = Owner::default();
        assert_eq!(past.meet(&case.flow, &case.destination, None), Met::Known);
    }

    #[test]
    fn what_was_not_watched_teaches_nothing() {
        assert!(!meet(&mut watched_on(20, 0, |ago| ago <= 6), 1, "new"), "six days of twenty");
        assert!(meet(&mut watched_on(20, 0, |ago| ago % 2 == 0), 1, "new"), "ten of them");
        // On eight of fourteen days the monitor was off: the app was not silent then.
        let usual = |past: &mut Past, bytes| past.sent(&curl(), NOW, bytes).map(|unusual| unusual.usual);
        let mut some = watched_on(14, 1_000_000, |ago| ago <= 7);
        assert_eq!(usual(&mut some, 3_000_000), None, "a usual day's three times");
        assert_eq!(usual(&mut some, 3_000_000), Some(1_000_000));
        assert_eq!(usual(&mut watched_on(14, 1_000_000, |ago| ago <= 6), 9_000_000), None, "too few days");
    }

    #[test]
    fn a_day_on_which_others_spoke_was_watched_and_ends_where_the_phone_is() {
        let mut past = past(6, 0);
        let who = curl();
        past.turn_to(Zone(-2 * 3_600));
        (0..12).for_each(|hour| past.watch(Timestamp(NOW.0 + hour * DAY / 24)));
        past.turn_to(Zone::default());
        assert!(!past.is_learned(&who, NOW), "today is no day before this one");
        let late = Timestamp(NOW.0 + DAY * 11 / 24);
        assert!(!past.is_learned(&who, late));
        past.turn_to(Zone(2 * 3_600));
        assert!(past.is_learned(&who, late), "it is tomorrow there");
    }

    #[test]
    fn a_day_of_some_minutes_was_not_watched() {
        let morning = NOW.0 - DAY / 2;
        for (hours, learned) in [(11, false), (12, true)] {
            let mut past = past(6, 0);
            for hour in 0..hours {
                past.watch(Timestamp(morning + hour * DAY / 24));
                past.watch(Timestamp(morning + hour * DAY / 24 + 60_000_000));
            }
            assert_eq!(past.is_learned(&curl(), Timestamp(NOW.0 + DAY)), learned, "{hours}");
        }
    }

    #[test]
    fn three_times_the_usual_day_is_told_once_a_day() {
        let mut past = past(14, 1_000_000);
        let unusual = Unusual { day: NOW.day(), bytes: 3_000_003, usual: 1_000_000 };
        assert_eq!(past.sent(&curl(), NOW, 3_000_000), None);
        assert_eq!(past.sent(&curl(), NOW, 3), Some(unusual));
        assert_eq!(past.sent(&curl(), NOW, 9_000_000), None);
        assert!(past.sent(&curl(), Timestamp(NOW.0 + DAY), 9_000_000).is_some());
    }

    #[test]
    fn apps_have_a_bound() {
        let mut past = Past::default();
        for uid in 0..limits::APPS + 5 {
            past.learn((None, u32::try_from(uid).ok()), NOW, None, None, None);
        }
        assert_eq!(past.apps.len(), limits::APPS);
    }

    #[test]
    fn what_there_is_no_room_to_remember_is_said() {
        let mut past = past(8, 0);
        past.contacts = limits::CONTACTS;
        let mut case = Case::http();
        (case.flow.number, case.flow.started) = (FlowNumber(1), NOW);
        for (company, met) in [("old", Met::Known), ("new", Met::Unremembered)] {
            case.destination.company = Some(company.into());
            assert_eq!(past.meet(&case.flow, &case.destination, None), met);
        }
    }

    #[test]
    fn of_a_history_that_was_not_read_whole_nothing_is_called_new() {
        let mut past = Past::new(&History { more_contacts: true, ..History::default() }, None);
        let mut case = Case::http();
        case.destination.company = Some("old".into());
        assert_eq!(past.meet(&case.flow, &case.destination, None), Met::Unremembered);
    }

    #[test]
    fn silent_young_and_small_apps_have_no_usual_day() {
        assert_eq!(past(14, 0).sent(&curl(), NOW, 9_000_000), None);
        assert_eq!(past(6, 1_000_000).sent(&curl(), NOW, 9_000_000), None);
        assert_eq!(past(14, 1_000).sent(&curl(), NOW, 9_000), None);
        assert_eq!(Past::default().sent(&curl(), NOW, 9_000_000), None);
    }
}

//! Whom an app contacted before, and how much it sends on a day: learned from what the store remembers, and
//! from what is seen since.

use std::collections::BTreeMap;
use std::net::IpAddr;

use telltale_model::{Country, Destination, Flow, FlowNumber, History, NameKnown, Owner, Timestamp};

use crate::destinations::Destinations;
use crate::limits;

/// An app is watched for so long before its contacts are news. In microseconds.
const LEARNING: i64 = 7 * 86_400 * 1_000_000;

/// Days of an app that make a usual one.
const DAYS: usize = 7;

/// Less content than this on a day is never unusual: one picture.
const LEAST: u64 = 1 << 20;

/// What is known of the days before.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    apps: BTreeMap<Who, App>,
    /// Companies and countries of all apps together.
    contacts: usize,
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

impl Past {
    /// Learns what the store remembers.
    pub(super) fn new(history: &History, tables: Option<&Destinations>) -> Self {
        let mut past = Self::default();
        for line in &history.contacts {
            let who = (line.program.clone(), line.uid);
            let country = country(line.company.as_deref(), line.address, tables);
            past.learn(who, line.first, line.company.as_deref(), country, None);
        }
        for day in &history.days {
            let who = (day.program.clone(), day.uid);
            if let Some(app) = past.apps.get_mut(&who) {
                app.days.insert(day.day, day.content_sent);
            }
        }
        past
    }

    /// A flow and with whom it speaks, as far as that is certain.
    pub(super) fn meet(
        &mut self,
        flow: &Flow,
        destination: &Destination,
        tables: Option<&Destinations>,
    ) -> Option<First> {
        let who = who(&flow.owner)?;
        if destination.known == Some(NameKnown::Several) {
            return None;
        }
        let company = destination.company.as_deref();
        let country = country(company, flow.key.remote.ip(), tables);
        // A company that is known has its country already, whatever network it uses now.
        let (new_company, new_country) =
            self.learn(who.clone(), flow.started, company, country, Some(flow.number));
        let learned = flow.started.0.saturating_sub(self.apps.get(&who)?.first.0) >= LEARNING;
        let country = country
            .filter(|_| new_country && (new_company || company.is_none()))
            .map(|country| country.code().to_owned());
        (learned && (new_company || country.is_some())).then_some(First { country })
    }

    /// Content that an app sent now. Answers the day's sum and the usual one, when the day becomes unusual.
    pub(super) fn sent(&mut self, who: &Who, at: Timestamp, bytes: u64) -> Option<(u64, u64)> {
        let app = self.apps.get_mut(who)?;
        let today = at.day();
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
        let usual = app.usual_on(today)?;
        let unusual = usual > 0 && sum / 3 > usual;
        if unusual {
            app.told = Some(today);
        }
        unusual.then_some((sum, usual))
    }

    /// Whether company and country are new; with a flow also on its later looks.
    fn learn(
        &mut self,
        who: Who,
        at: Timestamp,
        company: Option<&str>,
        country: Option<Country>,
        flow: Option<FlowNumber>,
    ) -> (bool, bool) {
        let full = self.apps.len() >= limits::APPS && !self.apps.contains_key(&who);
        if self.contacts >= limits::CONTACTS || full {
            return (false, false);
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
        (company, country)
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

    /// Worked out once a day.
    fn usual_on(&mut self, today: i64) -> Option<u64> {
        if self.usual.is_none_or(|(day, _)| day != today) {
            self.usual = Some((today, self.usual(today)));
        }
        self.usual?.1
    }

    /// The median of the days before this one; a day without a word counts as one. `None` of an app that is
    /// not known long enough.
    fn usual(&self, today: i64) -> Option<u64> {
        let first = self.first.day().max(today.saturating_sub(History::DAYS));
        let mut days: Vec<u64> =
            (first..today).map(|day| self.days.get(&day).copied().unwrap_or(0)).collect();
        days.sort_unstable();
        days.get(days.len() / 2).copied().filter(|_| days.len() >= DAYS)
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
        let days = (NOW.day() - days..NOW.day()).map(day).collect();
        Past::new(&History { contacts: vec![contact], days }, None)
    }

    fn meet(past: &mut Past, number: u64, company: &str) -> bool {
        let mut case = Case::http();
        (case.flow.number, case.flow.started) = (FlowNumber(number), NOW);
        case.destination.company = Some(company.into());
        past.meet(&case.flow, &case.destination, None).is_some()
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
        assert_eq!(past.meet(&case.flow, &case.destination, None), None);
        case.destination.known = None;
        case.flow.owner = Owner::default();
        assert_eq!(past.meet(&case.flow, &case.destination, None), None);
    }

    #[test]
    fn three_times_the_usual_day_is_told_once_a_day() {
        let mut past = past(14, 1_000_000);
        assert_eq!(past.sent(&curl(), NOW, 3_000_000), None);
        assert_eq!(past.sent(&curl(), NOW, 3), Some((3_000_003, 1_000_000)));
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
    fn silent_young_and_small_apps_have_no_usual_day() {
        assert_eq!(past(14, 0).sent(&curl(), NOW, 9_000_000), None);
        assert_eq!(past(6, 1_000_000).sent(&curl(), NOW, 9_000_000), None);
        assert_eq!(past(14, 1_000).sent(&curl(), NOW, 9_000), None);
        assert_eq!(Past::default().sent(&curl(), NOW, 9_000_000), None);
    }
}

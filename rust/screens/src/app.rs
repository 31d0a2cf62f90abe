//! The screen of one app: how much it sent, when, and where it went.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use telltale_model::{Bounded, Content, Envelope, Looked, Protection, Role, Told};
use telltale_store::{Part, Slice, Span};

use crate::question::Unanswered;
use crate::seen::{self, Seen};
use crate::{Room, answers, today};

#[derive(Debug, Serialize)]
pub(crate) struct App {
    app: answers::App,
    about: String,
    lead: String,
    coverage: answers::Coverage,
    timeline: Timeline,
    destinations: Vec<Destination>,
    more: usize,
    findings: Vec<answers::Card>,
    more_findings: usize,
    facts: Vec<Fact>,
}

#[derive(Debug, Serialize)]
struct Timeline {
    step: i64,
    bars: Vec<Bar>,
    spoken: String,
}

#[derive(Debug, Serialize)]
struct Bar {
    at: i64,
    read: u64,
    yours: u64,
    unread: u64,
    gap: bool,
}

#[derive(Debug, Serialize)]
struct Destination {
    company: Option<String>,
    role: Option<&'static str>,
    name: String,
    hosts: Vec<String>,
    network: Option<String>,
    country: Option<String>,
    sent: u64,
    times: u64,
    mark: &'static str,
    verdict: String,
}

#[derive(Debug, Serialize)]
struct Fact {
    name: String,
    value: String,
}

/// An hour, in milliseconds and in microseconds.
const STEP: i64 = 3_600_000;
const HOUR: i64 = STEP * 1_000;

/// More bars than these would be narrower than can be seen: then one stands for a day.
const BARS: i64 = 72;

/// A year and a little.
const MOST_BARS: usize = 400;

/// Hosts of one destination that are named.
const HOSTS: usize = 8;

impl Room<'_> {
    pub(crate) fn app(&self, seen: &Seen, id: i64, hours: &[Slice]) -> Result<App, Unanswered> {
        let is_its = |told: &Told| seen.id(told.finding.program.as_deref(), told.finding.uid) == id;
        let its = || seen.all_told().filter(|(told, _)| is_its(told));
        let summary = seen::summary(seen.parts_of(id), its().map(|(told, _)| told), seen.is_partial());
        let coverage = self.coverage(&summary);
        let sent = self.words.app_sent(&self.words.size(coverage.sent));
        let looked = if summary.looked() == Looked::Found {
            self.words.lead(&summary)
        } else {
            self.absence(&summary, &coverage)
        };
        let (destinations, more) = self.common.page(self.destinations(seen, id));
        let (findings, more_findings) = self.first_cards(seen, its());
        Ok(App {
            app: self.named(seen, id),
            about: self.words.about_group(seen.group(id)),
            lead: [sent, looked].join(" ").trim().to_owned(),
            timeline: self.timeline(seen, hours)?,
            coverage,
            destinations,
            more,
            findings,
            more_findings,
            facts: self.facts(seen, id),
        })
    }

    fn absence(&self, summary: &telltale_words::Summary, coverage: &answers::Coverage) -> String {
        match summary.looked() {
            Looked::Nothing(bounded) => self.words.none_in_part(&bounded, coverage.read_percent),
            Looked::Unsearched { bytes: 1.. } => self.words.none_readable(),
            Looked::Found | Looked::NothingToLookFor { .. } | Looked::Unsearched { .. } => String::new(),
        }
    }

    /// Hours, or days where hours would be too many.
    fn timeline(&self, seen: &Seen, hours: &[Slice]) -> Result<Timeline, Unanswered> {
        let Span { from, to } = self.common.span()?;
        let zone = self.common.zone_offset.saturating_mul(1_000_000);
        let long = (to.0 - from.0) / HOUR > BARS;
        let step = if long { 24 * HOUR } else { HOUR };
        // The database counts whole hours of UTC; where clocks differ by half an hour, an hour counts where its middle
        // lies. Days begin at midnight here.
        let first = if long { (from.0 + zone).div_euclid(step) * step - zone } else { from.0 };
        let bar = |hour: i64| (hour + HOUR / 2 - first).div_euclid(step).max(0) * step + first;
        let mut bars: BTreeMap<i64, Content> = BTreeMap::new();
        let mut at = first;
        while at < to.0 && bars.len() < MOST_BARS {
            bars.insert(at, Content::default());
            at += step;
        }
        for slice in hours {
            if let Some(content) = bars.get_mut(&bar(slice.hour.0)) {
                content.add(&slice.content);
            }
        }
        let most =
            bars.iter().filter(|(_, content)| content.sent > 0).max_by_key(|(_, content)| content.sent);
        let spoken = most.filter(|_| !long).map_or_else(String::new, |(at, _)| {
            let clock = |at: i64| self.clock(telltale_model::Timestamp(at));
            self.words.most_between(&clock(*at), &clock(at + step))
        });
        let is_gap = |at: i64| seen.gaps.iter().any(|gap| gap.from.0 <= at && gap.to.0 >= at + step);
        let bars = bars.iter().map(|(at, content)| drawn(*at, content, is_gap(*at))).collect();
        Ok(Timeline { step: step / 1_000, bars, spoken })
    }

    /// Companies, and hosts whose company nobody knows; most sent first.
    fn destinations(&self, seen: &Seen, id: i64) -> Vec<Destination> {
        let mut groups: BTreeMap<(String, Option<Role>), Vec<&Part>> = BTreeMap::new();
        for part in seen.parts_of(id).filter(|part| today::sent(part)) {
            groups.entry((whom(part), part.role)).or_default().push(part);
        }
        let mut destinations: Vec<Destination> = groups
            .iter()
            .map(|((whom, role), parts)| self.destination(seen, id, whom, *role, parts))
            .collect();
        destinations.sort_by(|one, other| (other.sent, &one.name).cmp(&(one.sent, &other.name)));
        destinations
    }

    fn destination(
        &self,
        seen: &Seen,
        id: i64,
        whom: &str,
        role: Option<Role>,
        parts: &[&Part],
    ) -> Destination {
        let company = parts.iter().find_map(|part| part.company.as_deref()).map(|id| self.company(id));
        let probable = parts.iter().any(|part| part.probable);
        let mut content = Content::default();
        parts.iter().for_each(|part| content.add(&part.content));
        let hosts: BTreeSet<String> = parts.iter().filter_map(|part| part.host.clone()).collect();
        let country = parts.iter().find_map(|part| self.registered(part));
        let (mark, verdict) = self.verdict(seen, id, whom, &content, parts);
        let known = company.as_deref().map(|company| self.words.receiver_named(company, probable));
        Destination {
            name: known.unwrap_or_else(|| whom.to_owned()),
            company,
            role: role.map(Role::lay_words),
            hosts: hosts.into_iter().take(HOSTS).collect(),
            network: country.map(|country| self.words.network_in(country.name())),
            country: country.map(|country| country.code().to_owned()),
            sent: content.sent,
            times: parts.iter().fold(0_u64, |all, part| all.saturating_add(part.flows)),
            mark,
            verdict,
        }
    }

    /// What the company got, and whether others could read it.
    fn verdict(
        &self,
        seen: &Seen,
        id: i64,
        whom: &str,
        content: &Content,
        parts: &[&Part],
    ) -> (&'static str, String) {
        let mut open = BTreeSet::new();
        let mut disguised = BTreeSet::new();
        for (finding, is_disguised) in today::details_to(seen, id, whom) {
            let Some(detail) = self.detail_words(finding).filter(|_| finding.envelope == Envelope::None)
            else {
                continue;
            };
            if is_disguised { &mut disguised } else { &mut open }.insert(detail);
        }
        if let Some(detail) = open.first() {
            return ("eye", self.words.open_with(detail, open.len() as u64));
        }
        if let Some(detail) = disguised.first() {
            return ("mask", self.words.disguised_with(detail, disguised.len() as u64));
        }
        let telltale_model::Coverage { opaque, searched, found, encrypted, .. } = content.coverage;
        match content.protection() {
            Protection::Protected => ("lock", self.words.encrypted_unread()),
            Protection::Unknown => ("none", self.words.protection_unknown()),
            Protection::Mixed if content.is_protected_where_watched() => {
                ("none", self.words.encrypted_where_watched())
            }
            Protection::Mixed if encrypted == 0 && content.read_with_keys == 0 => {
                ("eye", self.words.open_in_part())
            }
            Protection::Mixed => ("none", self.words.protected_in_part()),
            // Not on the way; by the app itself it may be.
            Protection::None if opaque > 0 && searched == 0 && found == 0 => {
                ("none", self.words.protection_unknown())
            }
            Protection::None => {
                let summary = seen::summary(parts.iter().copied(), [], seen.is_partial());
                match Bounded::of(&summary.coverage, summary.given) {
                    Looked::Nothing(bounded) => ("eye", self.words.open_without(&bounded)),
                    Looked::Found | Looked::NothingToLookFor { .. } | Looked::Unsearched { .. } => {
                        ("eye", self.words.not_encrypted())
                    }
                }
            }
        }
    }

    fn facts(&self, seen: &Seen, id: i64) -> Vec<Fact> {
        let Some(known) = seen.with_id(id) else { return Vec::new() };
        let version = known.app.version.clone().filter(|version| !version.is_empty());
        let version = version.map(|value| Fact { name: self.words.fact_version(), value });
        let others = known.app.names.get(1..).unwrap_or_default();
        let shares = (!others.is_empty()).then(|| Fact {
            name: self.words.fact_shares(),
            value: self.words.shares_with(&others.join(", ")),
        });
        [version, shares].into_iter().flatten().collect()
    }
}

fn drawn(at: i64, content: &Content, gap: bool) -> Bar {
    let coverage = &content.coverage;
    Bar {
        at: at.div_euclid(1_000),
        read: coverage.searched,
        yours: coverage.found,
        unread: coverage.opaque.saturating_add(coverage.encrypted).saturating_add(coverage.unknown),
        gap,
    }
}

/// The company's id, else the host, else the address.
fn whom(part: &Part) -> String {
    let address = || part.address.map(|address| address.to_string());
    part.company.clone().or_else(|| part.host.clone()).or_else(address).unwrap_or_default()
}

//! The Today screen: what a person should know first, then every app by how much it sent.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use telltale_model::{AppGroup, Gap, Role, Timestamp, Told};
use telltale_store::Part;

use crate::apps::UNKNOWN;
use crate::question::{self, milliseconds};
use crate::seen::{self, Seen};
use crate::{Room, about, answers};

#[derive(Debug, Serialize)]
pub(crate) struct Today {
    state: &'static str,
    lead: String,
    apps_seen: usize,
    coverage: answers::Coverage,
    findings: Vec<answers::Card>,
    more_findings: usize,
    apps: Vec<AppRow>,
    more: usize,
    groups: Vec<Group>,
    gaps: Vec<answers::Gap>,
    fewer: String,
}

/// What stands in place of figures where there is only the permanent notice.
#[derive(Debug, Serialize)]
pub(crate) struct Notification {
    notification: String,
}

#[derive(Clone, Debug, Serialize)]
struct AppRow {
    app: answers::App,
    coverage: answers::Coverage,
    to: String,
    companies: usize,
    advertising: usize,
    details: u64,
}

#[derive(Debug, Serialize)]
struct Group {
    group: &'static str,
    name: String,
    sent: u64,
    apps: usize,
}

impl Room<'_> {
    pub(crate) fn today(&self, seen: &Seen, asked: &question::Today) -> Today {
        let summary = seen.summary();
        let (state, lead) = self.opening(&summary);
        let all = self.rows(seen, asked);
        let groups = self.groups(&all);
        let chosen = all.iter().filter(|row| chosen(row, asked)).cloned().collect();
        let (apps, more) = self.common.page(chosen);
        let (findings, more_findings) = self.first_cards(seen, seen.all_told());
        Today {
            state,
            lead,
            apps_seen: senders(seen).len(),
            coverage: self.coverage(&summary),
            findings,
            more_findings,
            apps,
            more,
            groups,
            gaps: seen.gaps.iter().map(|gap| self.gap(gap)).collect(),
            fewer: self.words.fewer(),
        }
    }

    pub(crate) fn notification(&self, seen: &Seen) -> Notification {
        let coverage = self.coverage(&seen.summary());
        let size = self.words.size(coverage.sent);
        let apps = senders(seen).len() as u64;
        Notification { notification: self.words.notification(&size, apps, coverage.read_percent) }
    }

    /// As many findings as were asked for, and how many there are behind them.
    pub(crate) fn first_cards<'a>(
        &self,
        seen: &Seen,
        mut told: impl Iterator<Item = (&'a Told, bool)>,
    ) -> (Vec<answers::Card>, usize) {
        let wanted = told.by_ref().take(self.common.findings.unwrap_or(usize::MAX));
        let cards = wanted.map(|(told, expected)| self.card(seen, told, expected)).collect();
        (cards, told.count())
    }

    pub(crate) fn gap(&self, gap: &Gap) -> answers::Gap {
        answers::Gap {
            from: milliseconds(gap.from),
            to: milliseconds(gap.to),
            why: gap.why.name(),
            sentence: self.words.gap(gap.why, &self.clock(gap.from), &self.clock(gap.to)),
        }
    }

    /// The time of day here, such as `08:14`.
    pub(crate) fn clock(&self, at: Timestamp) -> String {
        let minutes = (at.seconds() + self.common.zone_offset).div_euclid(60).rem_euclid(24 * 60);
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// Every app that sent something, most first.
    fn rows(&self, seen: &Seen, asked: &question::Today) -> Vec<AppRow> {
        let home = self.home.filter(|_| asked.outside);
        let mut by_app: BTreeMap<i64, Vec<&Part>> = BTreeMap::new();
        for part in &seen.parts {
            let outside = |home| self.registered(part).is_some_and(|country| country != home);
            if sent(part) && home.is_none_or(outside) {
                by_app.entry(seen.id(part.program.as_deref(), part.uid)).or_default().push(part);
            }
        }
        let mut rows: Vec<AppRow> =
            by_app.into_iter().map(|(id, parts)| self.row(seen, id, &parts)).collect();
        rows.sort_by(|one, other| {
            (other.coverage.sent, &one.app.name, one.app.id).cmp(&(
                one.coverage.sent,
                &other.app.name,
                other.app.id,
            ))
        });
        rows
    }

    fn row(&self, seen: &Seen, id: i64, parts: &[&Part]) -> AppRow {
        let told = seen
            .findings
            .iter()
            .chain(&seen.expected)
            .filter(|told| seen.id(told.finding.program.as_deref(), told.finding.uid) == id);
        let summary = seen::summary(parts.iter().copied(), told, seen.is_partial());
        let companies: BTreeSet<&str> = parts.iter().filter_map(|part| part.company.as_deref()).collect();
        let ads: BTreeSet<&str> = parts
            .iter()
            .filter(|part| is_advertising(part))
            .filter_map(|part| part.company.as_deref())
            .collect();
        let coverage = self.coverage(&summary);
        let unread = coverage.read.saturating_add(coverage.yours) == 0 && coverage.unread > 0;
        AppRow {
            app: self.named(seen, id),
            to: self.whereto(&companies, ads.len(), summary.details, unread),
            companies: companies.len(),
            advertising: ads.len(),
            details: summary.details,
            coverage,
        }
    }

    fn whereto(&self, companies: &BTreeSet<&str>, ads: usize, details: u64, unread: bool) -> String {
        let only = companies.first().filter(|_| companies.len() == 1).map(|id| self.company(id));
        let mut said = vec![match only {
            Some(company) => self.words.to_company(&company),
            None => self.words.to_companies(companies.len() as u64, ads as u64),
        }];
        if details > 0 {
            said.push(self.words.details_in_it(details));
        } else if unread {
            said.push(self.words.could_not_be_read());
        }
        said.join(" ")
    }

    fn groups(&self, rows: &[AppRow]) -> Vec<Group> {
        let group = |group: AppGroup| {
            let of = rows.iter().filter(|row| row.app.group == group.name());
            let sent = of.clone().fold(0_u64, |sum, row| sum.saturating_add(row.coverage.sent));
            Group { group: group.name(), name: self.words.app_group(group), sent, apps: of.count() }
        };
        AppGroup::ALL.into_iter().map(group).filter(|group| group.apps > 0).collect()
    }
}

/// Content, or bytes that nobody can class: what only asked for names sent nothing of a person's.
pub(crate) fn sent(part: &Part) -> bool {
    let coverage = &part.content.coverage;
    [
        coverage.searched,
        coverage.found,
        coverage.opaque,
        coverage.encrypted,
        coverage.unknown,
        coverage.not_watched,
    ]
    .iter()
    .any(|bytes| *bytes > 0)
}

fn senders(seen: &Seen) -> BTreeSet<i64> {
    let sending = seen.parts.iter().filter(|part| sent(part));
    sending.map(|part| seen.id(part.program.as_deref(), part.uid)).filter(|id| *id != UNKNOWN).collect()
}

pub(crate) fn is_advertising(part: &Part) -> bool {
    matches!(part.role, Some(Role::Advertising | Role::Attribution | Role::Profiling))
}

fn chosen(row: &AppRow, asked: &question::Today) -> bool {
    let in_group = asked.group.as_deref().is_none_or(|group| group == row.app.group);
    let searched = asked.search.as_deref().map(str::to_lowercase).filter(|search| !search.is_empty());
    let has = |search: &String| {
        let names = std::iter::once(&row.app.name).chain(&row.app.packages);
        names.map(|name| name.to_lowercase()).any(|name| name.contains(search.as_str()))
    };
    in_group && searched.as_ref().is_none_or(has)
}

/// Whether a finding says something of the person's to a company.
pub(crate) fn details_to<'a>(
    seen: &'a Seen,
    id: i64,
    whom: &'a str,
) -> impl Iterator<Item = (&'a telltale_model::Finding, bool)> {
    let told = seen.findings.iter().chain(&seen.expected).map(|told| &told.finding);
    told.filter(move |finding| {
        let destination = &finding.destination;
        seen.id(finding.program.as_deref(), finding.uid) == id
            && destination.company.as_deref().or(destination.name.as_deref()) == Some(whom)
    })
    .filter_map(|finding| about::yours(finding).map(|(_, disguised)| (finding, disguised)))
}

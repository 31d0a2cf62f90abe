//! The screen of one finding: what was sent, and what shows it.

use serde::Serialize;
use telltale_model::{DetailKind, DetailName, Finding, Told};
use telltale_words::Switch;

use crate::question::{Unanswered, milliseconds};
use crate::seen::Seen;
use crate::{Room, about, answers, strong};

#[derive(Debug, Serialize)]
pub(crate) struct FindingScreen {
    card: answers::Card,
    title: String,
    when: Vec<i64>,
    to: String,
    host: Option<String>,
    network: Option<String>,
    protection: String,
    sure: String,
    background: Option<String>,
    evidence: Vec<Evidence>,
    means: String,
    #[serde(rename = "do")]
    advice: Vec<String>,
    expected: bool,
}

/// A piece of what was sent, details masked.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Evidence {
    field: Option<String>,
    text: String,
    hits: Vec<Marked>,
}

/// Where a detail stood, in UTF-16 units.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Marked {
    range: [usize; 2],
    tag: String,
}

impl Room<'_> {
    pub(crate) fn finding(&self, seen: &Seen, key: &str) -> Result<FindingScreen, Unanswered> {
        let is_it = |told: &&Told| told.finding.key() == key;
        let (told, expected) = match seen.findings.iter().find(is_it) {
            Some(told) => (told, false),
            None => (seen.expected.iter().find(is_it).ok_or_else(gone)?, true),
        };
        let finding = &told.finding;
        let named = self.parties(seen, finding);
        let card = self.card(seen, told, expected);
        let mut when = vec![card.first, milliseconds(told.last)];
        when.dedup();
        Ok(FindingScreen {
            title: card.sentence.clone(),
            when,
            to: self.words.receiver_of(&named.parties()),
            host: named.host.clone(),
            network: self.network(finding),
            protection: self.words.protection(finding),
            sure: self.words.sure(finding),
            background: self.words.background(finding),
            evidence: self.evidence(finding).into_iter().collect(),
            means: self.words.why(finding),
            advice: self.advice(finding),
            expected,
            card,
        })
    }

    fn network(&self, finding: &Finding) -> Option<String> {
        let country = self.tables?.address(finding.destination.address?)?.country()?;
        Some(self.words.network_in(country.name()))
    }

    fn evidence(&self, finding: &Finding) -> Option<Evidence> {
        let excerpt = finding.evidence.excerpt.as_deref()?;
        let (text, hits) = self.marked(excerpt, finding);
        Some(Evidence { field: finding.evidence.field.clone(), text, hits })
    }

    /// `<imei 1>` becomes the detail with most of it hidden, where it is still looked for, and is marked. The finding
    /// knows its own by its id: another may have its number by now.
    fn marked(&self, excerpt: &str, finding: &Finding) -> (String, Vec<Marked>) {
        let (mut text, mut hits) = (String::new(), Vec::new());
        let mut rest = excerpt;
        let about = about::yours(finding).map(|(name, _)| name);
        while let Some((before, name, after)) = next_name(rest) {
            text.push_str(if is_phone_number(name.kind) { without_prefix(before) } else { before });
            let from = strong::units(&text);
            let same = |about: &DetailName| (about.kind, about.number) == (name.kind, name.number);
            let is_it = |sought: &&crate::Sought| match about.filter(same) {
                Some(about) => sought.kind == about.kind && sought.id == about.id,
                None => (sought.kind, sought.number) == (name.kind, name.number),
            };
            let shown = self.looked_for.own.iter().find(is_it).map(|sought| sought.masked.clone());
            let which = self.which(name);
            text.push_str(shown.as_deref().unwrap_or(&which));
            hits.push(Marked { range: [from, strong::units(&text)], tag: which });
            rest = after;
        }
        text.push_str(rest);
        (text, hits)
    }

    fn advice(&self, finding: &Finding) -> Vec<String> {
        let destination = &finding.destination;
        let found = self.tables.zip(destination.company.as_deref()).and_then(|(tables, id)| {
            let company = tables.company_with_id(id)?;
            Some(tables.switches(company.number, destination.role?).collect::<Vec<_>>())
        });
        let switch = |switch: &telltale_watch::destinations::Switch<'_>| {
            (switch.path.to_owned(), switch.versions.to_owned(), switch.how != "unchecked")
        };
        let known: Vec<(String, String, bool)> = found.unwrap_or_default().iter().map(switch).collect();
        let switches: Vec<Switch<'_>> = known
            .iter()
            .map(|(path, versions, checked)| Switch { path, versions, checked: *checked })
            .collect();
        self.words.advice(finding, &switches)
    }
}

fn gone() -> Unanswered {
    Unanswered::Question("there is no such finding, or it was forgotten".into())
}

fn is_phone_number(kind: DetailKind) -> bool {
    matches!(kind, DetailKind::Phone | DetailKind::Contact)
}

/// Without the prefix for other countries (ITU-T E.123 3.1) that may stand before the digits that were found: the
/// masked number has its own.
fn without_prefix(before: &str) -> &str {
    let zeros =
        || before.strip_suffix("00").filter(|rest| !rest.ends_with(|last: char| last.is_ascii_digit()));
    ["+", "%2B", "%2b"].iter().find_map(|plus| before.strip_suffix(plus)).or_else(zeros).unwrap_or(before)
}

/// The first name of a detail in a text, with what stands before and behind it.
fn next_name(text: &str) -> Option<(&str, DetailName, &str)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find('<').map(|at| from + at) {
        let (before, rest) = text.split_at(at);
        if let Some((inside, after)) = rest.get(1..)?.split_once('>')
            && let Some((kind, number)) = inside.split_once(' ')
            && let Some(kind) = DetailKind::ALL.into_iter().find(|known| known.name() == kind)
            && let Ok(number) = number.parse()
        {
            return Some((before, DetailName { kind, number, id: 0 }, after));
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_prefix() {
        for before in ["id=+", "id=%2B", "id=%2b", "id=00", "id="] {
            assert_eq!(without_prefix(before), "id=", "{before}");
        }
        assert_eq!(without_prefix("id=700"), "id=700", "digits of something else");
        assert_eq!(without_prefix("a b++"), "a b+");
    }

    #[test]
    fn names_of_details_are_found_among_other_angles() {
        let (before, name, after) = next_name("<a> x<imei 2>&y=<b 1>").unwrap();
        assert_eq!((before, name.kind, name.number, after), ("<a> x", DetailKind::Imei, 2, "&y=<b 1>"));
        assert!(next_name("<imei x> < <>").is_none());
    }
}

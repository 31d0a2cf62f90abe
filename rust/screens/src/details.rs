//! The person's details: which are looked for, and what became of each.

use std::collections::BTreeSet;

use serde::Serialize;
use telltale_model::{DetailKind, DetailName, Envelope, Looked};

use crate::seen::Seen;
use crate::{Room, Sought, about};

#[derive(Debug, Serialize)]
pub(crate) struct DetailsScreen {
    lead: String,
    looking: Vec<Looking>,
    contacts: Contacts,
    missing: Vec<Missing>,
}

#[derive(Debug, Serialize)]
struct Looking {
    kind: &'static str,
    number: u16,
    name: String,
    masked: String,
    said: String,
    mark: &'static str,
}

#[derive(Debug, Serialize)]
struct Contacts {
    count: usize,
    said: String,
    mark: &'static str,
}

#[derive(Debug, Serialize)]
struct Missing {
    kind: &'static str,
    number: u16,
    name: String,
    hint: String,
}

/// What most people can give, in the order in which it is offered. IMEI stands for two SIMs.
const OFFERED: [(DetailKind, u16); 12] = [
    (DetailKind::Phone, 1),
    (DetailKind::Imei, 1),
    (DetailKind::Imei, 2),
    (DetailKind::AdvertisingId, 1),
    (DetailKind::Email, 1),
    (DetailKind::Serial, 1),
    (DetailKind::Mac, 1),
    (DetailKind::Iccid, 1),
    (DetailKind::Imsi, 1),
    (DetailKind::Name, 1),
    (DetailKind::Place, 1),
    (DetailKind::Word, 1),
];

impl Room<'_> {
    pub(crate) fn details(&self, seen: &Seen) -> DetailsScreen {
        let own = &self.looked_for.own;
        let has = |kind: DetailKind, number: u16| {
            own.iter().any(|sought| sought.kind == kind && sought.number == number)
        };
        let contacts = (self.looked_for.contacts == 0).then_some((DetailKind::Contact, 1));
        let missing = OFFERED.into_iter().chain(contacts).filter(|(kind, number)| !has(*kind, *number));
        let (said, mark) = self.fate(seen, |name| name.kind == DetailKind::Contact);
        DetailsScreen {
            lead: self.words.details_lead(),
            looking: own.iter().map(|sought| self.looking(seen, sought)).collect(),
            contacts: Contacts { count: self.looked_for.contacts, said, mark },
            missing: missing.map(|(kind, number)| self.missing(kind, number)).collect(),
        }
    }

    fn looking(&self, seen: &Seen, sought: &Sought) -> Looking {
        let Sought { kind, number, id, masked } = sought;
        // By its id: its number may have been another's, which was removed.
        let (said, mark) = self.fate(seen, |name| name.kind == *kind && name.id == *id);
        Looking {
            kind: kind.name(),
            number: *number,
            name: self.words.detail_name(*kind, *number),
            masked: masked.clone(),
            said,
            mark,
        }
    }

    /// By how many apps it was sent, and how openly; else what can be said of what was looked into.
    fn fate(&self, seen: &Seen, is_it: impl Fn(DetailName) -> bool) -> (String, &'static str) {
        let mut senders = BTreeSet::new();
        let mut mark = "none";
        for told in seen.findings.iter().chain(&seen.expected) {
            let finding = &told.finding;
            let Some((name, disguised)) = about::yours(finding) else { continue };
            if !is_it(name) {
                continue;
            }
            senders.insert((finding.program.clone(), finding.uid));
            mark = match (finding.envelope, disguised) {
                (Envelope::None, false) => "open",
                (Envelope::None, true) if mark != "open" => "disguised",
                _ if mark == "none" => "protected",
                _ => mark,
            };
        }
        match senders.len() as u64 {
            0 => match seen.summary().looked_for_one() {
                Looked::Nothing(bounded) => (self.words.not_seen(&bounded), "none"),
                Looked::NothingToLookFor { .. } => (self.words.given_later(), "unread"),
                Looked::Found | Looked::Unsearched { .. } => (self.words.nothing_looked_into(), "unread"),
            },
            apps => (self.words.sent_by(apps, mark == "disguised"), mark),
        }
    }

    fn missing(&self, kind: DetailKind, number: u16) -> Missing {
        let name = self.words.detail_name(kind, number);
        Missing { kind: kind.name(), number, name, hint: self.words.detail_hint(kind) }
    }
}

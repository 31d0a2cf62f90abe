//! What can be said of a finding and of a destination, with the names that the tables know.

use std::borrow::Cow;

use telltale_model::{Country, DetailKind, DetailName, Finding, Grade, Told, What, is_disguised};
use telltale_store::Part;
use telltale_words::{Level, Parties};

use crate::question::milliseconds;
use crate::seen::Seen;
use crate::{Room, answers, strong};

/// The parties of a finding by their names.
pub(crate) struct Named {
    pub(crate) app: Option<String>,
    pub(crate) company: Option<String>,
    pub(crate) probable: bool,
    pub(crate) host: Option<String>,
    country: Option<&'static str>,
    several: bool,
}

impl Named {
    pub(crate) fn parties(&self) -> Parties<'_> {
        Parties {
            app: self.app.as_deref(),
            company: self.company.as_deref(),
            probable: self.probable,
            host: self.host.as_deref(),
            country: self.country,
            several: self.several,
        }
    }
}

impl Room<'_> {
    pub(crate) fn parties(&self, seen: &Seen, finding: &Finding) -> Named {
        let destination = &finding.destination;
        let address = || destination.address.map(|address| Cow::Owned(address.to_string()));
        let host = destination.name.as_deref().map(Cow::Borrowed).or_else(address);
        let country = if let What::FirstContact { country: Some(code) } = &finding.what {
            code.as_bytes().try_into().ok().and_then(Country::new).map(Country::name)
        } else {
            None
        };
        let known = seen.known(finding.program.as_deref(), finding.uid);
        Named {
            app: known.map(|known| self.name(Some(known))),
            company: destination.company.as_deref().map(|id| self.company(id)),
            probable: destination.probable,
            host: host.map(Cow::into_owned),
            country,
            several: self.has_several(finding),
        }
    }

    /// Whether there are several details of the finding's kind, so that its number must tell which it is.
    fn has_several(&self, finding: &Finding) -> bool {
        matches!(finding.what, What::IdentifierSent { kind, .. } if self.are_several(kind))
    }

    /// Contacts are not kept: where none is looked for now, there may have been many.
    fn are_several(&self, kind: DetailKind) -> bool {
        let own = self.looked_for.own.iter().filter(|sought| sought.kind == kind).count();
        own > 1 || (kind == DetailKind::Contact && self.looked_for.contacts != 1)
    }

    /// A detail with its possessive, such as "your phone number"; of several with the number that tells which it is.
    pub(crate) fn which(&self, detail: DetailName) -> String {
        self.words.which(detail.kind, Some(detail), self.are_several(detail.kind))
    }

    pub(crate) fn card(&self, seen: &Seen, told: &Told, expected: bool) -> answers::Card {
        let finding = &told.finding;
        let named = self.parties(seen, finding);
        let sentence = self.words.sentence(finding, &named.parties());
        let detail = self.detail_words(finding).unwrap_or_default();
        let strong = strong::ranges(&sentence, &[named.app.as_deref().unwrap_or_default(), &detail]);
        let app = self.named(seen, seen.id(finding.program.as_deref(), finding.uid));
        answers::Card {
            key: finding.key(),
            level: level(finding),
            label: self.words.level(Level::of(finding)),
            strong,
            sentence,
            app,
            first: milliseconds(finding.at),
            last: milliseconds(told.last),
            times: told.times,
            times_words: self.words.times(told.times),
            expected,
        }
    }

    /// The detail as the finding's sentence calls it, where it is about one.
    pub(crate) fn detail_words(&self, finding: &Finding) -> Option<String> {
        let What::IdentifierSent { kind, detail, .. } = finding.what else { return None };
        Some(self.words.which(kind, detail, self.are_several(kind)))
    }

    /// A company by its name; its id where the tables know it no more.
    pub(crate) fn company(&self, id: &str) -> String {
        let found = self.tables.and_then(|tables| {
            tables.company_with_id(id).or_else(|| tables.all_companies().find(|company| company.id == id))
        });
        found.map_or_else(|| id.to_owned(), |company| company.name.to_owned())
    }

    /// Where the network of an address is registered.
    pub(crate) fn registered(&self, part: &Part) -> Option<Country> {
        self.tables?.address(part.address?)?.country()
    }
}

/// How the app draws it.
pub(crate) fn level(finding: &Finding) -> &'static str {
    match Level::of(finding) {
        Level::Open => "open",
        Level::Disguised => "disguised",
        Level::Protected => "protected",
        Level::Unknown | Level::Notice => "info",
    }
}

/// The detail of a finding that is the person's.
pub(crate) fn yours(finding: &Finding) -> Option<(DetailName, bool)> {
    let What::IdentifierSent { detail: Some(name), grade: Grade::Yours, form, .. } = &finding.what else {
        return None;
    };
    Some((*name, is_disguised(form)))
}

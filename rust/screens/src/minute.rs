//! The first minute: what a phone sends while nobody touches it.

use std::collections::BTreeSet;

use serde::Serialize;
use telltale_model::Relation;
use telltale_watch::destinations::Around;

use crate::seen::Seen;
use crate::{Room, today};

#[derive(Debug, Serialize)]
pub(crate) struct Minute {
    sentence: String,
    apps: u64,
    companies: u64,
    sent: u64,
    maker: u64,
}

impl Room<'_> {
    pub(crate) fn minute(&self, seen: &Seen) -> Minute {
        let parts = || seen.parts.iter().filter(|part| today::sent(part));
        let apps: BTreeSet<_> = parts().map(|part| (&part.program, part.uid)).collect();
        let companies: BTreeSet<&str> = parts().filter_map(|part| part.company.as_deref()).collect();
        let sent = self.coverage(&seen.summary()).sent;
        let maker = companies.iter().filter(|id| self.is_maker(id)).count() as u64;
        let (apps, companies) = (apps.len() as u64, companies.len() as u64);
        let sentence = self.words.minute(apps, companies, &self.words.size(sent), maker);
        Minute { sentence, apps, companies, sent, maker }
    }

    /// Whether a company is the maker of this phone, or belongs to it.
    fn is_maker(&self, id: &str) -> bool {
        let Some(tables) = self.tables else { return false };
        let company = tables.company_with_id(id).map(|company| company.number);
        let around = Around { phone: self.around.phone, ..Around::default() };
        tables.relation(company, &around) == Relation::PhoneMaker
    }
}

//! From a host name to its row.

use std::fmt;

use telltale_model::{How, Role};

use super::fields::{place_at, record, u16_at};
use super::hosts::Suffixes;
use super::layout::ENTRY;
use super::{Company, CompanyNumber, Destinations};

/// What the tables say of a host. It is a place in them: what is not asked for is not read.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    tables: &'a Destinations,
    matched: usize,
    company: CompanyNumber,
    /// The entry of a row written by hand; none for one of the list.
    entry: Option<&'a [u8; ENTRY]>,
}

/// RFC 1035 2.3.4, in text.
const LONGEST_NAME: usize = 253;

impl Destinations {
    /// The row of the longest suffix of a host name. Rows written by hand go before all of a list. The
    /// name's case, and a dot at its end, do not matter.
    pub fn host(&self, host: &str) -> Option<Row<'_>> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let mut lowered = [0; LONGEST_NAME];
        let lowered = lowered.get_mut(..host.len())?;
        lowered.copy_from_slice(host.as_bytes());
        lowered.make_ascii_lowercase();
        let suffixes = Suffixes::of(lowered);
        self.written(&suffixes).or_else(|| self.listed(&suffixes))
    }

    fn written(&self, suffixes: &Suffixes) -> Option<Row<'_>> {
        let (matched, entry) = self.hosts.longest(suffixes)?;
        let entry = record::<ENTRY>(&self.entries, usize::from(entry))?;
        let company = CompanyNumber(u16_at(entry, 0)?);
        Some(Row { tables: self, matched, company, entry: Some(entry) })
    }

    fn listed(&self, suffixes: &Suffixes) -> Option<Row<'_>> {
        let (matched, owner) = self.listed_hosts.longest(suffixes)?;
        Some(Row { tables: self, matched, company: self.company_of_owner(owner)?, entry: None })
    }

    /// Whom the public list alone gives a host in lower case to, whatever the rows say: the owner's id
    /// in the list, and the company. For the build tool.
    pub fn listed_owner(&self, host: &str) -> Option<(&str, CompanyNumber)> {
        let (_, owner) = self.listed_hosts.longest(&Suffixes::of(host.as_bytes()))?;
        Some((self.owners.get(usize::from(owner) * 2), self.company_of_owner(owner)?))
    }
}

impl<'a> Row<'a> {
    /// How many bytes at the end of the host name, without a dot there, are the suffix that matched.
    pub fn matched(&self) -> usize {
        self.matched
    }

    /// Who runs it; to be called probable where [`How::is_probable`] says so.
    pub fn company(&self) -> CompanyNumber {
        self.company
    }

    /// The same with all that is known of it; `None` in a damaged file alone.
    pub fn company_itself(&self) -> Option<Company<'a>> {
        self.tables.company(self.company)
    }

    /// What it is for, where known.
    pub fn role(&self) -> Option<Role> {
        let [_, _, role, ..] = self.entry?;
        Role::ALL.get(usize::from(*role)).copied()
    }

    /// How all this is known.
    pub fn how(&self) -> How {
        let Some([_, _, _, how, ..]) = self.entry else { return How::List };
        How::ALL.get(usize::from(*how)).copied().unwrap_or(How::NameOnly)
    }

    /// Where that can be looked up: a URL or a title, the name of the list; empty where there is
    /// nothing but the name.
    pub fn reference(&self) -> &'a str {
        match self.entry {
            Some(entry) => self.text(entry, 4),
            None => self.tables.sources().next().map_or("", |list| list.name),
        }
    }

    /// When that was last looked at, as `2026-11-25`; empty for rows of the list.
    pub fn checked(&self) -> &'a str {
        self.entry.map_or("", |entry| self.text(entry, 8))
    }

    fn text(&self, entry: &[u8; ENTRY], at: usize) -> &'a str {
        place_at(entry, at).map_or("", |text| self.tables.texts.get(text))
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("company", &self.company)
            .field("role", &self.role())
            .finish_non_exhaustive()
    }
}

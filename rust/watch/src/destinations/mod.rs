//! Whom a host or an address belongs to: the packed tables, and how to read them.
//!
//! [`Destinations::open`] takes the unpacked file, mapped into memory or not. Every read of it is
//! checked: a damaged file gives an error or no answer, never a panic.

mod company;
mod fields;
mod hosts;
pub mod layout;
mod network;
mod ranges;
mod relation;
mod row;
mod suffix;
mod switch;
mod texts;
mod unpack;

use std::fmt;

use bytes::Bytes;

use fields::{part, place_at, u32_at};
use hosts::Hosts;
use layout::{FORMAT, HEADER, MAGIC, PREAMBLE, Section};
use ranges::Ranges;
use texts::Texts;

pub use company::{Company, CompanyNumber};
pub use network::{Network, Source};
pub use relation::Around;
pub use row::Row;
pub use switch::Switch;
pub use unpack::unpack;

/// The tables of destinations. Cloning shares them.
#[derive(Clone)]
pub struct Destinations {
    file: Bytes,
    texts: Texts,
    companies: Bytes,
    brands: Bytes,
    entries: Bytes,
    hosts: Hosts,
    switches: Bytes,
    suffixes: Hosts,
    owner_companies: Bytes,
    owners: Texts,
    listed_hosts: Hosts,
    systems: Bytes,
    system_names: Texts,
    ranges4: Ranges,
    ranges6: Ranges,
    sources: Texts,
}

/// Why a file is no good: a part of a sentence, without a full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unusable(&'static str);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the tables of destinations cannot be used: {}", self.0)
    }
}

impl std::error::Error for Unusable {}

impl Destinations {
    /// Opens the unpacked file. This reads it once as a whole, for its checksum.
    ///
    /// # Errors
    /// Where it is no such file, is of another format, is cut short or damaged.
    pub fn open(file: Bytes) -> Result<Self, Unusable> {
        check(&file)?;
        Self::sections(&file).ok_or(Unusable("the parts of the file do not fit together"))
    }

    fn sections(file: &Bytes) -> Option<Self> {
        let section = |section| Self::part_of(file, section);
        Some(Self {
            file: file.clone(),
            texts: Texts::open(&section(Section::Texts)?)?,
            companies: section(Section::Companies)?,
            brands: section(Section::Brands)?,
            entries: section(Section::Entries)?,
            hosts: Hosts::open(&section(Section::Hosts)?)?,
            switches: section(Section::Switches)?,
            suffixes: Hosts::open(&section(Section::Suffixes)?)?,
            owner_companies: section(Section::OwnerCompanies)?,
            owners: Texts::open(&section(Section::Owners)?)?,
            listed_hosts: Hosts::open(&section(Section::ListedHosts)?)?,
            systems: section(Section::Systems)?,
            system_names: Texts::open(&section(Section::SystemNames)?)?,
            ranges4: Ranges::open(&section(Section::Ranges4)?)?,
            ranges6: Ranges::open(&section(Section::Ranges6)?)?,
            sources: Texts::open(&section(Section::Sources)?)?,
        })
    }

    /// The bytes of one part of the file, as [`layout`] has them.
    pub fn section(&self, section: Section) -> Bytes {
        Self::part_of(&self.file, section).unwrap_or_default()
    }

    fn part_of(file: &Bytes, section: Section) -> Option<Bytes> {
        let at = PREAMBLE + 8 * (section as usize);
        part(file, place_at(file, at)?, place_at(file, at + 4)?)
    }

    /// How much the tables hold.
    pub fn size(&self) -> Size {
        Size {
            hosts: self.hosts.count(),
            listed_hosts: self.listed_hosts.count(),
            companies: self.own_companies(),
            ranges: self.ranges4.count() + self.ranges6.count(),
            networks: self.system_names.count(),
        }
    }
}

/// How much the tables hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows written by hand.
    pub hosts: usize,
    /// Host names from a public list.
    pub listed_hosts: usize,
    /// Companies of the rows.
    pub companies: usize,
    /// Ranges of addresses.
    pub ranges: usize,
    /// Autonomous systems.
    pub networks: usize,
}

impl fmt::Debug for Destinations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Destinations").field(&self.size()).finish()
    }
}

fn check(file: &[u8]) -> Result<(), Unusable> {
    if !file.starts_with(&MAGIC) {
        return Err(Unusable("this is another kind of file"));
    }
    if u32_at(file, 8) != Some(FORMAT) {
        return Err(Unusable("the file is for another version of Telltale"));
    }
    if file.len() < HEADER || place_at(file, 12) != Some(file.len()) {
        return Err(Unusable("the file is cut short or has grown"));
    }
    let (preamble, rest) = file.split_at_checked(PREAMBLE).unwrap_or_default();
    if !preamble.ends_with(&layout::checksum(rest).to_le_bytes()) {
        return Err(Unusable("the file is damaged"));
    }
    Ok(())
}

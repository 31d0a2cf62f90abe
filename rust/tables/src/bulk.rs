//! The part of the tables that comes from public data sets.

use std::path::Path;

use telltale_watch::destinations::Destinations;
use telltale_watch::destinations::layout::Section;

use crate::networks::Networks;
use crate::pack;
use crate::pins::Pin;
use crate::third_party_web;

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub struct Bulk {
    /// The owners of listed hosts: id and name.
    pub owners: Vec<(String, String)>,
    /// The packed sections, from [`Section::FIRST_BULK`] on.
    pub sections: Vec<Vec<u8>>,
}

impl Bulk {
    /// Makes it from unpacked packages: `packages/NAME` for each pin, with `/` and `@` of the name left
    /// out as `npm pack` does.
    ///
    /// # Errors
    /// A sentence where a file is not there or makes no sense.
    pub fn read(packages: &Path, pins: &[Pin]) -> Result<Self, String> {
        let [list, asn, country] = pins else { return Err("sources.tsv must have three lines".into()) };
        let place = |pin: &Pin| packages.join(pin.folder());
        let owned = third_party_web::read(&place(list))?;
        let networks = Networks::read(&place(asn), &place(country))?.pack();
        let owners: Vec<_> = owned.owners.iter().flat_map(|(id, name)| [id, name]).collect();
        let sources: Vec<_> = pins.iter().flat_map(Pin::texts).collect();
        let hosts: Vec<_> = owned.hosts.iter().map(|(host, owner)| (host.as_str(), *owner)).collect();
        Ok(Self {
            sections: vec![
                pack::texts(&owners),
                pack::hosts(&hosts).map_err(|collision| collision.to_string())?,
                networks.systems,
                networks.names,
                networks.ranges4,
                networks.ranges6,
                pack::texts(&sources),
            ],
            owners: owned.owners,
        })
    }

    /// Takes it out of tables that were built before.
    pub fn of(tables: &Destinations) -> Self {
        let sections = Section::ALL.iter().filter(|section| **section >= Section::FIRST_BULK);
        Self {
            owners: tables.owners().map(|(id, name)| (id.to_owned(), name.to_owned())).collect(),
            sections: sections.map(|section| tables.section(*section).to_vec()).collect(),
        }
    }
}

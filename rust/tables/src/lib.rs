//! Builds the packed tables of destinations: rows written by hand in `data/`, and pinned public data.
//!
//! [`Rows`] are read and checked, [`Bulk`] comes from the data sets or out of the committed asset, and
//! [`packed`] makes one file of both. The same rows and data always give the same bytes.

mod bulk;
mod disagreement;
mod networks;
pub mod pack;
mod pins;
mod rows;
mod third_party_web;

pub use bulk::Bulk;
pub use disagreement::disagreements;
pub use pins::{Pin, pins};
pub use rows::{Company, Host, Rows, Switch};

use std::path::{Path, PathBuf};

use bytes::Bytes;
use telltale_watch::destinations::layout::Section;
use telltale_watch::destinations::{Destinations, unpack};

/// The folder of this crate: `data/` with the rows, and the asset.
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The committed asset: what `telltale` and the APK carry.
pub fn asset() -> PathBuf {
    folder().join("destinations.zst")
}

/// Opens the committed asset.
///
/// # Errors
/// A sentence where it is not there or damaged.
pub fn committed() -> Result<Destinations, String> {
    let asset = std::fs::read(asset()).map_err(|error| format!("destinations.zst: {error}"))?;
    let file = unpack(&asset).map_err(|error| error.to_string())?;
    Destinations::open(Bytes::from(file)).map_err(|error| error.to_string())
}

/// The packed file of these rows and these data sets. The second value is where the part that comes
/// from the data sets begins.
///
/// # Errors
/// A sentence for each thing that is wrong in the rows.
pub fn packed(rows: &Rows, bulk: &Bulk) -> Result<(Vec<u8>, usize), Vec<String>> {
    let own = rows::pack(rows, &bulk.owners).map_err(|wrong| vec![wrong])?;
    let mut sections = own.into_iter().chain(bulk.sections.iter().cloned());
    let sections: [Vec<u8>; Section::ALL.len()] =
        std::array::from_fn(|_| sections.next().unwrap_or_default());
    let file = pack::file(&sections);
    let bulk = sections.iter().skip(Section::FIRST_BULK as usize).map(Vec::len).sum::<usize>();
    let begins = file.len() - bulk;
    Ok((file, begins))
}

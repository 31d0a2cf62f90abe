//! Which data sets are used: `data/sources.tsv`.

use std::path::Path;

/// A package of a registry, by version and digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Its name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of the package as `npm pack` writes it.
    pub digest: String,
    /// Its licence, as SPDX has it.
    pub licence: String,
    /// Where the licence is.
    pub licence_url: String,
    /// To whom it is owed.
    pub attribution: String,
}

impl Pin {
    /// The name of its folder and of its archive: what `npm pack` makes of it.
    pub fn folder(&self) -> String {
        format!("{}-{}", self.package.trim_start_matches('@').replace('/', "-"), self.version)
    }

    /// As the tables have it.
    pub fn texts(&self) -> [&str; 6] {
        [&self.package, &self.version, &self.licence, &self.licence_url, &self.attribution, &self.digest]
    }
}

/// Reads them.
///
/// # Errors
/// A sentence where the file is not there or a line has not six fields.
pub fn pins(data: &Path) -> Result<Vec<Pin>, String> {
    let text =
        std::fs::read_to_string(data.join("sources.tsv")).map_err(|error| format!("sources.tsv: {error}"))?;
    text.lines().map(|line| pin(line).ok_or_else(|| format!("sources.tsv: not six fields: {line}"))).collect()
}

fn pin(line: &str) -> Option<Pin> {
    let fields: [&str; 6] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let [package, version, digest, licence, licence_url, attribution] = fields.map(str::to_owned);
    Some(Pin { package, version, digest, licence, licence_url, attribution })
}

//! What a run looks for: the details that are kept, or those of files.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Serialize;
use telltale_model::{DetailKind, Details};
use telltale_watch::details::{Contacts, Given, Kept};
use telltale_watch::search::Needles;
use zeroize::Zeroizing;

use super::vault::{Vault, random};
use crate::arguments::Wanted;
use crate::problem::{Problem, reason};
use crate::words::number;

/// Bytes of the largest file that is read: address books with pictures in them are large.
const LARGEST: u64 = 64 << 20;

/// What is looked for, and what stood in the way.
#[derive(Debug, Default)]
pub(crate) struct Sought {
    pub(crate) details: Details,
    /// Sentences for a person.
    pub(crate) problems: Vec<String>,
}

/// How many details were looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct LookedFor {
    own: usize,
    contacts: usize,
    packages: usize,
}

impl Sought {
    /// Reads what is wanted. What is kept and cannot be read stops nothing, and is told.
    ///
    /// # Errors
    /// A sentence for a file that was named and cannot be used.
    pub(crate) fn read(
        wanted: &Wanted,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Problem> {
        match wanted {
            Wanted::Nothing => Ok(Self::default()),
            Wanted::Files(files) => Self::of_files(files),
            Wanted::Kept => Ok(Vault::usual(variable).map_or_else(Self::default, |vault| Self::kept(&vault))),
        }
    }

    /// A command line as it may be kept and shown: with names in the places of details.
    pub(crate) fn without_details(&self, words: Vec<String>) -> Vec<String> {
        let needles = Needles::new(&self.details);
        words.into_iter().map(|word| needles.redact(&word).unwrap_or(word)).collect()
    }

    fn of_files(files: &[impl AsRef<Path>]) -> Result<Self, Problem> {
        let mut given = Given::new(random()?);
        let mut problems = Vec::new();
        for file in files {
            problems.extend(take(&mut given, file.as_ref())?.and_then(|contacts| too_many(&contacts)));
        }
        given.named_by_place();
        Ok(Self { details: given.details(), problems })
    }

    fn kept(vault: &Vault) -> Self {
        match vault.read() {
            Ok(None) => Self::default(),
            Ok(Some(kept)) => Self::of_kept(kept),
            Err(problem) => {
                let problems = vec![format!("none of your details was looked for: {problem}")];
                Self { problems, ..Self::default() }
            }
        }
    }

    fn of_kept(Kept { mut given, contacts: files }: Kept) -> Self {
        let mut problems = Vec::new();
        for file in &files {
            match contacts(&mut given, Path::new(file)) {
                Ok(contacts) => problems.extend(too_many(&contacts)),
                Err(problem) => problems.push(format!("contacts were not looked for: {problem}")),
            }
        }
        Self { details: given.details(), problems }
    }

    /// How many there are; `None` where nothing is looked for.
    pub(crate) fn counts(&self) -> Option<LookedFor> {
        let count = |kind| self.details.list.iter().filter(|detail| detail.name.kind == kind).count();
        let (contacts, packages) = (count(DetailKind::Contact), count(DetailKind::Package));
        let all = self.details.list.len();
        (all > 0).then_some(LookedFor { own: all - contacts - packages, contacts, packages })
    }
}

impl LookedFor {
    /// The line below a table.
    pub(crate) fn sentence(self) -> String {
        let parts = [
            (self.own, "1 of your details", "of your details"),
            (self.contacts, "1 number of a contact", "numbers of contacts"),
            (self.packages, "1 installed package", "installed packages"),
        ];
        let parts: Vec<String> = parts.iter().filter(|part| part.0 > 0).map(counted).collect();
        match parts.as_slice() {
            [first, second, third] => format!("Looked for {first}, {second} and {third}.\n"),
            parts => format!("Looked for {}.\n", parts.join(" and ")),
        }
    }
}

#[cfg(test)]
impl LookedFor {
    pub(crate) fn sample() -> Self {
        Self { own: 3, contacts: 1_200, packages: 1 }
    }
}

fn counted((count, one, many): &(usize, &str, &str)) -> String {
    if *count == 1 { (*one).to_owned() } else { format!("{} {many}", number(*count as u64)) }
}

/// Reads a file of details or of contacts; answers what came of contacts.
///
/// # Errors
/// A sentence with the line, and without anything that stands there.
pub(super) fn take(given: &mut Given, file: &Path) -> Result<Option<Contacts>, Problem> {
    let bytes = read(file)?;
    if Contacts::are_in(&bytes) {
        return Ok(Some(given.read_contacts(&bytes)));
    }
    given.read_lines(&bytes).map_err(|bad| {
        Problem::new(format!("{}, line {}: {}", file.display(), bad.line, bad.why))
            .advise("A line is a kind and a value: email name@example.org. See telltale identifiers --help.")
    })?;
    Ok(None)
}

/// Reads a file of contacts.
///
/// # Errors
/// A sentence where it is none, or cannot be read.
pub(super) fn contacts(given: &mut Given, file: &Path) -> Result<Contacts, Problem> {
    let bytes = read(file)?;
    if Contacts::are_in(&bytes) {
        return Ok(given.read_contacts(&bytes));
    }
    Err(Problem::new(format!("{} is not an address book (vCard)", file.display())))
}

fn too_many(contacts: &Contacts) -> Option<String> {
    let more = contacts.too_many;
    (more > 0).then(|| {
        format!(
            "only the first {} contacts were looked for, not {more} more",
            number(Details::CONTACTS as u64)
        )
    })
}

/// All of a file, in a place that is overwritten afterwards.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let whole = || -> io::Result<Zeroizing<Vec<u8>>> {
        let file = File::open(path)?;
        // With its size known beforehand, nothing is left in places that it outgrew; a pipe has none.
        let size = file.metadata()?.len().min(LARGEST);
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1));
        if file.take(LARGEST + 1).read_to_end(&mut bytes)? as u64 > LARGEST {
            return Err(io::Error::other("it is larger than 64 MB"));
        }
        Ok(bytes)
    };
    whole().map_err(|error| Problem::new(format!("{} cannot be read: {}", path.display(), reason(&error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_counts_what_there_is() {
        let sample = LookedFor::sample();
        assert_eq!(
            sample.sentence(),
            "Looked for 3 of your details, 1,200 numbers of contacts and 1 installed package.\n"
        );
        let two = LookedFor { own: 0, ..sample };
        assert_eq!(two.sentence(), "Looked for 1,200 numbers of contacts and 1 installed package.\n");
        let one = LookedFor { own: 1, contacts: 0, packages: 0 };
        assert_eq!(one.sentence(), "Looked for 1 of your details.\n");
    }
}

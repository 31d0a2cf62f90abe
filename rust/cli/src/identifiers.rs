//! `telltale identifiers`: the details that are looked for, and how they are kept.

mod prompt;
mod shown;
mod sought;
mod vault;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use telltale_model::{DetailKind, DetailName};
use telltale_watch::details::{Added, Contacts, Given, Kept, masked};

use crate::arguments::{Database, Entry, IdentifiersRequest};
use crate::output;
use crate::problem::Problem;
use crate::report;
use crate::words;
use vault::Vault;

pub(crate) use sought::{LookedFor, Sought};

/// Address books, each of which is read at every start.
const BOOKS: usize = 16;

/// Does what was asked for.
pub(crate) fn identifiers(request: &IdentifiersRequest) -> ExitCode {
    match answer(request) {
        Ok(text) => output::print(&text),
        Err(problem) => problem.tell(),
    }
}

fn answer(request: &IdentifiersRequest) -> Result<String, Problem> {
    let vault = vault()?;
    match request {
        IdentifiersRequest::Add(Entry::Contacts, _) => Err(Problem::new(
            "contacts are other people's, and are never kept",
        )
        .advise("Name their file, which is read anew each time: telltale identifiers import contacts.vcf")),
        IdentifiersRequest::Add(entry, value) => {
            let asked = match value {
                Some(_) => None,
                None => Some(prompt::value(name(*entry))?),
            };
            let value = asked.as_ref().or_else(|| value.as_ref().map(|typed| &typed.0));
            let value = value.map_or("", |value| value.as_str());
            vault.change(|kept| add(kept, *entry, value))
        }
        IdentifiersRequest::List { json } => {
            let kept = vault.read()?;
            Ok(if *json { shown::json(kept.as_ref()) } else { shown::text(kept.as_ref()) })
        }
        IdentifiersRequest::Remove(entry, number) => vault.change(|kept| remove(kept, *entry, *number)),
        IdentifiersRequest::RemoveAll => {
            let forgotten = vault.forget()?;
            Ok(if forgotten { "All of your details are forgotten.\n" } else { "There were none.\n" }.into())
        }
        IdentifiersRequest::Import(files) => vault.change(|kept| import(kept, files)),
    }
}

/// Under sudo it is the caller's, as the database is.
fn vault() -> Result<Vault, Problem> {
    let no_home =
        || Problem::new("no place for your details is known, because HOME is not set").advise("Set HOME.");
    Vault::usual(report::variable(&Database::Usual)?).ok_or_else(no_home)
}

fn name(entry: Entry) -> &'static str {
    match entry {
        Entry::Detail(kind) => kind.name(),
        Entry::Country => "country",
        Entry::Contacts => "contacts",
    }
}

fn add(kept: &mut Kept, entry: Entry, value: &str) -> Result<String, Problem> {
    let Entry::Detail(kind) = entry else {
        kept.given.live_in(value.trim()).map_err(Problem::new)?;
        return Ok("Phone numbers without the code of a country are read as dialled there.\n".into());
    };
    match kept.given.add(kind, value).map_err(Problem::new)? {
        Added::New(name) => Ok(format!("{}\n", line(&kept.given, name))),
        Added::Known(name) => Ok(format!("It was there already: {}\n", line(&kept.given, name))),
    }
}

fn line(given: &Given, name: DetailName) -> String {
    let shown = given.iter().find(|detail| detail.name == name).map(masked).unwrap_or_default();
    format!("{} {}: {shown}", name.kind.name(), name.number)
}

fn remove(kept: &mut Kept, entry: Entry, number: u16) -> Result<String, Problem> {
    let place = usize::from(number).checked_sub(1);
    let removed = match entry {
        Entry::Detail(kind) => kept.given.remove(kind, number).is_some(),
        Entry::Country => kept.given.country().map(|_| kept.given.live_anywhere()).is_some(),
        Entry::Contacts => place
            .filter(|place| *place < kept.contacts.len())
            .map(|place| kept.contacts.remove(place))
            .is_some(),
    };
    if removed {
        return Ok("Removed.\n".into());
    }
    Err(Problem::new(format!("there is no {} {number}", name(entry)))
        .advise("What there is: telltale identifiers list."))
}

/// Takes all of the files or nothing.
fn import(kept: &mut Kept, files: &[PathBuf]) -> Result<String, Problem> {
    let before = kept.given.len();
    let mut told = String::new();
    for file in files {
        refuse_contacts(file)?;
        // Contacts are read into a copy: only the place of their file is kept.
        let mut given = kept.given.clone();
        match sought::take(&mut given, file)? {
            Some(contacts) => {
                remember(kept, file)?;
                told.push_str(&told_of(&contacts, file));
            }
            None => kept.given = given,
        }
    }
    match kept.given.len() - before {
        0 if told.is_empty() => told.push_str("Nothing new was in it.\n"),
        0 => {}
        1 => told.push_str("1 detail was added.\n"),
        added => told.push_str(&format!("{} details were added.\n", words::number(added as u64))),
    }
    Ok(told)
}

fn remember(kept: &mut Kept, file: &Path) -> Result<(), Problem> {
    let whole = fs::canonicalize(file).ok().and_then(|path| path.into_os_string().into_string().ok());
    let path = whole.filter(|path| !path.contains(char::is_control)).ok_or_else(|| {
        Problem::new(format!("the place of {} cannot be kept: its name is not plain text", file.display()))
    })?;
    if kept.contacts.contains(&path) {
        return Ok(());
    }
    if kept.contacts.len() >= BOOKS {
        return Err(Problem::new(format!("no more than {BOOKS} address books are read"))
            .advise("Leave one out: telltale identifiers remove contacts 1"));
    }
    kept.contacts.push(path);
    Ok(())
}

fn told_of(contacts: &Contacts, file: &Path) -> String {
    let Contacts { taken, passed_over, too_many } = contacts;
    let left_out = passed_over + too_many;
    let mut told = format!(
        "{}: {}. Contacts are not kept; the file is read anew each time.\n",
        file.display(),
        numbers(*taken)
    );
    if left_out > 0 {
        let are = if left_out == 1 { "is" } else { "are" };
        told.push_str(&format!(
            "{} more {are} not looked for: too short, too many, or without a country (add one: telltale identifiers \
             add country DE).\n",
            words::number(left_out as u64)
        ));
    }
    told
}

/// "1 number", "2 numbers".
fn numbers(count: usize) -> String {
    let what = if count == 1 { "number" } else { "numbers" };
    format!("{} {what}", words::number(count as u64))
}

/// A list of details may hold contacts for a run, but not for keeping.
fn refuse_contacts(file: &Path) -> Result<(), Problem> {
    let bytes = sought::read(file)?;
    let is_contact = |line: &[u8]| {
        let kind = line.trim_ascii().split(u8::is_ascii_whitespace).next().unwrap_or_default();
        kind.eq_ignore_ascii_case(DetailKind::Contact.name().as_bytes())
    };
    match bytes.split(|byte| *byte == b'\n').position(is_contact) {
        Some(index) if !Contacts::are_in(&bytes) => Err(Problem::new(format!(
            "{}, line {}: contacts are other people's, and are never kept",
            file.display(),
            index + 1
        ))
        .advise(
            "Import their address book (vCard), which is read anew each time, or use --identifiers FILE.",
        )),
        _ => Ok(()),
    }
}

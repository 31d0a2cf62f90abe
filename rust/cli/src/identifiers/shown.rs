//! The list of what is kept, masked.

use std::path::Path;

use serde::Serialize;
use telltale_model::{Detail, DetailKind};
use telltale_watch::details::{Contacts, Kept, masked};

use super::{numbers, sought};

/// Grows by one when a field changes its meaning or goes; docs/details.md has the fields.
const FORMAT: u32 = 1;

/// For a person.
pub(super) fn text(kept: Option<&Kept>) -> String {
    let rows: Vec<(String, String)> = kept.map(rows).unwrap_or_default();
    if rows.is_empty() {
        return "No details are looked for. To add one: telltale identifiers add imei\n".into();
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    rows.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
}

/// For programs.
pub(super) fn json(kept: Option<&Kept>) -> String {
    let list = List {
        format: FORMAT,
        country: kept.and_then(|kept| kept.given.country()),
        identifiers: kept.map(|kept| kept.given.iter().map(Identifier::of).collect()).unwrap_or_default(),
        contacts: kept.map(|kept| files(kept).map(Book::of).collect()).unwrap_or_default(),
    };
    // Strings, numbers and lists always have a JSON form.
    let mut text = serde_json::to_string_pretty(&list).unwrap_or_default();
    text.push('\n');
    text
}

fn rows(kept: &Kept) -> Vec<(String, String)> {
    let country = kept.given.country().map(|country| ("country".to_owned(), country));
    let details = kept.given.iter().map(|detail| {
        let name = detail.name;
        (format!("{} {}", name.kind.name(), name.number), masked(detail))
    });
    let books = files(kept).enumerate().map(|(place, (file, contacts))| {
        let found = match contacts {
            Ok(contacts) => format!("{} in {file}", numbers(contacts.taken)),
            Err(why) => why,
        };
        (format!("contacts {}", place + 1), found)
    });
    country.into_iter().chain(details).chain(books).collect()
}

/// The files of contacts, with what is in them now.
fn files(kept: &Kept) -> impl Iterator<Item = (&str, Result<Contacts, String>)> {
    kept.contacts.iter().map(|file| {
        let read = sought::contacts(&mut kept.given.clone(), Path::new(file));
        (file.as_str(), read.map_err(|problem| problem.happened().to_owned()))
    })
}

#[derive(Serialize)]
struct List<'a> {
    format: u32,
    country: Option<String>,
    identifiers: Vec<Identifier>,
    contacts: Vec<Book<'a>>,
}

#[derive(Serialize)]
struct Identifier {
    kind: DetailKind,
    number: u16,
    masked: String,
}

#[derive(Serialize)]
struct Book<'a> {
    file: &'a str,
    numbers: Option<usize>,
    problem: Option<String>,
}

impl Identifier {
    fn of(detail: &Detail) -> Self {
        Self { kind: detail.name.kind, number: detail.name.number, masked: masked(detail) }
    }
}

impl<'a> Book<'a> {
    fn of((file, contacts): (&'a str, Result<Contacts, String>)) -> Self {
        let numbers = contacts.as_ref().ok().map(|contacts| contacts.taken);
        Self { file, numbers, problem: contacts.err() }
    }
}

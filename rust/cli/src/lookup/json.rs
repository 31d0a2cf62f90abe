//! What is known, for programs. The format is promised in docs/lookup-format.md.

use serde::Serialize;
use telltale_model::{How, Role};
use telltale_watch::destinations::{Company, Destinations, Network, Row};

use super::Place;

/// Grows by one when a field changes its meaning or goes; new fields may come without that.
const FORMAT: u32 = 1;

/// The answers as JSON text, with a line feed at its end.
pub(super) fn render(tables: &Destinations, places: &[Place]) -> String {
    let answers = Answers {
        format: FORMAT,
        telltale: env!("CARGO_PKG_VERSION"),
        lookups: places.iter().map(|place| answer(tables, place)).collect(),
    };
    // Strings, numbers and lists always have a JSON form.
    let mut text = serde_json::to_string_pretty(&answers).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Answers<'a> {
    format: u32,
    telltale: &'static str,
    lookups: Vec<Answer<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Host {
        host: &'a str,
        group: &'a str,
        #[serde(flatten)]
        row: Option<Known<'a>>,
    },
    Address {
        address: String,
        network: Option<Announced<'a>>,
    },
}

#[derive(Serialize)]
struct Known<'a> {
    company: Owner<'a>,
    probable: bool,
    role: Option<Role>,
    role_words: Option<&'static str>,
    how: How,
    reference: Option<&'a str>,
    checked: Option<&'a str>,
    matched: &'a str,
    settings: Vec<Setting<'a>>,
}

#[derive(Serialize)]
struct Owner<'a> {
    id: &'a str,
    name: &'a str,
    country: Option<String>,
    parent: Option<&'a str>,
}

#[derive(Serialize)]
struct Setting<'a> {
    versions: &'a str,
    path: &'a str,
    default: &'a str,
    how: &'a str,
    reference: &'a str,
    checked: &'a str,
}

#[derive(Serialize)]
struct Announced<'a> {
    asn: u32,
    name: &'a str,
    country: Option<String>,
}

fn answer<'a>(tables: &'a Destinations, place: &'a Place) -> Answer<'a> {
    match place {
        Place::Host(name) => Answer::Host {
            host: name,
            group: tables.registrable(name),
            row: tables.host(name).and_then(|row| known(tables, name, &row)),
        },
        Place::Address(address) => {
            Answer::Address { address: address.to_string(), network: tables.address(*address).map(announced) }
        }
    }
}

fn known<'a>(tables: &'a Destinations, name: &'a str, row: &Row<'a>) -> Option<Known<'a>> {
    Some(Known {
        company: owner(tables, &row.company_itself()?),
        probable: row.how().is_probable(),
        role: row.role(),
        role_words: row.role().map(Role::lay_words),
        how: row.how(),
        reference: some(row.reference()),
        checked: some(row.checked()),
        matched: name.get(name.len() - row.matched()..).unwrap_or(name),
        settings: settings(tables, row),
    })
}

fn owner<'a>(tables: &'a Destinations, company: &Company<'a>) -> Owner<'a> {
    Owner {
        id: company.id,
        name: company.name,
        country: company.country.map(|country| country.code().to_owned()),
        parent: company.parent.and_then(|parent| tables.company(parent)).map(|parent| parent.id),
    }
}

fn settings<'a>(tables: &'a Destinations, row: &Row<'a>) -> Vec<Setting<'a>> {
    let switches = row.role().into_iter().flat_map(|role| tables.switches(row.company(), role));
    let setting = switches.map(|switch| Setting {
        versions: switch.versions,
        path: switch.path,
        default: switch.default,
        how: switch.how,
        reference: switch.reference,
        checked: switch.checked,
    });
    setting.collect()
}

fn announced(network: Network<'_>) -> Announced<'_> {
    Announced {
        asn: network.asn(),
        name: network.name(),
        country: network.country().map(|country| country.code().to_owned()),
    }
}

/// Nothing for an empty text.
fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

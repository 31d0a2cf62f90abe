//! What is known, for a person.

use std::net::IpAddr;

use telltale_model::Country;
use telltale_watch::destinations::{Destinations, Row};

use super::Place;
use crate::table::wrap;

/// Columns before the words.
const MARGIN: usize = 13;

/// How a setting is known that nobody found in a manual.
const UNCHECKED: &str = "unchecked";

/// A setting is kept with a company and a role, not with a host.
const SWITCHES: &str =
    "They are for all hosts of the company with this role; not each need bear on this one.";

/// One paragraph for each place, in lines of at most `width` columns.
pub(super) fn render(tables: &Destinations, places: &[Place], width: Option<usize>) -> String {
    let paragraphs = places.iter().map(|place| match place {
        Place::Host(name) => paragraph(name, about_host(tables, name), width),
        Place::Address(address) => paragraph(&address.to_string(), about_address(tables, *address), width),
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

/// Titles and what is said under them; a title of nothing continues the one above.
type Lines = Vec<(&'static str, String)>;

fn about_host(tables: &Destinations, name: &str) -> Lines {
    match tables.host(name) {
        Some(row) => known(tables, name, &row),
        None => vec![
            ("company", "unknown: no row of the tables fits this name".to_owned()),
            ("grouped", format!("under {}", tables.registrable(name))),
        ],
    }
}

fn known(tables: &Destinations, name: &str, row: &Row<'_>) -> Lines {
    let mut lines = vec![("company", company(tables, row))];
    lines.push(match row.role() {
        Some(role) => ("role", format!("{}: {}", role.name(), role.lay_words())),
        None => ("role", "unknown".to_owned()),
    });
    let checked =
        if row.checked().is_empty() { String::new() } else { format!(", checked {}", row.checked()) };
    lines.push(("known by", format!("{} ({}){checked}", row.how().lay_words(), row.how().name())));
    if !row.reference().is_empty() {
        lines.push(("", row.reference().to_owned()));
    }
    let suffix = name.get(name.len() - row.matched()..).unwrap_or(name);
    lines.push(("matched", format!("{suffix} and all below it")));
    lines.extend(switches(tables, row));
    lines
}

fn company(tables: &Destinations, row: &Row<'_>) -> String {
    let Some(company) = row.company_itself() else { return "unknown".to_owned() };
    let probably = if row.how().is_probable() { "probably " } else { "" };
    let owner = company.parent.and_then(|parent| tables.company(parent));
    let owner = owner.map(|owner| format!(", which belongs to {}", owner.name)).unwrap_or_default();
    format!("{probably}{}{owner}{}", company.name, registered(company.country))
}

fn registered(country: Option<Country>) -> String {
    country.map(|country| format!(", registered in {}", place(country))).unwrap_or_default()
}

fn place(country: Country) -> String {
    format!("{} ({})", country.name(), country.code())
}

/// What one can do, where the tables know it.
fn switches(tables: &Destinations, row: &Row<'_>) -> Lines {
    let switches = row.role().into_iter().flat_map(|role| tables.switches(row.company(), role));
    let mut lines = Vec::new();
    for switch in switches {
        let title = if lines.is_empty() { "settings" } else { "" };
        let unchecked = if switch.how == UNCHECKED { "; not checked on a device or in a manual" } else { "" };
        let at_first = format!("(at first: {}{unchecked})", switch.default);
        lines.push((title, format!("{}: {} {at_first}", switch.versions, switch.path)));
    }
    if !lines.is_empty() {
        lines.push(("", SWITCHES.to_owned()));
    }
    lines
}

fn about_address(tables: &Destinations, address: IpAddr) -> Lines {
    match tables.address(address) {
        Some(network) => vec![
            ("network", format!("{}, AS{}{}", network.name(), network.asn(), registered(network.country()))),
            ("", "Where the server stands is not known.".to_owned()),
            ("known by", sources(tables)),
        ],
        None => vec![(
            "network",
            "none known: it is for private or special use, or the data that Telltale has lack it".to_owned(),
        )],
    }
}

/// The data sets behind the networks: all but the list of hosts.
fn sources(tables: &Destinations) -> String {
    let names = tables.sources().skip(1).map(|source| format!("{} {}", source.name, source.version));
    names.collect::<Vec<_>>().join(", ")
}

fn paragraph(name: &str, lines: Lines, width: Option<usize>) -> String {
    let mut text = format!("{name}\n");
    for (title, words) in lines {
        // A title stands in the margin of its words.
        let wrapped = wrap(&words, MARGIN, width);
        text.push_str(&format!("  {title:<11}{}\n", wrapped.trim_start()));
    }
    text
}

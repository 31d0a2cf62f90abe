//! With whom a flow speaks: the name that is surest, and what the tables say of it.

use std::net::IpAddr;

use telltale_model::{Destination, Facts, Flow, Name, NameKnown, Relation};

use crate::destinations::{Around, Destinations};

/// What is known of the name that was asked for before a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nothing.
    #[default]
    Plainly,
    /// It is the only one that fits, and a hello may show another in its place.
    Hidden,
    /// It is one that the caller gave to the address.
    Fixed,
}

/// Of a flow with these facts.
pub(crate) fn destination(
    flow: &Flow,
    facts: &Facts,
    asked: Asked,
    tables: Option<&Destinations>,
    around: &Around,
) -> Destination {
    let (name, known) = name(flow, facts, asked);
    let (name_of_it, address) = (name.map(str::to_owned), Some(flow.key.remote.ip()));
    let about = Destination { name: name_of_it, known, address, ..Destination::default() };
    match tables.zip(name) {
        Some((tables, name)) => explain(about, name, tables, around),
        None => about,
    }
}

/// What the flow itself said counts more than what was asked for before it, but for an outer name of ECH: that is a
/// cover, where the name that was asked for can be hidden, and else the name itself (RFC 9849 6.2).
fn name<'a>(flow: &'a Flow, facts: &'a Facts, asked: Asked) -> (Option<&'a str>, Option<NameKnown>) {
    if asked == Asked::Fixed {
        return (flow.name.as_deref(), None);
    }
    let is_cover = |carried: &&Name| {
        asked == Asked::Hidden && carried.outer && Some(carried.name.as_str()) != flow.name.as_deref()
    };
    let carried = facts.names.iter().filter(|carried| !is_cover(carried)).find_map(|carried| {
        let known = NameKnown::carried(carried.from)?;
        is_host(&carried.name).then_some((carried.name.as_str(), known))
    });
    match (carried, flow.name.as_deref()) {
        (Some((name, known)), _) => (Some(name), Some(known)),
        (None, Some(asked)) if flow.other_names.is_empty() => (Some(asked), Some(NameKnown::Dns)),
        (None, Some(asked)) => (Some(asked), Some(NameKnown::Several)),
        (None, None) => (None, None),
    }
}

/// Every host that the flow itself named.
pub(crate) fn hosts(facts: &Facts) -> impl Iterator<Item = &str> {
    let carried = facts.names.iter().filter(|carried| NameKnown::carried(carried.from).is_some());
    carried.map(|carried| carried.name.as_str()).filter(|name| is_host(name))
}

/// Where a host stands, an address may stand too, in brackets if it is IPv6 (RFC 3986 3.2.2).
fn is_host(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    !name.is_empty() && bare.parse::<IpAddr>().is_err()
}

/// Where several names fit, the role of one of them would be a claim about all.
fn explain(about: Destination, name: &str, tables: &Destinations, around: &Around) -> Destination {
    let Some((row, company)) = tables.host(name).and_then(|row| Some((row, row.company_itself()?))) else {
        return about;
    };
    let is_guess = about.known == Some(NameKnown::Several);
    Destination {
        company: Some(company.id.to_owned()),
        probable: is_guess || row.how().is_probable(),
        role: row.role().filter(|_| !is_guess),
        relation: if is_guess { Relation::Unknown } else { tables.relation(Some(company.number), around) },
        ..about
    }
}

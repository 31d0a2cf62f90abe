//! With whom a flow speaks: the name that is surest, and what the tables say of it.

use std::net::IpAddr;

use telltale_model::{Destination, Facts, Flow, Name, NameKnown, Relation};

use crate::destinations::{Around, Destinations};
use crate::names::Fit;

/// What is known of the name that was asked for before a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nothing.
    #[default]
    Plainly,
    /// Each that fits may be hidden: a hello may show another in its place.
    Hidden,
    /// It is the only one that fits, and another app asked for it, or that was long before.
    Doubtfully,
    /// It is one that the caller gave to the address.
    Fixed,
}

impl Asked {
    /// For names that fit, where some of all may be hidden.
    pub(crate) fn by(fit: &Fit, may_hide: impl Fn(&str) -> bool) -> Self {
        match fit {
            Fit::Doubtful(_) => Self::Doubtfully,
            Fit::One(name) if may_hide(name) => Self::Hidden,
            Fit::Several(names) if names.iter().all(|name| may_hide(name)) => Self::Hidden,
            Fit::Nothing | Fit::One(_) | Fit::Several(_) => Self::Plainly,
        }
    }
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

/// What the flow itself said counts more than what was asked for before it, but for an outer name of ECH that nobody
/// asked for: that is a cover where the names that were asked for can be hidden, and else a cover or the name itself
/// (RFC 9849 6.2).
fn name<'a>(flow: &'a Flow, facts: &'a Facts, asked: Asked) -> (Option<&'a str>, Option<NameKnown>) {
    if asked == Asked::Fixed {
        return (flow.name.as_deref(), None);
    }
    let is_outer = |carried: &Name| {
        carried.outer && !flow.name.iter().chain(&flow.other_names).any(|asked| *asked == carried.name)
    };
    let named = |outer: bool| {
        let mut names = facts.names.iter().filter(move |carried| is_outer(carried) == outer);
        names.find_map(|carried| {
            let known = NameKnown::carried(carried.from)?;
            is_host(&carried.name).then_some((carried.name.as_str(), known))
        })
    };
    if let Some((name, known)) = named(false) {
        return (Some(name), Some(known));
    }
    let outer = || named(true).map(|(name, _)| (Some(name), Some(NameKnown::Outer)));
    match flow.name.as_deref() {
        Some(name) if asked == Asked::Hidden => (Some(name), Some(of_the_dns(flow, asked))),
        Some(name) => outer().unwrap_or((Some(name), Some(of_the_dns(flow, asked)))),
        None => outer().unwrap_or_default(),
    }
}

/// How the name is known that was asked for.
fn of_the_dns(flow: &Flow, asked: Asked) -> NameKnown {
    match asked {
        _ if !flow.other_names.is_empty() => NameKnown::Several,
        Asked::Doubtfully => NameKnown::Doubtful,
        Asked::Plainly | Asked::Hidden | Asked::Fixed => NameKnown::Dns,
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

/// Where several names fit, the role of one of them would be a claim about all. Behind an outer name the host is unseen:
/// its company runs the server that is spoken with, and may deliver for another (RFC 9849 3.1).
fn explain(about: Destination, name: &str, tables: &Destinations, around: &Around) -> Destination {
    let Some((row, company)) = tables.host(name).and_then(|row| Some((row, row.company_itself()?))) else {
        return about;
    };
    let is_guess = about.known.is_some_and(NameKnown::is_guess);
    let is_unsure = is_guess || about.known == Some(NameKnown::Outer);
    Destination {
        company: Some(company.id.to_owned()),
        probable: is_unsure || row.how().is_probable(),
        role: row.role().filter(|_| !is_unsure),
        relation: if is_guess { Relation::Unknown } else { tables.relation(Some(company.number), around) },
        ..about
    }
}

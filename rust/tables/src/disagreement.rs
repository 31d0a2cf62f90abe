//! Where the rows and the public list name different companies. Where the list has another name for
//! a company, or that of a product, the company says so (`also`); what is left is answered in
//! `data/disagreements.tsv`: the list's owner, the rows' company, and why the rows stay as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use telltale_model::How;
use telltale_watch::destinations::Destinations;

use crate::{Rows, third_party_web};

/// A sentence for each disagreement without an answer, and for each answer without a disagreement.
///
/// # Errors
/// Where the file with the answers cannot be read.
pub fn disagreements(data: &Path, rows: &Rows, tables: &Destinations) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(data.join("disagreements.tsv"))
        .map_err(|error| format!("disagreements.tsv: {error}"))?;
    let answered = answers(&text)?;
    let mut found = BTreeMap::new();
    for host in &rows.hosts {
        if let Some(theirs) = other_owner(tables, &host.suffix) {
            found.entry((theirs, host.company.as_str())).or_insert(&host.suffix);
        }
    }
    let open = found.iter().filter(|(pair, _)| !answered.contains(*pair));
    let open = open.map(|((theirs, ours), host)| {
        format!("disagreements.tsv: {host} is {theirs} by third-party-web, {ours} by hosts.tsv: say why")
    });
    let stale = answered.iter().filter(|pair| !found.contains_key(*pair));
    let stale =
        stale.map(|(theirs, ours)| format!("disagreements.tsv: nothing is {theirs} here and {ours} there"));
    Ok(open.chain(stale).collect())
}

/// The list's owners and the rows' companies.
fn answers(text: &str) -> Result<BTreeSet<(&str, &str)>, String> {
    let answer = |line| match str::split(line, '\t').collect::<Vec<_>>().as_slice() {
        [theirs, ours, why] if !why.is_empty() => Ok((*theirs, *ours)),
        _ => Err(format!("disagreements.tsv: not owner, company and reason: {line}")),
    };
    text.lines().map(answer).collect()
}

/// The list's owner of a host, where it is another one than the row's.
fn other_owner<'a>(tables: &'a Destinations, suffix: &str) -> Option<&'a str> {
    let (owner, theirs) = tables.listed_owner(suffix)?;
    let ours = tables.host(suffix).filter(|row| row.how() != How::List)?;
    (tables.root(ours.company()) != tables.root(theirs)).then_some(third_party_web::plain(owner))
}

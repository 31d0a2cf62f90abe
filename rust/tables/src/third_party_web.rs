//! Whose hosts they are, by the list of the `third-party-web` project. Only its owners are taken: its
//! categories are made for web pages and say little of what a phone's app does there.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use telltale_watch::destinations::layout::MOST_LABELS;

/// Owners and their hosts.
#[derive(Debug)]
pub(crate) struct Owned {
    /// Id and name, sorted by id.
    pub(crate) owners: Vec<(String, String)>,
    /// Host names and the place of their owner, sorted.
    pub(crate) hosts: Vec<(String, u16)>,
}

#[derive(Deserialize)]
struct Entity {
    name: String,
    company: Option<String>,
    domains: Vec<String>,
}

/// Reads the list from the folder of its unpacked package.
pub(crate) fn read(package: &Path) -> Result<Owned, String> {
    let path = package.join("dist/entities-nostats.json");
    let text = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let entities: Vec<Entity> =
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    owned(entities)
}

fn owned(entities: Vec<Entity>) -> Result<Owned, String> {
    let mut owners = BTreeMap::new();
    let mut hosts = BTreeMap::new();
    for entity in entities {
        let name = entity.company.unwrap_or(entity.name);
        let id = format!("{LISTED}{}", id(&name));
        for domain in entity.domains {
            let host = domain.strip_prefix("*.").unwrap_or(&domain).to_ascii_lowercase();
            // A name with one label would be a whole top-level domain; one with many is not looked up.
            if host.contains('.') && host.split('.').count() <= MOST_LABELS {
                hosts.entry(host).or_insert_with(|| id.clone());
            }
        }
        owners.entry(id).or_insert(name);
    }
    let place =
        |id: &String| owners.keys().position(|owner| owner == id).and_then(|place| u16::try_from(place).ok());
    let hosts: Option<Vec<_>> = hosts.into_iter().map(|(host, id)| Some((host, place(&id)?))).collect();
    let hosts = hosts.ok_or("third-party-web has more owners than fit")?;
    Ok(Owned { owners: owners.into_iter().collect(), hosts })
}

/// What the id of a company begins with that the list alone names. It may sound like one of the rows
/// and be another.
pub(crate) const LISTED: &str = "listed-";

/// The id as the rows name it.
pub(crate) fn plain(id: &str) -> &str {
    id.strip_prefix(LISTED).unwrap_or(id)
}

/// A name as an id: `Amazon Web Services` is `amazon-web-services`.
pub(crate) fn id(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_belongs_to_the_company_and_else_to_the_entity() {
        let entity = |name: &str, company: Option<&str>, domain: &str| Entity {
            name: name.into(),
            company: company.map(str::to_owned),
            domains: vec![domain.into()],
        };
        let owned = owned(vec![
            entity("Search CDN", Some("Search, Inc."), "*.CDN.example"),
            entity("Analyst", None, "a.example"),
        ]);
        let owned = owned.unwrap();
        let owners = [
            ("listed-analyst".to_owned(), "Analyst".to_owned()),
            ("listed-search-inc".into(), "Search, Inc.".into()),
        ];
        assert_eq!(owned.owners, owners);
        assert_eq!(owned.hosts, [("a.example".to_owned(), 0), ("cdn.example".into(), 1)]);
    }
}

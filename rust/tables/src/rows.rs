//! The rows written by hand: `companies.toml`, `hosts.tsv`, `switches.toml`, `suffixes.txt`.

mod check;
mod pack;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use telltale_model::{How, Role};

pub(crate) use pack::pack;

/// All of them, checked.
#[derive(Debug)]
pub struct Rows {
    /// Companies by their id.
    pub companies: BTreeMap<String, Company>,
    /// Hosts, sorted by suffix.
    pub hosts: Vec<Host>,
    /// Settings.
    pub switches: Vec<Switch>,
    /// Names of several labels under which anybody may register one, sorted.
    pub suffixes: Vec<String>,
}

/// A company.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    /// As people know it.
    pub name: String,
    /// Where it is registered: two letters.
    pub country: Option<String>,
    /// The id of its owner.
    pub parent: Option<String>,
    /// What Android calls phones that it makes: manufacturer or brand.
    #[serde(default)]
    pub brands: Vec<String>,
    /// What Android calls chips that it makes.
    #[serde(default)]
    pub chips: Vec<String>,
    /// Ids that the public list has for it.
    #[serde(default)]
    pub also: Vec<String>,
    /// Ids that look like it in the public list, and are another company there.
    #[serde(default)]
    pub unlike: Vec<String>,
}

/// A host, or all hosts below a name.
#[derive(Debug)]
pub struct Host {
    /// Its name.
    pub suffix: String,
    /// The id of its company.
    pub company: String,
    /// What it is for, where known.
    pub role: Option<Role>,
    /// How this is known.
    pub how: How,
    /// Where that can be looked up.
    pub reference: String,
    /// When that was looked at: `2026-11-25`.
    pub checked: String,
}

/// A setting that has to do with what a company does in one role.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// The id of the company.
    pub company: String,
    /// What it turns off.
    pub role: Role,
    /// Systems and their versions on which it is found there.
    pub versions: String,
    /// Where it is, as a person finds it.
    pub path: String,
    /// How it stands on a new phone.
    pub default: String,
    /// How this is known: as for hosts, or `unchecked`.
    pub how: String,
    /// Where that can be looked up.
    pub reference: String,
    /// When that was looked at.
    pub checked: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switches {
    #[serde(default)]
    switch: Vec<Switch>,
}

impl Rows {
    /// Reads them from a folder and checks them.
    ///
    /// # Errors
    /// A sentence for each thing that is wrong.
    pub fn read(data: &Path) -> Result<Self, Vec<String>> {
        let text = |name: &str| {
            fs::read_to_string(data.join(name)).map_err(|error| vec![format!("{name}: {error}")])
        };
        Self::parse(
            &text("companies.toml")?,
            &text("hosts.tsv")?,
            &text("switches.toml")?,
            &text("suffixes.txt")?,
        )
    }

    /// The same from the texts of the files.
    ///
    /// # Errors
    /// A sentence for each thing that is wrong.
    pub fn parse(companies: &str, hosts: &str, switches: &str, suffixes: &str) -> Result<Self, Vec<String>> {
        let broken = |name: &str, error: toml::de::Error| vec![format!("{name}: {error}")];
        let mut wrong = Vec::new();
        let rows = Self {
            companies: toml::from_str(companies).map_err(|error| broken("companies.toml", error))?,
            hosts: parse_hosts(hosts, &mut wrong),
            switches: toml::from_str::<Switches>(switches)
                .map_err(|error| broken("switches.toml", error))?
                .switch,
            suffixes: suffixes.lines().map(str::to_owned).collect(),
        };
        wrong.extend(check::order_of_companies(companies));
        wrong.extend(rows.mistakes());
        if wrong.is_empty() { Ok(rows) } else { Err(wrong) }
    }
}

fn parse_hosts(text: &str, wrong: &mut Vec<String>) -> Vec<Host> {
    let mut hosts = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match host(line) {
            Ok(host) => hosts.push(host),
            Err(why) => wrong.push(format!("hosts.tsv:{number}: {why}: {line}")),
        }
    }
    hosts
}

fn host(line: &str) -> Result<Host, &'static str> {
    let fields = line.split('\t').collect::<Vec<_>>();
    let [suffix, company, role, how, reference, checked] = fields.as_slice() else {
        return Err("not suffix, company, role, how, reference and date, with a tab between them");
    };
    let role = match *role {
        "" => None,
        name => Some(role_named(name).ok_or("there is no such role")?),
    };
    Ok(Host {
        suffix: (*suffix).to_owned(),
        company: (*company).to_owned(),
        role,
        how: How::ALL
            .into_iter()
            .find(|known| known.name() == *how)
            .ok_or("it is not known in such a way")?,
        reference: (*reference).to_owned(),
        checked: (*checked).to_owned(),
    })
}

fn role_named(name: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.name() == name)
}

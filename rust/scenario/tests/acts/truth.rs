//! The files of `truth`.

use std::collections::BTreeSet;

use serde::Deserialize;
use telltale_scenario::phone::{Act, PERSONA, Variant};

use crate::sought::Detail;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Truth {
    pub(crate) act: String,
    pub(crate) variant: String,
    pub(crate) step: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) left: Vec<Left>,
    #[serde(default)]
    unsearched: Vec<Unsearched>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Left {
    pub(crate) program: String,
    pub(crate) host: String,
    pub(crate) request: String,
    pub(crate) field: String,
    pub(crate) rule: Option<String>,
    pub(crate) identifier: String,
    pub(crate) number: Option<usize>,
    pub(crate) count: Option<usize>,
    pub(crate) form: Vec<String>,
    pub(crate) grade: String,
    pub(crate) protection: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unsearched {
    program: String,
    host: String,
    why: String,
}

impl Truth {
    pub(crate) fn of(act: Act, variant: Variant) -> Self {
        let scene = if act == Act::Modern { act.to_string() } else { format!("act{act}") };
        let file = format!("{}/truth/{scene}-{variant}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        toml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
    }
}

impl Step {
    /// Program and host of each connection that could not be searched, for this reason.
    pub(crate) fn unsearched(&self, why: &str) -> BTreeSet<(&str, &str)> {
        let wanted = self.unsearched.iter().filter(|unsearched| unsearched.why == why);
        wanted.map(|unsearched| (unsearched.program.as_str(), unsearched.host.as_str())).collect()
    }
}

impl Left {
    /// The kind and the number of what has left.
    pub(crate) fn details(&self) -> impl Iterator<Item = Detail> {
        let numbers = match (self.number, self.count) {
            (Some(number), None) => number..=number,
            (None, Some(count)) => 1..=count,
            other => panic!("a detail, or a count of them, not {other:?}"),
        };
        numbers.map(|number| (self.identifier.clone(), number))
    }

    /// The values themselves.
    pub(crate) fn values(&self) -> Vec<&'static str> {
        let of_kind: Vec<_> =
            PERSONA.details().into_iter().filter(|(kind, _)| *kind == self.identifier).collect();
        self.details().map(|(_, number)| of_kind[number - 1].1).collect()
    }
}

//! What the phone does: acts of named steps, each of which makes a few programs talk to their servers.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use super::http::Exchange;
use super::{maker, modern};

/// A story of one phone. The first four are what F-Secure did with a Redmi 1S in August 2014.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// A new phone without any account.
    NewPhone,
    /// The same, signed in to the maker's cloud.
    Cloud,
    /// After the update, reset, and not opted in.
    OptedOut,
    /// After the update, opted in and signed in.
    OptedIn,
    /// What phones of later years were seen to send.
    Modern,
}

/// How the maker's programs write the numbers down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    /// In clear, as F-Secure reported.
    AsReported,
    /// Partly as hashes, as the programs of that generation do it.
    AsTheCodeDoes,
}

/// One thing that the person does.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name for the command line.
    pub name: &'static str,
    /// What happens, for people.
    pub title: &'static str,
    /// What is said over the network meanwhile, one after the other.
    pub visits: Vec<Visit>,
}

/// One connection of one program.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The program.
    pub program: &'static str,
    /// The host.
    pub host: &'static str,
    /// What carries it.
    pub over: Over,
    /// What is said.
    pub exchanges: Vec<Exchange>,
}

/// What carries a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Over {
    /// HTTP, which anyone on the way can read.
    Http,
    /// HTTP in TLS 1.2, the best that a phone of 2014 could do.
    Tls12,
    /// HTTP in TLS 1.3.
    Tls13,
    /// One datagram there and one back: NTP.
    Datagram,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::NewPhone, Self::Cloud, Self::OptedOut, Self::OptedIn, Self::Modern];

    /// The name for the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::NewPhone => "1",
            Self::Cloud => "2",
            Self::OptedOut => "3",
            Self::OptedIn => "4",
            Self::Modern => "modern",
        }
    }

    /// When it was, in seconds since 1970: noon in Delhi on some day.
    pub(crate) fn began(self) -> u32 {
        match self {
            Self::NewPhone | Self::Cloud => 1_407_393_000,
            Self::OptedOut | Self::OptedIn => 1_407_825_000,
            Self::Modern => 1_634_020_200,
        }
    }

    /// What happens in it.
    pub fn steps(self, variant: Variant) -> Vec<Step> {
        match self {
            Self::NewPhone => maker::new_phone(variant),
            Self::Cloud => maker::cloud(variant),
            Self::OptedOut => maker::opted_out(),
            Self::OptedIn => maker::opted_in(variant),
            Self::Modern => modern::steps(),
        }
    }
}

impl Variant {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AsReported, Self::AsTheCodeDoes];

    /// The name for the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::AsReported => "as-reported",
            Self::AsTheCodeDoes => "as-the-code-does",
        }
    }
}

impl Display for Act {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Display for Variant {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Act {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|act| act.name() == text);
        known.ok_or_else(|| format!("there is no act {text}: they are 1, 2, 3, 4 and modern"))
    }
}

impl FromStr for Variant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|variant| variant.name() == text);
        known.ok_or_else(|| format!("there is no variant {text}: they are as-reported and as-the-code-does"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::phone::hosts::HOSTS;

    fn all() -> impl Iterator<Item = Step> {
        let scenes = Act::ALL.into_iter().flat_map(|act| Variant::ALL.map(|variant| (act, variant)));
        scenes.flat_map(|(act, variant)| act.steps(variant))
    }

    #[test]
    fn steps_of_an_act_have_names_of_their_own() {
        for act in Act::ALL {
            let steps = act.steps(Variant::AsReported);
            let names: BTreeSet<_> = steps.iter().map(|step| step.name).collect();
            assert_eq!(names.len(), steps.len(), "{act}");
        }
    }

    #[test]
    fn every_host_is_known_and_every_known_host_is_visited() {
        let visited: BTreeSet<_> = all().flat_map(|step| step.visits).map(|visit| visit.host).collect();
        assert_eq!(visited, HOSTS.into_iter().collect());
    }

    #[test]
    fn the_same_request_always_has_the_same_answer() {
        let mut answers = BTreeMap::new();
        for visit in all().flat_map(|step| step.visits) {
            for Exchange { request, answer } in visit.exchanges {
                let before = answers.entry((visit.host, request)).or_insert_with(|| answer.clone());
                assert_eq!(*before, answer, "{}", visit.host);
            }
        }
    }
}

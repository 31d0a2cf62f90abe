//! What the caller knows beforehand, and what follows from it for a flow.

use std::net::IpAddr;

use telltale_model::{Destination, Details, Facts, Flow, History, Owner, Zone};

use crate::destinations::{Around, Destinations};
use crate::findings::Resolvers;
use crate::names::App;
use crate::whom::{self, Asked};

/// What the caller knows beforehand.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Addresses that go by a fixed name, such as the relay's own resolver.
    pub names: Vec<(IpAddr, String)>,
    /// The owner of ICMP echo, which no system call tells.
    pub echo_owner: Owner,
    /// Whose hosts are; without them nothing is said of companies.
    pub tables: Option<Destinations>,
    /// The companies around this phone, as far as known. They are numbered by `tables`.
    pub around: Around,
    /// What is looked for in what is sent.
    pub details: Details,
    /// What is remembered from before.
    pub history: History,
    /// Whether each address of an app is a device of its own, as in a capture. Where owners are not known, it means the
    /// names that it asked for itself.
    pub hosts: bool,
    /// Where the phone is, by its clock: its days are those of [`Self::history`]'s.
    pub zone: Zone,
    /// Keys that programs wrote down, with which what they open is read.
    #[cfg(feature = "keys")]
    pub keys: Option<crate::Keys>,
}

impl Config {
    pub(crate) fn destination(&self, flow: &Flow, facts: &Facts, asked: Asked) -> Destination {
        whom::destination(flow, facts, asked, self.tables.as_ref(), &self.around)
    }

    /// Whose flow it is, for names; in a capture at least of which device.
    pub(crate) fn app(&self, flow: &Flow) -> Option<App> {
        App::of(&flow.owner).or_else(|| self.hosts.then(|| App::at(flow.key.app.ip())))
    }

    pub(crate) fn is_fixed(&self, flow: &Flow) -> bool {
        self.names.iter().any(|(known, _)| *known == flow.key.remote.ip())
    }

    /// The fixed names are those of the relay's own resolver, which asks the system's.
    pub(crate) fn resolvers(&self, flow: &Flow) -> Resolvers {
        match (self.is_fixed(flow), self.names.is_empty()) {
            (true, _) => Resolvers::This,
            (false, true) => Resolvers::Unknown,
            (false, false) => Resolvers::Others,
        }
    }
}

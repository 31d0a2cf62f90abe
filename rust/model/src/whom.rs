use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{NameSource, Relation, Role};

/// With whom a flow speaks, as far as its names and the tables of destinations tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The host: the name that the flow itself carried, else the one that was asked for before it.
    pub name: Option<String>,
    /// How that is known; `None` without a name, and for names that Telltale gives itself.
    pub known: Option<NameKnown>,
    /// The id of the company that runs it, such as `xiaomi`.
    pub company: Option<String>,
    /// Whether the company must be called probable: only the name tells, or another name fits as well.
    pub probable: bool,
    /// What it is for.
    pub role: Option<Role>,
    /// What the company is to this phone.
    pub relation: Relation,
    /// The address that was spoken with; a Telltale of before did not keep it here.
    #[serde(default)]
    pub address: Option<IpAddr>,
}

impl Destination {
    /// The company, else the host, else the address: who a statement is about.
    pub fn whom(&self) -> Option<String> {
        let address = || self.address.map(|address| address.to_string());
        self.company.clone().or_else(|| self.name.clone()).or_else(address)
    }
}

impl Default for Destination {
    fn default() -> Self {
        Self {
            name: None,
            known: None,
            company: None,
            probable: false,
            role: None,
            relation: Relation::Unknown,
            address: None,
        }
    }
}

/// How the name of a host is known, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameKnown {
    /// It stood in the TLS hello.
    Tls,
    /// It stood in the QUIC hello.
    Quic,
    /// An HTTP request named it.
    Http,
    /// It was asked for before, and the answer was this address.
    Dns,
    /// The same, but other names were asked for that have this address too.
    Several,
    /// It was asked for by another app alone, or long before.
    Doubtful,
    /// It stood in the hello, which says that another name may be hidden inside (ECH). Of one that hides nothing, but
    /// says so all the same (RFC 9849 6.2), it is the host itself.
    Outer,
}

impl NameKnown {
    /// Every way, the surest first. The database knows a way by its place here: new ones come at the end.
    pub const ALL: [Self; 7] =
        [Self::Tls, Self::Quic, Self::Http, Self::Dns, Self::Several, Self::Doubtful, Self::Outer];

    /// Of a name that a flow carried; `None` for a question of the DNS, which is not about the flow's
    /// own destination.
    pub fn carried(from: NameSource) -> Option<Self> {
        match from {
            NameSource::Tls => Some(Self::Tls),
            NameSource::Quic => Some(Self::Quic),
            NameSource::Http => Some(Self::Http),
            NameSource::Dns => None,
        }
    }

    /// Whether the host may be another one altogether: then nothing but its company is said, and that as probable.
    pub fn is_guess(self) -> bool {
        matches!(self, Self::Several | Self::Doubtful)
    }

    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// The same in words.
    pub fn lay_words(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Tls => ("tls", "named in the TLS hello"),
            Self::Quic => ("quic", "named in the QUIC hello"),
            Self::Http => ("http", "named in an HTTP request"),
            Self::Dns => ("dns", "asked for in the DNS before"),
            Self::Several => ("several", "a guess: several names that were asked for fit"),
            Self::Doubtful => {
                ("doubtful", "a guess: asked for in the DNS by another app, or more than a day before")
            }
            Self::Outer => ("outer", "named in the hello, which may hide another name behind it"),
        }
    }
}

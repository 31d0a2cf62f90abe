use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A time in which nothing was watched, or not all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Gap {
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub to: Timestamp,
    /// Why there was one.
    pub why: GapReason,
}

/// Why nothing was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// The person had switched it off.
    Off,
    /// The system had ended it.
    Ended,
    /// The phone was started and not unlocked yet.
    Locked,
    /// It stepped aside for the network: to sign in, or because nothing got through.
    Network,
    /// Another VPN took its place, or the permission was taken away.
    Revoked,
    /// Some apps were left out by choice.
    Excluded,
    /// More was sent than could be looked at.
    TooMuch,
}

impl GapReason {
    /// Every reason.
    pub const ALL: [Self; 7] =
        [Self::Off, Self::Ended, Self::Locked, Self::Network, Self::Revoked, Self::Excluded, Self::TooMuch];

    /// The name used in JSON and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Ended => "ended",
            Self::Locked => "locked",
            Self::Network => "network",
            Self::Revoked => "revoked",
            Self::Excluded => "excluded",
            Self::TooMuch => "too-much",
        }
    }
}

impl FromStr for GapReason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|reason| reason.name() == text);
        known.ok_or_else(|| format!("there is no gap called {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_json_as_in_the_database() {
        for reason in GapReason::ALL {
            assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{}\"", reason.name()));
            assert_eq!(reason.name().parse(), Ok(reason));
        }
        assert!("gone".parse::<GapReason>().is_err());
    }
}

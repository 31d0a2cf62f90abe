use serde::{Deserialize, Serialize};

/// An app of a phone as it was at some moment. Android gives a uid that is free again to another app, so
/// that a uid alone says little later: this is kept with the flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct App {
    /// The user id.
    pub uid: u32,
    /// The names of its packages, the one that it goes by first; several where apps share a uid, and none
    /// for a part of the system that is no package.
    #[serde(default)]
    pub packages: Vec<String>,
    /// What people call it: the labels of those packages.
    #[serde(default)]
    pub names: Vec<String>,
    /// Its version as it shows it.
    #[serde(default)]
    pub version: Option<String>,
    /// Since when it has this version, in milliseconds since 1970.
    #[serde(default)]
    pub since: Option<i64>,
    /// The SHA-256 of the certificate that signed it, in hexadecimal digits.
    #[serde(default)]
    pub signer: Option<String>,
    /// Whose it is.
    #[serde(default)]
    pub group: AppGroup,
    /// Whether others have the same uid, so that nobody can tell which of them it was.
    #[serde(default)]
    pub shared: bool,
    /// Whether only totals of companies are kept of it: of a browser, unless the person asked for more. Its hosts say
    /// what somebody reads.
    #[serde(default)]
    pub totals_only: bool,
}

/// Whose an app is, by its signer and its installer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppGroup {
    /// Installed by the person.
    Yours,
    /// Of somebody else, and on the phone when it was bought.
    Came,
    /// Of the phone's maker.
    Maker,
    /// Of Android or Google.
    Android,
    /// Of the SIM, the chips or the network.
    Sim,
    /// Nobody knows.
    #[default]
    Unknown,
}

impl AppGroup {
    /// Every group, in the order in which they are listed.
    pub const ALL: [Self; 6] =
        [Self::Yours, Self::Came, Self::Maker, Self::Android, Self::Sim, Self::Unknown];

    /// The name used in JSON and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yours => "yours",
            Self::Came => "came",
            Self::Maker => "maker",
            Self::Android => "android",
            Self::Sim => "sim",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_groups_are_the_same_in_json_as_in_the_database() {
        for group in AppGroup::ALL {
            assert_eq!(serde_json::to_string(&group).unwrap(), format!("\"{}\"", group.name()));
        }
    }

    #[test]
    fn what_is_not_known_of_an_app_may_be_left_out() {
        let app: App = serde_json::from_str(r#"{"uid":1051}"#).unwrap();
        assert_eq!(app, App { uid: 1051, ..App::default() });
    }
}

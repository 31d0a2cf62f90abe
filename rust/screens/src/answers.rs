//! The shapes that several answers share; docs/boundary.md says what their members mean.

use serde::Serialize;

/// An app. Number 0 is whoever Android could not name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct App {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) packages: Vec<String>,
    pub(crate) group: &'static str,
}

/// How far bytes could be looked into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Coverage {
    pub(crate) sent: u64,
    pub(crate) read: u64,
    pub(crate) yours: u64,
    pub(crate) unread: u64,
    pub(crate) not_watched: u64,
    pub(crate) read_percent: u64,
    pub(crate) unread_percent: u64,
    pub(crate) details: u64,
    pub(crate) sentence: String,
    pub(crate) spoken: String,
}

/// A finding as it stands in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Card {
    pub(crate) key: String,
    pub(crate) level: &'static str,
    pub(crate) label: String,
    pub(crate) sentence: String,
    /// Names in the sentence, in UTF-16 units.
    pub(crate) strong: Vec<[usize; 2]>,
    pub(crate) app: App,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) times: u64,
    pub(crate) times_words: String,
    pub(crate) expected: bool,
}

/// A time in which nothing was watched, or not all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Gap {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) why: &'static str,
    pub(crate) sentence: String,
}

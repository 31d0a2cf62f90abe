use std::net::IpAddr;

use crate::Timestamp;

/// What is remembered of an app and one of its receivers from before: a line of what the store answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The program's path, where known.
    pub program: Option<String>,
    /// Its user, where known.
    pub uid: Option<u32>,
    /// The id of the company, where known.
    pub company: Option<String>,
    /// An address of the receiver.
    pub address: IpAddr,
    /// When it was contacted first, to the hour.
    pub first: Timestamp,
}

/// What an app sent as content on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The program's path, where known.
    pub program: Option<String>,
    /// Its user, where known.
    pub uid: Option<u32>,
    /// The day, as [`Timestamp::day_in`] counts where the phone is.
    pub day: i64,
    /// Bytes of content, at most.
    pub content_sent: u64,
}

/// What is remembered from before the watcher began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Who contacted whom.
    pub contacts: Vec<Remembered>,
    /// Whether there is more of that than was asked for: then of nobody can be said that they were contacted first.
    pub more_contacts: bool,
    /// How much the apps sent, on each of the last [`History::DAYS`] days and on this one.
    pub days: Vec<Day>,
    /// Days on which was watched in half of the hours or more, the last ones, the earliest first. Of others nothing is
    /// known: that an app was silent on them cannot be said.
    pub watched: Vec<i64>,
}

impl History {
    /// Days whose median is an app's usual one.
    pub const DAYS: i64 = 14;
}

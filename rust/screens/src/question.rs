//! Questions and commands, as docs/boundary.md lists them.

use std::fmt::{self, Display, Formatter};

use serde::Deserialize;
use telltale_model::Timestamp;
use telltale_store::{Error, Span};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// It is no question, or what it asks about is not there.
    Question(String),
    /// The database cannot be used, or the file not written.
    Failed(String),
}

impl Display for Unanswered {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (Self::Question(why) | Self::Failed(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for Unanswered {}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What was asked or commanded.
#[derive(Debug)]
pub(crate) enum Question {
    Ask(Ask, Common),
    Do(Do),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
pub(crate) enum Ask {
    Today(Today),
    App(WhichApp),
    Finding(WhichFinding),
    Details,
    Notification,
    Minute(Since),
    Alerts,
    Failing,
    Example(OfExample),
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Today {
    /// Only apps whose name or package has this in it.
    #[serde(default)]
    pub(crate) search: Option<String>,
    /// Only apps of this group.
    #[serde(default)]
    pub(crate) group: Option<String>,
    /// Only what went to networks registered outside the phone's country.
    #[serde(default)]
    pub(crate) outside: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WhichApp {
    pub(crate) app: i64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WhichFinding {
    pub(crate) key: String,
}

/// A question of which the answer comes from the example.
#[derive(Debug, Deserialize)]
pub(crate) struct OfExample {
    pub(crate) of: serde_json::Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Since {
    pub(crate) since: i64,
}

/// What belongs to every question. Times are milliseconds.
#[derive(Debug, Deserialize)]
pub(crate) struct Common {
    #[serde(default)]
    pub(crate) locale: String,
    /// Seconds that clocks here are ahead of UTC.
    #[serde(default)]
    pub(crate) zone_offset: i64,
    #[serde(default)]
    pub(crate) now: i64,
    #[serde(default)]
    from: Option<i64>,
    #[serde(default)]
    to: Option<i64>,
    #[serde(default)]
    pub(crate) limit: Option<usize>,
    /// How many findings are wanted; all where it does not say.
    #[serde(default)]
    pub(crate) findings: Option<usize>,
    #[serde(default)]
    pub(crate) offset: usize,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(crate) enum Do {
    Alerted {
        key: String,
        at: i64,
    },
    Mute {
        key: String,
        on: bool,
    },
    Forget {
        from: i64,
    },
    Delete,
    Export {
        path: String,
        #[serde(rename = "as")]
        shape: Shape,
        #[serde(flatten)]
        common: Common,
        /// The name of the zone whose clock the times are of.
        #[serde(default)]
        zone: String,
    },
}

/// What an exported file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    /// Sentences, values masked.
    Report,
    /// Comma-separated values (RFC 4180).
    Table,
}

/// Rows of a list that asks for no other number.
const ROWS: usize = 50;

/// How long a finding may lie back that is asked for, or that interrupts: as long as findings are kept.
const KEPT: i64 = 90 * DAY;

/// In milliseconds.
const DAY: i64 = 24 * HOUR;

/// In milliseconds.
const HOUR: i64 = 60 * 60 * 1_000;

impl Question {
    pub(crate) fn read(text: &str) -> Result<Self, Unanswered> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| wrong(&error))?;
        Self::of(value)
    }

    /// The same of JSON that was read before.
    pub(crate) fn of(value: serde_json::Value) -> Result<Self, Unanswered> {
        if value.get("do").is_some() {
            return serde_json::from_value(value).map(Self::Do).map_err(|error| wrong(&error));
        }
        let common = serde_json::from_value(value.clone()).map_err(|error| wrong(&error))?;
        serde_json::from_value(value).map(|ask| Self::Ask(ask, common)).map_err(|error| wrong(&error))
    }
}

/// Of the text itself nothing is said: it may name what a person looks for.
fn wrong(error: &serde_json::Error) -> Unanswered {
    // JSON that was read has no lines: then it is no question at all.
    Unanswered::Question(match error.line() {
        0 => "there is no such question".into(),
        line => format!("the question cannot be read at line {line}, column {}", error.column()),
    })
}

impl Common {
    /// The span that was asked for.
    pub(crate) fn span(&self) -> Result<Span, Unanswered> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from < to => Ok(Span { from: timestamp(from), to: timestamp(to) }),
            _ => Err(Unanswered::Question("a span needs a beginning before its end".into())),
        }
    }

    /// All that findings are kept of.
    pub(crate) fn all(&self) -> Span {
        self.since(self.now.saturating_sub(KEPT))
    }

    /// What a notice may be about.
    pub(crate) fn recent(&self) -> Span {
        self.since(self.now.saturating_sub(DAY))
    }

    /// In which an app that does not work is seen.
    pub(crate) fn last_hour(&self) -> Span {
        Span { from: timestamp(self.now.saturating_sub(HOUR)), to: timestamp(self.now.saturating_add(1)) }
    }

    /// The minute that begins with a moment.
    pub(crate) fn minute(from: i64) -> Span {
        Span { from: timestamp(from), to: timestamp(from.saturating_add(60_000)) }
    }

    /// From a moment until now and a little: clocks are set.
    pub(crate) fn since(&self, from: i64) -> Span {
        Span { from: timestamp(from), to: timestamp(self.now.max(from).saturating_add(DAY)) }
    }

    /// The part of a list that was asked for, and how many there are behind it.
    pub(crate) fn page<T>(&self, mut list: Vec<T>) -> (Vec<T>, usize) {
        let mut page = list.split_off(self.offset.min(list.len()));
        let behind = page.split_off(self.limit.unwrap_or(ROWS).min(page.len())).len();
        (page, behind)
    }
}

/// Milliseconds, as Android counts, in microseconds, as we do.
pub(crate) fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp(milliseconds.saturating_mul(1_000))
}

pub(crate) fn milliseconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000)
}

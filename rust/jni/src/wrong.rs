use std::fmt;
use std::io;

/// Why a call failed, in words that hold no person's data. Each is an exception of its own in the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// What was asked cannot be asked: `IllegalArgumentException`.
    Argument(String),
    /// There is no such handle any more: `IllegalStateException`.
    Stale,
    /// Something that ought to work does not: `RuntimeException`.
    Failed(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Argument(why) | Self::Failed(why) => f.write_str(why),
            Self::Stale => f.write_str("this handle was stopped"),
        }
    }
}

impl Wrong {
    /// JSON that says something else than it should. Where that is, and nothing of what stands there: serde quotes
    /// values.
    pub(crate) fn json(what: &str, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        Self::Argument(format!("{what} is not as docs/boundary.md says, at line {line}, column {column}"))
    }
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

use std::fmt;
use std::path::Path;

use rusqlite::ErrorCode;

/// Why the database could not be used, as a sentence for a person, without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// What the operating system said about this path.
    pub(crate) fn io(path: &Path, doing: &str, error: &std::io::Error) -> Self {
        Self(format!("the database {} cannot be {doing}: {error}", path.display()))
    }

    /// What SQLite said about this file.
    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.display();
        Self(match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => {
                format!("the disk that holds the database {path} is full; make room on it")
            }
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                format!("the database {path} cannot be opened or written; check its permissions ({error})")
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                format!("the database {path} was held by another program for too long")
            }
            _ => format!("the database {path} failed: {error}"),
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Whether the file's content, not the disk or a lock, is what is wrong.
pub(crate) fn says_corrupt(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

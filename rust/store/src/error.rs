use std::fmt;
use std::io;
use std::path::Path;

use rusqlite::{ErrorCode, ffi};

use crate::disk;

/// Why the database could not be used, as a sentence for a person, without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    sentence: String,
    cause: Cause,
}

/// What kind of reason it was, for whoever knows what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The disk has no room, or fails. It may go better later; see [`crate::Store::later`].
    Disk,
    /// The file was a sound database once, and is none any more.
    Damage,
    /// It is something else than our database: a directory, a text, another program's.
    Unfit,
    /// This user may not read or write it.
    Denied,
    /// Another reason, of which the sentence says all.
    Other,
}

impl Error {
    pub(crate) fn new(cause: Cause, sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), cause }
    }

    /// What kind of reason it was.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    pub(crate) fn damaged(path: &Path) -> Self {
        Self::new(Cause::Damage, format!("the database {} is damaged", path.display()))
    }

    /// What the operating system said about this path.
    pub(crate) fn io(path: &Path, doing: &str, error: &io::Error) -> Self {
        let kind = error.kind();
        if matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            return full(path);
        }
        let denied = matches!(kind, io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem);
        let cause = if denied { Cause::Denied } else { Cause::Other };
        let sentence = format!("the database {} cannot be {doing}: {}", path.display(), reason(error));
        Self::new(cause, sentence)
    }

    /// What SQLite said about this file.
    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        if says_damaged(error) {
            return Self::damaged(path);
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => full(path),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if disk::is_full(path) => full(path),
            Some(ErrorCode::SystemIoFailure) => failing(path, error),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                denied(path, error)
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::busy(path),
            _ => Self::new(Cause::Other, format!("the database {} failed: {error}", path.display())),
        }
    }

    pub(crate) fn busy(path: &Path) -> Self {
        let path = path.display();
        Self::new(Cause::Other, format!("the database {path} was held by another program for too long"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Error {}

/// Whether the file's content, not the disk or a lock, is what is wrong. A value of another type than
/// its column has, too: STRICT tables never take one.
pub(crate) fn says_damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt))
        || matches!(error, rusqlite::Error::InvalidColumnType(..))
}

/// Whether the file was never a database, or its first page is lost.
pub(crate) fn says_no_database(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase))
}

fn full(path: &Path) -> Error {
    let path = path.display();
    Error::new(Cause::Disk, format!("the disk that holds the database {path} is full; make room on it"))
}

fn failing(path: &Path, error: &rusqlite::Error) -> Error {
    let path = path.display();
    Error::new(
        Cause::Disk,
        format!("the disk that holds the database {path} fails, or a quota on it is used up ({error})"),
    )
}

fn denied(path: &Path, error: &rusqlite::Error) -> Error {
    let name = path.display();
    let sentence = if error.sqlite_extended_error_code() == Some(ffi::SQLITE_READONLY_ROLLBACK) {
        format!("the database {name} was left within a change; the next telltale run with it puts it right")
    } else if !disk::may_read(path) {
        format!("the database {name} may not be read by you")
    } else if !disk::may_write(path) {
        format!("the database {name} may not be written by you")
    } else if !disk::may_make_files_beside(path) {
        format!("the directory of the database {name} may not be written by you; SQLite needs files there")
    } else {
        format!("the database {name} cannot be opened ({error})")
    };
    Error::new(Cause::Denied, sentence)
}

/// "Permission denied (os error 13)" without the number, which says nothing to a reader.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

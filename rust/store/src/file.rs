//! The file on the disk: who may read it, whether it is sound, and what happens when it is not.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::error::Cause;
use crate::schema::{self, Unusable};
use crate::view::{beside, look, plain};
use crate::{Error, limits};

/// Opens or makes the database. A damaged file is moved aside first; its new path comes second.
///
/// # Errors
/// A file that cannot be made or opened, is of another program, or of a newer Telltale. Such a file
/// is left exactly as it was.
pub(crate) fn open(path: &Path, steps: &[&str]) -> Result<(Connection, Option<PathBuf>), Error> {
    prepare(path)?;
    match open_sound(path, steps) {
        Err(Unusable::Damaged | Unusable::NoDatabase) => {
            let aside = set_aside(path).map_err(|error| {
                Error::io(path, "used: it is damaged, and it cannot be moved out of the way", &error)
            })?;
            Ok((open_in_place(path, steps)?, Some(aside)))
        }
        Ok(connection) => Ok((connection, None)),
        Err(unusable) => Err(explain(unusable, path)),
    }
}

/// Opens or makes the database, and never moves anything aside.
pub(crate) fn open_in_place(path: &Path, steps: &[&str]) -> Result<Connection, Error> {
    prepare(path)?;
    open_sound(path, steps).map_err(|unusable| explain(unusable, path))
}

/// The same for a word between two looks of whoever watches: the file as a whole is not checked, which takes long.
pub(crate) fn open_unchecked(path: &Path, steps: &[&str]) -> Result<Connection, Error> {
    prepare(path)?;
    connect(path, steps)
        .and_then(|connection| ready(connection, path, steps))
        .map_err(|unusable| explain(unusable, path))
}

/// The sentence for a file that was not, or could not be, moved aside.
pub(crate) fn explain(unusable: Unusable, path: &Path) -> Error {
    match unusable {
        Unusable::NoDatabase if holds_something_else(path) => {
            Error::new(Cause::Unfit, format!("{} is damaged, or is not a database", path.display()))
        }
        Unusable::NoDatabase | Unusable::Damaged => Error::damaged(path),
        Unusable::Foreign => {
            Error::new(Cause::Unfit, format!("{} is the database of another program", path.display()))
        }
        Unusable::Newer { version, newest } => Error::new(
            Cause::Other,
            format!(
                "the database {} was made by a newer Telltale (its version is {version}, this one knows up to \
                 {newest}); use that Telltale",
                path.display()
            ),
        ),
        Unusable::Failed(error) => Error::sqlite(path, &error),
        Unusable::Changing => Error::busy(path),
    }
}

/// Whether what begins this file belongs to another program: neither a database of SQLite
/// (sqlite.org/fileformat.html 1.3) nor zeroes, which is what a power cut leaves of one. To find out,
/// the file is opened and closed: not for a file that this process writes.
pub fn holds_something_else(path: &Path) -> bool {
    if !path.is_file() {
        return false;
    }
    let mut beginning = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut beginning));
    read.is_ok() && !MAGIC.starts_with(&beginning) && beginning.iter().any(|byte| *byte != 0)
}

const MAGIC: &[u8] = b"SQLite format 3\0";

/// What apps send is for the owner's eyes alone. SQLite gives its -wal and -shm files the mode of
/// the database, so that one is made before SQLite sees it.
fn prepare(path: &Path) -> Result<(), Error> {
    make(path).map_err(|error| Error::io(path, "made", &error))?;
    let about = fs::metadata(path).map_err(|error| Error::io(path, "opened", &error))?;
    refuse_other_kinds(path, &about)
}

fn make(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// SQLite would call a directory a broken disk, and wait for ever at a pipe.
pub(crate) fn refuse_other_kinds(path: &Path, about: &Metadata) -> Result<(), Error> {
    let what = match about.file_type() {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "a directory",
        _ => "a device, pipe or socket",
    };
    Err(Error::new(Cause::Unfit, format!("the database {} is {what}; it must be a file", path.display())))
}

fn open_sound(path: &Path, steps: &[&str]) -> Result<Connection, Unusable> {
    let connection = connect(path, steps)?;
    check(&connection)?;
    ready(connection, path, steps)
}

fn connect(path: &Path, steps: &[&str]) -> Result<Connection, Unusable> {
    // A reader never replays the log into a file that is not ours, nor leaves anything beside it.
    look(path, |connection| schema::refuse_foreign(connection, steps.len()))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(plain(path), flags)?;
    connection.busy_timeout(limits::BUSY)?;
    // Only an empty file takes this setting; it must come before the first table and before WAL.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // With WAL, NORMAL never corrupts; a power cut may cost the last seconds of what was seen.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "journal_size_limit", limits::LOG_BYTES)?;
    Ok(connection)
}

/// Brings the tables up to date.
fn ready(mut connection: Connection, path: &Path, steps: &[&str]) -> Result<Connection, Unusable> {
    schema::migrate(&mut connection, steps)?;
    // A newer Telltale may have come since the look.
    schema::refuse_foreign(&connection, steps.len())?;
    restrict(path);
    Ok(connection)
}

fn check(connection: &Connection) -> Result<(), Unusable> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(Unusable::Damaged) }
}

/// A file from before, perhaps copied with a wider mode, becomes private too. Not being its owner is
/// no reason to stop.
fn restrict(path: &Path) {
    let _not_owner = fs::set_permissions(path, Permissions::from_mode(0o600));
}

/// The log goes first: a log that stays behind would be replayed into the new database.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = (1..=limits::SET_ASIDE)
        .map(|number| beside(path, &format!(".corrupt-{number}")))
        .find(|candidate| !candidate.exists())
        .unwrap_or_else(|| beside(path, &format!(".corrupt-{}", limits::SET_ASIDE)));
    move_where_present(&beside(path, "-wal"), &beside(&aside, "-wal"))?;
    match fs::remove_file(beside(path, "-shm")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(path, &aside)?;
    Ok(aside)
}

fn move_where_present(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}

#[cfg(test)]
mod tests {
    use telltale_model::Timestamp;

    use super::*;
    use crate::testing::{Folder, count, flow, run};
    use crate::{Filter, Reader, Store};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn filled(folder: &Folder) -> PathBuf {
        let path = folder.database();
        let mut store = Store::open(&path, run()).unwrap().store;
        for batch in 0..20 {
            let flows: Vec<_> = (0..100).map(|number| flow(batch * 100 + number, 0)).collect();
            store.commit(Timestamp(0), &flows).unwrap();
        }
        path
    }

    #[test]
    fn a_new_database_is_for_its_owner_alone() {
        let folder = Folder::new("modes");
        let path = folder.path().join("share/telltale/telltale.db");
        let mut store = Store::open(&path, run()).unwrap().store;
        store.commit(Timestamp(0), &[flow(1, 0)]).unwrap();
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&beside(&path, "-wal")), 0o600);
        assert_eq!(mode(&beside(&path, "-shm")), 0o600);
    }

    #[test]
    fn a_directory_that_was_there_keeps_its_mode() {
        let folder = Folder::new("kept-mode");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        drop(Store::open(&folder.database(), run()).unwrap());
        assert_eq!(mode(folder.path()), 0o755);
    }

    #[test]
    fn garbage_is_set_aside_unchanged_and_the_store_begins_anew() {
        let folder = Folder::new("garbage");
        let garbage = b"Dear diary, this was never a database. ".repeat(300);
        for number in [1, 2, 3, 3] {
            fs::write(folder.database(), &garbage).unwrap();
            let mut opened = Store::open(&folder.database(), run()).unwrap();
            let aside = opened.set_aside.unwrap();
            assert_eq!(aside, folder.path().join(format!("telltale.db.corrupt-{number}")));
            assert_eq!(fs::read(aside).unwrap(), garbage);
            opened.store.commit(Timestamp(0), &[flow(1, 0)]).unwrap();
        }
        assert_eq!(Store::open(&folder.database(), run()).unwrap().set_aside, None, "never in a loop");
    }

    #[test]
    fn a_truncated_or_overwritten_database_is_set_aside() {
        for damage in [truncate, overwrite] {
            let folder = Folder::new("damaged");
            let path = filled(&folder);
            damage(&path);
            let opened = Store::open(&path, run()).unwrap();
            assert!(opened.set_aside.is_some_and(|aside| aside.exists()));
            assert_eq!(count(opened.store.connection(), "SELECT count(*) FROM flow"), 0);
        }
    }

    fn truncate(path: &Path) {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() / 2 + 100).unwrap();
    }

    fn lose(path: &Path) {
        fs::write(path, "lost".repeat(10_000)).unwrap();
    }

    fn overwrite(path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        let length = bytes.len();
        bytes[8_192..length - 4_096].fill(0x5a);
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn the_log_of_a_damaged_database_is_not_replayed_into_the_new_one() {
        let folder = Folder::new("stale-log");
        let path = filled(&folder);
        let mut store = Store::open(&path, run()).unwrap().store;
        store.commit(Timestamp(0), &[flow(9, 0)]).unwrap();
        let intact = folder.path().join("intact");
        fs::copy(&path, &intact).unwrap();
        // As a crash leaves it: the log is still there. Then the file itself is damaged.
        let log = fs::read(beside(&path, "-wal")).unwrap();
        drop(store);
        for damage in [truncate, overwrite, lose] {
            fs::write(beside(&path, "-wal"), &log).unwrap();
            damage(&path);
            let opened = Store::open(&path, run()).unwrap();
            assert!(opened.set_aside.is_some());
            assert_eq!(count(opened.store.connection(), "SELECT count(*) FROM flow"), 0);
            drop(opened);
            fs::copy(&intact, &path).unwrap();
        }
    }

    #[test]
    fn a_database_of_a_newer_telltale_is_refused_and_never_touched() {
        let (origin, folder) = (Folder::new("newer-origin"), Folder::new("newer"));
        let (made, path) = (filled(&origin), folder.database());
        let newer = Connection::open(&made).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        // As a crash leaves it: the version stands in the log alone.
        let files = ["", "-wal"];
        for end in files {
            fs::copy(beside(&made, end), beside(&path, end)).unwrap();
        }
        let bytes = || files.map(|end| fs::read(beside(&path, end)).unwrap());
        let before = bytes();
        assert!(!before[1].is_empty());

        let refused = Store::open(&path, run()).unwrap_err().to_string();
        assert!(refused.contains("newer Telltale") && refused.contains("99"), "{refused}");
        assert!(Reader::open(&path).unwrap_err().to_string().contains("newer Telltale"));
        assert!(bytes() == before);
    }

    #[test]
    fn a_database_of_another_program_is_refused_and_never_touched() {
        let folder = Folder::new("foreign");
        let path = folder.database();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
        let before = fs::read(&path).unwrap();
        assert!(Store::open(&path, run()).unwrap_err().to_string().contains("another program"));
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn only_a_file_that_may_have_been_a_database_counts_as_one() {
        let folder = Folder::new("magic");
        let path = folder.database();
        for (content, other) in [
            (&b""[..], false),
            (b"SQLite for", false),
            (b"SQLite format 3\0 and what follows", false),
            (&[0; 4_096], false),
            (b"\n", true),
            (b"Dear diary, this was never a database.", true),
        ] {
            fs::write(&path, content).unwrap();
            assert_eq!(holds_something_else(&path), other, "{content:?}");
        }
        assert!(!holds_something_else(&folder.path().join("missing")));
    }

    #[test]
    fn a_refused_database_gets_no_company() {
        let folder = Folder::new("company");
        let path = filled(&folder);
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(Store::open(&path, run()).is_err());
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files, [path]);
    }

    #[test]
    fn a_place_where_nothing_can_be_made_is_named() {
        let folder = Folder::new("no-place");
        fs::write(folder.path().join("file"), "").unwrap();
        let error = Store::open(&folder.path().join("file/telltale.db"), run()).unwrap_err().to_string();
        assert!(error.contains("file/telltale.db") && error.contains("cannot be made"), "{error}");
    }

    #[test]
    fn many_may_open_and_write_one_file_at_once() {
        let folder = Folder::new("together");
        let path = folder.database();
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let mut store = Store::open(&path, run()).unwrap().store;
                    for number in 0..20 {
                        store.commit(Timestamp(0), &[flow(number, 0)]).unwrap();
                    }
                });
            }
        });
        let totals = Reader::open(&path).unwrap().unwrap().totals(&Filter::default()).unwrap();
        assert_eq!(totals[0].flows, 120);
    }
}

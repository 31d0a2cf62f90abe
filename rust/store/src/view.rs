//! A look at the database that changes nothing, neither in the file nor beside it.
//!
//! SQLite reads a WAL database through its log (`-wal`) and the index of it (`-shm`), makes both where
//! they are missing, and leaves them behind where it may not write the database. So a look goes one of
//! three ways, as the files lie.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::limits;
use crate::schema::Unusable;

/// What a look has found.
#[derive(Debug)]
pub(crate) struct Seen<T> {
    pub(crate) answer: T,
    /// The log, where there is one that cannot be read: what was written last may be missing.
    pub(crate) unread_log: Option<PathBuf>,
}

/// Asks the database at `path` through a connection that cannot write. Where it changes meanwhile,
/// `ask` is called again.
pub(crate) fn look<T>(
    path: &Path,
    ask: impl Fn(&Connection) -> Result<T, Unusable>,
) -> Result<Seen<T>, Unusable> {
    // As SQLite does: what belongs to the file lies beside it, not beside a link to it.
    let path = &fs::canonicalize(path).unwrap_or_else(|_absent| plain(path));
    for _ in 0..limits::LOOKS {
        let before = Files::of(path);
        let (way, found) = try_ways(path, &before, &ask);
        if way.is_locked() || before == Files::of(path) {
            return found;
        }
        thread::sleep(limits::BETWEEN_LOOKS);
    }
    Err(Unusable::Changing)
}

/// The path as SQLite must be given it: its own words for other things, such as ":memory:" and
/// "file:...", are only file names here.
pub(crate) fn plain(path: &Path) -> PathBuf {
    Path::new(".").join(path)
}

/// The name of a file that belongs to this one.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// How the database can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// As SQLite always does: another process may write, and its locks are kept to.
    Beside,
    /// The file and its log, whose index is made in memory. Nobody is writing, or there were an index.
    WithLog,
    /// The file alone, as if nothing could ever change it.
    Alone,
}

impl Way {
    /// Whether a writer that comes meanwhile waits or is kept apart; otherwise it is looked for after.
    fn is_locked(self) -> bool {
        self == Self::Beside
    }

    fn connect(self, path: &Path) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self {
            Self::Beside => Connection::open_with_flags(plain(path), flags)?,
            Self::WithLog => with_log(path, flags)?,
            Self::Alone => Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI)?,
        };
        connection.busy_timeout(limits::BUSY)?;
        // A large sort must not need room on a disk that may be full.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(connection)
    }
}

/// In exclusive mode SQLite keeps the log's index in memory. The lock that this mode takes would need
/// the right to write, so the connection takes none. (Its end drops the locks that this process has on
/// the file, as POSIX has it. A writer of this process would have an index, and then this is no way.)
fn with_log(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags_and_vfs(plain(path), flags, "unix-none")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    Ok(connection)
}

/// The path as a URI that says that the file cannot change (sqlite.org/uri.html).
fn immutable(path: &Path) -> PathBuf {
    let mut uri = b"file:".to_vec();
    for byte in plain(path).as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => uri.push(*byte),
            other => uri.extend(format!("%{other:02x}").into_bytes()),
        }
    }
    uri.extend(b"?immutable=1");
    OsString::from_vec(uri).into()
}

/// The database and what lies beside it, as far as a change of any would show.
#[derive(Debug, PartialEq, Eq)]
struct Files {
    database: Option<Stamp>,
    log: Option<Stamp>,
    index: bool,
    journal: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    length: u64,
    written: (i64, i64),
}

impl Files {
    fn of(path: &Path) -> Self {
        let about = |suffix| fs::metadata(beside(path, suffix));
        let stamp = |about: io::Result<Metadata>| {
            about.ok().filter(|about| about.len() > 0).map(|about| Stamp {
                file: (about.dev(), about.ino()),
                length: about.len(),
                written: (about.mtime(), about.mtime_nsec()),
            })
        };
        Self {
            database: stamp(about("")),
            log: stamp(about("-wal")),
            index: about("-shm").is_ok() && about("-wal").is_ok(),
            journal: stamp(about("-journal")).is_some(),
        }
    }

    /// What may show all that is known, the best one first.
    fn good_ways(&self) -> impl Iterator<Item = Way> {
        let possible = [(Way::Beside, self.index), (Way::WithLog, self.log.is_some())];
        possible.into_iter().filter_map(|(way, possible)| possible.then_some(way))
    }

    /// What is left where these are barred. With a journal (on a file system where SQLite has no WAL)
    /// the file alone may hold half of a change.
    fn last_way(&self) -> Way {
        if self.journal { Way::Beside } else { Way::Alone }
    }
}

/// The first way that the system does not bar, and what was found on it.
fn try_ways<T>(
    path: &Path,
    files: &Files,
    ask: &impl Fn(&Connection) -> Result<T, Unusable>,
) -> (Way, Result<Seen<T>, Unusable>) {
    let go = |way: Way| {
        let answer = way.connect(path).map_err(Unusable::from).and_then(|connection| ask(&connection));
        let unread = way == Way::Alone && files.log.is_some();
        answer.map(|answer| Seen { answer, unread_log: unread.then(|| beside(path, "-wal")) })
    };
    let good = files.good_ways().map(|way| (way, go(way))).find(|(_, found)| !is_barred(found));
    good.unwrap_or_else(|| (files.last_way(), go(files.last_way())))
}

fn is_barred<T>(found: &Result<T, Unusable>) -> bool {
    matches!(found, Err(Unusable::Failed(error)) if !is_busy(error))
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

#[cfg(test)]
mod tests {
    use telltale_model::Timestamp;

    use super::*;
    use crate::testing::{Folder, flow, run};
    use crate::{Filter, Reader, Store};

    /// A database with one flow, and in its log a second one, as a killed writer leaves it.
    fn with_a_log(folder: &Folder, name: &str) -> PathBuf {
        let test = folder.path().file_name().unwrap().display();
        let origin = Folder::new(&format!("origin-{test}-{name}"));
        let (made, path) = (origin.database(), folder.path().join(name));
        drop(Store::open(&made, run()).map(|opened| commit(opened.store, 1)).unwrap());
        let _lives = Store::open(&made, run()).map(|opened| commit(opened.store, 2)).unwrap();
        for suffix in ["", "-wal", "-shm"] {
            fs::copy(beside(&made, suffix), beside(&path, suffix)).unwrap();
        }
        path
    }

    fn commit(mut store: Store, number: u64) -> Store {
        store.commit(Timestamp(0), &[flow(number, 0)]).unwrap();
        store
    }

    fn flows(path: &Path) -> u64 {
        let reader = Reader::open(path).unwrap().unwrap();
        reader.totals(&Filter::default()).unwrap().iter().map(|total| total.flows).sum()
    }

    /// All files and what they hold. What the index holds is SQLite's own affair.
    fn contents(folder: &Folder) -> Vec<(PathBuf, Vec<u8>)> {
        let paths = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<_> = paths
            .map(|path| {
                let is_index = path.to_string_lossy().ends_with("-shm");
                let bytes = if is_index { Vec::new() } else { fs::read(&path).unwrap_or_default() };
                (path, bytes)
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn nothing_is_changed_or_left_behind() {
        let folder = Folder::new("look");
        let path = with_a_log(&folder, "x.db");
        for (lost, known) in [(None, 2), (Some("-shm"), 2), (Some("-wal"), 1)] {
            lost.into_iter().for_each(|suffix| fs::remove_file(beside(&path, suffix)).unwrap());
            let before = contents(&folder);
            assert_eq!(flows(&path), known, "without {lost:?}");
            assert!(contents(&folder) == before, "without {lost:?}");
        }
    }

    #[test]
    fn a_log_that_cannot_be_read_is_said_and_the_rest_is_shown() {
        let folder = Folder::new("no-log");
        let path = with_a_log(&folder, "x.db");
        let log = beside(&path, "-wal");
        fs::remove_file(&log).unwrap();
        fs::create_dir(&log).unwrap();
        let reader = Reader::open(&path).unwrap().unwrap();
        assert!(reader.unread_log().is_some_and(|unread| unread.ends_with("x.db-wal")));
        assert_eq!(flows(&path), 1);
    }

    #[test]
    fn a_database_that_may_be_read_in_full_lacks_nothing() {
        let folder = Folder::new("whole");
        let path = with_a_log(&folder, "x.db");
        assert_eq!(Reader::open(&path).unwrap().unwrap().unread_log(), None);
    }

    #[test]
    fn a_link_leads_to_the_log_too() {
        let (folder, elsewhere) = (Folder::new("link"), Folder::new("link-elsewhere"));
        std::os::unix::fs::symlink(with_a_log(&folder, "x.db"), elsewhere.database()).unwrap();
        assert_eq!(flows(&elsewhere.database()), 2);
    }

    #[test]
    fn a_name_is_only_a_name() {
        let folder = Folder::new("names");
        for name in ["a?mode=memory", "50%25 #1", "na\u{ef}ve", "x.db?immutable=0&vfs=none"] {
            let path = with_a_log(&folder, name);
            assert_eq!(flows(&path), 2, "{name}");
            fs::remove_file(beside(&path, "-shm")).unwrap();
            fs::remove_file(beside(&path, "-wal")).unwrap();
            assert_eq!(flows(&path), 1, "{name}");
        }
        let odd = folder.path().join(OsString::from_vec(vec![0xff, b'%']));
        drop(Store::open(&odd, run()).map(|opened| commit(opened.store, 1)).unwrap());
        assert_eq!(flows(&odd), 1);
        assert_eq!(plain(Path::new(":memory:")), Path::new("./:memory:"));
        assert_eq!(plain(Path::new("/x/:memory:")), Path::new("/x/:memory:"));
    }

    #[test]
    fn a_look_is_whole_while_writers_come_and_go() {
        let folder = Folder::new("come-and-go");
        let path = folder.database();
        drop(Store::open(&path, run()).map(|opened| commit(opened.store, 0)).unwrap());
        let seen = thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for number in 1..60 {
                    drop(Store::open(&path, run()).map(|opened| commit(opened.store, number)).unwrap());
                }
            });
            let mut seen = vec![flows(&path)];
            while !writer.is_finished() {
                seen.push(flows(&path));
            }
            seen
        });
        assert!(seen.is_sorted(), "{seen:?}");
        assert_eq!(flows(&path), 60);
    }
}

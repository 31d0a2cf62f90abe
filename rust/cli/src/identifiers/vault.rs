//! Where details are kept: sealed in one file among the data, and their key among the configuration, so that a copy
//! of the one alone reveals nothing. Whoever can read the files of this user can read both.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::rand::{GetRandomFlags, getrandom};
use telltale_watch::details::{KEY, Kept, NONCE, open, seal};
use zeroize::Zeroizing;

use crate::problem::{Problem, reason};

/// The two files.
#[derive(Debug)]
pub(crate) struct Vault {
    sealed: PathBuf,
    key: PathBuf,
}

/// A larger file is none of ours: 2,064 details of 300 bytes, and some paths.
const LARGEST: u64 = 1 << 20;

impl Vault {
    /// Where they are with this environment; `None` where it names no home.
    pub(crate) fn usual(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        // XDG Base Directory Specification: a relative path is invalid and must be ignored.
        let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || absolute("HOME");
        Some(Self {
            sealed: absolute("XDG_DATA_HOME")
                .or_else(|| home().map(|home| home.join(".local/share")))?
                .join("telltale/details.sealed"),
            key: absolute("XDG_CONFIG_HOME")
                .or_else(|| home().map(|home| home.join(".config")))?
                .join("telltale/details.key"),
        })
    }

    /// What is kept; `None` where nothing ever was.
    ///
    /// # Errors
    /// A sentence where it is there and cannot be read. The files stay as they are.
    pub(crate) fn read(&self) -> Result<Option<Kept>, Problem> {
        let blob = match read_some(&self.sealed) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // As root's is to whoever has left its HOME set.
            Err(error) if is_closed(&self.sealed) => {
                let home = "Set HOME to a folder of yours, or look for no details: --no-identifiers.";
                return Err(self.unreadable(&reason(&error)).advise(home));
            }
            read => read.map_err(|error| self.unreadable(&reason(&error)))?,
        };
        let key = self.key()?.ok_or_else(|| {
            let key = self.key.display();
            self.unreadable(&format!("its key {key} is missing"))
                .advise(format!("Put the key back. Or begin anew: {BEGIN_ANEW}."))
        })?;
        let text = open(&key, &blob).map_err(|why| self.beyond_repair(why))?;
        Kept::of_text(&text, random()?).map(Some).map_err(|why| self.beyond_repair(why))
    }

    /// Changes what is kept: either all of the change, or nothing.
    ///
    /// # Errors
    /// What the change refuses, or a sentence where it cannot be read or written.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Kept) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let _alone = self.lock()?;
        let mut kept = self.read()?.map_or_else(|| random().map(Kept::new), Ok)?;
        let answer = change(&mut kept)?;
        // The key first: of a crash between the two is left a key without anything that it opens.
        let key = self.key()?.map_or_else(|| self.new_key(), Ok)?;
        let blob =
            seal(&key, random()?, kept.to_text().as_bytes()).map_err(|why| unwritten(&self.sealed, why))?;
        replace(&self.sealed, &blob)?;
        Ok(answer)
    }

    /// Forgets everything, also what cannot be read any more. Answers whether there was something.
    ///
    /// # Errors
    /// A sentence where a file stays.
    pub(crate) fn forget(&self) -> Result<bool, Problem> {
        let _alone = self.lock()?;
        // Without its key the rest is as good as gone.
        let removed = [&self.key, &self.sealed].map(|path| match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Problem::new(format!("{} stays: {}", path.display(), reason(&error)))),
            Ok(()) => Ok(true),
        });
        removed.into_iter().try_fold(false, |any, removed| Ok(any | removed?))
    }

    /// Two that change it at one time do so one after the other. The lock is that of the folder, and ends with it.
    fn lock(&self) -> Result<File, Problem> {
        let folder = self.sealed.parent().unwrap_or(&self.sealed);
        make(folder)?;
        let lock = || -> io::Result<File> {
            let folder = File::open(folder)?;
            flock(&folder, FlockOperation::LockExclusive)?;
            Ok(folder)
        };
        lock().map_err(|error| unwritten(folder, &reason(&error)))
    }

    /// The key, where there is one.
    fn key(&self) -> Result<Option<Zeroizing<[u8; KEY]>>, Problem> {
        let name = self.key.display();
        let unfit = |why: &str| Problem::new(format!("the key of your details, {name}, {why}"));
        let file = match File::open(&self.key) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| unfit(&format!("cannot be read: {}", reason(&error))))?,
        };
        let about = file.metadata().map_err(|error| unfit(&format!("cannot be read: {}", reason(&error))))?;
        if about.mode() & 0o077 != 0 {
            return Err(unfit(&format!("can be used by others (mode {:o})", about.mode() & 0o777)).advise(
                format!(
                    "Whoever has copied it can read your details with it. To use it on: chmod 600 {name}. \
                 Better begin anew: {BEGIN_ANEW}."
                ),
            ));
        }
        let user = rustix::process::geteuid();
        if about.uid() != user.as_raw() && !user.is_root() {
            return Err(unfit("belongs to somebody else").advise(format!("Begin anew: {BEGIN_ANEW}.")));
        }
        let mut key = Zeroizing::new([0; KEY]);
        let whole = about.len() == KEY as u64 && (&file).read_exact(key.as_mut_slice()).is_ok();
        if whole {
            Ok(Some(key))
        } else {
            Err(unfit("is damaged").advise(format!("Put a copy of it back. Or begin anew: {BEGIN_ANEW}.")))
        }
    }

    fn new_key(&self) -> Result<Zeroizing<[u8; KEY]>, Problem> {
        let key = Zeroizing::new(random()?);
        make(self.key.parent().unwrap_or(&self.key))?;
        replace(&self.key, key.as_slice())?;
        Ok(key)
    }

    fn unreadable(&self, why: &str) -> Problem {
        Problem::new(format!("your details in {} cannot be read: {why}", self.sealed.display()))
    }

    fn beyond_repair(&self, why: &str) -> Problem {
        self.unreadable(why)
            .advise(format!("Put a copy of it and its key back. Or begin anew: {BEGIN_ANEW}."))
    }
}

const BEGIN_ANEW: &str = "telltale identifiers remove --all";

/// Whether nobody may so much as look whether the file is there.
fn is_closed(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

fn read_some(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn make(folder: &Path) -> Result<(), Problem> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| unwritten(folder, &reason(&error)))
}

/// Puts a file in the place of another, as a whole: a crash or a full disk leaves the old one.
fn replace(path: &Path, content: &[u8]) -> Result<(), Problem> {
    let new = path.with_extension("new");
    let written = write_new(&new, content).and_then(|()| fs::rename(&new, path)).and_then(|()| {
        // The name must be on the disk too before anybody relies on it.
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    });
    written.map_err(|error| {
        let _never_made = fs::remove_file(&new);
        unwritten(path, &reason(&error))
    })
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        // One may be left of a crash.
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn unwritten(path: &Path, why: &str) -> Problem {
    Problem::new(format!("nothing was changed: {} cannot be written: {why}", path.display()))
}

/// Random bytes of the system: keys, nonces, seeds.
pub(super) fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], Problem> {
    const { assert!(LENGTH <= 256 && LENGTH >= NONCE, "larger reads may be short") };
    let mut bytes = [0; LENGTH];
    match getrandom(&mut bytes, GetRandomFlags::empty()) {
        Ok(filled) if filled == LENGTH => Ok(bytes),
        _ => Err(Problem::new("the system gives no random numbers")),
    }
}

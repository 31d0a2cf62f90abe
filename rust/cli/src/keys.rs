//! `--keys FILE`: the secrets that programs write of their own TLS connections, in the form of SSLKEYLOGFILE.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use telltale_capture::Secrets;
use telltale_watch::Keys;

use crate::problem::{Problem, reason};

/// The variable by which programs are told to write their secrets down, and where (RFC 9850 1).
pub(crate) const VARIABLE: &str = "SSLKEYLOGFILE";

/// Bytes that are read at once.
const PIECE: usize = 1 << 16;

/// "TLSK", of the pcapng draft's secrets types.
const TLS_KEY_LOG: u32 = 0x544c_534b;

/// All that a key log holds.
///
/// # Errors
/// A sentence where it cannot be read, or is none.
pub(crate) fn read(path: &Path) -> Result<Keys, Problem> {
    let keys = Keys::new();
    let mut piece = vec![0; PIECE];
    let mut file = File::open(path).map_err(|error| unreadable(path, &error))?;
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(len) => keys.with_log(|log| log.take(piece.get(..len).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(path, &error)),
        }
    }
    let is_none = keys.with_log(|log| {
        log.end_line();
        log.is_empty() && log.strange() > 0
    });
    if is_none {
        return Err(Problem::new(format!("{} holds no keys", path.display()))
            .advise(format!("Programs write them where {VARIABLE} names a file, a line for each secret.")));
    }
    Ok(keys)
}

/// Adds what a capture file has brought along.
pub(crate) fn add(keys: &Keys, secrets: &[Secrets]) {
    for secrets in secrets.iter().filter(|secrets| secrets.kind == TLS_KEY_LOG) {
        keys.with_log(|log| {
            log.take(&secrets.data);
            log.end_line();
        });
    }
}

/// Whether there are keys among them.
pub(crate) fn are_among(secrets: &[Secrets]) -> bool {
    secrets.iter().any(|secrets| secrets.kind == TLS_KEY_LOG)
}

/// The variable for COMMAND. It may go to another directory, so the whole path.
///
/// # Errors
/// Where this process has no directory.
pub(crate) fn variable(path: &Path) -> Result<(OsString, OsString), Problem> {
    let path: PathBuf = std::path::absolute(path).map_err(|error| unreadable(path, &error))?;
    Ok((VARIABLE.into(), path.into()))
}

/// Keys of a log that COMMAND writes meanwhile. The file is made where there is none, for nobody else to read;
/// what stands in it already may belong to connections that are still to come.
///
/// # Errors
/// A sentence where it cannot be read.
pub(crate) fn follow(path: &Path) -> Result<Keys, Problem> {
    let make = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
    let mut file = make.map_err(|error| unreadable(path, &error))?;
    // Of a pipe each byte can be read once, and waiting for it would hold the watcher up.
    let about = file.metadata().map_err(|error| unreadable(path, &error))?;
    if !about.is_file() {
        return Err(Problem::new(format!("{} is not a file", path.display())));
    }
    Ok(Keys::following(move || {
        let mut more = Vec::new();
        let _what_was_read = file.by_ref().take(MORE).read_to_end(&mut more);
        more
    }))
}

/// Bytes that are read of a log at once: those of 5,000 secrets.
const MORE: u64 = 1 << 20;

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::new(format!("the keys in {} cannot be read: {}", path.display(), reason(error)))
}

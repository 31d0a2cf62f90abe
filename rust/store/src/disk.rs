//! What the operating system says of the place where the database lies.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

/// SQLite cannot even begin with less: the index of its log alone has 32 KiB.
const NEEDED: u64 = 64 * 1024;

/// Whether so little room is left beside the database that it cannot be written.
pub(crate) fn is_full(path: &Path) -> bool {
    statvfs(directory(path)).is_ok_and(|disk| {
        let room = disk.f_bavail.saturating_mul(disk.f_frsize);
        // A file system that does not count its files says 0 of 0.
        let no_files = disk.f_files > 0 && disk.f_favail == 0;
        room < NEEDED || no_files
    })
}

pub(crate) fn may_read(path: &Path) -> bool {
    access(path, Access::READ_OK).is_ok()
}

pub(crate) fn may_write(path: &Path) -> bool {
    access(path, Access::WRITE_OK).is_ok()
}

pub(crate) fn may_make_files_beside(path: &Path) -> bool {
    access(directory(path), Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

fn directory(path: &Path) -> PathBuf {
    // Without a "/" in it, a name's parent is "".
    path.parent().map_or_else(|| ".".into(), |parent| Path::new(".").join(parent))
}

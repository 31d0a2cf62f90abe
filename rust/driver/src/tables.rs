//! Opens the tables of destinations: one asset, unpacked once into a file and mapped into memory, so
//! that they cost no memory that the system cannot take back. Where the file cannot be made or is not
//! ours alone, they are unpacked into memory instead: the answers are the same.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use memmap2::Mmap;
use telltale_watch::destinations::{Destinations, Unusable, layout, unpack};

use crate::clock::wall;

/// What the names of our files begin with.
const PREFIX: &str = "destinations-";

/// Bits of a mode: its group may write, or everybody.
const WRITTEN_BY_OTHERS: u32 = 0o022;

/// Opens the tables of an asset. The unpacked copy is kept in `folder`, which is made; copies of other
/// versions there are removed. Without a folder nothing is kept.
///
/// # Errors
/// Where the asset itself is damaged.
pub fn open(asset: &[u8], folder: Option<&Path>) -> Result<Destinations, Unusable> {
    let Some(folder) = folder.filter(|folder| is_ours(folder)) else { return unpacked(asset) };
    let copy = folder.join(format!("{PREFIX}{:016x}", layout::checksum(asset)));
    if let Some(tables) = mapped(&copy) {
        return Ok(tables);
    }
    let file = unpack(asset)?;
    if let Err(error) = keep(folder, &copy, &file) {
        log::debug!("the tables of destinations are not kept unpacked: {error}");
    }
    mapped(&copy).map_or_else(|| Destinations::open(file.into()), Ok)
}

fn unpacked(asset: &[u8]) -> Result<Destinations, Unusable> {
    Destinations::open(unpack(asset)?.into())
}

/// The tables in a copy, where it is there, ours and whole.
fn mapped(copy: &Path) -> Option<Destinations> {
    let file = File::open(copy).ok()?;
    is_ours_alone(&file.metadata().ok()?).then_some(())?;
    Destinations::open(map(&file).ok()?).ok()
}

fn map(file: &File) -> io::Result<Bytes> {
    // SAFETY: the memory must not change below us. The file is owned by this user and nobody else may
    // write to it; we ourselves only ever replace it by rename, never write into it or shorten it.
    let memory = unsafe { Mmap::map(file)? };
    Ok(Bytes::from_owner(memory))
}

/// Whether the folder, or the nearest one above it that is there, belongs to this user: what root
/// makes in somebody's home under sudo would be in that person's way. Where others may write they could
/// put something else in the copy's place.
fn is_ours(folder: &Path) -> bool {
    let nearest = folder.ancestors().find_map(|above| fs::metadata(above).ok());
    nearest.is_some_and(|nearest| is_ours_alone(&nearest))
}

fn is_ours_alone(about: &Metadata) -> bool {
    about.uid() == own_uid() && about.mode() & WRITTEN_BY_OTHERS == 0
}

fn own_uid() -> u32 {
    // SAFETY: geteuid always succeeds and touches no memory.
    unsafe { libc::geteuid() }
}

/// Writes the copy beside its place and moves it there, so that another Telltale never sees half of it.
fn keep(folder: &Path, copy: &Path, bytes: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    others(folder, copy).for_each(|old| drop(fs::remove_file(old)));
    let new = folder.join(temporary_name());
    let written = write(&new, bytes).and_then(|()| fs::rename(&new, copy));
    if written.is_err() {
        let _gone_already = fs::remove_file(&new);
    }
    written
}

/// Several threads may open the tables at once, as tests do, and a number of a process comes again: what a
/// crashed one left would be in the way. Whoever makes a copy removes that too; if it takes away one that is
/// just being written, that Telltale does with its memory.
fn temporary_name() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("{PREFIX}new-{}-{}-{:x}", process::id(), MADE.fetch_add(1, Ordering::Relaxed), wall().0)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
}

/// The copies of other versions.
fn others(folder: &Path, copy: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    ours.map(|entry| entry.path()).filter(move |path| path != copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSET: &[u8] = include_bytes!("../../tables/destinations.zst");

    #[test]
    fn the_copy_is_made_once_and_mended_when_it_is_damaged() {
        let folder = std::env::temp_dir().join(format!("telltale-tables-{}", process::id()));
        let place = folder.join("cache");
        DirBuilder::new().recursive(true).mode(0o700).create(&place).unwrap();
        fs::write(place.join("destinations-of-before"), "old").unwrap();
        let names = || fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();

        let size = open(ASSET, Some(&place)).unwrap().size();
        let [copy] = names().try_into().unwrap();
        let made = fs::metadata(&copy).unwrap().modified().unwrap();
        assert_eq!(open(ASSET, Some(&place)).unwrap().size(), size);
        assert_eq!(fs::metadata(&copy).unwrap().modified().unwrap(), made, "it was not written again");

        fs::write(&copy, "damaged").unwrap();
        assert_eq!(open(ASSET, Some(&place)).unwrap().size(), size);
        assert!(fs::metadata(&copy).unwrap().len() > 1_000_000, "it was mended");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_others_may_write_to_is_not_mapped() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("telltale-tables-others-{}", process::id()));
        DirBuilder::new().mode(0o700).create(&folder).unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let entries =
            || fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
        set(&folder, 0o770);
        assert!(open(ASSET, Some(&folder)).is_ok());
        assert_eq!(entries(), Vec::<PathBuf>::new(), "a folder of others");
        set(&folder, 0o700);
        open(ASSET, Some(&folder)).unwrap();
        let [copy] = entries().try_into().unwrap();
        assert!(mapped(&copy).is_some());
        set(&copy, 0o620);
        assert!(mapped(&copy).is_none(), "a file of others");
        open(ASSET, Some(&folder)).unwrap();
        assert!(mapped(&copy).is_some(), "it was made anew");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn two_copies_at_once_do_not_meet() {
        assert_ne!(temporary_name(), temporary_name());
    }

    #[test]
    fn where_nothing_can_be_kept_they_are_unpacked_into_memory() {
        let size = open(ASSET, None).unwrap().size();
        assert_eq!(open(ASSET, Some(Path::new("/proc/self/telltale"))).unwrap().size(), size);
    }

    #[test]
    fn a_damaged_asset_is_an_error() {
        assert!(open(&ASSET[..ASSET.len() / 2], None).is_err());
        assert!(open(b"no asset", None).is_err());
    }
}

//! A full disk: commits fail with a sentence, reading goes on, nothing is lost, and commits succeed
//! again once there is room. The disk is a small tmpfs in a mount namespace of the test's own, so
//! nothing can be left behind; the test in there is this same binary, started again.

#![expect(clippy::unwrap_used, reason = "the functions below a test belong to it")]

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{batch, flows_kept, run};
use telltale_model::Timestamp;
use telltale_store::{Cause, Store};

const DISK: &str = "TELLTALE_TEST_DISK";

#[test]
fn a_full_disk_loses_nothing() {
    let disk = std::env::temp_dir().join(format!("telltale-store-full-{}", std::process::id()));
    std::fs::create_dir_all(&disk).unwrap();
    if in_small_disk(&disk, "true").output().is_ok_and(|tried| tried.status.success()) {
        let inside = in_small_disk(&disk, "exec \"$TELLTALE_TEST_BINARY\" --exact inside --nocapture")
            .output()
            .unwrap();
        assert!(inside.status.success(), "{}", String::from_utf8_lossy(&inside.stderr));
    } else {
        println!("skipped: no tmpfs may be mounted here");
    }
    std::fs::remove_dir(disk).unwrap();
}

fn in_small_disk(disk: &Path, then: &str) -> Command {
    let mut command = Command::new("unshare");
    let script = format!("mount -t tmpfs -o size=4m none \"${DISK}\" && {then}");
    // Root has no need of a user namespace, which may be forbidden.
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    command.arg(if is_root { "-m" } else { "-rm" }).args(["sh", "-c", &script]);
    command.env(DISK, disk).env("TELLTALE_TEST_BINARY", std::env::current_exe().unwrap());
    command
}

/// What happens on the small disk; does nothing in an ordinary run of the tests.
#[test]
fn inside() {
    let Some(disk) = std::env::var_os(DISK).map(PathBuf::from) else { return };
    let database = disk.join("telltale.db");
    std::fs::write(disk.join("ballast"), vec![1; 3 << 20]).unwrap();
    let mut store = Store::open(&database, run()).unwrap().store;

    let (kept, sentence) = commit_until_full(&mut store);
    assert!(sentence.contains("is full") && sentence.contains("make room"), "{sentence}");
    assert!(kept > 100, "{kept} flows in 1 MiB");
    assert_eq!(flows_kept(&database), kept, "reading goes on");
    assert!(store.commit(Timestamp(0), &batch(kept, 10)).is_err(), "it is still full");
    let unopened = Store::open(&disk.join("other.db"), run()).map(drop).unwrap_err();
    assert!(unopened.to_string().contains("is full"), "{unopened}");
    assert_eq!(unopened.cause(), Cause::Disk);

    std::fs::remove_file(disk.join("ballast")).unwrap();
    store.commit(Timestamp(0), &batch(kept, 10)).unwrap();
    assert_eq!(flows_kept(&database), kept + 10, "the batch that failed is kept now");
    drop(store);
    assert_eq!(Store::open(&database, run()).unwrap().set_aside, None, "the file is sound");
    full_from_the_beginning(&disk);
}

/// Nobody has the database open, and there is no room for the files that SQLite needs beside it.
fn full_from_the_beginning(disk: &Path) {
    let database = disk.join("telltale.db");
    let kept = flows_kept(&database);
    fill(disk);
    let full = Store::open(&database, run()).map(drop).unwrap_err();
    assert_eq!(full.cause(), Cause::Disk, "{full}");
    assert!(full.to_string().contains("is full"), "{full}");
    assert_eq!(flows_kept(&database), kept, "reading needs no room");
    let mut store = Store::later(&database, run());
    assert_eq!(store.commit(Timestamp(0), &batch(1, 10)), Err(full));

    std::fs::remove_file(disk.join("ballast")).unwrap();
    store.commit(Timestamp(0), &batch(1, 10)).unwrap();
    assert_eq!(flows_kept(&database), kept + 10, "once there is room, the store opens by itself");
}

fn fill(disk: &Path) {
    let mut ballast = std::fs::File::create(disk.join("ballast")).unwrap();
    while ballast.write(&[1; 4_096]).is_ok() {}
}

fn commit_until_full(store: &mut Store) -> (u64, String) {
    for first in (0..).step_by(10) {
        if let Err(error) = store.commit(Timestamp(0), &batch(first, 10)) {
            return (first, error.to_string());
        }
    }
    unreachable!("a small disk fills")
}

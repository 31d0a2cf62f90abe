//! A writer that is killed at any moment loses nothing that it was told is kept, and leaves a sound
//! file. The writer is this same test binary, started again.

#![expect(clippy::unwrap_used, reason = "the functions below a test belong to it")]

mod common;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{batch, flows_kept, run};
use telltale_model::Timestamp;
use telltale_store::Store;

const DATABASE: &str = "TELLTALE_TEST_DATABASE";
const KILLS: u32 = 20;
const FLOWS_PER_COMMIT: u64 = 10;

#[test]
fn a_killed_writer_loses_no_acknowledged_commit() {
    let folder = std::env::temp_dir().join(format!("telltale-store-killed-{}", std::process::id()));
    let database = folder.join("telltale.db");
    let mut acknowledged = 0;
    for kill in 0..KILLS {
        acknowledged += FLOWS_PER_COMMIT
            * commits_until_killed(&database, Duration::from_millis(u64::from(5 + 7 * kill)));
        let opened = Store::open(&database, run()).unwrap();
        assert_eq!(opened.set_aside, None, "kill {kill}");
        let kept = flows_kept(&database);
        // A commit may have been kept without its acknowledgement having been read: one for each kill.
        let unread = FLOWS_PER_COMMIT * u64::from(kill + 1);
        assert!((acknowledged..=acknowledged + unread).contains(&kept), "{kept} kept of {acknowledged}");
    }
    assert!(acknowledged > 0, "no commit was ever acknowledged");
    std::fs::remove_dir_all(folder).unwrap();
}

/// The child; does nothing in an ordinary run of the tests.
#[test]
fn writer() {
    let Some(database) = std::env::var_os(DATABASE) else { return };
    let mut store = Store::open(&PathBuf::from(database), run()).unwrap().store;
    for first in (0..).step_by(usize::try_from(FLOWS_PER_COMMIT).unwrap()) {
        store.commit(Timestamp(0), &batch(first, FLOWS_PER_COMMIT)).unwrap();
        println!("kept");
    }
}

/// Lets a writer write for so long, kills it, and counts what it acknowledged.
fn commits_until_killed(database: &Path, after: Duration) -> u64 {
    let mut child = start_writer(database);
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut kept = output.lines().map_while(Result::ok).filter(|line| line.ends_with("kept"));
    let first = kept.next().map_or(0, |_| 1);
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    first + u64::try_from(kept.count()).unwrap()
}

fn start_writer(database: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer", "--nocapture"])
        .env(DATABASE, database)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

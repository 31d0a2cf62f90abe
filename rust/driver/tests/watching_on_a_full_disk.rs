//! A full disk does not disturb watching: what the database does not take waits, and is kept once
//! there is room; what is never taken is told. The disk is a small tmpfs in a mount namespace of the
//! test's own; the test in there is this same binary, started again.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "the functions below a test belong to it")]

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use telltale_driver::watcher::{Watch, WatchConfig};
use telltale_model::{Ending, FlowKey, FlowNumber, Observation, Protocol, Timestamp, Traffic};
use telltale_store::{Filter, Reader, Run, Store};

const DISK: &str = "TELLTALE_TEST_DISK";
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn flows_wait_for_room_on_the_disk() {
    on_a_small_disk("wait", "inside_flows_wait");
}

#[test]
fn flows_that_are_never_kept_are_told() {
    on_a_small_disk("told", "inside_flows_are_told");
}

#[test]
fn inside_flows_wait() {
    let Some(disk) = std::env::var_os(DISK).map(PathBuf::from) else { return };
    let (watch, database) = start_and_fill(&disk);
    tell(&watch, 100);
    thread::sleep(Duration::from_millis(1_500));
    assert_eq!(flows_kept(&database), 0, "the first try has failed");
    std::fs::remove_file(disk.join("filler")).unwrap();
    let kept = (0..50).any(|_| {
        thread::sleep(Duration::from_millis(100));
        flows_kept(&database) == 100
    });
    assert!(kept, "tried again by itself");
    let report = watch.stop(PATIENCE);
    assert_eq!((report.problems, report.dropped), (Vec::new(), 0));
}

#[test]
fn inside_flows_are_told() {
    let Some(disk) = std::env::var_os(DISK).map(PathBuf::from) else { return };
    let (watch, _) = start_and_fill(&disk);
    tell(&watch, 100);
    let report = watch.stop(PATIENCE);
    assert_eq!(report.ledger.lines.iter().map(|line| line.sum.flows).sum::<u64>(), 100, "the table has them");
    assert_eq!(report.problems.len(), 1);
    let problem = &report.problems[0];
    assert!(problem.contains("100 flows could not be kept") && problem.contains("is full"), "{problem}");
}

fn on_a_small_disk(name: &str, test: &str) {
    let disk = std::env::temp_dir().join(format!("telltale-watching-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&disk).unwrap();
    if inside(&disk, "true").output().is_ok_and(|tried| tried.status.success()) {
        let script = format!("exec \"$TELLTALE_TEST_BINARY\" --exact {test} --nocapture");
        let output = inside(&disk, &script).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    } else {
        println!("skipped: no tmpfs may be mounted here");
    }
    std::fs::remove_dir(disk).unwrap();
}

fn inside(disk: &Path, then: &str) -> Command {
    let mut command = Command::new("unshare");
    let script = format!("mount -t tmpfs -o size=1m none \"${DISK}\" && {then}");
    // Root has no need of a user namespace, which may be forbidden.
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    command.arg(if is_root { "-m" } else { "-rm" }).args(["sh", "-c", &script]);
    command.env(DISK, disk).env("TELLTALE_TEST_BINARY", std::env::current_exe().unwrap());
    command
}

fn start_and_fill(disk: &Path) -> (Watch, PathBuf) {
    let database = disk.join("telltale.db");
    let run = Run { started: Timestamp(0), command: "test".into(), version: "0".into() };
    let store = Store::open(&database, run).unwrap().store;
    let _full = std::fs::write(disk.join("filler"), vec![0; 2 << 20]);
    (Watch::start(WatchConfig { store: Some(store), ..WatchConfig::default() }).unwrap(), database)
}

fn tell(watch: &Watch, flows: u64) {
    let mut sender = watch.sender();
    let key = FlowKey {
        protocol: Protocol::Tcp,
        app: "198.19.84.1:4000".parse().unwrap(),
        remote: "192.0.2.7:443".parse().unwrap(),
    };
    for flow in (0..flows).map(FlowNumber) {
        sender.tell(Observation::Opened { flow, key, at: Timestamp(1) });
        let (traffic, ending) = (Traffic::default(), Ending::Finished);
        sender.tell(Observation::Closed { flow, traffic, ending, at: Timestamp(2) });
    }
}

fn flows_kept(database: &Path) -> u64 {
    let Some(reader) = Reader::open(database).unwrap() else { return 0 };
    reader.totals(&Filter::default()).unwrap().iter().map(|total| total.flows).sum()
}

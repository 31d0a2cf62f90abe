//! The database is where it was asked to be, or somebody is told; COMMAND runs wherever that is no
//! mistake of the person who typed it.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;

use telltale_model::{
    Destination, Ending, Facts, Flow, FlowKey, FlowNumber, Owner, Protocol, Timestamp, Traffic,
};
use telltale_store::{Filter, Reader, Run, Store};

use crate::{TELLTALE, able, root, text};

#[test]
fn a_full_disk_stops_nothing_and_what_it_costs_is_told() {
    if !able() || !root() {
        return;
    }
    let desk = Desk::new("full");
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port().to_string();
    let serving = thread::spawn(move || {
        let mut heard = String::new();
        server.accept().unwrap().0.read_to_string(&mut heard).unwrap();
        heard
    });
    let sends = "exec 3<> /dev/tcp/127.0.0.1/$0 && echo hello >&3 && exit 7";
    let output = desk.on_a_full_disk(&[
        "run",
        "--details",
        "--db",
        "disk/x.db",
        "--loopback",
        &port,
        "--",
        "bash",
        "-c",
        sends,
        &port,
    ]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{told}");
    assert_eq!(serving.join().unwrap(), "hello\n");
    assert!(told.contains(&format!("127.0.0.1 {port}/tcp")), "the table is there: {told}");
    let full = "telltale: 1 flow could not be kept: the disk that holds the database disk/x.db is full; make room on it";
    assert_eq!(told.lines().last(), Some(full));
}

#[test]
fn a_full_disk_is_told_where_nothing_was_sent_too() {
    if !able() || !root() {
        return;
    }
    let desk = Desk::new("full-silent");
    for database in ["disk/x.db", "disk/new.db", "disk/new/x.db"] {
        let output = desk.on_a_full_disk(&["run", "--db", database, "--", "true"]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{told}");
        let full = format!(
            "No network traffic was seen.\n\
             telltale: nothing could be kept: the disk that holds the database {database} is full; make room on it\n"
        );
        assert_eq!(told, full);
    }
}

#[test]
fn a_mistake_is_told_before_command_runs_and_costs_nothing() {
    if !able() {
        return;
    }
    let desk = Desk::new("mistakes");
    fs::write(desk.0.join("notes.txt"), "Dear diary, this was never a database.").unwrap();
    for (database, happened) in [
        (".", "the database . is a directory; it must be a file"),
        ("/dev/null", "the database /dev/null is a device, pipe or socket; it must be a file"),
        ("notes.txt", "notes.txt is not a database"),
        ("notes.txt/x", "the database notes.txt/x cannot be made: Not a directory"),
    ] {
        let output = desk.run(database);
        let advice = "Name another file after --db, or keep nothing with --db none.";
        let told = format!("telltale: {happened}\n          {advice}\n");
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(125), told));
        assert_eq!(text(&output.stdout), "", "COMMAND did not run");
    }
    assert_eq!(desk.files(), ["notes.txt"]);
}

#[test]
fn names_that_sqlite_would_understand_are_only_names() {
    if !able() {
        return;
    }
    let desk = Desk::new("names");
    for name in [":memory:", "file:x?mode=memory", "file:x"] {
        assert_eq!(desk.run(name).status.code(), Some(0));
    }
    assert_eq!(desk.files(), [":memory:", "file:x", "file:x?mode=memory"]);
}

#[test]
fn a_damaged_database_is_set_aside_and_said() {
    if !able() {
        return;
    }
    let desk = Desk::new("damaged");
    let database = desk.0.join("x.db");
    desk.run("x.db");
    // What a power cut leaves of a file whose first page was being written.
    let mut bytes = fs::read(&database).unwrap();
    bytes[..4_096].fill(0);
    fs::write(&database, &bytes).unwrap();
    let output = desk.run("x.db");
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), "ran\n"));
    let told =
        "telltale: the database x.db was damaged; it was moved to x.db.corrupt-1, and a new one begun\n";
    assert!(text(&output.stderr).ends_with(told), "{}", text(&output.stderr));
    assert!(fs::read(desk.0.join("x.db.corrupt-1")).unwrap() == bytes);
    assert_eq!(text(&desk.run("x.db").stderr), "No network traffic was seen.\n", "said once");
}

/// A directory of one test's own, gone with it.
struct Desk(PathBuf);

impl Desk {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("telltale-databases-{test}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn run(&self, database: &str) -> Output {
        let mut telltale = Command::new(TELLTALE);
        telltale.args(["run", "--db", database, "--", "echo", "ran"]);
        telltale.current_dir(&self.0).output().unwrap()
    }

    /// Runs telltale where `disk` is full, with a database `x.db` on it that nobody has open.
    fn on_a_full_disk(&self, arguments: &[&str]) -> Output {
        let origin = self.0.join("origin");
        drop(Store::open(&origin.join("x.db"), nobodys_run()).map(|opened| commit(opened.store)).unwrap());
        fs::create_dir_all(self.0.join("disk")).unwrap();
        let script = "mount -t tmpfs -o size=128k none disk && cp origin/x.db disk && \
                      ! cat /dev/zero > disk/ballast 2> /dev/null && \"$@\"; \
                      code=$?; cp disk/x.db after.db && exit $code";
        let mut unshare = Command::new("unshare");
        unshare.args(["-m", "bash", "-c", script, "bash", TELLTALE]).args(arguments);
        let output = unshare.current_dir(&self.0).env_remove("SUDO_UID").output().unwrap();
        let after = Reader::open(&self.0.join("after.db")).unwrap().unwrap();
        assert_eq!(after.totals(&Filter::default()).unwrap().len(), 1, "what was kept before is still there");
        output
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn nobodys_run() -> Run {
    Run { started: Timestamp(0), command: "test".into(), version: "0".into() }
}

fn commit(mut store: Store) -> Store {
    let key = FlowKey {
        protocol: Protocol::Tcp,
        app: "198.19.84.1:40000".parse().unwrap(),
        remote: "192.0.2.7:443".parse().unwrap(),
    };
    let flow = Flow {
        number: FlowNumber(1),
        key,
        owner: Owner::default(),
        name: None,
        other_names: Vec::new(),
        started: Timestamp(0),
        ended: Some(Timestamp(0)),
        ending: Some(Ending::Finished),
        traffic: Traffic::default(),
        facts: Facts::default(),
        destination: Destination::default(),
        findings: Vec::new(),
    };
    store.commit(Timestamp(0), &[flow]).unwrap();
    store
}

//! What is printed: the promise of docs/replay-format.md, and what is said of damage.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name)
}

fn replay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_telltale")).arg("replay").args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A file that is gone when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("telltale-replay-{}-{name}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.0);
    }
}

/// A packet of UDP, or of a protocol without ports, between two hosts.
fn packet(protocol: u8, source: u16, payload: &[u8]) -> Vec<u8> {
    let udp = |len: u16| [source, 9_999, len, 0].map(u16::to_be_bytes).concat();
    let header = if protocol == 17 { udp(8 + u16::try_from(payload.len()).unwrap()) } else { Vec::new() };
    let total = u16::try_from(20 + header.len() + payload.len()).unwrap().to_be_bytes();
    let ip = [&[0x45, 0][..], &total, &[0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]].concat();
    [&ip[..], &header, payload].concat()
}

/// A capture of raw IP packets, each with its second.
fn pcap(packets: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let numbers =
        |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let record = |(at, bytes): &(u32, Vec<u8>)| {
        let len = u32::try_from(bytes.len()).unwrap();
        [numbers(&[*at, 0, len, len]), bytes.clone()].concat()
    };
    let header = numbers(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 101]);
    [header, packets.iter().flat_map(record).collect()].concat()
}

#[test]
fn lines_stand_in_the_order_of_the_ends() {
    // One that goes on, one that falls silent before another protocol does, and one that is alive at the end.
    let file = pcap(&[
        (0, packet(17, 40_001, b"long")),
        (1, packet(17, 40_002, b"short")),
        (2, packet(132, 0, b"chunk")),
        (100, packet(17, 40_001, b"long")),
        (300, packet(17, 40_003, b"last")),
    ]);
    let scratch = Scratch::new("order.pcap", &file);
    let text = stdout(&replay(&["--format", "jsonl", scratch.path()]));
    let sources: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["source"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sources, ["192.0.2.1:40002", "192.0.2.1", "192.0.2.1:40001", "192.0.2.1:40003"]);
}

#[test]
fn a_record_has_the_promised_members_in_their_order() {
    let path = capture("curl.pcap");
    let output = replay(&["--format", "jsonl", path.to_str().unwrap()]);
    let text = stdout(&output);
    let line = text.lines().find(|line| line.contains("\"http\"")).unwrap();
    let members = [
        "capture",
        "protocol",
        "source",
        "destination",
        "started",
        "ended",
        "bytes_sent",
        "bytes_received",
        "packets_sent",
        "packets_received",
        "content_sent",
        "application",
        "names",
        "dns",
        "destination_info",
        "coverage_bytes",
        "findings",
    ];
    let mut rest = line;
    for member in members {
        let at = rest.find(&format!("\"{member}\":")).unwrap_or_else(|| panic!("{member}: {line}"));
        rest = &rest[at..];
    }
    let record: Value = serde_json::from_str(line).unwrap();
    assert_eq!(record["capture"], "curl.pcap");
    assert_eq!(record["protocol"], "tcp");
    assert_eq!(record["destination"], "203.0.113.10:80");
    assert!(record["source"].as_str().unwrap().starts_with("198.51.100.2:"));
    assert_eq!(record["names"], serde_json::json!([{"name": "curl.fixture.example", "from": "http"}]));
    assert_eq!(record["asked"], serde_json::json!(["curl.fixture.example"]));
    let coverage = record["coverage_bytes"].as_object().unwrap();
    let sum: u64 = coverage.values().map(|bytes| bytes.as_u64().unwrap()).sum();
    assert_eq!(Some(sum), record["bytes_sent"].as_u64());
    let started = line.split("\"started\":").nth(1).unwrap().split(',').next().unwrap();
    assert_eq!(started.split('.').nth(1).unwrap().len(), 6, "{started}");
}

#[test]
fn the_table_names_who_was_spoken_to() {
    let path = capture("curl.pcap");
    let table = stdout(&replay(&[path.to_str().unwrap()]));
    assert!(table.contains("\ncurl.fixture.example ") && !table.contains("PROGRAM"), "{table}");
    let details = stdout(&replay(&["--details", path.to_str().unwrap()]));
    assert!(details.contains("    curl.fixture.example 443/tcp \u{b7} "), "{details}");
    assert!(details.contains(" \u{b7} named in the TLS hello"), "{details}");
    let both = stdout(&replay(&[path.to_str().unwrap(), path.to_str().unwrap()]));
    assert_eq!(both.matches("curl.pcap:\n").count(), 2);
}

#[test]
fn a_cut_file_gives_what_could_be_read_and_says_where_it_ends() {
    let whole = fs::read(capture("curl.pcap")).unwrap();
    let cut = Scratch::new("cut.pcap", &whole[..whole.len() - 10]);
    let output = replay(&["--format", "jsonl", cut.path()]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("cut.pcap: the file ends here, ") && said.contains("packets could be read"),
        "{said}"
    );
    assert!(stdout(&output).lines().count() > 3);
}

#[test]
fn of_a_link_that_is_not_read_nothing_is_claimed() {
    let mut bytes = fs::read(capture("curl.pcap")).unwrap();
    // The link type is the last field of the file's header; 147 is one for private use.
    bytes[20..24].copy_from_slice(&147_u32.to_le_bytes());
    let file = Scratch::new("private.pcap", &bytes);
    let output = replay(&[file.path()]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(1), String::new()));
    let said = stderr(&output);
    assert!(said.contains("packets of the link type 147 are not read"), "{said}");
}

#[test]
fn a_file_that_is_none_does_not_stop_the_others() {
    let none = Scratch::new("none.txt", b"no capture");
    let path = capture("dig.pcap");
    let gone = format!("{}.gone", none.path());
    let output = replay(&["--format", "jsonl", &gone, none.path(), path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains(".gone cannot be read: No such file"), "{said}");
    assert!(said.contains("neither pcap nor pcapng"), "{said}");
    assert!(stdout(&output).contains("dig.fixture.example"));
}

#[test]
fn flows_can_be_kept_and_reported_later() {
    let database = Scratch::new("flows.db", b"");
    let path = capture("curl.pcap");
    let output = replay(&["--db", database.path(), path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let report = Command::new(env!("CARGO_BIN_EXE_telltale"))
        .args(["report", "--details", "--db", database.path()])
        .output()
        .unwrap();
    assert!(stdout(&report).contains("curl.fixture.example 443/tcp"), "{}", stdout(&report));
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let diary = Scratch::new("diary.txt", b"dear diary");
    let path = capture("curl.pcap");
    let output = replay(&["--db", diary.path(), path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(125));
    assert!(stderr(&output).contains("diary.txt is not a database"), "{}", stderr(&output));
    assert_eq!(fs::read(diary.path()).unwrap(), b"dear diary");
}

#[test]
fn a_damaged_database_is_moved_and_it_is_said_where_to() {
    let mut damaged = b"SQLite format 3\0".to_vec();
    damaged.resize(8192, 7);
    let database = Scratch::new("damaged.db", &damaged);
    let path = capture("curl.pcap");
    let output = replay(&["--db", database.path(), path.to_str().unwrap()]);
    let aside = format!("{}.corrupt-1", database.path());
    let moved = fs::read(&aside);
    fs::remove_file(&aside).unwrap();
    assert_eq!(moved.unwrap(), damaged);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains(&format!("was damaged; it was moved to {aside}")),
        "{}",
        stderr(&output)
    );
}

#[test]
fn no_capture_is_a_mistake() {
    assert_eq!(replay(&[]).status.code(), Some(125));
}

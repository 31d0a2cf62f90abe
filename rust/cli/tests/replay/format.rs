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
    assert!(table.contains("(unknown)  curl.fixture.example "), "{table}");
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
    let output = replay(&["--format", "jsonl", "/nonexistent", none.path(), path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("/nonexistent cannot be read: No such file"), "{said}");
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
fn no_capture_is_a_mistake() {
    assert_eq!(replay(&[]).status.code(), Some(125));
}

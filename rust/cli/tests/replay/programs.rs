//! Captures of real programs give exactly the names that the programs asked for, however their packets were
//! cut, split, repeated or shuffled.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::packets;

/// Where a name stands, and the name.
type Names = BTreeSet<(String, String)>;

/// What is known of each flow: what is spoken, its names and questions, and content sent over TCP.
type Flows = BTreeMap<String, (Value, Names, BTreeSet<String>, Option<u64>)>;

#[test]
fn the_names_are_those_that_the_program_asked_for() {
    for capture in captures() {
        let told = names(&replay(&fs::read(&capture).unwrap()));
        assert_eq!(told, truth(&capture), "{}", capture.display());
    }
}

#[test]
fn other_segments_give_the_same_answer() {
    for (capture, original, expected) in originals() {
        for size in [1, 7, 100, 536] {
            let file = packets::write(&packets::split(&original, size));
            assert_eq!(flows(&replay(&file)), expected, "{} in segments of {size}", capture.display());
        }
    }
}

#[test]
fn repeated_packets_give_the_same_answer() {
    for (capture, original, expected) in originals() {
        let file = packets::write(&packets::repeated(&original));
        assert_eq!(flows(&replay(&file)), expected, "{}", capture.display());
        let file = packets::write(&packets::repeated(&packets::split(&original, 50)));
        assert_eq!(flows(&replay(&file)), expected, "{} in small segments", capture.display());
    }
}

#[test]
fn shuffled_packets_give_the_same_answer() {
    for (capture, original, expected) in originals() {
        for (reach, seed) in [(1, 1), (2, 2), (4, 3), (8, 4)] {
            for size in [1_500, 50] {
                let small = packets::split(&original, size);
                let file = packets::write(&packets::shuffled(&small, reach, seed));
                let told = flows(&replay(&file));
                assert_eq!(told, expected, "{} within {reach}, {size} bytes", capture.display());
            }
        }
    }
}

#[test]
fn packets_of_servers_that_were_cut_give_the_same_names() {
    for (capture, original, expected) in originals() {
        let file = packets::write(&packets::cut(&original, 110));
        let (told, expected) = (flows(&replay(&file)), expected);
        let names = |flows: &Flows| -> Vec<(String, Names)> {
            flows.iter().map(|(ends, flow)| (ends.clone(), flow.1.clone())).collect()
        };
        assert_eq!(names(&told), names(&expected), "{}", capture.display());
    }
}

fn originals() -> Vec<(PathBuf, Vec<packets::Packet>, Flows)> {
    let original = |path: PathBuf| {
        let file = fs::read(&path).unwrap();
        (path, packets::read(&file), flows(&replay(&file)))
    };
    captures().into_iter().map(original).collect()
}

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures");
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut captures: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "pcap")).collect();
    captures.sort();
    assert!(captures.len() > 10);
    captures
}

/// The lines of the prose beside a capture that name a name: `- dns: a.example`.
fn truth(capture: &Path) -> Names {
    let prose = fs::read_to_string(capture.with_extension("md")).unwrap();
    let named = prose.lines().filter_map(|line| line.strip_prefix("- ")?.split_once(": "));
    named.map(|(from, name)| (from.to_owned(), name.to_owned())).collect()
}

/// The records of a capture.
fn replay(file: &[u8]) -> Vec<Value> {
    let mut telltale = Command::new(env!("CARGO_BIN_EXE_telltale"))
        .args(["replay", "--format", "jsonl", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = telltale.stdin.take().unwrap();
    let file = file.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&file).unwrap());
    let output = telltale.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn names(records: &[Value]) -> Names {
    records.iter().flat_map(names_of).collect()
}

fn names_of(record: &Value) -> Names {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let names = record["names"].as_array().unwrap();
    names.iter().map(|name| (text(&name["from"]), text(&name["name"]))).collect()
}

fn flows(records: &[Value]) -> Flows {
    let flow = |record: &Value| {
        let ends = format!("{} {} {}", record["protocol"], record["source"], record["destination"]);
        let questions = record["dns"].as_array().unwrap();
        let questions =
            questions.iter().map(|question| format!("{} {}", question["query"], question["type"]));
        let content = record["content_sent"].as_u64().filter(|_| record["protocol"] == "tcp");
        (ends, (record["application"].clone(), names_of(record), questions.collect(), content))
    };
    records.iter().map(flow).collect()
}

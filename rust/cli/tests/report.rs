//! `telltale report`, as a person calls it: on a database made here, on none, and on a damaged one.
#![expect(clippy::unwrap_used, reason = "the functions below a test belong to it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use telltale_model::{Ending, Flow, FlowKey, FlowNumber, Owner, Protocol, Timestamp, Traffic};
use telltale_store::{Run, Store};

#[test]
fn what_is_known_is_a_table_on_stdout() {
    let data = Data::with_flows("table");
    let expected = "\
PROGRAM  DESTINATION            SENT  RECEIVED  FLOWS
curl     shop.example 443/tcp  5,000        50      1
wget     192.0.2.9 80/tcp        700         7      1
total                          5,700        57      2
";
    assert_eq!(said(&data.report(&[])), (0, expected.into(), String::new()));
}

#[test]
fn since_and_app_narrow_it_down() {
    let data = Data::with_flows("filters");
    let rows = |arguments: &[&str]| {
        said(&data.report(arguments)).1.lines().skip(1).map(first_word).collect::<Vec<_>>()
    };
    assert_eq!(rows(&["--app", "wget"]), ["wget"]);
    assert_eq!(rows(&["--app", "/usr/bin/curl"]), ["curl"]);
    assert_eq!(rows(&["--since", "2027-01-15T09:00:00Z"]), ["wget"]);
    assert_eq!(rows(&["--since", "2027-01-15"]), ["curl", "wget", "total"]);
    let (code, text, _) = said(&data.report(&["--app", "ssh"]));
    assert!(code == 0 && text.starts_with("Nothing that was asked for"), "{text}");
}

#[test]
fn json_holds_the_same_numbers() {
    let data = Data::with_flows("json");
    let report: Value = serde_json::from_str(&said(&data.report(&["--json"])).1).unwrap();
    assert_eq!(report["total"]["bytes_sent"], 5_700);
    assert_eq!(
        (&report["rows"][0]["name"], &report["rows"][1]["name"]),
        (&"shop.example".into(), &Value::Null)
    );
}

#[test]
fn nothing_known_is_said_and_is_no_failure() {
    let data = Data::new("nothing");
    let (code, text, errors) = said(&data.report(&[]));
    assert!(code == 0 && text.contains("telltale run --") && errors.is_empty(), "{text}{errors}");
    let report: Value = serde_json::from_str(&said(&data.report(&["--json"])).1).unwrap();
    assert_eq!(report["rows"], Value::Array(Vec::new()));
    assert!(!data.database().exists(), "asking makes no database");
}

#[test]
fn a_damaged_database_is_an_own_failure_and_left_alone() {
    let data = Data::new("damaged");
    std::fs::create_dir_all(data.database().parent().unwrap()).unwrap();
    std::fs::write(data.database(), "garbage".repeat(1_000)).unwrap();
    let (code, text, errors) = said(&data.report(&[]));
    assert!(code == 125 && text.is_empty() && errors.contains("is damaged"), "{errors}");
    assert!(data.database().exists());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let data = Data::with_flows("closed");
    let mut command = data.command(&["--json"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

/// A home for one test's database, gone with it.
struct Data(PathBuf);

impl Data {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("telltale-report-{test}-{}", std::process::id()));
        let _absent = std::fs::remove_dir_all(&folder);
        Self(folder)
    }

    /// `curl` at 08:00 and `wget` at 09:00 on 2027-01-15.
    fn with_flows(test: &str) -> Self {
        let data = Self::new(test);
        let run = Run { started: Timestamp(0), command: "test".into(), version: "0".into() };
        let mut store = Store::open(&data.database(), run).unwrap().store;
        let flows = [
            flow(1, "/usr/bin/curl", Some("shop.example"), "192.0.2.7:443", 5_000),
            flow(2, "/usr/bin/wget", None, "192.0.2.9:80", 700),
        ];
        store.commit(Timestamp(0), &flows).unwrap();
        data
    }

    fn database(&self) -> PathBuf {
        Path::new(&self.0).join("telltale/telltale.db")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_telltale"));
        command.arg("report").args(arguments).env("XDG_DATA_HOME", &self.0);
        command
    }

    fn report(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _absent = std::fs::remove_dir_all(&self.0);
    }
}

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn first_word(line: &str) -> String {
    line.split(' ').next().unwrap_or_default().to_owned()
}

/// A flow that lived for a moment in the hour of its number after 07:00.
fn flow(number: u64, program: &str, name: Option<&str>, remote: &str, bytes_sent: u64) -> Flow {
    let began = Timestamp((1_799_996_400 + 3_600 * i64::try_from(number).unwrap()) * 1_000_000);
    Flow {
        number: FlowNumber(number),
        key: FlowKey {
            protocol: Protocol::Tcp,
            app: "198.19.84.1:40000".parse().unwrap(),
            remote: remote.parse().unwrap(),
        },
        owner: Owner { uid: Some(1000), pid: Some(1), program: Some(program.into()) },
        name: name.map(str::to_owned),
        started: began,
        ended: Some(began),
        ending: Some(Ending::Finished),
        traffic: Traffic {
            bytes_sent,
            bytes_received: bytes_sent / 100,
            packets_sent: 9,
            packets_received: 9,
        },
    }
}

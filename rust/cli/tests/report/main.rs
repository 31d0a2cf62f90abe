//! `telltale report`, as a person calls it: on a database made here, on none, and on a damaged one.
#![cfg(test)]

mod output;
mod places;
mod sudo;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use telltale_model::{
    Application, Class, Confidence, Destination, Ending, Envelope, Evidence, Facts, Finding, Flow, FlowKey,
    FlowNumber, NameKnown, Owner, Protocol, Role, Severity, Timestamp, Traffic, What,
};
use telltale_store::{Run, Store};

#[test]
fn what_is_known_is_a_table_on_stdout() {
    let data = Data::with_flows("table");
    let expected = "\
PROGRAM  TO         CONTENT, AT MOST   SENT  RECEIVED  TIMES
curl     Google                4,500  5,000        50      1
  Android and Google: keeps a copy of your data.
  Protected on the way; Google can read it.
  100% encrypted, could not be read.
wget     192.0.2.9                 ?    700         7      1
  How much of it could be read was not recorded.
total                      4,500 + ?  5,700        57      2
Fewer findings does not mean less was sent.
";
    assert_eq!(said(&data.report(&[])), (0, expected.into(), String::new()));
}

#[test]
fn details_say_each_destination_and_how_it_is_known() {
    let data = Data::with_flows("details");
    let (code, text, errors) = said(&data.report(&["--details"]));
    assert!(code == 0 && errors.is_empty(), "{errors}");
    let details: Vec<&str> = text.lines().filter(|line| line.starts_with("    ")).collect();
    assert_eq!(
        details,
        [
            "    shop.example 443/tcp \u{b7} 5,000 sent, once \u{b7} content at most 4,500 \u{b7} \
             keeps a copy of your data \u{b7} named in the TLS hello \u{b7} 100% encrypted, could not be read",
            "    192.0.2.9 80/tcp \u{b7} 700 sent, once \u{b7} 100% not recorded",
        ]
    );
}

#[test]
fn since_and_app_narrow_it_down() {
    let data = Data::with_flows("filters");
    let rows = |arguments: &[&str]| rows_of(&said(&data.report(arguments)).1);
    assert_eq!(rows(&["--app", "wget"]), ["wget"]);
    assert_eq!(rows(&["--app", "/usr/bin/curl"]), ["curl"]);
    assert_eq!(rows(&["--since", "2027-01-15T09:00:00Z"]), ["wget"]);
    assert_eq!(rows(&["--since", "2027-01-15"]), ["curl", "wget", "total"]);
    let (code, text, _) = said(&data.report(&["--app", "ssh"]));
    assert!(code == 0 && text.starts_with("Nothing that was asked for"), "{text}");
}

/// What curl did is muted, by a finding's key and by the rule; what wget did is told.
#[test]
fn what_is_muted_is_left_out_and_counted_until_it_is_told_again() {
    let data = Data::with_flows("mute");
    data.add_findings();
    let findings = || {
        let report: Value = serde_json::from_str(&said(&data.report(&["--json"])).1).unwrap();
        let keys = report["findings"].as_array().unwrap().iter().map(|found| found["key"].as_str().unwrap());
        (keys.map(str::to_owned).collect::<Vec<_>>(), report["findings_muted"].as_u64().unwrap())
    };
    let (keys, muted) = findings();
    assert_eq!((keys.len(), muted), (2, 0));
    assert!(said(&data.report(&["--details"])).1.contains(&format!("key: {}\n", keys[0])));
    let curl = "maker-contacted|/usr/bin/curl";
    assert!(keys[0].starts_with(&format!("{curl}|")), "{keys:?}");

    let mute = |arguments: &[&str]| said(&data.subcommand(arguments));
    assert!(mute(&["mute"]).1.starts_with("Nothing is muted."));
    assert_eq!(
        mute(&["mute", &keys[0]]),
        (0, "Muted: maker-contacted of /usr/bin/curl.\n".into(), String::new())
    );
    assert_eq!(findings(), (vec![keys[1].clone()], 1));
    assert!(said(&data.report(&[])).1.contains("\n  1 finding is muted.\n"));
    assert_eq!(mute(&["mute"]).1, format!("{curl}\n"));
    assert_eq!(mute(&["mute", "maker-contacted"]).1, "Muted: maker-contacted of all programs.\n");
    assert_eq!(findings(), (Vec::new(), 2));
    assert_eq!(mute(&["unmute", curl]).1, "Told again: maker-contacted of /usr/bin/curl.\n");
    assert_eq!(findings(), (Vec::new(), 2), "its rule is muted for all");
    assert!(mute(&["unmute", curl]).2.contains("maker-contacted of /usr/bin/curl is not muted"));
    assert_eq!(mute(&["unmute", "--all"]).1, "All findings are told.\n");
    assert_eq!(findings(), (keys, 0));
    let (code, _, told) = mute(&["mute", "shop"]);
    assert!(code == 125 && told.contains("no finding has the key \"shop\""), "{told}");
}

#[test]
fn json_holds_the_same_numbers() {
    let data = Data::with_flows("json");
    let report: Value = serde_json::from_str(&said(&data.report(&["--json"])).1).unwrap();
    assert_eq!(report["total"]["bytes_sent"], 5_700);
    assert_eq!(
        (&report["rows"][0]["company"], &report["contacts"][0]["protection"]),
        (&"google".into(), &"protected".into())
    );
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
fn a_damage_is_said_with_what_to_do() {
    let data = Data::with_flows("page");
    let mut bytes = std::fs::read(data.database()).unwrap();
    let pages = 4_096..bytes.len();
    bytes[pages].fill(0x5a);
    std::fs::write(data.database(), bytes).unwrap();
    let (code, _, errors) = said(&data.report(&[]));
    let database = data.database();
    assert_eq!(code, 125);
    assert_eq!(
        errors,
        format!(
            "telltale: the database {} is damaged\n          \
             To move it out of the way and begin a new one: telltale run -- COMMAND...\n",
            database.display()
        )
    );
}

#[test]
fn what_is_no_database_is_called_what_it_is() {
    let data = Data::with_flows("kinds");
    let folder = data.database().parent().unwrap().to_owned();
    let text = folder.join("notes.txt");
    std::fs::write(&text, "Dear diary, this was never a database.").unwrap();
    for (path, happened) in [
        (&folder, "is a directory; it must be a file\n"),
        (&PathBuf::from("/dev/null"), "is a device, pipe or socket; it must be a file\n"),
        (&text, "notes.txt is damaged, or is not a database\n"),
        (&data.database().join("x"), "cannot be read: Not a directory\n"),
    ] {
        let (code, text, errors) = said(&data.report(&["--db", path.to_str().unwrap()]));
        assert!(code == 125 && text.is_empty() && errors.contains(happened), "{errors}");
    }
}

#[test]
fn json_says_too_that_there_is_nothing() {
    let data = Data::new("typo");
    let report: Value = serde_json::from_str(&said(&data.report(&["--json"])).1).unwrap();
    let problem = report["problems"][0].as_str().unwrap();
    assert!(problem.contains(data.database().to_str().unwrap()), "{problem}");
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
            to_google(flow(1, "/usr/bin/curl", Some("shop.example"), "192.0.2.7:443", 5_000)),
            flow(2, "/usr/bin/wget", None, "192.0.2.9:80", 700),
        ];
        store.commit(Timestamp(0), &flows).unwrap();
        data
    }

    fn database(&self) -> PathBuf {
        Path::new(&self.0).join("telltale/telltale.db")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        // Where the tests themselves run under sudo, the database would be looked for elsewhere.
        let mut command = Command::new(env!("CARGO_BIN_EXE_telltale"));
        command
            .arg("report")
            .args(arguments)
            .env("XDG_DATA_HOME", &self.0)
            .env("XDG_CACHE_HOME", self.0.join("cache"))
            .env_remove("SUDO_UID");
        command
    }

    fn subcommand(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_telltale"));
        let command = command.args(arguments).env("XDG_DATA_HOME", &self.0).env_remove("SUDO_UID");
        command.output().unwrap()
    }

    /// Curl and wget contacted the phone's maker.
    fn add_findings(&self) {
        let run = Run { started: Timestamp(0), command: "test".into(), version: "0".into() };
        let flows = ["/usr/bin/curl", "/usr/bin/wget"].map(|program| {
            let mut flow = flow(4, program, None, "192.0.2.4:443", 30);
            flow.number = FlowNumber(if program.ends_with("curl") { 5 } else { 4 });
            flow.findings = vec![Finding {
                what: What::MakerContacted,
                program: Some(program.into()),
                uid: Some(1000),
                destination: Destination { company: Some("xiaomi".into()), ..Destination::default() },
                envelope: Envelope::Tls,
                severity: Severity::Info,
                confidence: Confidence::Certain,
                evidence: Evidence { flow: flow.number, offset: None, field: None, excerpt: None },
                times: 1,
                at: flow.started,
            }];
            flow
        });
        Store::open(&self.database(), run).unwrap().store.commit(Timestamp(0), &flows).unwrap();
    }

    fn report(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// All files, with their owners.
    fn files(&self) -> Vec<(PathBuf, u32)> {
        let entries = std::fs::read_dir(self.database().parent().unwrap()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            paths.map(|path| (path.clone(), std::fs::metadata(path).unwrap().uid())).collect();
        files.sort();
        files
    }

    /// Gives the database a log with a third flow, of ssh at 10:00, as a killed writer leaves it.
    fn add_a_log(&self) {
        let run = Run { started: Timestamp(0), command: "test".into(), version: "0".into() };
        let folder = self.database().parent().unwrap().to_owned();
        let (made, kept) = (folder.join("made.db"), self.database());
        std::fs::copy(&kept, &made).unwrap();
        let mut store = Store::open(&made, run).unwrap().store;
        store.commit(Timestamp(0), &[flow(3, "/usr/bin/ssh", None, "192.0.2.22:22", 30)]).unwrap();
        for end in ["", "-wal", "-shm"] {
            std::fs::copy(folder.join(format!("made.db{end}")), folder.join(format!("telltale.db{end}")))
                .unwrap();
        }
        drop(store);
        std::fs::remove_file(made).unwrap();
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

fn is_root() -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if !root {
        eprintln!("skipped: only root can be other users and mount");
    }
    root
}

/// Copies a program. By another process: where this one has it open for writing while another test forks,
/// it cannot be run ("Text file busy").
fn copy(program: &str, to: &Path) {
    assert!(Command::new("cp").arg(program).arg(to).status().unwrap().success());
}

/// The programs in a table, without the sentences under them.
fn rows_of(table: &str) -> Vec<String> {
    // What is no sentence.
    let rows = table.lines().skip(1).filter(|line| !line.starts_with(' ') && !line.ends_with('.'));
    rows.map(|row| row.split(' ').next().unwrap_or_default().to_owned()).collect()
}

/// The same over TLS, to a host of a company that the tables have.
fn to_google(mut flow: Flow) -> Flow {
    flow.facts.application = Some(Application::Tls);
    flow.facts.count_handshake(500);
    flow.facts.count_content(Class::Encrypted, 4_500);
    flow.destination = Destination {
        known: Some(NameKnown::Tls),
        company: Some("google".into()),
        role: Some(Role::Sync),
        ..flow.destination
    };
    flow
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
        owner: Owner { uid: Some(1000), pid: Some(1), program: Some(program.into()), app: None },
        name: name.map(str::to_owned),
        other_names: Vec::new(),
        started: began,
        ended: Some(began),
        ending: Some(Ending::Finished),
        traffic: Traffic {
            bytes_sent,
            bytes_received: bytes_sent / 100,
            packets_sent: 9,
            packets_received: 9,
        },
        facts: Facts::default(),
        destination: Destination::default(),
        findings: Vec::new(),
    }
}

//! Which details a run looks for, seen through `telltale replay`, which needs no network.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use super::common::{able, root};
use super::{CONTACTS, Home, IMEI, errors};

const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures/dig.pcap");

#[test]
fn what_is_kept_is_looked_for_unless_told_otherwise() {
    let home = Home::new("kept");
    assert_eq!(last_line(&home.replay(&[])), None);
    home.said(&["add", "imei", IMEI]);
    home.said(&["import", &home.file("contacts.vcf", CONTACTS)]);
    let both = "Looked for 1 of your details and 1 number of a contact.";
    assert_eq!(last_line(&home.replay(&[])).as_deref(), Some(both));
    assert_eq!(last_line(&home.replay(&["--no-identifiers"])), None);
    assert_eq!(last_line(&home.replay(&["--format", "jsonl"])), None);
    let list = home.file("list.txt", "word Ahorn\nword Birke\ncontact +49 177 7654321\n");
    let book = home.file("other.vcf", CONTACTS);
    let named = home.replay(&["--identifiers", &list, "--identifiers", &book]);
    assert_eq!(
        last_line(&named).as_deref(),
        Some("Looked for 2 of your details and 2 numbers of contacts."),
        "those of the files alone"
    );
}

#[test]
fn a_file_that_was_named_must_be_right() {
    let home = Home::new("named");
    let list = home.file("list.txt", "word Ahorn\nimei 490154203237519\n");
    let output = home.replay(&["--identifiers", &list]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(125), 0));
    assert!(errors(&output).contains("list.txt, line 2: The last digit does not fit"), "{}", errors(&output));
    assert!(!errors(&output).contains("4901542032375 19") && !errors(&output).contains("490154203237519"));
    let output = home.replay(&["--identifiers", "/nowhere/list.txt"]);
    assert!(output.status.code() == Some(125) && errors(&output).contains("cannot be read"));
}

#[test]
fn what_is_kept_and_cannot_be_read_stops_nothing() {
    let home = Home::new("unread");
    home.said(&["add", "imei", IMEI]);
    home.said(&["import", &home.file("contacts.vcf", CONTACTS)]);
    fs::remove_file(home.0.join("contacts.vcf")).unwrap();
    let output = home.replay(&[]);
    assert!(output.status.success() && errors(&output).contains("contacts were not looked for"));
    assert_eq!(last_line(&output).as_deref(), Some("Looked for 1 of your details."));
    fs::set_permissions(home.key(), Permissions::from_mode(0o644)).unwrap();
    let output = home.replay(&[]);
    let told = errors(&output);
    assert!(
        output.status.success() && told.contains("none of your details was looked for: the key"),
        "{told}"
    );
    assert_eq!(last_line(&output), None);
}

#[test]
fn a_detail_in_the_command_is_not_kept_with_it() {
    if !able() {
        return;
    }
    let home = Home::new("command");
    let list = home.file("list.txt", &format!("imei {IMEI}\n"));
    let (database, report) = (home.file("kept.db", ""), home.file("report.json", ""));
    fs::remove_file(&database).unwrap();
    let mut run = home.program();
    run.args(["run", "--json", "--report", &report, "--db", &database, "--identifiers", &list]);
    // Without a flow nothing is kept: this one ends at a port where nobody listens.
    let connect = "exec 3<>/dev/tcp/127.0.0.1/59993; exit 0";
    run.args(["--loopback", "59993", "bash", "-c", connect, &format!("http://192.0.2.1/?imei={IMEI}")]);
    let output = run.output().unwrap();
    assert!(output.status.success(), "{}", errors(&output));
    let report = fs::read_to_string(report).unwrap();
    assert!(report.contains("?imei=<imei 1>") && !report.contains(IMEI), "{report}");
    let kept =
        [database.clone(), format!("{database}-wal")].map(|file| fs::read(file).unwrap_or_default()).concat();
    let holds = |text: &[u8]| kept.windows(text.len()).any(|there| there == text);
    assert!(holds(b"?imei=<imei 1>") && !holds(IMEI.as_bytes()));
}

#[test]
fn a_detail_in_the_name_of_a_capture_is_not_kept() {
    let home = Home::new("capture-name");
    let list = home.file("list.txt", &format!("imei {IMEI}\n"));
    let capture = home.file(&format!("phone {IMEI}.pcap"), "");
    fs::copy(CAPTURE, &capture).unwrap();
    let database = home.0.join("kept.db");
    let mut replay = home.program();
    replay.args(["replay", "--identifiers", &list, "--db"]).arg(&database).arg(&capture);
    assert!(replay.output().unwrap().status.success());
    let kept = fs::read(&database).unwrap();
    let holds = |text: &[u8]| kept.windows(text.len()).any(|there| there == text);
    assert!(holds(b"phone <imei 1>.pcap") && !holds(IMEI.as_bytes()));
}

#[test]
fn a_detail_in_the_name_of_a_capture_is_not_shown() {
    let home = Home::new("shown-name");
    let list = home.file("list.txt", &format!("imei {IMEI}\n"));
    let capture = home.file(&format!("phone {IMEI}.pcap"), "");
    fs::copy(CAPTURE, &capture).unwrap();
    let broken = home.file(&format!("broken {IMEI}.pcap"), "no capture at all, and long enough to see so");
    let absent = home.0.join(format!("absent {IMEI}.pcap"));
    for format in ["jsonl", "table"] {
        let mut replay = home.program();
        replay.args(["replay", "--identifiers", &list, "--format", format, &capture, &broken]).arg(&absent);
        let output = replay.output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), errors(&output));
        for name in ["phone <imei 1>.pcap", "broken <imei 1>.pcap: ", "absent <imei 1>.pcap cannot be read"] {
            assert!(said.contains(name), "{name}: {said}");
        }
        assert!(!said.contains(IMEI), "{said}");
    }
}

/// Root may look everywhere: then another user looks for it.
#[test]
fn a_home_that_is_closed_is_told() {
    let home = Home::new("closed");
    home.said(&["add", "imei", IMEI]);
    let closed = home.0.join("data");
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
    let program = home.0.join("telltale");
    assert!(
        Command::new("cp").args([env!("CARGO_BIN_EXE_telltale")]).arg(&program).status().unwrap().success()
    );
    for (arguments, told) in [
        (&["identifiers", "list"][..], "your details in "),
        (&["identifiers", "add", "word", "Ahorn"], "nothing was changed: "),
        (&["replay", CAPTURE], "none of your details was looked for: your details in "),
    ] {
        let mut command = home.program_at(&program);
        if root() {
            command.uid(65_534).gid(65_534);
        }
        let output = command.args(arguments).output().unwrap();
        let said = errors(&output);
        assert!(said.contains(told) && said.contains("Permission denied"), "{arguments:?}: {said}");
        assert_eq!(output.status.success(), arguments[0] == "replay", "{said}");
    }
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_maker_that_nobody_knows_is_refused() {
    let home = Home::new("maker");
    let output = home.replay(&["--maker", "Nonsense"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(125), 0));
    assert!(errors(&output).contains("no phones of \"Nonsense\" are known"), "{}", errors(&output));
    assert!(home.replay(&["--maker", "poco"]).status.success());
}

impl Home {
    fn replay(&self, options: &[&str]) -> Output {
        self.program().arg("replay").args(options).arg(CAPTURE).output().unwrap()
    }
}

/// The sentence below the table.
fn last_line(output: &Output) -> Option<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().last().filter(|line| line.starts_with("Looked for")).map(str::to_owned)
}

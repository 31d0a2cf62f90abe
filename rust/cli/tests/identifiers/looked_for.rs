//! Which details a run looks for, seen through `telltale replay`, which needs no network.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

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

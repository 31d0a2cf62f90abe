//! `telltale identifiers`, as a person calls it, and what is left on the disk.
#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;
mod damage;
mod looked_for;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const IMEI: &str = "490154203237518";
const CONTACTS: &str = "BEGIN:VCARD\r\nFN:Zephyr Quill\r\nTEL:+49 176 1234567\r\nTEL:112\r\nEND:VCARD\r\n";

#[test]
fn what_is_added_is_listed_masked() {
    let home = Home::new("listed");
    assert_eq!(
        home.said(&["list"]),
        "No details are looked for. To add one: telltale identifiers add imei\n"
    );
    assert_eq!(home.said(&["add", "imei", "49-015420-323751-8"]), "imei 1: 4901•••••••7518\n");
    assert_eq!(home.said(&["add", "imei", IMEI]), "It was there already: imei 1: 4901•••••••7518\n");
    home.said(&["add", "country", "in"]);
    home.said(&["add", "phone", "098765", "43210"]);
    home.said(&["add", "place", "-33.8568,151.2153"]);
    let expected = "\
country  IN
imei 1   4901•••••••7518
phone 1  +9198••••••10
place 1  -33.•••,151.•••
";
    assert_eq!(home.said(&["list"]), expected);
    let listed: Value = serde_json::from_str(&home.said(&["list", "--json"])).unwrap();
    assert_eq!(listed["identifiers"][0], json!({"kind": "imei", "number": 1, "masked": "4901•••••••7518"}));
    assert_eq!((&listed["format"], &listed["country"]), (&json!(1), &json!("IN")));
}

#[test]
fn a_value_may_come_from_stdin() {
    let home = Home::new("stdin");
    for arguments in [&["add", "imei"][..], &["add", "imei", "-"]] {
        let said = home.with_input(arguments, "490154203237518\nmore\n");
        assert!(said.contains("4901•••••••7518"), "{said}");
    }
    let output = home.output_with_input(&["add", "imei"], "");
    assert!(errors(&output).contains("Too short"), "{}", errors(&output));
}

#[test]
fn the_others_keep_their_numbers_when_one_is_removed() {
    let home = Home::new("removed");
    for imei in [IMEI, "356938035643809"] {
        home.said(&["add", "imei", imei]);
    }
    assert_eq!(home.said(&["remove", "imei", "1"]), "Removed.\n");
    assert_eq!(home.said(&["list"]), "imei 2  3569•••••••3809\n");
    let again = home.output(&["remove", "imei", "1"]);
    assert!(again.status.code() == Some(125) && errors(&again).contains("there is no imei 1"));
}

#[test]
fn a_list_is_imported_as_a_whole_or_not_at_all() {
    let home = Home::new("import");
    let list = home.file("list.txt", "# mine\nimei 490154203237518\nimei 356938035643809\nword Ahorn\n");
    assert_eq!(home.said(&["import", &list]), "3 details were added.\n");
    assert_eq!(home.said(&["import", &list]), "Nothing new was in it.\n");
    let bad = home.file("bad.txt", "word Birke\nimei 490154203237519\n");
    let refused = errors(&home.output(&["import", &bad]));
    assert!(refused.contains("bad.txt, line 2: The last digit does not fit"), "{refused}");
    let bad = home.file("contacts.txt", "word Birke\n contact +49 176 1234567\n");
    let refused = errors(&home.output(&["import", &bad]));
    assert!(refused.contains("line 2: contacts are other people's"), "{refused}");
    assert_eq!(home.said(&["list"]).lines().count(), 3);
}

#[test]
fn of_contacts_the_place_is_kept_and_the_file_read_anew() {
    let home = Home::new("contacts");
    let book = home.file("my contacts.vcf", CONTACTS);
    let said = home.said(&["import", &book]);
    assert!(said.contains(": 1 number. Contacts are not kept") && said.contains("1 more is not"), "{said}");
    home.said(&["import", &book]);
    assert!(home.said(&["list"]).starts_with("contacts 1  1 number in /"));
    home.file("my contacts.vcf", &CONTACTS.replace("112", "+49 177 7654321"));
    let listed: Value = serde_json::from_str(&home.said(&["list", "--json"])).unwrap();
    assert_eq!(listed["contacts"][0]["numbers"], 2);
    std::fs::remove_file(&book).unwrap();
    assert!(home.said(&["list"]).contains("cannot be read: No such file"));
    assert_eq!(home.said(&["remove", "contacts", "1"]), "Removed.\n");
    let books: Vec<String> = (0..17).map(|number| home.file(&format!("{number}.vcf"), CONTACTS)).collect();
    let arguments: Vec<&str> = ["import"].into_iter().chain(books.iter().map(String::as_str)).collect();
    assert!(errors(&home.output(&arguments)).contains("no more than 16 address books"));
    assert!(home.said(&["list"]).starts_with("No details"), "all of them or none");
    let refused = errors(&home.output(&["add", "contact", "+49 176 1234567"]));
    assert!(refused.contains("never kept") && refused.contains("import contacts.vcf"), "{refused}");
}

#[test]
fn no_value_is_in_an_error_or_in_a_file() {
    let home = Home::new("leaks");
    let list = home
        .file("list.txt", "phone +49 176 1234567\nemail ada@example.org\nword Ahorn\nfrobnicate Secret1\n");
    let told = [
        &["add", "imei", "490154203237519"][..],
        &["add", "imei", "4901542032375"],
        &["add", "490154203237518"],
        &["add", "email", "Secret1@nowhere"],
        &["add", "phone", "+49 176 1234567 Secret1"],
        &["add", "place", "52.51,13.377", "Secret1"],
        &["Secret1"],
        &["list", "Secret1"],
        &["remove", "imei", "490154203237518"],
        &["remove", "Secret1", "1"],
        &["import", &list],
    ];
    for arguments in told {
        let output = home.output(arguments);
        assert_eq!(output.status.code(), Some(125), "{arguments:?}");
        home.hides(arguments, &errors(&output));
    }
    for (kind, value) in
        [("imei", IMEI), ("phone", "+49 176 1234567"), ("email", "ada@example.org"), ("word", "Secret1")]
    {
        home.hides(&[kind], &home.said(&["add", kind, value]));
    }
    home.hides(&["list"], &home.said(&["list", "--json"]));
    for file in [home.sealed(), home.key()] {
        home.hides(&["file"], &String::from_utf8_lossy(&std::fs::read(file).unwrap()));
    }
}

/// A home of its own for each test.
struct Home(PathBuf);

impl Home {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("telltale-details-{test}-{}", std::process::id()));
        let _absent = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn sealed(&self) -> PathBuf {
        self.0.join("data/telltale/details.sealed")
    }

    fn key(&self) -> PathBuf {
        self.0.join("config/telltale/details.key")
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn program(&self) -> Command {
        self.program_at(Path::new(env!("CARGO_BIN_EXE_telltale")))
    }

    fn program_at(&self, path: &Path) -> Command {
        let mut command = Command::new(path);
        command
            .env("XDG_DATA_HOME", self.0.join("data"))
            .env("XDG_CONFIG_HOME", self.0.join("config"))
            .env("XDG_CACHE_HOME", self.0.join("cache"))
            .env_remove("SUDO_UID");
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.program().arg("identifiers").args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    fn said(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", errors(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn output_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.program();
        command.arg("identifiers").args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn with_input(&self, arguments: &[&str], input: &str) -> String {
        let output = self.output_with_input(arguments, input);
        assert!(output.status.success(), "{}", errors(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn hides(&self, arguments: &[&str], text: &str) {
        for value in ["490154203", "4901542032375", "1234567", "17612", "Secret1", "ada@", "Ahorn"] {
            assert!(!text.contains(value), "{arguments:?} tells {value}: {text}");
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

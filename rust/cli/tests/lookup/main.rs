//! `telltale lookup` and `telltale about`, as a person calls them.
#![cfg(test)]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

#[test]
fn a_host_is_explained_with_how_we_know() {
    let home = Home::new("host");
    let text = said(&home.telltale(&["lookup", "a.b.Crashlytics.com."]));
    for part in [
        "a.b.crashlytics.com\n",
        "Google",
        "reports failures",
        "https://",
        "checked 20",
        "crashlytics.com and all",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = said(&home.telltale(&["lookup", "www.nobody.co.uk"]));
    assert!(text.contains("unknown") && text.contains("under nobody.co.uk"), "{text}");
}

#[test]
fn an_address_is_explained_without_saying_where_the_server_is() {
    let home = Home::new("address");
    let text = said(&home.telltale(&["lookup", "1.1.1.1", "10.0.0.1"]));
    assert!(
        text.contains("Cloudflare") && text.contains("AS13335, registered in United States (US)"),
        "{text}"
    );
    assert!(text.contains("CC-BY-4.0") || text.contains("@ip-location-db/asn"), "{text}");
    assert!(text.contains("10.0.0.1\n  network    none known"), "{text}");
}

#[test]
fn json_holds_the_same() {
    let home = Home::new("json");
    let text = said(&home.telltale(&["lookup", "--json", "crashlytics.com", "1.1.1.1", "nobody.example"]));
    let answers: Value = serde_json::from_str(&text).unwrap();
    let [host, address, unknown] = answers["lookups"].as_array().unwrap().as_slice() else {
        panic!("{text}")
    };
    assert_eq!((&host["company"]["id"], &host["role"]), (&"google".into(), &"crash".into()));
    assert_eq!((&host["matched"], &host["probable"]), (&"crashlytics.com".into(), &false.into()));
    assert_eq!((&address["network"]["asn"], &address["network"]["country"]), (&13_335.into(), &"US".into()));
    assert_eq!((&unknown["group"], unknown.get("company")), (&"nobody.example".into(), None));
}

#[test]
fn a_mistake_is_a_failure_of_its_own() {
    let home = Home::new("mistake");
    let output = home.telltale(&["lookup", "example.org", "https://a.example/b"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(125), 0));
    assert!(
        errors.contains("neither a host name nor an address") && errors.contains("a.example"),
        "{errors}"
    );
}

#[test]
fn it_works_without_a_place_for_the_unpacked_tables() {
    let output = Command::new(env!("CARGO_BIN_EXE_telltale"))
        .args(["lookup", "crashlytics.com"])
        .env_remove("HOME")
        .env_remove("XDG_CACHE_HOME")
        .output();
    assert!(said(&output.unwrap()).contains("Google"));
}

#[test]
fn about_names_licences_of_data_and_crates() {
    let home = Home::new("about");
    let text = said(&home.telltale(&["about"]));
    for part in ["Apache License", "third-party-web", "CC-BY-4.0", "DB-IP", "PDDL-1.0", "  smoltcp: 0BSD\n"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A home of a test's own, gone with it.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("telltale-lookup-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn telltale(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_telltale"));
        command.args(arguments).env("HOME", &self.0).env_remove("XDG_CACHE_HOME").output().unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _gone_already = std::fs::remove_dir_all(&self.0);
    }
}

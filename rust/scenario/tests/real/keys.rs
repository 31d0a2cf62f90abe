//! `telltale run --keys`: what COMMAND sends encrypted, where it writes its keys down.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use telltale_scenario::{Process, certificate};

use crate::world::{World, eventually};

const IMEI: &str = "490154203237518";
const NAME: &str = "shop.example";

/// A web server over TLS, and what curl needs to find it.
struct Shop {
    _server: Process,
    arguments: Vec<String>,
}

impl Shop {
    fn open(world: &World) -> Self {
        let folder = &world.scratch.0;
        certificate::write(folder, &[NAME.to_owned()]).unwrap();
        let mut server = Command::new("openssl");
        server
            .args(["s_server", "-accept", "203.0.113.20:443", "-www", "-cert"])
            .arg(folder.join("server.pem"));
        server.arg("-key").arg(folder.join("server.key"));
        let server = server.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = world.internet.spawn(server).expect("openssl cannot be started");
        let ca = folder.join("ca.pem").to_str().unwrap().to_owned();
        let resolve = format!("{NAME}:443:203.0.113.20");
        let arguments =
            ["curl", "-sS", "--max-time", "20", "--cacert", &ca, "--resolve", &resolve].map(str::to_owned);
        let shop = Self { _server: server, arguments: arguments.to_vec() };
        eventually("the server answers", Duration::from_secs(10), || {
            let mut curl = Command::new("curl");
            world
                .computer
                .output(curl.args(&shop.arguments[1..]).arg(format!("https://{NAME}/")))
                .unwrap()
                .status
                .success()
        });
        shop
    }

    fn curl<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        self.arguments.iter().map(String::as_str).chain(more.iter().copied()).collect()
    }
}

/// What the report says of the one flow and of the detail in it.
fn said(report: &Value) -> (&Value, Vec<&Value>) {
    let found = report["findings"].as_array().unwrap().iter();
    let details = found.filter(|finding| finding["rule"] == "identifier-sent").collect();
    (&report["contacts"][0], details)
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn what_a_program_sends_over_tls_is_read_with_the_keys_that_it_writes() {
    let world = World::new();
    let shop = Shop::open(&world);
    let (list, url) = (world.scratch.0.join("list.txt"), format!("https://{NAME}/register?imei={IMEI}"));
    fs::write(&list, format!("imei {IMEI}\n")).unwrap();
    let looked_for = ["--identifiers", list.to_str().unwrap()];
    for tls in ["1.2", "1.3"] {
        let keys = world.scratch.0.join(format!("tls-{tls}.keys"));
        let options = [&looked_for[..], &["--keys", keys.to_str().unwrap()]].concat();
        let version = format!("--tlsv{tls}");
        let command = shop.curl(&[&version, "--tls-max", tls, "-o", "/dev/null", &url]);
        let report = world.finish(&mut world.telltale_with(&options, &command)).succeeded().report.unwrap();
        let (contact, details) = said(&report);
        let [detail] = &details[..] else { panic!("TLS {tls}: {report}") };
        assert_eq!((&detail["identifier"], &detail["grade"]), (&"imei".into(), &"yours".into()));
        assert_eq!((&detail["field"], &detail["form"]), (&"query.imei".into(), &Value::Array(Vec::new())));
        assert_eq!((&detail["protection"], &detail["severity"]), (&"tls".into(), &"low".into()), "TLS {tls}");
        assert_eq!(contact["protection"], "protected", "TLS {tls}");
        let (read, found) = (&contact["read_with_keys"], &contact["coverage_bytes"]["found"]);
        assert!(found.as_u64() > Some(0) && read.as_u64() >= found.as_u64(), "TLS {tls}: {contact}");
        assert!(!fs::read_to_string(&keys).unwrap().is_empty());
        assert!(!report.to_string().contains(IMEI), "{report}");
    }
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn without_keys_nothing_is_said_of_what_is_encrypted() {
    let world = World::new();
    let shop = Shop::open(&world);
    let (list, url) = (world.scratch.0.join("list.txt"), format!("https://{NAME}/register?imei={IMEI}"));
    fs::write(&list, format!("imei {IMEI}\n")).unwrap();
    let command = shop.curl(&["-o", "/dev/null", &url]);
    let looked_for = ["--identifiers", list.to_str().unwrap()];
    let report = world.finish(&mut world.telltale_with(&looked_for, &command)).succeeded().report.unwrap();
    let (contact, details) = said(&report);
    assert!(details.is_empty(), "{report}");
    assert_eq!((&contact["read_with_keys"], &contact["coverage_bytes"]["found"]), (&0.into(), &0.into()));
    assert!(contact["coverage_bytes"]["encrypted"].as_u64() > Some(0), "{contact}");
    let summary = report["summary"].as_str().unwrap();
    assert!(summary.starts_with("Nothing could be searched, so nothing can be said"), "{summary}");
}

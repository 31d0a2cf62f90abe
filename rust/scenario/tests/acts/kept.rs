//! Nothing that is kept or said of an act repeats a detail, in any form that is tried here: the database with its log,
//! what is printed, and what goes to the standard error.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use telltale_scenario::phone::{PERSONA, film};

use crate::findings::{Scratch, telltale};
use crate::scenes;
use crate::sought::{Found, details_in};

#[test]
#[ignore = "needs the built telltale: scripts/test real"]
fn what_is_kept_and_said_of_an_act_holds_no_detail() {
    for (act, variant) in scenes() {
        let scratch = Scratch::new(&format!("kept-{act}-{variant}"));
        let [capture, secrets, identifiers, database] =
            ["act.pcap", "act.keys", "identifiers", "kept.db"].map(|name| scratch.0.join(name));
        let film = film(act, variant).unwrap();
        std::fs::write(&capture, film.capture).unwrap();
        std::fs::write(&secrets, film.keys).unwrap();
        std::fs::write(&identifiers, PERSONA.identifiers()).unwrap();
        // Whoever names a file by a detail is told its name, and yet it is not kept.
        let named = scratch.0.join(format!("{}.pcap", PERSONA.imei[0]));
        std::fs::copy(&capture, &named).unwrap();
        for capture in [&capture, &named] {
            for format in ["jsonl", "table"] {
                let mut replay = Command::new(telltale());
                replay.args(["replay", "--format", format, "--db"]).arg(&database);
                replay.arg("--identifiers").arg(&identifiers).arg("--keys").arg(&secrets).arg(capture);
                let mut output = replay.output().unwrap();
                if capture == &named {
                    output.stdout.clear();
                }
                holds_nothing(&output, &scratch.0, &format!("{act} {variant} {format}"));
            }
        }
        for arguments in [&["report", "--details", "--db"][..], &["report", "--json", "--db"]] {
            let report = Command::new(telltale()).args(arguments).arg(&database).output().unwrap();
            holds_nothing(&report, &scratch.0, &format!("{act} {variant} {arguments:?}"));
        }
    }
}

/// Neither what a program said, nor any file of the database.
fn holds_nothing(output: &Output, folder: &Path, what: &str) {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(told(&output.stdout), Found::new(), "printed, {what}");
    assert_eq!(told(&output.stderr), Found::new(), "standard error, {what}");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let database = files.filter(|file| file.to_string_lossy().contains("kept.db"));
    let kept: BTreeSet<_> = database.collect();
    assert!(!kept.is_empty(), "nothing was kept, {what}");
    for file in kept {
        assert_eq!(told(&std::fs::read(&file).unwrap()), Found::new(), "{}, {what}", file.display());
    }
}

/// Carriers' names are those of companies too, and of their hosts.
fn told(bytes: &[u8]) -> Found {
    details_in(bytes).into_iter().filter(|(kind, _)| kind != "carrier").collect()
}

//! What goes to stdout arrives there, or somebody is told.

use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

use crate::{Data, said};

/// All that writes to stdout.
const LINES: [&[&str]; 5] = [&["--help"], &["help", "run"], &["version"], &["report"], &["report", "--json"]];

#[test]
fn a_full_disk_behind_stdout_is_a_failure_and_said() {
    let data = Data::with_flows("full-stdout");
    for line in LINES {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = telltale(&data, line, full);
        let told = "telltale: the output cannot be written: No space left on device\n";
        assert_eq!(said(&output), (125, String::new(), told.into()), "{line:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly_as_it_ends_other_programs() {
    let data = Data::with_flows("closed");
    for line in LINES {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = telltale(&data, line, writer);
        const SIGPIPE: i32 = 13;
        assert_eq!((output.status.signal(), output.stderr), (Some(SIGPIPE), Vec::new()), "{line:?}");
    }
}

fn telltale(data: &Data, arguments: &[&str], stdout: impl Into<Stdio>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telltale"));
    command
        .args(arguments)
        .env("XDG_DATA_HOME", &data.0)
        .env_remove("SUDO_UID")
        .stdout(stdout)
        .output()
        .unwrap()
}

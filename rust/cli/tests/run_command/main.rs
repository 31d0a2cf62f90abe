//! `telltale run` from outside: COMMAND must not be able to tell that it is there, nor may the shell
//! around it.
//!
//! Needs root, or a /dev/net/tun and user namespaces that the user may use; what a test cannot have
//! here it skips, and says so.
#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;
mod databases;
mod exits;
mod leftovers;
mod reports;
mod resolver;
mod signals;
mod terminal;
mod untouched;
mod users;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use common::{able, root};

const TELLTALE: &str = env!("CARGO_BIN_EXE_telltale");

/// Options under which nothing is kept and nothing told.
const QUIET: [&str; 5] = ["--db", "none", "--report", "none", "--"];

/// `telltale run` of this command, quiet.
fn telltale(command: &[&str]) -> Command {
    let mut telltale = Command::new(TELLTALE);
    telltale.arg("run").args(QUIET).args(command);
    telltale
}

/// `telltale run` of this shell script, quiet.
fn script(script: &str) -> Command {
    telltale(&["sh", "-c", script])
}

/// Runs a shell script twice, once with "$@" as nothing and once as telltale, and answers both outputs.
fn with_and_without(script: &str) -> (Output, Output) {
    let run = |prefix: &[&str]| {
        Command::new("bash").args(["-c", script, "bash"]).args(prefix).output().expect("bash runs")
    };
    let mut prefix = vec![TELLTALE, "run"];
    prefix.extend(QUIET);
    (run(&prefix), run(&["env"]))
}

/// Asserts that a shell script sees no difference between "$@" being telltale and being nothing.
fn assert_no_difference(script: &str) {
    if !able() {
        return;
    }
    let (with, without) = with_and_without(script);
    assert_eq!(text(&with.stdout), text(&without.stdout), "{script}\n{}", text(&with.stderr));
    assert_eq!(text(&with.stderr), text(&without.stderr), "{script}");
    assert_eq!(with.status, without.status, "{script}");
}

/// Copies a program. By another process: where this one has it open for writing while another test forks,
/// it cannot be run ("Text file busy").
fn copy(program: &str, to: &Path) {
    assert!(Command::new("cp").arg(program).arg(to).status().unwrap().success());
}

/// Whether a program is there that a test needs.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        eprintln!("skipped: {program} is not installed");
    }
    found.is_ok()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A telltale in the background, whose COMMAND's lines can be read. Dropped, it is killed.
struct Background {
    telltale: Child,
    lines: BufReader<ChildStdout>,
}

impl Background {
    fn start(mut command: Command) -> Self {
        // A job of its own, as a shell makes it: in a group that nobody watches nothing stops at a SIGTSTP.
        command.process_group(0);
        let mut telltale =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(telltale.stdout.take().unwrap());
        Self { telltale, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn signal(&self, signal: &str) {
        kill(signal, &self.telltale.id().to_string());
    }

    /// Its state as the kernel has it: T is stopped.
    fn state(&self) -> String {
        state(&self.telltale.id().to_string())
    }

    fn code(&mut self) -> Option<i32> {
        self.telltale.wait().unwrap().code()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ended = self.telltale.kill();
        let _ended = self.telltale.wait();
    }
}

fn kill(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

/// The state letter of a process; empty where there is none.
fn state(pid: &str) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").map(|(_, rest)| rest.chars().take(1).collect()).unwrap_or_default()
}

/// Waits up to ten seconds for something that takes a moment.
fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    for _attempt in 0..500 {
        if happened() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("did not happen: {what}");
}

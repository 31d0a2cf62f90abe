//! At a terminal: the keys that interrupt and stop, job control, and programs that need the terminal.

use std::path::PathBuf;
use std::process::Command;

use crate::{QUIET, TELLTALE, able, eventually, has, text};

#[test]
fn interrupt_ends_command_and_the_shell_sees_it() {
    let Some(terminal) = Terminal::open("interrupt") else { return };
    terminal.run("sleep 60");
    terminal.wait_for_child("sleep");
    terminal.press("C-c");
    terminal.enter("echo code=$?");
    terminal.see("code=130");
}

#[test]
fn a_command_that_answers_the_interrupt_goes_on() {
    let Some(terminal) = Terminal::open("handler") else { return };
    terminal.run("sh -c 'trap \"echo hand\"ed INT; echo st\"\"art; sleep 60; exit 8'");
    terminal.see("start");
    // A shell that is interrupted before it waits would sleep all the minute.
    terminal.wait_for_child("sleep");
    terminal.press("C-c");
    terminal.see("handed");
    terminal.enter("echo code=$?");
    terminal.see("code=8");
}

#[test]
fn stop_and_foreground_work_again_and_again() {
    let Some(terminal) = Terminal::open("stop") else { return };
    terminal.run("sleep 61");
    terminal.wait_for_child("sleep");
    for round in 1..=3 {
        terminal.press("C-z");
        terminal.enter(&format!("echo round{round}=$?"));
        terminal.see(&format!("round{round}=148"));
        terminal.enter("fg");
        terminal.wait_for_child("sleep");
    }
    terminal.press("C-c");
    terminal.enter("echo code=$?");
    terminal.see("code=130");
}

#[test]
fn a_background_job_that_reads_stops_until_it_is_in_front() {
    let Some(terminal) = Terminal::open("background") else { return };
    terminal.enter(&format!("{} cat &", terminal.telltale));
    terminal.enter("until jobs | grep -q Stopped; do sleep 0.05; done; echo it st''opped");
    terminal.see("it stopped");
    terminal.enter("fg");
    terminal.enter("to cat");
    terminal.see("to cat\nto cat");
    terminal.press("C-d");
    terminal.enter("echo code=$?");
    terminal.see("code=0");
}

#[test]
fn an_interactive_shell_has_its_job_control() {
    let Some(terminal) = Terminal::open("shell") else { return };
    terminal.run("bash --norc -i");
    terminal.enter("PS1='in> '");
    terminal.see("in>");
    terminal.enter("sleep 62");
    terminal.wait_for_child("sleep");
    terminal.press("C-z");
    terminal.see("Stopped");
    terminal.enter("kill -KILL %1; sleep 0.2");
    terminal.see("Killed");
    terminal.enter("exit 9");
    terminal.enter("echo code=$?");
    terminal.see("code=9");
}

#[test]
fn an_editor_draws_and_leaves() {
    let Some(terminal) = Terminal::open("editor") else { return };
    if !has("vim") {
        return;
    }
    // An editor that ends throws away what was typed meanwhile, so all is said before.
    terminal.run("vim -u NONE -N /no/such/file; echo code=$?");
    terminal.see("~\n~\n~");
    terminal.press(":q");
    terminal.press("Enter");
    terminal.see("code=0");
}

/// A bash in a tmux server of its own.
struct Terminal {
    socket: PathBuf,
    telltale: String,
}

impl Terminal {
    fn open(name: &str) -> Option<Self> {
        if !able() || !tmux_is_there() {
            return None;
        }
        let socket = std::env::temp_dir().join(format!("telltale-{name}-{}", std::process::id()));
        let terminal = Self { socket, telltale: format!("{TELLTALE} run {}", QUIET.join(" ")) };
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "150", "-y", "50", "bash --norc"]);
        terminal.enter("PS1='$ '; stty -echoctl; clear; echo re''ady");
        terminal.see("ready");
        Some(terminal)
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux").arg("-S").arg(&self.socket).args(arguments).output().unwrap();
        text(&output.stdout)
    }

    fn run(&self, command: &str) {
        self.enter(&format!("{} {command}", self.telltale));
    }

    fn enter(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.press("Enter");
    }

    fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    fn see(&self, wanted: &str) {
        let mut screen = String::new();
        for _attempt in 0..500 {
            screen = self.tmux(&["capture-pane", "-p", "-S", "-200"]);
            if screen.contains(wanted) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("{wanted:?} is not on the screen:\n{screen}");
    }

    /// Waits until the program in front is this one.
    fn wait_for_child(&self, name: &str) {
        let pane = self.tmux(&["display-message", "-p", "#{pane_tty}"]);
        let pane = pane.trim().trim_start_matches("/dev/");
        eventually(name, || {
            let output = Command::new("ps").args(["-t", pane, "-o", "stat=,comm="]).output().unwrap();
            text(&output.stdout).lines().any(|line| {
                let mut words = line.split_whitespace();
                words.next().is_some_and(|state| state.starts_with('S') && state.contains('+'))
                    && words.next() == Some(name)
            })
        });
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
        let _removed_by_tmux = std::fs::remove_file(&self.socket);
    }
}

fn tmux_is_there() -> bool {
    let there = Command::new("tmux").arg("-V").output().is_ok();
    if !there {
        eprintln!("skipped: tmux is not installed");
    }
    there
}

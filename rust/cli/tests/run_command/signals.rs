//! Signals reach COMMAND, and telltale stops, goes on and ends with it.

use std::io::Write;

use crate::{Background, able, eventually, kill, script, state};

#[test]
fn signals_that_ask_for_something_are_passed_on() {
    if !able() {
        return;
    }
    for signal in ["TERM", "HUP", "USR1", "USR2", "ALRM"] {
        let mut running = Background::start(script(&format!(
            "trap 'echo got; exit 9' {signal}; echo ready; while :; do sleep 0.05; done"
        )));
        assert_eq!(running.line(), "ready");
        running.signal(&format!("-{signal}"));
        assert_eq!(running.line(), "got", "{signal}");
        assert_eq!(running.code(), Some(9));
    }
}

#[test]
fn keys_that_interrupt_are_left_to_command() {
    if !able() {
        return;
    }
    let mut running = Background::start(script("echo ready; read line; exit 5"));
    assert_eq!(running.line(), "ready");
    running.signal("-INT");
    running.signal("-QUIT");
    running.telltale.stdin.take().unwrap().write_all(b"go\n").unwrap();
    assert_eq!(running.code(), Some(5));
}

#[test]
fn a_stopped_command_stops_telltale_and_both_go_on() {
    if !able() {
        return;
    }
    for signal in ["STOP", "TSTP", "TTIN", "TTOU"] {
        let mut running = Background::start(script(&format!("echo $$; kill -{signal} $$; exit 6")));
        let command = running.line();
        eventually("both stop", || running.state() == "T" && state(&command) == "T");
        running.signal("-CONT");
        assert_eq!(running.code(), Some(6), "{signal}");
    }
}

#[test]
fn a_stop_that_reaches_telltale_alone_stops_command() {
    if !able() {
        return;
    }
    let mut running = Background::start(script("echo $$; read line; exit 6"));
    let command = running.line();
    running.signal("-TSTP");
    eventually("both stop", || running.state() == "T" && state(&command) == "T");
    running.signal("-CONT");
    eventually("both go on", || running.state() == "S" && state(&command) == "S");
    drop(running.telltale.stdin.take());
    assert_eq!(running.code(), Some(6));
}

#[test]
fn command_ends_when_telltale_is_killed() {
    if !able() {
        return;
    }
    let mut running = Background::start(script("trap '' TERM HUP; echo $$; while :; do sleep 1; done"));
    let command = running.line();
    assert!(!state(&command).is_empty());
    running.telltale.kill().unwrap();
    eventually("COMMAND ends", || ["", "Z"].contains(&state(&command).as_str()));
}

#[test]
fn a_stopped_job_can_be_ended() {
    if !able() {
        return;
    }
    let mut running = Background::start(script("echo $$; kill -STOP $$; sleep 60"));
    let command = running.line();
    eventually("both stop", || running.state() == "T" && state(&command) == "T");
    // As a shell does it for `kill %1`.
    running.signal("-TERM");
    kill("-TERM", &command);
    running.signal("-CONT");
    assert_eq!(running.code(), None);
    eventually("COMMAND ends", || state(&command).is_empty());
}

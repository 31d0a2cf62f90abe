//! What COMMAND leaves behind.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::{Background, TELLTALE, able, eventually, script, state, text};

/// Told on stderr, with a report that otherwise has nothing to say.
fn told(command: &str) -> Command {
    let mut telltale = Command::new(TELLTALE);
    telltale.args(["run", "--db", "none", "--", "sh", "-c", command]);
    telltale
}

#[test]
fn leftovers_end_with_the_relay_and_are_named() {
    if !able() {
        return;
    }
    let output = told("sleep 77 & echo $!; exit 4").output().unwrap();
    let pid = text(&output.stdout).trim().to_owned();
    assert_eq!(output.status.code(), Some(4));
    let told = text(&output.stderr);
    assert!(told.contains(&format!("sleep ({pid})")) && told.contains("--wait"), "{told}");
    assert!(state(&pid).is_empty());
}

#[test]
fn a_daemon_is_found_and_one_that_will_not_end_is_killed() {
    if !able() {
        return;
    }
    let start = now();
    let daemon = "setsid sh -c 'trap \"\" TERM HUP; echo $$; while :; do sleep 5; done' & exit 0";
    let output = told(daemon).output().unwrap();
    let pid = text(&output.stdout).trim().to_owned();
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains(&format!("({pid})")), "{}", text(&output.stderr));
    assert!(state(&pid).is_empty());
    assert!(now() - start < Duration::from_secs(6));
}

#[test]
fn a_child_that_ends_by_itself_at_once_is_not_worth_a_word() {
    if !able() {
        return;
    }
    let output = told("sleep 0.02 & exit 0").output().unwrap();
    assert!(!text(&output.stderr).contains("sleep"), "{}", text(&output.stderr));
}

#[test]
fn wait_goes_on_until_all_have_ended() {
    if !able() {
        return;
    }
    let mut telltale = Command::new(TELLTALE);
    telltale.args(["run", "--db", "none", "--wait", "--", "sh", "-c", "(sleep 0.7; echo late) & exit 3"]);
    let output = telltale.output().unwrap();
    assert_eq!((text(&output.stdout).as_str(), output.status.code()), ("late\n", Some(3)));
    assert!(!text(&output.stderr).contains("sleep"), "{}", text(&output.stderr));
}

#[test]
fn wait_is_cut_short_by_an_interrupt() {
    if !able() {
        return;
    }
    let mut telltale = Command::new(TELLTALE);
    telltale.args(["run", "--db", "none", "--wait", "--", "sh", "-c", "sleep 99 & echo $!; exit 3"]);
    let mut running = Background::start(telltale);
    let pid = running.line();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(running.telltale.try_wait().unwrap(), None, "it waits");
    running.signal("-INT");
    assert_eq!(running.code(), Some(3));
    eventually("the leftover ends", || state(&pid).is_empty());
}

#[test]
fn orphans_are_reaped_while_command_lives() {
    if !able() {
        return;
    }
    let orphan = "sh -c 'sleep 0.1 & echo $!'; read line";
    let mut running = Background::start(script(orphan));
    let pid = running.line();
    eventually("no zombie stays", || state(&pid).is_empty());
    drop(running.telltale.stdin.take());
    running.code();
}

#[expect(clippy::disallowed_methods, reason = "a test of how long something takes")]
fn now() -> Instant {
    Instant::now()
}

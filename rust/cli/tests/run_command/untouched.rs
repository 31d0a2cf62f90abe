//! What COMMAND finds is what it would find without telltale.

use std::io::Write;
use std::process::Stdio;
use std::thread;

use crate::{able, assert_no_difference, telltale, text};

#[test]
fn input_and_output_pass_byte_by_byte() {
    if !able() {
        return;
    }
    let sent: Vec<u8> = (0..1_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut child = telltale(&["cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = thread::spawn({
        let sent = sent.clone();
        move || stdin.write_all(&sent).unwrap()
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.stdout == sent, "{} bytes came back", output.stdout.len());
    assert!(output.status.success());
}

#[test]
fn arguments_pass_as_they_are() {
    if !able() {
        return;
    }
    let output = telltale(&["printf", "%s|", "", "--db", "two words", "\u{1}\n", "-"]).output().unwrap();
    assert_eq!(text(&output.stdout), "|--db|two words|\u{1}\n|-|");
}

#[test]
fn environment_directory_mask_and_limits_are_inherited() {
    assert_no_difference("cd /usr/share; export ODD=$'a\\nb' EMPTY=; unset LANG; \"$@\" env | grep -v ^_=");
    assert_no_difference("cd /usr/share; \"$@\" pwd");
    assert_no_difference("umask 027; \"$@\" sh -c umask");
    assert_no_difference("ulimit -Sn 300; ulimit -c 0; \"$@\" bash -c 'ulimit -Sa; ulimit -Ha'");
    assert_no_difference("\"$@\" nice; nice -n 3 \"$@\" nice");
    assert_no_difference("\"$@\" id");
}

#[test]
fn descriptors_pass_and_none_is_added() {
    assert_no_difference("\"$@\" ls /proc/self/fd");
    assert_no_difference("exec 7</etc/passwd 9>&1; \"$@\" ls /proc/self/fd; \"$@\" sh -c 'echo nine >&9'");
    assert_no_difference("\"$@\" ls /proc/self/fd <&-");
    assert_no_difference("\"$@\" sh -c 'ls /proc/self/fd >&2' >&-");
    assert_no_difference("\"$@\" ls /proc/self/fd 2>&-");
}

#[test]
fn signal_dispositions_and_mask_are_inherited() {
    let signals = "\"$@\" grep Sig /proc/self/status | grep -v -e SigQ -e SigCgt";
    assert_no_difference(signals);
    assert_no_difference(&format!("trap '' PIPE INT HUP CHLD TSTP USR1; {signals}"));
    assert_no_difference(&format!(
        "exec 3>&1; env --block-signal=USR2,TERM,CHLD,SEGV bash -c '{signals}' b \"$@\""
    ));
}

#[test]
fn a_broken_pipe_ends_a_program_as_it_should() {
    assert_no_difference("\"$@\" bash -c 'yes | head -n 1; echo ${PIPESTATUS[0]}'");
    assert_no_difference("\"$@\" yes | head -n 1; echo ${PIPESTATUS[0]}");
    assert_no_difference("trap '' PIPE; \"$@\" yes 2>&1 | head -n 1; echo ${PIPESTATUS[0]}");
}

#[test]
fn process_group_and_session_stay() {
    assert_no_difference(
        "ids() { echo $(ps -o pgid=,sid= -p $1); }; [ \"$(ids $$)\" = \"$(\"$@\" sh -c 'echo $(ps -o pgid=,sid= -p $$)')\" ] && echo same",
    );
}

#[test]
fn the_network_is_a_tun_and_a_loopback_that_work_at_once() {
    if !able() {
        return;
    }
    let output = telltale(&["cat", "/etc/resolv.conf", "/proc/net/dev"]).output().unwrap();
    let seen = text(&output.stdout);
    assert!(seen.contains("nameserver 198.19.84.53"), "{seen}");
    let interfaces: Vec<_> = seen.lines().filter_map(|line| line.split_once(": ")).collect();
    let names: Vec<_> = interfaces.iter().map(|(name, _)| name.trim()).collect();
    assert_eq!(names, ["lo", "telltale0"]);
    let own = "echo hello | timeout 5 nc -l -N 127.0.0.1 4444 & sleep 0.3; timeout 5 nc -d 127.0.0.1 4444";
    let output = telltale(&["sh", "-c", own]).output().unwrap();
    if text(&output.stderr).contains("not found") {
        eprintln!("skipped: nc is not installed");
    } else {
        assert_eq!(text(&output.stdout), "hello\n", "{}", text(&output.stderr));
    }
}

#[test]
fn the_mounts_of_command_are_its_own() {
    if !able() {
        return;
    }
    let mounts = || std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let before = mounts();
    let output = telltale(&["cat", "/etc/resolv.conf"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(mounts(), before);
}

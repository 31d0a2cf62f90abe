//! How COMMAND ends is how telltale ends.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use crate::{TELLTALE, able, script, telltale, text};

#[test]
fn exit_codes_are_commands_own() {
    if !able() {
        return;
    }
    for code in [0, 1, 2, 42, 124, 125, 126, 127, 128, 255] {
        let output = script(&format!("exit {code}")).output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
    }
}

#[test]
fn a_command_that_dies_by_a_signal_is_followed() {
    if !able() {
        return;
    }
    for (name, number) in [
        ("TERM", 15),
        ("KILL", 9),
        ("INT", 2),
        ("QUIT", 3),
        ("HUP", 1),
        ("PIPE", 13),
        ("SEGV", 11),
        ("USR1", 10),
    ] {
        let output = script(&format!("ulimit -c 0; kill -{name} $$")).output().unwrap();
        assert_eq!(output.status.signal(), Some(number), "{name}: {}", text(&output.stderr));
        assert!(!output.status.core_dumped(), "telltale must leave no core of its own");
    }
}

#[test]
fn a_command_that_is_not_found_is_127_and_one_that_cannot_run_126() {
    if !able() {
        return;
    }
    for (command, code, message) in [
        ("telltale-no-such-command", 127, "telltale: telltale-no-such-command: command not found\n"),
        ("/etc/passwd", 126, "telltale: /etc/passwd: cannot be run (Permission denied)\n"),
        ("/tmp", 126, "telltale: /tmp: cannot be run (Permission denied)\n"),
        ("/no/such", 127, "telltale: /no/such: no such file, or its interpreter is missing\n"),
    ] {
        let output = telltale(&[command, "argument"]).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(code), message.into()));
    }
}

#[test]
fn telltales_own_failures_are_125_with_something_to_do() {
    // A user namespace whose limits are ours to set; the machine's own stay as they are.
    let limits = "echo 0 > /proc/sys/user/max_net_namespaces && exec \"$@\"";
    let inside = ["-Ur", "sh", "-c", limits, "sh", TELLTALE, "run", "--db", "none", "--", "true"];
    let output = Command::new("unshare").args(inside).output();
    match output {
        Ok(output) if output.status.code() == Some(125) => {
            let message = text(&output.stderr);
            assert!(message.contains("sudo sysctl user.max_net_namespaces="), "{message}");
        }
        Ok(output) => eprintln!("skipped: no user namespace here: {}", text(&output.stderr)),
        Err(error) => eprintln!("skipped: unshare: {error}"),
    }
}

//! Whose COMMAND is: a plain user's, root's, or that of the user who called sudo.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::{QUIET, TELLTALE, able, copy, root, telltale, text};

#[test]
fn a_plain_user_has_no_capability_and_stays_who_it_is() {
    let Some(desk) = Desk::set("plain") else { return };
    for uid in ["65534", "12345"] {
        let look = "id -u; id -g; grep Cap /proc/self/status; cat /etc/resolv.conf; ls /sys/class/net /run";
        let output = desk.as_user(uid, &["sh", "-c", look]);
        let seen = text(&output.stdout);
        assert!(seen.starts_with(&format!("{uid}\n{uid}\n")), "{seen}{}", text(&output.stderr));
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert!(seen.contains(&format!("{set}:\t0000000000000000")), "{seen}");
        }
        assert!(seen.contains("nameserver 198.19.84.53"), "{seen}");
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn a_plain_user_keeps_its_groups_files() {
    let Some(desk) = Desk::set("groups") else { return };
    let file = desk.directory.join("for-group-777");
    fs::write(&file, "readable").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::chown(&file, Some(0), Some(777)).unwrap();
    let output = desk.as_user("12345", &["cat", &file.to_string_lossy()]);
    assert_eq!(text(&output.stdout), "readable", "{}", text(&output.stderr));
}

#[test]
fn a_users_exit_codes_signals_and_leftovers_are_as_roots() {
    let Some(desk) = Desk::set("exits") else { return };
    assert_eq!(desk.as_user("12345", &["sh", "-c", "exit 42"]).status.code(), Some(42));
    assert_eq!(desk.as_user("12345", &["sh", "-c", "kill -TERM $$"]).status.signal(), Some(15));
    assert_eq!(desk.as_user("12345", &["no-such-command"]).status.code(), Some(127));
    let output = desk.as_user("12345", &["sh", "-c", "trap '' TERM; sleep 66 & echo $!"]);
    assert!(crate::state(text(&output.stdout).trim()).is_empty());
}

#[test]
fn a_user_without_the_device_is_told_what_to_do() {
    let Some(desk) = Desk::set("device") else { return };
    let output = desk.run("chmod 600 /dev/net/tun", "12345", &[&desk.binary(), "run", "--", "true"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{told}");
    assert!(told.starts_with("telltale: /dev/net/tun cannot be opened (Permission denied)\n"), "{told}");
    assert!(told.contains("sudo chmod 0666 /dev/net/tun"), "{told}");
}

#[test]
fn roots_command_keeps_roots_rights() {
    if !able() || !root() {
        return;
    }
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let output = telltale(&["grep", "Cap", "/proc/self/status"]).env_remove("SUDO_UID").output().unwrap();
    let own: String =
        own.lines().filter(|line| line.starts_with("Cap")).map(|line| format!("{line}\n")).collect();
    assert_eq!(text(&output.stdout), own);
    let drops = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "id", "-u"];
    let output = telltale(&drops).env_remove("SUDO_UID").output().unwrap();
    assert_eq!(text(&output.stdout), "65534\n", "apt and the like become another user");
}

#[test]
fn under_sudo_command_is_the_callers() {
    if !able() || !root() {
        return;
    }
    let look = "id -u; id -g; id -G; grep Cap /proc/self/status; env; pwd; echo > \"$FILE\"";
    let desk = Desk::set("sudo").unwrap();
    let file = desk.directory.join("made-by-command");
    fs::set_permissions(&desk.directory, Permissions::from_mode(0o777)).unwrap();
    let mut telltale = telltale(&["sh", "-c", look]);
    telltale.current_dir("/usr/share").env("FILE", &file).env("HOME", "/root").env("USER", "root");
    telltale
        .env("SUDO_UID", "65534")
        .env("SUDO_GID", "65533")
        .env("SUDO_USER", "nobody")
        .env("SUDO_COMMAND", "x");
    let output = telltale.output().unwrap();
    let seen = text(&output.stdout);
    assert!(seen.starts_with("65534\n65533\n"), "{seen}{}", text(&output.stderr));
    let groups = seen.lines().nth(2).unwrap();
    assert!(!groups.split(' ').any(|group| group == "0"), "root's groups are gone: {groups}");
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert!(seen.contains(&format!("{set}:\t0000000000000000")), "{seen}");
    }
    assert!(seen.contains("\nHOME=/nonexistent\n") && seen.contains("\nUSER=nobody\n"), "{seen}");
    assert!(seen.contains("\nLOGNAME=nobody\n") && seen.contains("\nPWD=/usr/share\n"), "{seen}");
    assert!(!seen.contains("SUDO_"), "{seen}");
    assert_eq!(fs::metadata(&file).unwrap().uid(), 65_534);
}

#[test]
fn under_sudo_the_environment_is_what_sudo_was_called_with() {
    if !able() || !root() {
        return;
    }
    // A shell called sudo stands in for it: what counts is the name of the executable and how it was
    // started.
    let desk = Desk::set("environ").unwrap();
    let sudo = desk.directory.join("sudo");
    copy("/bin/sh", &sudo);
    let sets = "SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody HOME=/root \"$@\"; exit $?";
    let mut outer = Command::new(&sudo);
    outer.args(["-c", sets, "sudo", TELLTALE, "run"]).args(QUIET).args(["env"]);
    let output =
        outer.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/home/me").env("MINE", "1").output();
    let output = output.unwrap();
    let mut seen: Vec<_> = text(&output.stdout).lines().map(str::to_owned).collect();
    seen.sort();
    assert_eq!(seen, ["HOME=/home/me", "MINE=1", "PATH=/usr/bin:/bin"], "{}", text(&output.stderr));
}

#[test]
fn under_sudo_database_and_report_are_the_callers() {
    if !able() || !root() {
        return;
    }
    let desk = Desk::set("sudo-files").unwrap();
    fs::set_permissions(&desk.directory, Permissions::from_mode(0o777)).unwrap();
    let (database, report) = (desk.directory.join("x.db"), desk.directory.join("report.json"));
    let mut telltale = Command::new(TELLTALE);
    telltale.args(["run", "--json", "--db"]).arg(&database).arg("--report").arg(&report).args(["--", "true"]);
    telltale.env("SUDO_UID", "65534").env("SUDO_GID", "65533").env("SUDO_USER", "nobody");
    let output = telltale.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    for file in [&database, &report] {
        let about = fs::metadata(file).unwrap();
        assert_eq!((about.uid(), about.gid()), (65_534, 65_533), "{}", file.display());
    }
}

#[test]
fn under_sudo_run_and_report_have_one_database_which_is_the_callers() {
    if !able() || !root() {
        return;
    }
    let desk = Desk::set("sudo-usual").unwrap();
    let (sudo, home) = (desk.directory.join("sudo"), desk.directory.join("home"));
    copy("/bin/sh", &sudo);
    fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(65_534), Some(65_534)).unwrap();
    let sets = "SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody HOME=/root \"$@\"; exit $?";
    let telltale = |arguments: &[&str]| {
        let mut outer = Command::new(&sudo);
        outer.args(["-c", sets, "sudo", TELLTALE]).args(arguments).env_clear();
        outer.env("PATH", "/usr/bin:/bin").env("HOME", &home).output().unwrap()
    };
    let output = telltale(&["run", "--", "true"]);
    assert_eq!(text(&output.stderr), "No network traffic was seen.\n");
    let database = home.join(".local/share/telltale/telltale.db");
    assert_eq!(fs::metadata(&database).unwrap().uid(), 65_534);
    let told = text(&telltale(&["report"]).stdout);
    assert!(told.contains(database.to_str().unwrap()), "{told}");
}

/// A directory with a copy of telltale that any user may run, beside a mount namespace in which any
/// user may open the tun device, as on most machines.
struct Desk {
    directory: PathBuf,
}

impl Desk {
    fn set(name: &str) -> Option<Self> {
        if !able() || !root() {
            eprintln!("skipped: only root can be other users");
            return None;
        }
        let directory = PathBuf::from(format!("/tmp/telltale-test-{name}-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
        copy(TELLTALE, &directory.join("telltale"));
        Some(Self { directory })
    }

    fn binary(&self) -> String {
        self.directory.join("telltale").to_string_lossy().into_owned()
    }

    fn as_user(&self, uid: &str, command: &[&str]) -> Output {
        self.run("true", uid, &[&[&self.binary(), "run"][..], &QUIET, command].concat())
    }

    fn run(&self, first: &str, uid: &str, command: &[&str]) -> Output {
        let device = format!(
            "set -e; mount -t tmpfs tmpfs /mnt; mknod /mnt/tun c 10 200; chmod 666 /mnt/tun; \
             mount --bind /mnt/tun /dev/net/tun; {first}; uid=$1; shift; \
             exec setpriv --reuid $uid --regid $uid --groups $uid,777 \"$@\""
        );
        let mut unshare = Command::new("unshare");
        // The caller's home would be closed to the user.
        unshare
            .args(["-m", "sh", "-c", &device, "sh", uid])
            .args(command)
            .current_dir("/")
            .env_remove("HOME");
        unshare.output().unwrap()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.directory).unwrap();
    }
}

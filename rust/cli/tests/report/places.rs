//! Reading needs the right to read and nothing more, and leaves no trace.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::{Data, is_root, said};

/// How a mode lets others in.
const OPEN: u32 = 0o644;

#[test]
fn no_file_is_left_behind_and_none_changed() {
    let data = Data::with_flows("traces");
    let (files, bytes) = (data.files(), fs::read(data.database()).unwrap());
    assert_eq!(files.len(), 1);
    data.report(&[]);
    assert_eq!(data.files(), files);
    data.add_a_log();
    let files = data.files();
    assert_eq!(files.len(), 3);
    assert!(said(&data.report(&[])).1.contains("ssh "), "the log is read");
    assert_eq!(data.files(), files);
    assert!(fs::read(data.database()).unwrap() == bytes);
}

#[test]
fn a_database_of_somebody_else_is_read_where_its_mode_allows_it() {
    if !is_root() {
        return;
    }
    let data = Data::with_flows("foreign");
    share(&data);
    assert_eq!(rows(&as_nobody(&data)), ["curl", "wget", "total"]);

    data.add_a_log();
    share(&data);
    let files = data.files();
    assert_eq!(rows(&as_nobody(&data)), ["curl", "wget", "ssh", "total"], "with its log");
    fs::remove_file(beside(&data, "-shm")).unwrap();
    assert_eq!(rows(&as_nobody(&data)), ["curl", "wget", "ssh", "total"], "with a log that has no index");
    assert_eq!(data.files().len(), files.len() - 1);
}

#[test]
fn a_log_that_may_not_be_read_is_said() {
    if !is_root() {
        return;
    }
    let data = Data::with_flows("shut-log");
    data.add_a_log();
    share(&data);
    fs::set_permissions(beside(&data, "-wal"), Permissions::from_mode(0o600)).unwrap();
    let output = as_nobody(&data);
    assert_eq!(rows(&output), ["curl", "wget", "total"]);
    let told = said(&output).2;
    assert!(told.contains("telltale.db-wal cannot be read"), "{told}");
    let report = read_as_nobody(&data, &["--json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert!(report["problems"][0].as_str().unwrap().contains("telltale.db-wal cannot be read"));
}

#[test]
fn a_database_that_may_not_be_read_is_said_with_what_to_do() {
    if !is_root() {
        return;
    }
    let data = Data::with_flows("shut");
    share(&data);
    fs::set_permissions(data.database(), Permissions::from_mode(0o600)).unwrap();
    let (code, text, told) = said(&as_nobody(&data));
    assert!(code == 125 && text.is_empty(), "{text}");
    assert!(told.contains("telltale.db may not be read by you\n") && told.contains("sudo"), "{told}");
}

#[test]
fn a_file_system_that_is_read_only_or_full_is_read() {
    if !is_root() {
        return;
    }
    let read_only = "mount --bind \"$FOLDER\" \"$FOLDER\" && mount -o remount,bind,ro \"$FOLDER\"";
    // A copy on a small disk that is filled up then.
    let full = "cp -a \"$FOLDER\" /mnt/kept && mount -t tmpfs -o size=256k none \"$FOLDER\" && \
                cp /mnt/kept/* \"$FOLDER\" && ! cat /dev/zero > \"$FOLDER\"/ballast 2> /dev/null";
    for mounted in [read_only, full] {
        for log in [false, true] {
            let data = Data::with_flows("mounted");
            if log {
                data.add_a_log();
            }
            let folder = data.database().parent().unwrap().to_owned();
            let script = format!("mount -t tmpfs none /mnt && {mounted} && exec \"$@\"");
            let mut unshare = Command::new("unshare");
            unshare.args(["-m", "sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_telltale"), "report"]);
            unshare.env("FOLDER", folder).env("XDG_DATA_HOME", &data.0).env_remove("SUDO_UID");
            let output = unshare.output().unwrap();
            let expected = ["curl", "wget", "ssh", "total"];
            let expected = expected.into_iter().filter(|name| log || *name != "ssh").collect::<Vec<_>>();
            assert_eq!(rows(&output), expected, "{mounted}");
        }
    }
}

/// Lets everybody read.
fn share(data: &Data) {
    fs::set_permissions(&data.0, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(data.database().parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
    for (file, _) in data.files() {
        fs::set_permissions(file, Permissions::from_mode(OPEN)).unwrap();
    }
}

fn beside(data: &Data, end: &str) -> std::path::PathBuf {
    Path::new(&format!("{}{end}", data.database().display())).to_owned()
}

fn as_nobody(data: &Data) -> Output {
    read_as_nobody(data, &[])
}

/// As a user who owns nothing here, with a copy of telltale that this user can reach.
fn read_as_nobody(data: &Data, arguments: &[&str]) -> Output {
    let telltale = data.0.join("program");
    if !telltale.exists() {
        crate::copy(env!("CARGO_BIN_EXE_telltale"), &telltale);
    }
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    nobody.arg(telltale).args(["report", "--db"]).arg(data.database()).args(arguments);
    nobody.current_dir("/").output().unwrap()
}

fn rows(output: &Output) -> Vec<String> {
    let (code, text, told) = said(output);
    assert_eq!(code, 0, "{told}");
    crate::rows_of(&text)
}

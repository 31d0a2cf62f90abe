//! Under sudo it is the caller's database, as it is for `telltale run`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output};

use crate::{Data, is_root, said};

const CALLER: u32 = 65_534;

#[test]
fn the_callers_database_is_read_and_stays_theirs() {
    if !is_root() {
        return;
    }
    let data = Data::with_flows("sudo");
    give_away(&data.0);
    // While another telltale runs, the log and its index are there, and nothing may become root's.
    for _ in 0..2 {
        let files = data.files();
        let (code, text, told) = said(&sudo(&data, &["report"]));
        assert!(code == 0 && text.contains("curl "), "{text}{told}");
        assert_eq!(data.files(), files);
        assert!(files.iter().all(|(_, owner)| *owner == CALLER));
        data.add_a_log();
        give_away(&data.0);
    }
}

#[test]
fn a_database_that_is_named_is_read_as_root() {
    if !is_root() {
        return;
    }
    let data = Data::with_flows("sudo-named");
    let database = data.database();
    fs::set_permissions(&data.0, Permissions::from_mode(0o700)).unwrap();
    let (code, text, told) = said(&sudo(&data, &["report", "--db", database.to_str().unwrap()]));
    assert!(code == 0 && text.contains("curl "), "{text}{told}");
}

#[test]
fn root_itself_has_its_own() {
    if !is_root() {
        return;
    }
    let data = Data::with_flows("root");
    let (code, text, _) = said(&data.command(&[]).output().unwrap());
    assert!(code == 0 && text.contains("curl "), "{text}");
}

/// A shell called sudo stands in for it: what counts is the name of the executable, how it was started,
/// and what it says in the environment.
fn sudo(data: &Data, arguments: &[&str]) -> Output {
    let folder = std::env::temp_dir().join(format!(
        "telltale-sudo-{}-{}",
        data.0.file_name().unwrap().display(),
        std::process::id()
    ));
    fs::create_dir_all(&folder).unwrap();
    let sudo = folder.join("sudo");
    crate::copy("/bin/sh", &sudo);
    let sets =
        "unset XDG_DATA_HOME; HOME=/root SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody \"$@\"; exit $?";
    let mut outer = Command::new(sudo);
    outer.args(["-c", sets, "sudo", env!("CARGO_BIN_EXE_telltale")]).args(arguments);
    outer.env_clear().env("PATH", "/usr/bin:/bin").env("XDG_DATA_HOME", &data.0);
    let output = outer.output().unwrap();
    fs::remove_dir_all(folder).unwrap();
    output
}

fn give_away(path: &Path) {
    chown(path, Some(CALLER), Some(CALLER)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give_away(&entry.unwrap().path()));
    }
}

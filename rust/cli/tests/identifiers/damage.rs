//! What is kept survives what happens to files, or is told as lost; it is never taken for nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::{Home, IMEI, errors, mode};

#[test]
fn both_files_are_private_and_stand_apart() {
    let home = Home::new("modes");
    home.said(&["add", "imei", IMEI]);
    assert_eq!((mode(&home.sealed()), mode(&home.key())), (0o600, 0o600));
    assert_eq!(mode(home.key().parent().unwrap()), 0o700);
    assert_eq!(fs::read(home.key()).unwrap().len(), 32);
    let before = fs::read(home.sealed()).unwrap();
    home.said(&["add", "imei", IMEI]);
    assert_ne!(fs::read(home.sealed()).unwrap(), before, "another nonce each time");
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let home = Home::new("wide");
    home.said(&["add", "imei", IMEI]);
    fs::set_permissions(home.key(), Permissions::from_mode(0o640)).unwrap();
    for arguments in [&["list"][..], &["add", "word", "Ahorn"]] {
        let refused = errors(&home.output(arguments));
        assert!(refused.contains("can be used by others (mode 640)"), "{refused}");
        assert!(refused.contains("chmod 600"), "{refused}");
    }
    fs::set_permissions(home.key(), Permissions::from_mode(0o600)).unwrap();
    assert!(home.said(&["list"]).starts_with("imei 1"));
}

#[test]
fn after_a_crash_between_the_two_files_one_goes_on() {
    let home = Home::new("crash");
    home.said(&["add", "imei", IMEI]);
    let key = fs::read(home.key()).unwrap();
    // The key was made, and nothing sealed with it.
    fs::remove_file(home.sealed()).unwrap();
    assert!(home.said(&["list"]).starts_with("No details"));
    // And what was being written is left.
    fs::write(home.sealed().with_extension("new"), "half").unwrap();
    home.said(&["add", "imei", IMEI]);
    assert_eq!(fs::read(home.key()).unwrap(), key);
    assert!(!home.sealed().with_extension("new").exists());
}

#[test]
fn without_its_key_or_damaged_it_is_told_and_stays_as_it_is() {
    let home = Home::new("damaged");
    home.said(&["add", "imei", IMEI]);
    let (whole, key) = (fs::read(home.sealed()).unwrap(), fs::read(home.key()).unwrap());
    let mut tampered = whole.clone();
    *tampered.last_mut().unwrap() ^= 1;
    for (blob, said) in [
        (tampered.as_slice(), "it was damaged, or its key is another one"),
        (&whole[..20], "it is cut short"),
        (b"", "it is cut short"),
        (b"something else entirely", "it is something else"),
    ] {
        fs::write(home.sealed(), blob).unwrap();
        for arguments in [&["list"][..], &["add", "word", "Ahorn"], &["remove", "imei", "1"]] {
            let output = home.output(arguments);
            let told = errors(&output);
            assert!(output.status.code() == Some(125) && told.contains(said), "{said}: {told}");
            assert!(told.contains("remove --all"), "{told}");
        }
        assert_eq!(fs::read(home.sealed()).unwrap(), blob);
    }
    fs::write(home.sealed(), &whole).unwrap();
    fs::remove_file(home.key()).unwrap();
    let told = errors(&home.output(&["add", "word", "Ahorn"]));
    assert!(told.contains("details.key is missing") && !home.key().exists(), "{told}");
    fs::write(home.key(), &key[..31]).unwrap();
    fs::set_permissions(home.key(), Permissions::from_mode(0o600)).unwrap();
    assert!(errors(&home.output(&["list"])).contains("is damaged"));
    assert_eq!(fs::read(home.sealed()).unwrap(), whole);
    assert_eq!(home.said(&["remove", "--all"]), "All of your details are forgotten.\n");
    assert!(!home.sealed().exists() && !home.key().exists());
    assert_eq!(home.said(&["remove", "--all"]), "There were none.\n");
}

#[test]
fn on_a_full_disk_nothing_changes() {
    let home = Home::new("full");
    home.said(&["add", "imei", IMEI]);
    let before = fs::read(home.sealed()).unwrap();
    let program = home.program();
    // A limit of the size of files, with its signal ignored, fails as a full disk does: at the write.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"]).arg(program.get_program());
    command.args(["identifiers", "add", "word", "Ahorn"]);
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?)))).env_remove("SUDO_UID");
    let output = command.output().unwrap();
    let told = errors(&output);
    assert!(output.status.code() == Some(125) && told.contains("nothing was changed"), "{told}");
    assert_eq!(fs::read(home.sealed()).unwrap(), before);
    assert!(!home.sealed().with_extension("new").exists());
}

#[test]
fn two_that_add_at_one_time_both_count() {
    let home = Home::new("together");
    let start = |number: u32| {
        let mut command = home.program();
        command.args(["identifiers", "add", "word", &format!("word {number}")]);
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let children: Vec<_> = (0..8).map(start).collect();
    assert!(children.into_iter().all(|mut child| child.wait().unwrap().success()));
    assert_eq!(home.said(&["list"]).lines().count(), 8);
}

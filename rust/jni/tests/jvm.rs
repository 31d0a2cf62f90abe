//! Every entry from a real JVM, with a packet socket as the tun.

#![expect(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

/// What the program prints, line by line, with the datagram sent after `ready`.
const EXPECTED: &str = r#"true
IllegalArgumentException: there is no host
IllegalArgumentException: a text is missing
IllegalArgumentException: the configuration is not as docs/boundary.md says, at line 1, column 2
IllegalArgumentException: the tun is not open
true
ready
owner of 17 198.19.84.1 40000
true
true
true
IllegalArgumentException: there are no details
true
IllegalArgumentException: there is no such question
IllegalArgumentException: the question is not as docs/boundary.md says, at line 1, column 15
IllegalArgumentException: the network is not as docs/boundary.md says, at line 1, column 2
true
true
{"reason":"asked","run":0,"sentence":"Watching has ended."}
true
IllegalStateException: this handle was stopped
IllegalStateException: this handle was stopped
IllegalStateException: this handle was stopped
true
"#;

#[test]
fn a_jvm_calls_every_function_and_is_called_back() {
    let folder = Folder(std::env::temp_dir().join(format!("telltale-jvm-{}", std::process::id())));
    let _absent = fs::remove_dir_all(&folder.0);
    fs::create_dir(&folder.0).unwrap();
    if !compiled(&folder.0) {
        println!("skipped: there is no javac");
        return;
    }
    let (near, app) = UnixDatagram::pair().unwrap();
    // SAFETY: no pointers are passed. The copy is the child's to have; here it ends with this process.
    let inherited = unsafe { libc::fcntl(near.as_raw_fd(), libc::F_DUPFD, 100) };
    assert!(inherited > 0);
    let config = json!({
        "database": folder.0.join("telltale.db"), "locale": "en", "mtu": 1500,
        "addresses": ["198.19.84.1/30"], "resolvers": ["198.19.84.53"],
    });
    let mut java = Command::new("java")
        .arg("-Xcheck:jni")
        .arg(format!("-Dtelltale.library={}", library().display()))
        .arg("-cp")
        .arg(&folder.0)
        .args(["org.telltale.app.core.Main", &config.to_string(), &inherited.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut lines = BufReader::new(java.stdout.take().unwrap());
    while lines.read_line(&mut said).unwrap() > 0 {
        if said.ends_with("ready\n") {
            app.send(DATAGRAM).unwrap();
        }
    }
    assert!(java.wait().unwrap().success());
    assert_eq!(said, EXPECTED);
}

/// From 198.19.84.1 port 40000 to port 9 of the documentation network 203.0.113.0/24, "hi".
const DATAGRAM: &[u8] = &[
    0x45, 0, 0, 30, 0, 0, 0, 0, 64, 17, 0x24, 0xb0, 198, 19, 84, 1, 203, 0, 113, 10, 0x9c, 0x40, 0, 9, 0, 10,
    0, 0, b'h', b'i',
];

fn compiled(to: &Path) -> bool {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jvm");
    let sources = ["Core.java", "Host.java", "Main.java"].map(|name| sources.join(name));
    match Command::new("javac").arg("-d").arg(to).args(sources).status() {
        Ok(status) => {
            assert!(status.success(), "javac refuses it");
            true
        }
        Err(_) => false,
    }
}

/// The library that cargo made beside this test.
fn library() -> PathBuf {
    let mut folders = std::env::current_exe().unwrap();
    while folders.pop() {
        let library = folders.join("libtelltale.so");
        if library.exists() {
            return library;
        }
    }
    panic!("cargo has made no libtelltale.so")
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _kept = fs::remove_dir_all(&self.0);
    }
}

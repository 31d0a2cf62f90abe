//! What a core does to the process that it lives in, which has no other here: details leave the memory with it, and
//! signals are the app's and the JVM's.

#![expect(clippy::unwrap_used, reason = "this is a test")]

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::json;
use telltale::{Config, Core, Host};
use zeroize::Zeroizing;

/// Read-only memory holds these, which is not looked at.
const IMEI: &str = "356938035643809";
const EMAIL: &str = "zephyr.quill.1795@example.org";

#[test]
fn details_leave_the_memory_at_a_stop_and_no_signal_is_touched() {
    let before = signals();
    let folder = Folder::new();
    let (near, _far) = UnixDatagram::pair().unwrap();
    let core = Core::start(Some(OwnedFd::from(near)), folder.config(), host()).unwrap();
    assert!(!memory_holds(IMEI) && !memory_holds(EMAIL));
    core.set_details(&text()).unwrap();
    assert!(memory_holds(IMEI) && memory_holds(EMAIL), "they are looked for, and this test would see them");
    assert_eq!(signals(), before);
    core.stop();
    let gone = (0..50).any(|_| {
        thread::sleep(Duration::from_millis(20));
        !memory_holds(IMEI) && !memory_holds(EMAIL)
    });
    assert!(gone, "a detail is still in memory");
    assert_eq!(signals(), before);
    // Also while somebody holds the core.
    drop(core);
}

/// Made without a copy that nobody zeroes.
fn text() -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(256));
    for part in ["imei ", IMEI, "\nemail ", EMAIL, "\n"] {
        text.extend_from_slice(part.as_bytes());
    }
    text
}

/// Whether memory that this process can write to has this text in it.
fn memory_holds(text: &str) -> bool {
    const AT_ONCE: usize = 1 << 20;
    let memory = File::open("/proc/self/mem").unwrap();
    let mut buffer = Zeroizing::new(vec![0; AT_ONCE]);
    writable().into_iter().any(|(mut from, to)| {
        while from < to {
            let length = buffer.len().min(usize::try_from(to - from).unwrap());
            let read = memory.read_at(buffer.get_mut(..length).unwrap(), from).unwrap_or(0);
            if buffer.get(..read).unwrap().windows(text.len()).any(|found| found == text.as_bytes()) {
                return true;
            }
            // What stands across two reads is in the second one whole.
            from += u64::try_from(length.saturating_sub(text.len()).max(1)).unwrap();
        }
        false
    })
}

/// From where to where (proc(5), /proc/pid/maps).
fn writable() -> Vec<(u64, u64)> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let hexadecimal = |text| u64::from_str_radix(text, 16).ok();
    let places = maps.lines().filter_map(|line| {
        let (place, rights) = line.split_once(' ')?;
        let (from, to) = place.split_once('-')?;
        rights.starts_with("rw").then_some((hexadecimal(from)?, hexadecimal(to)?))
    });
    places.collect()
}

/// Signals that this process ignores and takes (proc(5), /proc/pid/status).
fn signals() -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let about = |line: &&str| line.starts_with("SigIgn") || line.starts_with("SigCgt");
    status.lines().filter(about).map(str::to_owned).collect()
}

fn host() -> Host {
    Host { owner_of: Arc::new(|_| None), changed: Arc::new(|_| {}), stopped: Arc::new(|_| {}) }
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("telltale-process-{}", std::process::id()));
        let _absent = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn config(&self) -> Config {
        let config = json!({
            "database": self.0.join("telltale.db"), "locale": "en", "mtu": 1500,
            "addresses": ["198.19.84.1/30"], "resolvers": ["198.19.84.53"],
        });
        Config::read(&config.to_string()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _kept = fs::remove_dir_all(&self.0);
    }
}

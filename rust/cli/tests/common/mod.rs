//! What tests need of the machine that they run on.

use std::fs;

/// Whether namespaces and a tun can be had here at all.
pub(crate) fn able() -> bool {
    let able = root() || fs::OpenOptions::new().write(true).open("/dev/net/tun").is_ok();
    if !able {
        eprintln!("skipped: needs root or a /dev/net/tun that this user may open");
    }
    able
}

pub(crate) fn root() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nUid:\t0\t0\t0"))
}

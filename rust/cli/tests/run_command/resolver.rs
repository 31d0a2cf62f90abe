//! The host's own ways to look names up are out of COMMAND's reach, however the host is set up.

use std::process::Command;

use crate::{QUIET, TELLTALE, able, root, text};

#[test]
fn a_resolv_conf_that_is_systemds_link_leads_to_ours() {
    let seen = look_in(
        "mkdir -p /run/systemd/resolve /run/nscd; \
         echo nameserver 127.0.0.53 > /run/systemd/resolve/stub-resolv.conf; touch /run/nscd/socket; \
         ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf",
    );
    assert_resolver(seen, "stub-resolv.conf\n");
}

#[test]
fn a_link_into_nothing_leads_to_ours() {
    let seen = look_in(
        "mkdir -p /run/systemd/resolve; ln -sf /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf",
    );
    assert_resolver(seen, "stub-resolv.conf\n");
}

#[test]
fn a_link_to_another_file_leads_to_ours() {
    let seen = look_in(
        "mkdir -p /run/resolvconf /run/systemd/resolve; echo search corp.example > /run/resolvconf/resolv.conf; \
         echo options ndots:3 >> /run/resolvconf/resolv.conf; touch /run/systemd/resolve/io.systemd.Resolve; \
         ln -sf ../run/resolvconf/resolv.conf /etc/resolv.conf",
    );
    if let Some(seen) = &seen {
        assert!(seen.contains("search corp.example\noptions ndots:3\n"), "{seen}");
    }
    assert_resolver(seen, "");
}

#[test]
fn a_host_that_replaces_its_own_does_not_take_ours_away() {
    // The two take turns: the host replaces, COMMAND looks a while later.
    let host = "for n in 1 2 3; do \
                    until [ -e /run/look$n ]; do sleep 0.02; done; \
                    [ $n = 3 ] && rm /etc/resolv.conf && sleep 0.1; \
                    echo nameserver 192.0.2.$n > /etc/resolv.conf.new; \
                    mv /etc/resolv.conf.new /etc/resolv.conf; touch /run/replaced$n; \
                done";
    let look = "for n in 1 2 3; do \
                    touch /run/look$n; until [ -e /run/replaced$n ]; do sleep 0.02; done; sleep 0.4; \
                    cat /etc/resolv.conf; \
                done; ps -o comm= --ppid $$ | grep telltale";
    let Some(seen) = look_with(&format!("({host}) &"), look) else { return };
    assert_eq!(seen.matches("nameserver 198.19.84.53\n").count(), 3, "{seen}");
    assert!(!seen.contains("192.0.2.") && !seen.contains("telltale\n"), "{seen}");
}

#[test]
fn a_machine_without_resolv_conf_is_told_to_make_one() {
    let Some(seen) = look_in("rm /etc/resolv.conf") else { return };
    assert!(seen.contains("Make the file /etc/resolv.conf; it may be empty."), "{seen}");
}

fn assert_resolver(seen: Option<String>, masked: &str) {
    let Some(seen) = seen else { return };
    assert!(seen.contains("nameserver 198.19.84.53\n") && !seen.contains("127.0.0.53"), "{seen}");
    assert!(seen.ends_with(&format!("now\n{masked}")), "{seen}");
}

/// What COMMAND sees of resolv.conf and then of the places that should be empty, in a machine whose
/// /etc and /run are copies that were changed so.
fn look_in(change: &str) -> Option<String> {
    let look = "cat /etc/resolv.conf; echo now; ls /run/systemd/resolve /run/nscd 2>/dev/null | grep -v -e : -e '^$'";
    look_with(change, look)
}

/// What this look of COMMAND finds in such a machine.
fn look_with(change: &str, look: &str) -> Option<String> {
    if !able() || !root() {
        eprintln!("skipped: only root can stand another machine in");
        return None;
    }
    let machine = format!(
        "set -e; mount -t tmpfs tmpfs /mnt; cp -a /etc /mnt/etc; mount --bind /mnt/etc /etc; \
         mount -t tmpfs tmpfs /run; {change}\nexec \"$@\""
    );
    let mut unshare = Command::new("unshare");
    unshare.args(["-m", "sh", "-c", &machine, "sh", TELLTALE, "run"]).args(QUIET).args(["sh", "-c", look]);
    let output = unshare.output().unwrap();
    Some(text(&output.stdout) + &text(&output.stderr))
}

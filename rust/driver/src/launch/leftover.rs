//! Processes that COMMAND left behind: they become ours when their parent ends, and end with the relay.

use std::collections::HashMap;
use std::fs;
use std::io;

use crate::sys::check;

/// A process that was still there when COMMAND had ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Its process id.
    pub pid: i32,
    /// Its name as the kernel has it, at most 15 bytes.
    pub name: String,
}

/// From now on this process is the parent of all its descendants whose own parent has ended.
pub(super) fn adopt_orphans() -> io::Result<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) }).map(drop)
}

/// All living descendants of this process, lowest process id first.
pub(super) fn find() -> Vec<Leftover> {
    let mut processes: HashMap<i32, Process> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let stat = fs::read(entry.path().join("stat")).unwrap_or_default();
        if let Some(process) = Process::parse(&String::from_utf8_lossy(&stat)) {
            processes.insert(process.pid, process);
        }
    }
    let own = std::process::id().cast_signed();
    let descends = |process: &&Process| process.alive && descends_from(own, process, &processes);
    let mut found: Vec<Leftover> = processes
        .values()
        .filter(descends)
        .map(|process| Leftover { pid: process.pid, name: process.name.clone() })
        .collect();
    found.sort_by_key(|leftover| leftover.pid);
    found
}

/// A line of /proc/PID/stat, as far as it is used.
struct Process {
    pid: i32,
    name: String,
    alive: bool,
    parent: i32,
}

impl Process {
    /// proc_pid_stat(5): the name stands in brackets and may itself hold brackets and spaces.
    fn parse(line: &str) -> Option<Self> {
        let (pid, rest) = line.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let mut fields = rest.split(' ');
        let alive = !matches!(fields.next()?, "Z" | "X");
        Some(Self {
            pid: pid.parse().ok()?,
            name: name.to_owned(),
            alive,
            parent: fields.next()?.parse().ok()?,
        })
    }
}

fn descends_from(ancestor: i32, process: &Process, all: &HashMap<i32, Process>) -> bool {
    let mut parent = process.parent;
    // The lines were read one after the other, and a process id may have changed hands meanwhile: a
    // bound, so that no circle is walked forever.
    for _generation in 0..all.len() {
        if parent == ancestor {
            return true;
        }
        match all.get(&parent) {
            Some(next) => parent = next.parent,
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let process = Process::parse("42 (a) S (b c) R 7 42 1 0 -1").unwrap();
        assert_eq!((process.pid, process.name.as_str(), process.parent), (42, "a) S (b c", 7));
        assert!(process.alive);
        assert!(!Process::parse("42 (sh) Z 7 42").unwrap().alive);
        assert!(Process::parse("").is_none());
        assert!(Process::parse("42 (sh").is_none());
    }

    #[test]
    fn descent_is_followed_through_generations_and_circles_end() {
        let line = |pid, parent| Process { pid, name: String::new(), alive: true, parent };
        let all: HashMap<_, _> =
            [(2, 1), (3, 2), (4, 3), (8, 9), (9, 8)].map(|(pid, parent)| (pid, line(pid, parent))).into();
        assert!(descends_from(1, &all[&4], &all));
        assert!(descends_from(3, &all[&4], &all));
        assert!(!descends_from(4, &all[&3], &all));
        assert!(!descends_from(1, &all[&8], &all));
    }

    #[test]
    fn a_child_of_ours_is_found_while_it_lives() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id().cast_signed();
        let found = |name: &str| find().contains(&Leftover { pid, name: name.to_owned() });
        // The name is the test's own until exec.
        while !found("sleep") {}
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!found("sleep"));
    }
}

//! Which process holds a socket: found by its inode among the descriptors in /proc.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Owners to look at first. A program that has opened one socket opens more.
const RECENT: usize = 16;

/// Descendants to look at before all processes are.
const DESCENDANTS: usize = 1024;

/// The processes of one network namespace.
pub(super) struct Processes {
    /// Device and inode of the namespace. `None`: unknown, all processes are looked at.
    namespace: Option<(u64, u64)>,
    /// The last owners, the latest first.
    recent: Vec<u32>,
}

/// A process that holds a socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// The path of its executable. `None` where the system does not tell.
    pub(super) program: Option<String>,
}

impl Processes {
    pub(super) fn new(namespace: Option<(u64, u64)>) -> Self {
        Self { namespace, recent: Vec::new() }
    }

    /// The process that holds the socket with this inode, one of them if there are more.
    pub(super) fn holding(&mut self, inode: u32) -> Option<Process> {
        let link = PathBuf::from(format!("socket:[{inode}]"));
        let pid = self.among_recent(&link);
        let pid = pid.or_else(|| self.among(descendants(), &link)).or_else(|| self.among(pids(), &link))?;
        self.remember(pid);
        Some(Process { pid, program: program(pid) })
    }

    fn among_recent(&self, link: &Path) -> Option<u32> {
        self.recent.iter().copied().find(|pid| holds(*pid, link))
    }

    /// The youngest first: they are the ones that are not among the recent yet.
    fn among(&self, mut pids: Vec<u32>, link: &Path) -> Option<u32> {
        pids.sort_unstable_by(|one, other| other.cmp(one));
        let unseen = pids.into_iter().filter(|pid| !self.recent.contains(pid));
        unseen.filter(|pid| self.is_inside(*pid)).find(|pid| holds(*pid, link))
    }

    fn is_inside(&self, pid: u32) -> bool {
        let Some(namespace) = self.namespace else { return true };
        fs::metadata(format!("/proc/{pid}/ns/net")).is_ok_and(|own| (own.dev(), own.ino()) == namespace)
    }

    fn remember(&mut self, pid: u32) {
        self.recent.retain(|other| *other != pid);
        self.recent.insert(0, pid);
        self.recent.truncate(RECENT);
    }
}

/// The processes that this one has started, and theirs. There the holder is nearly always, and they are
/// found faster than a short-lived program ends; where the kernel does not list children there are none.
fn descendants() -> Vec<u32> {
    let mut found = children(std::process::id());
    let mut next = 0;
    while let Some(pid) = found.get(next).copied().filter(|_| found.len() < DESCENDANTS) {
        found.extend(children(pid));
        next += 1;
    }
    found
}

/// The children of all threads of a process (proc(5), `/proc/pid/task/tid/children`).
fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists =
        threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_ascii_whitespace().flat_map(str::parse).collect::<Vec<_>>()).collect()
}

fn pids() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Whether one of its descriptors is that socket. A process that is gone holds none.
fn holds(pid: u32, link: &Path) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    entries.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == link))
}

fn program(pid: u32) -> Option<String> {
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let path = path.to_string_lossy();
    // So the kernel marks a file that was replaced while it runs, as upgrades do.
    Some(path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn children_and_their_children_are_found() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 60 & echo $!; wait"]).stdout(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let grandchild: u32 = line.trim().parse().unwrap();
        let found = descendants();
        assert!(found.contains(&child.id()) && found.contains(&grandchild), "{found:?}");
        let ended = Command::new("kill").arg(grandchild.to_string()).status().unwrap();
        assert!(ended.success());
        child.wait().unwrap();
    }
}

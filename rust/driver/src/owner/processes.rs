//! Which process holds a socket: found by its inode among the descriptors in /proc.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Owners to look at first. A program that has opened one socket opens more.
const RECENT: usize = 16;

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
        let pid = self.among_recent(&link).or_else(|| self.among_all(&link))?;
        self.remember(pid);
        Some(Process { pid, program: program(pid) })
    }

    fn among_recent(&self, link: &Path) -> Option<u32> {
        self.recent.iter().copied().find(|pid| holds(*pid, link))
    }

    /// The youngest first: they are the ones that are not among the recent yet.
    fn among_all(&self, link: &Path) -> Option<u32> {
        let mut pids = pids();
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

//! Which process holds a socket: found by its inode among the descriptors in /proc.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Owners to look at first. A program that has opened one socket opens more.
const RECENT: usize = 16;

/// Descendants to look at before all processes are.
const DESCENDANTS: usize = 1024;

/// Descriptors after the one that was found last, to look at before all of a process are: a new socket
/// has the lowest number that is free.
const NEAR: u32 = 4;

/// Sockets of one process that are remembered.
const SOCKETS: usize = 4096;

/// The processes of one network namespace.
pub(super) struct Processes {
    /// Device and inode of the namespace. `None`: unknown, all processes are looked at.
    namespace: Option<(u64, u64)>,
    /// The last owners, the latest first.
    recent: Vec<Holder>,
}

/// A process that holds a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// The path of its executable. `None` where the system does not tell.
    pub(super) program: Option<String>,
}

/// A process as it was when it was looked at last.
struct Holder {
    process: Process,
    /// Its sockets' inodes and descriptors: a program that opens many at once is looked at once for all.
    sockets: HashMap<u32, u32>,
    /// The descriptor that was found last.
    latest: u32,
}

impl Processes {
    pub(super) fn new(namespace: Option<(u64, u64)>) -> Self {
        Self { namespace, recent: Vec::new() }
    }

    /// The process that holds the socket with this inode, one of them if there are more.
    pub(super) fn holding(&mut self, inode: u32) -> Option<Process> {
        let holder = self.among_recent(|holder| holder.remembers(inode));
        let holder = holder.or_else(|| self.among_recent(|holder| holder.has_near(inode)));
        let holder = holder.or_else(|| self.among(descendants(), inode));
        let holder = holder.or_else(|| self.among_recent(|holder| holder.has(inode)));
        let holder = holder.or_else(|| self.among(pids(), inode))?.first_to_hold(inode);
        let process = holder.process.clone();
        self.recent.insert(0, holder);
        self.recent.truncate(RECENT);
        Some(process)
    }

    fn among_recent(&mut self, is_it: impl FnMut(&mut Holder) -> bool) -> Option<Holder> {
        let place = self.recent.iter_mut().position(is_it)?;
        Some(self.recent.remove(place))
    }

    /// The youngest first: they are the ones that are not among the recent yet.
    fn among(&self, mut pids: Vec<u32>, inode: u32) -> Option<Holder> {
        pids.sort_unstable_by(|one, other| other.cmp(one));
        pids.into_iter().filter(|pid| self.is_new(*pid) && self.is_inside(*pid)).find_map(|pid| {
            let mut holder = Holder::new(pid);
            holder.has(inode).then_some(holder)
        })
    }

    fn is_new(&self, pid: u32) -> bool {
        self.recent.iter().all(|holder| holder.process.pid != pid)
    }

    fn is_inside(&self, pid: u32) -> bool {
        let Some(namespace) = self.namespace else { return true };
        fs::metadata(format!("/proc/{pid}/ns/net")).is_ok_and(|own| (own.dev(), own.ino()) == namespace)
    }
}

impl Holder {
    fn new(pid: u32) -> Self {
        Self { process: Process { pid, program: None }, sockets: HashMap::new(), latest: 0 }
    }

    /// A socket that a child has inherited is its parent's.
    fn first_to_hold(mut self, inode: u32) -> Self {
        while let Some(mut parent) = parent(self.process.pid).map(Self::new) {
            // fork(2) leaves a descriptor its number.
            if socket(format!("/proc/{}/fd/{}", parent.process.pid, self.latest)) != Some(inode) {
                break;
            }
            parent.found(self.latest);
            self = parent;
        }
        self
    }

    fn remembers(&mut self, inode: u32) -> bool {
        let fd = self.sockets.get(&inode).copied();
        self.latest = fd.unwrap_or(self.latest);
        fd.is_some()
    }

    fn has_near(&mut self, inode: u32) -> bool {
        let fds = format!("/proc/{}/fd", self.process.pid);
        let mut near = self.latest..=self.latest.saturating_add(NEAR);
        let Some(fd) = near.find(|fd| socket(format!("{fds}/{fd}")) == Some(inode)) else { return false };
        self.found(fd);
        true
    }

    /// Whether the process has this socket, by all of its descriptors. A process that is gone has none.
    fn has(&mut self, inode: u32) -> bool {
        self.sockets.clear();
        let Ok(entries) = fs::read_dir(format!("/proc/{}/fd", self.process.pid)) else { return false };
        let mut holds = None;
        for entry in entries.flatten() {
            let fd = entry.file_name().to_str().and_then(|fd| fd.parse().ok());
            let Some((fd, socket)) = fd.zip(socket(entry.path())) else { continue };
            if socket == inode {
                holds = Some(fd);
            }
            if self.sockets.len() < SOCKETS {
                self.sockets.insert(socket, fd);
            }
        }
        holds.map(|fd| self.found(fd)).is_some()
    }

    /// It may have become another program since.
    fn found(&mut self, fd: u32) {
        self.latest = fd;
        self.process.program = program(self.process.pid);
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

/// proc_pid_stat(5): the name stands in brackets and may itself hold brackets; the state and the parent
/// follow.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

fn pids() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The inode of the socket behind a descriptor. `None`: it is none, or gone.
fn socket(descriptor: impl AsRef<Path>) -> Option<u32> {
    let target = fs::read_link(descriptor).ok()?;
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
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

//! What the machine did while a load ran: the engine, everything, and whatever had no business there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::bed::Way;
use crate::clock::now;
use crate::figures::{Figures, Quantity};

/// Ticks of /proc/stat a second (USER_HZ, the same on every Linux since 2.6).
const TICKS: f64 = 100.0;

/// The counters of one moment.
#[derive(Debug)]
struct Reading {
    at: Instant,
    engine: Threads,
    /// CPU of this program, of its children that are loads, and of the kernel's own threads.
    known: f64,
    machine: f64,
    drops: u64,
    retransmits: u64,
}

/// What happened between two moments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// How long it was.
    pub(crate) seconds: f64,
    /// CPU seconds of all threads of the engine.
    pub(crate) engine: f64,
    /// How often a thread of the engine went to sleep of its own.
    pub(crate) switches: u64,
    /// CPU seconds of the whole machine.
    machine: f64,
    /// Cores that were busy with something else, on average.
    pub(crate) background: f64,
    /// Since the tun was made: flows that begin at once are what it overflows with.
    drops: u64,
    retransmits: u64,
    is_engine: bool,
}

/// Counts during a load: waits for `warm_up`, then watches for `length`. The first and the last count beside it.
///
/// # Errors
/// When the engine has ended.
pub(crate) fn observe<T>(
    way: &Way<'_>,
    warm_up: Duration,
    length: Duration,
    count: impl Fn() -> T,
) -> io::Result<(Window, T, T)> {
    std::thread::sleep(warm_up);
    let (before, first) = (Reading::take(way)?, count());
    std::thread::sleep(length);
    let (after, last) = (Reading::take(way)?, count());
    if way.engine().is_some_and(has_ended) {
        return Err(io::Error::other("the engine has ended"));
    }
    Ok((Window::between(&before, &after, way.engine().is_some()), first, last))
}

impl Window {
    fn between(before: &Reading, after: &Reading, is_engine: bool) -> Self {
        let seconds = (after.at - before.at).as_secs_f64();
        let engine = after.engine.cpu - before.engine.cpu;
        let machine = after.machine - before.machine;
        let other = machine - engine - (after.known - before.known);
        Self {
            seconds,
            engine,
            switches: after.engine.switches.saturating_sub(before.engine.switches),
            machine,
            background: (other / seconds).max(0.0),
            drops: after.drops,
            retransmits: after.retransmits.saturating_sub(before.retransmits),
            is_engine,
        }
    }

    /// What is told of every load.
    pub(crate) fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        figures.background = self.background;
        figures.set(Quantity::MachineBusy, self.machine / self.seconds);
        figures.set(Quantity::Retransmits, self.retransmits as f64);
        if self.is_engine {
            figures.set(Quantity::EngineBusy, self.engine / self.seconds * 100.0);
            figures.set(Quantity::TunDrops, self.drops as f64);
        }
        figures
    }

    /// The CPU of the engine for each of `count`, in seconds; `None` without an engine.
    pub(crate) fn engine_for_each(&self, count: f64) -> Option<f64> {
        (self.is_engine && count > 0.0).then(|| self.engine / count)
    }

    /// The CPU of the whole machine for each of `count`, in seconds.
    pub(crate) fn machine_for_each(&self, count: f64) -> Option<f64> {
        (count > 0.0).then(|| self.machine / count)
    }
}

impl Reading {
    fn take(way: &Way<'_>) -> io::Result<Self> {
        let (drops, retransmits) = (way.tun_drops()?, way.retransmits()?);
        Ok(Self {
            at: now(),
            engine: way.engine().map_or(Ok(Threads::default()), Threads::of)?,
            known: known(way.engine())?,
            machine: machine()?,
            drops,
            retransmits,
        })
    }
}

/// Counters of all threads of a process.
#[derive(Clone, Copy, Debug, Default)]
struct Threads {
    cpu: f64,
    switches: u64,
}

impl Threads {
    fn of(process: u32) -> io::Result<Self> {
        let mut sum = Self::default();
        for thread in folders(&PathBuf::from(format!("/proc/{process}/task")))? {
            // A thread may end between the two looks.
            sum.cpu += cpu(&thread).unwrap_or(0.0);
            sum.switches += status(&thread, "voluntary_ctxt_switches").unwrap_or(0);
        }
        Ok(sum)
    }
}

/// The CPU seconds that a task has had: the first figure of its schedstat, in nanoseconds.
fn cpu(task: &Path) -> Option<f64> {
    let text = fs::read_to_string(task.join("schedstat")).ok()?;
    Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}

fn status(task: &Path, field: &str) -> Option<u64> {
    let text = fs::read_to_string(task.join("status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
}

/// What a process holds in memory, in bytes.
///
/// # Errors
/// When it has ended.
pub(crate) fn resident(process: u32) -> io::Result<f64> {
    let kib = status(&PathBuf::from(format!("/proc/{process}")), "VmRSS");
    kib.map(|kib| kib as f64 * 1_024.0).ok_or_else(|| io::Error::other("the engine has ended"))
}

/// What the kernel holds for sockets, in bytes: its slabs, and the pages of their queues. The kernel counts
/// neither for each process.
///
/// # Errors
/// Without /proc.
pub(crate) fn kernel_memory() -> io::Result<f64> {
    let slab = field(&fs::read_to_string("/proc/meminfo")?, "Slab:", 0) * 1_024.0;
    let sockets = fs::read_to_string("/proc/net/sockstat")?;
    let pages: f64 = ["TCP:", "UDP:"].iter().map(|name| after_mem(&sockets, name)).sum();
    Ok(slab + pages * 4_096.0)
}

fn field(text: &str, name: &str, place: usize) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().nth(place).and_then(|value| value.parse().ok()).unwrap_or_default()
}

fn after_mem(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(" mem ").map_or(0.0, |(_, rest)| field(rest, "", 0))
}

/// The busy CPU seconds of the machine since it started.
fn machine() -> io::Result<f64> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().and_then(|line| line.strip_prefix("cpu ")).unwrap_or_default();
    let ticks: Vec<f64> = line.split_whitespace().filter_map(|ticks| ticks.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal: what another machine stole is noise as well.
    Ok([0, 1, 2, 5, 6, 7].iter().filter_map(|place| ticks.get(*place)).sum::<f64>() / TICKS)
}

/// The CPU seconds of this program, of its children but the engine, and of the kernel's threads.
fn known(engine: Option<u32>) -> io::Result<f64> {
    let own = std::process::id().to_string();
    let ours = |process: &Path| {
        let number = process.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_engine = engine.is_some_and(|engine| engine.to_string() == number);
        !is_engine && (number == own || parent(process).as_deref() == Some(&own))
    };
    // In a PID namespace of our own the kernel's threads are not to be seen; scripts/bench says where they are.
    let kernels = std::env::var_os("BENCH_KERNEL_PROC").map_or_else(|| PathBuf::from("/proc"), PathBuf::from);
    let by_kernel = |process: &Path| parent(process).as_deref() == Some("2");
    Ok(cpu_of(Path::new("/proc"), ours)? + cpu_of(&kernels, by_kernel)?)
}

/// The CPU seconds of all threads of these processes.
fn cpu_of(proc: &Path, wanted: impl Fn(&Path) -> bool) -> io::Result<f64> {
    let processes = folders(proc)?.into_iter().filter(|process| wanted(process));
    let threads = processes.flat_map(|process| folders(&process.join("task")).unwrap_or_default());
    Ok(threads.filter_map(|thread| cpu(&thread)).sum())
}

fn parent(process: &Path) -> Option<String> {
    after_name(process, 1)
}

/// Whether nobody but its parent knows of a process any more.
fn has_ended(process: u32) -> bool {
    after_name(&PathBuf::from(format!("/proc/{process}")), 0).is_none_or(|state| state == "Z")
}

/// A field of /proc/PID/stat after the name in parentheses, which may hold anything: state, parent, ...
fn after_name(process: &Path, place: usize) -> Option<String> {
    let text = fs::read_to_string(process.join("stat")).ok()?;
    text.rsplit_once(") ")?.1.split_whitespace().nth(place).map(str::to_owned)
}

fn folders(path: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(fs::read_dir(path)?.filter_map(|entry| Some(entry.ok()?.path())).collect())
}

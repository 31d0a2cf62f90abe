//! Where threads and programs may run.

use std::io;
use std::thread;

use rustix::thread::{CpuSet, sched_setaffinity};

/// Which cores the two sides of a test get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Placing {
    /// App and server share the first core, the engine has the second one: the least noise.
    Pinned,
    /// All three share the first core: nobody waits until another core has woken up.
    Together,
    /// As the system likes.
    Free,
}

impl Placing {
    /// How rows call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Together => "one-core",
            Self::Free => "unpinned",
        }
    }

    /// Does something on the core of app and server. Threads made there stay there.
    pub(crate) fn beside_app<T: Send>(self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        self.on(0, work)
    }

    /// Does something on the core of the engine. Programs started there stay there.
    pub(crate) fn beside_engine<T: Send>(self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        self.on(usize::from(self == Self::Pinned), work)
    }

    fn on<T: Send>(self, core: usize, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        let pinned = move || {
            if self != Self::Free {
                let mut cores = CpuSet::new();
                cores.set(core);
                sched_setaffinity(None, &cores)?;
            }
            work()
        };
        thread::scope(|scope| scope.spawn(pinned).join())
            .unwrap_or_else(|_| Err(io::Error::other("a thread of the bench panicked")))
    }
}

//! Stays with COMMAND: passes signals on, stops and goes on with it, sees how it ends, and ends what it
//! left behind.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::inherited::Inherited;
use super::leftover::{self, Leftover};
use super::signals::{self, Signal};

/// A child of COMMAND that is about to end anyway is not worth a word.
const SETTLE: Duration = Duration::from_millis(100);

/// How long what COMMAND left behind may take to end in order.
const GRACE: Duration = Duration::from_secs(2);

/// How long the system may take to end what was killed. A process that hangs in a driver is left.
const KILL: Duration = Duration::from_secs(1);

/// COMMAND as it runs.
#[derive(Debug)]
pub struct Running {
    command: libc::pid_t,
    stopped: bool,
    exit: Option<Exit>,
    children_left: bool,
    /// Somebody has asked COMMAND through this process to end.
    told_to_end: bool,
    /// After COMMAND, somebody has asked this process to end, by this signal.
    cut_short: Option<i32>,
    /// While it is open, the keeper of COMMAND's resolv.conf lives, which is a child of ours.
    lifeline: Option<OwnedFd>,
    _inherited: Inherited,
}

/// How COMMAND ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this code.
    Code(u8),
    /// By this signal.
    Signal(i32),
}

impl Running {
    pub(super) fn new(command: libc::pid_t, inherited: Inherited, lifeline: OwnedFd) -> Self {
        let lifeline = Some(lifeline);
        Self {
            command,
            stopped: false,
            exit: None,
            children_left: true,
            told_to_end: false,
            cut_short: None,
            lifeline,
            _inherited: inherited,
        }
    }

    /// Waits until COMMAND has ended. Called by the thread that called [`super::Launch::prepare`].
    pub fn wait(&mut self) -> Exit {
        loop {
            self.reap();
            if let Some(exit) = self.exit {
                self.lifeline = None;
                return exit;
            }
            if let Some(signal) = signals::next(None) {
                // COMMAND may have ended or gone on by now, which changes what the signal asks for.
                self.reap();
                self.answer(signal);
            }
        }
    }

    /// After COMMAND has ended: waits until nothing is left of what it started. A signal that asks
    /// this process to end cuts it short.
    pub fn wait_for_leftovers(&mut self) {
        self.wait_for_children(None);
    }

    /// After COMMAND has ended: ends what it left behind. Answers what was there.
    pub fn end_leftovers(&mut self) -> Vec<Leftover> {
        if self.wait_for_children(Some(SETTLE)) {
            return Vec::new();
        }
        let mut ended = BTreeMap::new();
        for (signal, patience) in [(libc::SIGTERM, GRACE), (libc::SIGKILL, KILL)] {
            for leftover in leftover::find() {
                // It may have ended by itself, or be another user's; then there is nothing to be done.
                let _gone = signals::send(leftover.pid, signal);
                // A stopped process cannot end in order.
                let _gone = signals::send(leftover.pid, libc::SIGCONT);
                ended.insert(leftover.pid, leftover.name);
            }
            if self.wait_for_children(Some(patience)) {
                break;
            }
        }
        ended.into_iter().map(|(pid, name)| Leftover { pid, name }).collect()
    }

    /// After COMMAND has ended: whether somebody has asked this process to end, COMMAND with it or now.
    pub fn is_asked_to_end(&mut self) -> bool {
        while let Some(signal) = signals::next(Some(Duration::ZERO)) {
            self.heed(&signal);
        }
        self.told_to_end || self.cut_short.is_some()
    }

    /// The signal that has asked this process to end after COMMAND.
    pub fn cut_short(&self) -> Option<Exit> {
        self.cut_short.map(Exit::Signal)
    }

    /// Takes in what has happened to children so far.
    fn reap(&mut self) {
        loop {
            let mut status = 0;
            let flags = libc::WNOHANG | libc::WUNTRACED | libc::WCONTINUED;
            // SAFETY: the room for the status lives until the call returns.
            match unsafe { libc::waitpid(-1, &raw mut status, flags) } {
                0 => return,
                pid if pid == self.command => self.take(status),
                pid if pid > 0 => {}
                _no_children => {
                    self.children_left = false;
                    return;
                }
            }
        }
    }

    fn take(&mut self, status: libc::c_int) {
        if libc::WIFEXITED(status) {
            self.exit = Some(Exit::Code(u8::try_from(libc::WEXITSTATUS(status)).unwrap_or(u8::MAX)));
        } else if libc::WIFSIGNALED(status) {
            self.exit = Some(Exit::Signal(libc::WTERMSIG(status)));
        } else if libc::WIFCONTINUED(status) {
            self.stopped = false;
        } else if libc::WIFSTOPPED(status) {
            self.stopped = true;
            // The shell sees the job stopped only when every process of it is. If that cannot be, the
            // relay simply goes on.
            let _refused = signals::stop_by(libc::WSTOPSIG(status));
        }
    }

    fn answer(&mut self, signal: Signal) {
        // A key at the terminal asks COMMAND alone, which may go on.
        self.told_to_end |= matches!(signal.number, libc::SIGTERM | libc::SIGHUP);
        let pass_on = match signal.number {
            // A key at the terminal, which has reached COMMAND too; and sent by anything else, these two
            // are for COMMAND to answer.
            libc::SIGINT | libc::SIGQUIT | libc::SIGCHLD => false,
            // After `fg` the whole job goes on, and COMMAND with it; after `kill -CONT` we alone do.
            libc::SIGCONT => self.stopped,
            _ => !signal.by_kernel,
        };
        if pass_on && self.exit.is_none() {
            // COMMAND may have become another user's by setuid; then it is not ours to signal.
            let _refused = signals::send(self.command, signal.number);
        }
    }

    /// Without COMMAND, signals are for this process.
    fn heed(&mut self, signal: &Signal) {
        if asks_to_end(signal) {
            self.cut_short = Some(signal.number);
        }
        if matches!(signal.number, libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU) {
            // Where nobody could wake it up again, it simply goes on.
            let _refused = signals::stop_by(signal.number);
        }
    }

    /// Waits until no child is left. False where time is up or somebody asks this process to end.
    fn wait_for_children(&mut self, limit: Option<Duration>) -> bool {
        let until = limit.map(|limit| now() + limit);
        loop {
            self.reap();
            if !self.children_left {
                return true;
            }
            let left = until.map(|until| until.saturating_duration_since(now()));
            match signals::next(left) {
                None => return false,
                Some(signal) => {
                    self.heed(&signal);
                    if asks_to_end(&signal) {
                        return false;
                    }
                }
            }
        }
    }
}

impl Exit {
    /// Whether COMMAND ended because somebody asked for that.
    pub fn is_asked_for(self) -> bool {
        matches!(self, Self::Signal(libc::SIGINT | libc::SIGQUIT | libc::SIGTERM | libc::SIGHUP))
    }

    /// The exit code that a shell would show.
    pub fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => u8::try_from(signal).map_or(u8::MAX, |signal| signal.saturating_add(128)),
        }
    }

    /// Where COMMAND ended by a signal, ends this process by the same one. Returns with the code to
    /// exit with.
    pub fn follow(self) -> u8 {
        if let Self::Signal(signal) = self {
            // Where the system does not let us, the code tells the same.
            let _refused = signals::die_by(signal);
        }
        self.code()
    }
}

fn asks_to_end(signal: &Signal) -> bool {
    matches!(signal.number, libc::SIGINT | libc::SIGQUIT | libc::SIGTERM | libc::SIGHUP)
}

#[expect(clippy::disallowed_methods, reason = "the driver may read the clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_has_the_code_that_a_shell_shows() {
        assert_eq!(Exit::Code(3).code(), 3);
        assert_eq!(Exit::Signal(libc::SIGTERM).code(), 143);
    }
}

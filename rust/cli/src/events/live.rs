//! Events of a file that is written while COMMAND runs: each is told to the watcher at its time.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use telltale_driver::watcher::WatchSender;
use telltale_model::{Event, Observation, Timestamp};

use crate::problem::{Problem, reason};
use crate::since;

/// How late an event may come: what is sent in the minutes after it is what counts.
const PAUSE: Duration = Duration::from_millis(100);

/// Bytes that are read at once, and those of the longest line.
const PIECE: u64 = 1 << 16;
const LINE: usize = 1_024;

/// Events that are still to come.
const AHEAD: usize = 4_096;

/// The thread that reads the file.
#[derive(Debug)]
pub(crate) struct LiveEvents {
    stop: Sender<()>,
    thread: JoinHandle<Option<String>>,
}

impl LiveEvents {
    /// Opens the file, which is made where there is none.
    ///
    /// # Errors
    /// A sentence where it cannot be read.
    pub(crate) fn open(path: &Path) -> Result<File, Problem> {
        let unreadable = |error: &io::Error| {
            Problem::new(format!("the events in {} cannot be read: {}", path.display(), reason(error)))
        };
        let open = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
        let file = open.map_err(|error| unreadable(&error))?;
        // To wait for a pipe would hold the end up.
        if !file.metadata().map_err(|error| unreadable(&error))?.is_file() {
            return Err(Problem::new(format!("{} is not a file", path.display())));
        }
        Ok(file)
    }

    /// Begins to tell what stands in it, and what is written into it.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub(crate) fn start(file: File, watch: WatchSender) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let work = move || follow(file, watch, &stopped);
        let thread = thread::Builder::new().name("telltale-events".into()).spawn(work)?;
        Ok(Self { stop, thread })
    }

    /// Tells what was written last, and ends. Answers what the person should know.
    pub(crate) fn finish(self) -> Option<String> {
        drop(self.stop);
        self.thread.join().unwrap_or_default()
    }
}

fn follow(mut file: impl Read, mut watch: WatchSender, stopped: &Receiver<()>) -> Option<String> {
    let mut lines = Lines::default();
    loop {
        let ended = stopped.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout);
        // A disk that fails for a moment is asked again.
        let mut more = Vec::new();
        let _what_was_read = file.by_ref().take(PIECE).read_to_end(&mut more);
        lines.take(&more);
        for (at, event) in lines.due(since::now()) {
            watch.tell(Observation::Happened { event, at });
        }
        watch.hand_over();
        if ended {
            return lines.problem();
        }
    }
}

/// What was read so far.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
    count: usize,
    ahead: BTreeMap<(Timestamp, usize), Event>,
    passed_over: usize,
    first: Option<String>,
}

impl Lines {
    /// Takes the next bytes. A line counts once its end is there.
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.rest);
                self.line(&line);
            } else if self.rest.len() < LINE {
                self.rest.push(*byte);
            }
        }
    }

    fn line(&mut self, line: &[u8]) {
        self.count += 1;
        let read = str::from_utf8(line).map_err(|_| "it is not text in UTF-8".to_owned());
        match read.and_then(super::event) {
            Ok(None) => {}
            Ok(Some(_)) if self.ahead.len() >= AHEAD => self.pass_over("too many events are still to come"),
            Ok(Some((at, event))) => drop(self.ahead.insert((at, self.count), event)),
            Err(why) => self.pass_over(&why),
        }
    }

    fn pass_over(&mut self, why: &str) {
        self.passed_over += 1;
        let count = self.count;
        self.first.get_or_insert_with(|| format!("line {count}: {why}"));
    }

    /// Those that have happened by now, in the order of their times.
    fn due(&mut self, now: Timestamp) -> Vec<(Timestamp, Event)> {
        let later = self.ahead.split_off(&(Timestamp(now.0.saturating_add(1)), 0));
        let due = std::mem::replace(&mut self.ahead, later);
        due.into_iter().map(|((at, _), event)| (at, event)).collect()
    }

    fn problem(&self) -> Option<String> {
        let first = self.first.as_ref()?;
        let lines =
            if self.passed_over == 1 { "1 line was" } else { &format!("{} lines were", self.passed_over) };
        Some(format!("of the events {lines} passed over, the first: {first}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_at_their_times_whatever_the_pieces_they_are_read_in() {
        let text = b"# a check-up\n9 call_made\n5.5 contact_added\n\n5 quiet\n7 bo";
        for size in [1, 7, text.len()] {
            let mut lines = Lines::default();
            text.chunks(size).for_each(|piece| lines.take(piece));
            let at = |seconds: i64| Timestamp(seconds * 1_000_000);
            assert_eq!(lines.due(at(4)), []);
            let two = [(at(5), Event::Quiet), (Timestamp(5_500_000), Event::ContactAdded)];
            assert_eq!(lines.due(at(6)), two, "in pieces of {size}");
            lines.take(b"ot\n");
            assert_eq!(lines.due(at(9)), [(at(7), Event::Boot), (at(9), Event::CallMade)]);
            assert_eq!((lines.due(at(99)), lines.problem()), (Vec::new(), None));
        }
    }

    #[test]
    fn lines_that_are_no_events_are_counted_and_the_first_is_told() {
        let mut lines = Lines::default();
        lines.take(b"5 boot\nsoon boot\n5 party\n\xff\n");
        lines.take(&[b'x'; 3 * LINE]);
        lines.take(b"\n");
        assert!(lines.rest.capacity() <= LINE);
        let told = "of the events 4 lines were passed over, the first: line 2: \"soon\" is not a time";
        assert_eq!(lines.problem().as_deref(), Some(told));
        for number in 0..AHEAD + 7 {
            lines.take(format!("{} boot\n", 100 + number).as_bytes());
        }
        assert_eq!((lines.ahead.len(), lines.passed_over), (AHEAD, 4 + 8));
    }
}

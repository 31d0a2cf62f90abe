//! The table while COMMAND runs: painted over itself on stderr, at most twice a second.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use telltale_driver::watcher::WatchSender;
use telltale_watch::destinations::Destinations;

use crate::problem::Problem;
use crate::rows::Rows;
use crate::table::{self, View};

/// How often the table is painted at most.
const PAUSE: Duration = Duration::from_millis(500);

/// The painting thread. Dropped, it wipes its table away and ends.
#[derive(Debug)]
pub(crate) struct Live {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Whether a live view is possible here.
///
/// # Errors
/// Where COMMAND reads from the terminal, which a table that moves would spoil, and where stderr is
/// none.
pub(crate) fn permit() -> Result<(), Problem> {
    if io::stdin().is_terminal() {
        return Err(Problem::new("--live cannot be used while COMMAND reads from the terminal")
            .advise("Give COMMAND other input, for example: telltale run --live -- COMMAND... < /dev/null"));
    }
    if !io::stderr().is_terminal() {
        return Err(Problem::new("--live needs stderr to be a terminal")
            .advise("Leave --live out: the table comes at the end all the same."));
    }
    Ok(())
}

impl Live {
    /// Begins to paint what the watcher knows.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub(crate) fn start(watch: WatchSender, tables: Option<Destinations>) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = thread::Builder::new()
            .name("telltale-live".into())
            .spawn(move || paint(&watch, tables.as_ref(), &stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _its_panic_was_printed = thread.join();
        }
    }
}

fn paint(watch: &WatchSender, tables: Option<&Destinations>, stopped: &Receiver<()>) {
    let mut canvas = Canvas::default();
    let mut painted = None;
    while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
        let Some(rows) = watch.snapshot().map(Rows::from).filter(|rows| painted.as_ref() != Some(rows))
        else {
            continue;
        };
        show(&canvas.repaint(&rows, &View::new(table::room(io::stderr()), tables)));
        painted = Some(rows);
    }
    show(&canvas.wipe());
}

/// A terminal that has gone is nobody's problem.
fn show(text: &str) {
    let _gone = io::stderr().write_all(text.as_bytes());
}

/// What stands on the screen.
#[derive(Debug, Default)]
struct Canvas {
    lines: usize,
}

impl Canvas {
    /// The text that replaces the table on the screen by a newer one. It is as wide and as high as
    /// the screen at most: a line that wraps, or one that has scrolled away, could not be wiped.
    fn repaint(&mut self, rows: &Rows, view: &View<'_>) -> String {
        let table = table::render(rows, view);
        let columns = view.room.width.unwrap_or(usize::MAX);
        let lines: Vec<String> = table.lines().map(|line| line.chars().take(columns).collect()).collect();
        let wipe = self.wipe();
        self.lines = lines.len();
        format!("{wipe}{}\n", lines.join("\n"))
    }

    /// The text that takes the table off the screen: up to its first line (ECMA-48 8.3.22), then
    /// away with all below (8.3.39).
    fn wipe(&mut self) -> String {
        match std::mem::take(&mut self.lines) {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\x1b[J"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::sample;
    use crate::table::Room;

    #[test]
    fn a_newer_table_replaces_the_older_one_and_the_end_leaves_nothing() {
        let mut canvas = Canvas::default();
        let view = View::new(Room { width: None, height: Some(24) }, None);
        let table = table::render(&sample(), &view);
        assert_eq!(canvas.repaint(&sample(), &view), table);
        assert_eq!(canvas.repaint(&sample(), &view), format!("\x1b[5A\x1b[J{table}"));
        assert_eq!(canvas.wipe(), "\x1b[5A\x1b[J");
        assert_eq!(canvas.wipe(), "");
    }

    #[test]
    fn no_line_wraps_and_none_scrolls_away() {
        let room = Room { width: Some(20), height: Some(5) };
        let text = Canvas::default().repaint(&sample(), &View::new(room, None));
        assert!(text.lines().all(|line| line.chars().count() <= 20), "{text}");
        assert!(text.lines().count() < 5);
    }
}

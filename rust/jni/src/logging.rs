//! Android's log. What other crates say of a person's traffic never goes there: nothing of ours logs addresses, names
//! or values (a test listens to a whole session), and below warnings nothing is written at all.

use std::panic;

use android_logger::Config;
use log::LevelFilter;

/// Begins to log, once a process.
pub(crate) fn start() {
    android_logger::init_once(Config::default().with_tag("telltale").with_max_level(LevelFilter::Warn));
    // The usual words of a panic may hold what was worked on: its place is enough.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        log::error!("a mistake at {place}");
    }));
}

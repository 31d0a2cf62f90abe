//! Android's log. What other crates say of a person's traffic never goes there: nothing of ours logs addresses, names
//! or values (a test listens to a whole session), and below warnings nothing is written at all.

use android_logger::Config;
use log::LevelFilter;

/// Begins to log, once a process.
pub(crate) fn start() {
    android_logger::init_once(Config::default().with_tag("telltale").with_max_level(LevelFilter::Warn));
    telltale_driver::tell_places_of_panics(|place| log::error!("a mistake at {place}"));
}

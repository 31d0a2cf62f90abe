//! What is said of a panic: its place. Its own words may hold what was worked on, such as a name that was sent.

use std::panic;

/// From now on has `tell` told of the place of each panic, and nothing else is.
pub fn tell_places_of_panics(tell: impl Fn(&str) + Send + Sync + 'static) {
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        tell(&place);
    }));
}

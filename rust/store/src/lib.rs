//! The SQLite database of flows: one writer, and readers beside it.
//!
//! [`Store::open`] makes or opens the file, [`Store::commit`] takes flows in batches and keeps the
//! hourly totals right with them, [`Reader`] answers what was sent where. The file stays small:
//! see [`limits`].

mod apps;
mod disk;
mod error;
mod failing;
mod file;
mod findings;
mod forgetting;
mod gaps;
mod history;
mod hits;
mod hosts;
pub mod limits;
mod reader;
mod retention;
mod row;
mod schema;
mod spans;
mod store;
#[cfg(test)]
mod testing;
mod totals;
mod totals_only;
#[cfg(test)]
mod versions;
mod view;

pub use error::{Cause, Error};
pub use failing::Failing;
pub use file::holds_something_else;
pub use findings::{Findings, Mute};
pub use reader::{Filter, Reader, Total};
pub use spans::{KnownApp, Part, Slice, Span};
pub use store::{Opened, Run, Store};

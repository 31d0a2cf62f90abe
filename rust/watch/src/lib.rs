//! What the relay's observations mean: which program spoke with whom under which name, and how much.
//!
//! Pure: [`Watcher::observe`] takes what the relay tells, [`Watcher::take_changed`] gives flows to
//! keep, [`Watcher::ledger`] the table. Nothing here blocks, reads a clock, or grows without bound:
//! see [`limits`].

mod answer;
mod ledger;
pub mod limits;
mod names;
mod watcher;

pub use ledger::{Ledger, Line, Sum};
pub use watcher::{Config, Watcher};

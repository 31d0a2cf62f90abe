//! The core as the Android app loads it. [`Core`] is the whole of it without a JVM; what docs/boundary.md lists
//! as functions are thin entries over it.

mod app;
mod config;
mod core;
mod details;
mod entries;
mod guarded;
mod handles;
mod host;
mod jvm;
#[cfg(target_os = "android")]
mod logging;
mod network;
mod pulse;
mod questions;
#[cfg(target_os = "android")]
mod resolver;
mod watching;
mod wrong;

pub use config::{Config, Tunnel};
pub use core::Core;
pub use host::Host;
pub use network::Network;
pub use wrong::Wrong;

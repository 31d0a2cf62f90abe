//! What the relay's observations mean: which program spoke with whom under which name, and how much.
//!
//! Pure: [`Watcher::observe`] takes what the relay tells, [`Watcher::take_changed`] gives flows to
//! keep, [`Watcher::ledger`] the table. Nothing here blocks, reads a clock, or grows without bound:
//! see [`limits`].

pub mod alerts;
mod alone;
mod config;
mod conversation;
mod conversations;
mod corrections;
mod database;
pub mod destinations;
pub mod details;
mod dns;
mod findings;
mod guarded;
mod hashes;
mod http;
mod http2;
#[cfg(feature = "keys")]
mod http3;
#[cfg(feature = "keys")]
mod keys;
mod ledger;
pub mod limits;
mod mail;
mod name_text;
mod names;
mod opening;
mod page;
#[cfg(test)]
mod pieces;
mod plain;
mod quic;
mod randomness;
mod reader;
pub mod search;
mod session;
mod signatures;
mod tls;
mod unknown;
mod watcher;
mod websocket;
mod whom;

#[doc(hidden)]
pub use alone::{read_dtls, read_mail, read_tls};
pub use config::Config;
pub use conversation::Conversation;
pub use guarded::observe_guarded;
#[doc(hidden)]
pub use http::{HttpEvent, read_http, read_http2};
#[cfg(feature = "keys")]
pub use keys::{KeyLog, Keys};
#[cfg(feature = "keys")]
#[doc(hidden)]
pub use keys::{read_quic_frames, read_tls_with_keys};
pub use ledger::{Contact, Host, Ledger, Line, Sum, Whom, all_given, contacts};
#[doc(hidden)]
pub use quic::read_quic;
pub use tls::Framing;
pub use watcher::Watcher;

//! What is encrypted, read with the keys that the programs themselves wrote down (RFC 9850): TLS 1.2, TLS 1.3
//! and QUIC. What cannot be opened stays encrypted, and counts as such.
//!
//! Nothing is guessed: every byte that is read here was authenticated by its tag first. In the classes of the
//! coverage decrypted bytes stand where they would stand in clear; [`telltale_model::Facts::read_with_keys`]
//! tells how many of them there are, so that nobody takes them for readable on the way.

mod alone;
mod cipher;
mod epochs;
mod frames;
mod inside;
mod log;
mod protection;
mod quic;
mod records;
mod schedule;
mod secret;
mod server_hello;
mod sources;
mod streams;
mod suite;
mod tls;

pub use alone::{read_quic_frames, read_tls_with_keys};
pub(crate) use inside::DEPTH;
pub use log::KeyLog;
pub(crate) use quic::Quic;
pub use sources::Keys;
pub(crate) use tls::Tls;

#[cfg(test)]
mod tests;

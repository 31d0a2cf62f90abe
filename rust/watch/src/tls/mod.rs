//! TLS and DTLS: what the client's hello says in clear, then which bytes are content.

mod certificate;
mod chain;
mod dtls;
mod flight;
mod framing;
mod handshake;
mod hello;
mod ja4;
mod record;
mod session;

pub(crate) use chain::Chain;
pub(crate) use dtls::{Dtls, looks_like as looks_like_dtls};
pub use framing::Framing;
pub(crate) use handshake::Messages;
pub(crate) use hello::Transport;
pub(crate) use record::looks_like;
pub(crate) use session::Tls;

#[cfg(test)]
mod tests;

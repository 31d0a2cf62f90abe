//! The bodies of the fuzz targets, each a function of a string of bytes.

pub mod capture;
pub mod conversation;
pub mod http;
pub mod keys;
pub mod quic;
pub mod relay;
pub mod replay;
pub mod search;
pub mod tls;

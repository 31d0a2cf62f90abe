//! What the relays that are measured beside Telltale's have in common.

pub mod relay;
pub mod tun;

//! The Real ring: `telltale` between real programs and real servers, in network namespaces.
//!
//! Each test makes its own two namespaces, which vanish with it. They need the right to make
//! namespaces, and the built program, so `scripts/test real` runs them; plain `cargo test` does not.
#![cfg(test)]

mod boundary;
mod closing;
mod content;
mod counts;
mod datagrams;
mod integrity;
mod keys;
mod leftovers;
mod load;
mod network;
mod offload;
mod owners;
mod phone;
mod relay;
mod watching;
mod world;

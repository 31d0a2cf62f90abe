//! The relay in a world without a network: apps on one side of a bad link, servers that follow a script
//! on the other, the engine between them, and a clock that jumps to the next moment at which anything
//! happens. Everything comes from seeds, so what failed once fails again.
//!
//! [`shell`] turns the engine's crank as strictly as its contract says and fails at any breach of it;
//! [`app`] is smoltcp, a TCP that nobody here wrote; [`player`] sends and reads single segments where
//! the details of an RFC matter.

#[cfg(test)]
mod app;
#[cfg(test)]
mod link;
#[cfg(test)]
mod packets;
#[cfg(test)]
mod player;
#[cfg(test)]
mod random;
#[cfg(test)]
mod server;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod watch;

#[cfg(test)]
mod acknowledging;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod closing;
#[cfg(test)]
mod datagrams;
#[cfg(test)]
mod handshake;
#[cfg(test)]
mod names;
#[cfg(test)]
mod quiet;
#[cfg(test)]
mod retransmission;
#[cfg(test)]
mod ring;
#[cfg(test)]
mod splitting;
#[cfg(test)]
mod transfer;
#[cfg(test)]
mod tunnels;
#[cfg(test)]
mod window;

//! Networks, servers and programs for the tests and the demo of Telltale.
//!
//! Nothing here is shipped. A test makes two [`Namespace`]s, "the computer" and "the internet",
//! joins them with a plain cable or through an [`Impairer`], starts servers in the second one and
//! runs programs in the first one. When the values are dropped, everything is gone: a namespace
//! lives only in its descriptors and in the processes inside it.

pub mod certificate;
pub mod exchange;
pub mod http3;
mod impairer;
mod link;
pub mod matrix;
mod namespace;
pub mod payload;
pub mod phone;
pub mod server;
pub mod udp;

pub use impairer::Impairer;
pub use link::{Conditions, Link, Passage};
pub use namespace::{Namespace, Process};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Lets this process have as many descriptors as the system allows it at all.
///
/// # Errors
/// Those of setrlimit(2).
pub fn raise_descriptor_limit() -> std::io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}

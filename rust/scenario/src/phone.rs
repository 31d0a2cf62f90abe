//! Plays a phone and its servers: who it belongs to, what its programs say in each act, and two ways to
//! tell it: over real sockets ([`talk()`], [`Servers`]) and as a capture file ([`film()`]). Both are made from
//! one description of what is said, [`Act::steps`]. What of it is the person's, and has to be found, is in
//! the files of `rust/scenario/truth`.

mod act;
mod film;
mod hosts;
mod http;
mod maker;
mod modern;
mod names;
mod noise;
mod packets;
mod persona;
mod programs;
mod seeded;
mod servers;
mod talk;

pub use act::{Act, Over, Step, Variant, Visit};
pub use film::{Film, film};
pub use hosts::{HOSTS, Place};
pub use http::Exchange;
pub use persona::{PERSONA, Persona};
pub use programs::install;
pub use servers::Servers;
pub use talk::{Way, talk};

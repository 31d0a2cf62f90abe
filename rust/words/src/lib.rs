//! What Telltale says to people: whole sentences from one catalogue for each language, for the command line as
//! for the app.
//!
//! [`Words::new`] takes a locale, as BCP 47 has it. What a language does not have is said in English, and the
//! tests refuse a catalogue that is not complete. Sentences observe: who, what, to whom, how protected. They know no
//! motive, and are the same for every company. That something was absent can only be said of a
//! [`Bounded`](telltale_model::Bounded) value.

mod catalogue;
mod ended;
mod finding;
mod looked;
mod plural;
mod printable;
mod pseudo;
mod say;
mod screens;
#[cfg(test)]
mod tests;

pub use ended::Ended;
pub use finding::{Level, Parties, Switch};
pub use looked::Summary;
pub use printable::printable;
pub use say::Words;

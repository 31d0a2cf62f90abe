//! Details of a person, a phone or a network: how a value of each kind is checked and written, the forms in which
//! programs send it, and how it is shown. docs/details.md says it for people.

mod countries;
mod forms;
mod phone;

pub use forms::{Written, bytes, forms, place};

const TOO_SHORT: &str = "Too short to look for";

//! Details of a person, a phone or a network: how a value of each kind is checked and written, the forms in which
//! programs send it, how it is shown, and how it is kept. docs/details.md says it for people.

mod countries;
mod forms;
mod given;
mod kept;
mod lines;
mod masked;
mod phone;
mod refusals;
mod sealed;
mod value;
mod vcard;

pub use forms::{Written, bytes, forms, place};
pub use given::{Added, Given};
pub use kept::Kept;
pub use lines::BadLine;
pub use masked::masked;
pub use sealed::{KEY, NONCE, open, seal};
pub use value::read;
pub use vcard::Contacts;

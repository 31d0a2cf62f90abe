//! Databases: named and not read, but for the client's wish to go on in TLS.
//!
//! What the client says in clear is opaque, where nothing is looked for in it; its wish for TLS is handshake.

mod mysql;
mod postgres;

use telltale_model::Class;

use crate::page::{Kind, Page};

pub(crate) use mysql::{MySql, looks_like as looks_like_mysql};
pub(crate) use postgres::{Postgres, looks_like as looks_like_postgres};

/// The sheet of all that is sent.
const ALL: u32 = 0;

/// What the client says before the server does is one part.
fn write(bytes: &[u8], page: &mut Page) {
    if !bytes.is_empty() && page.is_searching() {
        page.go_on(ALL, Kind::Raw);
    }
    page.write(ALL, Class::Opaque, bytes);
}

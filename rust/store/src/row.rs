//! Values as SQLite keeps them. It knows no unsigned 64-bit integers; past 2^63 - 1 bytes the
//! number stays there.

use telltale_model::{Owner, Timestamp, Traffic};

pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Seconds since 1970 at which the hour of this moment began.
pub(crate) fn hour(at: Timestamp) -> i64 {
    at.seconds().div_euclid(3_600) * 3_600
}

/// Four columns in the order of [`Traffic`]'s fields, from this column on.
pub(crate) fn traffic(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Traffic> {
    Ok(Traffic {
        bytes_sent: unsigned(row.get(column)?),
        bytes_received: unsigned(row.get(column + 1)?),
        packets_sent: unsigned(row.get(column + 2)?),
        packets_received: unsigned(row.get(column + 3)?),
    })
}

/// What was added since `before`; a count that went back adds nothing.
pub(crate) fn since(now: Traffic, before: Traffic) -> Traffic {
    Traffic {
        bytes_sent: now.bytes_sent.saturating_sub(before.bytes_sent),
        bytes_received: now.bytes_received.saturating_sub(before.bytes_received),
        packets_sent: now.packets_sent.saturating_sub(before.packets_sent),
        packets_received: now.packets_received.saturating_sub(before.packets_received),
    }
}

/// The program as the totals name it: '' where unknown.
pub(crate) fn program(owner: &Owner) -> &str {
    owner.program.as_deref().unwrap_or("")
}

/// The uid as the totals name it: -1 where unknown.
pub(crate) fn uid(owner: &Owner) -> i64 {
    owner.uid.map_or(-1, i64::from)
}

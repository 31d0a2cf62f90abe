//! Remote shells: SSH.

use super::{Start, begins_with_any};
use crate::session::Likeness;

/// RFC 4253 4.2: both sides tell their versions, in any order. A server may say other lines before.
pub(super) fn ssh(start: &Start<'_>) -> Likeness {
    const VERSIONS: [&[u8]; 2] = [b"SSH-2.0-", b"SSH-1."];
    match (begins_with_any(start.sent, &VERSIONS), begins_with_any(start.received, &VERSIONS)) {
        (Likeness::Yes, _) | (_, Likeness::Yes) => Likeness::Yes,
        (Likeness::No, _) => Likeness::No,
        (Likeness::Maybe, _) => Likeness::Maybe,
    }
}

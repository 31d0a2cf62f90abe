//! How many descriptors this process may have: each flow needs one.

use std::io;

use crate::sys;

/// The limit on descriptors as this process found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inherited {
    /// The limit that holds; [`raise_limit`] raises it up to `hard`.
    pub soft: u64,
    /// The limit of that limit.
    pub hard: u64,
}

/// Descriptors that are not for flows: questions to name servers (128), the database, looking for
/// owners, and what the process had before.
const RESERVE: u64 = 512;

/// Raises the limit on descriptors as far as this process may.
///
/// # Errors
/// Where the system does not tell its limits.
pub fn raise_limit() -> io::Result<Inherited> {
    let (soft, hard) = sys::descriptor_limits()?;
    if soft < hard
        && let Err(error) = sys::set_descriptor_limits(hard, hard)
    {
        log::warn!("the limit on open files stays at {soft}: {error}");
    }
    Ok(Inherited { soft, hard })
}

/// How many sockets flows may have together.
pub(crate) fn affordable() -> io::Result<usize> {
    let (soft, _hard) = sys::descriptor_limits()?;
    Ok(usize::try_from(without_reserve(soft)).unwrap_or(usize::MAX))
}

/// A small limit is not eaten up by the reserve.
fn without_reserve(limit: u64) -> u64 {
    limit - RESERVE.min(limit / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_leaves_most_of_any_limit() {
        assert_eq!(without_reserve(20_000), 19_488);
        assert_eq!(without_reserve(1_024), 768);
        assert_eq!(without_reserve(4), 3);
    }

    #[test]
    fn the_soft_limit_reaches_the_hard_one() {
        let before = raise_limit().unwrap();
        let after = raise_limit().unwrap();
        assert_eq!((after.soft, after.hard), (before.hard, before.hard));
        assert!(affordable().unwrap() > 0);
    }
}

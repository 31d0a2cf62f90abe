//! Content was sent while the screen was off.

use telltale_model::{Confidence, Finding, Severity, What};

use super::Seen;

/// What keeps a connection open is less: pings, a push service's heartbeat.
const LEAST: u64 = 1_024;

pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    let bytes = seen.noted.dark;
    if bytes < LEAST {
        return Vec::new();
    }
    let finding = seen.finding(What::ScreenOff { bytes }, Severity::Info, Confidence::Certain);
    vec![Finding { at: seen.noted.dark_since.unwrap_or(finding.at), ..finding }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::testing::Case;

    #[test]
    fn a_heartbeat_is_not_told() {
        for (dark, found) in [(LEAST, 1), (LEAST - 1, 0), (0, 0)] {
            let mut case = Case::http();
            case.noted.dark = dark;
            assert_eq!(find(&case.seen()).len(), found);
        }
    }
}

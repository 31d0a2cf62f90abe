//! An app sent more than three times as much as on its usual days.

use telltale_model::{Confidence, Finding, Severity, What};

use super::Seen;

/// Told of the flow with which it went past.
pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    let Some((at, (bytes, usual))) = seen.noted.unusual else { return Vec::new() };
    let finding = seen.finding(What::MoreThanUsual { bytes, usual }, Severity::Low, Confidence::VeryLikely);
    vec![Finding { at, ..finding }]
}

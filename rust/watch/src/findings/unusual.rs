//! An app sent more than three times as much as on its usual days.

use telltale_model::{Confidence, Finding, Severity, What};

use super::Seen;
use super::past::Unusual;

/// Told of the flow with which it went past.
pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    let Some((at, Unusual { day, bytes, usual })) = seen.noted.unusual else { return Vec::new() };
    let what = What::MoreThanUsual { bytes, usual, day: Some(day) };
    let finding = seen.finding(what, Severity::Low, Confidence::VeryLikely);
    vec![Finding { at, ..finding }]
}

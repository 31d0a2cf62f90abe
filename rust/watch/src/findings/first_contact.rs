//! An app contacted a company, or a country, that it had not contacted before.

use telltale_model::{Confidence, Finding, Severity, What};

use super::Seen;

pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(first) = &seen.noted.first else { return Vec::new() };
    let country = first.country.clone();
    let confidence = if seen.destination.probable { Confidence::VeryLikely } else { Confidence::Certain };
    vec![seen.finding(What::FirstContact { country }, Severity::Info, confidence)]
}

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

#[cfg(test)]
mod tests {
    use telltale_model::Timestamp;

    use super::*;
    use crate::findings::testing::Case;

    #[test]
    fn a_day_far_past_the_usual_is_told_at_its_moment_and_once_a_day() {
        let mut case = Case::http();
        assert!(find(&case.seen()).is_empty());
        let (at, unusual) = (Timestamp(7), Unusual { day: 20_000, bytes: 9_000_000, usual: 2_000_000 });
        case.noted.unusual = Some((at, unusual));
        let found = find(&case.seen());
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert_eq!((finding.at, finding.severity), (at, Severity::Low));
        let what = What::MoreThanUsual { bytes: 9_000_000, usual: 2_000_000, day: Some(20_000) };
        assert_eq!(finding.what, what);
        assert!(finding.key().ends_with("|day 20000|"), "whoever it was sent to: {}", finding.key());
    }
}

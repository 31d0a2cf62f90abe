//! An app contacted a company, or a country, that it had not contacted before.

use telltale_model::{Confidence, Finding, Severity, What};

use super::Seen;

pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(first) = &seen.noted.first else { return Vec::new() };
    let country = first.country.clone();
    let confidence = if seen.destination.probable { Confidence::VeryLikely } else { Confidence::Certain };
    vec![seen.finding(What::FirstContact { country }, Severity::Info, confidence)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::past::First;
    use crate::findings::testing::Case;

    #[test]
    fn a_first_contact_is_worth_knowing_and_as_sure_as_the_company_is() {
        let mut case = Case::http();
        assert!(find(&case.seen()).is_empty(), "known");
        case.noted.first = Some(First { country: Some("IN".into()) });
        for (probable, confidence) in [(false, Confidence::Certain), (true, Confidence::VeryLikely)] {
            case.destination.probable = probable;
            let found = find(&case.seen());
            let [finding] = &found[..] else { panic!("{found:?}") };
            assert_eq!(finding.what, What::FirstContact { country: Some("IN".into()) });
            assert_eq!((finding.severity, finding.confidence), (Severity::Info, confidence));
        }
    }
}

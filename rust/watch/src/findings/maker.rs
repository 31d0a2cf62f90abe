//! The phone's maker was contacted.

use telltale_model::{Confidence, Finding, Relation, Severity, What};

use super::Seen;

pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    if seen.destination.relation != Relation::PhoneMaker {
        return Vec::new();
    }
    let confidence = if seen.destination.probable { Confidence::VeryLikely } else { Confidence::Certain };
    vec![seen.finding(What::MakerContacted, Severity::Info, confidence)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::testing::Case;

    #[test]
    fn the_maker_and_nobody_else() {
        for (relation, found) in
            [(Relation::PhoneMaker, 1), (Relation::AnotherCompany, 0), (Relation::Unknown, 0)]
        {
            let mut case = Case::http();
            case.destination.relation = relation;
            assert_eq!(find(&case.seen()).len(), found, "{relation:?}");
        }
    }
}

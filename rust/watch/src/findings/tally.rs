//! Findings of many flows together: each statement once, with how often it held.

use std::collections::BTreeMap;

use telltale_model::{Finding, Told, sort_told};

use crate::limits;

/// Statements by their keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    told: BTreeMap<String, Told>,
    /// Findings that were too many to be told apart.
    untold: u64,
}

impl Tally {
    /// Counts a finding of another flow.
    pub(crate) fn add(&mut self, finding: &Finding) {
        self.add_told(Told::new(finding.clone()));
    }

    /// Counts what is told of several flows.
    pub(crate) fn add_told(&mut self, new: Told) {
        let key = new.finding.key();
        if let Some(told) = self.told.get_mut(&key) {
            told.add(new);
        } else if self.told.len() < limits::FINDINGS {
            self.told.insert(key, new);
        } else {
            self.untold = self.untold.saturating_add(new.times);
        }
    }

    /// In the order in which they are told, and how many more there were.
    pub(crate) fn into_told(self) -> (Vec<Told>, u64) {
        let mut told: Vec<Told> = self.told.into_values().collect();
        sort_told(&mut told);
        (told, self.untold)
    }
}

#[cfg(test)]
mod tests {
    use telltale_model::{Confidence, Severity, What};

    use super::*;
    use crate::findings::testing::Case;

    #[test]
    fn the_same_statement_is_told_once_and_their_number_has_a_bound() {
        let case = Case::http();
        let mut tally = Tally::default();
        for number in 0..limits::FINDINGS + 5 {
            let mut finding = case.seen().finding(What::MakerContacted, Severity::Info, Confidence::Certain);
            tally.add(&finding);
            finding.program = Some(number.to_string());
            tally.add(&finding);
        }
        let (told, untold) = tally.into_told();
        assert_eq!((told.len(), untold), (limits::FINDINGS, 6));
        assert!(told.iter().any(|told| usize::try_from(told.times) == Ok(limits::FINDINGS + 5)));
    }
}

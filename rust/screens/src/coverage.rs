//! How far was looked, as a bar and as sentences.

use telltale_model::{Class, Coverage, Looked};
use telltale_words::Summary;

use crate::{Room, answers};

impl Room<'_> {
    pub(crate) fn coverage(&self, summary: &Summary) -> answers::Coverage {
        let coverage = &summary.coverage;
        let (read, yours) = (coverage.of(Class::Searched), coverage.of(Class::Found));
        let unread = sum(coverage, &[Class::Opaque, Class::Encrypted, Class::Unknown]);
        let not_watched = coverage.of(Class::NotWatched);
        let sent =
            [read, yours, unread, not_watched].iter().fold(0_u64, |all, bytes| all.saturating_add(*bytes));
        let (read_percent, unread_percent) =
            (percent(read.saturating_add(yours), sent), percent(unread, sent));
        let size = self.words.size(sent);
        answers::Coverage {
            sent,
            read,
            yours,
            unread,
            not_watched,
            read_percent,
            unread_percent,
            details: summary.details,
            sentence: self.words.coverage(&size, coverage.of(Class::Encrypted) > 0),
            spoken: self.words.coverage_spoken(read_percent, unread_percent, summary.details),
        }
    }

    /// The sentence that a screen opens with, by what can be said.
    pub(crate) fn opening(&self, summary: &Summary) -> (&'static str, String) {
        if summary.details > 0 || summary.apps {
            return ("findings", self.words.lead(summary));
        }
        if self.looked_for.own.is_empty() && self.looked_for.contacts == 0 {
            return ("no-details", self.words.no_details());
        }
        match summary.looked() {
            Looked::Unsearched { bytes: 0 } => ("empty", self.words.nothing_sent_yet()),
            Looked::Nothing(bounded) => ("none", self.words.none_seen(&bounded)),
            Looked::Found => ("none", self.words.lead(summary)),
            Looked::NothingToLookFor { .. } => ("no-details", self.words.given_later()),
            Looked::Unsearched { .. } => ("nothing-readable", self.words.nothing_readable()),
        }
    }
}

/// A whole number, and 0 or 100 only where it is exactly that.
pub(crate) fn percent(part: u64, whole: u64) -> u64 {
    if part == 0 || whole == 0 {
        return 0;
    }
    if part >= whole {
        return 100;
    }
    let rounded = (u128::from(part) * 200 + u128::from(whole)) / (u128::from(whole) * 2);
    u64::try_from(rounded).unwrap_or(99).clamp(1, 99)
}

fn sum(coverage: &Coverage, classes: &[Class]) -> u64 {
    classes.iter().fold(0, |all, class| all.saturating_add(coverage.of(*class)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_never_claims_all_or_nothing() {
        assert_eq!([percent(0, 10), percent(1, 1_000_000), percent(10, 10)], [0, 1, 100]);
        assert_eq!([percent(999_999, 1_000_000), percent(1, 2), percent(1, 3)], [99, 50, 33]);
        assert_eq!(percent(u64::MAX - 1, u64::MAX), 99);
    }
}

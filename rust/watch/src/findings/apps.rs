//! A list of the person's apps was sent.

use telltale_model::{Confidence, DetailKind, Details, Envelope, Finding, Grade, Hit, Severity, What};

use super::Seen;

/// One finding for the longest list; further ones of the same flow count in it.
pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    let is_list = |hit: &&Hit| {
        hit.kind == DetailKind::Package
            && hit.grade == Grade::Yours
            && hit.count as usize >= Details::LIST_OF_PACKAGES
    };
    let lists = seen.facts.hits.iter().filter(is_list);
    let times = lists.clone().fold(0, |times, _| times + 1);
    lists.max_by_key(|hit| hit.count).map(|hit| finding(seen, hit, times)).into_iter().collect()
}

fn finding(seen: &Seen<'_>, hit: &Hit, times: u64) -> Finding {
    let what = What::AppsSent { packages: hit.count.into(), form: hit.form.clone() };
    let severity = match seen.envelope() {
        Envelope::None => Severity::High,
        Envelope::Unknown => Severity::Medium,
        Envelope::Tls | Envelope::Dtls | Envelope::Quic => Severity::Low,
    };
    let evidence = seen.evidence(hit);
    Finding { evidence, times, at: hit.at, ..seen.finding(what, severity, Confidence::Certain) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::testing::{Case, hit};

    fn list(count: u32) -> Hit {
        Hit { count, ..hit(DetailKind::Package, Grade::Yours, &[], "json.apps[1]") }
    }

    #[test]
    fn eight_names_in_one_request_are_a_list_and_the_longest_is_told() {
        let findings = find(&Case::http().with_hits([list(8), list(9)]).seen());
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!((&finding.what, finding.times), (&What::AppsSent { packages: 9, form: Vec::new() }, 2));
        assert_eq!(finding.severity, Severity::High);
    }

    #[test]
    fn fewer_are_none_and_nor_is_anything_else_in_such_a_number() {
        let imeis = Hit { count: 9, ..hit(DetailKind::Imei, Grade::Yours, &[], "json.a") };
        let likeness = Hit { grade: Grade::LooksLike, ..list(9) };
        for hit in [list(7), imeis, likeness] {
            assert_eq!(find(&Case::http().with_hits([hit]).seen()), []);
        }
    }
}

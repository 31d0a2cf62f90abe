//! A detail of the person or the phone was sent: which, in what form, in which field.

use telltale_model::{
    Confidence, DetailKind, Envelope, Finding, Grade, Hit, Severity, Tells, What, is_disguised,
};

use super::Seen;

/// One finding for each detail, form and field; the same again in a later request counts in it.
pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    let mut findings: Vec<(&Hit, u64)> = Vec::new();
    // Apps are no detail alone, only a list of them is.
    for hit in seen.facts.hits.iter().filter(|hit| hit.kind != DetailKind::Package) {
        match findings.iter_mut().find(|(known, _)| is_same(known, hit)) {
            Some((_, times)) => *times += 1,
            None => findings.push((hit, 1)),
        }
    }
    findings.into_iter().map(|(hit, times)| finding(seen, hit, times)).collect()
}

fn is_same(one: &Hit, other: &Hit) -> bool {
    let what = |hit: &Hit| (hit.kind, hit.detail, hit.grade, hit.hello);
    what(one) == what(other) && one.form == other.form && one.field == other.field
}

fn finding(seen: &Seen<'_>, hit: &Hit, times: u64) -> Finding {
    let Hit { kind, detail, grade, .. } = *hit;
    let what = What::IdentifierSent { kind, detail, grade, form: hit.form.clone() };
    let envelope = seen.envelope().of_hit(hit);
    let (severity, evidence) = (severity(hit, envelope), seen.evidence(hit));
    Finding { evidence, envelope, times, at: hit.at, ..seen.finding(what, severity, confidence(hit)) }
}

fn severity(hit: &Hit, envelope: Envelope) -> Severity {
    match (hit.grade, envelope) {
        _ if hit.kind.tells() == Tells::Many => Severity::Info,
        (Grade::Yours, Envelope::None) if is_disguised(&hit.form) => Severity::Medium,
        (Grade::Yours, Envelope::None) => Severity::High,
        (Grade::Yours, Envelope::Unknown) => Severity::Medium,
        (Grade::Yours, Envelope::Tls | Envelope::Dtls | Envelope::Quic) => Severity::Low,
        (Grade::LooksLike, Envelope::None | Envelope::Unknown) => Severity::Low,
        (Grade::LooksLike, Envelope::Tls | Envelope::Dtls | Envelope::Quic) => Severity::Info,
    }
}

fn confidence(hit: &Hit) -> Confidence {
    match hit.grade {
        Grade::LooksLike => Confidence::Possible,
        Grade::Yours if is_disguised(&hit.form) => Confidence::VeryLikely,
        Grade::Yours => Confidence::Certain,
    }
}

#[cfg(test)]
mod tests {
    use telltale_model::{Application, Form, Protocol, Timestamp};

    use super::*;
    use crate::findings::testing::{Case, hit};

    fn found(case: &Case) -> Vec<(Severity, Confidence, u64)> {
        let told = |finding: &Finding| (finding.severity, finding.confidence, finding.times);
        find(&case.seen()).iter().map(told).collect()
    }

    #[test]
    fn a_detail_in_clear_is_certain_and_matters_most() {
        let case = Case::http().with_hits([hit(DetailKind::Imei, Grade::Yours, &[], "query.imei")]);
        let findings = find(&case.seen());
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!((finding.severity, finding.confidence), (Severity::High, Confidence::Certain));
        assert_eq!((finding.envelope, finding.at), (Envelope::None, Timestamp(7)), "when it left");
        assert_eq!(finding.evidence.field.as_deref(), Some("query.imei"));
        assert!(finding.is_readable());
    }

    #[test]
    fn disguise_encryption_and_doubt_each_lessen_it() {
        let h = [Form::Sha1, Form::Base64Url, Form::Cut(16)];
        for (grade, form, application, expected) in [
            (Grade::Yours, &[Form::Base64][..], Application::Http, (Severity::High, Confidence::Certain)),
            (Grade::Yours, &h[..], Application::Http, (Severity::Medium, Confidence::VeryLikely)),
            (Grade::Yours, &[], Application::Tls, (Severity::Low, Confidence::Certain)),
            (Grade::LooksLike, &[], Application::Http, (Severity::Low, Confidence::Possible)),
            (Grade::LooksLike, &[], Application::Quic, (Severity::Info, Confidence::Possible)),
        ] {
            let case = Case::new(application, Protocol::Tcp);
            let case = case.with_hits([hit(DetailKind::Imei, grade, form, "path[4]")]);
            assert_eq!(found(&case), [(expected.0, expected.1, 1)], "{grade:?} {form:?} {application:?}");
        }
    }

    #[test]
    fn the_name_in_a_hello_is_read_by_anyone_though_the_rest_is_encrypted() {
        let imei = Hit { hello: true, ..hit(DetailKind::Imei, Grade::Yours, &[], "name") };
        let case = Case::new(Application::Tls, Protocol::Tcp).with_hits([imei]);
        let findings = find(&case.seen());
        assert_eq!((findings[0].severity, findings[0].envelope), (Severity::High, Envelope::None));
    }

    #[test]
    fn what_many_share_is_only_worth_knowing() {
        for kind in [DetailKind::Carrier, DetailKind::Name, DetailKind::Ssid] {
            let case = Case::http().with_hits([hit(kind, Grade::Yours, &[], "json.a")]);
            assert_eq!(found(&case), [(Severity::Info, Confidence::Certain, 1)]);
        }
    }

    #[test]
    fn the_same_again_is_counted_and_another_field_is_another_finding() {
        let imei = |field| hit(DetailKind::Imei, Grade::Yours, &[], field);
        let case = Case::http().with_hits([imei("query.a"), imei("query.a"), imei("query.b")]);
        let times: Vec<u64> = found(&case).into_iter().map(|(_, _, times)| times).collect();
        assert_eq!(times, [2, 1]);
    }

    #[test]
    fn no_hits_and_names_of_apps_alone_are_no_finding() {
        assert_eq!(found(&Case::http()), []);
        let package = hit(DetailKind::Package, Grade::Yours, &[], "json.app");
        assert_eq!(found(&Case::http().with_hits([package])), []);
    }
}

//! A body was sent with a request over plain HTTP.

use telltale_model::{Class, Confidence, Coverage, Envelope, Finding, Request, Severity, What};

use super::Seen;

/// One finding for forms, one for other bodies. A request in which a detail was found is told by that.
pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    if seen.envelope() != Envelope::None {
        return Vec::new();
    }
    [true, false].into_iter().filter_map(|form| finding(seen, form)).collect()
}

fn finding(seen: &Seen<'_>, form: bool) -> Option<Finding> {
    let told = |place: usize| {
        let place = u32::try_from(place).ok();
        seen.facts.hits.iter().any(|hit| hit.request.is_some() && hit.request == place)
    };
    let requests = seen.facts.requests.iter().enumerate();
    let bodies =
        requests.filter(|(place, request)| request.body > 0 && is_form(request) == form && !told(*place));
    let (mut times, mut bytes, mut coverage) = (0, 0_u64, Coverage::default());
    for (_, request) in bodies {
        (times, bytes) = (times + 1, bytes.saturating_add(request.body));
        coverage.add_all(&request.looked);
    }
    // What is under way was not looked at yet.
    coverage.add(Class::NotWatched, bytes.saturating_sub(coverage.total()));
    let severity = if form { Severity::Medium } else { Severity::Low };
    let what = What::ContentInClear { bytes, form, coverage, given: seen.facts.set != 0 };
    let at = seen.noted.began.unwrap_or(seen.flow.started);
    (times > 0).then(|| Finding { times, at, ..seen.finding(what, severity, Confidence::Certain) })
}

/// What a person filled in, or a program as if they had (HTML, 4.10.21.6).
fn is_form(request: &Request) -> bool {
    let media = request.content_type.as_deref().unwrap_or_default().trim_start().to_ascii_lowercase();
    ["application/x-www-form-urlencoded", "multipart/form-data"].iter().any(|form| media.starts_with(form))
}

#[cfg(test)]
mod tests {
    use telltale_model::{Application, DetailKind, Grade, Protocol};

    use super::*;
    use crate::findings::testing::{Case, hit};

    fn request(body: u64, media: &str) -> Request {
        Request { method: "POST".into(), body, content_type: Some(media.into()), ..Request::default() }
    }

    fn found(case: &Case) -> Vec<(Severity, bool, u64, u64)> {
        let told = |finding: &Finding| {
            let What::ContentInClear { bytes, form, .. } = finding.what else { panic!("{finding:?}") };
            (finding.severity, form, bytes, finding.times)
        };
        find(&case.seen()).iter().map(told).collect()
    }

    #[test]
    fn forms_and_other_bodies_are_told_apart() {
        let form = request(7, "Application/X-WWW-Form-Urlencoded; charset=utf-8");
        let case = Case::http().with_requests([form.clone(), form, request(9, "application/json")]);
        assert_eq!(found(&case), [(Severity::Medium, true, 14, 2), (Severity::Low, false, 9, 1)]);
    }

    #[test]
    fn absence_is_said_of_the_bodies_and_not_of_what_stood_around_them() {
        let mut dark = request(3_000, "application/octet-stream");
        dark.looked.add(Class::Opaque, 2_000);
        let mut case = Case::http().with_requests([dark]);
        case.facts.count_content(Class::Searched, 500);
        let found = find(&case.seen());
        let What::ContentInClear { coverage, given: true, .. } = found[0].what else { panic!("{found:?}") };
        let expected = Coverage { opaque: 2_000, not_watched: 1_000, ..Coverage::default() };
        assert_eq!(coverage, expected, "what is under way was not searched either");
    }

    #[test]
    fn requests_without_a_body_and_encrypted_ones_are_none() {
        assert_eq!(found(&Case::http().with_requests([Request::default()])), []);
        let case = Case::new(Application::Tls, Protocol::Tcp).with_requests([request(7, "text/plain")]);
        assert_eq!(found(&case), []);
    }

    #[test]
    fn a_body_with_a_detail_is_told_by_the_detail() {
        let mut imei = hit(DetailKind::Imei, Grade::Yours, &[], "form.imei");
        imei.request = Some(0);
        let requests = [request(7, "text/plain"), request(5, "text/plain")];
        let case = Case::http().with_requests(requests).with_hits([imei]);
        assert_eq!(found(&case), [(Severity::Low, false, 5, 1)]);
    }
}

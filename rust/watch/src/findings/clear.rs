//! Content was sent that everybody on the way could read: a body with a request, or what other protocols carry.

use telltale_model::{
    Application, Class, Confidence, Coverage, DetailKind, Envelope, Facts, Finding, Grade, Hit, Request,
    Severity, Tells, What,
};

use super::Seen;

/// One finding for forms, one for other bodies, one for what is in no request. Where a detail was found it is told by
/// that.
pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    if seen.envelope() != Envelope::None {
        return Vec::new();
    }
    [true, false].into_iter().filter_map(|form| bodies(seen, form)).chain(others(seen)).collect()
}

/// What is in no request: messages, commands, lines of text.
fn others(seen: &Seen<'_>) -> Option<Finding> {
    let facts = seen.facts;
    let kind = Kind::of(facts.application)?;
    let coverage = facts.coverage.since(&facts.before);
    // Of a protocol that nobody knows only what was understood is known to be in clear.
    let opaque = if kind == Kind::Unknown { 0 } else { coverage.opaque };
    let bytes = [coverage.searched, coverage.found, opaque].into_iter().fold(0, u64::saturating_add);
    let told = facts.hits.iter().any(|hit| hit.request.is_none() && !hit.hello && says_more(hit));
    let severity = if kind == Kind::Written { Severity::Medium } else { Severity::Low };
    let sent = Sent { bytes, form: false, coverage, more: false };
    (bytes > 0 && !told).then(|| finding(seen, sent, severity))
}

/// Whether a hit is told as more than that content was in clear: a list of apps is. What many share, and what only looks like a detail, must not
/// hide a form that anyone could read.
fn says_more(hit: &Hit) -> bool {
    hit.grade == Grade::Yours && (hit.kind == DetailKind::Package || hit.kind.tells() != Tells::Many)
}

/// What a protocol carries in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// What people write to each other, and the words that open their accounts.
    Written,
    /// What programs say.
    Data,
    /// Nobody knows.
    Unknown,
}

impl Kind {
    /// `None` of bodies of requests, of what nobody calls content, and of what is encrypted inside.
    fn of(application: Option<Application>) -> Option<Self> {
        use Application::{
            BitTorrent, Dhcp, Dns, DnsCrypt, Doh, Doq, Dot, Dtls, Esp, Fcm, Ftp, Http, Http2, Http3, Ike,
            Imap, Llmnr, Mdns, Mqtt, MySql, Nbns, Ntp, OpenVpn, Pop3, PostgreSql, Quic, Rtp, Sip, Smtp, Ssdp,
            Ssh, Stun, Tls, WebSocket, WireGuard, Xmpp,
        };
        match application {
            None => Some(Self::Unknown),
            Some(Smtp | Imap | Pop3 | Xmpp | Sip | Ftp) => Some(Self::Written),
            Some(WebSocket | Mqtt | MySql | PostgreSql) => Some(Self::Data),
            Some(
                Tls | Dtls | Quic | Http | Http2 | Http3 | Dns | Mdns | Llmnr | Nbns | Dot | Doh | Doq | Stun
                | Ntp | Ssdp | Dhcp | WireGuard | OpenVpn | Ike | Esp | Fcm | Rtp | BitTorrent | Ssh
                | DnsCrypt,
            ) => None,
        }
    }
}

/// What is told of it.
struct Sent {
    bytes: u64,
    form: bool,
    coverage: Coverage,
    more: bool,
}

fn finding(seen: &Seen<'_>, sent: Sent, severity: Severity) -> Finding {
    let Sent { bytes, form, coverage, more } = sent;
    let what = What::ContentInClear { bytes, form, coverage, given: seen.facts.set != 0, more };
    let at = seen.noted.began.unwrap_or(seen.flow.started);
    Finding { at, ..seen.finding(what, severity, Confidence::Certain) }
}

fn bodies(seen: &Seen<'_>, form: bool) -> Option<Finding> {
    let told = |place: usize| {
        let place = u32::try_from(place).ok();
        seen.facts.hits.iter().any(|hit| hit.request.is_some() && hit.request == place && says_more(hit))
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
    let more = seen.facts.requests.len() >= Facts::KEPT;
    let sent = Sent { bytes, form, coverage, more };
    (times > 0).then(|| Finding { times, ..finding(seen, sent, severity) })
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
    fn where_requests_were_too_many_it_is_more_than_is_told() {
        for (requests, expected) in [(1, false), (Facts::KEPT, true)] {
            let case = Case::http().with_requests(vec![request(7, "text/plain"); requests]);
            let findings = find(&case.seen());
            let What::ContentInClear { more, .. } = findings[0].what else { panic!("{findings:?}") };
            assert_eq!(more, expected);
        }
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

    /// What an application sent in clear: searched, opaque, and not known.
    fn sent(application: Option<Application>, [searched, opaque, unknown]: [u64; 3]) -> Case {
        let mut case = Case::http();
        case.facts.application = application;
        case.facts.coverage = Coverage { searched, opaque, unknown, ..Coverage::default() };
        case
    }

    #[test]
    fn what_other_protocols_carry_in_clear_is_told_too() {
        for application in [Application::Smtp, Application::Imap, Application::Xmpp, Application::Ftp] {
            assert_eq!(found(&sent(Some(application), [7, 2, 0])), [(Severity::Medium, false, 9, 1)]);
        }
        for application in
            [Application::Mqtt, Application::WebSocket, Application::MySql, Application::PostgreSql]
        {
            assert_eq!(found(&sent(Some(application), [7, 2, 0])), [(Severity::Low, false, 9, 1)]);
        }
        assert_eq!(found(&sent(None, [7, 2, 1])), [(Severity::Low, false, 7, 1)], "text of an unknown kind");
        assert_eq!(found(&sent(None, [0, 0, 9])), []);
        for application in [Application::Dns, Application::Rtp, Application::Http, Application::Ssh] {
            assert_eq!(found(&sent(Some(application), [7, 2, 0])), [], "{application:?}");
        }
    }

    #[test]
    fn what_was_said_before_a_web_socket_is_none_of_it() {
        let mut case = sent(Some(Application::WebSocket), [130, 0, 0]);
        case.facts.before = Coverage { searched: 130, ..Coverage::default() };
        assert_eq!(found(&case), []);
        case.facts.count_content(Class::Searched, 20);
        assert_eq!(found(&case), [(Severity::Low, false, 20, 1)]);
        let imei = hit(DetailKind::Imei, Grade::Yours, &[], "text");
        assert_eq!(found(&case.clone().with_hits([imei.clone()])), [], "told by the detail");
        let of_the_request = Hit { request: Some(0), ..imei };
        assert_eq!(found(&case.with_hits([of_the_request])).len(), 1);
    }

    #[test]
    fn a_body_with_a_detail_is_told_by_the_detail() {
        let mut imei = hit(DetailKind::Imei, Grade::Yours, &[], "form.imei");
        imei.request = Some(0);
        let requests = [request(7, "text/plain"), request(5, "text/plain")];
        let case = Case::http().with_requests(requests).with_hits([imei]);
        assert_eq!(found(&case), [(Severity::Low, false, 5, 1)]);
    }

    #[test]
    fn what_many_share_or_what_looks_like_a_detail_hides_no_form() {
        let form = request(40, "application/x-www-form-urlencoded");
        for (kind, grade, left) in [
            (DetailKind::Carrier, Grade::Yours, 1),
            (DetailKind::Imei, Grade::LooksLike, 1),
            (DetailKind::Imei, Grade::Yours, 0),
            (DetailKind::Package, Grade::Yours, 0),
        ] {
            let hit = Hit { request: Some(0), ..hit(kind, grade, &[], "form.a") };
            assert_eq!(
                found(&Case::http().with_requests([form.clone()]).with_hits([hit.clone()])).len(),
                left
            );
            let message = Hit { request: None, ..hit };
            assert_eq!(found(&sent(Some(Application::Smtp), [7, 0, 0]).with_hits([message])).len(), left);
        }
    }
}

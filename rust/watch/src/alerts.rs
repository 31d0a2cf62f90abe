//! Which findings interrupt a person: only a detail that is theirs alone, readable by anyone; at most three times a
//! day, and of one app and detail once. All else waits for the daily digest.

use telltale_model::{Finding, Grade, Tells, Timestamp, What};

pub use telltale_model::Interruption;

/// So often a day a person is interrupted at most.
pub const A_DAY: usize = 3;

/// In microseconds.
const DAY: i64 = 86_400 * 1_000_000;

/// How a finding is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// At once.
    Interrupt,
    /// With the next digest.
    Digest,
    /// Not at all: it was muted.
    Silent,
}

/// What is to be told of new findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices<'a> {
    /// Those that interrupt, and what is to be remembered of each.
    pub interrupt: Vec<(&'a Finding, Interruption)>,
    /// How many wait for the next digest.
    pub digest: usize,
}

/// How to tell findings at `at`, of which none was told before. `is_muted` says whether a finding's app and rule were
/// muted; `before` are the interruptions so far.
pub fn notices<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
    at: Timestamp,
    is_muted: impl Fn(&Finding) -> bool,
    before: &[Interruption],
) -> Notices<'a> {
    let mut before = before.to_vec();
    let mut notices = Notices::default();
    for finding in findings {
        match (notice(finding, at, is_muted(finding), &before), subject(finding)) {
            (Notice::Interrupt, Some(subject)) => {
                let interruption = Interruption { at, subject };
                before.push(interruption.clone());
                notices.interrupt.push((finding, interruption));
            }
            (Notice::Digest | Notice::Interrupt, _) => notices.digest += 1,
            (Notice::Silent, _) => {}
        }
    }
    notices
}

/// How to tell a finding at `at`. `muted` says whether its app and rule were muted; `before` are the interruptions
/// so far, of which only those of the 24 hours before matter: a day of the calendar ends somewhere else in each
/// country, and six times around one midnight would be too much.
pub fn notice(finding: &Finding, at: Timestamp, muted: bool, before: &[Interruption]) -> Notice {
    if muted {
        return Notice::Silent;
    }
    let Some(subject) = subject(finding) else { return Notice::Digest };
    let is_recent = |before: &&Interruption| before.at.0 > at.0.saturating_sub(DAY);
    let mut recent = before.iter().filter(is_recent);
    let told = recent.clone().any(|interruption| interruption.subject == subject);
    if told || recent.nth(A_DAY - 1).is_some() { Notice::Digest } else { Notice::Interrupt }
}

/// App and detail of a finding that may interrupt; it holds no value. Apps that nobody knows may be many: they are told
/// apart by whom they sent it to.
pub fn subject(finding: &Finding) -> Option<String> {
    let What::IdentifierSent { kind, detail: Some(detail), grade: Grade::Yours, .. } = finding.what else {
        return None;
    };
    let app = finding.program.clone().or_else(|| finding.uid.map(|uid| uid.to_string()));
    let app = app.unwrap_or_else(|| format!("to {}", finding.destination.whom().unwrap_or_default()));
    (kind.tells() == Tells::One && finding.is_readable()).then(|| format!("{app} {}", detail.lasting()))
}

#[cfg(test)]
mod tests {
    use telltale_model::{
        Confidence, Destination, DetailKind, DetailName, Envelope, Evidence, FlowNumber, Form, Severity,
    };

    use super::*;

    const NOON: Timestamp = Timestamp(20_000 * DAY + DAY / 2);

    fn sent(kind: DetailKind, number: u16) -> Finding {
        let detail = Some(DetailName { kind, number, id: number.into() });
        Finding {
            what: What::IdentifierSent { kind, detail, grade: Grade::Yours, form: Vec::new() },
            program: Some("/usr/bin/curl".into()),
            uid: None,
            destination: Destination::default(),
            envelope: Envelope::None,
            severity: Severity::High,
            confidence: Confidence::Certain,
            evidence: Evidence { flow: FlowNumber(1), offset: None, field: None, excerpt: None },
            times: 1,
            at: NOON,
        }
    }

    fn told(finding: &Finding, at: Timestamp) -> Interruption {
        Interruption { at, subject: subject(finding).unwrap() }
    }

    #[test]
    fn only_what_is_unique_yours_and_open_interrupts() {
        let imei = sent(DetailKind::Imei, 1);
        assert_eq!(notice(&imei, NOON, false, &[]), Notice::Interrupt);
        let mut disguised = imei.clone();
        disguised.what = What::IdentifierSent {
            kind: DetailKind::Imei,
            detail: Some(DetailName { kind: DetailKind::Imei, number: 1, id: 7 }),
            grade: Grade::Yours,
            form: vec![Form::Sha1],
        };
        let protected = Finding { envelope: Envelope::Tls, ..imei.clone() };
        let other = Finding { what: What::MakerContacted, ..imei.clone() };
        for finding in [disguised, protected, other, sent(DetailKind::Carrier, 1), sent(DetailKind::Place, 1)]
        {
            assert_eq!(notice(&finding, NOON, false, &[]), Notice::Digest, "{finding:?}");
        }
        assert_eq!(notice(&imei, NOON, true, &[]), Notice::Silent);
    }

    #[test]
    fn three_times_a_day_and_one_app_and_detail_once() {
        let kinds = [DetailKind::Imei, DetailKind::Imsi, DetailKind::Phone, DetailKind::Mac];
        let all = kinds.map(|kind| sent(kind, 1));
        let mut before = vec![told(&all[0], NOON)];
        assert_eq!(notice(&all[0], NOON, false, &before), Notice::Digest);
        assert_eq!(notice(&sent(DetailKind::Imei, 2), NOON, false, &before), Notice::Interrupt);
        before.extend([told(&all[1], NOON), told(&all[2], NOON)]);
        assert_eq!(notice(&all[3], NOON, false, &before), Notice::Digest);
        for (later, expected) in [(DAY - 1, Notice::Digest), (DAY, Notice::Interrupt)] {
            let later = Timestamp(NOON.0 + later);
            assert_eq!(notice(&all[0], later, false, &before), expected, "midnight ends nothing");
        }
    }

    #[test]
    fn apps_that_nobody_knows_are_told_apart_by_their_receivers() {
        let to = |address: &str| {
            let destination = Destination { address: address.parse().ok(), ..Destination::default() };
            Finding { program: None, destination, ..sent(DetailKind::Imei, 1) }
        };
        let before = [told(&to("192.0.2.7"), NOON)];
        assert_eq!(before[0].subject, "to 192.0.2.7 imei #1");
        assert_eq!(notice(&to("192.0.2.7"), NOON, false, &before), Notice::Digest);
        assert_eq!(notice(&to("192.0.2.9"), NOON, false, &before), Notice::Interrupt);
    }

    #[test]
    fn of_many_at_once_the_first_three_interrupt_and_the_muted_are_silent() {
        let kinds = [DetailKind::Carrier, DetailKind::Serial, DetailKind::Imei, DetailKind::Imei];
        let more = [DetailKind::Imsi, DetailKind::Phone, DetailKind::Mac];
        let findings: Vec<Finding> = kinds.iter().chain(&more).map(|kind| sent(*kind, 1)).collect();
        let is_muted = |finding: &Finding| finding == &findings[1];
        let notices = notices(&findings, NOON, is_muted, &[]);
        let told: Vec<_> =
            notices.interrupt.iter().map(|(_, interruption)| interruption.subject.as_str()).collect();
        assert_eq!(told, ["/usr/bin/curl imei #1", "/usr/bin/curl imsi #1", "/usr/bin/curl phone #1"]);
        assert_eq!(notices.digest, 3, "the carrier, the IMEI again, and the MAC");
    }
}

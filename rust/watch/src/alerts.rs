//! Which findings interrupt a person: only a detail that is theirs alone, readable by anyone; at most three times a
//! day, and of one app and detail once. All else waits for the daily digest.

use telltale_model::{DetailKind, Finding, Grade, Timestamp, What};

/// So often a day a person is interrupted at most.
pub const A_DAY: usize = 3;

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

/// That a finding interrupted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// When.
    pub at: Timestamp,
    /// Of which app and detail: [`subject`].
    pub subject: String,
}

/// How to tell a finding at `at`. `muted` says whether its app and rule were muted; `before` are the interruptions
/// so far, of which only those of the same day (in UTC) matter.
pub fn notice(finding: &Finding, at: Timestamp, muted: bool, before: &[Interruption]) -> Notice {
    if muted {
        return Notice::Silent;
    }
    let Some(subject) = subject(finding) else { return Notice::Digest };
    let mut today = before.iter().filter(|interruption| interruption.at.day() == at.day());
    let told = today.clone().any(|interruption| interruption.subject == subject);
    if told || today.nth(A_DAY - 1).is_some() { Notice::Digest } else { Notice::Interrupt }
}

/// App and detail of a finding that may interrupt; it holds no value.
pub fn subject(finding: &Finding) -> Option<String> {
    let What::IdentifierSent { kind, detail: Some(detail), grade: Grade::Yours, .. } = finding.what else {
        return None;
    };
    let app = finding.program.clone().or_else(|| finding.uid.map(|uid| uid.to_string())).unwrap_or_default();
    (is_unique(kind) && finding.is_readable()).then(|| format!("{app} {detail}"))
}

/// Whether only one person or phone has it.
fn is_unique(kind: DetailKind) -> bool {
    use DetailKind::{
        AdvertisingId, AndroidId, Bssid, Carrier, Contact, Email, Iccid, Imei, ImeiSv, Imsi, Mac, Name,
        Package, Phone, Place, Serial, Ssid, Word,
    };
    match kind {
        Imei | ImeiSv | Imsi | Iccid | Phone | Contact | Email | AdvertisingId | AndroidId | Serial | Mac
        | Bssid => true,
        Ssid | Name | Carrier | Place | Word | Package => false,
    }
}

#[cfg(test)]
mod tests {
    use telltale_model::{
        Confidence, Destination, DetailName, Envelope, Evidence, FlowNumber, Form, Severity,
    };

    use super::*;

    const DAY: i64 = 86_400 * 1_000_000;
    const NOON: Timestamp = Timestamp(20_000 * DAY + DAY / 2);

    fn sent(kind: DetailKind, number: u16) -> Finding {
        let detail = Some(DetailName { kind, number, id: 7 });
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
        let tomorrow = Timestamp(NOON.0 + DAY);
        assert_eq!(notice(&all[0], tomorrow, false, &before), Notice::Interrupt);
    }
}

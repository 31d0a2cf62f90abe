//! What is worth a word now, by the rules of the watcher: few interruptions, all else once a day.

use serde::Serialize;
use telltale_model::{Interruption, Told};
use telltale_watch::alerts::{Notices, notices};

use crate::question::timestamp;
use crate::seen::Seen;
use crate::{Room, answers};

#[derive(Debug, Serialize)]
pub(crate) struct Alerts {
    alerts: Vec<Alert>,
    digest: Option<String>,
}

#[derive(Debug, Serialize)]
struct Alert {
    key: String,
    title: String,
    text: String,
    lock: String,
    app: answers::App,
}

/// In microseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// The digest is remembered among the interruptions, under a subject that no app can have.
pub(crate) const DIGEST: &str = "digest";

impl Room<'_> {
    pub(crate) fn alerts(&self, seen: &Seen, before: &[Interruption]) -> Alerts {
        let now = timestamp(self.common.now);
        let (digests, before): (Vec<_>, Vec<_>) =
            before.iter().cloned().partition(|interruption| interruption.subject == DIGEST);
        let last = digests.iter().map(|digest| digest.at).max();
        let findings = seen.findings.iter().map(|told| &told.finding);
        let Notices { interrupt, .. } = notices(findings, now, |_| false, &before);
        let waiting = |told: &&Told| last.is_none_or(|last| told.last > last);
        let waiting =
            (seen.findings.iter().filter(waiting).count() as u64).saturating_sub(interrupt.len() as u64);
        let alerts = interrupt.iter().map(|(finding, _)| {
            let named = self.parties(seen, finding);
            Alert {
                key: finding.key(),
                title: self.words.notice_title(finding, &named.parties()),
                text: self.words.why(finding),
                lock: self.words.locked_notice(),
                app: self.named(seen, seen.id(finding.program.as_deref(), finding.uid)),
            }
        });
        Alerts {
            alerts: alerts.collect(),
            digest: (waiting > 0 && last.is_none_or(|last| last.0 < now.0.saturating_sub(DAY)))
                .then(|| self.words.digest(waiting)),
        }
    }
}

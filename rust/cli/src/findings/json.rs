//! Findings for programs. The format is promised in docs/rules.md.

use std::net::IpAddr;

use super::{Known, Telling};
use serde::Serialize;
use telltale_model::{
    Confidence, DetailKind, DetailName, Envelope, Finding, Form, Grade, Severity, Timestamp, Told, What,
};

/// One finding of a flow. Members that a rule does not have are left out.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    rule: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<DetailKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grade: Option<Grade>,
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<&'a [Form]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    protection: Envelope,
    severity: Severity,
    sentence: String,
    confidence: Confidence,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<&'a str>,
    times: u64,
    key: String,
    #[serde(flatten)]
    more: More<'a>,
}

/// What only some rules have.
#[derive(Default, Serialize)]
struct More<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// Whether it may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usual: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<After>,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<&'a [String]>,
}

#[derive(Serialize)]
struct After {
    seen: u32,
    repeats: u32,
    on_its_own: bool,
    background_per_hour: f64,
}

impl<'a> Entry<'a> {
    pub(crate) fn of(finding: &'a Finding, telling: &Telling<'a>) -> Self {
        let (identifier, detail, grade, form) =
            if let What::IdentifierSent { kind, detail, grade, form } = &finding.what {
                (Some(*kind), *detail, Some(*grade), Some(form.as_slice()))
            } else if let What::AppsSent { form, .. } = &finding.what {
                (Some(DetailKind::Package), None, Some(Grade::Yours), Some(form.as_slice()))
            } else if let What::AfterEvent { kind, .. } = &finding.what {
                (*kind, None, None, None)
            } else {
                (None, None, None, None)
            };
        Self {
            rule: finding.what.rule().name(),
            identifier,
            grade,
            form,
            field: finding.evidence.field.as_deref(),
            protection: finding.envelope,
            severity: finding.severity,
            sentence: telling.words.sentence(finding, &Known::of(finding, telling).parties()),
            confidence: finding.confidence,
            detail: detail.map(|detail: DetailName| detail.to_string()),
            offset: finding.evidence.offset,
            excerpt: finding.evidence.excerpt.as_deref(),
            times: finding.times,
            key: finding.key(),
            more: More::of(&finding.what),
        }
    }
}

impl<'a> More<'a> {
    fn of(what: &'a What) -> Self {
        let none = Self::default();
        match what {
            What::AppsSent { packages, .. } => Self { count: Some(*packages), ..none },
            What::ContentInClear { bytes, more, .. } => {
                Self { bytes: Some(*bytes), at_least: more.then_some(true), ..none }
            }
            What::ScreenOff { bytes } => Self { bytes: Some(*bytes), ..none },
            What::MoreThanUsual { bytes, usual, .. } => {
                Self { bytes: Some(*bytes), usual: Some(*usual), ..none }
            }
            What::FirstContact { country } => Self { country: country.as_deref(), ..none },
            What::OwnDns { how } => Self { how: Some(how.name()), ..none },
            What::OtherCertificate { names, .. } => Self { names: Some(names), ..none },
            What::AfterEvent { event, seen, repeats, on_its_own, background, .. } => {
                let background_per_hour = f64::from(u32::try_from(*background).unwrap_or(u32::MAX)) / 1_000.0;
                let after =
                    After { seen: *seen, repeats: *repeats, on_its_own: *on_its_own, background_per_hour };
                Self { event: Some(event.name()), after: Some(after), ..none }
            }
            What::IdentifierSent { .. } | What::MakerContacted => none,
        }
    }
}

/// The same finding in all flows together, for the report.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    #[serde(flatten)]
    entry: Entry<'a>,
    program: Option<&'a str>,
    uid: Option<u32>,
    company: Option<&'a str>,
    host: Option<&'a str>,
    address: Option<IpAddr>,
    flow: u64,
    /// Seconds since 1970.
    first: f64,
    last: f64,
    why: String,
    advice: Vec<String>,
}

impl<'a> Report<'a> {
    pub(crate) fn of(told: &'a Told, telling: &Telling<'a>) -> Self {
        let finding = &told.finding;
        Self {
            entry: Entry { times: told.times, ..Entry::of(finding, telling) },
            program: finding.program.as_deref(),
            uid: finding.uid,
            company: finding.destination.company.as_deref(),
            host: finding.destination.name.as_deref(),
            address: finding.destination.address,
            flow: finding.evidence.flow.0,
            first: seconds(finding.at),
            last: seconds(told.last),
            why: telling.words.why(finding),
            advice: telling.words.advice(finding, &Known::of(finding, telling).switches),
        }
    }
}

/// To the microsecond, up to the year 2255 (2^53 microseconds).
#[expect(clippy::cast_precision_loss, reason = "the moments of this world have fewer bits than that")]
fn seconds(at: Timestamp) -> f64 {
    at.0 as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use telltale_words::Words;

    use super::*;
    use crate::findings::tests::found;

    #[test]
    fn a_finding_is_as_documented() {
        let found = found();
        let words = Words::new("en");
        let telling = Telling::new(&words, None, []);
        let entry = serde_json::to_value(Entry::of(&found[1].finding, &telling)).unwrap();
        let expected = json!({
            "rule": "identifier-sent", "identifier": "imei", "grade": "yours",
            "form": ["sha1", "base64url", "cut16"], "field": "path[4]", "protection": "none",
            "severity": "medium",
            "sentence": "curl sent your phone's number (IMEI) to shop. It was disguised but not protected.",
            "confidence": "very_likely", "detail": "<imei 1>", "offset": 0,
            "excerpt": "/pass/activate/dev/<imei 1>/activating", "times": 3,
            "key": "identifier-sent|/usr/bin/curl|shop|imei #7 disguised",
        });
        assert_eq!(entry, expected);
        let clear = serde_json::to_value(Entry::of(&found[0].finding, &telling)).unwrap();
        assert_eq!(clear["form"], json!([]), "empty in clear");
    }

    #[test]
    fn the_report_says_when_and_what_one_can_do() {
        let found = found();
        let words = Words::new("en");
        let report = serde_json::to_value(Report::of(&found[0], &Telling::new(&words, None, []))).unwrap();
        assert_eq!((&report["first"], &report["flow"]), (&json!(1_795_532_400.0), &json!(3)));
        assert_eq!((&report["company"], &report["host"]), (&json!("shop"), &json!("api.shop.example")));
        assert!(report["advice"][0].as_str().unwrap().starts_with("Install the latest version"));
    }
}

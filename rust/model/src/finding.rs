use serde::{Deserialize, Serialize};

use crate::{
    Application, Coverage, Destination, DetailKind, DetailName, Event, Facts, FlowNumber, Form, Grade, Hit,
    Protocol, Timestamp,
};

/// Something about a flow, or about an app, that a person may want to know. It observes, and knows no motive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was seen.
    pub what: What,
    /// The program that did it, where known.
    pub program: Option<String>,
    /// Its user, where known.
    pub uid: Option<u32>,
    /// To whom.
    pub destination: Destination,
    /// What kept others on the way from reading it.
    pub envelope: Envelope,
    /// How much it may matter.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What shows it.
    pub evidence: Evidence,
    /// How often in this flow, from 1 on.
    pub times: u64,
    /// When.
    pub at: Timestamp,
}

/// What was seen, with what is particular to its rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum What {
    /// A detail of the person or the phone was sent.
    IdentifierSent {
        /// What it is.
        kind: DetailKind,
        /// Which one; `None` where only its shape was there.
        detail: Option<DetailName>,
        /// How sure it is that it was this.
        grade: Grade,
        /// The steps from the value to the bytes; none in clear.
        form: Vec<Form>,
    },
    /// A list of the person's apps was sent.
    AppsSent {
        /// So many names of packages were seen in one request, at least.
        packages: u64,
        /// The steps from a name to its bytes; none in clear.
        form: Vec<Form>,
    },
    /// Content was sent that everybody on the way could read, and in which no detail was found.
    ContentInClear {
        /// Bytes of it: of bodies, or of messages.
        bytes: u64,
        /// Whether it was a form.
        form: bool,
        /// How far the flow could be looked into.
        coverage: Coverage,
        /// Whether there were details to look for.
        given: bool,
        /// Whether there were more requests than are kept of a flow: then it is more than that.
        #[serde(default)]
        more: bool,
    },
    /// The phone's maker was contacted.
    MakerContacted,
    /// A company, or the first network of a country, was contacted that the app had not contacted before.
    FirstContact {
        /// The country's two letters, where the app had not contacted any company of it before.
        country: Option<String>,
    },
    /// It was sent after an event.
    AfterEvent {
        /// The event.
        event: Event,
        /// The detail that was sent, where it is about one.
        kind: Option<DetailKind>,
        /// After so many of them it was seen.
        seen: u32,
        /// So many of them there were.
        repeats: u32,
        /// Whether it was seen in a quiet step too: it also happens on its own.
        on_its_own: bool,
        /// How often it was seen in an hour without any event, in thousandths.
        background: u64,
    },
    /// Content was sent while the screen was off.
    ScreenOff {
        /// Bytes of it, at most.
        bytes: u64,
    },
    /// Names were asked for past the system's resolver.
    OwnDns {
        /// How.
        how: Application,
    },
    /// The app sent more than three times as much as on its usual days.
    MoreThanUsual {
        /// Bytes of content on this day up to then.
        bytes: u64,
        /// The median of the days before.
        usual: u64,
        /// The day, as [`Timestamp::day_in`] counts where the phone was; a Telltale of before did not keep it.
        #[serde(default)]
        day: Option<i64>,
    },
    /// The server showed a certificate for other names than the one asked for.
    OtherCertificate {
        /// The name that was asked for.
        name: String,
        /// Names that it is for, the first ones.
        names: Vec<String>,
    },
}

/// A kind of finding: what can be muted, and how it is called in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// [`What::IdentifierSent`].
    IdentifierSent,
    /// [`What::AppsSent`].
    AppsSent,
    /// [`What::ContentInClear`].
    ContentInClear,
    /// [`What::AfterEvent`].
    AfterEvent,
    /// [`What::MoreThanUsual`].
    MoreThanUsual,
    /// [`What::ScreenOff`].
    ScreenOff,
    /// [`What::FirstContact`].
    FirstContact,
    /// [`What::OwnDns`].
    OwnDns,
    /// [`What::OtherCertificate`].
    OtherCertificate,
    /// [`What::MakerContacted`].
    MakerContacted,
}

/// How much a finding may matter, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Something of the person's that tells little, or that only its receiver could read.
    Low,
    /// Something of the person's, disguised; or content of theirs in clear.
    Medium,
    /// What is theirs alone, readable by anyone on the way.
    High,
}

/// How sure a finding is, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// It has the form.
    Possible,
    /// It matches after some steps, or several observations agree.
    VeryLikely,
    /// It was seen itself.
    Certain,
}

/// What kept others on the way from reading what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Envelope {
    /// Nothing.
    None,
    /// TLS.
    Tls,
    /// DTLS.
    Dtls,
    /// QUIC.
    Quic,
    /// Not known.
    Unknown,
}

/// What shows a finding. It holds no value of a detail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The flow.
    pub flow: FlowNumber,
    /// Where the readable piece begins, in bytes that the flow had sent before.
    pub offset: Option<u64>,
    /// The field: `path[4]`, `json.device.id`.
    pub field: Option<String>,
    /// What stood around it: details replaced by their names, all other values masked.
    pub excerpt: Option<String>,
}

impl Rule {
    /// Every rule, what matters most first.
    pub const ALL: [Self; 10] = [
        Self::IdentifierSent,
        Self::AppsSent,
        Self::ContentInClear,
        Self::AfterEvent,
        Self::MoreThanUsual,
        Self::ScreenOff,
        Self::FirstContact,
        Self::OwnDns,
        Self::OtherCertificate,
        Self::MakerContacted,
    ];

    /// The name used in JSON and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::IdentifierSent => "identifier-sent",
            Self::AppsSent => "apps-sent",
            Self::ContentInClear => "content-in-clear",
            Self::MakerContacted => "maker-contacted",
            Self::FirstContact => "first-contact",
            Self::AfterEvent => "after-event",
            Self::ScreenOff => "screen-off",
            Self::OwnDns => "own-dns",
            Self::MoreThanUsual => "more-than-usual",
            Self::OtherCertificate => "other-certificate",
        }
    }
}

impl What {
    /// Its rule.
    pub fn rule(&self) -> Rule {
        match self {
            Self::IdentifierSent { .. } => Rule::IdentifierSent,
            Self::AppsSent { .. } => Rule::AppsSent,
            Self::ContentInClear { .. } => Rule::ContentInClear,
            Self::MakerContacted => Rule::MakerContacted,
            Self::FirstContact { .. } => Rule::FirstContact,
            Self::AfterEvent { .. } => Rule::AfterEvent,
            Self::ScreenOff { .. } => Rule::ScreenOff,
            Self::OwnDns { .. } => Rule::OwnDns,
            Self::MoreThanUsual { .. } => Rule::MoreThanUsual,
            Self::OtherCertificate { .. } => Rule::OtherCertificate,
        }
    }

    /// What tells one finding of a rule, an app and a receiver from another: never a value.
    fn particular(&self) -> String {
        match self {
            Self::IdentifierSent { kind, detail: None, form, .. } => {
                format!("like {} {}", kind.name(), form_kind(form))
            }
            Self::IdentifierSent { detail: Some(detail), grade, form, .. } => {
                let grade = if *grade == Grade::Yours { "" } else { "like " };
                format!("{grade}{} {}", detail.lasting(), form_kind(form))
            }
            Self::AfterEvent { event, kind, .. } => {
                format!("{} {}", event.name(), kind.map_or("content", DetailKind::name))
            }
            Self::FirstContact { country } => country.clone().unwrap_or_default(),
            Self::OwnDns { how } => how.name().to_owned(),
            Self::OtherCertificate { name, .. } => name.clone(),
            Self::ContentInClear { form: true, .. } => "form".to_owned(),
            Self::ContentInClear { .. }
            | Self::AppsSent { .. }
            | Self::MakerContacted
            | Self::ScreenOff { .. }
            | Self::MoreThanUsual { .. } => String::new(),
        }
    }
}

/// One detail in clear and the same disguised are two statements.
fn form_kind(form: &[Form]) -> &'static str {
    if is_disguised(form) { "disguised" } else { "open" }
}

/// Whether what was sent can be recognised only by who knows the value, or tries them all.
pub fn is_disguised(form: &[Form]) -> bool {
    form.iter().any(|step| matches!(step, Form::Md5 | Form::Sha1 | Form::Sha256))
}

impl Finding {
    /// The same statement has the same key, in every flow and every run: rule, app, receiver, and what tells it
    /// from others of them. It holds no value of a detail.
    pub fn key(&self) -> String {
        let app = match (&self.program, self.uid) {
            (Some(program), _) => program.clone(),
            (None, Some(uid)) => format!("uid {uid}"),
            (None, None) => String::new(),
        };
        // What an app sends on one day is not sent to anyone in particular.
        let whom = if let What::MoreThanUsual { day, .. } = self.what {
            format!("day {}", day.unwrap_or(self.at.day()))
        } else {
            self.destination.whom().unwrap_or_default()
        };
        let particular = format!("{}{}", self.what.particular(), self.way());
        format!("{}|{app}|{whom}|{}", self.what.rule().name(), particular.trim())
    }

    /// What was sent in clear is another statement than the same under protection: neither hides the other.
    fn way(&self) -> &'static str {
        if !matches!(self.what, What::IdentifierSent { .. } | What::AppsSent { .. }) {
            return "";
        }
        match self.envelope {
            Envelope::None => "",
            Envelope::Tls | Envelope::Dtls | Envelope::Quic => " protected",
            Envelope::Unknown => " unknown",
        }
    }

    /// Whether anyone on the way could read it as it is.
    pub fn is_readable(&self) -> bool {
        let disguised = matches!(&self.what, What::IdentifierSent { form, .. } if is_disguised(form));
        self.envelope == Envelope::None && !disguised
    }
}

impl Envelope {
    /// Of what a flow with these facts sent as content.
    pub fn of(facts: &Facts, protocol: Protocol) -> Self {
        use Application::{Doh, Doq, Dot, Dtls, Fcm, Quic, Tls};
        match facts.application {
            Some(Quic | Doq) => Self::Quic,
            Some(Doh | Fcm) if protocol == Protocol::Udp => Self::Quic,
            Some(Tls | Dot | Doh | Fcm) => Self::Tls,
            Some(Dtls) => Self::Dtls,
            // What was found without keys, anyone on the way could find.
            _ if facts.read_with_keys == 0 && !facts.hits.is_empty() => Self::None,
            // STARTTLS: what comes after the hello is inside.
            Some(_) if facts.hello.is_some() => Self::Tls,
            // Of a protocol that nobody knows text is text all the same.
            _ if facts.read_with_keys == 0 && is_read(&facts.coverage) => Self::None,
            Some(_) if facts.coverage.encrypted == 0 => Self::None,
            Some(_) | None => Self::Unknown,
        }
    }

    /// Of a hit in a flow with this one.
    #[must_use]
    pub fn of_hit(self, hit: &Hit) -> Self {
        if hit.hello { Self::None } else { self }
    }

    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Tls => "tls",
            Self::Dtls => "dtls",
            Self::Quic => "quic",
            Self::Unknown => "unknown",
        }
    }
}

fn is_read(coverage: &Coverage) -> bool {
    coverage.searched > 0 || coverage.found > 0
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Low, Self::Medium, Self::High];

    /// The name used in JSON and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Confidence {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::VeryLikely => "very_likely",
            Self::Certain => "certain",
        }
    }
}

/// The same finding in all flows together: what a person is told once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// As it was seen first.
    pub finding: Finding,
    /// How often.
    pub times: u64,
    /// When it was seen last; [`Finding::at`] says when first.
    pub last: Timestamp,
}

impl Told {
    /// Seen once, or as often as the finding says.
    pub fn new(finding: Finding) -> Self {
        Self { times: finding.times, last: finding.at, finding }
    }

    /// The same again, with the same key.
    pub fn add(&mut self, other: Self) {
        self.times = self.times.saturating_add(other.times);
        self.last = self.last.max(other.last);
        if other.finding.at < self.finding.at {
            self.finding = other.finding;
        }
    }
}

/// That a finding interrupted a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interruption {
    /// When.
    pub at: Timestamp,
    /// Of which app and detail: `telltale_watch::alerts::subject`. It holds no value.
    pub subject: String,
}

/// In the order in which they are told: severity, certainty, then the latest.
pub fn sort_told(told: &mut [Told]) {
    let weight = |told: &Told| {
        let finding = &told.finding;
        (std::cmp::Reverse((finding.severity, finding.confidence, told.last)), finding.key())
    };
    told.sort_by_cached_key(weight);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Hello;

    fn finding(what: What) -> Finding {
        Finding {
            what,
            program: Some("/usr/bin/curl".into()),
            uid: Some(1000),
            destination: Destination { company: Some("shop".into()), ..Destination::default() },
            envelope: Envelope::None,
            severity: Severity::High,
            confidence: Confidence::Certain,
            evidence: Evidence { flow: FlowNumber(1), offset: None, field: None, excerpt: None },
            times: 1,
            at: Timestamp(5),
        }
    }

    fn sent(id: u64, form: Vec<Form>) -> Finding {
        let detail = Some(DetailName { kind: DetailKind::Imei, number: 1, id });
        finding(What::IdentifierSent { kind: DetailKind::Imei, detail, grade: Grade::Yours, form })
    }

    #[test]
    fn a_key_is_the_same_for_the_same_statement_and_another_for_another_value() {
        let clear = sent(7, Vec::new());
        assert_eq!(clear.key(), "identifier-sent|/usr/bin/curl|shop|imei #7 open");
        assert_eq!(sent(7, vec![Form::Base64]).key(), clear.key(), "anyone can undo Base64");
        assert_ne!(sent(8, Vec::new()).key(), clear.key(), "the number of one that was removed");
        assert_ne!(sent(7, vec![Form::Sha1, Form::Base64Url]).key(), clear.key());
        let protected = Finding { envelope: Envelope::Tls, ..sent(7, Vec::new()) };
        assert_eq!(protected.key(), "identifier-sent|/usr/bin/curl|shop|imei #7 open protected");
        assert_eq!(finding(What::ScreenOff { bytes: 9 }).key(), finding(What::ScreenOff { bytes: 8 }).key());
    }

    #[test]
    fn receivers_without_a_company_or_a_name_are_told_apart_by_their_addresses() {
        let to = |address: &str| {
            let destination = Destination { address: address.parse().ok(), ..Destination::default() };
            Finding { destination, ..sent(7, Vec::new()) }.key()
        };
        assert_eq!(to("203.0.113.9"), "identifier-sent|/usr/bin/curl|203.0.113.9|imei #7 open");
        assert_ne!(to("203.0.113.9"), to("2001:db8::9"));
    }

    #[test]
    fn what_was_read_without_keys_anyone_could_read() {
        let hit = Hit {
            kind: DetailKind::Imei,
            detail: None,
            grade: Grade::Yours,
            form: Vec::new(),
            field: String::new(),
            request: None,
            offset: 0,
            at: Timestamp(0),
            excerpt: String::new(),
            count: 1,
            hello: false,
        };
        let of = |application, coverage, hits: &[&Hit], read_with_keys| {
            let hits = hits.iter().copied().cloned().collect();
            let hello = (application == Some(Application::Smtp)).then(Hello::default);
            let facts = Facts { application, coverage, hits, hello, read_with_keys, ..Facts::default() };
            Envelope::of(&facts, Protocol::Tcp)
        };
        let (found, searched) =
            (Coverage { found: 9, ..Coverage::default() }, Coverage { searched: 9, ..Coverage::default() });
        let encrypted = Coverage { encrypted: 9, ..Coverage::default() };
        let unknown = Coverage { unknown: 9, ..Coverage::default() };
        assert_eq!(of(None, found, &[&hit], 0), Envelope::None, "plain text of an unknown protocol");
        assert_eq!(of(None, searched, &[], 0), Envelope::None);
        assert_eq!(of(None, unknown, &[], 0), Envelope::Unknown);
        assert_eq!(of(Some(Application::Smtp), encrypted, &[], 0), Envelope::Tls);
        assert_eq!(of(Some(Application::Smtp), found, &[&hit], 0), Envelope::None, "before STARTTLS");
        assert_eq!(of(Some(Application::Smtp), found, &[&hit], 9), Envelope::Tls);
        assert_eq!(of(Some(Application::Ssh), encrypted, &[], 0), Envelope::Unknown);
        assert_eq!(of(Some(Application::Dns), Coverage::default(), &[], 0), Envelope::None);
    }

    #[test]
    fn the_same_finding_again_is_told_once_with_its_first_moment() {
        let mut told = Told::new(Finding { at: Timestamp(9), times: 2, ..sent(7, Vec::new()) });
        told.add(Told::new(sent(7, Vec::new())));
        assert_eq!((told.times, told.finding.at, told.last), (3, Timestamp(5), Timestamp(9)));
    }

    #[test]
    fn rules_are_called_in_json_as_in_the_database() {
        let what = What::MakerContacted;
        let json = serde_json::to_value(&what).unwrap();
        assert_eq!(json["rule"], what.rule().name());
        let what = What::FirstContact { country: Some("CN".into()) };
        let json = serde_json::to_value(&what).unwrap();
        assert_eq!(
            (&json["rule"], serde_json::from_value(json.clone()).ok()),
            (&json!(what.rule().name()), Some(what))
        );
    }
}

//! What is said of a finding.

use std::net::IpAddr;

use telltale_model::{
    Bounded, Confidence, Coverage, DetailKind, DetailName, Envelope, Finding, Grade, Looked, Rule, Told,
    What, is_disguised,
};

use crate::Words;
use crate::say::Value;

/// Those of a finding as people call them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parties<'a> {
    /// The app; `None` where nobody knows it.
    pub app: Option<&'a str>,
    /// The company, by its name.
    pub company: Option<&'a str>,
    /// Whether the company is only probable.
    pub probable: bool,
    /// The host or the address.
    pub host: Option<&'a str>,
    /// The country of [`What::FirstContact`], by its name.
    pub country: Option<&'a str>,
    /// Whether there are several details of the finding's kind, so that its number must tell which it is.
    pub several: bool,
}

/// A setting that turns off what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch<'a> {
    /// Where it is, as a person finds it.
    pub path: &'a str,
    /// On which systems and versions.
    pub versions: &'a str,
    /// Whether anybody has checked it.
    pub checked: bool,
}

/// Under which heading a finding stands, in the order of the headings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something of the person's that anyone on the way could read.
    Open,
    /// The same, disguised.
    Disguised,
    /// The same, and nobody knows how it was protected.
    Unknown,
    /// The same, protected on the way.
    Protected,
    /// What tells little, or is about no detail.
    Notice,
}

impl Level {
    /// Of a finding.
    pub fn of(finding: &Finding) -> Self {
        match (&finding.what, finding.envelope) {
            (What::IdentifierSent { form, grade: Grade::Yours, .. }, envelope) if matters(finding) => {
                Self::behind(envelope, is_disguised(form))
            }
            (What::AppsSent { .. }, envelope) => Self::behind(envelope, false),
            _ => Self::Notice,
        }
    }

    fn behind(envelope: Envelope, disguised: bool) -> Self {
        match envelope {
            Envelope::None if disguised => Self::Disguised,
            Envelope::None => Self::Open,
            Envelope::Tls | Envelope::Dtls | Envelope::Quic => Self::Protected,
            Envelope::Unknown => Self::Unknown,
        }
    }

    /// How keys call it.
    fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Disguised => "disguised",
            Self::Unknown => "unknown",
            Self::Protected => "protected",
            Self::Notice => "notice",
        }
    }
}

impl Words {
    /// Who sent what to whom, and how protected.
    pub fn sentence(&self, finding: &Finding, parties: &Parties<'_>) -> String {
        let named = [("app", self.app(parties)), ("receiver", self.receiver(parties))];
        let say = |key: &str, more: &[(&str, Value<'_>)]| self.say(key, &[&named[..], more].concat());
        let size = |bytes| Value::Said(self.size(bytes));
        match &finding.what {
            What::IdentifierSent { kind, detail, grade, form } => {
                let which = self.which(*kind, *detail, parties.several);
                let grade = if *grade == Grade::Yours { "yours" } else { "looks_like" };
                let key = format!("identifier-sent.{grade}.{}", way(finding.envelope, is_disguised(form)));
                say(&key, &[("detail", Value::Said(which))])
            }
            What::AppsSent { packages, .. } => {
                let key = format!("apps-sent.{}", way(finding.envelope, false));
                say(&key, &[("n", Value::Number(*packages))])
            }
            What::ContentInClear { bytes, form, coverage, given, more } => {
                let size = if *more { Value::Said(self.at_least(*bytes)) } else { size(*bytes) };
                say(&in_clear(*form, coverage, *given), &[("size", size)])
            }
            What::MakerContacted => say("maker-contacted", &[]),
            What::FirstContact { .. } => {
                let country = ("country", Value::Name(parties.country.unwrap_or_default()));
                match (parties.company, parties.country) {
                    (Some(_), Some(_)) => say("first-contact.company.country", &[country]),
                    (None, Some(_)) => say("first-contact.country", &[country]),
                    (_, None) => say("first-contact.company", &[]),
                }
            }
            What::AfterEvent { event, kind, seen, repeats, on_its_own, .. } => {
                let thing = kind.map_or_else(|| self.say("thing.content", &[]), |kind| self.detail(kind));
                let event = self.say(&format!("event.{}", event.name()), &[]);
                let key = if *on_its_own { "after-event.on_its_own" } else { "after-event" };
                let numbers =
                    [("n", Value::Number((*seen).into())), ("of", Value::Number((*repeats).into()))];
                say(
                    key,
                    &[&numbers[..], &[("thing", Value::Said(thing)), ("event", Value::Said(event))]].concat(),
                )
            }
            What::ScreenOff { bytes } => say("screen-off", &[("size", size(*bytes))]),
            What::OwnDns { .. } => say("own-dns", &[]),
            What::MoreThanUsual { bytes, usual, .. } => {
                say("more-than-usual", &[("size", size(*bytes)), ("usual", size(*usual))])
            }
            What::OtherCertificate { name, .. } => say("other-certificate", &[("name", Value::Name(name))]),
        }
    }

    /// How much it matters, in few words: a heading.
    pub fn level(&self, level: Level) -> String {
        self.say(&format!("level.{}", level.name()), &[])
    }

    /// How sure it is.
    pub fn sure(&self, finding: &Finding) -> String {
        let key = format!("sure.{}", finding.confidence.name());
        let What::IdentifierSent { kind, .. } = finding.what else { return self.say(&key, &[]) };
        if finding.confidence == Confidence::Possible {
            return self.say("sure.possible.detail", &[("detail", Value::Said(self.detail(kind)))]);
        }
        self.say(&format!("{key}.detail"), &[])
    }

    /// How often, and when; the moments as the caller writes them.
    pub fn when(&self, told: &Told, first: &str, last: &str) -> String {
        if told.times <= 1 {
            return self.say("when.once", &[("first", Value::Name(first))]);
        }
        let n = ("n", Value::Number(told.times));
        self.say("when.times", &[n, ("first", Value::Name(first)), ("last", Value::Name(last))])
    }

    /// Why it may matter.
    pub fn why(&self, finding: &Finding) -> String {
        let key = if let What::IdentifierSent { form, .. } = &finding.what {
            format!("why.{}", way(finding.envelope, is_disguised(form)))
        } else if let What::ContentInClear { .. } = finding.what {
            format!("why.{}", way(finding.envelope, false))
        } else {
            format!("why.{}", finding.what.rule().name())
        };
        self.say(&key, &[])
    }

    /// How often it comes without an event, where it is about what comes after one.
    pub fn background(&self, finding: &Finding) -> Option<String> {
        let What::AfterEvent { background, on_its_own, .. } = finding.what else { return None };
        Some(match background.div_ceil(1_000) {
            0 if on_its_own => return None,
            0 => self.say("background.none", &[]),
            minutes => self.say("background", &[("n", Value::Number(minutes))]),
        })
    }

    /// What one can do: the settings that are known, else what helps with such a finding.
    pub fn advice(&self, finding: &Finding, switches: &[Switch<'_>]) -> Vec<String> {
        let switch = |switch: &Switch<'_>| {
            let key = if switch.checked { "do.switch" } else { "do.switch.unchecked" };
            self.say(key, &[("path", Value::Name(switch.path)), ("versions", Value::Name(switch.versions))])
        };
        let mut advice: Vec<String> = switches.iter().map(switch).collect();
        let more = match finding.what.rule() {
            Rule::IdentifierSent | Rule::AppsSent | Rule::ContentInClear
                if finding.envelope == Envelope::None =>
            {
                Some("do.update")
            }
            Rule::AfterEvent => Some("do.compare"),
            Rule::ScreenOff | Rule::MoreThanUsual | Rule::FirstContact => Some("do.look"),
            Rule::IdentifierSent | Rule::AppsSent if switches.is_empty() => Some("do.stop"),
            Rule::IdentifierSent
            | Rule::AppsSent
            | Rule::ContentInClear
            | Rule::OwnDns
            | Rule::OtherCertificate
            | Rule::MakerContacted => None,
        };
        advice.extend(more.map(|key| self.say(key, &[])));
        advice
    }

    /// The notice that interrupts, for an unlocked screen.
    pub fn notice(&self, finding: &Finding, parties: &Parties<'_>) -> Option<String> {
        let What::IdentifierSent { kind, detail, .. } = finding.what else { return None };
        let detail = ("detail", Value::Said(self.which(kind, detail, parties.several)));
        Some(self.say(
            "notice.finding",
            &[("app", self.app(parties)), ("receiver", self.receiver(parties)), detail],
        ))
    }

    /// The same for a locked one: it names nobody.
    pub fn locked_notice(&self) -> String {
        self.say("notice.locked", &[])
    }

    /// A kind of detail with its possessive: "your phone number".
    pub fn detail(&self, kind: DetailKind) -> String {
        self.say(&format!("detail.{}", kind.name()), &[])
    }

    /// The same of several: which of them. The first of a kind goes without a number while it is the only one.
    pub fn which(&self, kind: DetailKind, detail: Option<DetailName>, several: bool) -> String {
        match detail {
            Some(DetailName { number, .. }) if several || number > 1 => {
                let number = ("n", Value::Number(number.into()));
                self.say(&format!("detail.{}.n", kind.name()), &[number])
            }
            Some(_) | None => self.detail(kind),
        }
    }

    /// The receiver by its name.
    pub fn receiver_of(&self, parties: &Parties<'_>) -> String {
        self.fill(&self.receiver(parties))
    }

    fn app<'a>(&self, parties: &Parties<'a>) -> Value<'a> {
        parties.app.map_or_else(|| Value::Said(self.say("app.unknown", &[])), Value::Name)
    }

    fn receiver<'a>(&self, parties: &Parties<'a>) -> Value<'a> {
        match (parties.company, parties.host) {
            (Some(company), _) if parties.probable => {
                Value::Said(self.say("receiver.probable", &[("company", Value::Name(company))]))
            }
            (Some(company), _) => Value::Name(company),
            (None, Some(host)) if host.parse::<IpAddr>().is_ok() => {
                Value::Said(self.say("receiver.address", &[("address", Value::Name(host))]))
            }
            (None, Some(host)) => Value::Name(host),
            (None, None) => Value::Said(self.say("receiver.unknown", &[])),
        }
    }
}

/// How a key calls what kept others from reading.
fn way(envelope: Envelope, disguised: bool) -> &'static str {
    Level::behind(envelope, disguised).name()
}

/// Absence is said where a [`Bounded`] value allows it.
fn in_clear(form: bool, coverage: &Coverage, given: bool) -> String {
    let what = if form { "form" } else { "body" };
    match Bounded::of(coverage, given) {
        Looked::Nothing(bounded) if bounded.unsearched() == 0 => format!("content-in-clear.{what}.absent"),
        Looked::Nothing(_) => format!("content-in-clear.{what}.absent_in_part"),
        Looked::Found | Looked::NothingToLookFor { .. } | Looked::Unsearched { .. } => {
            format!("content-in-clear.{what}")
        }
    }
}

/// What many share is worth knowing, and no more.
fn matters(finding: &Finding) -> bool {
    finding.severity > telltale_model::Severity::Info
}

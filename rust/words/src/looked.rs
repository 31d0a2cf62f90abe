//! What is said of what could be searched, and of what could not.

use telltale_model::{
    Bounded, Class, Coverage, DetailKind, Envelope, Grade, Looked, Tells, Told, What, is_disguised,
};

use crate::Words;
use crate::say::Value;

/// Of one app, one company, one span of time or all: what was found, and how far was looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Details that were sent, each counted once.
    pub details: u64,
    /// Of them, those that anyone on the way could read.
    pub open: u64,
    /// Of them, those that were not protected but disguised.
    pub disguised: u64,
    /// Whether a list of apps was sent.
    pub apps: bool,
    /// Whether something was sent that many people share.
    pub shared: bool,
    /// Whether something was sent that only looks like a detail.
    pub alike: bool,
    /// Every sent byte by how far it could be looked into.
    pub coverage: Coverage,
    /// Whether there were details to look for, in all of it.
    pub given: bool,
    /// Whether a bound was met: there may be more than was counted.
    pub truncated: bool,
}

impl Summary {
    /// Of findings and of what they were found in. `truncated` says whether a bound was met on the way to them.
    pub fn of<'a>(
        told: impl IntoIterator<Item = &'a Told>,
        coverage: Coverage,
        given: bool,
        truncated: bool,
    ) -> Self {
        let mut summary = Self { coverage, given, truncated, ..Self::default() };
        let mut sent: Vec<(Detail, Way)> = Vec::new();
        for told in told {
            match &told.finding.what {
                What::AppsSent { .. } => summary.apps = true,
                What::IdentifierSent { kind, .. } if kind.tells() == Tells::Many => summary.shared = true,
                What::IdentifierSent { .. } => match detail(told) {
                    Some(detail) => sent.push(detail),
                    None => summary.alike = true,
                },
                What::ContentInClear { .. }
                | What::MakerContacted
                | What::FirstContact { .. }
                | What::AfterEvent { .. }
                | What::ScreenOff { .. }
                | What::OwnDns { .. }
                | What::MoreThanUsual { .. }
                | What::OtherCertificate { .. } => {}
            }
        }
        // The most open way of each counts.
        sent.sort_unstable();
        sent.dedup_by(|(one, _), (other, _)| one == other);
        let count = |way: Way| sent.iter().filter(|(_, known)| *known == way).count() as u64;
        let (open, disguised) = (count(Way::Open), count(Way::Disguised));
        Self { details: sent.len() as u64, open, disguised, ..summary }
    }

    /// What the search came to. Where there is a finding nothing is absent, whatever became of the bytes around it.
    pub fn looked(&self) -> Looked {
        let found = self.details > 0 || self.apps || self.shared || self.alike;
        if found { Looked::Found } else { Bounded::of(&self.coverage, self.given) }
    }

    /// What the search came to for one detail that is in no finding: where others were found it was looked for too.
    pub fn looked_for_one(&self) -> Looked {
        let coverage = Coverage {
            found: 0,
            searched: self.coverage.searched.saturating_add(self.coverage.found),
            ..self.coverage
        };
        Bounded::of(&coverage, self.given)
    }

    /// Whether more details may have been sent than were counted.
    pub fn is_at_least(&self) -> bool {
        let unseen = [Class::Opaque, Class::Encrypted, Class::Unknown, Class::NotWatched];
        self.truncated || unseen.iter().any(|class| self.coverage.of(*class) > 0)
    }
}

/// Kind, and which of it.
type Detail = (DetailKind, String);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Open,
    Disguised,
    Other,
}

/// What only looks like a detail is none of yours.
fn detail(told: &Told) -> Option<(Detail, Way)> {
    let What::IdentifierSent { kind, detail: Some(name), grade: Grade::Yours, form } = &told.finding.what
    else {
        return None;
    };
    let way = match told.finding.envelope {
        Envelope::None if is_disguised(form) => Way::Disguised,
        Envelope::None => Way::Open,
        Envelope::Tls | Envelope::Dtls | Envelope::Quic | Envelope::Unknown => Way::Other,
    };
    Some(((*kind, name.lasting()), way))
}

impl Words {
    /// What comes first: how many details were sent, or what can be said instead.
    pub fn lead(&self, summary: &Summary) -> String {
        let Looked::Found = summary.looked() else { return self.looked(&summary.looked()) };
        let n = |count| [("n", Value::Number(count))];
        let sent = if summary.is_at_least() { "details-sent.at_least" } else { "details-sent.exact" };
        let counts = [
            (sent, summary.details),
            ("details-sent.open", summary.open),
            ("details-sent.disguised", summary.disguised),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let mut said: Vec<String> = counts.map(|(key, count)| self.say(key, &n(count))).collect();
        let less =
            [(summary.shared, "opening.shared"), (summary.alike, "opening.alike"), (true, "opening.found")];
        if summary.apps {
            said.push(self.say("apps-sent", &[]));
        } else if summary.details == 0 {
            said.extend(less.iter().find(|(is, _)| *is).map(|(_, key)| self.say(key, &[])));
        }
        said.join(" ")
    }

    /// What a search came to, to the byte. Where something was found, the findings say it.
    pub fn looked(&self, looked: &Looked) -> String {
        let bytes = |bytes| Value::Said(self.exact(bytes));
        match *looked {
            Looked::Found => String::new(),
            Looked::Nothing(bounded) => self.absence(&bounded),
            Looked::NothingToLookFor { readable, unread: 0 } => {
                self.say("nothing-to-look-for.all", &[("readable", bytes(readable))])
            }
            Looked::NothingToLookFor { readable, unread } => {
                self.say("nothing-to-look-for", &[("readable", bytes(readable)), ("unread", bytes(unread))])
            }
            Looked::Unsearched { bytes: 0 } => self.say("nothing-sent", &[]),
            Looked::Unsearched { bytes: all } => self.say("unsearched", &[("bytes", bytes(all))]),
        }
    }

    /// That nothing was found: only of what was searched.
    pub fn absence(&self, bounded: &Bounded) -> String {
        let bytes = |bytes| Value::Said(self.exact(bytes));
        let searched = ("searched", bytes(bounded.searched()));
        match bounded.unsearched() {
            0 => self.say("absence.all", &[searched]),
            unsearched => self.say("absence", &[searched, ("unsearched", bytes(unsearched))]),
        }
    }

    /// What stands beside any ranking.
    pub fn fewer(&self) -> String {
        self.say("fewer", &[])
    }

    /// That there were more findings than are kept; nothing where there were not.
    pub fn untold(&self, count: u64) -> Option<String> {
        (count > 0).then(|| self.say("untold", &[("n", Value::Number(count))]))
    }

    /// That findings were muted; nothing where none was.
    pub fn muted(&self, count: u64) -> Option<String> {
        (count > 0).then(|| self.say("muted", &[("n", Value::Number(count))]))
    }

    /// The daily notice of what does not interrupt.
    pub fn digest(&self, count: u64) -> String {
        self.say("digest", &[("n", Value::Number(count))])
    }
}

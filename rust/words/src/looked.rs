//! What is said of what could be searched, and of what could not.

use telltale_model::{
    Bounded, Class, Coverage, DetailKind, Envelope, Grade, Looked, Told, What, is_disguised,
};

use crate::Words;
use crate::say::Value;

/// Of one app, one company, one span of time or all: what was found, and how far was looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Details that were sent, each counted once.
    pub details: u64,
    /// Of them, those that anyone on the way could read.
    pub open: u64,
    /// Of them, those that were not protected but disguised.
    pub disguised: u64,
    /// Every sent byte by how far it could be looked into.
    pub coverage: Coverage,
    /// Whether there were details to look for, in all of it.
    pub given: bool,
}

impl Summary {
    /// Of findings and of what they were found in.
    pub fn of<'a>(told: impl IntoIterator<Item = &'a Told>, coverage: Coverage, given: bool) -> Self {
        let mut sent: Vec<(Detail, Way)> = told.into_iter().filter_map(detail).collect();
        // The most open way of each counts.
        sent.sort_unstable();
        sent.dedup_by_key(|(detail, _)| *detail);
        let count = |way: Way| sent.iter().filter(|(_, known)| *known == way).count() as u64;
        let (open, disguised) = (count(Way::Open), count(Way::Disguised));
        Self { details: sent.len() as u64, open, disguised, coverage, given }
    }
}

/// Kind, and which of it.
type Detail = (DetailKind, u64);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Open,
    Disguised,
    Other,
}

/// What many people share, and what only looks like a detail, is none of yours.
fn detail(told: &Told) -> Option<(Detail, Way)> {
    let What::IdentifierSent { kind, detail: Some(name), grade: Grade::Yours, form } = &told.finding.what
    else {
        return None;
    };
    if matches!(kind, DetailKind::Name | DetailKind::Carrier | DetailKind::Ssid | DetailKind::Package) {
        return None;
    }
    let way = match told.finding.envelope {
        Envelope::None if is_disguised(form) => Way::Disguised,
        Envelope::None => Way::Open,
        Envelope::Tls | Envelope::Dtls | Envelope::Quic | Envelope::Unknown => Way::Other,
    };
    Some(((*kind, name.id), way))
}

impl Words {
    /// What comes first: how many details were sent, or what can be said instead.
    pub fn lead(&self, summary: &Summary) -> String {
        if summary.details == 0 {
            return self.looked(&Bounded::of(&summary.coverage, summary.given));
        }
        let n = |count| [("n", Value::Number(count))];
        let coverage = &summary.coverage;
        let unseen = [Class::Opaque, Class::Encrypted, Class::Unknown, Class::NotWatched];
        let all_seen = unseen.iter().all(|class| coverage.of(*class) == 0);
        let sent = if all_seen { "details-sent.exact" } else { "details-sent.at_least" };
        let mut said = vec![self.say(sent, &n(summary.details))];
        for (key, count) in
            [("details-sent.open", summary.open), ("details-sent.disguised", summary.disguised)]
        {
            said.extend((count > 0).then(|| self.say(key, &n(count))));
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

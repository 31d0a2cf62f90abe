//! Which app is meant, and what it is called.

use telltale_model::AppGroup;
use telltale_store::{KnownApp, Part};

use crate::seen::Seen;
use crate::{Room, answers};

/// Whoever could not be named.
pub(crate) const UNKNOWN: i64 = 0;

impl Seen {
    /// The app as it was seen last, for what a flow calls it.
    pub(crate) fn known(&self, program: Option<&str>, uid: Option<u32>) -> Option<&KnownApp> {
        let (program, uid) = (program.unwrap_or(""), uid?);
        self.apps.iter().find(|known| known.program == program && known.app.uid == uid)
    }

    pub(crate) fn id(&self, program: Option<&str>, uid: Option<u32>) -> i64 {
        self.known(program, uid).map_or(UNKNOWN, |known| known.id)
    }

    pub(crate) fn with_id(&self, id: i64) -> Option<&KnownApp> {
        self.apps.iter().find(|known| known.id == id)
    }

    /// What one app sent.
    pub(crate) fn parts_of(&self, id: i64) -> impl Iterator<Item = &Part> + Clone {
        self.parts.iter().filter(move |part| self.id(part.program.as_deref(), part.uid) == id)
    }

    pub(crate) fn group(&self, id: i64) -> AppGroup {
        self.with_id(id).map_or(AppGroup::Unknown, |known| known.app.group)
    }
}

impl Room<'_> {
    pub(crate) fn named(&self, seen: &Seen, id: i64) -> answers::App {
        let known = seen.with_id(id);
        let packages = known.map(|known| known.app.packages.clone()).unwrap_or_default();
        let group = seen.group(id).name();
        answers::App { id, name: self.name(known), packages, group }
    }

    /// Several names share a uid: nobody can tell which of them it was.
    pub(crate) fn name(&self, known: Option<&KnownApp>) -> String {
        let Some(known) = known else { return self.words.unknown_sender() };
        let names = &known.app.names;
        match names.split_first() {
            None if known.program.is_empty() => self.words.unknown_sender(),
            None => known.program.clone(),
            Some((first, [])) => first.clone(),
            Some((first, [second])) => self.words.either_app(first, second),
            Some((first, others)) => self.words.app_and_others(first, others.len() as u64),
        }
    }
}

//! The flows of a capture, on their way into a database.

use std::path::Path;

use telltale_model::{Flow, Timestamp};
use telltale_store::{Error, Run, Store, holds_something_else};

use crate::arguments::Database;
use crate::problem::{self, Problem};
use crate::since;

/// Flows of one transaction.
const BATCH: usize = 256;

/// A store for one capture, or none. Flows have numbers of their own in each capture, so each is a run.
pub(super) struct Keeping {
    store: Option<Store>,
    failure: Option<Error>,
    lost: usize,
}

impl Keeping {
    /// Opens the database for a capture of this name.
    ///
    /// # Errors
    /// A sentence where it cannot be used.
    pub(super) fn begin(database: &Database, capture: &str) -> Result<Self, Problem> {
        let path = database.path(|name| std::env::var_os(name))?;
        if let Some(other) = path.as_ref().filter(|path| holds_something_else(path)) {
            return Err(unusable(format!("{} is not a database", other.display())));
        }
        let command = format!("telltale replay {capture}");
        let run = Run { started: since::now(), command, version: env!("CARGO_PKG_VERSION").to_owned() };
        let store = path.map(|path| open(&path, run)).transpose()?;
        Ok(Self { store, failure: None, lost: 0 })
    }

    /// Keeps flows. What is older than the store keeps flows for is told by the capture's own clock: one
    /// of last year would be forgotten at once.
    pub(super) fn keep(&mut self, now: Timestamp, flows: &[Flow]) {
        let Some(store) = &mut self.store else { return };
        for batch in flows.chunks(BATCH) {
            if let Err(error) = store.commit(now.min(since::now()), batch) {
                self.lost += batch.len();
                self.failure.get_or_insert(error);
            }
        }
        // Each replay is a run of its own, and forgets all that is too old.
        while store.has_more_to_forget() && store.commit(now.min(since::now()), &[]).is_ok() {}
    }

    /// Says what could not be kept, if anything.
    pub(super) fn finish(self) {
        if let Some(error) = self.failure {
            problem::say(&format!("{} flows could not be kept: {error}", self.lost));
        }
    }
}

/// A damaged database is moved out of the way, and whose it is has to know where to.
fn open(path: &Path, run: Run) -> Result<Store, Problem> {
    let opened = Store::open(path, run).map_err(|error| unusable(error.to_string()))?;
    if let Some(aside) = &opened.set_aside {
        let (path, aside) = (path.display(), aside.display());
        problem::say(&format!(
            "the database {path} was damaged; it was moved to {aside}, and a new one begun"
        ));
    }
    Ok(opened.store)
}

fn unusable(what: String) -> Problem {
    Problem::new(what).advise("Name another file after --db, or leave --db out.")
}

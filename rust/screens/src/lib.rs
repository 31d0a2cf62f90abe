//! What each screen of the app shows, as JSON, with every sentence ready: the questions and commands of
//! docs/boundary.md that the database answers.
//!
//! [`Screens::answer`] takes a question and gives the answer's text. It knows nothing of what watches now; who calls
//! it adds that.

mod about;
mod alerts;
mod answers;
mod app;
mod apps;
mod commands;
mod coverage;
mod date;
mod details;
mod example;
mod failing;
mod finding;
mod minute;
mod question;
mod seen;
mod strong;
#[cfg(test)]
mod tests;
mod today;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use telltale_model::{Country, DetailKind, Timestamp};
use telltale_store::{Reader, Run, Store};
use telltale_watch::destinations::{Around, Destinations};
use telltale_words::Words;

use example::Example;
pub use question::Unanswered;
use question::{Ask, Common, Do, Question};
use seen::{Seen, Source};

/// Answers what screens ask.
#[derive(Debug)]
pub struct Screens<'a> {
    database: PathBuf,
    tables: Option<&'a Destinations>,
    around: Around,
    home: Option<Country>,
}

/// A detail that is looked for, as it may be shown: never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// What it is.
    pub kind: DetailKind,
    /// Which one of its kind, from 1 on.
    pub number: u16,
    /// Its id, by which findings name it ([`telltale_model::DetailName`]).
    pub id: u64,
    /// Its value with most of it hidden.
    pub masked: String,
}

/// What is looked for now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedFor {
    /// The person's own details.
    pub own: Vec<Sought>,
    /// Numbers and addresses of their contacts.
    pub contacts: usize,
}

impl<'a> Screens<'a> {
    /// Of the database in this file, which need not be there yet, on a phone with these companies around it,
    /// in this country.
    pub fn new(
        database: &Path,
        tables: Option<&'a Destinations>,
        around: Around,
        home: Option<Country>,
    ) -> Self {
        Self { database: database.to_owned(), tables, around, home }
    }

    /// Answers a question, or does what a command says.
    ///
    /// # Errors
    /// Where it is no question of docs/boundary.md, or the database cannot be used.
    pub fn answer(&self, question: &str, looked_for: &LookedFor) -> Result<String, Unanswered> {
        match Question::read(question)? {
            Question::Ask(ask, common) => self.ask(&ask, &common, looked_for),
            Question::Do(command) => self.act(&command),
        }
    }

    fn ask(&self, ask: &Ask, common: &Common, looked_for: &LookedFor) -> Result<String, Unanswered> {
        let words = Words::new(&common.locale);
        let room = Room {
            words: &words,
            tables: self.tables,
            around: self.around,
            home: self.home,
            common,
            looked_for,
        };
        let seen = |span| Seen::read(&self.database, span);
        match ask {
            Ask::Today(_) | Ask::App(_) | Ask::Finding(_) => {
                self.from(ask, &room, &Source::Database(&self.database))
            }
            Ask::Details => text(&room.details(&seen(common.span()?)?)),
            Ask::Notification => text(&room.notification(&seen(common.span()?)?)),
            Ask::Minute(minute) => {
                text(&room.minute(&Seen::begun(&self.database, Common::minute(minute.since))?))
            }
            Ask::Alerts => {
                let reader = Reader::open(&self.database)?;
                let before = reader.as_ref().map(Reader::interruptions).transpose()?.unwrap_or_default();
                text(&room.alerts(&Seen::told(&self.database, common.recent())?, &before))
            }
            Ask::Failing => match Reader::open(&self.database)? {
                Some(reader) => {
                    let seen = Seen { apps: reader.apps()?, ..Seen::default() };
                    text(&room.failing(&seen, &reader.failing(common.last_hour())?))
                }
                None => text(&room.failing(&Seen::default(), &[])),
            },
            Ask::Example(example) => self.example(&example.of),
        }
    }

    /// The screens that the example has too.
    fn from(&self, ask: &Ask, room: &Room<'_>, source: &Source<'_>) -> Result<String, Unanswered> {
        let common = room.common;
        match ask {
            Ask::Today(today) => text(&room.today(&source.seen(common.span()?)?, today)),
            Ask::App(which) => {
                let (seen, hours) = source.seen_of(which.app, common.span()?)?;
                text(&room.app(&seen, which.app, &hours)?)
            }
            Ask::Finding(which) => text(&room.finding(&source.told(common.all())?, &which.key)?),
            Ask::Details
            | Ask::Notification
            | Ask::Minute(_)
            | Ask::Alerts
            | Ask::Failing
            | Ask::Example(_) => Err(Unanswered::Question("the example has no such screen".into())),
        }
    }

    fn example(&self, of: &Value) -> Result<String, Unanswered> {
        let example = Example::new(self.tables)?;
        let Question::Ask(ask, common) = Question::of(example.question(of))? else {
            return Err(Unanswered::Question("nothing is done to the example".into()));
        };
        let words = Words::new(&common.locale);
        let (tables, around, looked_for) = (self.tables, self.around, &example.looked_for);
        let room = Room { words: &words, tables, around, home: self.home, common: &common, looked_for };
        self.from(&ask, &room, &Source::Flows(&example.flows))
    }

    fn act(&self, command: &Do) -> Result<String, Unanswered> {
        commands::act(self, command)?;
        Ok(serde_json::json!({"done": true}).to_string())
    }

    /// For what is about no flow: no run begins.
    fn store(&self) -> Store {
        let run = Run { started: Timestamp(0), command: String::new(), version: String::new() };
        Store::later(&self.database, run)
    }
}

/// What an answer is made with.
struct Room<'a> {
    words: &'a Words,
    tables: Option<&'a Destinations>,
    around: Around,
    home: Option<Country>,
    common: &'a Common,
    looked_for: &'a LookedFor,
}

fn text(answer: &impl Serialize) -> Result<String, Unanswered> {
    serde_json::to_value(answer)
        .map(|value: Value| value.to_string())
        .map_err(|error| Unanswered::Failed(error.to_string()))
}

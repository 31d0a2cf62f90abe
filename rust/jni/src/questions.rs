//! Questions and commands of the app, as docs/boundary.md lists them.

use std::fs;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use telltale_driver::wall;
use telltale_model::{Country, Event, Gap, GapReason, Observation, Timestamp};
use telltale_screens::{Screens, Unanswered};
use telltale_store::{Store, limits};

use crate::core::locked;
use crate::network::Transport;
use crate::{Core, Wrong, details, watching};

/// A question or a command. What the screens answer is theirs.
#[derive(Debug, Deserialize)]
struct Question {
    ask: Option<String>,
    r#do: Option<String>,
}

/// Something that happened on the phone.
#[derive(Debug, Deserialize)]
struct Happening {
    kind: String,
    at: i64,
}

/// A time in which nothing was watched.
#[derive(Debug, Deserialize)]
struct NotWatched {
    from: i64,
    to: i64,
    why: String,
}

impl Core {
    /// Answers a question, or does what a command says.
    ///
    /// # Errors
    /// Where there is no such question, or it cannot be answered now.
    pub fn query(&self, question: &str) -> Result<String, Wrong> {
        let Question { ask, r#do } = read(question)?;
        match (ask.as_deref(), r#do.as_deref()) {
            (Some("state"), None) => Ok(self.state().to_string()),
            (None, Some("event")) => self.event(&read(question)?),
            (None, Some("gap")) => self.gap(&read(question)?),
            _ => self.screen(question),
        }
    }

    /// What the screens answer, from the database.
    fn screen(&self, question: &str) -> Result<String, Wrong> {
        let looked_for = details::looked_for(&locked(&self.given));
        let code = self.config.country.as_deref().and_then(|code| code.as_bytes().try_into().ok());
        let home = code.and_then(Country::new);
        let screens = Screens::new(&self.config.database, self.tables.as_ref(), self.around, home);
        screens.answer(question, &looked_for).map_err(|error| match error {
            Unanswered::Question(why) => Wrong::Argument(why),
            Unanswered::Failed(why) => Wrong::Failed(why),
        })
    }

    fn state(&self) -> Value {
        let (live, network) = (self.live(), self.network());
        let online = network.transport != Transport::None;
        let stalled = live.as_ref().and_then(|live| live.controls.stalled()).filter(|_| online);
        json!({
            "watching": live.is_some(),
            "stalled": stalled.is_some_and(|stalled| stalled >= STALLED),
            "queue_lost": live.as_ref().map_or(0, |live| live.sender.dropped()),
            "since": live.map(|live| milliseconds(live.since)),
            "database": self.database(),
            "revision": self.pulse.revision(),
            "network": online,
            // Sockets for ourselves: there is no code that opens one.
            "own_connections": 0,
        })
    }

    fn database(&self) -> Value {
        let size = fs::metadata(&self.config.database).map_or(0, |about| about.len());
        json!({"size": size, "limit": limits::FILE_BYTES, "findings_days": limits::FINDING_DAYS})
    }

    /// Rules that look at what follows an event hear of it; where nobody watches there is nothing that follows.
    fn event(&self, Happening { kind, at }: &Happening) -> Result<String, Wrong> {
        if kind == UNLOCKED {
            self.pulse.beat();
            return done();
        }
        let Ok(event) = kind.replace('-', "_").parse::<Event>() else {
            return Err(Wrong::Argument("there is no such event".into()));
        };
        if let Some(mut live) = self.live() {
            live.sender.tell(Observation::Happened { event, at: timestamp(*at) });
            live.sender.hand_over();
        }
        done()
    }

    fn gap(&self, NotWatched { from, to, why }: &NotWatched) -> Result<String, Wrong> {
        let Ok(why) = why.parse::<GapReason>() else {
            return Err(Wrong::Argument("there is no such reason for a gap".into()));
        };
        if from > to {
            return Err(Wrong::Argument("a gap cannot end before it begins".into()));
        }
        let gap = Gap { from: timestamp(*from), to: timestamp(*to), why };
        let store = Store::later(&self.config.database, watching::run(wall()));
        store.note_gap(&gap).map_err(|error| Wrong::Failed(error.to_string()))?;
        self.pulse.beat();
        done()
    }
}

/// When apps have tried for so long and nothing at all came back, it is the tunnel that is in their way, or the
/// network: a lost segment is repeated five times in 30 s.
const STALLED: Duration = Duration::from_secs(30);

/// The phone was unlocked after it was started: apps can only send more from then on, which no rule looks at.
const UNLOCKED: &str = "unlocked";

fn read<'a, T: Deserialize<'a>>(question: &'a str) -> Result<T, Wrong> {
    serde_json::from_str(question).map_err(|error| Wrong::json("the question", &error))
}

fn done() -> Result<String, Wrong> {
    Ok(json!({"done": true}).to_string())
}

/// Milliseconds, as Android counts, in microseconds, as we do.
fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp(milliseconds.saturating_mul(1_000))
}

fn milliseconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000)
}

//! What was typed after `telltale mute` and `telltale unmute`.

use lexopt::{Arg, Parser, ValueExt};

use super::{Database, Request, database, unclear, value};
use crate::help::Topic;
use crate::problem::Problem;

/// Which findings are told, and which are not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MuteOptions {
    /// Whose findings; never [`Database::Nothing`].
    pub(crate) database: Database,
    /// What is to be done.
    pub(crate) change: Change,
}

/// What becomes of the findings with these keys, and of those like them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing: what is muted is listed.
    List,
    /// They are told no more. Never empty.
    Mute(Vec<String>),
    /// They are told again. Never empty.
    Unmute(Vec<String>),
    /// All are told again.
    UnmuteAll,
}

/// Reads what follows `mute`.
pub(super) fn mute(parser: Parser) -> Result<Request, Problem> {
    let Some(Typed { database, keys, .. }) = typed(parser, false)? else {
        return Ok(Request::Help(Topic::Mute));
    };
    let change = if keys.is_empty() { Change::List } else { Change::Mute(keys) };
    Ok(Request::Mute(MuteOptions { database, change }))
}

/// Reads what follows `unmute`.
pub(super) fn unmute(parser: Parser) -> Result<Request, Problem> {
    let Some(Typed { database, keys, all }) = typed(parser, true)? else {
        return Ok(Request::Help(Topic::Mute));
    };
    let change = match (keys.is_empty(), all) {
        (true, true) => Change::UnmuteAll,
        (false, false) => Change::Unmute(keys),
        (true, false) | (false, true) => {
            return Err(Problem::new("the keys of what is to be told again are needed, or --all")
                .advise("What is muted: telltale mute."));
        }
    };
    Ok(Request::Mute(MuteOptions { database, change }))
}

struct Typed {
    database: Database,
    keys: Vec<String>,
    all: bool,
}

/// None where help was asked for.
fn typed(mut parser: Parser, takes_all: bool) -> Result<Option<Typed>, Problem> {
    let mut typed = Typed { database: Database::Usual, keys: Vec::new(), all: false };
    while let Some(argument) = parser.next().map_err(|error| unclear(&error, Topic::Mute))? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("db") => typed.database = database(value(&mut parser, Topic::Mute)?)?,
            Arg::Long("all") if takes_all => typed.all = true,
            Arg::Value(key) => typed.keys.push(key.string().map_err(|error| unclear(&error, Topic::Mute))?),
            Arg::Short(_) | Arg::Long(_) => return Err(unclear(&argument.unexpected(), Topic::Mute)),
        }
    }
    if typed.database == Database::Nothing {
        return Err(
            Problem::new("\"--db none\" leaves nothing to mute").advise("Name a file, or leave --db out.")
        );
    }
    Ok(Some(typed))
}

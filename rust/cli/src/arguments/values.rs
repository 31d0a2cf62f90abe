//! What stands after an option: read, or refused with a sentence.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Parser, ValueExt};

use super::{Database, Sink};
use crate::help::Topic;
use crate::problem::Problem;

/// Who does not watch has nothing to show or to keep: what was asked for besides would be missed.
pub(super) fn unwatched(options: &[(&str, bool)]) -> Result<(), Problem> {
    match options.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Problem::new(format!("\"{option}\" and \"--no-watch\" exclude each other"))
            .advise("With --no-watch nothing is seen, so there is nothing to show or to keep.")),
        None => Ok(()),
    }
}

pub(super) fn database(value: OsString) -> Result<Database, Problem> {
    if value.is_empty() {
        return Err(Problem::new("--db needs the name of a file").advise("For example: --db ./telltale.db"));
    }
    Ok(if value == "none" { Database::Nothing } else { Database::File(value.into()) })
}

pub(super) fn file(option: &str, value: OsString) -> Result<PathBuf, Problem> {
    if value.is_empty() {
        let example = option.trim_start_matches('-');
        return Err(Problem::new(format!("{option} needs the name of a file"))
            .advise(format!("For example: {option} ./{example}.txt")));
    }
    Ok(value.into())
}

pub(super) fn maker(name: String) -> Result<String, Problem> {
    if name.is_empty() {
        return Err(Problem::new("--maker needs the name of who made the phone")
            .advise("For example: --maker Xiaomi"));
    }
    Ok(name)
}

/// A number is a descriptor, as in the shell's `3>`; a file with such a name is written `./3`.
pub(super) fn sink(value: OsString) -> Result<Sink, Problem> {
    match value.to_str() {
        Some("none") => Ok(Sink::Nothing),
        Some("") => Err(Problem::new("--report needs the name of a file, or the number of a descriptor")
            .advise("Or write no report with --report none.")),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(digits.parse().map_or_else(|_| Sink::File(digits.into()), Sink::Descriptor))
        }
        _ => Ok(Sink::File(value.into())),
    }
}

pub(super) fn app(name: String) -> Result<String, Problem> {
    if name.is_empty() {
        return Err(Problem::new("--app needs the name of a program").advise("For example: --app curl"));
    }
    Ok(name)
}

pub(super) fn port(value: OsString) -> Result<u16, Problem> {
    let port = value.to_str().and_then(|digits| digits.parse().ok()).filter(|port| *port != 0);
    port.ok_or_else(|| {
        Problem::new(format!("\"{}\" is not a port", value.to_string_lossy()))
            .advise("--loopback takes one port number from 1 to 65535; give it again for more ports.")
    })
}

pub(super) fn value(parser: &mut Parser, topic: Topic) -> Result<OsString, Problem> {
    parser.value().map_err(|error| unclear(&error, topic))
}

pub(super) fn text(parser: &mut Parser, topic: Topic) -> Result<String, Problem> {
    value(parser, topic)?.string().map_err(|error| unclear(&error, topic))
}

pub(super) fn unclear(error: &lexopt::Error, topic: Topic) -> Problem {
    let happened = match error {
        lexopt::Error::UnexpectedOption(option) => format!("unknown option \"{option}\""),
        lexopt::Error::UnexpectedArgument(word) => {
            format!("\"{}\" was not expected here", word.to_string_lossy())
        }
        lexopt::Error::MissingValue { option: Some(option) } => {
            format!("\"{option}\" needs a value after it")
        }
        lexopt::Error::UnexpectedValue { option, .. } => format!("\"{option}\" takes no value"),
        lexopt::Error::MissingValue { option: None }
        | lexopt::Error::ParsingFailed { .. }
        | lexopt::Error::NonUnicodeValue(_)
        | lexopt::Error::Custom(_) => error.to_string(),
    };
    Problem::new(happened).advise(format!("All options: {}.", topic.command()))
}

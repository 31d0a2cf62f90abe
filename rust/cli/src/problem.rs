//! What went wrong, in words for the person who typed the command.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// The exit code of Telltale's own failures, as `env`, `nice` and `timeout` have it: COMMAND's own
/// codes stay free.
pub(crate) const OWN_FAILURE: u8 = 125;

/// What happened, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    happened: String,
    advice: Option<String>,
}

impl Problem {
    /// Something that happened, as a part of a sentence without a full stop.
    pub(crate) fn new(happened: impl Into<String>) -> Self {
        Self { happened: happened.into(), advice: None }
    }

    /// The same, with what to do about it.
    pub(crate) fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    /// What happened, without what to do.
    pub(crate) fn happened(&self) -> &str {
        &self.happened
    }

    /// Says it on stderr and gives the exit code of an own failure.
    pub(crate) fn tell(&self) -> ExitCode {
        say(&self.to_string());
        ExitCode::from(OWN_FAILURE)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.happened)?;
        match &self.advice {
            Some(advice) => write!(f, "\n          {advice}"),
            None => Ok(()),
        }
    }
}

/// One message on stderr, with the program's name before it. A closed stderr is nobody's problem.
pub(crate) fn say(message: &str) {
    let _closed = writeln!(io::stderr(), "telltale: {message}");
}

/// What the system said, without its number ("(os error 13)"), which tells a reader nothing.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_happened_and_below_it_what_to_do() {
        let problem = Problem::new("unknown option \"--foo\"").advise("See telltale run --help.");
        assert_eq!(problem.to_string(), "unknown option \"--foo\"\n          See telltale run --help.");
        assert_eq!(Problem::new("no tun").to_string(), "no tun");
    }

    #[test]
    fn a_reason_has_no_number() {
        assert_eq!(reason(&io::Error::from_raw_os_error(13)), "Permission denied");
        assert_eq!(reason(&io::Error::other("it broke")), "it broke");
    }
}

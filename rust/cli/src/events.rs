//! What happened on the phone: a file that says it, one event a line, of a capture or while it is written.

mod live;

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use telltale_model::{Event, Timestamp};

use crate::problem::{Problem, reason};
use crate::since::Since;

pub(crate) use live::LiveEvents;

/// Events in the order of their moments.
pub(crate) type Events = VecDeque<(Timestamp, Event)>;

/// Reads `TIME EVENT` lines; empty ones and those that begin with `#` are passed over.
///
/// # Errors
/// A sentence that names the line.
pub(crate) fn read(path: &Path) -> Result<Events, Problem> {
    let text = fs::read_to_string(path)
        .map_err(|error| Problem::new(format!("{} cannot be read: {}", path.display(), reason(&error))))?;
    parse(&text).map_err(|(line, why)| {
        Problem::new(format!("{}, line {line}: {why}", path.display())).advise(
            "Each line is a time and an event, as in: 2026-11-24T15:00:00Z contact_added. \
             Times may be seconds since 1970.",
        )
    })
}

fn parse(text: &str) -> Result<Events, (usize, String)> {
    let mut events = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        events.extend(event(line).map_err(|why| (number, why))?);
    }
    events.sort_by_key(|(at, _)| *at);
    Ok(events.into())
}

/// What one line says; nothing where it is empty or a comment.
fn event(line: &str) -> Result<Option<(Timestamp, Event)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (time, event) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let at = moment(time).ok_or_else(|| format!("\"{time}\" is not a time"))?;
    Ok(Some((at, event.trim().parse()?)))
}

/// RFC 3339, or seconds since 1970 as `telltale replay` writes them.
fn moment(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(seconds) && digits(fraction) && (1..=11).contains(&seconds.len()) && fraction.len() <= 6 {
        return format!("{seconds}{fraction:0<6}").parse().ok().map(Timestamp);
    }
    match Since::parse(text) {
        Ok(Since::At(at)) => Some(at),
        Ok(Since::Ago(_)) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_in_the_order_of_their_times() {
        let text = "# a check-up\n\n1795532401.5 contact_added\n2026-11-24T15:00:00Z  quiet\n";
        let at = |micros: i64| Timestamp(1_795_532_400_000_000 + micros);
        let expected = [(at(0), Event::Quiet), (at(1_500_000), Event::ContactAdded)];
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        for (text, line, why) in [
            ("5 boot\nsoon boot", 2, "\"soon\" is not a time"),
            ("1h boot", 1, "\"1h\" is not a time"),
            ("#\n5 party", 2, "there is no event called \"party\""),
            ("5", 1, "there is no event called \"\""),
        ] {
            assert_eq!(parse(text), Err((line, why.to_owned())));
        }
    }
}

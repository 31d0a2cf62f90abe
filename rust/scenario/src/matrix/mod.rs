//! The proof of the search: every kind of detail in every form in every container, as a table; the same for the
//! rules of others; and flows that hold nothing of anybody.

mod cell;
pub mod clean;
mod encode;
mod places;
mod rivals;

use std::collections::BTreeMap;
use std::fmt::Write;

use cell::{CONTAINERS, FORMS, Message, VALUES, Written};
use telltale_model::{Details, Direction, FlowKey, Form, Grade, Hit, Protocol, Timestamp};
use telltale_watch::Conversation;
use telltale_watch::search::{Needles, Part, Piece, Room};

/// How much of a message was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Whole,
    /// All up to the end of the value.
    BeginningOnly,
    /// All of it, in segments of a connection that cut it anywhere.
    InSegments,
}

/// What came of one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Found,
    /// Found as something else, or not at all.
    Wrong(String),
    /// Known not to be found: docs/findings.md.
    Unsupported,
}

/// The table, and how many cells of it there are.
#[derive(Debug, Default)]
pub struct Matrix {
    /// Found, with the right form and in the right field.
    pub found: usize,
    /// Known not to be found.
    pub unsupported: usize,
    /// Places that were found so; they are in no row.
    pub places: usize,
    /// What should have been found, a line each.
    pub wrong: Vec<String>,
    /// For each form and container: found, of supported.
    rows: BTreeMap<(usize, usize), (usize, usize)>,
    /// For each form: of supported, found by us, by AntMonitor's rule, by PrivacyGuard's.
    rivals: BTreeMap<usize, [usize; 4]>,
}

impl Matrix {
    /// Fills the whole table.
    pub fn run() -> Self {
        let details = cell::all();
        let needles = Needles::new(&details);
        let mut room = Room::default();
        let mut matrix = Self::default();
        for (kind, value) in VALUES {
            for (row, form) in FORMS.into_iter().enumerate() {
                let Some((written, steps)) = form.write(kind, value) else {
                    matrix.unsupported += CONTAINERS.len();
                    continue;
                };
                let messages = CONTAINERS.map(|container| container.put(&written));
                // The same in the same field is told once a connection: neighbours of a kind go over two.
                let mut connections =
                    [0, 1].map(|first| connection(&details, messages.iter().skip(first).step_by(2)));
                for ((column, container), message) in CONTAINERS.into_iter().enumerate().zip(&messages) {
                    let supported = container.supports(kind, form, &written);
                    for seen in [Seen::Whole, Seen::BeginningOnly, Seen::InSegments] {
                        let hits = match seen {
                            Seen::InSegments => connections
                                .get_mut(column % 2)
                                .and_then(|connection| connection.next(message)),
                            Seen::Whole | Seen::BeginningOnly => search(&needles, &mut room, message, seen),
                        };
                        let Some(hits) = hits else { continue };
                        let expected = [steps.as_slice(), &message.forms].concat();
                        // Whether a word is all of a field is not known before the field ends.
                        let cut = seen == Seen::BeginningOnly && cell::is_word(kind, form);
                        let outcome = if supported && !cut {
                            judge(&hits, kind, &expected, &message.field, form)
                        } else {
                            Outcome::Unsupported
                        };
                        let title =
                            || format!("{} {} {} {seen:?}", kind.name(), form.name(), container.name());
                        matrix.count((row, column), outcome, title);
                    }
                    if supported {
                        let rivals = [rivals::ant_monitor, rivals::privacy_guard]
                            .map(|rule| rule(kind, value, &message.bytes()));
                        let counts = matrix.rivals.entry(row).or_default();
                        counts[0] += 1;
                        let ours = search(&needles, &mut room, message, Seen::Whole)
                            .is_some_and(|hits| hits.iter().any(|hit| hit.kind == kind));
                        counts[1] += usize::from(ours);
                        counts[2] += usize::from(rivals[0]);
                        counts[3] += usize::from(rivals[1]);
                    }
                }
            }
        }
        matrix.run_places();
        matrix
    }

    /// Places have forms of their own.
    fn run_places(&mut self) {
        let details = places::details();
        let (needles, mut room) = (Needles::new(&details), Room::default());
        for cell in places::all() {
            let whole = search(&needles, &mut room, &cell.message, Seen::Whole);
            let in_segments = connection(&details, std::iter::once(&cell.message)).next(&cell.message);
            for hits in [whole, in_segments].into_iter().flatten() {
                match cell.wrong(&hits) {
                    _ if !cell.supported => self.unsupported += 1,
                    Some(wrong) => self.wrong.push(wrong),
                    None => self.places += 1,
                }
            }
        }
    }

    fn count(&mut self, at: (usize, usize), outcome: Outcome, title: impl Fn() -> String) {
        let cell = self.rows.entry(at).or_default();
        match outcome {
            Outcome::Found => {
                self.found += 1;
                cell.0 += 1;
                cell.1 += 1;
            }
            Outcome::Wrong(what) => {
                cell.1 += 1;
                self.wrong.push(format!("{}: {what}", title()));
            }
            Outcome::Unsupported => self.unsupported += 1,
        }
    }

    /// Cells in all.
    pub fn cells(&self) -> usize {
        self.found + self.places + self.unsupported + self.wrong.len()
    }

    /// Forms down, containers across: found of supported; a hyphen where nothing is supported.
    pub fn table(&self) -> String {
        let mut table = String::new();
        for (number, container) in CONTAINERS.iter().enumerate() {
            let _ = writeln!(table, "{:>2} {}", number + 1, container.name());
        }
        let _ = write!(table, "\n{:<18}", "");
        for number in 1..=CONTAINERS.len() {
            let _ = write!(table, "{number:>7}");
        }
        for (row, form) in FORMS.iter().enumerate() {
            let _ = write!(table, "\n{:<18}", form.name());
            for column in 0..CONTAINERS.len() {
                let cell = match self.rows.get(&(row, column)) {
                    Some((found, supported)) if *supported > 0 => format!("{found}/{supported}"),
                    _ => "-".to_owned(),
                };
                let _ = write!(table, "{cell:>7}");
            }
        }
        let _ = write!(
            table,
            "\n\n{} cells: {} found, {} of them places, {} not supported",
            self.cells(),
            self.found + self.places,
            self.places,
            self.unsupported
        );
        let _ = writeln!(table, ", {} wrong", self.wrong.len());
        table
    }

    /// How much of what is supported each program's rules find.
    pub fn rivals(&self) -> String {
        let mut table =
            format!("{:<18}{:>10}{:>12}{:>14}{:>10}\n", "", "Telltale", "AntMonitor", "PrivacyGuard", "of");
        let mut sums = [0; 4];
        for (row, form) in FORMS.iter().enumerate() {
            let counts = self.rivals.get(&row).copied().unwrap_or_default();
            let [all, ours, ant_monitor, privacy_guard] = counts;
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            let _ =
                writeln!(table, "{:<18}{ours:>10}{ant_monitor:>12}{privacy_guard:>14}{all:>10}", form.name());
        }
        let _ = writeln!(table, "{:<18}{:>10}{:>12}{:>14}{:>10}", "all", sums[1], sums[2], sums[3], sums[0]);
        table
    }
}

/// The hits in a message; `None` where it cannot be seen so.
fn search(needles: &Needles, room: &mut Room, message: &Message, seen: Seen) -> Option<Vec<Hit>> {
    let mut message = message.clone();
    if seen == Seen::BeginningOnly {
        let end = message.end?;
        message.body.as_mut()?.truncate(end);
    }
    let fields: Vec<_> =
        message.fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    let mut parts = vec![];
    if !message.target.is_empty() {
        parts.push(Part::Head { method: b"POST", target: &message.target, fields: &fields });
    }
    if let Some(bytes) = &message.body {
        let (media, coding) = (message.media.map(str::as_bytes), message.coding.map(str::as_bytes));
        parts.push(Part::Body { media, coding, bytes });
    }
    parts.extend(message.message.as_deref().map(Part::Message));
    parts.extend(message.question.as_deref().map(Part::Question));
    let at = Timestamp(1_790_000_000_000_000);
    let ends = seen == Seen::Whole;
    let pieces = parts.into_iter().map(|part| Piece { part, begins: true, ends, offset: 0, at });
    let candidates: Vec<_> = pieces.flat_map(|piece| needles.search(&piece, room).candidates).collect();
    Some(needles.judge(&candidates, &[]).hits)
}

/// The hits of a connection, by the requests that they are of.
struct Connection {
    hits: Vec<Hit>,
    requests: u32,
}

/// Sends all messages that are requests over one connection, one after the other.
fn connection<'a>(details: &Details, messages: impl Iterator<Item = &'a Message>) -> Connection {
    let key = FlowKey {
        protocol: Protocol::Tcp,
        app: ([198, 19, 84, 1], 4_000).into(),
        remote: ([192, 0, 2, 7], 80).into(),
    };
    let mut conversation = Conversation::looking_for(key, details);
    let sent: Vec<u8> = messages.filter_map(Message::request).flatten().collect();
    let mut rest = sent.as_slice();
    for length in (1..=23).cycle() {
        let Some((segment, after)) = rest.split_at_checked(length) else { break };
        conversation.take(Direction::Sent, segment);
        rest = after;
    }
    conversation.take(Direction::Sent, rest);
    conversation.end();
    Connection { hits: conversation.facts().hits.clone(), requests: 0 }
}

impl Connection {
    /// Those of the next message; `None` where it is no request.
    fn next(&mut self, message: &Message) -> Option<Vec<Hit>> {
        message.request()?;
        self.requests += 1;
        let of_this = |hit: &&Hit| hit.request == Some(self.requests - 1);
        Some(self.hits.iter().filter(of_this).cloned().collect())
    }
}

fn judge(
    hits: &[Hit],
    kind: telltale_model::DetailKind,
    expected: &[Form],
    field: &str,
    form: Written,
) -> Outcome {
    let told = hits
        .iter()
        .map(|hit| format!("{} {:?} {}", hit.kind.name(), hit.form, hit.field))
        .collect::<Vec<_>>()
        .join("; ");
    let grade = if form.needs_telling() { Grade::LooksLike } else { Grade::Yours };
    let right = hits.iter().any(|hit| {
        hit.kind == kind && hit.field == field && hit.grade == grade && same_forms(&hit.form, expected)
    });
    let others = hits.iter().any(|hit| hit.kind != kind);
    match (right, others) {
        (true, false) => Outcome::Found,
        _ => Outcome::Wrong(format!("{told} instead of {expected:?} {field}")),
    }
}

/// Whether they are the same. What both alphabets of Base64 write alike may be either; containers that are
/// percent-encoded may encode letters of the value.
fn same_forms(found: &[Form], expected: &[Form]) -> bool {
    let plain = |forms: &[Form]| {
        let alike = |form: &Form| if *form == Form::Base64Url { Form::Base64 } else { *form };
        forms.iter().map(alike).collect::<Vec<_>>()
    };
    let (found, expected) = (plain(found), plain(expected));
    let without =
        |forms: &[Form]| forms.iter().filter(|form| **form != Form::Percent).copied().collect::<Vec<_>>();
    let percents = |forms: &[Form]| forms.len() - without(forms).len();
    without(&found) == without(&expected) && percents(&found) >= percents(&expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_supported_is_found() {
        let matrix = Matrix::run();
        assert!(matrix.cells() >= 5_000, "{} cells", matrix.cells());
        assert!(
            matrix.wrong.is_empty(),
            "{} wrong, such as {:#?}",
            matrix.wrong.len(),
            matrix.wrong.iter().take(20).collect::<Vec<_>>()
        );
    }

    #[test]
    fn clean_flows_hold_nothing_of_anybody() {
        let clean = clean::Clean::run(10_000, 1);
        assert_eq!(clean.yours, 0);
        assert!(clean.looks_like * 1_000 < clean.flows, "{clean:?}");
    }
}

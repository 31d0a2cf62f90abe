//! The table for people: who sent how much to whom.

use std::collections::{BTreeMap, BTreeSet};

use telltale_model::Protocol;
use telltale_watch::Sum;

use crate::rows::{Row, Rows};

/// What there is room for. Without a terminal nothing is ever cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// Columns of the terminal.
    pub(crate) width: Option<usize>,
    /// Lines of the terminal.
    pub(crate) height: Option<usize>,
}

/// The table as text, each line with its line feed. Nothing seen is a sentence.
pub(crate) fn render(rows: &Rows, room: Room) -> String {
    if rows.is_empty() {
        return "No network traffic was seen.\n".to_owned();
    }
    let mut lines = body(rows, room.height);
    lines.insert(0, HEADER.map(str::to_owned));
    if lines.len() > 2 {
        lines.push(line("total".into(), String::new(), rows.total()));
    }
    layout(lines, room.width)
}

/// The terminal behind this stream, if it is one.
pub(crate) fn room(stream: impl std::os::fd::AsFd) -> Room {
    let Ok(size) = rustix::termios::tcgetwinsize(stream) else { return Room::default() };
    // A terminal that does not know its size says 0.
    let known = |cells: u16| (cells > 0).then_some(usize::from(cells));
    Room { width: known(size.ws_col), height: known(size.ws_row) }
}

const HEADER: [&str; 5] = ["PROGRAM", "DESTINATION", "SENT", "RECEIVED", "FLOWS"];
const GAP: &str = "  ";

/// A column of names is not cut below this, however narrow the terminal.
const NARROWEST: usize = 12;

/// Header, total, a line for the rest, and the line on which the cursor stays.
const LINES_AROUND: usize = 4;

type Cells = [String; 5];

fn body(rows: &Rows, height: Option<usize>) -> Vec<Cells> {
    let shown = height.map_or(usize::MAX, |height| height.saturating_sub(LINES_AROUND).max(1));
    let names = program_names(&rows.rows);
    let mut lines: Vec<Cells> = rows
        .rows
        .iter()
        .take(shown)
        .map(|row| line(program(row, &names), destination(row), row.sum))
        .collect();
    if rows.others != Sum::default() {
        lines.push(line("(others)".into(), "(too many to list)".into(), rows.others));
    }
    if let Some(hidden) = rows.rows.len().checked_sub(shown).filter(|hidden| *hidden > 0) {
        let mut more = Cells::default();
        more[0] = format!("({hidden} more)");
        lines.push(more);
    }
    lines
}

fn line(program: String, destination: String, sum: Sum) -> Cells {
    let traffic = sum.traffic;
    [program, destination, number(traffic.bytes_sent), number(traffic.bytes_received), number(sum.flows)]
}

/// File names, where no two programs share one; those that do keep their whole path.
fn program_names(rows: &[Row]) -> BTreeMap<&str, &str> {
    let paths: BTreeSet<&str> = rows.iter().filter_map(|row| row.program.as_deref()).collect();
    let mut sharers: BTreeMap<&str, usize> = BTreeMap::new();
    for path in &paths {
        *sharers.entry(file_name(path)).or_default() += 1;
    }
    let is_shared = |path: &str| sharers.get(file_name(path)).is_some_and(|count| *count > 1);
    paths.into_iter().map(|path| (path, if is_shared(path) { path } else { file_name(path) })).collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(path)
}

fn program(row: &Row, names: &BTreeMap<&str, &str>) -> String {
    match (&row.program, row.uid) {
        (Some(path), _) => printable(names.get(path.as_str()).copied().unwrap_or(path)),
        (None, Some(uid)) => format!("(uid {uid})"),
        (None, None) => "(unknown)".into(),
    }
}

fn destination(row: &Row) -> String {
    let host = row.name.as_deref().map_or_else(|| row.remote.ip().to_string(), printable);
    match row.protocol {
        Protocol::Icmp => format!("{host} icmp"),
        Protocol::Tcp | Protocol::Udp => format!("{host} {}/{}", row.remote.port(), row.protocol.name()),
    }
}

/// Names come from the network and from files. What could steer a terminal, or turn the direction of
/// writing so that one name looks like another, is shown as its number.
fn printable(text: &str) -> String {
    text.chars().map(|c| if steers(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

fn steers(c: char) -> bool {
    let invisible = ['\u{61c}', '\u{feff}'].contains(&c)
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
        || ('\u{2060}'..='\u{2069}').contains(&c);
    c.is_control() || invisible
}

/// `1234567` as `1,234,567`.
fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn layout(lines: Vec<Cells>, width: Option<usize>) -> String {
    let [program, destination, sent, received, flows] = widths(&lines, width);
    let mut text = String::new();
    for [name, host, out, back, count] in lines {
        let names = [
            format!("{:<program$}", fit(&name, program)),
            format!("{:<destination$}", fit(&host, destination)),
        ];
        let numbers = [format!("{out:>sent$}"), format!("{back:>received$}"), format!("{count:>flows$}")];
        let line = [names.join(GAP), numbers.join(GAP)].join(GAP);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The widest cell of each column; where they do not fit, the two columns of names share what the
/// numbers leave.
fn widths(lines: &[Cells], width: Option<usize>) -> [usize; 5] {
    let widest = |column: usize| {
        lines.iter().filter_map(|cells| cells.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let [mut program, mut destination, sent, received, flows] = [0, 1, 2, 3, 4].map(widest);
    if let Some(width) = width {
        let left = width.saturating_sub(sent + received + flows + 4 * GAP.len());
        if program + destination > left {
            program = program.min((left / 3).max(NARROWEST));
            destination = destination.min(left.saturating_sub(program).max(NARROWEST));
        }
    }
    [program, destination, sent, received, flows]
}

/// Cut on the left: the end of a name says whose it is, the end of a path which program.
fn fit(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let end: String = text.chars().skip(length - width + 1).collect();
    format!("\u{2026}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::{sample, sum};

    #[test]
    fn the_table_reads_like_this() {
        let expected = "\
PROGRAM     DESTINATION                  SENT  RECEIVED  FLOWS
curl        shop.example 443/tcp    1,234,567        89      3
ping        2001:db8::7 icmp              168       168      1
(uid 1000)  system resolver 53/udp         64       128      2
total                               1,234,799       385      6
";
        assert_eq!(render(&sample(), Room::default()), expected);
    }

    #[test]
    fn nothing_seen_is_a_sentence_and_one_row_needs_no_total() {
        assert_eq!(render(&Rows::default(), Room::default()), "No network traffic was seen.\n");
        let one = Rows { rows: sample().rows.into_iter().take(1).collect(), ..Rows::default() };
        assert_eq!(render(&one, Room::default()).lines().count(), 2);
    }

    #[test]
    fn a_narrow_terminal_keeps_the_ends_of_names() {
        let mut rows = sample();
        rows.rows[0].name = Some("a-very-long-name.of-some-server.in-a-cloud.shop.example".into());
        let text = render(&rows, Room { width: Some(64), height: None });
        assert!(text.contains("\u{2026}ud.shop.example 443/tcp"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 64), "{text}");
        let whole = render(&rows, Room::default());
        assert!(whole.contains("a-very-long-name.of-some-server.in-a-cloud.shop.example 443/tcp"));
    }

    #[test]
    fn a_low_terminal_says_how_many_rows_it_leaves_out() {
        let room = Room { width: None, height: Some(5) };
        let text = render(&sample(), room);
        assert_eq!(text.lines().nth(2), Some("(2 more)"));
        assert_eq!(text.lines().last().map(|total| total.contains("1,234,799")), Some(true));
        assert!(text.lines().count() < 5);
    }

    #[test]
    fn others_have_a_line() {
        let rows = Rows { others: sum(5, 6, 7), ..sample() };
        assert!(render(&rows, Room::default()).contains("(others)    (too many to list)"));
    }

    #[test]
    fn programs_that_share_a_file_name_are_told_apart() {
        let mut rows = sample();
        rows.rows[1].program = Some("/opt/bin/curl".into());
        let text = render(&rows, Room::default());
        assert!(text.contains("/usr/bin/curl  ") && text.contains("/opt/bin/curl  "), "{text}");
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        let mut rows = sample();
        rows.rows[0].program = Some("/tmp/\u{1b}[2Jcu\u{202e}rl\n".into());
        rows.rows[0].name = Some("evil\r.example".into());
        let text = render(&rows, Room::default());
        assert!(text.contains("\\u{1b}[2Jcu\\u{202e}rl\\u{a}  evil\\u{d}.example 443/tcp"), "{text}");
    }

    #[test]
    fn numbers_are_exact() {
        for (value, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (u64::MAX, "18,446,744,073,709,551,615")]
        {
            assert_eq!(number(value), text);
        }
    }
}

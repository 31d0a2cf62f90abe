//! The table for people: who sent how much to whom, and what can be said of it.

use std::collections::{BTreeMap, BTreeSet};

use telltale_watch::destinations::Destinations;
use telltale_watch::{Contact, Sum, contacts};
use telltale_words::printable;

use crate::rows::Rows;
use crate::{findings, words};

/// What there is room for. Without a terminal nothing is ever cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// Columns of the terminal.
    pub(crate) width: Option<usize>,
    /// Lines of the terminal.
    pub(crate) height: Option<usize>,
}

/// How the table is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    /// What there is room for. Where there is an end to the height, nothing but the table is shown.
    pub(crate) room: Room,
    /// Whether each destination is shown too.
    pub(crate) details: bool,
    /// What names companies and networks.
    pub(crate) tables: Option<&'a Destinations>,
}

impl<'a> View<'a> {
    /// Without details.
    pub(crate) fn new(room: Room, tables: Option<&'a Destinations>) -> Self {
        Self { room, details: false, tables }
    }

    fn is_live(&self) -> bool {
        self.room.height.is_some()
    }

    fn nothing(&self) -> &'static str {
        if self.is_live() { "No network traffic yet.\n" } else { "No network traffic was seen.\n" }
    }
}

/// The table as text, each line with its line feed. Nothing seen is a sentence.
pub(crate) fn render(rows: &Rows, view: &View<'_>) -> String {
    if rows.is_empty() {
        return view.nothing().to_owned();
    }
    let mut lines = found(rows, view);
    lines.push(Line::Cells(HEADER.map(str::to_owned)));
    lines.extend(body(rows, view));
    if lines.iter().filter(|line| matches!(line, Line::Cells(_))).count() > 2 {
        let sums = rows.rows.iter().map(|row| &row.sum).chain([&rows.others]);
        lines.push(Line::Cells(cells("total".into(), String::new(), &rows.total(), words::content(sums))));
        if !view.is_live() {
            lines.push(Line::Words { indent: 0, text: findings::words().fewer() });
        }
    }
    if !view.is_live() && !tells_programs(rows) {
        lines.iter_mut().for_each(Line::leave_out_program);
    }
    layout(lines, view.room.width)
}

/// A capture says nothing of programs. (A live table has a place for those that are looked up.)
fn tells_programs(rows: &Rows) -> bool {
    rows.rows.iter().any(|row| row.program.is_some() || row.uid.is_some())
}

/// Findings come first, where there is no end to the height.
fn found(rows: &Rows, view: &View<'_>) -> Vec<Line> {
    if view.room.height.is_some() {
        return Vec::new();
    }
    let said = findings::paragraphs(rows, view.tables, view.details).into_iter();
    said.map(|said| Line::Words { indent: said.indent, text: said.text }).collect()
}

/// The terminal behind this stream, if it is one.
pub(crate) fn room(stream: impl std::os::fd::AsFd) -> Room {
    let Ok(size) = rustix::termios::tcgetwinsize(stream) else { return Room::default() };
    // A terminal that does not know its size says 0.
    let known = |cells: u16| (cells > 0).then_some(usize::from(cells));
    Room { width: known(size.ws_col), height: known(size.ws_row) }
}

/// Content is an upper bound of what a program said: it holds its framing too.
const HEADER: [&str; 6] = ["PROGRAM", "TO", "CONTENT, AT MOST", "SENT", "RECEIVED", "TIMES"];

const GAP: &str = "  ";

/// A column of names is not cut below this, however narrow the terminal.
const NARROWEST: usize = 12;

/// Header, total, a line for the rest, and the line on which the cursor stays.
const LINES_AROUND: usize = 4;

type Cells = [String; 6];

/// A line of the table, or a sentence under it.
enum Line {
    Cells(Cells),
    Words { indent: usize, text: String },
}

impl Line {
    /// What stood there alone, as for a total, goes to the next column.
    fn leave_out_program(&mut self) {
        if let Self::Cells([program, to, ..]) = self {
            let label = std::mem::take(program);
            if to.is_empty() {
                *to = label;
            }
        }
    }
}

fn body(rows: &Rows, view: &View<'_>) -> Vec<Line> {
    let shown = view.room.height.map_or(usize::MAX, |height| height.saturating_sub(LINES_AROUND).max(1));
    let names = program_names(&rows.rows);
    let contacts = contacts(&rows.rows);
    let mut lines = Vec::new();
    for contact in contacts.iter().take(shown) {
        let whom = printable(&words::whom(contact, view.tables));
        let content = words::content(contact.lines.iter().map(|line| &line.sum));
        lines.push(Line::Cells(cells(program(contact, &names), whom, &contact.sum, content)));
        if !view.is_live() {
            lines.extend(sentences(contact, view));
        }
    }
    if rows.others != Sum::default() {
        let content = words::content([&rows.others].into_iter());
        lines.push(Line::Cells(cells("(others)".into(), "(too many to list)".into(), &rows.others, content)));
    }
    if let Some(hidden) = contacts.len().checked_sub(shown).filter(|hidden| *hidden > 0) {
        let mut more = Cells::default();
        more[0] = format!("({hidden} more)");
        lines.push(Line::Cells(more));
    }
    lines
}

/// What stands under a contact.
fn sentences(contact: &Contact<'_>, view: &View<'_>) -> Vec<Line> {
    let mut lines: Vec<Line> = words::sentences(contact, view.tables)
        .into_iter()
        .map(|text| Line::Words { indent: 2, text: printable(&text) })
        .collect();
    if view.details {
        let details = contact.lines.iter().map(|line| words::detail(line, view.tables));
        lines.extend(details.map(|text| Line::Words { indent: 4, text: printable(&text) }));
    }
    lines
}

fn cells(program: String, whom: String, sum: &Sum, content: String) -> Cells {
    let traffic = sum.traffic;
    let [sent, received, flows] = [traffic.bytes_sent, traffic.bytes_received, sum.flows].map(words::number);
    [program, whom, content, sent, received, flows]
}

/// File names, where no two programs share one; those that do keep their whole path.
fn program_names(rows: &[telltale_watch::Line]) -> BTreeMap<&str, &str> {
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

fn program(contact: &Contact<'_>, names: &BTreeMap<&str, &str>) -> String {
    match (contact.program, contact.uid) {
        (Some(path), _) => printable(names.get(path).copied().unwrap_or(path)),
        (None, Some(uid)) => format!("(uid {uid})"),
        (None, None) => "(unknown)".into(),
    }
}

fn layout(lines: Vec<Line>, width: Option<usize>) -> String {
    let columns = widths(&lines, width);
    let mut text = String::new();
    for line in lines {
        match line {
            Line::Cells(cells) => text.push_str(row(&cells, columns).trim_end()),
            Line::Words { indent, text: words } => text.push_str(&wrap(&words, indent, width)),
        }
        text.push('\n');
    }
    text
}

fn row([name, whom, content, out, back, count]: &Cells, columns: [usize; 6]) -> String {
    let [program, to, most, sent, received, flows] = columns;
    let name = (program > 0).then(|| format!("{:<program$}", fit(name, program)));
    let names: Vec<String> = name.into_iter().chain([format!("{:<to$}", fit(whom, to))]).collect();
    let sums = [format!("{content:>most$}"), format!("{out:>sent$}")];
    let more = [format!("{back:>received$}"), format!("{count:>flows$}")];
    [names.join(GAP), sums.join(GAP), more.join(GAP)].join(GAP)
}

/// Words that would pass the edge begin a line of their own, below the first.
pub(crate) fn wrap(words: &str, indent: usize, width: Option<usize>) -> String {
    let most = width.unwrap_or(usize::MAX);
    let margin = " ".repeat(indent);
    let (mut text, mut column) = (margin.clone(), indent);
    for word in words.split(' ') {
        let length = word.chars().count();
        if column > indent && column + 1 + length > most {
            text = format!("{text}\n{margin}");
            column = indent;
        } else if column > indent {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text
}

/// The widest cell of each column; where they do not fit, the two columns of names share what the
/// numbers leave.
fn widths(lines: &[Line], width: Option<usize>) -> [usize; 6] {
    let cells =
        || lines.iter().filter_map(|line| if let Line::Cells(cells) = line { Some(cells) } else { None });
    let widest = |column: usize| {
        cells().filter_map(|cells| cells.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let [mut program, mut to, content, sent, received, flows] = [0, 1, 2, 3, 4, 5].map(widest);
    if let Some(width) = width {
        let left = width.saturating_sub(content + sent + received + flows + 5 * GAP.len());
        if program + to > left {
            program = program.min((left / 3).max(NARROWEST));
            to = to.min(left.saturating_sub(program).max(NARROWEST));
        }
    }
    [program, to, content, sent, received, flows]
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
    use crate::rows::tests::{companies, sample, sum};

    fn plain(rows: &Rows) -> String {
        render(rows, &View::new(Room::default(), None))
    }

    #[test]
    fn the_table_reads_like_this() {
        let expected = "\
PROGRAM     TO               CONTENT, AT MOST       SENT  RECEIVED  TIMES
curl        shop.example                    ?  1,234,567        89      3
  How much of it could be read was not recorded.
ping        2001:db8::7                     ?        168       168      1
  How much of it could be read was not recorded.
(uid 1000)  system resolver                 ?         64       128      2
  How much of it could be read was not recorded.
total                                       ?  1,234,799       385      6
Fewer findings does not mean less was sent.
";
        assert_eq!(plain(&sample()), expected);
    }

    #[test]
    fn companies_are_one_line_with_what_can_be_said_of_them() {
        let expected = "\
PROGRAM     TO               CONTENT, AT MOST       SENT  RECEIVED  TIMES
curl        google                  1,201,800  1,236,567       179      5
  Android and Google: keeps a copy of your data; wakes apps, delivers notices.
  Protected on the way in part only; google can read all of it.
  97% encrypted, could not be read; 2% not recorded; under 1% readable, nothing to look for.
(uid 1000)  system resolver                 0         64       128      2
  Not protected: anyone on the network could read which names were asked for.
total                               1,201,800  1,236,631       307      7
Fewer findings does not mean less was sent.
";
        assert_eq!(plain(&companies()), expected);
    }

    #[test]
    fn details_say_how_each_destination_is_known() {
        let view = View { details: true, ..View::new(Room::default(), None) };
        let expected = "\
PROGRAM     TO               CONTENT, AT MOST       SENT  RECEIVED  TIMES
curl        google                  1,201,800  1,236,567       179      5
  Android and Google: keeps a copy of your data; wakes apps, delivers notices.
  Protected on the way in part only; google can read all of it.
  97% encrypted, could not be read; 2% not recorded; under 1% readable, nothing to look for.
    shop.example 443/tcp · 1,234,567 sent, 3 times · content at most 1,200,000 · keeps a copy of your data · named in the TLS hello · 97% encrypted, could not be read; 3% not recorded
    push.shop.example 443/tcp · 2,000 sent, 2 times · content at most 1,800 · wakes apps, delivers notices · named in the TLS hello · 90% readable, nothing to look for; 10% not recorded
(uid 1000)  system resolver                 0         64       128      2
  Not protected: anyone on the network could read which names were asked for.
    system resolver 53/udp · 64 sent, 2 times · content at most 0
total                               1,201,800  1,236,631       307      7
Fewer findings does not mean less was sent.
";
        assert_eq!(render(&companies(), &view), expected);
    }

    #[test]
    fn nothing_seen_is_a_sentence_and_one_row_needs_no_total() {
        assert_eq!(plain(&Rows::default()), "No network traffic was seen.\n");
        let one = Rows { rows: sample().rows.into_iter().take(1).collect(), ..Rows::default() };
        let text = plain(&one);
        assert!(text.lines().count() == 3 && !text.contains("total"), "{text}");
    }

    #[test]
    fn a_narrow_terminal_keeps_the_ends_of_names() {
        let mut rows = sample();
        rows.rows[0].name = Some("a-very-long-name.of-some-server.in-a-cloud.shop.example".into());
        let text = render(&rows, &View::new(Room { width: Some(74), height: None }, None));
        assert!(text.contains("\u{2026}ud.shop.example "), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 74), "{text}");
        let whole = plain(&rows);
        assert!(whole.contains("a-very-long-name.of-some-server.in-a-cloud.shop.example "));
    }

    #[test]
    fn a_low_terminal_says_how_many_rows_it_leaves_out() {
        let room = Room { width: None, height: Some(5) };
        let text = render(&sample(), &View::new(room, None));
        assert_eq!(text.lines().nth(2), Some("(2 more)"));
        assert_eq!(text.lines().last().map(|total| total.contains("1,234,799")), Some(true));
        assert!(text.lines().count() < 5);
    }

    #[test]
    fn several_hosts_of_a_connection_are_told() {
        let mut rows = sample();
        rows.rows[0].other_names = ["b.example", "c.example"].map(str::to_owned).into();
        let text = plain(&rows);
        assert!(text.contains("curl        shop.example and 2 others  "), "{text}");
        let view = View { details: true, ..View::new(Room::default(), None) };
        let text = render(&rows, &view);
        assert!(text.contains(" · on the same connections also b.example, c.example\n"), "{text}");
        rows.rows[0].company = Some("shop".into());
        assert!(plain(&rows).contains("\n  Its connections named 2 hosts more.\n"));
    }

    #[test]
    fn a_total_of_what_is_known_in_part_says_so() {
        let mut rows = companies();
        rows.rows.push(sample().rows[1].clone());
        let text = plain(&rows);
        assert!(text.contains("\ntotal                           1,201,800 + ?  "), "{text}");
    }

    #[test]
    fn a_live_table_of_nothing_says_not_yet() {
        let room = Room { width: None, height: Some(24) };
        assert_eq!(render(&Rows::default(), &View::new(room, None)), "No network traffic yet.\n");
    }

    #[test]
    fn others_have_a_line() {
        let rows = Rows { others: sum(5, 6, 7), ..sample() };
        assert!(plain(&rows).contains("(others)    (too many to list)"));
    }

    #[test]
    fn programs_that_share_a_file_name_are_told_apart() {
        let mut rows = sample();
        rows.rows[1].program = Some("/opt/bin/curl".into());
        let text = plain(&rows);
        assert!(text.contains("/usr/bin/curl  ") && text.contains("/opt/bin/curl  "), "{text}");
    }

    #[test]
    fn where_no_program_is_known_there_is_no_column_for_it() {
        let mut rows = Rows { others: sum(5, 6, 7), ..sample() };
        rows.rows.iter_mut().for_each(|row| (row.program, row.uid) = (None, None));
        let text = plain(&rows);
        let starts: Vec<&str> = text.lines().filter(|line| !line.starts_with(' ')).collect();
        assert!(starts[0].starts_with("TO  ") && starts[1].starts_with("shop.example  "), "{text}");
        assert!(starts[starts.len() - 3].starts_with("(too many to list)  "), "{text}");
        assert!(starts[starts.len() - 2].starts_with("total  ") && !text.contains("unknown)"), "{text}");
        let live = View::new(Room { width: None, height: Some(24) }, None);
        assert!(render(&rows, &live).starts_with("PROGRAM  "));
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        let mut rows = sample();
        rows.rows[0].program = Some("/tmp/\u{1b}[2Jcu\u{202e}rl\n".into());
        rows.rows[0].name = Some("evil\r.example".into());
        let text = plain(&rows);
        assert!(text.contains("\\u{1b}[2Jcu\\u{202e}rl\\u{a}  evil\\u{d}.example "), "{text}");
    }

    #[test]
    fn numbers_are_exact() {
        for (value, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (u64::MAX, "18,446,744,073,709,551,615")]
        {
            assert_eq!(words::number(value), text);
        }
    }
}

//! Findings for people: sentences above the table, the gravest first, and under each how sure it is, when and where.

pub(crate) mod json;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use telltale_model::{Class, Country, DetailKind, DetailName, Finding, Form, Told, What};
use telltale_watch::all_given;
use telltale_watch::destinations::Destinations;
use telltale_words::{Level, Parties, Summary, Switch, Words, printable};

use crate::moment;
use crate::rows::{Rows, company_name};

/// A line of text with the columns before it.
pub(crate) struct Paragraph {
    pub(crate) indent: usize,
    pub(crate) text: String,
}

/// What several findings are told with.
pub(crate) struct Telling<'a> {
    pub(crate) words: &'a Words,
    tables: Option<&'a Destinations>,
    /// Kinds of which several details are among the findings: a number tells which.
    several: BTreeSet<DetailKind>,
}

impl<'a> Telling<'a> {
    pub(crate) fn new<'f>(
        words: &'a Words,
        tables: Option<&'a Destinations>,
        findings: impl IntoIterator<Item = &'f Finding>,
    ) -> Self {
        let mut first = BTreeMap::new();
        let mut several = BTreeSet::new();
        for DetailName { kind, number, .. } in findings.into_iter().filter_map(detail) {
            if *first.entry(kind).or_insert(number) != number {
                several.insert(kind);
            }
        }
        Self { words, tables, several }
    }
}

fn detail(finding: &Finding) -> Option<DetailName> {
    let What::IdentifierSent { detail, .. } = finding.what else { return None };
    detail
}

/// The language that the environment asks for (POSIX 8.2).
pub(crate) fn words() -> Words {
    let named = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter();
    let locale = named.filter_map(|name| std::env::var(name).ok()).find(|locale| !locale.is_empty());
    Words::new(&locale.unwrap_or_default())
}

/// What stands above the table: nothing, where no details were given and nothing was found.
pub(crate) fn paragraphs(rows: &Rows, tables: Option<&Destinations>, details: bool) -> Vec<Paragraph> {
    let words = words();
    let summary = rows.summary();
    if rows.findings.is_empty() && rows.muted.is_empty() && !summary.given {
        return Vec::new();
    }
    let mut said = vec![Paragraph { indent: 0, text: words.lead(&summary) }];
    let telling = Telling::new(&words, tables, rows.findings.iter().map(|told| &told.finding));
    let mut once = Once::default();
    for (level, group) in by_level(&rows.findings) {
        said.extend([blank(), Paragraph { indent: 0, text: words.level(level) }]);
        for told in group {
            let known = Known::of(&told.finding, &telling);
            said.extend(one(told, &words, &known));
            if details {
                said.extend(shown(&told.finding, &words, &known, &mut once));
            }
        }
    }
    let muted = rows.muted.len() as u64;
    for text in [words.untold(rows.untold), words.muted(muted)].into_iter().flatten() {
        said.push(Paragraph { indent: 2, text });
    }
    said.push(blank());
    said
}

fn blank() -> Paragraph {
    Paragraph { indent: 0, text: String::new() }
}

/// Findings under their headings, each once.
fn by_level(findings: &[Told]) -> BTreeMap<Level, Vec<&Told>> {
    let mut groups: BTreeMap<Level, Vec<&Told>> = BTreeMap::new();
    for told in findings {
        groups.entry(Level::of(&told.finding)).or_default().push(told);
    }
    groups
}

fn one(told: &Told, words: &Words, known: &Known<'_>) -> Vec<Paragraph> {
    let finding = &told.finding;
    let (first, last) = (moment::written(finding.at), moment::written_after(finding.at, told.last));
    let about = [words.sure(finding), words.when(told, &first, &last)].join(" ");
    let said = [(2, words.sentence(finding, &known.parties())), (4, about)].into_iter();
    let background = words.background(finding).map(|text| (4, text));
    said.chain(background).map(|(indent, text)| Paragraph { indent, text }).collect()
}

/// What was said of why it matters and of what one can do: once is enough.
#[derive(Default)]
struct Once(BTreeSet<String>);

impl Once {
    fn new_ones(&mut self, texts: Vec<String>) -> Vec<String> {
        texts.into_iter().filter(|text| self.0.insert(text.clone())).collect()
    }
}

/// What shows it, then why it may matter and what one can do, where that was not said before.
fn shown(finding: &Finding, words: &Words, known: &Known<'_>, once: &mut Once) -> Vec<Paragraph> {
    let excerpt = finding.evidence.excerpt.as_deref().map(printable);
    let why = [vec![words.why(finding)], words.advice(finding, &known.switches)].concat();
    let key = printable(&format!("key: {}", finding.key()));
    let shown = [printable(&evidence(finding)), excerpt.unwrap_or_default(), key];
    let said = shown.into_iter().chain(once.new_ones(why));
    said.filter(|text| !text.is_empty()).map(|text| Paragraph { indent: 4, text }).collect()
}

/// What shows it, for who wants to look closer.
fn evidence(finding: &Finding) -> String {
    let detail = if let What::IdentifierSent { kind, detail, form, .. } = &finding.what {
        let detail = detail.map_or_else(|| kind.name().to_owned(), |detail| detail.to_string());
        let form: Vec<String> = form.iter().map(Form::to_string).collect();
        Some(if form.is_empty() { detail } else { format!("{detail} as {}", form.join(", ")) })
    } else {
        None
    };
    let parts = [
        detail,
        finding.evidence.field.clone(),
        host(finding).map(Cow::into_owned),
        Some(format!("protection: {}", finding.envelope.name())),
        Some(format!("flow {}", finding.evidence.flow.0)),
        finding.evidence.offset.map(|offset| format!("byte {offset}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" \u{b7} ")
}

/// What the tables know of the parties of a finding.
pub(crate) struct Known<'a> {
    app: Option<&'a str>,
    company: Option<&'a str>,
    probable: bool,
    /// The host, else the address.
    host: Option<Cow<'a, str>>,
    country: Option<&'static str>,
    several: bool,
    pub(crate) switches: Vec<Switch<'a>>,
}

impl<'a> Known<'a> {
    pub(crate) fn of(finding: &'a Finding, telling: &Telling<'a>) -> Self {
        let tables = telling.tables;
        let destination = &finding.destination;
        let country = if let What::FirstContact { country: Some(code) } = &finding.what {
            named_country(code)
        } else {
            None
        };
        let app = finding.program.as_deref().map(|path| path.rsplit('/').next().unwrap_or(path));
        Self {
            app: app.filter(|app| !app.is_empty()),
            company: destination.company.as_deref().map(|id| company_name(id, tables)),
            probable: destination.probable,
            host: host(finding),
            country,
            several: detail(finding).is_some_and(|detail| telling.several.contains(&detail.kind)),
            switches: switches(finding, tables),
        }
    }

    pub(crate) fn parties(&self) -> Parties<'_> {
        let Self { app, company, probable, country, several, .. } = *self;
        Parties { app, company, probable, host: self.host.as_deref(), country, several }
    }
}

fn host(finding: &Finding) -> Option<Cow<'_, str>> {
    let destination = &finding.destination;
    let name = destination.name.as_deref().map(Cow::Borrowed);
    name.or_else(|| destination.address.map(|address| Cow::Owned(address.to_string())))
}

fn named_country(code: &str) -> Option<&'static str> {
    Country::new(code.as_bytes().try_into().ok()?).map(Country::name)
}

/// The settings that the company has for what the host is for.
fn switches<'a>(finding: &Finding, tables: Option<&'a Destinations>) -> Vec<Switch<'a>> {
    let destination = &finding.destination;
    let (Some(tables), Some(id), Some(role)) = (tables, &destination.company, destination.role) else {
        return Vec::new();
    };
    let Some(company) = tables.company_with_id(id) else { return Vec::new() };
    let switch = |switch: telltale_watch::destinations::Switch<'a>| Switch {
        path: switch.path,
        versions: switch.versions,
        checked: switch.how != "unchecked",
    };
    tables.switches(company.number, role).map(switch).collect()
}

impl Rows {
    /// What can be said of all of it.
    pub(crate) fn summary(&self) -> Summary {
        let given = all_given(self.rows.iter().map(|row| row.given)) == Some(true);
        let total = self.total();
        let mut coverage = total.content.coverage;
        // Of what was not told apart, and of what an older Telltale kept, nobody can say anything.
        let unrecorded = total.traffic.bytes_sent.saturating_sub(coverage.total());
        coverage.add(Class::NotWatched, unrecorded);
        let truncated = self.untold > 0 || self.incomplete;
        Summary::of(self.findings.iter().chain(&self.muted), coverage, given, truncated)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use telltale_model::{
        Class, Confidence, Coverage, Destination, DetailKind, DetailName, Envelope, Evidence, FlowNumber,
        Grade, Severity, Timestamp,
    };

    use telltale_model::Rule;
    use telltale_store::Mute;
    use telltale_watch::Sum;

    use super::*;
    use crate::rows::tests::{companies, content, sample};

    /// The IMEI was sent in clear and disguised, and a form.
    pub(crate) fn found() -> Vec<Told> {
        let imei = DetailName { kind: DetailKind::Imei, number: 1, id: 7 };
        let what = |form: &[Form]| What::IdentifierSent {
            kind: DetailKind::Imei,
            detail: Some(imei),
            grade: Grade::Yours,
            form: form.to_vec(),
        };
        let finding = |what, severity, confidence| Finding {
            what,
            program: Some("/usr/bin/curl".into()),
            uid: Some(1000),
            destination: Destination {
                name: Some("api.shop.example".into()),
                company: Some("shop".into()),
                ..Destination::default()
            },
            envelope: Envelope::None,
            severity,
            confidence,
            evidence: Evidence {
                flow: FlowNumber(3),
                offset: Some(0),
                field: Some("path[4]".into()),
                excerpt: Some("/pass/activate/dev/<imei 1>/activating".into()),
            },
            times: 3,
            at: Timestamp(1_795_532_400_000_000),
        };
        let h = [Form::Sha1, Form::Base64Url, Form::Cut(16)];
        vec![
            Told::new(finding(what(&[]), Severity::High, Confidence::Certain)),
            Told::new(finding(what(&h), Severity::Medium, Confidence::VeryLikely)),
            Told::new(finding(What::MakerContacted, Severity::Info, Confidence::Certain)),
        ]
    }

    fn text(rows: &Rows, details: bool) -> String {
        let line = |paragraph: &Paragraph| format!("{}{}\n", " ".repeat(paragraph.indent), paragraph.text);
        paragraphs(rows, None, details).iter().map(line).collect()
    }

    #[test]
    fn findings_come_first_and_read_like_this() {
        let rows = Rows { findings: found(), untold: 1, ..companies() };
        let expected = "\
1 of your details was sent. 1 could be read by anyone.

Readable by anyone
  curl sent your phone's number (IMEI) to shop. Anyone on the network could read it.
    Certain: it stood there in full. 3 times, first at 2026-11-24 15:00:00 UTC, last at 15:00:00 UTC.

Disguised, not protected
  curl sent your phone's number (IMEI) to shop. It was disguised but not protected.
    Very likely: yours looks just like this when it is disguised. 3 times, first at 2026-11-24 15:00:00 UTC, last at 15:00:00 UTC.

Worth knowing
  curl contacted shop, who made this phone.
    Certain: it was seen. 3 times, first at 2026-11-24 15:00:00 UTC, last at 15:00:00 UTC.
  1 more finding is not shown.

";
        assert_eq!(text(&rows, false).replace("At least 1 of", "1 of"), expected);
    }

    #[test]
    fn details_show_what_shows_it_and_never_a_value() {
        let rows = Rows { findings: found(), ..companies() };
        let text = text(&rows, true);
        let evidence = "    <imei 1> as sha1, base64url, cut16 \u{b7} path[4] \u{b7} api.shop.example \u{b7} \
                        protection: none \u{b7} flow 3 \u{b7} byte 0\n    /pass/activate/dev/<imei 1>/activating\n    \
                        key: identifier-sent|/usr/bin/curl|shop|imei #7 disguised\n";
        assert!(text.contains(evidence), "{text}");
        assert!(text.contains("Whoever tries out all values can find yours."), "{text}");
    }

    /// In the order in which they are told, which is that of their severity.
    fn mixed() -> Vec<Told> {
        let found = found();
        let sent = |number, envelope, severity| {
            let mut told = found[0].clone();
            let detail = Some(DetailName { kind: DetailKind::Contact, number, id: number.into() });
            told.finding.what = What::IdentifierSent {
                kind: DetailKind::Contact,
                detail,
                grade: Grade::Yours,
                form: Vec::new(),
            };
            (told.finding.envelope, told.finding.severity) = (envelope, severity);
            told
        };
        let form = What::ContentInClear {
            bytes: 9,
            form: true,
            coverage: Coverage::default(),
            given: true,
            more: false,
        };
        let mut form =
            Told { finding: Finding { what: form, ..found[2].finding.clone() }, ..found[2].clone() };
        form.finding.severity = Severity::Medium;
        vec![
            sent(1, Envelope::None, Severity::High),
            sent(2, Envelope::None, Severity::High),
            form,
            sent(1, Envelope::Tls, Severity::Low),
            found[2].clone(),
        ]
    }

    #[test]
    fn each_heading_stands_once_with_all_that_belongs_under_it() {
        let text = text(&Rows { findings: mixed(), ..companies() }, false);
        let heading = |line: &&str| !line.is_empty() && !line.starts_with(' ');
        let headings: Vec<&str> = text.lines().filter(heading).skip(1).collect();
        assert_eq!(headings, ["Readable by anyone", "Protected on the way", "Worth knowing"], "{text}");
    }

    #[test]
    fn several_details_of_a_kind_are_told_apart() {
        let several = text(&Rows { findings: mixed(), ..companies() }, false);
        assert!(several.contains("sent the number of contact 1 to") && several.contains("of contact 2 to"));
        let mut one = mixed();
        one.remove(1);
        let one = text(&Rows { findings: one, ..companies() }, false);
        assert!(one.contains("sent a contact's number to"), "{one}");
    }

    #[test]
    fn the_same_advice_is_given_once() {
        let text = text(&Rows { findings: mixed(), ..companies() }, true);
        assert_eq!(text.matches("Install the latest version").count(), 1, "{text}");
        assert_eq!(text.matches("People on the same Wi-Fi").count(), 1, "{text}");
    }

    #[test]
    fn what_is_muted_is_counted_and_still_no_absence() {
        let mut rows = Rows { findings: found(), ..companies() };
        for row in &mut rows.rows {
            (row.given, row.sum.content) = (Some(true), content(Class::Searched, 1_000));
        }
        rows.rows[0].sum.content.coverage.encrypted = 9;
        rows.mute(&[Mute { program: None, rule: Rule::IdentifierSent }]);
        let expected = "\
At least 1 of your details was sent. 1 could be read by anyone.

Worth knowing
  curl contacted shop, who made this phone.
    Certain: it was seen. 3 times, first at 2026-11-24 15:00:00 UTC, last at 15:00:00 UTC.
  2 findings are muted.

";
        assert_eq!(text(&rows, false), expected);
    }

    #[test]
    fn a_bound_that_was_met_makes_a_count_the_least() {
        let mut rows = Rows { findings: found(), ..companies() };
        rows.others = Sum::default();
        for row in &mut rows.rows {
            (row.given, row.sum.content) = (Some(true), content(Class::Found, 1_000));
            row.sum.traffic.bytes_sent = 1_000;
        }
        let is_at_least = |rows: &Rows| text(rows, false).starts_with("At least 1 of your details");
        assert!(!is_at_least(&rows));
        assert!(is_at_least(&Rows { untold: 1, ..rows.clone() }));
        assert!(is_at_least(&Rows { incomplete: true, ..rows.clone() }));
        rows.others.traffic.bytes_sent = 1;
        assert!(is_at_least(&rows), "flows that were too many");
    }

    #[test]
    fn a_receiver_without_a_name_is_told_by_its_address() {
        let mut findings = found();
        let address = "203.0.113.9".parse().ok();
        findings[0].finding.destination = Destination { address, ..Destination::default() };
        let text = text(&Rows { findings, ..companies() }, true);
        assert!(text.contains("to a server without a name (203.0.113.9). Anyone"), "{text}");
        assert!(text.contains(" \u{b7} 203.0.113.9 \u{b7} protection"), "{text}");
    }

    #[test]
    fn what_stands_in_names_and_evidence_cannot_steer_the_terminal() {
        let mut findings = found();
        let finding = &mut findings[0].finding;
        finding.destination =
            Destination { name: Some("a\u{1b}[2J.example".into()), ..Destination::default() };
        finding.evidence.field = Some("json.\u{202e}a".into());
        finding.evidence.excerpt = Some("a\u{7}b".into());
        let text = text(&Rows { findings, ..companies() }, true);
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{text}");
    }

    #[test]
    fn without_details_and_findings_nothing_is_said_and_with_them_what_was_searched() {
        assert_eq!(text(&companies(), false), "");
        let mut rows = sample();
        for row in &mut rows.rows {
            (row.given, row.sum.content) = (Some(true), content(Class::Searched, 1_000));
        }
        rows.rows[0].sum.content = content(Class::Encrypted, 9);
        rows.others = Sum::default();
        for row in &mut rows.rows {
            row.sum.traffic.bytes_sent = row.sum.content.coverage.total();
        }
        let absence = "Of the 2,000 bytes that could be searched, none held your details; 9 bytes could not be searched.";
        assert_eq!(text(&rows, false).trim_end(), absence);
        rows.others.traffic.bytes_sent = 5;
        assert!(
            text(&rows, false).contains("; 14 bytes could not be searched."),
            "what is not recorded is no less"
        );
        rows.rows[1].given = Some(false);
        assert_eq!(text(&rows, false), "", "what was not looked for is not absent");
    }
}

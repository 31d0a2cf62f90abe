//! Findings for people: sentences above the table, the gravest first, and under each how sure it is, when and where.

pub(crate) mod json;

use telltale_model::{Country, Finding, Form, Told, What};
use telltale_watch::all_given;
use telltale_watch::destinations::Destinations;
use telltale_words::{Parties, Summary, Switch, Words};

use crate::moment;
use crate::rows::{Rows, company_name};

/// A line of text with the columns before it.
pub(crate) struct Paragraph {
    pub(crate) indent: usize,
    pub(crate) text: String,
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
    if rows.findings.is_empty() && !summary.given {
        return Vec::new();
    }
    let mut said = vec![Paragraph { indent: 0, text: words.lead(&summary) }];
    let mut level = String::new();
    for told in &rows.findings {
        let own = words.level(&told.finding);
        if own != level {
            said.extend([blank(), Paragraph { indent: 0, text: own.clone() }]);
            level = own;
        }
        said.extend(one(told, &words, tables, details));
    }
    if rows.untold > 0 {
        said.push(Paragraph { indent: 2, text: words.untold(rows.untold) });
    }
    said.push(blank());
    said
}

fn blank() -> Paragraph {
    Paragraph { indent: 0, text: String::new() }
}

fn one(told: &Told, words: &Words, tables: Option<&Destinations>, details: bool) -> Vec<Paragraph> {
    let finding = &told.finding;
    let known = Known::of(finding, tables);
    let (first, last) = (moment::written(finding.at), moment::written_after(finding.at, told.last));
    let about = [words.sure(finding), words.when(told, &first, &last)].join(" ");
    let mut said = vec![
        Paragraph { indent: 2, text: words.sentence(finding, &known.parties()) },
        Paragraph { indent: 4, text: about },
    ];
    said.extend(words.background(finding).map(|text| Paragraph { indent: 4, text }));
    if details {
        let evidence = [evidence(finding), finding.evidence.excerpt.clone().unwrap_or_default()];
        let advice = words.advice(finding, &known.switches);
        let more = evidence.into_iter().chain([words.why(finding)]).chain(advice);
        said.extend(more.filter(|text| !text.is_empty()).map(|text| Paragraph { indent: 4, text }));
    }
    said
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
        finding.destination.name.clone(),
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
    host: Option<&'a str>,
    country: Option<&'static str>,
    pub(crate) switches: Vec<Switch<'a>>,
}

impl<'a> Known<'a> {
    pub(crate) fn of(finding: &'a Finding, tables: Option<&'a Destinations>) -> Self {
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
            host: destination.name.as_deref(),
            country,
            switches: switches(finding, tables),
        }
    }

    pub(crate) fn parties(&self) -> Parties<'_> {
        let Self { app, company, probable, host, country, .. } = *self;
        Parties { app, company, probable, host, country }
    }
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
        Summary::of(&self.findings, self.total().content.coverage, given)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use telltale_model::{
        Class, Confidence, Destination, DetailKind, DetailName, Envelope, Evidence, FlowNumber, Grade,
        Severity, Timestamp,
    };

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
    Very likely: it fits in disguise. 3 times, first at 2026-11-24 15:00:00 UTC, last at 15:00:00 UTC.

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
                        protection: none \u{b7} flow 3 \u{b7} byte 0\n    /pass/activate/dev/<imei 1>/activating\n";
        assert!(text.contains(evidence), "{text}");
        assert!(text.contains("Who tries all values can find yours."), "{text}");
    }

    #[test]
    fn without_details_and_findings_nothing_is_said_and_with_them_what_was_searched() {
        assert_eq!(text(&companies(), false), "");
        let mut rows = sample();
        for row in &mut rows.rows {
            (row.given, row.sum.content) = (Some(true), content(Class::Searched, 1_000));
        }
        rows.rows[0].sum.content = content(Class::Encrypted, 9);
        let absence = "Of the 2,000 bytes that could be searched, none held your details; 9 bytes could not be searched.";
        assert_eq!(text(&rows, false).trim_end(), absence);
        rows.rows[1].given = Some(false);
        assert_eq!(text(&rows, false), "", "what was not looked for is not absent");
    }
}

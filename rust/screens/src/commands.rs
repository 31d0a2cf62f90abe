//! Commands that change what is kept, and files that a person asks for.

use std::fmt::Write as _;
use std::fs;

use telltale_model::{Interruption, Rule, Timestamp};
use telltale_store::{Mute, Span};
use telltale_watch::alerts;
use telltale_words::Words;

use crate::alerts::DIGEST;
use crate::question::{Common, Do, Shape, Unanswered, timestamp};
use crate::seen::Seen;
use crate::{LookedFor, Room, Screens, date};

pub(crate) fn act(screens: &Screens<'_>, command: &Do) -> Result<(), Unanswered> {
    match command {
        Do::Alerted { key, at } => alerted(screens, key, *at),
        Do::Mute { key, on } => mute(screens, key, *on),
        Do::Forget { from } => Ok(screens.store().forget(timestamp(*from))?),
        Do::Delete => Ok(screens.store().delete_everything()?),
        Do::Export { path, shape, common, zone } => {
            let text = export(screens, *shape, common, zone)?;
            fs::write(path, text)
                .map_err(|error| Unanswered::Failed(format!("the file cannot be written: {error}")))
        }
    }
}

/// Remembers that a person was told.
fn alerted(screens: &Screens<'_>, key: &str, at: i64) -> Result<(), Unanswered> {
    let at = timestamp(at);
    let subject = if key == DIGEST {
        DIGEST.to_owned()
    } else {
        let seen =
            Seen::told(&screens.database, Span { from: timestamp(0), to: timestamp(i64::MAX / 1_000) })?;
        let told = seen.findings.iter().find(|told| told.finding.key() == key);
        let subject = told.and_then(|told| alerts::subject(&told.finding));
        subject.ok_or_else(|| Unanswered::Question("there is no such finding to tell of".into()))?
    };
    Ok(screens.store().interrupted(&Interruption { at, subject })?)
}

/// Silences a rule for the app of a finding. A key begins with rule and app (`Finding::key`).
fn mute(screens: &Screens<'_>, key: &str, on: bool) -> Result<(), Unanswered> {
    let mut parts = key.split('|');
    let rule = parts.next().and_then(|name| Rule::ALL.into_iter().find(|rule| rule.name() == name));
    let rule = rule.ok_or_else(|| Unanswered::Question("there is no such finding".into()))?;
    // Without a name it would silence the rule for every app.
    let app = parts.next().filter(|app| !app.is_empty() && !app.starts_with("uid "));
    let app =
        app.ok_or_else(|| Unanswered::Question("a sender without a name cannot be told apart".into()))?;
    let program = Some(app.to_owned());
    Ok(screens.store().mute(&Mute { program, rule }, on)?)
}

fn export(screens: &Screens<'_>, shape: Shape, common: &Common, zone: &str) -> Result<String, Unanswered> {
    let span = common.span()?;
    let seen = Seen::read(&screens.database, span)?;
    let words = Words::new(&common.locale);
    let looked_for = LookedFor::default();
    let room = Room {
        words: &words,
        tables: screens.tables,
        around: screens.around,
        home: screens.home,
        common,
        looked_for: &looked_for,
    };
    Ok(match shape {
        Shape::Report => room.report(&seen, span, zone),
        Shape::Table => room.table(&seen),
    })
}

impl Room<'_> {
    /// Sentences, a line each: what could not be looked into comes before anything else.
    fn report(&self, seen: &Seen, span: Span, zone: &str) -> String {
        let offset = self.common.zone_offset;
        let day = |at| date::date(at, offset);
        let last = Timestamp(span.to.0.saturating_sub(1));
        let mut lines = vec![
            self.words.report_title(&day(span.from), &day(last)),
            self.words.report_zone(if zone.is_empty() { "UTC" } else { zone }, &date::offset(offset)),
            self.coverage(&seen.summary()).sentence,
            self.words.report_outside(),
            self.words.fewer(),
            String::new(),
        ];
        lines.extend(seen.gaps.iter().map(|gap| format!("{}: {}", day(gap.from), self.gap(gap).sentence)));
        lines.push(String::new());
        for (told, expected) in seen.all_told() {
            let card = self.card(seen, told, expected);
            let first = timestamp(card.first);
            let when = format!("{} {}", day(first), self.clock(first));
            lines.push(format!("{when}: {} ({})", card.sentence, card.times_words));
        }
        lines.join("\n") + "\n"
    }

    /// One row for each app and host (RFC 4180).
    fn table(&self, seen: &Seen) -> String {
        let mut text = String::from("app,company,role,host,content_sent,times,protection\r\n");
        for part in &seen.parts {
            let app = self.name(seen.known(part.program.as_deref(), part.uid));
            let fields = [
                app,
                part.company.as_deref().map(|id| self.company(id)).unwrap_or_default(),
                part.role.map(|role| role.name().to_owned()).unwrap_or_default(),
                part.host
                    .clone()
                    .or_else(|| part.address.map(|address| address.to_string()))
                    .unwrap_or_default(),
                part.content.sent.to_string(),
                part.flows.to_string(),
                part.content.protection().name().to_owned(),
            ];
            let quoted: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
            let _infallible = write!(text, "{}\r\n", quoted.join(","));
        }
        text
    }
}

/// A field that a spreadsheet takes for text: one that begins like a formula gets a quote in front.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let field = if formula { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_one_field_and_no_formula() {
        assert_eq!(quoted("a.example"), "a.example");
        assert_eq!(quoted("Talk, \"new\""), "\"Talk, \"\"new\"\"\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "'=HYPERLINK(1)");
    }
}

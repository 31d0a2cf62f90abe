//! What there is to show of a span.

use std::path::Path;

use telltale_model::{Coverage, Gap, Told};
use telltale_store::{Filter, KnownApp, Mute, Part, Reader, Span};
use telltale_watch::all_given;
use telltale_words::Summary;

use crate::Unanswered;

/// All of it, as the database has it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) parts: Vec<Part>,
    /// Those that are told.
    pub(crate) findings: Vec<Told>,
    /// Those that the person does not want to be told of.
    pub(crate) expected: Vec<Told>,
    pub(crate) apps: Vec<KnownApp>,
    pub(crate) gaps: Vec<Gap>,
}

impl Seen {
    /// Nothing, where there is no database yet.
    pub(crate) fn read(database: &Path, span: Span) -> Result<Self, Unanswered> {
        let Some(reader) = Reader::open(database)? else { return Ok(Self::default()) };
        let filter = Filter { since: Some(span.from), program: None };
        let in_span = |told: &Told| told.finding.at < span.to;
        let told = reader.findings(&filter)?.told.into_iter().filter(in_span);
        let mutes = reader.muted()?;
        let is_muted = |told: &Told| mutes.iter().any(|mute: &Mute| mute.covers(&told.finding));
        let (expected, findings) = told.partition(is_muted);
        Ok(Self {
            parts: reader.parts(span)?,
            findings,
            expected,
            apps: reader.apps()?,
            gaps: reader.gaps(span.from, span.to)?,
        })
    }

    /// How far all of it could be looked into.
    pub(crate) fn coverage(&self) -> Coverage {
        coverage(self.parts.iter())
    }

    pub(crate) fn summary(&self) -> Summary {
        summary(self.parts.iter(), self.findings.iter().chain(&self.expected))
    }
}

pub(crate) fn coverage<'a>(parts: impl Iterator<Item = &'a Part>) -> Coverage {
    let mut all = Coverage::default();
    parts.for_each(|part| all.add_all(&part.content.coverage));
    all
}

pub(crate) fn summary<'a>(
    parts: impl Iterator<Item = &'a Part> + Clone,
    told: impl IntoIterator<Item = &'a Told>,
) -> Summary {
    let given = all_given(parts.clone().map(|part| part.given)) == Some(true);
    Summary::of(told, coverage(parts), given)
}

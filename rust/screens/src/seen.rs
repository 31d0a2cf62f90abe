//! What there is to show of a span.

use std::collections::BTreeMap;
use std::path::Path;

use telltale_model::{Content, Coverage, Flow, Gap, Told, sort_told};
use telltale_store::{KnownApp, Mute, Part, Reader, Slice, Span};
use telltale_watch::all_given;
use telltale_words::Summary;

use crate::{Unanswered, example};

/// Where it comes from.
pub(crate) enum Source<'a> {
    Database(&'a Path),
    Flows(&'a [Flow]),
}

impl Source<'_> {
    pub(crate) fn seen(&self, span: Span) -> Result<Seen, Unanswered> {
        match self {
            Self::Database(path) => Seen::read(path, span),
            Self::Flows(flows) => Ok(Seen::of(flows)),
        }
    }

    pub(crate) fn told(&self, span: Span) -> Result<Seen, Unanswered> {
        match self {
            Self::Database(path) => Seen::told(path, span),
            Self::Flows(flows) => Ok(Seen::of(flows)),
        }
    }

    /// What there is of one app, and its hours.
    pub(crate) fn seen_of(&self, id: i64, span: Span) -> Result<(Seen, Vec<Slice>), Unanswered> {
        match self {
            Self::Database(path) => Seen::read_of(path, id, span),
            Self::Flows(flows) => {
                let seen = Seen::of(flows);
                let slices = slices(&seen, flows, id);
                Ok((seen, slices))
            }
        }
    }
}

fn slices(seen: &Seen, flows: &[Flow], id: i64) -> Vec<Slice> {
    let its = flows.iter().filter(|flow| seen.id(flow.owner.program.as_deref(), flow.owner.uid) == id);
    its.map(|flow| Slice { hour: example::hour(flow.started), content: Content::of(&flow.facts) }).collect()
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) parts: Vec<Part>,
    /// Those that are told.
    pub(crate) findings: Vec<Told>,
    /// Those that the person does not want to be told of.
    pub(crate) expected: Vec<Told>,
    pub(crate) apps: Vec<KnownApp>,
    pub(crate) gaps: Vec<Gap>,
    /// Whether there were more findings than were read.
    pub(crate) truncated: bool,
}

impl Seen {
    /// Nothing, where there is no database yet.
    pub(crate) fn read(database: &Path, span: Span) -> Result<Self, Unanswered> {
        let Some(reader) = Reader::open(database)? else { return Ok(Self::default()) };
        let told = Self::told_by(&reader, span)?;
        Ok(Self { parts: reader.parts(span)?, gaps: reader.gaps(span.from, span.to)?, ..told })
    }

    /// What one app sent, and its hours: others' parts are left out, which is most of them.
    fn read_of(database: &Path, id: i64, span: Span) -> Result<(Self, Vec<Slice>), Unanswered> {
        let Some(reader) = Reader::open(database)? else { return Ok(<(Self, Vec<Slice>)>::default()) };
        let told = Self::told_by(&reader, span)?;
        let gaps = reader.gaps(span.from, span.to)?;
        let known = told.with_id(id).map(|known| (known.program.as_str(), known.app.uid));
        // Whoever has no number may have a name in some part.
        let (parts, hours) = match known {
            Some(app) => (reader.parts_of(span, app)?, reader.slices(span, app)?),
            None => (reader.parts(span)?, Vec::new()),
        };
        Ok((Self { parts, gaps, ..told }, hours))
    }

    /// Findings alone.
    pub(crate) fn told(database: &Path, span: Span) -> Result<Self, Unanswered> {
        match Reader::open(database)? {
            Some(reader) => Self::told_by(&reader, span),
            None => Ok(Self::default()),
        }
    }

    /// What began to be sent in a span, to the moment.
    pub(crate) fn begun(database: &Path, span: Span) -> Result<Self, Unanswered> {
        let Some(reader) = Reader::open(database)? else { return Ok(Self::default()) };
        Ok(Self { parts: reader.begun(span)?, apps: reader.apps()?, ..Self::default() })
    }

    fn told_by(reader: &Reader, span: Span) -> Result<Self, Unanswered> {
        let mutes = reader.muted()?;
        let is_muted = |told: &Told| mutes.iter().any(|mute: &Mute| mute.covers(&told.finding));
        let found = reader.findings_in(span)?;
        let truncated = found.older > 0 || found.unread > 0;
        let (expected, findings) = found.told.into_iter().partition(is_muted);
        Ok(Self { findings, expected, truncated, apps: reader.apps()?, ..Self::default() })
    }

    /// Of flows that are in no database.
    pub(crate) fn of(flows: &[Flow]) -> Self {
        let mut seen = Self::default();
        let mut told: BTreeMap<String, Told> = BTreeMap::new();
        for flow in flows {
            seen.add(flow);
            for finding in &flow.findings {
                let new = Told::new(finding.clone());
                match told.get_mut(&finding.key()) {
                    Some(known) => known.add(new),
                    None => drop(told.insert(finding.key(), new)),
                }
            }
        }
        seen.findings = told.into_values().collect();
        sort_told(&mut seen.findings);
        seen
    }

    fn add(&mut self, flow: &Flow) {
        let (program, uid) = (flow.owner.program.clone(), flow.owner.uid);
        if let Some(app) = flow.owner.app.as_deref()
            && self.known(program.as_deref(), uid).is_none()
        {
            let id = i64::try_from(self.apps.len()).unwrap_or(i64::MAX).saturating_add(1);
            self.apps.push(KnownApp { id, program: program.clone().unwrap_or_default(), app: app.clone() });
        }
        let destination = &flow.destination;
        self.parts.push(Part {
            program,
            uid,
            host: flow.host().map(str::to_owned),
            address: Some(flow.key.remote.ip()),
            company: destination.company.clone(),
            probable: destination.probable,
            role: destination.role,
            content: Content::of(&flow.facts),
            flows: 1,
            given: Some(flow.facts.set != 0),
        });
    }

    /// Findings that are told, then those that the person expects.
    pub(crate) fn all_told(&self) -> impl Iterator<Item = (&Told, bool)> {
        let told = self.findings.iter().map(|told| (told, false));
        told.chain(self.expected.iter().map(|told| (told, true)))
    }

    /// Whether more may have been found than is here.
    pub(crate) fn is_partial(&self) -> bool {
        self.truncated || !self.gaps.is_empty()
    }

    pub(crate) fn summary(&self) -> Summary {
        let told = self.findings.iter().chain(&self.expected);
        summary(self.parts.iter(), told, self.is_partial())
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
    partial: bool,
) -> Summary {
    let given = all_given(parts.clone().map(|part| part.given)) == Some(true);
    Summary::of(told, coverage(parts), given, partial)
}

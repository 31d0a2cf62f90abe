//! What was found becomes candidates: the name of the field, the steps, and what stood around it.

use telltale_model::{DetailKind, DetailName, Form};

use super::candidate::{Candidate, Evidence};
use super::contain::{add_name, json, pairs, xml};
use super::excerpt::excerpt;
use super::hunt::Hunt;
use super::room::{DEPTHS, Found};
use super::sheet::{Leaf, Place, Sheet};
use super::telling;

/// The walk through the structured leaf of a sheet that was looked at last.
#[derive(Default)]
struct Walks([Option<(usize, Walk)>; DEPTHS]);

enum Walk {
    Json(json::Walk),
    Xml(xml::Walk),
}

impl Hunt<'_> {
    /// In the order of their places, so that each structure is walked through once.
    pub(super) fn candidates(&mut self, offset: u64) -> Vec<Candidate> {
        let mut found = std::mem::take(&mut self.room.found);
        found.sort_by_key(|found| (found.in_bytes, found.place.depth, found.place.start));
        let mut walks = Walks::default();
        let mut candidates: Vec<_> =
            found.drain(..).map(|found| self.candidate(found, offset, &mut walks)).collect();
        self.room.found = found;
        candidates.extend(self.list_of_packages(offset));
        candidates
    }

    /// The field is that of the first one.
    fn list_of_packages(&mut self, offset: u64) -> Option<Candidate> {
        let mut place = Some(self.first_package?);
        let (mut walks, mut form, mut names) = (Walks::default(), Vec::new(), Vec::new());
        while let Some(at) = place {
            place = self.level(at, &mut walks, &mut form, &mut names);
        }
        let field = self.needles.redact_words(&self.field(names));
        let (kind, evidence) = (DetailKind::Package, Evidence::Packages(std::mem::take(&mut self.packages)));
        let (detail, told, excerpt) = (None, false, String::new());
        Some(Candidate { kind, detail, form, field, told, offset, excerpt, evidence })
    }

    fn candidate(&self, found: Found, offset: u64, walks: &mut Walks) -> Candidate {
        let detail: Option<DetailName> = found.detail.and_then(|detail| self.needles.name(detail));
        let shown = detail.map_or_else(|| format!("<{}>", found.kind.name()), |name| name.to_string());
        let (mut form, mut names) = (found.form.clone(), Vec::new());
        let mut place = Some(found.place);
        let excerpt = if found.in_bytes {
            let leaf = self.room.bytes.leaf(found.place.start).map(|(_, leaf)| *leaf);
            place = leaf.and_then(|leaf| {
                names.push(self.room.bytes.path(leaf.path).to_owned());
                form.extend(leaf.steps.iter());
                leaf.parent
            });
            shown
        } else {
            let text =
                self.room.sheets.get(usize::from(found.place.depth)).map_or(&[][..], |sheet| &sheet.text);
            excerpt(text, found.place, &shown)
        };
        while let Some(at) = place {
            place = self.level(at, walks, &mut form, &mut names);
        }
        let field = self.field(names);
        Candidate {
            kind: found.kind,
            detail,
            told: telling::of_field(&field).is_some(),
            form,
            field: self.needles.redact_words(&field),
            offset,
            excerpt: self.needles.redact_words(&excerpt),
            evidence: found.evidence,
        }
    }

    /// Adds the steps and the name of one sheet, and gives the place that it came from.
    fn level(
        &self,
        at: Place,
        walks: &mut Walks,
        form: &mut Vec<Form>,
        names: &mut Vec<String>,
    ) -> Option<Place> {
        let depth = usize::from(at.depth);
        let sheet = self.room.sheets.get(depth)?;
        let (number, leaf) = sheet.leaf(at.start)?;
        form.extend((0..sheet.percent_in(at.start, at.end)).map(|_| Form::Percent));
        form.extend(leaf.steps.iter());
        let walk = walks.0.get_mut(depth)?;
        names.push(name(sheet, number, leaf, at.start as usize, walk));
        leaf.parent
    }

    fn field(&self, names: Vec<String>) -> String {
        let names: Vec<_> = names.into_iter().rev().filter(|name| !name.is_empty()).collect();
        if names.is_empty() { "text".to_owned() } else { names.join(".") }
    }
}

/// The path of a leaf, its key, and where in its value a byte is.
fn name(sheet: &Sheet, number: usize, leaf: &Leaf, at: usize, walk: &mut Option<(usize, Walk)>) -> String {
    let mut path = sheet.path(leaf.path).to_owned();
    let (start, value) = (leaf.start as usize, leaf.value as usize);
    if value > start {
        add_name(&mut path, sheet.text.get(start..value - 1).unwrap_or_default());
    }
    let text = sheet.text.get(value..sheet.end(number)).unwrap_or_default();
    let Some(at) = at.checked_sub(value) else { return path };
    let dot = if path.is_empty() { "" } else { "." };
    if json::looks_like(text) {
        path.push_str(dot);
        path.push_str("json");
        if !matches!(walk, Some((known, Walk::Json(_))) if *known == number) {
            *walk = Some((number, Walk::Json(json::Walk::default())));
        }
    } else if xml::looks_like(text) {
        path.push_str(dot);
        path.push_str("xml");
        if !matches!(walk, Some((known, Walk::Xml(_))) if *known == number) {
            *walk = Some((number, Walk::Xml(xml::Walk::default())));
        }
    } else {
        if text.get(..at).is_some_and(|before| before.contains(&b'?'))
            && memchr::memmem::find(text, b"://").is_some()
        {
            path.push_str(dot);
            path.push_str("query");
            pairs::path(text, at, &mut path);
        }
        return path;
    }
    match walk {
        Some((_, Walk::Json(walk))) => walk.path(text, at, &mut path),
        Some((_, Walk::Xml(walk))) => walk.path(text, at, &mut path),
        None => {}
    }
    path
}

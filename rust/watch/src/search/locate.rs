//! What was found becomes candidates: the name of the field, the steps, and what stood around it.

use telltale_model::{DetailKind, DetailName, Form};

use super::candidate::{Candidate, Evidence, Spot};
use super::contain::{add_name, json, pairs, xml};
use super::excerpt::excerpt;
use super::hunt::Hunt;
use super::part::Piece;
use super::room::{DEPTHS, Found};
use super::sheet::{Leaf, Place, Sheet};
use super::telling;

/// How the bytes of something found were come to: how many steps, and the place in each sheet that they were in.
#[derive(Default)]
struct Way {
    steps: usize,
    places: [Option<Place>; DEPTHS],
}

/// The walk through the structured leaf of a sheet that was looked at last.
#[derive(Default)]
struct Walks([Option<(usize, Walk)>; DEPTHS]);

enum Walk {
    Json(json::Walk),
    Xml(xml::Walk),
}

impl Hunt<'_> {
    /// In the order of their places, so that each structure is walked through once.
    pub(super) fn candidates(&mut self, piece: &Piece<'_>) -> Vec<Candidate> {
        let mut found = std::mem::take(&mut self.room.found);
        self.drop_repeats(&mut found);
        found.sort_by_key(|found| (found.in_bytes, found.place.depth, found.place.start));
        let mut walks = Walks::default();
        let mut candidates: Vec<_> =
            found.drain(..).map(|found| self.candidate(found, piece, &mut walks)).collect();
        self.room.found = found;
        candidates.extend(self.list_of_packages(piece));
        candidates
    }

    /// Of the same bytes, read in several ways, the simplest is told: that of fewest steps, else the one in the
    /// innermost field.
    fn drop_repeats(&self, found: &mut Vec<Found>) {
        let ways: Vec<Way> = found.iter().map(|found| self.way(found)).collect();
        let mut repeated = vec![false; found.len()];
        for (inner, way) in ways.iter().enumerate() {
            let detail = found.get(inner).and_then(|inner| inner.detail);
            let is_in = |outer: &Found| {
                let around = way.places.get(usize::from(outer.place.depth)).copied().flatten();
                let around = around.filter(|_| !outer.in_bytes && outer.detail == detail);
                around
                    .is_some_and(|around| around.start <= outer.place.start && outer.place.end <= around.end)
            };
            for (outer, other) in found.iter().zip(&ways).enumerate().filter(|(_, (outer, _))| is_in(outer)) {
                let worse = if way.steps > other.1.steps { inner } else { outer };
                repeated.get_mut(worse).into_iter().for_each(|worse| *worse = true);
            }
        }
        let mut repeated = repeated.into_iter();
        found.retain(|found| !repeated.next().unwrap_or(false) || found.detail.is_none());
    }

    fn way(&self, found: &Found) -> Way {
        let mut way = Way { steps: found.form.len(), ..Way::default() };
        let leaf =
            if found.in_bytes { self.room.bytes.leaf(found.place.start) } else { self.leaf_at(found.place) };
        let mut leaf = leaf.map(|(_, leaf)| leaf);
        while let Some(Leaf { steps, parent, .. }) = leaf {
            way.steps += steps.iter().count();
            if let Some((place, at)) =
                parent.and_then(|at| Some((way.places.get_mut(usize::from(at.depth))?, at)))
            {
                *place = Some(at);
            }
            leaf = parent.and_then(|at| self.leaf_at(at)).map(|(_, leaf)| leaf);
        }
        way
    }

    fn leaf_at(&self, at: Place) -> Option<(usize, &Leaf)> {
        self.room.sheets.get(usize::from(at.depth))?.leaf(at.start)
    }

    /// The field is that of the first one.
    fn list_of_packages(&mut self, piece: &Piece<'_>) -> Option<Candidate> {
        let first = self.first_package?;
        let mut place = Some(first);
        let (mut walks, mut form, mut names) = (Walks::default(), Vec::new(), Vec::new());
        while let Some(at) = place {
            place = self.level(at, &mut walks, &mut form, &mut names);
        }
        let field = self.needles.redact_words(&self.field(names));
        let (kind, evidence) = (DetailKind::Package, Evidence::Packages(std::mem::take(&mut self.packages)));
        let (detail, told, excerpt) = (None, false, String::new());
        let Piece { offset, at, .. } = *piece;
        let spot = Spot { offset, in_bytes: false, place: first };
        Some(Candidate { kind, detail, form, field, told, offset, at, spot, excerpt, evidence })
    }

    fn candidate(&self, found: Found, piece: &Piece<'_>, walks: &mut Walks) -> Candidate {
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
            offset: piece.offset,
            at: piece.at,
            spot: Spot { offset: piece.offset, in_bytes: found.in_bytes, place: found.place },
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

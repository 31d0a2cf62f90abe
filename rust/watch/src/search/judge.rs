//! What counts as a person's detail, and how sure that is.

use telltale_model::{DetailKind, Details, Grade, Hit};

use super::candidate::{Axis, Candidate, Evidence, Spot};
use super::coordinates::TEN_MILLIONTHS;
use super::needles::Needles;

/// So much of a digest is enough wherever it stands, and as a token of its own.
const ENOUGH: u16 = 64;
const ENOUGH_ALONE: u16 = 48;
/// Digits that tell a number from others, with and without the code of a country.
const ENOUGH_DIGITS: u8 = 10;
const ENOUGH_CODED: u8 = 9;
/// A place and what is meant by it are at most so far from each other, in metres.
const NEAR: f64 = 1_000.0;
/// Hits of one request.
const MOST: usize = 256;

/// What the candidates of a request come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Details, and what looks like them. They have no [`Hit::request`]: the caller knows it.
    pub hits: Vec<Hit>,
    /// Where a detail may have been for which too little speaks, as [`Hit::offset`] counts: it cannot be said that none
    /// was there.
    pub doubts: Vec<u64>,
}

impl Needles {
    /// Grades the candidates of one request, its head and its body, or of one message. `own` are the packages of
    /// the program that sent it.
    pub fn judge(&self, candidates: &[Candidate], own: &[&str]) -> Judgement {
        let mut hits: Vec<Hit> = Vec::new();
        let mut certain: Vec<Spot> = Vec::new();
        for candidate in candidates {
            if let Some(grade) = self.grade(candidate, candidates) {
                add(&mut hits, candidate, grade);
                certain.push(candidate.spot);
            }
        }
        // Of the same bytes the value says more than its shape.
        let is_shape = |candidate: &&Candidate| candidate.evidence == Evidence::Shape;
        for shape in candidates.iter().filter(is_shape) {
            if !certain.iter().any(|spot| spot.overlaps(&shape.spot)) {
                add(&mut hits, shape, Grade::LooksLike);
            }
        }
        let alone = hits.is_empty();
        for candidate in candidates {
            // Too little of a digest for itself.
            if let Evidence::Cut { bits, whole } = candidate.evidence
                && !is_enough(bits, whole)
                && (candidate.told || !alone)
            {
                add(&mut hits, candidate, Grade::LooksLike);
            }
        }
        let doubts = doubts(candidates, &hits);
        hits.extend(self.places(candidates));
        hits.extend(self.packages(candidates, own));
        Judgement { hits, doubts }
    }

    fn grade(&self, candidate: &Candidate, all: &[Candidate]) -> Option<Grade> {
        match candidate.evidence {
            Evidence::Value => Some(Grade::Yours),
            Evidence::Cut { bits, whole } => is_enough(bits, whole).then_some(Grade::Yours),
            Evidence::Number { time: true, .. } if !candidate.told => None,
            Evidence::Number { coded, significant, .. } => {
                if !has_enough_digits(significant, coded) {
                    return candidate.told.then_some(Grade::LooksLike);
                }
                let chance = self.crowded && candidate.kind == DetailKind::Contact && !coded;
                (!chance || candidate.told || has_another_contact(candidate, all)).then_some(Grade::Yours)
            }
            Evidence::Shape | Evidence::Coordinate { .. } | Evidence::Packages(_) => None,
        }
    }

    /// Both coordinates in one structure.
    fn places(&self, candidates: &[Candidate]) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        for first in candidates {
            let Evidence::Coordinate { axis: Axis::Latitude, degrees: latitude, decimals: exact } =
                first.evidence
            else {
                continue;
            };
            for second in candidates.iter().filter(|second| second.detail == first.detail) {
                let Evidence::Coordinate { axis: Axis::Longitude, degrees: longitude, decimals } =
                    second.evidence
                else {
                    continue;
                };
                let place = self.places.iter().find(|place| self.name(place.0) == first.detail);
                let Some((_, near_latitude, near_longitude)) = place else { continue };
                if structure(&first.field) != structure(&second.field) || latitude == longitude {
                    continue;
                }
                let (north, east) = (
                    latitude as f64 / TEN_MILLIONTHS - near_latitude,
                    longitude as f64 / TEN_MILLIONTHS - near_longitude,
                );
                const METRES: f64 = 111_195.0;
                let distance = METRES * north.hypot(east * near_latitude.to_radians().cos());
                let exact = exact.min(decimals) >= 3;
                if distance <= if exact { NEAR } else { NEAR + 0.0051 * METRES } {
                    let grade = if exact { Grade::Yours } else { Grade::LooksLike };
                    add(&mut hits, first, grade);
                }
            }
        }
        hits
    }

    /// A list of installed packages, the program's own not counted.
    fn packages(&self, candidates: &[Candidate], own: &[&str]) -> Option<Hit> {
        let is_own = |detail: &u16| {
            let value = self.packages.iter().find(|value| value.detail == *detail);
            value.is_some_and(|value| own.iter().any(|own| own.as_bytes() == self.bytes(*value)))
        };
        let lists = candidates.iter().filter_map(|candidate| match &candidate.evidence {
            Evidence::Packages(list) => Some((candidate, list)),
            Evidence::Value
            | Evidence::Number { .. }
            | Evidence::Cut { .. }
            | Evidence::Coordinate { .. }
            | Evidence::Shape => None,
        });
        let mut all: Vec<u16> =
            lists.clone().flat_map(|(_, list)| list).copied().filter(|detail| !is_own(detail)).collect();
        all.sort_unstable();
        all.dedup();
        let first = lists.map(|(candidate, _)| candidate).next()?;
        (all.len() >= Details::LIST_OF_PACKAGES).then(|| Hit {
            excerpt: format!("<{} installed apps>", all.len()),
            count: u32::try_from(all.len()).unwrap_or(u32::MAX),
            ..hit(first, Grade::Yours)
        })
    }
}

/// So much of a digest is no chance.
fn is_enough(bits: u16, whole: bool) -> bool {
    bits >= if whole { ENOUGH_ALONE } else { ENOUGH }
}

fn has_enough_digits(significant: u8, coded: bool) -> bool {
    significant >= if coded { ENOUGH_CODED } else { ENOUGH_DIGITS }
}

/// Whether the number of a second contact is in the same request: elsewhere, and as sure in itself. Digits that are the
/// numbers of two contacts at once, in two countries, are one number.
fn has_another_contact(candidate: &Candidate, all: &[Candidate]) -> bool {
    let contacts = || all.iter().filter(|other| other.kind == DetailKind::Contact && other.detail.is_some());
    let here = contacts().filter(|other| other.spot.overlaps(&candidate.spot)).map(|other| other.detail);
    let mut here: Vec<_> = here.collect();
    here.dedup();
    contacts().any(|other| could_be_alone(other) && !here.contains(&other.detail))
}

/// Whether it would count where there are few contacts.
fn could_be_alone(candidate: &Candidate) -> bool {
    match candidate.evidence {
        Evidence::Value => true,
        Evidence::Cut { bits, whole } => is_enough(bits, whole),
        Evidence::Number { coded, significant, time } => !time && has_enough_digits(significant, coded),
        Evidence::Shape | Evidence::Coordinate { .. } | Evidence::Packages(_) => false,
    }
}

/// Where details may stand that are nowhere among the hits. Half of a place is no place, and some apps are no list.
fn doubts(candidates: &[Candidate], hits: &[Hit]) -> Vec<u64> {
    let is_doubt = |candidate: &&Candidate| {
        matches!(candidate.evidence, Evidence::Number { .. } | Evidence::Cut { .. })
            && !hits.iter().any(|hit| hit.detail == candidate.detail)
    };
    let mut doubts: Vec<u64> = candidates.iter().filter(is_doubt).map(|candidate| candidate.offset).collect();
    doubts.sort_unstable();
    doubts.dedup();
    doubts
}

/// The structure that a field is in.
fn structure(field: &str) -> &str {
    let field =
        field.strip_suffix(']').and_then(|field| field.rsplit_once('[')).map_or(field, |(field, _)| field);
    field.rsplit_once('.').map_or(field, |(structure, _)| structure)
}

/// Each detail once in each field and form, with the better grade.
fn add(hits: &mut Vec<Hit>, candidate: &Candidate, grade: Grade) {
    let full = hits.len() >= MOST;
    let same = hits.iter_mut().find(|hit| {
        hit.detail == candidate.detail
            && hit.kind == candidate.kind
            && hit.field == candidate.field
            && hit.form == candidate.form
    });
    match same {
        Some(hit) => hit.grade = hit.grade.max(grade),
        None if !full => hits.push(hit(candidate, grade)),
        None => {}
    }
}

fn hit(candidate: &Candidate, grade: Grade) -> Hit {
    Hit {
        kind: candidate.kind,
        detail: candidate.detail,
        grade,
        form: candidate.form.clone(),
        field: candidate.field.clone(),
        request: None,
        offset: candidate.offset,
        at: candidate.at,
        excerpt: candidate.excerpt.clone(),
        count: 1,
        hello: false,
    }
}

//! What counts as a person's detail, and how sure that is.

use telltale_model::{DetailKind, Grade, Hit};

use super::candidate::{Axis, Candidate, Evidence};
use super::needles::Needles;
use super::numbers::TEN_MILLIONTHS;

/// So much of a digest is enough wherever it stands, and as a token of its own.
const ENOUGH: u16 = 64;
const ENOUGH_ALONE: u16 = 48;
/// Digits that tell a number from others, with and without the code of a country.
const ENOUGH_DIGITS: u8 = 10;
const ENOUGH_CODED: u8 = 9;
/// So many names of packages are a list of a person's apps.
const ENOUGH_PACKAGES: usize = 8;
/// A place and what is meant by it are at most so far from each other, in metres.
const NEAR: f64 = 1_000.0;
/// Hits of one request.
const MOST: usize = 256;

impl Needles {
    /// Grades the candidates of one request, its head and its body, or of one message. `own` are the packages of
    /// the program that sent it. Hits have no [`Hit::request`]: the caller knows it.
    pub fn judge(&self, candidates: &[Candidate], own: &[&str]) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        for candidate in candidates {
            if let Some(grade) = self.grade(candidate, candidates) {
                add(&mut hits, candidate, grade);
            }
        }
        let alone = hits.is_empty();
        for candidate in candidates {
            // Too little of a digest for itself.
            if let Evidence::Cut { bits, whole } = candidate.evidence
                && bits < if whole { ENOUGH_ALONE } else { ENOUGH }
                && (candidate.told || !alone)
            {
                add(&mut hits, candidate, Grade::LooksLike);
            }
        }
        let certain: Vec<_> =
            hits.iter().filter(|hit| hit.detail.is_some()).map(|hit| hit.field.clone()).collect();
        hits.retain(|hit| hit.detail.is_some() || !certain.contains(&hit.field));
        hits.extend(self.places(candidates));
        hits.extend(self.packages(candidates, own));
        hits
    }

    fn grade(&self, candidate: &Candidate, all: &[Candidate]) -> Option<Grade> {
        match candidate.evidence {
            Evidence::Value => Some(Grade::Yours),
            Evidence::Shape => Some(Grade::LooksLike),
            Evidence::Cut { bits, whole } => {
                (bits >= if whole { ENOUGH_ALONE } else { ENOUGH }).then_some(Grade::Yours)
            }
            Evidence::Number { time: true, .. } if !candidate.told => None,
            Evidence::Number { coded, significant, .. } => {
                if significant < if coded { ENOUGH_CODED } else { ENOUGH_DIGITS } {
                    return candidate.told.then_some(Grade::LooksLike);
                }
                let chance = self.crowded && candidate.kind == DetailKind::Contact && !coded;
                (!chance || candidate.told || has_another_contact(candidate, all)).then_some(Grade::Yours)
            }
            Evidence::Coordinate { .. } | Evidence::Packages(_) => None,
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
        (all.len() >= ENOUGH_PACKAGES).then(|| Hit {
            excerpt: format!("<{} installed apps>", all.len()),
            count: u32::try_from(all.len()).unwrap_or(u32::MAX),
            ..hit(first, Grade::Yours)
        })
    }
}

fn has_another_contact(candidate: &Candidate, all: &[Candidate]) -> bool {
    let is_another = |other: &&Candidate| {
        other.kind == DetailKind::Contact && other.detail.is_some() && other.detail != candidate.detail
    };
    all.iter().any(|other| is_another(&other))
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
    }
}

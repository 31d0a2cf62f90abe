//! Latitudes and longitudes near those of a place: as people write them, and as programs keep them.

use std::ops::Range;

use telltale_model::Form;

use super::candidate::{Axis, Evidence};
use super::contain::protobuf::Field;
use super::hunt::{Hunt, Origin};
use super::needles::Needles;
use super::sheet::Place;
use super::telling;

/// Coordinates are compared in these.
pub(super) const TEN_MILLIONTHS: f64 = 1e7;

/// Ten-millionths of a degree, and how many digits behind the point are meant.
pub(super) type Degrees = (i64, u8);

/// What is as exact as can be.
const EXACT: u8 = 7;
/// So exact is taken what may as well be another number: a place that it makes only looks like one.
const UNSURE: u8 = 2;

impl Hunt<'_> {
    /// Digits with a full stop between them.
    pub(super) fn coordinate(&mut self, text: &[u8], (start, end): (usize, usize), depth: usize) {
        if !self.needles.places.is_empty()
            && let Some((degrees, decimals)) = degrees(text.get(start..end).unwrap_or_default())
        {
            self.near(text, (start, end), (degrees, decimals), depth);
        }
    }

    /// Digits alone are ten-millionths of a degree in a field that is called so: `latitudeE7`.
    pub(super) fn whole_coordinate(&mut self, text: &[u8], (start, end): (usize, usize), depth: usize) {
        let digits = text.get(start..end).unwrap_or_default();
        let value = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<i64>().ok());
        let Some(degrees) = value.filter(|value| is_on_earth(*value as f64)) else { return };
        let before =
            if text.get(..start).is_some_and(|before| before.ends_with(b"-")) { start - 1 } else { start };
        if telling::before(text, before).is_some_and(is_of_a_coordinate) {
            self.near(text, (start, end), (degrees, EXACT), depth);
        }
    }

    fn near(
        &mut self,
        text: &[u8],
        (start, end): (usize, usize),
        (degrees, decimals): Degrees,
        depth: usize,
    ) {
        let negative = start.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'-');
        let degrees = if negative { -degrees } else { degrees };
        let needles = self.needles;
        for (detail, axis) in needles.near_places(degrees) {
            let evidence = Evidence::Coordinate { axis, degrees, decimals };
            self.found(Place::new(depth, start, end), detail, Vec::new(), evidence);
        }
    }

    /// What a number of a message would be as a coordinate: a floating-point number of degrees, or ten-millionths of
    /// one. `None` where it is near no place.
    pub(super) fn coordinate_of(&self, field: Field<'_>) -> Option<Degrees> {
        if self.needles.places.is_empty() {
            return None;
        }
        let read = match field {
            Field::Eight(bits) => [ten_millionths(f64::from_bits(bits)), (bits.cast_signed(), EXACT)],
            Field::Four(bits) => {
                [ten_millionths(f32::from_bits(bits).into()), (bits.cast_signed().into(), EXACT)]
            }
            // A number of any kind, with its sign as its last bit or not (sint64, int64).
            Field::Number(value) => {
                let zigzag = (value >> 1).cast_signed() ^ -(value & 1).cast_signed();
                [(value.cast_signed(), UNSURE), (zigzag, UNSURE)]
            }
            Field::Bytes(_) => return None,
        };
        let is_near = |(degrees, _): &Degrees| {
            is_on_earth(*degrees as f64) && self.needles.near_places(*degrees).next().is_some()
        };
        read.into_iter().find(is_near)
    }

    /// A coordinate of a message.
    pub(super) fn near_in_bytes(&mut self, (degrees, decimals): Degrees, origin: Origin<'_>) {
        let needles = self.needles;
        for (detail, axis) in needles.near_places(degrees) {
            let evidence = Evidence::Coordinate { axis, degrees, decimals };
            self.found_in_bytes(detail, vec![Form::Binary], evidence, origin);
        }
    }
}

impl Needles {
    /// Places that it is a coordinate of, nearly. Longitudes stand closer together toward the poles.
    fn near_places(&self, degrees: i64) -> impl Iterator<Item = (u16, Axis)> {
        let degrees = degrees as f64 / TEN_MILLIONTHS;
        self.places.iter().flat_map(move |(detail, latitude, longitude)| {
            let both = [(Axis::Latitude, *latitude, 0.02), (Axis::Longitude, *longitude, 0.3)];
            let near = both.into_iter().filter(move |(_, expected, most)| (degrees - expected).abs() < *most);
            near.map(|(axis, ..)| (*detail, axis))
        })
    }
}

/// What [`Needles::near_places`] may be true of: between the least and the most of all coordinates, and a little more.
pub(super) fn reach(places: &[(u16, f64, f64)]) -> Range<u64> {
    const MORE: u64 = 3_100_000;
    let all = || places.iter().flat_map(|(_, latitude, longitude)| [latitude, longitude]);
    let all = || all().map(|degrees| ten_millionths(*degrees).0.unsigned_abs());
    all().min().map_or(0, |least| least.saturating_sub(MORE))..all().max().map_or(0, |most| most + MORE)
}

/// Of so many degrees.
#[expect(clippy::cast_possible_truncation, reason = "it saturates: what is no coordinate becomes none")]
fn ten_millionths(degrees: f64) -> Degrees {
    ((degrees * TEN_MILLIONTHS) as i64, EXACT)
}

/// Whether so many ten-millionths of a degree are a coordinate at all.
fn is_on_earth(degrees: f64) -> bool {
    degrees != 0.0 && degrees.abs() <= 180.0 * TEN_MILLIONTHS
}

/// Whether a field that is called so holds one: `lat`, `lng_e7`, `Longitude`.
fn is_of_a_coordinate(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    [&b"lat"[..], b"lon", b"lng"].iter().any(|part| memchr::memmem::find(&name, part).is_some())
}

/// `52.5163` in ten-millionths of a degree, and how many digits are behind the point.
fn degrees(text: &[u8]) -> Option<Degrees> {
    let stop = memchr::memchr(b'.', text.get(..4.min(text.len()))?)?;
    let (whole, part) = (text.get(..stop)?, text.get(stop + 1..)?);
    if part.len() < 2 {
        return None;
    }
    let decimals = u8::try_from(part.len()).ok()?;
    let mut digits = whole.iter().chain(part.iter().chain(std::iter::repeat(&b'0')).take(7));
    let value = digits.clone().fold(0, |value, digit| value * 10 + i64::from(digit.wrapping_sub(b'0')));
    digits.all(u8::is_ascii_digit).then_some((value, decimals))
}

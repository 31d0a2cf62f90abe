use telltale_model::{DetailKind, DetailName, Form, Timestamp};

use super::sheet::Place;

/// A place that may hold a detail. [`Needles::judge`](super::Needles::judge) says whether it does, with all the
/// candidates of one request before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What it would be.
    pub(super) kind: DetailKind,
    /// Which detail; `None` for a mere shape.
    pub(super) detail: Option<DetailName>,
    /// The steps from the value to the bytes.
    pub(super) form: Vec<Form>,
    /// Where it stood, details in it replaced by their names.
    pub(super) field: String,
    /// Whether the name of that field tells what is in it.
    pub(super) told: bool,
    /// [`Piece::offset`](super::Piece::offset).
    pub(super) offset: u64,
    /// [`Piece::at`](super::Piece::at).
    pub(super) at: Timestamp,
    /// Where it stood exactly.
    pub(super) spot: Spot,
    /// What stood around it, masked.
    pub(super) excerpt: String,
    /// What speaks for it.
    pub(super) evidence: Evidence,
}

/// Bytes of a piece, as they were decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// [`Piece::offset`](super::Piece::offset).
    pub(super) offset: u64,
    /// Whether it was found in bytes, which have a leaf of their own each.
    pub(super) in_bytes: bool,
    pub(super) place: Place,
}

impl Spot {
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let (one, two) = (self.place, other.place);
        let same = |spot: &Self| (spot.offset, spot.in_bytes, spot.place.depth);
        // What was found in bytes has no length.
        same(self) == same(other) && (one == two || one.start < two.end && two.start < one.end)
    }
}

/// What speaks for a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The value, whole, or all of a digest of it.
    Value,
    /// The digits of a number, a whole run of them.
    Number {
        /// With the code of its country, or it needs none.
        coded: bool,
        /// So many digits that tell it from others.
        significant: u8,
        /// It may as well be a time of these years.
        time: bool,
    },
    /// The beginning of a digest.
    Cut {
        /// How much of it.
        bits: u16,
        /// Nothing else was in the token.
        whole: bool,
    },
    /// A latitude or longitude near that of a place.
    Coordinate {
        axis: Axis,
        /// In ten-millionths of a degree.
        degrees: i64,
        /// Digits behind the point.
        decimals: u8,
    },
    /// Names of installed packages, places in the details.
    Packages(Vec<u16>),
    /// No value of a detail, only how one looks.
    Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Latitude,
    Longitude,
}

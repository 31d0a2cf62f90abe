//! Where pieces of what was sent are searched: what is looked for, and the bounded means of doing it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use telltale_model::Details;

use crate::limits;
use crate::search::{Candidate, Judgement, Needles, Piece, Room, Searched};

/// One set of details, and the means that all sets share.
#[derive(Debug)]
pub(crate) struct Desk {
    needles: Needles,
    means: Arc<Means>,
    /// What was handed over.
    #[cfg(test)]
    pub(crate) seen: Mutex<Vec<String>>,
}

/// What all flows share, whichever details they are searched for.
#[derive(Debug, Default)]
pub(crate) struct Means {
    room: Mutex<Room>,
    /// Places that are taken, of [`limits::PARTS`].
    taken: AtomicUsize,
}

/// The right to collect a part of up to [`limits::PART`] bytes, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Means>);

impl Desk {
    /// `None` where there is nothing to look for.
    pub(crate) fn new(details: &Details, means: &Arc<Means>) -> Option<Arc<Self>> {
        let needles = Needles::new(details);
        let desk = || Self {
            needles,
            means: Arc::clone(means),
            #[cfg(test)]
            seen: Mutex::default(),
        };
        (!details.list.is_empty()).then(|| Arc::new(desk()))
    }

    /// [`Details::set`].
    pub(crate) fn set(&self) -> u64 {
        self.needles.set()
    }

    /// Whether every detail of another is among those looked for.
    pub(crate) fn has_all_of(&self, other: &Self) -> bool {
        self.needles.has_all_of(&other.needles)
    }

    /// Where an earlier search panicked, what it left in the room is thrown away.
    pub(crate) fn search(&self, piece: &Piece<'_>) -> Searched {
        #[cfg(test)]
        self.seen.lock().unwrap().push(describe(piece));
        self.needles.search(piece, &mut self.room())
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.means.room.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            let mut room = poisoned.into_inner();
            *room = Room::default();
            self.means.room.clear_poison();
            room
        })
    }

    /// `own` is the package of the program that sent it. A field may be called by a value: by a cookie's name.
    pub(crate) fn judge(&self, candidates: &[Candidate], own: Option<&str>) -> Judgement {
        if candidates.is_empty() {
            return Judgement::default();
        }
        let mut judgement = self.needles.judge(candidates, own.as_slice());
        for text in judgement.hits.iter_mut().flat_map(|hit| [&mut hit.field, &mut hit.excerpt]) {
            *text = self.redact(text).unwrap_or_else(|| std::mem::take(text));
        }
        judgement
    }

    /// See [`Needles::redact`].
    pub(crate) fn redact(&self, text: &str) -> Option<String> {
        self.needles.redact_in(text, &mut self.room())
    }

    /// `None` where all are taken.
    pub(crate) fn place(&self) -> Option<Place> {
        let free = |taken| (taken < limits::PARTS).then_some(taken + 1);
        let taken = self.means.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free);
        taken.is_ok().then(|| Place(Arc::clone(&self.means)))
    }
}

/// Offset, kind and content; three dots where there is more before or behind.
#[cfg(test)]
fn describe(piece: &Piece<'_>) -> String {
    use crate::search::Part;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let content = match piece.part {
        Part::Head { target, fields, .. } => {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect();
            format!("head {} {}", text(target), fields.join(" "))
        }
        Part::Body { media, coding, bytes } => {
            let of = [media, coding].map(|of| of.map(text).unwrap_or("-".into()));
            format!("body {} {} {}", of[0], of[1], text(bytes))
        }
        Part::Message(bytes) => format!("message {}", text(bytes)),
        Part::Question(bytes) => format!("question {}", text(bytes)),
        Part::Raw(bytes) => format!("raw {}", text(bytes)),
    };
    let more = |whole| if whole { "" } else { "..." };
    format!("{} {}{content}{}", piece.offset, more(piece.begins), more(piece.ends))
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

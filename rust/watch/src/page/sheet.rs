//! The readable pieces of one request, or of one message or stream, until they are searched and counted.

use std::sync::Arc;

use telltale_model::{Class, Facts, Hit, Timestamp};

use super::desk::{Desk, Place};
use crate::limits;
use crate::search::{Candidate, Judgement, Part, Piece};

/// What a part is, as its protocol divides it.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A head or trailers, and how it is divided.
    Head(fn(&[u8]) -> Head<'_>),
    /// A body with its `Content-Type` and `Content-Encoding`, its chunks joined.
    Body {
        /// `Content-Type`.
        media: Option<String>,
        /// `Content-Encoding`.
        coding: Option<String>,
    },
    /// A message, or a datagram.
    Message,
    /// What is in no order that is known.
    Raw,
}

/// A head, divided.
#[derive(Debug, Default)]
pub(crate) struct Head<'a> {
    /// Empty in an answer and in trailers.
    pub(crate) method: &'a [u8],
    /// What was asked for; empty in an answer and in trailers.
    pub(crate) target: &'a [u8],
    /// Names and values.
    pub(crate) fields: Vec<(&'a [u8], &'a [u8])>,
}

/// Who sends at present.
#[derive(Debug, Default)]
pub(super) struct Sender {
    pub(super) at: Timestamp,
    /// The package of the program.
    pub(super) own: Option<String>,
}

/// A request with all its parts. They are judged together as far as they are here, and counted when the last of
/// them has come: what is in one may tell what is in another.
#[derive(Debug)]
pub(super) struct Sheet {
    desk: Arc<Desk>,
    /// What neither was understood nor held a detail; `None` as long as that is not known.
    otherwise: Option<Class>,
    /// [`Hit::request`].
    request: Option<u32>,
    open: Option<Open>,
    searched: Vec<Searched>,
    candidates: Vec<Candidate>,
    /// Bytes that were sent and are not counted yet.
    pending: u64,
}

/// The part that is being collected.
#[derive(Debug)]
struct Open {
    kind: Kind,
    text: Vec<u8>,
    /// So much of the text was searched before.
    again: usize,
    /// Bytes that were sent for it and are in no piece that was searched.
    sent: u64,
    /// [`Piece::offset`].
    offset: u64,
    /// Whether its first byte is there.
    begins: bool,
    /// Whether it is of a body.
    body: bool,
    /// Whether something of it could not be kept.
    spoiled: bool,
    place: Option<Place>,
}

/// A piece that was searched and is not counted yet.
#[derive(Debug)]
struct Searched {
    offset: u64,
    sent: u64,
    understood: bool,
    /// Whether it is of a body.
    body: bool,
    /// Something in it may be a detail: what comes later may tell.
    doubtful: bool,
    found: bool,
    /// Something in it may be a detail, and nothing tells: it cannot be said that there was none.
    in_doubt: bool,
}

impl Sheet {
    pub(super) fn new(desk: &Arc<Desk>) -> Self {
        Self {
            desk: Arc::clone(desk),
            otherwise: Some(Class::Opaque),
            request: None,
            open: None,
            searched: Vec::new(),
            candidates: Vec::new(),
            pending: 0,
        }
    }

    /// Begins a part, before which the flow had sent so many bytes.
    pub(super) fn begin(&mut self, kind: Kind, offset: u64, begins: bool) {
        let body = matches!(kind, Kind::Body { .. });
        self.open = Some(Open {
            kind,
            text: Vec::new(),
            again: 0,
            sent: 0,
            offset,
            begins,
            body,
            spoiled: false,
            place: None,
        });
    }

    pub(super) fn kind(&self) -> Option<&Kind> {
        self.open.as_ref().map(|open| &open.kind)
    }

    /// The head that is being collected, if all of it is here.
    pub(super) fn head(&self) -> Option<Head<'_>> {
        match self.open.as_ref()? {
            Open { kind: Kind::Head(divide), text, begins: true, .. } => Some(divide(text)),
            _ => None,
        }
    }

    pub(super) fn set_request(&mut self, request: Option<u32>) {
        self.request = request;
    }

    /// Takes bytes of the part in, as they were sent.
    pub(super) fn write(&mut self, bytes: &[u8], facts: &mut Facts, sender: &Sender) {
        self.take_in(bytes, true, facts, sender);
    }

    /// Takes in what bytes say that are counted apart.
    pub(super) fn say(&mut self, text: &[u8], facts: &mut Facts, sender: &Sender) {
        self.take_in(text, false, facts, sender);
    }

    fn take_in(&mut self, mut bytes: &[u8], counts: bool, facts: &mut Facts, sender: &Sender) {
        while let Some(open) = self.open.as_mut().filter(|_| !bytes.is_empty()) {
            let room = open.room(&self.desk);
            if room == 0 {
                self.cut(limits::OVERLAP, facts, sender);
                continue;
            }
            let (taken, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            open.text.extend_from_slice(taken);
            let sent = if counts { taken.len() as u64 } else { 0 };
            open.sent += sent;
            self.pending += sent;
            bytes = rest;
        }
    }

    /// Counts bytes that were sent for the part and say nothing more.
    pub(super) fn count(&mut self, bytes: u64) {
        if let Some(open) = &mut self.open {
            open.sent += bytes;
            self.pending += bytes;
        }
    }

    /// The part is not understood, whatever its search says.
    pub(super) fn spoil(&mut self) {
        if let Some(open) = &mut self.open {
            open.spoiled = true;
        }
    }

    /// Searches what is here of the part; what follows is in no order, and begins with the last `again` bytes.
    pub(super) fn cut(&mut self, again: usize, facts: &mut Facts, sender: &Sender) {
        let Some(mut open) = self.open.take() else { return };
        if open.text.len() > open.again || open.sent > 0 {
            self.search(&open, false, facts, sender);
            open.go_on(again);
        }
        self.open = Some(open);
    }

    /// What comes next stands at another place than behind what came.
    pub(super) fn set_offset(&mut self, offset: u64) {
        if let Some(open) = &mut self.open {
            open.offset = offset;
        }
    }

    /// The part ends here.
    pub(super) fn end(&mut self, whole: bool, facts: &mut Facts, sender: &Sender) {
        if let Some(open) = self.open.take()
            && (open.text.len() > open.again || open.sent > 0)
        {
            self.search(&open, whole, facts, sender);
        }
    }

    /// From now on another set of details is looked for in what is in no order.
    pub(super) fn move_to(&mut self, desk: &Arc<Desk>, facts: &mut Facts, sender: &Sender) {
        if matches!(self.kind(), Some(Kind::Raw)) {
            self.cut(limits::OVERLAP, facts, sender);
            self.desk = Arc::clone(desk);
        }
    }

    /// What a piece is where nothing else can be said of it.
    pub(super) fn decide(&mut self, otherwise: Option<Class>, facts: &mut Facts) {
        self.otherwise = otherwise;
        if otherwise.is_some() {
            self.settle(0, facts);
        }
    }

    /// No further part comes.
    pub(super) fn close(mut self, facts: &mut Facts, sender: &Sender) {
        self.end(false, facts, sender);
        self.otherwise.get_or_insert(Class::Unknown);
        self.settle(0, facts);
    }

    /// Bytes that are not counted yet.
    pub(super) fn pending(&self) -> u64 {
        self.pending
    }

    /// Bytes of memory behind it that take no place of the pool, nearly.
    pub(super) fn held(&self) -> usize {
        let text =
            self.open.as_ref().filter(|open| open.place.is_none()).map_or(0, |open| open.text.capacity());
        let candidates = self.candidates.capacity() * (size_of::<Candidate>() + TEXTS_OF_CANDIDATE);
        size_of::<Self>() + text + candidates + self.searched.capacity() * size_of::<Searched>()
    }

    fn search(&mut self, open: &Open, ends: bool, facts: &mut Facts, sender: &Sender) {
        let (offset, begins) = (open.offset, open.begins);
        let head;
        let part = match &open.kind {
            Kind::Head(divide) => {
                head = divide(&open.text);
                Part::Head { method: head.method, target: head.target, fields: &head.fields }
            }
            Kind::Body { media, coding } => Part::Body {
                media: media.as_ref().map(String::as_bytes),
                coding: coding.as_ref().map(String::as_bytes),
                bytes: &open.text,
            },
            Kind::Message => Part::Message(&open.text),
            Kind::Raw => Part::Raw(&open.text),
        };
        let searched = self.desk.search(&Piece { part, begins, ends, offset, at: sender.at });
        let (pieces, known) = (self.searched.len(), self.candidates.len());
        let room = limits::CANDIDATES_OF_REQUEST.saturating_sub(known);
        let doubtful = room > 0 && !searched.candidates.is_empty();
        let understood = searched.understood && !open.spoiled && searched.candidates.len() <= room;
        self.candidates.extend(searched.candidates.into_iter().take(room));
        self.searched.push(Searched {
            offset,
            sent: open.sent,
            understood,
            body: open.body,
            doubtful,
            found: false,
            in_doubt: false,
        });
        self.judge(facts, sender);
        if matches!(open.kind, Kind::Raw) {
            // A stream may never end.
            self.candidates.truncate(known);
            self.settle(pieces, facts);
        }
    }

    /// Judges all that is here of the request anew.
    fn judge(&mut self, facts: &mut Facts, sender: &Sender) {
        let Judgement { hits, doubts } = self.desk.judge(&self.candidates, sender.own.as_deref());
        for piece in &mut self.searched {
            piece.in_doubt = doubts.binary_search(&piece.offset).is_ok();
        }
        for hit in hits {
            let offset = hit.offset;
            let kept = facts.add_hit(Hit { request: self.request, ..hit });
            for piece in self.searched.iter_mut().filter(|piece| piece.offset == offset) {
                (piece.found, piece.understood) = (true, piece.understood && kept);
            }
        }
    }

    /// Counts the pieces from this one on, or where their class is not known makes few of them.
    fn settle(&mut self, from: usize, facts: &mut Facts) {
        let Some(otherwise) = self.otherwise else {
            return self.searched.dedup_by(|piece, before| before.merge(piece));
        };
        for piece in self.searched.drain(from.min(self.searched.len())..) {
            let class = match (piece.found, piece.understood && !piece.in_doubt) {
                (true, true) => Class::Found,
                (false, true) => Class::Searched,
                // The hit stands all the same.
                (_, false) => otherwise,
            };
            self.pending -= piece.sent;
            facts.coverage.add(class, piece.sent);
            let request = self.request.filter(|_| piece.body).and_then(|place| usize::try_from(place).ok());
            if let Some(request) = request.and_then(|place| facts.requests.get_mut(place)) {
                request.looked.add(class, piece.sent);
            }
            facts.content_sent = facts.content_sent.saturating_add(piece.sent);
        }
    }
}

/// Field and excerpt of a candidate, in bytes, mostly.
const TEXTS_OF_CANDIDATE: usize = 128;

impl Open {
    /// How many bytes more it takes.
    fn room(&mut self, desk: &Desk) -> usize {
        if self.place.is_none() && self.text.len() >= limits::SMALL_PART {
            self.place = desk.place();
        }
        let most = if self.place.is_some() { limits::PART } else { limits::SMALL_PART };
        most.saturating_sub(self.text.len())
    }

    /// With the piece that follows the one that was searched.
    fn go_on(&mut self, again: usize) {
        let again = again.min(self.text.len());
        self.text.drain(..self.text.len() - again);
        self.offset = (self.offset + self.sent).saturating_sub(again as u64).max(self.offset);
        (self.kind, self.again, self.sent, self.begins) = (Kind::Raw, again, 0, false);
    }
}

impl Searched {
    /// Takes another in, if neither can become anything else any more.
    fn merge(&mut self, other: &Self) -> bool {
        let certain = !self.doubtful && !other.doubtful;
        let same = certain && (self.understood, self.body) == (other.understood, other.body);
        self.sent += if same { other.sent } else { 0 };
        same
    }
}

//! What the sessions of a flow write on: facts, and where details are looked for, what is to be searched.

mod desk;
mod kept;
mod sheet;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use desk::{Desk, Means};
use kept::Kept;
pub(crate) use kept::weight;
pub(crate) use sheet::{Head, Kind};
use sheet::{Sender, Sheet};
use telltale_model::{Class, Facts, Hit, NameSource, Timestamp};

use crate::limits;
use crate::search::{Part, Piece};

/// The facts of a flow, and the sheets on which requests and streams collect the bytes that can be read. A sheet
/// goes by a number that the session chooses; of HTTP/2 it is the stream's.
///
/// Every byte that is written is counted once: at once where nothing is looked for, else when its sheet is
/// closed, by what the search said.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) facts: Facts,
    kept: Kept,
    desk: Option<Arc<Desk>>,
    sheets: BTreeMap<u32, Sheet>,
    sender: Sender,
    /// Names of hellos among [`Facts::names`] that were looked at, and all before them.
    named: usize,
    /// Bytes of names with a detail in them that still count as framing.
    found: Found,
}

/// Bytes in which a detail was found, and those in which there was one too many to be told.
#[derive(Debug, Default)]
struct Found {
    told: u64,
    untold: u64,
}

impl Page {
    /// From now on this is looked for. Parts in progress are judged as they were begun. Where bytes were looked at
    /// for other details before, it is said that none was looked for: nothing can be said to be absent from all.
    pub(crate) fn look_for(&mut self, desk: Option<&Arc<Desk>>) {
        if !self.has_read() {
            self.facts.set = desk.map_or(0, |desk| desk.set());
        } else if !is_all_of(self.desk.as_ref(), desk) {
            self.facts.set = 0;
        }
        self.desk = desk.cloned();
        if let Some(desk) = desk {
            self.sheets.values_mut().for_each(|sheet| sheet.move_to(desk, &mut self.facts, &self.sender));
        }
    }

    /// What comes next was sent at this moment by this program.
    pub(crate) fn turn_to(&mut self, at: Timestamp, program: Option<&str>) {
        self.sender.at = at;
        if self.sender.own.as_deref() != program {
            self.sender.own = program.map(str::to_owned);
        }
    }

    /// Whether written bytes are collected, and not only counted.
    pub(crate) fn is_searching(&self) -> bool {
        self.desk.is_some() || !self.sheets.is_empty()
    }

    /// A part begins; the one before it on the sheet is whole.
    pub(crate) fn begin(&mut self, number: u32, kind: Kind) {
        self.end(number);
        let offset = self.offset();
        if let Some(sheet) = self.sheet(number) {
            sheet.begin(kind, offset, true);
        }
    }

    /// A part begins, unless there is one.
    pub(crate) fn go_on(&mut self, number: u32, kind: Kind) {
        if self.sheets.get(&number).is_none_or(|sheet| sheet.kind().is_none()) {
            self.begin(number, kind);
        }
    }

    /// Whether a head is being collected.
    pub(crate) fn is_in_head(&self, number: u32) -> bool {
        matches!(self.sheets.get(&number).and_then(Sheet::kind), Some(Kind::Head(_)))
    }

    /// The head that is being collected, if all of it is here.
    pub(crate) fn head(&self, number: u32) -> Option<Head<'_>> {
        self.sheets.get(&number)?.head()
    }

    /// Bytes of content that belong to the part on a sheet. Where nothing is looked for, they are of this class.
    pub(crate) fn write(&mut self, number: u32, class: Class, bytes: &[u8]) {
        match self.collecting(number) {
            None => self.pass_by(class, bytes.len()),
            Some((sheet, facts, sender)) => sheet.write(bytes, facts, sender),
        }
    }

    /// The same of bytes whose meaning is told by [`Self::say`], or that could not be kept.
    pub(crate) fn count(&mut self, number: u32, class: Class, bytes: usize) {
        match self.collecting(number) {
            None => self.pass_by(class, bytes),
            Some((sheet, ..)) => sheet.count(bytes as u64),
        }
    }

    /// What bytes mean that are counted apart.
    pub(crate) fn say(&mut self, number: u32, text: &[u8]) {
        if let Some((sheet, facts, sender)) = self.collecting(number) {
            sheet.say(text, facts, sender);
        }
    }

    /// Bytes of the part are missing here.
    pub(crate) fn tear(&mut self, number: u32) {
        self.flush(number, 0);
        let offset = self.offset();
        if let Some(sheet) = self.sheets.get_mut(&number) {
            sheet.set_offset(offset);
        }
    }

    /// Something that belongs here could not be kept: the part is never understood.
    pub(crate) fn spoil(&mut self, number: u32) {
        if let Some((sheet, ..)) = self.collecting(number) {
            sheet.spoil();
        }
    }

    /// Searches what is here of a stream, as it may be long until more comes.
    pub(crate) fn pause(&mut self, number: u32) {
        self.flush(number, limits::OVERLAP);
    }

    /// The part is whole.
    pub(crate) fn end(&mut self, number: u32) {
        if let Some(sheet) = self.sheets.get_mut(&number) {
            sheet.end(true, &mut self.facts, &self.sender);
        }
    }

    /// The head ends, whole or not, of the request at this place in [`Facts::requests`].
    pub(crate) fn end_head(&mut self, number: u32, request: Option<usize>, whole: bool) {
        if let Some(sheet) = self.sheets.get_mut(&number) {
            sheet.set_request(request.and_then(|place| u32::try_from(place).ok()));
            sheet.end(whole, &mut self.facts, &self.sender);
        }
    }

    /// What bytes of a sheet are of which nothing else can be said: opaque, unless this tells; `None` as long as
    /// it is not known.
    pub(crate) fn decide(&mut self, number: u32, otherwise: Option<Class>) {
        if let Some((sheet, facts, _)) = self.collecting(number) {
            sheet.decide(otherwise, facts);
        }
    }

    /// The request has all its parts; one that did not end is cut.
    pub(crate) fn close(&mut self, number: u32) {
        if let Some(sheet) = self.sheets.remove(&number) {
            sheet.close(&mut self.facts, &self.sender);
        }
    }

    /// No more is written, or something else is spoken from here on.
    pub(crate) fn close_all(&mut self) {
        while let Some((_, sheet)) = self.sheets.pop_first() {
            sheet.close(&mut self.facts, &self.sender);
        }
    }

    /// Remembers a name that the flow carried, once, however many there are.
    pub(crate) fn add_name(&mut self, name: &str, from: NameSource) {
        self.kept.add_name(name, from, &mut self.facts);
    }

    /// Looks at a name that was asked for. It is framing, and counted as such unless a detail is in it.
    pub(crate) fn ask(&mut self, name: &str) {
        self.look_at_framing(Part::Question(name.as_bytes()), name.len(), false);
    }

    /// The same of what stands beside names; so many bytes of it are framing.
    pub(crate) fn ask_value(&mut self, value: &[u8], framing: usize) {
        self.look_at_framing(Part::Message(value), framing, false);
    }

    fn look_at_framing(&mut self, part: Part<'_>, len: usize, hello: bool) {
        let Some(desk) = &self.desk else { return };
        let offset = self.offset();
        let found = desk.search(&Piece { part, begins: true, ends: true, offset, at: self.sender.at });
        let hits = desk.judge(&found.candidates, self.sender.own.as_deref()).hits;
        let mut told = true;
        let found = !hits.is_empty();
        for hit in hits {
            told &= self.facts.add_hit(Hit { request: None, hello, ..hit });
        }
        if found {
            let sum = if told { &mut self.found.told } else { &mut self.found.untold };
            *sum = sum.saturating_add(len as u64);
        }
    }

    /// Names with a detail in them are content of a person: they are framing no longer. A message may be counted after
    /// it was read, so some of them may have to wait.
    fn settle_names(&mut self) {
        for (waiting, class) in
            [(&mut self.found.told, Class::Found), (&mut self.found.untold, Class::Opaque)]
        {
            let bytes = (*waiting).min(self.facts.coverage.handshake);
            *waiting -= bytes;
            self.facts.coverage.handshake -= bytes;
            self.facts.coverage.add(class, bytes);
            self.facts.content_sent = self.facts.content_sent.saturating_add(bytes);
        }
    }

    /// Looks at the names of hellos, which are framing.
    pub(crate) fn ask_names(&mut self) {
        // What was read with keys was inside of something else.
        let hello = self.facts.read_with_keys == 0;
        while self.desk.is_some()
            && let Some(name) = self.facts.names.get(self.named)
        {
            let text = name.name.clone();
            if matches!(name.from, NameSource::Tls | NameSource::Quic) {
                self.look_at_framing(Part::Question(text.as_bytes()), text.len(), hello);
                self.rename(self.redact(&text));
            }
            self.named += 1;
        }
        self.settle_names();
    }

    /// The text as it may be kept; `None` where it may be kept as it is.
    pub(crate) fn redact(&self, text: &str) -> Option<String> {
        self.desk.as_ref()?.redact(text)
    }

    /// The same of bytes as they were sent.
    pub(crate) fn redact_bytes(&self, bytes: &[u8]) -> Option<String> {
        self.desk.as_ref()?.redact(&String::from_utf8_lossy(bytes))
    }

    /// Bytes of memory behind it, without those in the pool of parts, and those of lookups.
    pub(crate) fn held(&mut self) -> usize {
        self.kept.held(&self.facts) + self.sheets.values().map(Sheet::held).sum::<usize>()
    }

    fn rename(&mut self, kept: Option<String>) {
        if let Some(name) = self.facts.names.get_mut(self.named)
            && let Some(kept) = kept
        {
            name.name = kept;
        }
    }

    fn flush(&mut self, number: u32, again: usize) {
        if let Some(sheet) = self.sheets.get_mut(&number) {
            sheet.cut(again, &mut self.facts, &self.sender);
        }
    }

    /// Whether bytes were read of which something was said.
    fn has_read(&self) -> bool {
        let read = [Class::Searched, Class::Found].map(|class| self.facts.coverage.of(class));
        read != [0, 0] || self.sheets.values().any(|sheet| sheet.pending() > 0)
    }

    /// Counts bytes that are on no sheet. Where something is looked for, it was not looked for in them.
    fn pass_by(&mut self, class: Class, bytes: usize) {
        let unseen = self.is_searching() && class == Class::Searched;
        self.facts.count_content(if unseen { Class::Opaque } else { class }, bytes);
    }

    /// All bytes that the flow had sent before.
    fn offset(&self) -> u64 {
        let pending = self.sheets.values().map(Sheet::pending).fold(0, u64::saturating_add);
        self.facts.coverage.total().saturating_add(pending)
    }

    /// The sheet with a part to write to. One whose beginning was not told is in no order.
    fn collecting(&mut self, number: u32) -> Option<(&mut Sheet, &mut Facts, &Sender)> {
        if !self.is_searching() {
            return None;
        }
        if self.sheet(number)?.kind().is_none() {
            let offset = self.offset();
            self.sheet(number)?.begin(Kind::Raw, offset, false);
        }
        let sheet = self.sheets.get_mut(&number)?;
        Some((sheet, &mut self.facts, &self.sender))
    }

    fn sheet(&mut self, number: u32) -> Option<&mut Sheet> {
        if !self.sheets.contains_key(&number)
            && self.sheets.len() < limits::SHEETS
            && let Some(desk) = &self.desk
        {
            self.sheets.insert(number, Sheet::new(desk));
        }
        self.sheets.get_mut(&number)
    }
}

/// Whether all that was looked for before still is.
fn is_all_of(before: Option<&Arc<Desk>>, now: Option<&Arc<Desk>>) -> bool {
    before.is_none_or(|before| now.is_some_and(|now| now.has_all_of(before)))
}

#[cfg(test)]
mod tests;

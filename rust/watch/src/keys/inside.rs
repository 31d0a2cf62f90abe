//! What is spoken inside TLS, once it is open.

use telltale_model::{Class, Direction, Facts, FlowKey};

use super::sources::Keys;
use crate::conversation::Talk;
use crate::page::Page;

/// The conversation inside a TLS connection.
#[derive(Debug)]
pub(super) struct Inside {
    talk: Talk,
}

/// Connections inside one another that are opened: a proxy's, and the one through it; more are a game.
pub(crate) const DEPTH: u8 = 2;

impl Inside {
    pub(super) fn new(key: FlowKey, keys: &Keys, depth: u8) -> Self {
        Self { talk: Talk::new(key).with_keys(keys, depth.saturating_sub(1)) }
    }

    pub(super) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) {
        count_with_keys(page, |page| self.talk.take(direction, bytes, page));
    }

    /// Nobody knows how many bytes are missing.
    pub(super) fn miss(&mut self, direction: Direction, page: &mut Page) {
        count_with_keys(page, |page| self.talk.miss(direction, 0, page));
    }

    pub(super) fn end(&mut self, page: &mut Page) {
        count_with_keys(page, |page| self.talk.end(page));
    }

    pub(super) fn take_answers(&mut self) -> Vec<crate::dns::Answer> {
        self.talk.take_answers()
    }

    pub(super) fn held(&self) -> usize {
        self.talk.held()
    }
}

/// Has a session read what nobody on the way could: what it counts was read with keys, and what it finds to be
/// spoken is spoken inside.
pub(super) fn count_with_keys(page: &mut Page, read: impl FnOnce(&mut Page)) {
    let Facts { coverage, read_with_keys, application: outside, inside, .. } = page.facts;
    page.facts.application = inside;
    read(page);
    let facts = &mut page.facts;
    facts.inside = std::mem::replace(&mut facts.application, outside);
    let read: u64 = READ.iter().map(|class| facts.coverage.of(*class) - coverage.of(*class)).sum();
    facts.read_with_keys = read_with_keys.saturating_add(read);
}

/// The classes of content that is not encrypted.
const READ: [Class; 4] = [Class::Searched, Class::Found, Class::Opaque, Class::Unknown];

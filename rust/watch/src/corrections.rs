//! What facts of a flow say otherwise afterwards.

use telltale_model::{Class, Facts};

use crate::whom;

/// Bytes that went by unseen.
pub(crate) fn not_watched(facts: &mut Facts, bytes: u64) {
    facts.coverage.add(Class::NotWatched, bytes);
    facts.content_sent = facts.content_sent.saturating_add(bytes);
}

/// Bytes that the relay had taken from the app, and that never left: the last ones. A detail that was found in them is
/// told all the same.
pub(crate) fn never_sent(facts: &mut Facts, mut bytes: u64) {
    for class in [Class::NotWatched, Class::Encrypted, Class::Unknown, Class::Opaque, Class::Searched] {
        let taken = bytes.min(facts.coverage.of(class));
        facts.coverage.take(class, taken);
        facts.content_sent = facts.content_sent.saturating_sub(taken);
        bytes -= taken;
    }
}

/// What is told of a flow where there is no room: whose host it is, how much it sent, and what was found in it. Tells
/// whether more was known.
pub(crate) fn shorten(facts: &mut Facts) -> bool {
    let known = (facts.names.len(), facts.lookups.len() + facts.requests.len(), facts.certificate.is_some());
    let host = whom::hosts(facts).next().map(str::to_owned);
    facts.names.retain(|name| Some(&name.name) == host.as_ref());
    facts.names.shrink_to_fit();
    (facts.lookups, facts.requests, facts.certificate) = (Vec::new(), Vec::new(), None);
    known != (facts.names.len(), 0, false)
}

//! What is told of requests, and what of them may be kept.

use std::borrow::Cow;

use telltale_model::{Direction, Facts};

use super::MESSAGE;
use super::asked::Question;
use super::fields::Fields;
use super::start::Target;
use crate::page::Page;

/// Whether more of a request than its hosts is told, or looked at.
pub(super) fn keeps_requests(page: &Page) -> bool {
    page.facts.requests.len() < Facts::KEPT || page.is_searching()
}

/// Remembers a request. Gives its place, if it has one.
pub(super) fn tell(target: Target, fields: Fields, direction: Direction, page: &mut Page) -> Option<usize> {
    if direction == Direction::Sent && page.is_searching() {
        let (target, fields) = kept(target, fields, page);
        return fields.into_request(target, page);
    }
    fields.into_request(target, page)
}

/// What may be kept of a request.
fn kept(target: Target, mut fields: Fields, page: &Page) -> (Target, Fields) {
    let host = target.host.as_ref().map(|host| page.redact(host).unwrap_or_else(|| host.clone()));
    let method = page.redact(&target.method).map_or_else(|| target.method.clone(), Cow::Owned);
    match page.head(MESSAGE) {
        Some(head) => {
            let redacted = page.redact_bytes(head.target).map(|text| target.with(text.as_bytes()));
            let target = Target { method, host, ..redacted.unwrap_or(target) };
            (target, fields.redacted(&head, page).unwrap_or(fields))
        }
        None => {
            fields.redact(page);
            let path = page.redact(&target.path).unwrap_or_else(|| target.path.clone());
            (Target { method, path, host, ..target }, fields)
        }
    }
}

/// The status of the answer to a question.
pub(super) fn set_status(question: Question, status: u16, page: &mut Page) {
    let place = question.place.map(usize::from);
    if let Some(request) = place.and_then(|place| page.facts.requests.get_mut(place)) {
        request.status = Some(status);
    }
}

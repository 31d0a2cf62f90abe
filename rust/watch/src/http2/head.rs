//! The fields of a block, written down to be searched.

use super::hpack::Bounds;
use crate::page::{Head, Page};

/// Stands after each name and each value: neither may hold it (RFC 9113 8.2.1).
const END: u8 = 0;

/// Writes a field down. One that is not known any more, or was cut, leaves the head not understood.
pub(crate) fn say(name: &[u8], value: &[u8], sheet: u32, page: &mut Page) {
    let Bounds { name: longest_name, value: longest, .. } = super::ASKED_FIELDS;
    if name.is_empty() || name.len() >= longest_name || value.len() >= longest {
        page.spoil(sheet);
    }
    for text in [name, value] {
        page.say(sheet, text);
        page.say(sheet, &[END]);
    }
}

/// Target and fields as they were written down.
pub(crate) fn divide(text: &[u8]) -> Head<'_> {
    let mut head = Head::default();
    let mut texts = text.split(|byte| *byte == END);
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        match name {
            b":path" => head.target = value,
            b":method" => head.method = value,
            b":authority" => head.fields.push((b"host", value)),
            b":scheme" if matches!(value, b"http" | b"https") => {}
            _ => head.fields.push((name, value)),
        }
    }
    head
}

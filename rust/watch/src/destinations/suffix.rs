//! Under which name a host without a row is grouped.

use super::Destinations;
use super::hosts::Suffixes;

impl Destinations {
    /// The part of a host name that somebody registered: `shop.co.uk` of `www.shop.co.uk`. Of a name
    /// that has only one label, or is itself a suffix of that kind, all of it. `host` is in lower
    /// case.
    pub fn registrable<'h>(&self, host: &'h str) -> &'h str {
        let host = host.strip_suffix('.').unwrap_or(host);
        let longest = self.suffixes.longest(&Suffixes::of(host.as_bytes()));
        let suffix =
            longest.map_or_else(|| last_label(host), |(length, _)| host.len().saturating_sub(length));
        let before = suffix.checked_sub(1).and_then(|dot| host.get(..dot));
        let start = before.map_or(0, last_label);
        host.get(start..).unwrap_or(host)
    }
}

/// Where the last label begins.
fn last_label(name: &str) -> usize {
    name.rfind('.').map_or(0, |dot| dot + 1)
}

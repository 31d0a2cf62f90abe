//! What was read of a flow already, found and weighed without going through all of it again.

use std::hash::RandomState;
use std::net::IpAddr;

use telltale_model::{Facts, Hit, Lookup, Name, NameSource, Request};

use crate::hashes::{Hashes, hash};

/// The names of a flow by hashes that nobody outside can foresee, and the memory behind its names and requests.
#[derive(Debug, Default)]
pub(super) struct Kept {
    hashes: RandomState,
    names: Hashes,
    /// Those of `names` are of the first so many.
    hashed: usize,
    /// Bytes behind the first so many names and requests: they do not grow any more.
    bytes: usize,
    weighed: (usize, usize),
}

impl Kept {
    /// Adds a name that is no outer one, once, as [`Facts::add_name`] does.
    pub(super) fn add_name(&mut self, name: &str, from: NameSource, facts: &mut Facts) {
        let is_same = |known: &Name| known.name == name && known.from == from && !known.outer;
        // One that is said again and again needs no hash.
        if facts.names.len() >= Facts::NAMES || facts.names.last().is_some_and(is_same) {
            return;
        }
        let hash = |name: &str, from, outer| hash(&self.hashes, name, 2 * from as u64 + u64::from(outer));
        let others = facts.names.iter().skip(self.hashed);
        self.names.extend(others.map(|name| hash(&name.name, name.from, name.outer)));
        if self.names.insert(hash(name, from, false)) {
            facts.names.push(Name { name: name.to_owned(), from, outer: false });
        }
        self.hashed = facts.names.len();
    }

    /// Bytes of memory behind the facts, nearly, without lookups: whoever asks knows those.
    pub(super) fn held(&mut self, facts: &Facts) -> usize {
        let (names, requests) = self.weighed;
        let names = facts.names.iter().skip(names).map(|name| size_of::<Name>() + name.name.capacity());
        let requests = facts.requests.iter().skip(requests).map(of_request);
        self.bytes += names.sum::<usize>() + requests.sum::<usize>();
        self.weighed = (facts.names.len(), facts.requests.len());
        let hello = facts.hello.as_ref().map_or(0, |hello| strings(&hello.alpn) + hello.ja4.capacity());
        let hits: usize = facts.hits.iter().map(Hit::held).sum();
        let certificate = facts.certificate.as_ref().map_or(0, |certificate| strings(&certificate.names));
        self.bytes + self.names.capacity() * size_of::<u64>() + hello + hits + certificate
    }
}

/// Bytes of memory behind facts, nearly.
pub(crate) fn weight(facts: &Facts) -> usize {
    let of_lookup = |lookup: &Lookup| {
        let addresses = lookup.addresses.capacity() * size_of::<IpAddr>();
        size_of::<Lookup>() + lookup.query.capacity() + addresses + strings(&lookup.others)
    };
    Kept::default().held(facts) + facts.lookups.iter().map(of_lookup).sum::<usize>()
}

fn of_request(request: &Request) -> usize {
    let texts = [&request.method, &request.host, &request.path];
    let more = [&request.user_agent, &request.content_type, &request.content_encoding];
    let texts = texts.into_iter().chain(more.into_iter().flatten()).map(String::capacity).sum::<usize>();
    size_of::<Request>() + texts + strings(&request.cookies)
}

fn strings(list: &[String]) -> usize {
    list.iter().map(|text| size_of::<String>() + text.capacity()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str, from: NameSource) -> Name {
        Name { name: name.into(), from, outer: false }
    }

    #[test]
    fn a_name_is_kept_once_of_each_source_whoever_added_it() {
        let (mut kept, mut facts) = (Kept::default(), Facts::default());
        facts.add_name(name("a.example", NameSource::Tls));
        for from in [NameSource::Http, NameSource::Tls, NameSource::Http] {
            kept.add_name("a.example", from, &mut facts);
        }
        facts.add_name(name("b.example", NameSource::Tls));
        kept.add_name("b.example", NameSource::Tls, &mut facts);
        assert_eq!(
            facts.names,
            [
                name("a.example", NameSource::Tls),
                name("a.example", NameSource::Http),
                name("b.example", NameSource::Tls)
            ]
        );
        (0..1_000).for_each(|nth| kept.add_name(&nth.to_string(), NameSource::Http, &mut facts));
        assert_eq!(facts.names.len(), Facts::NAMES);
    }

    #[test]
    fn what_is_weighed_in_steps_weighs_the_same_as_at_once() {
        let (mut kept, mut facts) = (Kept::default(), Facts::default());
        for nth in 0..100 {
            facts.add_name(name(&format!("{nth}.example"), NameSource::Tls));
            facts.requests.push(Request {
                path: "/".repeat(nth),
                cookies: vec!["a".into()],
                ..Request::default()
            });
            assert_eq!(kept.held(&facts), Kept::default().held(&facts));
        }
        assert!(kept.held(&facts) > 100 * 50);
    }
}

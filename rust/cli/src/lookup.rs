//! `telltale lookup`: whose a host or an address is, and how we know.

mod json;
mod text;

use std::net::IpAddr;
use std::process::ExitCode;
use std::{env, io};

use telltale_watch::destinations::Destinations;

use crate::arguments::LookupOptions;
use crate::output;
use crate::problem::Problem;
use crate::{table, tables};

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A host name in lower case, without a dot at its end.
    Host(String),
    /// An address.
    Address(IpAddr),
}

impl Place {
    /// Reads what was typed.
    ///
    /// # Errors
    /// A sentence where it is neither a host name nor an address.
    pub(crate) fn parse(word: &str) -> Result<Self, Problem> {
        let bare = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
        if let Ok(address) = bare.parse() {
            return Ok(Self::Address(address));
        }
        let name = word.strip_suffix('.').unwrap_or(word).to_ascii_lowercase();
        // Four numbers that are no address are a mistake, not a name: no top-level domain is a number.
        let last = name.rsplit('.').next().unwrap_or_default();
        if is_name(&name) && !last.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::Host(name));
        }
        let problem = Problem::new(format!("\"{word}\" is neither a host name nor an address"));
        Err(match host_of_url(&name) {
            _ if !word.is_ascii() => {
                problem.advise("Write a name with such letters as the network has it: xn--...")
            }
            Some(host) => problem.advise(format!("Give the host alone: telltale lookup {host}")),
            None => problem.advise("For example: telltale lookup example.org 192.0.2.1"),
        })
    }
}

/// RFC 1035 2.3.4 bounds the lengths; `_` is not in host names of RFC 952, yet on the network.
fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(letter);
    name.len() <= 253 && name.split('.').all(label)
}

/// The host in a URL, or before a port or a path.
fn host_of_url(word: &str) -> Option<&str> {
    let rest = word.split_once("://").map_or(word, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?']).next()?;
    (host != word && is_name(host)).then_some(host)
}

/// Prints what is known on stdout.
pub(crate) fn lookup(options: &LookupOptions) -> ExitCode {
    match tables::open(|name| env::var_os(name)) {
        Ok(tables) => output::print(&explain(&tables, options)),
        Err(problem) => problem.tell(),
    }
}

fn explain(tables: &Destinations, options: &LookupOptions) -> String {
    if options.json {
        return json::render(tables, &options.places);
    }
    text::render(tables, &options.places, table::room(io::stdout()).width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_addresses_are_told_apart() {
        let host = |name: &str| Ok(Place::Host(name.into()));
        assert_eq!(Place::parse("API.Example.org."), host("api.example.org"));
        assert_eq!(Place::parse("xn--bcher-kva.example"), host("xn--bcher-kva.example"));
        assert_eq!(Place::parse("192.0.2.1"), Ok(Place::Address("192.0.2.1".parse().unwrap())));
        assert_eq!(Place::parse("[2001:db8::1]"), Ok(Place::Address("2001:db8::1".parse().unwrap())));
    }

    #[test]
    fn what_is_neither_is_answered_with_what_to_do() {
        for (word, advice) in [
            ("https://a.example/path?x", "telltale lookup a.example"),
            ("a.example:443", "telltale lookup a.example"),
            ("bücher.example", "xn--"),
            ("192.0.2.256", "For example"),
            ("192.0.2.1/24", "telltale lookup 192.0.2.1"),
            ("a..example", "For example"),
            ("", "For example"),
            ("a b", "For example"),
        ] {
            let problem = Place::parse(word).unwrap_err().to_string();
            assert!(problem.contains("neither") && problem.contains(advice), "{word}: {problem}");
        }
    }
}

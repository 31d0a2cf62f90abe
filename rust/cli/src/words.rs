//! What the table says of a contact, in sentences: observations, never motives.

use std::collections::BTreeSet;
use std::net::IpAddr;

use telltale_model::{Bounded, Class, Content, Coverage, Looked, Protection, Protocol, Relation};
use telltale_watch::destinations::Destinations;
use telltale_watch::{Contact, Host, Line, Sum, Whom, all_given, limits};

use crate::rows::{company_name, network};

/// With whom, in the table.
pub(crate) fn whom(contact: &Contact<'_>, tables: Option<&Destinations>) -> String {
    let probably = if contact.probable { "probably " } else { "" };
    match &contact.whom {
        Whom::Company(id) => format!("{probably}{}", company_name(id, tables)),
        Whom::Host(Host::Name(name)) => {
            let names = other_names(contact.lines.iter().copied());
            match others(names.len()) {
                Some(others) => format!("{name} and {others}"),
                None => name.clone(),
            }
        }
        Whom::Host(Host::Address(address)) => address_or_gone(*address),
    }
}

/// Of hosts that the database has forgotten no address is left.
fn address_or_gone(address: IpAddr) -> String {
    if address.is_unspecified() { GONE.to_owned() } else { address.to_string() }
}

const GONE: &str = "hosts of more than 7 days ago";

/// "2 others"; the ledger goes on counting no further than its limit.
fn others(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 other".to_owned()),
        _ if count >= limits::OTHER_NAMES => Some(format!("at least {count} others")),
        _ => Some(format!("{count} others")),
    }
}

fn other_names<'a>(lines: impl Iterator<Item = &'a Line>) -> BTreeSet<&'a str> {
    lines.flat_map(|line| &line.other_names).map(String::as_str).collect()
}

/// What can be said of a contact.
pub(crate) fn sentences(contact: &Contact<'_>, tables: Option<&Destinations>) -> Vec<String> {
    let receiver = match &contact.whom {
        Whom::Company(_) => whom(contact, tables),
        Whom::Host(_) => "the receiver".to_owned(),
    };
    let given = all_given(contact.lines.iter().map(|line| line.given)) == Some(true);
    let sum = &contact.sum;
    let sentences =
        [role(contact), several(contact), protection(&sum.content, &receiver), coverage(sum, given)];
    sentences.into_iter().flatten().collect()
}

/// Hosts of whoever it may be that were named on the company's connections, as through a proxy. (Those of
/// a host stand beside its name.)
fn several(contact: &Contact<'_>) -> Option<String> {
    let Whom::Company(_) = contact.whom else { return None };
    let own: BTreeSet<&str> = contact.lines.iter().filter_map(|line| line.name.as_deref()).collect();
    let names = other_names(contact.lines.iter().copied());
    match names.difference(&own).count() {
        0 => None,
        1 => Some("Its connections named 1 host more.".to_owned()),
        count => Some(format!("Its connections named {count} hosts more.")),
    }
}

fn role(contact: &Contact<'_>) -> Option<String> {
    let roles: Vec<&str> = contact.roles.iter().map(|role| role.lay_words()).collect();
    let roles = roles.join("; ");
    match (contact.relation, roles.is_empty()) {
        (Relation::Unknown, true) => None,
        (Relation::Unknown, false) => Some(format!("{}.", capital(&roles))),
        (relation, true) => Some(format!("{}.", capital(relation.lay_words()))),
        (relation, false) => Some(format!("{}: {roles}.", capital(relation.lay_words()))),
    }
}

/// Encryption keeps out those on the way, and nobody else.
fn protection(content: &Content, receiver: &str) -> Option<String> {
    let read = "anyone on the network could read";
    match content.protection() {
        Protection::Protected => Some(format!("Protected on the way; {receiver} can read it.")),
        Protection::Mixed | Protection::None if is_open(content) => Some(format!(
            "Not protected: {read} it, but for what the sender may have encrypted in the part that is not understood."
        )),
        Protection::Mixed if content.coverage.encrypted == 0 && content.read_with_keys == 0 => {
            Some(format!("Not protected in part: {read} that part."))
        }
        Protection::Mixed if content.is_protected_where_watched() => {
            Some(format!("Protected on the way, as far as it was watched; {receiver} can read it."))
        }
        Protection::Mixed => {
            Some(format!("Protected on the way in part only; {receiver} can read all of it."))
        }
        Protection::None if content.sent == 0 => {
            Some(format!("Not protected: {read} which names were asked for."))
        }
        Protection::None => Some(format!("Not protected: {read} it.")),
        Protection::Unknown if content.sent > 0 => Some("Whether it was protected is not known.".into()),
        Protection::Unknown => None,
    }
}

/// Sent in clear all of it, though not all was understood.
fn is_open(content: &Content) -> bool {
    let Coverage { encrypted, unknown, not_watched, opaque, .. } = content.coverage;
    opaque > 0 && [encrypted, unknown, not_watched, content.read_with_keys] == [0; 4]
}

/// The content at most; with a question mark, where some or all of it was not classed.
pub(crate) fn content<'a>(lines: impl Iterator<Item = &'a Sum>) -> String {
    let (mut sent, mut known, mut unknown) = (0_u64, false, false);
    for sum in lines {
        let is_known = is_recorded(sum);
        (known, unknown) = (known || is_known, unknown || !is_known);
        sent = sent.saturating_add(sum.content.sent);
    }
    match (known && (sent > 0 || !unknown), unknown) {
        (true, true) => format!("{} + ?", number(sent)),
        (false, true) => "?".to_owned(),
        (_, false) => number(sent),
    }
}

/// Whether the bytes were classed at all: a Telltale of before did not.
pub(crate) fn is_recorded(sum: &Sum) -> bool {
    sum.content.coverage.total() > 0 || sum.traffic.bytes_sent == 0
}

/// How far the content could be looked into, the largest share first.
fn coverage(sum: &Sum, given: bool) -> Option<String> {
    if !is_recorded(sum) {
        return Some("How much of it could be read was not recorded.".into());
    }
    if let Some(shares) = shares(sum, given) {
        return Some(format!("{shares}."));
    }
    // What was watched may be ahead of what was reported.
    match (sum.traffic.bytes_sent.max(sum.content.coverage.total()), sum.content.openly) {
        (0, _) => Some("Nothing was sent.".into()),
        (_, 0) => Some("No content was sent, only the beginning of a connection.".into()),
        _ => None,
    }
}

/// "97% encrypted, could not be read; 3% not watched", 100 together; none where no content was sent.
fn shares(sum: &Sum, given: bool) -> Option<String> {
    let coverage = &sum.content.coverage;
    let unrecorded = sum.traffic.bytes_sent.saturating_sub(coverage.total());
    let total = coverage.total().saturating_sub(coverage.handshake).saturating_add(unrecorded);
    if total == 0 {
        return None;
    }
    let searched = searched(&Bounded::of(coverage, given), given);
    let words = |class, words| if class == Class::Searched { searched } else { words };
    let classes = CLASSES.map(|(class, usual)| (coverage.of(class), words(class, usual)));
    let mut shares = [&classes[..], &[(unrecorded, "not recorded")]].concat();
    shares.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    let percents = percents(&shares.iter().map(|(bytes, _)| *bytes).collect::<Vec<_>>(), total);
    let shares = shares.iter().zip(percents).filter(|((bytes, _), _)| *bytes > 0);
    let shares: Vec<String> =
        shares.map(|((_, words), percent)| format!("{} {words}", written(percent))).collect();
    Some([&shares[..], &with_keys(sum, total)].concat().join("; "))
}

/// Parts of a whole in percent. What is under 1 stays 0, and what is left goes to those that lost most when they were
/// rounded down: so they are 100 together, or as much less as those under 1 are.
fn percents(parts: &[u64], total: u64) -> Vec<u64> {
    let total = u128::from(total.max(1));
    let exact: Vec<u128> = parts.iter().map(|part| u128::from(*part) * 100).collect();
    let mut percents: Vec<u128> = exact.iter().map(|part| part / total).collect();
    let mut told: Vec<usize> = (0..parts.len()).filter(|place| percents.get(*place) > Some(&0)).collect();
    told.sort_by_key(|place| std::cmp::Reverse(exact.get(*place).map(|part| part % total)));
    let whole = told.iter().filter_map(|place| exact.get(*place)).sum::<u128>() / total;
    let left = whole.saturating_sub(percents.iter().sum());
    for place in told.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        percents.iter_mut().skip(place).take(1).for_each(|percent| *percent += 1);
    }
    percents.into_iter().map(|percent| u64::try_from(percent).unwrap_or(100)).collect()
}

/// What nobody else could read is told apart from what anybody could.
fn with_keys(sum: &Sum, total: u64) -> Vec<String> {
    let bytes = sum.content.read_with_keys.min(total);
    let said = |what: String| vec![format!("{what} was encrypted, and read with keys")];
    match bytes {
        0 => Vec::new(),
        _ if bytes == total => said("all of it".into()),
        _ => said(format!("{} of it", written(share(bytes, total)))),
    }
}

/// What is readable is never clean: at most it was searched.
fn searched(looked: &Looked, given: bool) -> &'static str {
    match looked {
        Looked::Nothing(_) => "searched, none of your details in it",
        Looked::Found if given => "searched",
        Looked::Found | Looked::NothingToLookFor { .. } | Looked::Unsearched { .. } => NOTHING_TO_LOOK_FOR,
    }
}

const NOTHING_TO_LOOK_FOR: &str = "readable, nothing to look for";

const CLASSES: [(Class, &str); 6] = [
    (Class::Encrypted, "encrypted, could not be read"),
    (Class::Searched, NOTHING_TO_LOOK_FOR),
    (Class::Found, "readable, with your details in it"),
    (Class::Opaque, "not understood"),
    (Class::Unknown, "of an unknown kind"),
    (Class::NotWatched, "not watched"),
];

/// Rounded down: a part is never all.
fn share(bytes: u64, total: u64) -> u64 {
    u64::try_from(u128::from(bytes) * 100 / u128::from(total.max(1))).unwrap_or(100)
}

/// A share that is there is never nothing.
fn written(percent: u64) -> String {
    if percent == 0 { "under 1%".into() } else { format!("{percent}%") }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// One destination of a contact.
pub(crate) fn detail(line: &Line, tables: Option<&Destinations>) -> String {
    let times =
        if line.sum.flows == 1 { "once".to_owned() } else { format!("{} times", number(line.sum.flows)) };
    let role = line.role.map(|role| role.lay_words().to_owned());
    let parts = [
        Some(destination(line)),
        Some(format!("{} sent, {times}", number(line.sum.traffic.bytes_sent))),
        is_recorded(&line.sum).then(|| format!("content at most {}", number(line.sum.content.sent))),
        role,
        line.known.map(|known| known.lay_words().to_owned()),
        network_of(line, tables),
        shares(&line.sum, line.given == Some(true)),
        (!line.other_names.is_empty()).then(|| also(line)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" \u{b7} ")
}

fn also(line: &Line) -> String {
    let names: Vec<&str> = line.other_names.iter().map(String::as_str).collect();
    format!("on the same connections also {}", names.join(", "))
}

fn destination(line: &Line) -> String {
    let host = line.name.clone().unwrap_or_else(|| address_or_gone(line.remote.ip()));
    match line.protocol {
        Protocol::Icmp => format!("{host} icmp"),
        Protocol::Tcp | Protocol::Udp if host == GONE => format!("{host} {}", line.protocol.name()),
        Protocol::Tcp | Protocol::Udp => format!("{host} {}/{}", line.remote.port(), line.protocol.name()),
    }
}

/// A network is registered in a country; where the server stands is not known.
fn network_of(line: &Line, tables: Option<&Destinations>) -> Option<String> {
    let (asn, name, country) = network(line, tables)?;
    let registered = country.map(|country| format!(", registered in {}", country.name()));
    Some(format!("network {name} (AS{asn}){}", registered.unwrap_or_default()))
}

/// `1234567` as `1,234,567`.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use telltale_model::Traffic;

    use super::*;

    fn sum(bytes_sent: u64, coverage: Coverage) -> Sum {
        let content = Content { sent: coverage.total() - coverage.handshake, coverage, ..Content::default() };
        Sum { traffic: Traffic { bytes_sent, ..Traffic::default() }, content, flows: 1 }
    }

    fn said(bytes_sent: u64, coverage: Coverage) -> String {
        let sum = sum(bytes_sent, coverage);
        let words = [protection(&sum.content, "Shop"), self::coverage(&sum, false)];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn encryption_is_no_good_news_and_what_could_be_read_is_not_called_clean() {
        let encrypted = Coverage { handshake: 500, encrypted: 100, ..Coverage::default() };
        assert_eq!(
            said(600, encrypted),
            "Protected on the way; Shop can read it. 100% encrypted, could not be read."
        );
        let readable = Coverage { searched: 100, ..Coverage::default() };
        assert_eq!(
            said(100, readable),
            "Not protected: anyone on the network could read it. 100% readable, nothing to look for."
        );
    }

    #[test]
    fn a_body_that_was_not_understood_was_sent_without_protection_all_the_same() {
        let opaque = Coverage { searched: 75, opaque: 25, ..Coverage::default() };
        assert_eq!(
            said(100, opaque),
            "Not protected: anyone on the network could read it, but for what the sender may have encrypted in \
             the part that is not understood. \
             75% readable, nothing to look for; 25% not understood."
        );
        let all = Coverage { opaque: 100, ..Coverage::default() };
        assert_eq!(
            said(100, all),
            "Whether it was protected is not known. 100% not understood.",
            "a call is media, and mostly encrypted by the app itself"
        );
        let unwatched = Coverage { searched: 75, opaque: 5, not_watched: 20, ..Coverage::default() };
        assert!(said(100, unwatched).starts_with("Not protected in part: "));
    }

    #[test]
    fn what_was_not_watched_is_not_said_to_have_been_unprotected() {
        let gap = Coverage { encrypted: 99, not_watched: 1, ..Coverage::default() };
        assert_eq!(
            said(100, gap),
            "Protected on the way, as far as it was watched; Shop can read it. \
             99% encrypted, could not be read; 1% not watched."
        );
        let part = Coverage { searched: 1, ..gap };
        assert!(said(101, part).starts_with("Protected on the way in part only; "));
    }

    #[test]
    fn what_is_not_known_is_not_counted_as_nothing() {
        let known = sum(100, Coverage { encrypted: 40, handshake: 60, ..Coverage::default() });
        let (unknown, nothing) = (sum(9, Coverage::default()), sum(0, Coverage::default()));
        let said = |sums: &[&Sum]| content(sums.iter().copied());
        assert_eq!(said(&[&known, &unknown]), "40 + ?");
        assert_eq!(said(&[&unknown, &nothing]), "?");
        assert_eq!(said(&[&known, &nothing]), "40");
        assert_eq!(said(&[]), "0");
    }

    #[test]
    fn with_details_it_is_said_that_they_were_not_there_only_where_none_was_found() {
        let mixed = Coverage { searched: 99, encrypted: 1, ..Coverage::default() };
        let said = |coverage| coverage_of(&sum(100, coverage), true);
        assert_eq!(said(mixed), "99% searched, none of your details in it; 1% encrypted, could not be read.");
        let found = Coverage { found: 50, searched: 50, ..Coverage::default() };
        assert_eq!(said(found), "50% searched; 50% readable, with your details in it.");
    }

    #[test]
    fn what_was_read_with_keys_is_told_apart() {
        let coverage = Coverage { searched: 76, found: 24, ..Coverage::default() };
        let with = |keys| {
            let mut sum = sum(100, coverage);
            sum.content.read_with_keys = keys;
            [protection(&sum.content, "Shop").unwrap(), coverage_of(&sum, true)].join(" ")
        };
        assert_eq!(
            with(60),
            "Protected on the way in part only; Shop can read all of it. 76% searched; 24% readable, with your \
             details in it; 60% of it was encrypted, and read with keys."
        );
        assert_eq!(
            with(100),
            "Protected on the way; Shop can read it. 76% searched; 24% readable, with your details in it; all of it \
             was encrypted, and read with keys."
        );
        assert!(with(0).starts_with("Not protected: anyone on the network could read it."));
    }

    fn coverage_of(sum: &Sum, given: bool) -> String {
        coverage(sum, given).unwrap()
    }

    #[test]
    fn no_share_is_rounded_to_nothing_or_to_all() {
        let mixed = Coverage { encrypted: 99_999, searched: 1, ..Coverage::default() };
        assert_eq!(
            said(100_000, mixed),
            "Protected on the way in part only; Shop can read all of it. \
             99% encrypted, could not be read; under 1% readable, nothing to look for."
        );
    }

    #[test]
    fn shares_are_a_hundred_together_or_less_by_those_that_are_under_one() {
        for (parts, expected) in [
            (&[705, 295][..], &[71, 29][..]),
            (&[1, 1, 1], &[34, 33, 33]),
            (&[797, 203], &[80, 20]),
            (&[700, 298, 2], &[70, 29, 0]),
            (&[9_950, 49, 1], &[99, 0, 0]),
            (&[5, 0], &[100, 0]),
            (&[u64::MAX / 2, u64::MAX / 2], &[50, 50]),
        ] {
            assert_eq!(percents(parts, parts.iter().sum()), expected, "{parts:?}");
        }
    }

    #[test]
    fn a_protocol_that_encrypts_nothing_is_not_said_to_be_protected_perhaps() {
        let mut login = sum(260, Coverage { opaque: 260, ..Coverage::default() });
        login.content.openly = 260;
        assert_eq!(
            protection(&login.content, "Shop").as_deref(),
            Some(
                "Not protected: anyone on the network could read it, but for what the sender may have encrypted in \
                 the part that is not understood."
            )
        );
    }

    #[test]
    fn nothing_is_said_of_what_was_not_looked_at() {
        let half = Coverage { encrypted: 50, ..Coverage::default() };
        assert!(said(100, half).ends_with("50% encrypted, could not be read; 50% not recorded."));
        assert_eq!(said(100, Coverage::default()), "How much of it could be read was not recorded.");
        assert_eq!(said(0, Coverage::default()), "Nothing was sent.");
        let hello = Coverage { handshake: 500, ..Coverage::default() };
        assert_eq!(said(500, hello), "No content was sent, only the beginning of a connection.");
        let unwatched = Coverage { not_watched: 7, ..Coverage::default() };
        assert_eq!(said(7, unwatched), "Whether it was protected is not known. 100% not watched.");
    }
}

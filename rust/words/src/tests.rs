//! Every sentence as it is said, and what holds for all of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use telltale_model::{
    AppGroup, Application, Bounded, Class, Confidence, Coverage, Destination, DetailKind, DetailName,
    Envelope, Event, Evidence, Finding, FlowNumber, Form, GapReason, Grade, Looked, Rule, Severity,
    Timestamp, Told, What,
};

use crate::catalogue::{Catalogue, Piece, Text, is_notation, pieces};
use crate::ended::Ended;
use crate::plural;
use crate::say::CATALOGUES;
use crate::{Level, Parties, Summary, Switch, Words};

thread_local! {
    /// The keys that were said.
    static USED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

pub(crate) fn used(key: &str) {
    USED.with_borrow_mut(|keys| keys.insert(key.to_owned()));
}

fn finding(what: What, envelope: Envelope, confidence: Confidence) -> Finding {
    Finding {
        what,
        program: None,
        uid: None,
        destination: Destination::default(),
        envelope,
        severity: Severity::High,
        confidence,
        evidence: Evidence { flow: FlowNumber(1), offset: None, field: None, excerpt: None },
        times: 1,
        at: Timestamp(0),
    }
}

fn identifier(
    kind: DetailKind,
    grade: Grade,
    form: &[Form],
    envelope: Envelope,
    confidence: Confidence,
) -> Finding {
    let detail = Some(DetailName { kind, number: 1, id: 1 });
    finding(What::IdentifierSent { kind, detail, grade, form: form.to_vec() }, envelope, confidence)
}

const ENVELOPES: [Envelope; 3] = [Envelope::None, Envelope::Tls, Envelope::Unknown];
const SURE: [Confidence; 3] = [Confidence::Possible, Confidence::VeryLikely, Confidence::Certain];

/// One finding of each sort that has words of its own.
fn findings() -> Vec<Finding> {
    let mut all = Vec::new();
    for envelope in ENVELOPES {
        for grade in [Grade::Yours, Grade::LooksLike] {
            for form in [&[][..], &[Form::Sha1]] {
                for kind in DetailKind::ALL {
                    all.extend(SURE.map(|sure| identifier(kind, grade, form, envelope, sure)));
                }
            }
        }
        let more = [1, 9].map(|packages| What::AppsSent { packages, form: Vec::new() });
        all.extend(more.map(|what| finding(what, envelope, Confidence::Certain)));
    }
    let mixed = Coverage { searched: 5, opaque: 1, ..Coverage::default() };
    for coverage in [mixed, Coverage { opaque: 0, ..mixed }, Coverage { found: 1, ..mixed }] {
        for form in [true, false] {
            let more = coverage.found == 1;
            let what = What::ContentInClear { bytes: 4_000, form, coverage, given: true, more };
            all.push(finding(what, Envelope::None, Confidence::Certain));
        }
    }
    for event in Event::ALL.into_iter().filter(|event| *event != Event::Quiet) {
        for (on_its_own, seen, background) in [(true, 1, 900), (false, 2, 0), (false, 3, 7_000)] {
            let kind = (seen == 3).then_some(DetailKind::Contact);
            let what = What::AfterEvent { event, kind, seen, repeats: 3, on_its_own, background };
            all.push(finding(what, Envelope::Unknown, Confidence::VeryLikely));
        }
    }
    let rest = [
        What::MakerContacted,
        What::FirstContact { country: None },
        What::ScreenOff { bytes: 3_200_000 },
        What::OwnDns { how: Application::Doh },
        What::MoreThanUsual { bytes: 48_000_000_000, usual: 999, day: None },
        What::OtherCertificate { name: "Host".into(), names: Vec::new() },
    ];
    for what in rest {
        all.extend(SURE.map(|sure| finding(what.clone(), Envelope::Tls, sure)));
    }
    all
}

const PARTIES: Parties<'_> = Parties {
    app: Some("Clock"),
    company: Some("Shop"),
    probable: false,
    host: Some("Host"),
    country: None,
    several: false,
};

fn parties() -> Vec<Parties<'static>> {
    vec![
        PARTIES,
        Parties { country: Some("Spain"), ..PARTIES },
        Parties { company: None, country: Some("Spain"), ..PARTIES },
        Parties { probable: true, ..PARTIES },
        Parties { several: true, ..PARTIES },
        Parties { company: None, host: Some("203.0.113.9"), ..PARTIES },
        Parties { app: None, company: None, host: None, ..PARTIES },
    ]
}

/// What the screens of the app say besides.
fn screens(words: &Words) -> Vec<String> {
    let Looked::Nothing(part) =
        Bounded::of(&Coverage { searched: 3, opaque: 1, ..Coverage::default() }, true)
    else {
        panic!("something was searched");
    };
    let Looked::Nothing(all) = Bounded::of(&Coverage { searched: 3, ..Coverage::default() }, true) else {
        panic!("something was searched");
    };
    let imei = words.detail(Imei);
    let mut said = vec![
        words.unknown_sender(),
        words.either_app("Clock", "Radio"),
        words.no_details(),
        words.given_later(),
        words.nothing_sent_yet(),
        words.nothing_readable(),
        words.app_sent("4 kB"),
        words.none_readable(),
        words.to_company("Shop"),
        words.to_companies(0, 0),
        words.could_not_be_read(),
        words.most_between("08:00", "09:00"),
        words.receiver_named("Shop", false),
        words.network_in("Spain"),
        words.not_encrypted(),
        words.encrypted_unread(),
        words.protected_in_part(),
        words.encrypted_where_watched(),
        words.open_in_part(),
        words.protection_unknown(),
        words.fact_version(),
        words.fact_shares(),
        words.shares_with("Radio"),
        words.details_lead(),
        words.nothing_looked_into(),
        words.minute(1, 2, "4 kB", 0),
    ];
    for bounded in [&part, &all] {
        said.extend([
            words.none_seen(bounded),
            words.not_seen(bounded),
            words.none_in_part(bounded, 33),
            words.open_without(bounded),
        ]);
    }
    for n in [0, 1, 2, 3] {
        said.extend([words.app_and_others("Clock", n), words.to_companies(n, 1), words.to_companies(n, 0)]);
        said.extend([words.details_in_it(n), words.notification("4 kB", n, 33), words.times(n)]);
        said.extend([words.open_with(&imei, n), words.disguised_with(&imei, n)]);
        said.extend([words.sent_by(n, true), words.sent_by(n, false), words.minute(n, n, "4 kB", n)]);
        said.push(words.failing("Clock", "Host", n));
        said.extend([words.coverage("4 kB", n == 0), words.coverage_spoken(4, 96, n)]);
    }
    for group in AppGroup::ALL {
        said.extend([words.app_group(group), words.about_group(group)]);
    }
    said.extend(GapReason::ALL.map(|why| words.gap(why, "08:00", "09:00")));
    for kind in DetailKind::ALL {
        said.extend([1, 2].map(|number| words.detail_name(kind, number)));
    }
    use DetailKind::{
        AdvertisingId, Contact, Email, Iccid, Imei, Imsi, Mac, Name, Phone, Place, Serial, Word,
    };
    let asked = [Contact, Phone, Imei, AdvertisingId, Email, Serial, Mac, Iccid, Imsi, Name, Place, Word];
    said.extend(asked.map(|kind| words.detail_hint(kind)));
    said.extend([
        words.report_title("1 May", "2 May"),
        words.report_zone("Asia/Kolkata", "UTC+05:30"),
        words.report_outside(),
    ]);
    for envelope in [Envelope::None, Envelope::Tls, Envelope::Unknown] {
        for form in [&[][..], &[Form::Sha1]] {
            let finding = identifier(Imei, Grade::Yours, form, envelope, Confidence::Certain);
            said.extend([words.protection(&finding), words.notice_title(&finding, &PARTIES)]);
        }
    }
    said
}

/// Everything that can be said, in one language.
fn everything(words: &Words) -> Vec<String> {
    let mut said = Vec::new();
    let switches = [true, false].map(|checked| Switch { path: "Path", versions: "Host", checked });
    for finding in findings() {
        said.extend(parties().iter().map(|parties| words.sentence(&finding, parties)));
        said.extend([words.level(Level::of(&finding)), words.sure(&finding), words.why(&finding)]);
        said.extend(words.background(&finding));
        said.extend(words.notice(&finding, &PARTIES));
        said.extend([&switches[..], &[]].iter().flat_map(|switches| words.advice(&finding, switches)));
        for times in [1, 2] {
            let told = Told { finding: finding.clone(), times, last: Timestamp(0) };
            said.push(words.when(&told, "Time", "Time"));
        }
    }
    for looked in [
        Looked::NothingToLookFor { readable: 5, unread: 0 },
        Looked::NothingToLookFor { readable: 5, unread: 1 },
        Looked::Unsearched { bytes: 0 },
        Looked::Unsearched { bytes: 9 },
        nothing(7, 0),
        nothing(7, 1_234),
    ] {
        said.push(words.looked(&looked));
    }
    for count in [1, 2] {
        for encrypted in [0, 1] {
            let coverage = Coverage { found: 9, encrypted, ..Coverage::default() };
            let summary = Summary { coverage, given: true, ..Summary::default() };
            let (details, open, disguised) = (count, count, count);
            said.extend(
                [
                    Summary { details, open, disguised, apps: true, ..summary },
                    Summary { shared: true, ..summary },
                    Summary { alike: true, ..summary },
                    summary,
                ]
                .map(|summary| words.lead(&summary)),
            );
        }
        said.extend(
            [words.untold(count), words.muted(count), Some(words.digest(count))].into_iter().flatten(),
        );
    }
    said.extend([words.fewer(), words.locked_notice()]);
    said.extend(Ended::ALL.map(|why| words.ended(why)));
    said.extend(screens(words));
    said
}

fn nothing(searched: u64, encrypted: u64) -> Looked {
    Bounded::of(&Coverage { searched, encrypted, ..Coverage::default() }, true)
}

#[test]
fn sentences_read_like_this() {
    let words = Words::new("en");
    let imei = |form: &[Form], envelope| {
        identifier(DetailKind::Imei, Grade::Yours, form, envelope, Confidence::Certain)
    };
    let parties = Parties { app: Some("Mi Account"), company: Some("Xiaomi"), ..Parties::default() };
    for (finding, expected) in [
        (
            imei(&[], Envelope::None),
            "Mi Account sent your phone's number (IMEI) to Xiaomi. Anyone on the network could read it.",
        ),
        (
            imei(&[Form::Sha1, Form::Base64Url, Form::Cut(16)], Envelope::None),
            "Mi Account sent your phone's number (IMEI) to Xiaomi. It was disguised but not protected.",
        ),
        (
            finding(What::ScreenOff { bytes: 3_240_000 }, Envelope::Tls, Confidence::Certain),
            "Mi Account sent up to 3.2 MB to Xiaomi while the screen was off.",
        ),
    ] {
        assert_eq!(words.sentence(&finding, &parties), expected);
    }
    let contact = identifier(DetailKind::Contact, Grade::Yours, &[], Envelope::None, Confidence::Certain);
    let parties = Parties { company: None, host: Some("2001:db8::9"), several: true, ..parties };
    assert_eq!(
        words.sentence(&contact, &parties),
        "Mi Account sent the number of contact 1 to a server without a name (2001:db8::9). Anyone on the network \
         could read it."
    );
    assert_eq!(
        words.looked(&nothing(12_345, 678)),
        "Of the 12,345 bytes that could be searched, none held your details; 678 bytes could not be searched."
    );
}

/// Also where the words themselves hold such letters, as the isolates of a language that runs the other way.
#[test]
fn names_cannot_steer_and_words_are_left_as_they_are() {
    let finding = finding(What::MakerContacted, Envelope::Tls, Confidence::Certain);
    let parties = Parties { app: Some("a\u{202e}b\u{2069}"), ..PARTIES };
    for locale in ["en", "en-XA"] {
        let said = Words::new(locale).sentence(&finding, &parties);
        assert!(said.contains("a\\u{202e}b\\u{2069}"), "{said}");
        assert_eq!(said.matches('\u{2068}').count(), said.matches('\u{2069}').count(), "{said}");
    }
}

#[test]
fn at_least_stands_before_counts_unless_all_was_seen() {
    let words = Words::new("en-GB");
    let lead = |encrypted, truncated| {
        let coverage = Coverage { found: 9, encrypted, ..Coverage::default() };
        words.lead(&Summary { details: 2, open: 1, coverage, given: true, truncated, ..Summary::default() })
    };
    assert_eq!(lead(1, false), "At least 2 of your details were sent. 1 could be read by anyone.");
    assert_eq!(lead(0, true), "At least 2 of your details were sent. 1 could be read by anyone.");
    assert_eq!(lead(0, false), "2 of your details were sent. 1 could be read by anyone.");
}

#[test]
fn a_detail_counts_once_and_in_its_most_open_way() {
    let told = |kind, form: &[Form], envelope| {
        Told::new(identifier(kind, Grade::Yours, form, envelope, Confidence::Certain))
    };
    let all = [
        told(DetailKind::Imei, &[Form::Md5], Envelope::None),
        told(DetailKind::Imei, &[], Envelope::None),
        told(DetailKind::Imsi, &[Form::Md5], Envelope::None),
        told(DetailKind::Phone, &[], Envelope::Tls),
        told(DetailKind::Carrier, &[], Envelope::None),
    ];
    let summary = Summary::of(&all, Coverage::default(), true, false);
    assert_eq!((summary.details, summary.open, summary.disguised), (3, 1, 1));
}

#[test]
fn where_there_is_a_finding_the_lead_is_never_empty_and_never_an_absence() {
    let searched = Coverage { searched: 500, opaque: 90, ..Coverage::default() };
    let found = Coverage { found: 500, ..Coverage::default() };
    let lead = |what: Option<What>, coverage| {
        let told = what.map(|what| Told::new(finding(what, Envelope::None, Confidence::Certain)));
        Words::new("en").lead(&Summary::of(&told, coverage, true, false))
    };
    let sent = |kind, grade| identifier(kind, grade, &[], Envelope::None, Confidence::Certain).what;
    let apps = || What::AppsSent { packages: 9, form: vec![] };
    let carrier = || sent(DetailKind::Carrier, Grade::Yours);
    let like = || sent(DetailKind::Imei, Grade::LooksLike);
    for coverage in [searched, found] {
        assert_eq!(lead(Some(apps()), coverage), "A list of your apps was sent.");
        assert_eq!(
            lead(Some(carrier()), coverage),
            "Only what many people share was seen, in what could be read."
        );
        assert_eq!(lead(Some(like()), coverage), "Something was sent that looks like one of your details.");
    }
    assert_eq!(lead(None, found), "Some of what was sent held your details.");
    assert!(lead(None, searched).starts_with("Of the 500 bytes"));
}

/// Nothing is said that the catalogue lacks, and the catalogue has nothing that is never said.
#[test]
fn the_english_catalogue_is_complete_and_no_more() {
    USED.take();
    let words = Words::new("en");
    assert!(everything(&words).iter().all(|said| !said.is_empty() && !said.contains(['{', '}'])));
    let (used, english) = (USED.take(), Catalogue::read(CATALOGUES[0].1));
    let known: BTreeSet<String> =
        english.texts().map(|(key, _)| key.to_owned()).filter(|key| !is_notation(key)).collect();
    assert_eq!(used.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(known.difference(&used).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Of every language: the same keys with the same places, and the plural forms that the language has.
#[test]
fn every_catalogue_is_complete() {
    let english = shape(&Catalogue::read(CATALOGUES[0].1));
    for (language, file) in CATALOGUES {
        let catalogue = Catalogue::read(file);
        assert_eq!(shape(&catalogue), english, "{language}");
        for (key, text) in catalogue.texts() {
            if let Text::Plural(forms) = text {
                let forms: BTreeSet<_> = forms.keys().copied().collect();
                assert!(forms.is_superset(&plural::categories(language)), "{language} {key}");
            }
        }
    }
}

/// Keys with the places in them, and whether they have plural forms.
fn shape(catalogue: &Catalogue) -> BTreeMap<String, (BTreeSet<String>, bool)> {
    let texts = |text: &Text| match text {
        Text::One(text) => vec![text.clone()],
        Text::Plural(forms) => forms.values().cloned().collect(),
    };
    let entry = |(key, text): (&str, &Text)| {
        let all = texts(text);
        let places = all.iter().flat_map(|text| pieces(text)).filter_map(|piece| match piece {
            Piece::Place(place) => Some(place.to_owned()),
            Piece::Words(_) => None,
        });
        (key.to_owned(), (places.collect(), matches!(text, Text::Plural(_))))
    };
    catalogue.texts().map(entry).collect()
}

/// Names stand between isolates in it, numbers are digits, all else has accents: a word that did not come from
/// the catalogue would be plain.
#[test]
fn in_the_language_of_tests_no_word_is_plain_and_all_are_longer() {
    let (english, pseudo) = (Words::new("en"), Words::new("en-XA"));
    for (plain, said) in everything(&english).iter().zip(everything(&pseudo)) {
        let mut outside = String::new();
        let mut depth = 0;
        for c in said.chars() {
            match c {
                '\u{2068}' => depth += 1,
                '\u{2069}' => depth -= 1,
                c if depth == 0 => outside.push(c),
                _ => {}
            }
        }
        assert_eq!(depth, 0, "{said}");
        assert!(!outside.contains(|c: char| c.is_ascii_alphabetic()), "{said}");
        // Only words grow: names, numbers and punctuation are what they were.
        assert!(
            said.matches('~').count() * 5 >= outside.chars().filter(|c| c.is_alphabetic()).count(),
            "{said}"
        );
        assert!(said.chars().count() > plain.chars().count(), "{said}");
    }
}

#[test]
fn an_unknown_language_is_english() {
    for locale in ["xx", "", "EN_us", "en-Latn-GB", "\u{1f600}"] {
        assert_eq!(Words::new(locale).fewer(), Words::new("en").fewer(), "{locale}");
    }
}

/// Words that only people of the trade know.
const JARGON: &[&str] = &[
    "tls",
    "ssl",
    "sni",
    "asn",
    "quic",
    "http",
    "https",
    "tcp",
    "udp",
    "ip",
    "dns",
    "doh",
    "payload",
    "hash",
    "hashed",
    "md5",
    "sha1",
    "sha-1",
    "base64",
    "json",
    "packet",
    "packets",
    "protocol",
    "endpoint",
    "metadata",
    "cipher",
    "header",
    "socket",
    "port",
    "handshake",
    "plaintext",
    "cleartext",
    "domain",
    "hostname",
    "host",
    "url",
    "uri",
    "telemetry",
    "sdk",
    "api",
    "guid",
    "uuid",
    "identifier",
    "query",
    "cookie",
    "flow",
    "encoded",
    "digest",
    "ja4",
    "malware",
    "spyware",
    "exfiltrate",
];

/// Motives and alarm.
const BARRED: &[&str] = &[
    "spies", "spying", "spied", "steals", "stole", "stolen", "leaks", "leaked", "safe", "unsafe", "clean",
    "danger", "!",
];

#[test]
fn sentences_are_for_everybody_and_accuse_nobody() {
    for said in everything(&Words::new("en")) {
        let lower = said.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !(c.is_alphanumeric() || c == '-')).collect();
        for barred in JARGON.iter().chain(BARRED) {
            // "Host" is the name in these tests.
            let found = if *barred == "!" { lower.contains('!') } else { words.contains(barred) };
            assert!(!found || *barred == "host", "{barred}: {said}");
        }
    }
    let english = CATALOGUES[0].1.lines().filter(|line| !line.starts_with('#'));
    assert!(english.flat_map(|line| line.split(|c: char| !c.is_alphabetic())).all(|word| word != "host"));
}

#[test]
fn the_words_are_the_same_for_every_company() {
    let words = Words::new("en");
    let said = |company: &'static str| -> Vec<String> {
        let parties = Parties { company: Some(company), ..PARTIES };
        let probable = Parties { probable: true, ..parties };
        findings()
            .iter()
            .flat_map(|finding| [words.sentence(finding, &parties), words.sentence(finding, &probable)])
            .map(|said| said.replace(company, "COMPANY"))
            .collect()
    };
    let first = said("Xiaomi");
    for company in ["Google", "Samsung", "Apple", "Huawei", "Telltale"] {
        assert_eq!(said(company), first, "{company}");
    }
}

/// Flesch and Kincaid's grade: the years of school that a reader needs.
#[test]
fn eight_years_of_school_are_enough() {
    let mut hard = BTreeSet::new();
    for said in everything(&Words::new("en")) {
        let grade = grade(&said);
        // Four words and fewer are a label; the measure was made for text.
        if said.split(' ').count() > 4 && grade > 8.0 {
            hard.insert(format!("{grade:.1} {said}"));
        }
    }
    assert!(hard.is_empty(), "{hard:#?}");
}

fn grade(text: &str) -> f64 {
    let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || "'-.,".contains(c))).collect();
    let words: Vec<&str> =
        words.iter().map(|word| word.trim_matches(['.', ','])).filter(|word| !word.is_empty()).collect();
    let sentences = text.split_inclusive(['.', ':', ';']).filter(|part| part.trim().len() > 1).count().max(1);
    let syllables: usize = words.iter().map(|word| syllables(word)).sum();
    let (words, sentences, syllables) = (words.len() as f64, sentences as f64, syllables as f64);
    0.39 * words / sentences + 11.8 * syllables / words - 15.59
}

/// Groups of vowels, without an `e` or `ed` that is not spoken at the end.
fn syllables(word: &str) -> usize {
    let word = word.to_lowercase();
    if word.chars().all(|c| c.is_ascii_digit() || ",.".contains(c)) {
        return 1;
    }
    let is_vowel = |c: char| "aeiouy".contains(c);
    let mut groups = 0;
    let mut before = false;
    for c in word.chars() {
        groups += usize::from(is_vowel(c) && !before);
        before = is_vowel(c);
    }
    let silent = (word.ends_with('e') && !word.ends_with("le"))
        || (word.ends_with("ed") && !word.ends_with("ted") && !word.ends_with("ded"))
        || (word.ends_with("es") && !word.ends_with("ses") && !word.ends_with("ces"));
    (groups - usize::from(silent && groups > 1)).max(1)
}

#[test]
fn the_measure_of_reading_is_as_it_was_published() {
    for (word, count) in
        [("network", 2), ("readable", 3), ("phone", 1), ("disguised", 2), ("protected", 3), ("times", 1)]
    {
        assert_eq!(syllables(word), count, "{word}");
    }
    let easy = grade("The cat sat on the mat.");
    assert!((-2.0..0.0).contains(&easy), "{easy}");
    assert!(grade("Telemetry endpoints exfiltrate unencrypted identifiers via plaintext protocols.") > 15.0);
}

#[test]
fn every_rule_says_why_it_may_matter() {
    let rules: BTreeSet<Rule> = findings().iter().map(|finding| finding.what.rule()).collect();
    assert_eq!(rules.len(), Rule::ALL.len());
    assert_eq!(Class::ALL.len(), 7, "a new class needs words");
}

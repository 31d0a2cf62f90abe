//! A plain search of bytes for the persona's details, for the tests alone: slow, and of no use for anybody's else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use telltale_scenario::phone::PERSONA;

/// The kind, and which of its kind, from 1.
pub(crate) type Detail = (String, usize);
pub(crate) type Found = BTreeSet<Detail>;

/// Whether the value is there in just this form. A last step of Base64 goes around what the value is part of.
pub(crate) fn holds(request: &[u8], value: &str, form: &[String]) -> bool {
    let (form, views) = match form {
        [inner @ .., last] if last == "base64" => (inner, unwrapped(request)),
        form => (form, vec![request.to_vec(), percent_decoded(request)]),
    };
    spellings(value).iter().any(|spelling| {
        let written = form.iter().fold(spelling.clone().into_bytes(), |bytes, step| written(&bytes, step));
        views.iter().any(|view| contains(view, &written))
    })
}

/// Every detail of the persona that is there in any form that is known here.
pub(crate) fn details_in(bytes: &[u8]) -> Found {
    let mut views = vec![bytes.to_vec(), percent_decoded(bytes)];
    views.extend(unwrapped(bytes));
    let places = views.iter().flat_map(|view| (0..view.len()).map(|at| &view[at..]));
    let begun = places.filter_map(|place| Some((place, PATTERNS.get(place.first_chunk::<BEGIN>()?)?)));
    let whole = begun.flat_map(|(place, patterns)| {
        patterns.iter().filter(|(pattern, _)| place.starts_with(pattern)).map(|(_, detail)| detail.clone())
    });
    whole.collect()
}

/// Bytes by which patterns are looked up: no pattern is shorter.
const BEGIN: usize = 4;

type Patterns = BTreeMap<[u8; BEGIN], BTreeSet<(Vec<u8>, Detail)>>;

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let (mut counts, mut all) = (BTreeMap::<&str, usize>::new(), Patterns::new());
    for (kind, value) in PERSONA.details() {
        let count = counts.entry(kind).or_default();
        *count += 1;
        for pattern in patterns(value) {
            let begin = *pattern.first_chunk().unwrap();
            all.entry(begin).or_default().insert((pattern, (kind.to_owned(), *count)));
        }
    }
    all
});

/// The value as people and programs write it.
fn spellings(value: &str) -> Vec<String> {
    let mut spellings = vec![value.to_owned(), value.to_lowercase(), value.to_uppercase()];
    let plain: String = value.chars().filter(|letter| !":+-".contains(*letter)).collect();
    spellings.extend([plain.to_uppercase(), value.replace(':', "-"), plain.clone()]);
    if let Some(number) = value.strip_prefix('+') {
        // The code of the country has one or two digits.
        let national = [&number[1..], &number[2..]];
        spellings.push(format!("00{number}"));
        spellings.extend(national.map(|national| format!("0{national}")));
    }
    if let Some((latitude, longitude)) = value.split_once(',') {
        spellings.extend([latitude.to_owned(), longitude.to_owned()]);
    }
    spellings
}

/// The spellings, and the beginnings of their digests: 64 bits in each writing.
fn patterns(value: &str) -> Vec<Vec<u8>> {
    let mut patterns = Vec::new();
    for spelling in spellings(value) {
        for digest in ["md5", "sha1", "sha256"].map(|step| written(spelling.as_bytes(), step)) {
            let hex = written(&digest, "hex")[..16].to_vec();
            patterns.extend([hex.to_ascii_uppercase(), hex, digest[..8].to_vec()]);
            patterns.extend(["base64", "base64url"].map(|step| written(&digest, step)[..10].to_vec()));
        }
        patterns.push(spelling.into_bytes());
    }
    patterns
}

fn written(bytes: &[u8], step: &str) -> Vec<u8> {
    match step {
        "md5" => Md5::digest(bytes).to_vec(),
        "sha1" => Sha1::digest(bytes).to_vec(),
        "sha256" => Sha256::digest(bytes).to_vec(),
        "hex" => bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
        // A digest as its bytes.
        "binary" => bytes.to_vec(),
        "base64" => STANDARD.encode(bytes).into_bytes(),
        "base64url" => URL_SAFE.encode(bytes).into_bytes(),
        cut => bytes[..cut.strip_prefix("cut").unwrap_or_else(|| panic!("no step {cut}")).parse().unwrap()]
            .to_vec(),
    }
}

fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%');
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    decoded
}

/// What runs of 16 letters of Base64 or more hold.
fn unwrapped(bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = percent_decoded(bytes);
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'+' || *byte == b'/';
    let runs = text.split(|byte| !is_letter(byte)).filter(|run| run.len() >= 16);
    runs.filter_map(|run| STANDARD_NO_PAD.decode(run).ok()).collect()
}

fn contains(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.windows(pattern.len()).any(|window| window == pattern)
}

#[test]
fn a_detail_is_found_in_clear_and_in_disguise() {
    let imei: Found = [("imei".to_owned(), 1)].into();
    assert_eq!(details_in(b"a=490154203237518&"), imei);
    assert_eq!(details_in(b"/dev/l6IQUjLsyHVvA6Ap/activating"), imei);
    assert_eq!(details_in(b"m=0EAED834A1E6F4B2BF0C024E0013DEA1"), imei);
    let two = details_in(b"data=eyJpbWVpIjoiNDkwMTU0MjAzMjM3NTE4IiwiaW1zaSI6IjQwNDY4NTUwNTYwMTIzNCJ9");
    assert_eq!(two.len(), 2);
    assert_eq!(details_in(b"n=07700900123").into_iter().next(), Some(("contact".to_owned(), 1)));
    assert_eq!(details_in(b"n=490154203237517&l6IQUjLsyX&28.6,77.2"), Found::new());
    let steps = ["sha1", "base64url", "cut16"].map(str::to_owned);
    assert!(holds(b"/l6IQUjLsyHVvA6Ap/", PERSONA.imei[0], &steps));
    assert!(!holds(b"/490154203237518/", PERSONA.imei[0], &steps));
}

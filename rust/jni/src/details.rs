//! The person's details, as the app gives them: all or nothing, and masked on their way back.

use serde::Serialize;
use telltale_model::{Detail, DetailKind};
use telltale_screens::{LookedFor, Sought};
use telltale_watch::details::{BadLine, Given, masked};

use crate::Config;

/// Lines that cannot be taken of which the app hears.
const ERRORS: usize = 64;

/// Lines that are read at all: the contacts, the apps and the person's own.
const LINES: usize = 10_000;

/// What `setDetails` answers.
#[derive(Debug, Serialize)]
struct Answer {
    set: String,
    details: Vec<Shown>,
    contacts: usize,
    packages: usize,
    errors: Vec<Refused>,
}

#[derive(Debug, Serialize)]
struct Shown {
    kind: &'static str,
    number: u16,
    id: String,
    masked: String,
}

#[derive(Debug, Serialize)]
struct Refused {
    line: usize,
    kind: Option<&'static str>,
    code: &'static str,
    sentence: String,
}

/// Reads the whole set. Values that were known keep their ids. With any error there is no new set.
pub(crate) fn read(
    text: &[u8],
    phone: &Config,
    before: &Given,
    seed: [u8; 16],
) -> Result<Given, Vec<BadLine>> {
    let mut given = Given::new(seed);
    if let Some(home) = &phone.country {
        // The app may know a country that we do not; then numbers need their codes.
        let _unknown = given.live_in(home);
    }
    given.served_by(&phone.plmn);
    // What the app read from the phone itself, such as a short code among the contacts, stops nothing.
    let mut errors = given.read_all_lines(text, LINES);
    errors.retain(|bad| !bad.kind.is_some_and(is_many));
    errors.truncate(ERRORS);
    if errors.is_empty() {
        given.named_as(before);
        Ok(given)
    } else {
        Err(errors)
    }
}

/// What the screens may show of it.
pub(crate) fn looked_for(given: &Given) -> LookedFor {
    let own = given.iter().filter(|detail| !is_many(detail.name.kind));
    let sought = |detail: &Detail| Sought {
        kind: detail.name.kind,
        number: detail.name.number,
        id: detail.name.id,
        masked: masked(detail),
    };
    let contacts = given.iter().filter(|detail| detail.name.kind == DetailKind::Contact).count();
    LookedFor { own: own.map(sought).collect(), contacts }
}

/// What the app hears: what is looked for, and which lines could not be taken.
pub(crate) fn answer(given: &Given, errors: &[BadLine]) -> String {
    let of_kind = |kind| given.iter().filter(|detail| detail.name.kind == kind).count();
    let own = given.iter().filter(|detail| !is_many(detail.name.kind));
    let shown = own.map(|detail| Shown {
        kind: detail.name.kind.name(),
        number: detail.name.number,
        id: format!("{:016x}", detail.name.id),
        masked: masked(detail),
    });
    let refused = errors.iter().map(|bad| Refused {
        line: bad.line,
        kind: bad.kind.map(DetailKind::name),
        code: bad.word(),
        sentence: format!("{}.", bad.why),
    });
    let answer = Answer {
        set: format!("{:016x}", given.details().set),
        details: shown.collect(),
        contacts: of_kind(DetailKind::Contact),
        packages: of_kind(DetailKind::Package),
        errors: refused.collect(),
    };
    // Text, numbers and lists always have a JSON form.
    serde_json::to_string(&answer).unwrap_or_default()
}

/// Contacts and packages are counted, not listed.
fn is_many(kind: DetailKind) -> bool {
    matches!(kind, DetailKind::Contact | DetailKind::Package | DetailKind::Carrier)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn indian() -> Config {
        Config { country: Some("IN".into()), plmn: "40445".into(), ..Config::default() }
    }

    fn none() -> Given {
        Given::new([1; 16])
    }

    fn parsed(given: &Given, errors: &[BadLine]) -> Value {
        serde_json::from_str(&answer(given, errors)).unwrap()
    }

    #[test]
    fn what_was_taken_is_told_masked_and_contacts_as_a_number() {
        let given = read(include_bytes!("../golden/details.txt"), &indian(), &none(), [2; 16]).unwrap();
        let mut answer = parsed(&given, &[]);
        let set = answer["set"].take();
        assert!(set.as_str().is_some_and(|set| set.len() == 16 && set != "0000000000000000"));
        answer["set"] = json!("0000000000000000");
        let golden: Value = serde_json::from_str(include_str!("../golden/details-answer.json")).unwrap();
        assert_eq!(answer, golden);
    }

    #[test]
    fn the_code_of_the_phones_carrier_is_known_of_the_details() {
        let given = read(b"ssid Home\n", &indian(), &none(), [2; 16]).unwrap();
        assert_eq!(given.details().carrier_code, Some(40_445));
        for plmn in ["", "404", "4044567", "00000", "4o445"] {
            let phone = Config { plmn: plmn.into(), ..Config::default() };
            assert_eq!(read(b"ssid Home\n", &phone, &none(), [2; 16]).unwrap().details().carrier_code, None);
        }
    }

    #[test]
    fn one_bad_line_leaves_all_as_it_was_and_is_told_without_its_value() {
        let before = read(b"ssid Home\n", &Config::default(), &none(), [2; 16]).unwrap();
        let errors =
            read(b"ssid Work\nimei 490154203237519\n", &Config::default(), &before, [3; 16]).unwrap_err();
        let answer = parsed(&before, &errors);
        let sentence = "The last digit does not fit. Compare with *#06#.";
        let error = json!({"line": 2, "kind": "imei", "code": "imei-check", "sentence": sentence});
        assert_eq!(answer["errors"], json!([error]));
        assert_eq!(answer["details"][0]["masked"], "Ho\u{2022}\u{2022}\u{2022}");
    }

    #[test]
    fn the_same_set_given_again_is_the_same_set() {
        let before = read(b"ssid Home\n", &indian(), &none(), [2; 16]).unwrap();
        let again = read(b"ssid Home\n", &indian(), &before, [3; 16]).unwrap();
        assert_eq!(parsed(&again, &[]), parsed(&before, &[]));
        assert_eq!(parsed(&none(), &[])["set"], "0000000000000000");
    }
}

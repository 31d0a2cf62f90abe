//! Names of fields that tell what is in them.

use telltale_model::DetailKind;

use super::roll::windows;

/// Parts of names, and what they tell. Letters and digits alone, in small letters.
const KEYS: [(&str, DetailKind); 30] = [
    ("imeisv", DetailKind::ImeiSv),
    ("imei", DetailKind::Imei),
    ("imsi", DetailKind::Imsi),
    ("iccid", DetailKind::Iccid),
    ("simserial", DetailKind::Iccid),
    ("simid", DetailKind::Iccid),
    ("msisdn", DetailKind::Phone),
    ("phone", DetailKind::Phone),
    ("mobile", DetailKind::Phone),
    ("externalid", DetailKind::Phone),
    ("line1number", DetailKind::Phone),
    ("telephone", DetailKind::Phone),
    ("contact", DetailKind::Contact),
    ("email", DetailKind::Email),
    ("androidid", DetailKind::AndroidId),
    ("deviceid", DetailKind::AndroidId),
    ("openudid", DetailKind::AndroidId),
    ("oaid", DetailKind::AdvertisingId),
    ("gaid", DetailKind::AdvertisingId),
    ("aaid", DetailKind::AdvertisingId),
    ("adid", DetailKind::AdvertisingId),
    ("idfa", DetailKind::AdvertisingId),
    ("vaid", DetailKind::AdvertisingId),
    ("advertisingid", DetailKind::AdvertisingId),
    ("advertiserid", DetailKind::AdvertisingId),
    ("serialno", DetailKind::Serial),
    ("serialnumber", DetailKind::Serial),
    ("macaddr", DetailKind::Mac),
    ("wifimac", DetailKind::Mac),
    ("bssid", DetailKind::Bssid),
];

/// Names that tell only when they are all of it.
const WHOLE: [(&str, DetailKind); 9] = [
    ("sn", DetailKind::Serial),
    ("serial", DetailKind::Serial),
    ("mac", DetailKind::Mac),
    ("tel", DetailKind::Phone),
    ("cell", DetailKind::Phone),
    ("number", DetailKind::Phone),
    ("address", DetailKind::Phone),
    ("sender", DetailKind::Phone),
    ("did", DetailKind::AndroidId),
];

/// The longest name that is looked at.
const LONGEST: usize = 32;

/// What a name tells.
pub(super) fn kind(name: &[u8]) -> Option<DetailKind> {
    let mut plain = [0u8; LONGEST];
    let letters = name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase);
    let mut len = 0;
    for (to, from) in plain.iter_mut().zip(letters) {
        *to = from;
        len += 1;
    }
    let plain = plain.get(..len)?;
    let whole = WHOLE.iter().find(|(key, _)| key.as_bytes() == plain);
    let inside = || {
        let places = windows(plain).enumerate().filter(|(_, four)| may_begin(four));
        let key = |at: usize| {
            KEYS.iter().find(|(key, _)| plain.get(at..).is_some_and(|rest| rest.starts_with(key.as_bytes())))
        };
        places.filter_map(|(at, _)| key(at)).next()
    };
    whole.or_else(inside).filter(|_| !is_of_a_time(name)).map(|(_, kind)| *kind)
}

/// Whether a name says when: `contact_ts` and `phoneUpdatedAt` tell of no number, however much a time looks like one.
fn is_of_a_time(name: &[u8]) -> bool {
    const WORDS: [&[u8]; 16] = [
        b"ts",
        b"at",
        b"ms",
        b"when",
        b"since",
        b"last",
        b"age",
        b"epoch",
        b"expiry",
        b"expires",
        b"updated",
        b"created",
        b"modified",
        b"synced",
        b"seen",
        b"verified",
    ];
    const ENDINGS: [&[u8]; 4] = [b"time", b"stamp", b"date", b"millis"];
    let is_time = |word: &[u8]| {
        let word = word.to_ascii_lowercase();
        WORDS.contains(&word.as_slice()) || ENDINGS.iter().any(|ending| word.ends_with(ending))
    };
    words(name).any(is_time)
}

/// `phoneUpdated_at` in its words.
fn words(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let divides = |one: &u8, next: &u8| {
        !one.is_ascii_alphanumeric()
            || !next.is_ascii_alphanumeric()
            || one.is_ascii_lowercase() && next.is_ascii_uppercase()
    };
    name.chunk_by(move |one, next| !divides(one, next))
}

/// Whether one of [`KEYS`] begins so.
fn may_begin(four: &[u8; 4]) -> bool {
    matches!(
        four,
        b"imei"
            | b"imsi"
            | b"icci"
            | b"sims"
            | b"simi"
            | b"msis"
            | b"phon"
            | b"mobi"
            | b"exte"
            | b"line"
            | b"tele"
            | b"cont"
            | b"emai"
            | b"andr"
            | b"devi"
            | b"open"
            | b"oaid"
            | b"gaid"
            | b"aaid"
            | b"adid"
            | b"idfa"
            | b"vaid"
            | b"adve"
            | b"seri"
            | b"maca"
            | b"wifi"
            | b"bssi"
    )
}

/// What the last name of a field tells.
pub(super) fn of_field(field: &str) -> Option<DetailKind> {
    let field =
        field.trim_end_matches(|letter: char| letter == ']' || letter == '[' || letter.is_ascii_digit());
    let (before, last) = field.rsplit_once('.')?;
    // In containers of containers the last name may be that of the container.
    match last {
        "json" | "form" | "query" | "xml" | "text" | "bytes" | "protobuf" => of_field(before),
        last => kind(last.as_bytes()),
    }
}

/// Whether a byte may stand between a name and its value.
pub(super) fn is_between(byte: &u8) -> bool {
    b"\"'\\ :=>[".contains(byte)
}

/// The name that stands before the value that begins at `at`: `"imei":"`, `imei=`, `<imei>`.
pub(super) fn before(text: &[u8], at: usize) -> Option<&[u8]> {
    let from = at.saturating_sub(LONGEST + 8);
    let rest = text.get(from..at)?;
    let end = rest.iter().rposition(|byte| !is_between(byte))? + 1;
    let divided = rest.get(end..)?.iter().any(|byte| b":=>".contains(byte));
    let name = rest.get(..end)?;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let start = name.iter().rposition(|byte| !is_name(byte)).map_or(0, |at| at + 1);
    divided.then(|| name.get(start..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_before_values() {
        let at = |text: &str| {
            let at = text.find('7').unwrap();
            before(text.as_bytes(), at).and_then(kind)
        };
        assert_eq!(at("{\"imei\": \"7"), Some(DetailKind::Imei));
        assert_eq!(at("a=1&deviceId=7"), Some(DetailKind::AndroidId));
        assert_eq!(at("<Imsi>7"), Some(DetailKind::Imsi));
        assert_eq!(at("{\\\"gps_adid\\\":\\\"7"), Some(DetailKind::AdvertisingId));
        assert_eq!(at("imei 7"), None);
        assert_eq!(at("{\"imei\":1,\"session\":\"7"), None);
    }

    #[test]
    fn a_name_that_says_when_tells_of_no_number() {
        for name in
            ["contact_ts", "phone-time", "mobileTimestamp", "phoneUpdatedAt", "contacts.last", "phonedate"]
        {
            assert_eq!(kind(name.as_bytes()), None, "{name}");
        }
        for name in ["contacts", "phone", "mobile_number", "dataPhone1", "MOBILE", "latestContact"] {
            assert!(kind(name.as_bytes()).is_some(), "{name}");
        }
    }

    #[test]
    fn every_key_is_found_by_its_beginning() {
        for (key, kind) in KEYS {
            assert_eq!(super::kind(format!("my_{key}").as_bytes()), Some(kind), "{key}");
        }
    }

    #[test]
    fn the_last_name_of_a_field_tells() {
        assert_eq!(of_field("form.data.json.imei_md5[2]"), Some(DetailKind::Imei));
        assert_eq!(of_field("query.imei.json"), Some(DetailKind::Imei));
        assert_eq!(of_field("header.x-number"), None);
        assert_eq!(of_field("path[4]"), None);
    }
}

//! Why a detail cannot be looked for: a sentence in English without its full stop and without anything of the value,
//! and a word for it that stays, for who says it in another language.

pub(super) const TOO_SHORT: &str = "Too short to look for";
pub(super) const TOO_LONG: &str = "Too long: no detail has more than 254 bytes";
pub(super) const UNPRINTABLE: &str = "It holds characters that cannot be printed";
pub(super) const FILLER: &str = "Many phones have this in place of a value: it is not yours alone";
pub(super) const IMEI: &str = "An IMEI has 15 digits";
pub(super) const IMEI_CHECK: &str = "The last digit does not fit. Compare with *#06#";
pub(super) const IMEI_SV: &str = "An IMEI with the version of its software has 16 digits";
pub(super) const IMSI: &str = "An IMSI has 15 digits, seldom fewer";
pub(super) const ICCID: &str = "The number of a SIM has 18 to 22 digits and begins with 89";
pub(super) const ICCID_CHECK: &str = "The last digit does not fit. Compare with the card";
pub(super) const EMAIL: &str = "An e-mail address looks like name@example.org";
pub(super) const ADVERTISING_ID: &str =
    "An advertising id has 32 hexadecimal digits, as in 38400000-8cf0-11bd-b23e-10b96e40000d";
pub(super) const ANDROID_ID: &str = "An Android id has 16 hexadecimal digits";
pub(super) const MAC: &str = "A hardware address has 12 hexadecimal digits, as in 00:53:5e:00:53:01";
pub(super) const SERIAL: &str = "A serial number has letters and digits alone";
pub(super) const SSID: &str = "The name of a wireless network has at most 32 bytes";
pub(super) const PLACE: &str = "A place is latitude and longitude in degrees, as in 52.5163,13.3777";
pub(super) const PLACE_COARSE: &str =
    "Too coarse to look for: give at least 3 decimals of both, as in 52.5163,13.3777";
pub(super) const PACKAGE: &str = "The name of a package looks like com.example.app";
pub(super) const PHONE: &str = "A phone number has digits alone, and a + before the code of a country";
pub(super) const PHONE_LONG: &str = "A phone number has at most 15 digits";
pub(super) const PHONE_HOME: &str = "Give it with the code of its country, such as +49 176 1234567";
pub(super) const PHONE_CODE: &str = "No country has this code";
pub(super) const COUNTRY: &str = "A country is given by two letters, as in DE or IN";
pub(super) const ID_TWICE: &str = "Another detail has this id";
pub(super) const CONTACTS: &str = "No more than 5,000 contacts can be looked for";
pub(super) const PACKAGES: &str = "No more than 2,000 packages can be looked for";
pub(super) const OWN: &str = "No more than 64 details of your own can be looked for";
pub(super) const UNREADABLE: &str = "It is not text in UTF-8";
pub(super) const NO_KIND: &str = "It does not begin with a kind of detail, such as imei or phone";

/// Each of them with its word.
const ALL: [(&str, &str); 30] = [
    (TOO_SHORT, "short"),
    (TOO_LONG, "long"),
    (UNPRINTABLE, "unprintable"),
    (FILLER, "filler"),
    (IMEI, "imei"),
    (IMEI_CHECK, "imei-check"),
    (IMEI_SV, "imei-sv"),
    (IMSI, "imsi"),
    (ICCID, "iccid"),
    (ICCID_CHECK, "iccid-check"),
    (EMAIL, "email"),
    (ADVERTISING_ID, "advertising-id"),
    (ANDROID_ID, "android-id"),
    (MAC, "mac"),
    (SERIAL, "serial"),
    (SSID, "ssid"),
    (PLACE, "place"),
    (PLACE_COARSE, "place-coarse"),
    (PACKAGE, "package"),
    (PHONE, "phone"),
    (PHONE_LONG, "phone-long"),
    (PHONE_HOME, "phone-home"),
    (PHONE_CODE, "phone-code"),
    (COUNTRY, "country"),
    (ID_TWICE, "id-twice"),
    (CONTACTS, "contacts"),
    (PACKAGES, "packages"),
    (OWN, "own"),
    (UNREADABLE, "unreadable"),
    (NO_KIND, "no-kind"),
];

/// The word for a sentence of this module.
pub(super) fn word(why: &str) -> &'static str {
    ALL.iter().find(|(sentence, _)| *sentence == why).map_or("other", |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_refusal_has_a_word_of_its_own() {
        let words: BTreeSet<&str> = ALL.iter().map(|(_, word)| *word).collect();
        let sentences: BTreeSet<&str> = ALL.iter().map(|(sentence, _)| *sentence).collect();
        assert_eq!((words.len(), sentences.len()), (ALL.len(), ALL.len()));
        assert_eq!(word(IMEI_CHECK), "imei-check");
        for source in [
            include_str!("value.rs"),
            include_str!("phone.rs"),
            include_str!("given.rs"),
            include_str!("lines.rs"),
        ] {
            let code = source.split("#[cfg(test)]").next().unwrap();
            assert!(!code.contains("Err(\"") && !code.contains("ok_or(\""), "a refusal without a word");
        }
    }
}

//! The ways in which programs write one detail: docs/details.md lists them.

use telltale_model::{Detail, DetailKind};
use zeroize::Zeroizing;

use super::phone::Number;

/// One way to write a detail.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// So it stands in what is sent, or so it goes into a digest.
    pub text: Zeroizing<String>,
    /// It is a phone number without the code of its country: in another country somebody else may have it.
    pub national: bool,
}

/// All of them, the usual one first, none twice. Letters are in the cases in which they are put into digests: who
/// looks for the text itself may look without regard to case, and then needs one of those.
///
/// The value must be as [`super::read`] gives it. A number of an IMEI with the version of software (16 digits) begins
/// with the one of 14 digits that is given here.
pub fn forms(detail: &Detail) -> Vec<Written> {
    let value = detail.value.as_str();
    let mut forms = Forms::default();
    match detail.name.kind {
        DetailKind::Imei => forms.with_and_without_last(value),
        DetailKind::Iccid => iccid(value, &mut forms),
        DetailKind::Phone | DetailKind::Contact => phone(value, &mut forms),
        DetailKind::AdvertisingId => forms.separated(value, &['-']),
        DetailKind::Mac | DetailKind::Bssid => forms.separated(value, &[':', '-']),
        DetailKind::AndroidId | DetailKind::Serial => forms.both_cases(value),
        DetailKind::Email | DetailKind::Name | DetailKind::Carrier | DetailKind::Word => {
            forms.lower_case(value);
        }
        DetailKind::Ssid => ssid(value, &mut forms),
        DetailKind::ImeiSv | DetailKind::Imsi | DetailKind::Place | DetailKind::Package => forms.add(value),
    }
    forms.0
}

/// What programs that keep a detail as a number or as an address write of it, in either order of its bytes; nothing
/// for what is text. Addresses of interfaces take 6 bytes, `ANDROID_ID` and decimal numbers 8, a UUID 16.
pub fn bytes(detail: &Detail) -> Vec<Zeroizing<Vec<u8>>> {
    let value = detail.value.as_str();
    match detail.name.kind {
        DetailKind::Mac | DetailKind::Bssid | DetailKind::AdvertisingId => {
            from_hex(value).map(|bytes| vec![bytes]).unwrap_or_default()
        }
        DetailKind::AndroidId => u64::from_str_radix(value, 16).map_or_else(|_| Vec::new(), both_ends),
        DetailKind::Imei | DetailKind::ImeiSv | DetailKind::Imsi => number(value),
        DetailKind::Phone | DetailKind::Contact => {
            Number::of(value).international().map(|digits| number(&digits)).unwrap_or_default()
        }
        DetailKind::Iccid
        | DetailKind::Email
        | DetailKind::Serial
        | DetailKind::Ssid
        | DetailKind::Name
        | DetailKind::Carrier
        | DetailKind::Place
        | DetailKind::Word
        | DetailKind::Package => Vec::new(),
    }
}

/// Latitude and longitude of a place, in degrees.
pub fn place(detail: &Detail) -> Option<(f64, f64)> {
    let (latitude, longitude) =
        detail.value.split_once(',').filter(|_| detail.name.kind == DetailKind::Place)?;
    Some((latitude.parse().ok()?, longitude.parse().ok()?))
}

#[derive(Default)]
struct Forms(Vec<Written>);

impl Forms {
    fn add(&mut self, text: &str) {
        self.put(text.to_owned(), false);
    }

    fn put(&mut self, text: String, national: bool) {
        let form = Written { text: Zeroizing::new(text), national };
        if !form.text.is_empty() && !self.0.iter().any(|known| known.text == form.text) {
            self.0.push(form);
        }
    }

    /// The last digit is a check digit, which some programs leave out.
    fn with_and_without_last(&mut self, digits: &str) {
        self.add(digits);
        let mut shorter = digits.chars();
        shorter.next_back();
        self.add(shorter.as_str());
    }

    fn both_cases(&mut self, text: &str) {
        self.lower_case(text);
        self.put(text.to_uppercase(), false);
    }

    fn lower_case(&mut self, text: &str) {
        self.add(text);
        self.put(text.to_lowercase(), false);
    }

    /// Hexadecimal digits with each of the separators, and without any.
    fn separated(&mut self, text: &str, separators: &[char]) {
        let Some(usual) = separators.first() else { return };
        for separator in separators {
            self.both_cases(&Zeroizing::new(text.replace(*usual, separator.encode_utf8(&mut [0; 4]))));
        }
        self.both_cases(&Zeroizing::new(text.replace(*usual, "")));
    }
}

/// SIMs hold 20 digits of four bits each, the last one filled up (ETSI TS 102 221 13.2).
fn iccid(value: &str, forms: &mut Forms) {
    if value.len() != 19 {
        return forms.add(value);
    }
    forms.with_and_without_last(value);
    forms.both_cases(&Zeroizing::new(format!("{value}f")));
}

/// Android gives the names of networks in quotes.
fn ssid(value: &str, forms: &mut Forms) {
    forms.add(value);
    forms.put(format!("\"{value}\""), false);
}

fn phone(value: &str, forms: &mut Forms) {
    let number = Number::of(value);
    let Some(code) = number.code else {
        forms.put(number.joined(""), true);
        return [" ", "-"].iter().for_each(|separator| forms.put(number.joined(separator), true));
    };
    let national = Zeroizing::new(number.joined(""));
    let national = national.as_str();
    for before in ["+", "", "00"] {
        forms.put(format!("{before}{code}{national}"), false);
    }
    for before in [number.trunk, ""] {
        forms.put(format!("{before}{national}"), true);
    }
    // As people write them into their contacts.
    for separator in [" ", "-"] {
        let spaced = Zeroizing::new(number.joined(separator));
        forms.put(format!("+{code}{separator}{}", spaced.as_str()), false);
        forms.put(format!("{}{}", number.trunk, spaced.as_str()), true);
    }
}

fn number(digits: &str) -> Vec<Zeroizing<Vec<u8>>> {
    digits.parse().map_or_else(|_| Vec::new(), both_ends)
}

fn both_ends(number: u64) -> Vec<Zeroizing<Vec<u8>>> {
    [number.to_be_bytes(), number.to_le_bytes()].map(|bytes| Zeroizing::new(bytes.to_vec())).into()
}

/// The bytes that hexadecimal digits stand for, whatever is between them.
fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digits = Zeroizing::new(text.chars().filter_map(|digit| digit.to_digit(16)).collect::<Vec<u32>>());
    let bytes = digits.chunks_exact(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    bytes.collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use telltale_model::DetailName;

    use super::*;

    fn detail(kind: DetailKind, value: &str) -> Detail {
        let value = super::super::read(kind, value).unwrap();
        Detail { name: DetailName { kind, number: 1, id: 1 }, value }
    }

    fn texts(kind: DetailKind, value: &str) -> Vec<String> {
        forms(&detail(kind, value)).iter().map(|form| form.text.to_string()).collect()
    }

    #[test]
    fn a_number_is_sent_with_and_without_its_country() {
        let forms = forms(&detail(DetailKind::Phone, "+49 176 1234567"));
        let national = |form: &&Written| form.national;
        let (at_home, abroad): (Vec<_>, Vec<_>) = forms.iter().partition(national);
        let texts = |forms: Vec<&Written>| forms.iter().map(|form| form.text.to_string()).collect::<Vec<_>>();
        assert_eq!(
            texts(abroad),
            ["+491761234567", "491761234567", "00491761234567", "+49 176 1234567", "+49-176-1234567"]
        );
        assert_eq!(texts(at_home), ["01761234567", "1761234567", "0176 1234567", "0176-1234567"]);
    }

    #[test]
    fn where_nothing_is_dialled_before_it_a_number_has_fewer_forms() {
        let abroad = ["+34612345678", "34612345678", "0034612345678"];
        let texts = texts(DetailKind::Contact, "+34612345678");
        assert_eq!(texts[..3], abroad);
        assert_eq!(texts[3..], ["612345678", "+34 612345678", "+34-612345678"]);
    }

    #[test]
    fn the_usual_form_stands_first_and_none_twice() {
        for (kind, value, expected) in [
            (DetailKind::Imei, "490154203237518", &["490154203237518", "49015420323751"][..]),
            (DetailKind::Imsi, "404685505601234", &["404685505601234"]),
            (
                DetailKind::Iccid,
                "8991101405203070405",
                &[
                    "8991101405203070405",
                    "899110140520307040",
                    "8991101405203070405f",
                    "8991101405203070405F",
                ],
            ),
            (DetailKind::Email, "Ada@Example.org", &["Ada@Example.org", "ada@example.org"]),
            (DetailKind::Email, "ada@example.org", &["ada@example.org"]),
            (
                DetailKind::Mac,
                "aa:53:5e:00:53:01",
                &[
                    "aa:53:5e:00:53:01",
                    "AA:53:5E:00:53:01",
                    "aa-53-5e-00-53-01",
                    "AA-53-5E-00-53-01",
                    "aa535e005301",
                    "AA535E005301",
                ],
            ),
            (
                DetailKind::AdvertisingId,
                "38400000-8cf0-11bd-b23e-10b96e40000d",
                &[
                    "38400000-8cf0-11bd-b23e-10b96e40000d",
                    "38400000-8CF0-11BD-B23E-10B96E40000D",
                    "384000008cf011bdb23e10b96e40000d",
                    "384000008CF011BDB23E10B96E40000D",
                ],
            ),
            (DetailKind::AndroidId, "a1b2c3d4e5f60718", &["a1b2c3d4e5f60718", "A1B2C3D4E5F60718"]),
            (DetailKind::Ssid, "Attic", &["Attic", "\"Attic\""]),
            (DetailKind::Place, "52.5163,13.3777", &["52.5163,13.3777"]),
        ] {
            assert_eq!(texts(kind, value), expected, "{kind:?}");
        }
    }

    #[test]
    fn numbers_and_addresses_have_bytes_too() {
        let bytes = |kind, value| {
            let bytes = bytes(&detail(kind, value));
            bytes.iter().map(|bytes| bytes.to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(bytes(DetailKind::Mac, "aa:53:5e:00:53:01"), [[0xaa, 0x53, 0x5e, 0, 0x53, 1]]);
        let number = 491_761_234_567_u64;
        let both = [number.to_be_bytes(), number.to_le_bytes()];
        assert_eq!(bytes(DetailKind::Phone, "+49 176 1234567"), both);
        assert_eq!(bytes(DetailKind::AdvertisingId, "38400000-8cf0-11bd-b23e-10b96e40000d")[0].len(), 16);
        assert_eq!(bytes(DetailKind::AndroidId, "a1b2c3d4e5f60718")[0][0], 0xa1);
        assert!(
            bytes(DetailKind::Phone, "0176 12345678").is_empty()
                && bytes(DetailKind::Word, "Ahorn").is_empty()
        );
    }

    #[test]
    fn a_place_is_two_numbers() {
        assert_eq!(place(&detail(DetailKind::Place, "-33.8568,151.2153")), Some((-33.8568, 151.2153)));
        assert_eq!(place(&detail(DetailKind::Word, "1.5,2.5")), None);
    }
}

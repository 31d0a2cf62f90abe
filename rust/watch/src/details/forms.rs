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

use telltale_model::DetailKind;
use zeroize::Zeroizing;

use super::{phone, refusals};

/// Bytes of the longest value: an e-mail address has 254 at most (RFC 5321 4.5.3.1.3).
const LONGEST: usize = 254;

/// Checks a value, and gives it in the one way in which its kind is written. Phone numbers stay as they are dialled
/// at home until a country is known.
///
/// # Errors
/// A sentence without its full stop, and without anything of the value.
pub fn read(kind: DetailKind, text: &str) -> Result<Zeroizing<String>, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err(refusals::TOO_SHORT);
    }
    if text.len() > LONGEST {
        return Err(refusals::TOO_LONG);
    }
    if text.chars().any(char::is_control) {
        return Err(refusals::UNPRINTABLE);
    }
    let value = match kind {
        DetailKind::Phone | DetailKind::Contact => return phone::read(text, None),
        DetailKind::Imei => imei(text)?,
        DetailKind::ImeiSv => of_length(text, 16, refusals::IMEI_SV)?,
        DetailKind::Imsi => imsi(text)?,
        DetailKind::Iccid => iccid(text)?,
        DetailKind::Email => email(text)?,
        DetailKind::AdvertisingId => uuid(text)?,
        DetailKind::AndroidId => android_id(text)?,
        DetailKind::Serial => serial(text)?,
        DetailKind::Mac | DetailKind::Bssid => mac(text)?,
        DetailKind::Name | DetailKind::Carrier => words(text, 2)?,
        DetailKind::Ssid => ssid(text)?,
        DetailKind::Word => words(text, 4)?,
        DetailKind::Place => place(text)?,
        DetailKind::Package => package(text)?,
    };
    if is_filler(&value) { Err(refusals::FILLER) } else { Ok(value) }
}

/// The last digit of a number follows from the others: ISO/IEC 7812-1 annex B, 3GPP TS 23.003 B.
fn has_check_digit(digits: &str) -> bool {
    let sum: u32 = digits.bytes().rev().enumerate().map(|(place, digit)| luhn(place, digit)).sum();
    sum.is_multiple_of(10)
}

fn luhn(place: usize, digit: u8) -> u32 {
    let value = u32::from(digit.saturating_sub(b'0')) << (place % 2);
    if value > 9 { value - 9 } else { value }
}

/// The digits of a number, as people write it in groups.
fn digits(text: &str, otherwise: &'static str) -> Result<Zeroizing<String>, &'static str> {
    let digits = bare(text, &[' ', '-', '.', '/']);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { Ok(digits) } else { Err(otherwise) }
}

fn bare(text: &str, separators: &[char]) -> Zeroizing<String> {
    only(text, |letter| !separators.contains(&letter))
}

/// Those of the characters that are wanted, in a place that does not grow: it would leave copies behind.
pub(super) fn only(text: &str, wanted: impl Fn(char) -> bool) -> Zeroizing<String> {
    let mut only = Zeroizing::new(String::with_capacity(text.len()));
    only.extend(text.chars().filter(|letter| wanted(*letter)));
    only
}

fn of_length(text: &str, length: usize, otherwise: &'static str) -> Result<Zeroizing<String>, &'static str> {
    digits(text, otherwise)
        .and_then(|digits| if digits.len() == length { Ok(digits) } else { Err(otherwise) })
}

fn imei(text: &str) -> Result<Zeroizing<String>, &'static str> {
    let digits = of_length(text, 15, refusals::IMEI)?;
    if has_check_digit(&digits) { Ok(digits) } else { Err(refusals::IMEI_CHECK) }
}

/// Country, network and subscriber together: 3GPP TS 23.003 2.2. Ten digits are the fewest that can be one person's.
fn imsi(text: &str) -> Result<Zeroizing<String>, &'static str> {
    let digits = digits(text, refusals::IMSI)?;
    if (10..=15).contains(&digits.len()) { Ok(digits) } else { Err(refusals::IMSI) }
}

/// ITU-T E.118 4: 89 for telephony, then country and issuer, and a check digit as the 19th. Some issuers have made
/// one digit more or fewer, without a check digit.
fn iccid(text: &str) -> Result<Zeroizing<String>, &'static str> {
    let digits = digits(text.trim_end_matches(['f', 'F']), refusals::ICCID)?;
    if !(18..=22).contains(&digits.len()) || !digits.starts_with("89") {
        return Err(refusals::ICCID);
    }
    if digits.len() == 19 && !has_check_digit(&digits) {
        return Err(refusals::ICCID_CHECK);
    }
    Ok(digits)
}

/// RFC 5321 4.1.2, as far as addresses of persons use it.
fn email(text: &str) -> Result<Zeroizing<String>, &'static str> {
    let (name, domain) = text.rsplit_once('@').ok_or(refusals::EMAIL)?;
    let fits = !name.is_empty()
        && !text.contains(|letter: char| letter.is_whitespace() || "()<>[]:;,\\\"".contains(letter))
        && !name.contains('@')
        && domain.contains('.')
        && domain.split('.').all(is_label);
    if fits { Ok(Zeroizing::new(text.to_owned())) } else { Err(refusals::EMAIL) }
}

/// RFC 1123 2.1, with the letters of other languages.
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// So many hexadecimal digits, in small letters.
fn hex(text: &str, length: usize, otherwise: &'static str) -> Result<Zeroizing<String>, &'static str> {
    if text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(Zeroizing::new(text.to_ascii_lowercase()))
    } else {
        Err(otherwise)
    }
}

/// RFC 9562 4.
fn uuid(text: &str) -> Result<Zeroizing<String>, &'static str> {
    let digits = hex(&bare(text, &['-', '{', '}']), 32, refusals::ADVERTISING_ID)?;
    Ok(grouped(&digits, &[8, 12, 16, 20], '-'))
}

/// 64 bits; older phones leave out the zeroes before the first other digit.
fn android_id(text: &str) -> Result<Zeroizing<String>, &'static str> {
    hex(text, text.len().clamp(14, 16), refusals::ANDROID_ID)
}

/// IEEE 802-2014 8.1, with the separators that systems use.
fn mac(text: &str) -> Result<Zeroizing<String>, &'static str> {
    let digits = hex(&bare(text, &[':', '-', '.']), 12, refusals::MAC)?;
    Ok(grouped(&digits, &[2, 4, 6, 8, 10], ':'))
}

fn grouped(digits: &str, places: &[usize], separator: char) -> Zeroizing<String> {
    let mut grouped = Zeroizing::new(String::with_capacity(digits.len() + places.len()));
    for (place, digit) in digits.chars().enumerate() {
        if places.contains(&place) {
            grouped.push(separator);
        }
        grouped.push(digit);
    }
    grouped
}

fn serial(text: &str) -> Result<Zeroizing<String>, &'static str> {
    if text.len() < 6 {
        return Err(refusals::TOO_SHORT);
    }
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
    if fits { Ok(Zeroizing::new(text.to_owned())) } else { Err(refusals::SERIAL) }
}

/// Words with single spaces between them.
fn words(text: &str, fewest: usize) -> Result<Zeroizing<String>, &'static str> {
    let mut words = Zeroizing::new(String::with_capacity(text.len()));
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    if words.chars().count() < fewest { Err(refusals::TOO_SHORT) } else { Ok(words) }
}

/// IEEE 802.11-2020 9.4.2.2: at most 32 bytes. Spaces in it stay as they are.
fn ssid(text: &str) -> Result<Zeroizing<String>, &'static str> {
    match text.len() {
        ..2 => Err(refusals::TOO_SHORT),
        2..=32 => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(refusals::SSID),
    }
}

/// Three decimals are 111 metres, which is what is looked for at the least.
fn place(text: &str) -> Result<Zeroizing<String>, &'static str> {
    // RFC 5870 3.3
    let text = text.strip_prefix("geo:").unwrap_or(text);
    let mut numbers = text.split([',', ' ', ';']).filter(|number| !number.is_empty());
    let (Some(latitude), Some(longitude), None) = (numbers.next(), numbers.next(), numbers.next()) else {
        return Err(refusals::PLACE);
    };
    if !is_degrees(latitude, 90.0) || !is_degrees(longitude, 180.0) {
        return Err(refusals::PLACE);
    }
    if [latitude, longitude].iter().any(|number| decimals(number) < 3) {
        return Err(refusals::PLACE_COARSE);
    }
    Ok(Zeroizing::new(format!("{latitude},{longitude}")))
}

fn is_degrees(number: &str, most: f64) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain && number.parse().is_ok_and(|degrees: f64| degrees.abs() <= most)
}

fn decimals(number: &str) -> usize {
    number.split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

/// As Android demands of the names of apps: two parts at least.
fn package(text: &str) -> Result<Zeroizing<String>, &'static str> {
    let is_part = |part: &str| {
        part.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let fits = text.contains('.') && text.split('.').all(is_part);
    if fits { Ok(Zeroizing::new(text.to_owned())) } else { Err(refusals::PACKAGE) }
}

/// What systems answer where there is no value, or none for who asks.
fn is_filler(value: &str) -> bool {
    // `Settings.Secure.ANDROID_ID` of many phones at once, and `WifiInfo.DEFAULT_MAC_ADDRESS`.
    const FILLERS: [&str; 5] =
        ["unknown", "0123456789abcdef", "9774d56d682e549c", "02:00:00:00:00:00", "<unknown ssid>"];
    let mut letters = value.chars().filter(|letter| letter.is_alphanumeric());
    let first = letters.next();
    FILLERS.iter().any(|filler| filler.eq_ignore_ascii_case(value))
        || letters.all(|letter| Some(letter) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(kind: DetailKind, text: &str) -> String {
        read(kind, text).unwrap_or_else(|refusal| panic!("{kind:?} {text}: {refusal}")).to_string()
    }

    #[test]
    fn each_kind_has_one_way_to_be_written() {
        for (kind, given, read) in [
            (DetailKind::Imei, " 49-015420-323751-8 ", "490154203237518"),
            (DetailKind::ImeiSv, "4901542032375101", "4901542032375101"),
            (DetailKind::Imsi, "404 685 505601234", "404685505601234"),
            (DetailKind::Iccid, "8991 1014 0520 3070 405F", "8991101405203070405"),
            (DetailKind::Iccid, "89860112345678901234", "89860112345678901234"),
            (DetailKind::Email, "Ada.L+x@Example.org", "Ada.L+x@Example.org"),
            (
                DetailKind::AdvertisingId,
                "384000008CF011BDB23E10B96E40000D",
                "38400000-8cf0-11bd-b23e-10b96e40000d",
            ),
            (DetailKind::AndroidId, "A1B2C3D4E5F60718", "a1b2c3d4e5f60718"),
            (DetailKind::Serial, "R58M12ABCDE", "R58M12ABCDE"),
            (DetailKind::Mac, "AA-53-5E-00-53-01", "aa:53:5e:00:53:01"),
            (DetailKind::Bssid, "aa53.5e00.5301", "aa:53:5e:00:53:01"),
            (DetailKind::Ssid, "Two  Spaces", "Two  Spaces"),
            (DetailKind::Name, " Zephyr   Quill ", "Zephyr Quill"),
            (DetailKind::Carrier, "O2", "O2"),
            (DetailKind::Place, "geo:-33.8568,151.2153", "-33.8568,151.2153"),
            (DetailKind::Place, "52.516 13.377", "52.516,13.377"),
            (DetailKind::Word, "Ahorn", "Ahorn"),
            (DetailKind::Package, "org.example.app_2", "org.example.app_2"),
        ] {
            assert_eq!(good(kind, given), read, "{kind:?}");
            assert_eq!(good(kind, read), read, "{kind:?} is read again as it was written");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_value() {
        for (kind, given, said) in [
            (DetailKind::Imei, "49015420323751", "An IMEI has 15 digits"),
            (DetailKind::Imei, "49015420323751a", "An IMEI has 15 digits"),
            (DetailKind::Imei, "490154203237519", "The last digit does not fit"),
            (DetailKind::ImeiSv, "490154203237518", "16 digits"),
            (DetailKind::Imsi, "404685505", "15 digits"),
            (DetailKind::Imsi, "4046855056012345", "15 digits"),
            (DetailKind::Iccid, "8991101405203070406", "The last digit does not fit"),
            (DetailKind::Iccid, "7991101405203070405", "begins with 89"),
            (DetailKind::Email, "ada@example", "looks like name@example.org"),
            (DetailKind::Email, "ada@exa mple.org", "looks like"),
            (DetailKind::Email, "a@b@example.org", "looks like"),
            (DetailKind::Email, "@a.example", "looks like"),
            (DetailKind::AdvertisingId, "cdda802e-fb9c-47ad-9866-0794d394c91", "32 hexadecimal digits"),
            (DetailKind::AdvertisingId, "00000000-0000-0000-0000-000000000000", "not yours alone"),
            (DetailKind::AndroidId, "9774d56d682e549c", "not yours alone"),
            (DetailKind::AndroidId, "a1b2c3d4e5f6071", ""),
            (DetailKind::AndroidId, "a1b2", "16 hexadecimal digits"),
            (DetailKind::Serial, "AB12", refusals::TOO_SHORT),
            (DetailKind::Serial, "unknown", "not yours alone"),
            (DetailKind::Mac, "aa:53:5e:00:53", "12 hexadecimal digits"),
            (DetailKind::Mac, "02:00:00:00:00:00", "not yours alone"),
            (DetailKind::Ssid, &"x".repeat(33), "32 bytes"),
            (DetailKind::Name, "A", refusals::TOO_SHORT),
            (DetailKind::Word, "abc", refusals::TOO_SHORT),
            (DetailKind::Word, "", refusals::TOO_SHORT),
            (DetailKind::Word, "a\u{7}bcd", "cannot be printed"),
            (DetailKind::Word, &"x y".repeat(100), "254 bytes"),
            (DetailKind::Place, "52.51,13.3777", "3 decimals"),
            (DetailKind::Place, "91.0000,13.3777", "latitude and longitude"),
            (DetailKind::Place, "NaN,inf", "latitude and longitude"),
            (DetailKind::Place, "48.137", "latitude and longitude"),
            (DetailKind::Package, "android", "com.example.app"),
            (DetailKind::Package, "com..app", "com.example.app"),
        ] {
            match read(kind, given) {
                Ok(_) => assert!(said.is_empty(), "{kind:?} {given} was taken"),
                Err(refusal) => {
                    assert!(!said.is_empty() && refusal.contains(said), "{kind:?} {given}: {refusal}");
                    assert!(given.is_empty() || !refusal.contains(given), "{refusal}");
                }
            }
        }
    }

    #[test]
    fn whatever_is_taken_is_read_again_as_it_was_written() {
        let mut seed = 7_u32;
        let mut taken = 0;
        for round in 0..4_000 {
            let letters = "0123456789+-. aF@/:,()é\u{202a}";
            let text: String = (0..round % 24)
                .filter_map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    letters.chars().nth(usize::from((seed >> 24) as u8) % letters.chars().count())
                })
                .collect();
            for kind in DetailKind::ALL {
                if let Ok(value) = read(kind, &text) {
                    taken += 1;
                    assert_eq!(read(kind, &value).as_ref(), Ok(&value), "{kind:?} {text:?}");
                }
            }
        }
        assert!(taken > 1_000, "{taken}");
    }

    #[test]
    fn a_wrong_digit_and_two_that_changed_places_are_noticed() {
        const IMEI: &str = "356938035643809";
        for place in 0..15 {
            let mut digits = IMEI.as_bytes().to_vec();
            digits[place] = b'0' + (digits[place] - b'0' + 1) % 10;
            assert!(!has_check_digit(str::from_utf8(&digits).unwrap()));
        }
        assert!(has_check_digit(IMEI) && !has_check_digit("356938035648309"));
    }
}

//! Phone numbers: `+49 176 1234567` with the code of the country (ITU-T E.164), else as they are dialled at home.

use zeroize::Zeroizing;

use super::countries::Country;
use super::refusals;
use super::value::only;

/// A number as [`read`] writes it.
#[derive(Clone, Copy)]
pub(super) struct Number<'a> {
    /// The code of its country, where that is known.
    pub(super) code: Option<&'a str>,
    /// What is dialled before the rest inside that country.
    pub(super) trunk: &'static str,
    /// The rest, in groups with spaces between.
    groups: &'a str,
}

/// E.164 6.1: at most 15 digits. Shorter numbers than these are too common to be one person's.
const DIGITS: std::ops::RangeInclusive<usize> = 9..=15;

/// Without the code of a country a number needs more of its own.
const DIGITS_AT_HOME: usize = 10;

/// The one way of writing a number; that of a `home` country too, where it was given as it is dialled there.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(text: &str, home: Option<Country>) -> Result<Zeroizing<String>, &'static str> {
    let (abroad, groups) = groups(text)?;
    let (country, groups) = match (abroad, home) {
        (true, _) => of_code(&groups).ok_or(refusals::PHONE_CODE)?,
        (false, Some(home)) => match groups.strip_prefix("011").filter(|_| home.code == 1) {
            Some(groups) => of_code(groups).ok_or(refusals::PHONE_CODE)?,
            None => (home, groups.as_str()),
        },
        (false, None) => return at_home(groups),
    };
    let national = without_trunk(country, groups);
    match digits(national).count() + country.code.to_string().len() {
        few if few < *DIGITS.start() => Err(refusals::TOO_SHORT),
        many if many > *DIGITS.end() => Err(refusals::PHONE_LONG),
        _ => Ok(Zeroizing::new(format!("+{} {national}", country.code))),
    }
}

/// Whether it must be read again when a country becomes known.
pub(super) fn is_national(value: &str) -> bool {
    !value.starts_with('+')
}

impl<'a> Number<'a> {
    pub(super) fn of(value: &'a str) -> Self {
        let parts = value.strip_prefix('+').and_then(|number| number.split_once(' '));
        match parts {
            Some((code, groups)) => {
                let trunk = Country::of_number(code).map_or("", |country| country.trunk);
                Self { code: Some(code), trunk, groups }
            }
            None => Self { code: None, trunk: "", groups: value },
        }
    }

    /// Its groups, without the code of the country.
    pub(super) fn joined(self, separator: &str) -> String {
        self.groups.replace(' ', separator)
    }

    /// Its digits with the code of the country.
    pub(super) fn international(self) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(format!("{}{}", self.code?, self.joined(""))))
    }
}

fn at_home(groups: Zeroizing<String>) -> Result<Zeroizing<String>, &'static str> {
    match digits(&groups).skip_while(|digit| *digit == '0').count() {
        ..DIGITS_AT_HOME => Err(refusals::PHONE_HOME),
        _ if digits(&groups).count() > *DIGITS.end() => Err(refusals::PHONE_LONG),
        _ => Ok(groups),
    }
}

/// Its digits in groups with single spaces between, and whether they begin with the code of a country.
fn groups(text: &str) -> Result<(bool, Zeroizing<String>), &'static str> {
    // What follows a comma or a semicolon is dialled later, or is a parameter (RFC 3966 3).
    let text = text.split([',', ';']).next().unwrap_or_default().trim_matches(is_space);
    let (mut abroad, text) = text.strip_prefix('+').map_or((false, text), |after| (true, after));
    // Not all of what people write can be dialled: +49 (0)176 ...
    let text =
        Zeroizing::new(if abroad || text.starts_with("00") { text.replace("(0)", " ") } else { text.into() });
    let mut groups = Zeroizing::new(String::with_capacity(text.len()));
    for group in text.split(is_space).filter(|group| !group.is_empty()) {
        if !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refusals::PHONE);
        }
        if !groups.is_empty() {
            groups.push(' ');
        }
        groups.push_str(group);
    }
    if !abroad && groups.starts_with("00") {
        abroad = true;
        groups = Zeroizing::new(after(&groups, 2).to_owned());
    }
    Ok((abroad, groups))
}

/// What people write between digits, and the marks that copying from an address book may leave.
fn is_space(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(letter, '-' | '.' | '/' | '(' | ')' | '\u{2010}'..='\u{2015}')
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn of_code(groups: &str) -> Option<(Country, &str)> {
    let digits = only(groups, |letter| letter.is_ascii_digit());
    let country = Country::of_number(&digits)?;
    Some((country, after(groups, country.code.to_string().len())))
}

/// What is dialled at home alone is left out.
fn without_trunk(country: Country, groups: &str) -> &str {
    let all = only(groups, |letter| letter.is_ascii_digit());
    // Elsewhere than where it is a 0, other numbers begin with the same digits: their length tells.
    let whole = match country.code {
        1 | 7 | 375 => all.len() == 11,
        993 => all.len() == 9,
        _ => true,
    };
    if whole && all.starts_with(country.trunk) { after(groups, country.trunk.len()) } else { groups }
}

fn digits(groups: &str) -> impl Iterator<Item = char> {
    groups.chars().filter(char::is_ascii_digit)
}

/// What is left of groups after so many of their digits.
fn after(groups: &str, count: usize) -> &str {
    let next = groups.char_indices().filter(|(_, letter)| letter.is_ascii_digit()).nth(count);
    next.and_then(|(at, _)| groups.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str, home: &str) -> Result<String, &'static str> {
        read(text, Country::of_letters(home)).map(|number| number.to_string())
    }

    #[test]
    fn a_number_is_written_with_the_code_of_its_country() {
        for (given, home, written) in [
            ("+4917612345678", "", "+49 17612345678"),
            ("+49 (0)176/123-456.78", "", "+49 176 123 456 78"),
            ("0049 0176 12345678", "", "+49 176 12345678"),
            ("0176 12345678", "DE", "+49 176 12345678"),
            ("\u{202a}+91\u{a0}98765\u{2011}43210\u{202c}", "", "+91 98765 43210"),
            ("098765 43210", "IN", "+91 98765 43210"),
            ("(415) 555-2671", "US", "+1 415 555 2671"),
            ("1 415 555 2671", "US", "+1 415 555 2671"),
            ("011 49 176 12345678", "US", "+49 176 12345678"),
            ("8 (916) 123-45-67", "RU", "+7 916 123 45 67"),
            ("812 123-45-67", "RU", "+7 812 123 45 67"),
            ("06 30 123 4567", "HU", "+36 30 123 4567"),
            ("06 1234 5678", "IT", "+39 06 1234 5678"),
            ("8 029 123-45-67", "BY", "+375 29 123 45 67"),
            ("612 345 678", "ES", "+34 612 345 678"),
            ("+1 415 555 2671,,22#", "", "+1 415 555 2671"),
            ("0176 12345678", "", "0176 12345678"),
        ] {
            assert_eq!(number(given, home).as_deref(), Ok(written), "{given}");
            assert_eq!(
                number(written, home).as_deref(),
                Ok(written),
                "{written} is read again as it was written"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_number() {
        for (given, home, said) in [
            ("112", "DE", refusals::TOO_SHORT),
            ("", "DE", refusals::TOO_SHORT),
            ("+49 1761", "", refusals::TOO_SHORT),
            ("+999 123456789", "", "No country has this code"),
            ("+", "", "No country"),
            ("+49 176 123456789012", "", "at most 15 digits"),
            ("0176 1234567890123", "", "at most 15 digits"),
            ("030 1234567", "", "code of its country"),
            ("0176 CALL ME", "DE", "digits alone"),
            ("0176+1234567", "DE", "digits alone"),
        ] {
            let refusal = number(given, home).unwrap_err();
            assert!(refusal.contains(said), "{given}: {refusal}");
        }
    }
}

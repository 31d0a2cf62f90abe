//! Fills the texts of a catalogue in.

use std::fmt::Write as _;

use crate::catalogue::{Catalogue, Piece, pieces};
use crate::plural::{Category, category};
use crate::printable::printable;
use crate::pseudo;

/// Every language: its code, and its catalogue.
pub(crate) const CATALOGUES: [(&str, &str); 1] = [("en", include_str!("../catalogues/en.txt"))];

/// The locale of tests, as Android calls English with accents.
const PSEUDO: &str = "en-XA";

/// The words of one language.
#[derive(Clone, Debug)]
pub struct Words {
    language: &'static str,
    catalogue: Catalogue,
    /// What is missing in `catalogue`.
    english: Catalogue,
    /// Whether names are kept apart from words that may run the other way.
    isolates: bool,
}

/// What fills a place.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// A name, which is no word of the language.
    Name(&'a str),
    /// Said in the same language before.
    Said(String),
    /// A number, by which the plural form is chosen where its place is called `n`.
    Number(u64),
}

impl Words {
    /// Of a locale, such as `en`, `pt-BR` or `zh-Hant-TW`; English where the language has no catalogue. `en-XA` is
    /// the language of tests.
    pub fn new(locale: &str) -> Self {
        // POSIX writes en_GB.UTF-8.
        let locale = locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
        let english = Catalogue::read(CATALOGUES.first().map_or("", |(_, file)| file));
        if locale.eq_ignore_ascii_case(PSEUDO) {
            let catalogue = english.changed(pseudo::accented);
            return Self { language: "en", catalogue, english, isolates: true };
        }
        let language = locale.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let (language, file) =
            CATALOGUES.iter().find(|(known, _)| *known == language).copied().unwrap_or(("en", ""));
        let catalogue = Catalogue::read(file);
        let isolates = catalogue.text("language.direction", Category::Other) == Some("rtl");
        Self { language, catalogue, english, isolates }
    }

    /// A text with its places filled.
    pub(crate) fn say(&self, key: &str, values: &[(&str, Value<'_>)]) -> String {
        #[cfg(test)]
        crate::tests::used(key);
        let n = values.iter().find_map(|(place, value)| match value {
            Value::Number(n) if *place == "n" => Some(*n),
            Value::Number(_) | Value::Name(_) | Value::Said(_) => None,
        });
        let text = self.text(key, n.unwrap_or(0));
        let fill = |piece: &Piece<'_>| match piece {
            Piece::Words(words) => (*words).to_owned(),
            Piece::Place(place) => values
                .iter()
                .find(|(known, _)| known == place)
                .map_or_else(String::new, |(_, value)| self.fill(value)),
        };
        pieces(text).iter().map(fill).collect()
    }

    /// A number of bytes to one byte: `1,234 bytes`.
    pub(crate) fn exact(&self, bytes: u64) -> String {
        self.say("size.exact", &[("n", Value::Number(bytes))])
    }

    /// A number of bytes as people say it: `48 kB`.
    pub fn size(&self, bytes: u64) -> String {
        let units = [("size.giga", 1_000_000_000), ("size.mega", 1_000_000), ("size.kilo", 1_000)];
        match units.into_iter().find(|(_, unit)| bytes >= *unit) {
            Some((key, unit)) => self.say(key, &[("x", Value::Said(self.tenths(bytes / (unit / 10))))]),
            None => self.exact(bytes),
        }
    }

    /// The same where it may be more.
    pub(crate) fn at_least(&self, bytes: u64) -> String {
        self.say("size.at_least", &[("size", Value::Said(self.size(bytes)))])
    }

    fn text(&self, key: &str, n: u64) -> &str {
        let own = self.catalogue.text(key, category(self.language, n));
        own.or_else(|| self.english.text(key, category("en", n))).unwrap_or_default()
    }

    pub(crate) fn fill(&self, value: &Value<'_>) -> String {
        match value {
            // Unicode 6.3: first strong isolate, and its end.
            Value::Name(name) if self.isolates => format!("\u{2068}{}\u{2069}", printable(name)),
            Value::Name(name) => printable(name),
            Value::Said(said) => said.clone(),
            Value::Number(number) => self.grouped(*number),
        }
    }

    /// `3.2`, and from ten on without the tenth.
    fn tenths(&self, tenths: u64) -> String {
        let (whole, tenth) = (tenths / 10, tenths % 10);
        let mut text = self.grouped(whole);
        if whole < 10 && tenth > 0 {
            let _infallible = write!(text, "{}{tenth}", self.text("number.point", 0));
        }
        text
    }

    fn grouped(&self, number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push_str(self.text("number.group", 0));
            }
            text.push(digit);
        }
        text
    }
}

//! The words of one language, by key.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::plural::Category;

/// Texts by key and, where there are any, plural forms.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    texts: BTreeMap<String, Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    One(String),
    Plural(BTreeMap<Category, String>),
}

impl Catalogue {
    /// Reads a catalogue; a line that is none is passed over, and the tests find it.
    pub(crate) fn read(file: &str) -> Self {
        let mut catalogue = Self::default();
        for (key, text) in entries(file) {
            catalogue.add(&key, text);
        }
        catalogue
    }

    /// The text for a key, and for a number where it has plural forms.
    pub(crate) fn text(&self, key: &str, category: Category) -> Option<&str> {
        match self.texts.get(key)? {
            Text::One(text) => Some(text),
            Text::Plural(forms) => {
                forms.get(&category).or_else(|| forms.get(&Category::Other)).map(String::as_str)
            }
        }
    }

    /// All texts.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &Text)> {
        self.texts.iter().map(|(key, text)| (key.as_str(), text))
    }

    fn add(&mut self, key: &str, text: String) {
        let form = key.strip_suffix(']').and_then(|key| key.rsplit_once('['));
        let form = form.and_then(|(key, form)| Some((key, Category::named(form)?)));
        let Some((key, category)) = form else {
            self.texts.insert(key.to_owned(), Text::One(text));
            return;
        };
        let forms = self.texts.entry(key.to_owned()).or_insert_with(|| Text::Plural(BTreeMap::new()));
        if let Text::Plural(forms) = forms {
            forms.insert(category, text);
        }
    }

    /// The same with every text changed: what stands in braces and how numbers are written stays.
    pub(crate) fn changed(&self, change: impl Fn(&str) -> String) -> Self {
        let change =
            |key: &str, text: &String| if is_notation(key) { text.clone() } else { in_pieces(text, &change) };
        let texts = self.texts.iter().map(|(key, text)| {
            let text = match text {
                Text::One(text) => Text::One(change(key, text)),
                Text::Plural(forms) => {
                    Text::Plural(forms.iter().map(|(form, text)| (*form, change(key, text))).collect())
                }
            };
            (key.clone(), text)
        });
        Self { texts: texts.collect() }
    }
}

/// How to write, and no words.
pub(crate) fn is_notation(key: &str) -> bool {
    key.starts_with("number.") || key.starts_with("language.")
}

/// Keys with their texts.
fn entries(file: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        match (line.strip_prefix(' '), entries.last_mut()) {
            (Some(more), Some((_, text))) => {
                let _infallible = write!(text, " {}", more.trim());
            }
            _ => entries.extend(
                line.split_once('=').map(|(key, text)| (key.trim().to_owned(), text.trim().to_owned())),
            ),
        }
    }
    entries
}

/// What a text is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Words(&'a str),
    /// What stood in braces.
    Place(&'a str),
}

/// Cuts a text at its braces.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((words, after)) = rest.split_once('{') {
        let (place, behind) = after.split_once('}').unwrap_or((after, ""));
        pieces.extend([Piece::Words(words), Piece::Place(place)]);
        rest = behind;
    }
    pieces.push(Piece::Words(rest));
    pieces.retain(|piece| *piece != Piece::Words(""));
    pieces
}

fn in_pieces(text: &str, change: &impl Fn(&str) -> String) -> String {
    let piece = |piece: &Piece<'_>| match piece {
        Piece::Words(words) => change(words),
        Piece::Place(place) => format!("{{{place}}}"),
    };
    pieces(text).iter().map(piece).collect()
}

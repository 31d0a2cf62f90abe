//! Which plural form a language has for a number: the cardinal rules of CLDR 48 (UTS #35, part 3) for whole
//! numbers.

/// A plural form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Category {
    Zero,
    One,
    Two,
    Few,
    Many,
    Other,
}

impl Category {
    const NAMES: [(Self, &str); 6] = [
        (Self::Zero, "zero"),
        (Self::One, "one"),
        (Self::Two, "two"),
        (Self::Few, "few"),
        (Self::Many, "many"),
        (Self::Other, "other"),
    ];

    /// By the name that stands in catalogues.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(category, _)| *category)
    }
}

/// Languages whose numbers go by the same rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// No forms: Chinese, Japanese, Indonesian...
    None,
    /// 1 apart: English, German...
    One,
    /// 0 and 1 apart: Hindi, Bengali, Persian...
    ZeroOne,
    /// The same, and millions: French, Portuguese.
    ZeroOneMillions,
    /// 1 and millions: Spanish, Italian.
    OneMillions,
    /// By the last digits: Russian, Ukrainian.
    East,
    Polish,
    /// Czech and Slovak.
    TwoToFour,
    Arabic,
}

/// Of a number in a language, by its code of ISO 639; of one that is not known as in English.
pub(crate) fn category(language: &str, n: u64) -> Category {
    use Category::{Few, Many, One, Other, Two, Zero};
    let millions = n != 0 && n.is_multiple_of(1_000_000);
    let (last, hundred) = (n % 10, n % 100);
    let teens = (11..=14).contains(&hundred);
    match rule(language) {
        Rule::None => Other,
        Rule::ZeroOne | Rule::ZeroOneMillions if n <= 1 => One,
        Rule::One | Rule::OneMillions | Rule::Polish | Rule::TwoToFour if n == 1 => One,
        Rule::ZeroOneMillions | Rule::OneMillions if millions => Many,
        Rule::East if last == 1 && hundred != 11 => One,
        Rule::East | Rule::Polish if (2..=4).contains(&last) && !teens => Few,
        Rule::East | Rule::Polish => Many,
        Rule::TwoToFour if (2..=4).contains(&n) => Few,
        Rule::Arabic => match (n, hundred) {
            (0, _) => Zero,
            (1, _) => One,
            (2, _) => Two,
            (_, 3..=10) => Few,
            (_, 11..=99) => Many,
            _ => Other,
        },
        Rule::One | Rule::ZeroOne | Rule::ZeroOneMillions | Rule::OneMillions | Rule::TwoToFour => Other,
    }
}

fn rule(language: &str) -> Rule {
    match language {
        "zh" | "ja" | "ko" | "th" | "vi" | "id" | "ms" | "my" | "lo" | "km" => Rule::None,
        "hi" | "bn" | "gu" | "kn" | "mr" | "pa" | "fa" | "am" | "as" => Rule::ZeroOne,
        "fr" | "pt" => Rule::ZeroOneMillions,
        "es" | "it" | "ca" => Rule::OneMillions,
        "ru" | "uk" | "be" => Rule::East,
        "pl" => Rule::Polish,
        "cs" | "sk" => Rule::TwoToFour,
        "ar" => Rule::Arabic,
        _ => Rule::One,
    }
}

/// The forms that a language has for whole numbers: a catalogue of it must have them all.
#[cfg(test)]
pub(crate) fn categories(language: &str) -> std::collections::BTreeSet<Category> {
    (0..200).chain([1_000_000]).map(|n| category(language, n)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_those_of_cldr() {
        use Category::{Few, Many, One, Other, Two, Zero};
        for (language, numbers) in [
            ("en", &[(0, Other), (1, One), (2, Other), (1_000_000, Other)][..]),
            ("hi", &[(0, One), (1, One), (2, Other)]),
            ("fr", &[(0, One), (1, One), (2, Other), (2_000_000, Many)]),
            ("es", &[(0, Other), (1, One), (1_000_000, Many)]),
            ("zh", &[(1, Other), (9, Other)]),
            ("ru", &[(1, One), (11, Many), (21, One), (22, Few), (12, Many), (5, Many), (0, Many)]),
            ("pl", &[(1, One), (21, Many), (22, Few), (12, Many)]),
            ("cs", &[(1, One), (3, Few), (5, Other), (22, Other)]),
            ("ar", &[(0, Zero), (1, One), (2, Two), (3, Few), (11, Many), (100, Other), (103, Few)]),
        ] {
            for (number, expected) in numbers {
                assert_eq!(category(language, *number), *expected, "{language} {number}");
            }
        }
        assert_eq!(categories("ar").len(), 6);
        assert_eq!(categories("en").len(), 2);
    }
}

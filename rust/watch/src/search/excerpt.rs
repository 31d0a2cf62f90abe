//! What stood around a detail, so that a person can see it and nobody can read it.

use super::sheet::Place;

/// Bytes on either side.
const AROUND: usize = 40;

/// The text around a place with `shown` in its stead. Names of fields stay, all other letters and digits are
/// replaced by asterisks.
pub(super) fn excerpt(text: &[u8], place: Place, shown: &str) -> String {
    let (start, end) = (place.start as usize, place.end as usize);
    let line = |byte: &u8| *byte == b'\n';
    let before = text.get(start.saturating_sub(AROUND)..start).unwrap_or_default();
    let before = before.rsplit(line).next().unwrap_or_default();
    let after = text.get(end..text.len().min(end + AROUND)).unwrap_or_default();
    let after = after.split(line).next().unwrap_or_default();
    [masked(before, shown).as_str(), shown, &masked(after, "")].concat()
}

/// `next` is what stands behind them.
fn masked(bytes: &[u8], next: &str) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut masked = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while !rest.is_empty() {
        let len = rest.find(|letter: char| !is_name(letter)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(len);
        if is_key(word, after, next) {
            masked.push_str(word);
        } else {
            masked.extend(word.chars().map(|_| '*'));
        }
        let mut letters = after.chars();
        if let Some(letter) = letters.next() {
            let sign = letter.is_ascii_punctuation() || letter == ' ';
            masked.push(if sign { letter } else { '*' });
        }
        rest = letters.as_str();
    }
    masked
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// Letters alone, followed by what follows the name of a field.
fn is_key(word: &str, after: &str, next: &str) -> bool {
    let quoted = ["\":", "\\\":", "\" :"].iter().any(|sign| after.starts_with(sign));
    let divided = quoted || after.strip_prefix('=').is_some_and(|value| is_value(value, next));
    divided && word.len() <= 24 && word.chars().all(|letter| !letter.is_ascii_digit())
}

/// Whether a value follows an equals sign, which else is Base64's filling.
fn is_value(text: &str, next: &str) -> bool {
    let text = text.strip_prefix(['"', '\'']).unwrap_or(text);
    let first = text.chars().chain(next.chars()).next();
    first.is_some_and(|letter| letter.is_ascii_alphanumeric() || "<%/+-_.{[".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let start = text.find('#').unwrap();
        excerpt(text.as_bytes(), Place::new(0, start, start + 1), "<imei 1>")
    }

    #[test]
    fn names_of_fields_are_shown_and_nothing_else() {
        assert_eq!(shown("a=x1&imei=#&zeta=y"), "a=**&imei=<imei 1>&zeta=*");
        assert_eq!(shown("{\"name\":\"zoe\",\"d\":\"#\"}"), "{\"name\":\"***\",\"d\":\"<imei 1>\"}");
        assert_eq!(shown("<q id=\"x\" d=\"#\"/>"), "<* id=\"*\" d=\"<imei 1>\"/>");
        assert_eq!(
            shown("{\"k\":\"c2VjcmV=\",\"l\":\"QUJD==\",\"d\":\"#"),
            "{\"k\":\"*******=\",\"l\":\"****==\",\"d\":\"<imei 1>"
        );
        assert_eq!(shown("k=secret==&d=#&e=QUJD="), "k=******==&d=<imei 1>&e=****=");
    }
}

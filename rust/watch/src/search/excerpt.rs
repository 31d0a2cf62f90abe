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
    [masked(before).as_str(), shown, &masked(after)].concat()
}

fn masked(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut masked = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while !rest.is_empty() {
        let len = rest.find(|letter: char| !is_name(letter)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(len);
        if is_key(word, after) {
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
fn is_key(word: &str, after: &str) -> bool {
    let divided = ["\":", "\\\":", "=", "\" :"].iter().any(|sign| after.starts_with(sign));
    divided && word.len() <= 24 && word.chars().all(|letter| !letter.is_ascii_digit())
}

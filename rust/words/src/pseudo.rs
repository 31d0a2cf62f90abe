//! A language that only tests speak: English with accents, longer, and written as from right to left. What is
//! not in the catalogue stays plain in it, and what has no room for longer words shows.

/// The words with accents, and a third longer.
pub(crate) fn accented(words: &str) -> String {
    let letters: String = words.chars().map(accent).collect();
    let length = words.chars().filter(|c| c.is_alphabetic()).count();
    let more = "~".repeat(length.div_ceil(3));
    // The room between words, and at their ends, stays where it was.
    let end = letters.trim_end().len();
    let (words, space) = letters.split_at_checked(end).unwrap_or((&letters, ""));
    if length == 0 { letters } else { format!("{words}{more}{space}") }
}

fn accent(letter: char) -> char {
    let plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let other = "åƀçđéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ";
    plain.chars().zip(other.chars()).find(|(from, _)| *from == letter).map_or(letter, |(_, to)| to)
}

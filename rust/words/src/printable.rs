//! Names come from the network and from files, and may hold anything.

/// The same text, in which what could steer a terminal, or turn the direction of writing so that one name looks like
/// another, is shown as its number.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if steers(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

fn steers(c: char) -> bool {
    let invisible = ['\u{61c}', '\u{feff}'].contains(&c)
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
        || ('\u{2060}'..='\u{2069}').contains(&c);
    c.is_control() || invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_shown_and_all_else_stays() {
        assert_eq!(printable("a\u{1b}[2J\u{202e}b"), "a\\u{1b}[2J\\u{202e}b");
        assert_eq!(printable("Größe 尺寸 \u{1f600}"), "Größe 尺寸 \u{1f600}");
    }
}

use telltale_model::DetailKind;
use zeroize::Zeroizing;

use super::given::Given;

/// A line that cannot be taken. It tells nothing of what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Counted from 1.
    pub line: usize,
    /// A sentence without its full stop.
    pub why: &'static str,
}

impl Given {
    /// Takes a text with one `kind value` a line; empty lines and those that begin with `#` say nothing, and
    /// `country XX` is the country in which phone numbers without a code are dialled.
    ///
    /// # Errors
    /// The first line that cannot be taken; lines before it were.
    pub fn read_lines(&mut self, text: &[u8]) -> Result<(), BadLine> {
        // Numbers come last: they may need the country, which may stand below them.
        for numbers in [false, true] {
            for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
                self.read_line(line, numbers).map_err(|why| BadLine { line: index + 1, why })?;
            }
        }
        Ok(())
    }

    fn read_line(&mut self, line: &[u8], numbers: bool) -> Result<(), &'static str> {
        let line = str::from_utf8(line).map_err(|_| "It is not text in UTF-8")?;
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (word, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if word.eq_ignore_ascii_case("country") {
            return if numbers { Ok(()) } else { self.live_in(value.trim()) };
        }
        let kind = kind(word).ok_or("It does not begin with a kind of detail, such as imei or phone")?;
        if matches!(kind, DetailKind::Phone | DetailKind::Contact) == numbers {
            self.add(kind, value)?;
        }
        Ok(())
    }
}

/// A kind by its name, with a hyphen or an underscore in it, in letters of any size.
fn kind(word: &str) -> Option<DetailKind> {
    Zeroizing::new(word.to_ascii_lowercase().replace('-', "_")).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Given, Result<(), BadLine>) {
        let mut given = Given::new([7; 16]);
        let read = given.read_lines(text.as_bytes());
        (given, read)
    }

    #[test]
    fn a_text_holds_a_detail_a_line() {
        let text = "\u{feff}# of the old phone\r\n\r\nphone 0176 1234567\r\nimei 490154203237518\r\n\
                    IMEI\t356938035643809\r\n  name Zephyr Quill\r\nadvertising-id 38400000-8cf0-11bd-b23e-10b96e40000d\r\n\
                    country de\r\ncontact 0177 7654321\r\n";
        let (given, read) = read(text);
        assert_eq!(read, Ok(()));
        let names: Vec<String> = given.iter().map(|detail| detail.name.to_string()).collect();
        assert_eq!(
            names,
            ["<imei 1>", "<imei 2>", "<phone 1>", "<contact 1>", "<advertising_id 1>", "<name 1>"]
        );
        assert_eq!(given.details().list[2].value.as_str(), "+49 176 1234567", "the country stands below");
    }

    #[test]
    fn a_bad_line_is_told_by_its_number_alone() {
        for (text, line, said) in [
            ("imei 490154203237518\nimei 490154203237519", 2, "The last digit does not fit"),
            ("# numbers\n490154203237518\n", 2, "does not begin with a kind"),
            ("imei490154203237518", 1, "does not begin with a kind"),
            ("word\n", 1, "Too short"),
            ("country 490154203237518", 1, "two letters"),
            ("phone 490154203237518490", 1, "at most 15 digits"),
            ("phone 030 1234567", 1, "code of its country"),
        ] {
            let bad = read(text).1.unwrap_err();
            assert!(bad.line == line && bad.why.contains(said), "{text}: {bad:?}");
            assert!(!bad.why.contains("4901"));
        }
        let mut given = Given::new([7; 16]);
        assert_eq!(given.read_lines(b"\nword \xff\xff\xff\xff").unwrap_err().line, 2);
    }
}

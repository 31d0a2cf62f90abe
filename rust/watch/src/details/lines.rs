use telltale_model::DetailKind;
use zeroize::Zeroizing;

use super::given::Given;
use super::refusals;

/// A line that cannot be taken. It tells nothing of what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Counted from 1.
    pub line: usize,
    /// The kind that the line begins with, where that could be read.
    pub kind: Option<DetailKind>,
    /// A sentence without its full stop.
    pub why: &'static str,
}

impl BadLine {
    /// A word for the reason that stays, for who says it in another language.
    pub fn word(&self) -> &'static str {
        refusals::word(self.why)
    }
}

impl Given {
    /// Takes a text with one `kind value` a line; empty lines and those that begin with `#` say nothing, and
    /// `country XX` is the country in which phone numbers without a code are dialled.
    ///
    /// # Errors
    /// The first line that cannot be taken; lines before it were.
    pub fn read_lines(&mut self, text: &[u8]) -> Result<(), BadLine> {
        match self.read_all_lines(text, 1).pop() {
            Some(bad) => Err(bad),
            None => Ok(()),
        }
    }

    /// The same, with those lines that cannot be taken, `most` of them at most; all others are taken. Behind its
    /// kind a line may have the id by which a value was known before, as in `imei#00c0ffee00c0ffee`.
    pub fn read_all_lines(&mut self, text: &[u8], most: usize) -> Vec<BadLine> {
        let mut bad = Vec::new();
        // Numbers come last: they may need the country, which may stand below them.
        for numbers in [false, true] {
            for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
                if bad.len() >= most {
                    return bad;
                }
                if let Err((kind, why)) = self.read_line(line, numbers) {
                    bad.push(BadLine { line: index + 1, kind, why });
                }
            }
        }
        bad
    }

    fn read_line(&mut self, line: &[u8], numbers: bool) -> Result<(), (Option<DetailKind>, &'static str)> {
        let nameless = |why| (None, why);
        // Each is told once.
        let refused = |why| if numbers { Ok(()) } else { Err(nameless(why)) };
        let Ok(line) = str::from_utf8(line) else { return refused(refusals::UNREADABLE) };
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (word, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if word.eq_ignore_ascii_case("country") {
            return if numbers { Ok(()) } else { self.live_in(value.trim()).map_err(nameless) };
        }
        let Some((kind, id)) = kind_and_id(word) else { return refused(refusals::NO_KIND) };
        if matches!(kind, DetailKind::Phone | DetailKind::Contact) != numbers {
            return Ok(());
        }
        self.add_as(kind, value, id).map(drop).map_err(|why| (Some(kind), why))
    }
}

/// A kind, and the id behind it.
fn kind_and_id(word: &str) -> Option<(DetailKind, Option<u64>)> {
    match word.split_once('#') {
        None => Some((kind(word)?, None)),
        Some((word, id)) => Some((kind(word)?, Some(u64::from_str_radix(id, 16).ok()?))),
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

    #[test]
    fn every_bad_line_is_told_once_with_its_kind_and_the_others_are_taken() {
        let mut given = Given::new([7; 16]);
        let text = b"imei 490154203237519\nphone 12\nnothing\nword \xff\xff\nssid Home\n";
        let bad = given.read_all_lines(text, 64);
        let told: Vec<_> = bad.iter().map(|bad| (bad.line, bad.kind)).collect();
        let (imei, phone) = (Some(DetailKind::Imei), Some(DetailKind::Phone));
        assert_eq!(told, [(1, imei), (3, None), (4, None), (2, phone)]);
        assert_eq!(given.len(), 1);
        assert_eq!(given.read_all_lines(text, 2).len(), 2);
    }

    #[test]
    fn an_id_from_before_is_kept_and_stands_for_one_value() {
        let (given, read) = read("imei#00c0ffee00c0ffee 490154203237518\n");
        assert_eq!(read, Ok(()));
        assert_eq!(given.iter().next().unwrap().name.id, 0x00c0_ffee_00c0_ffee);
        let (_, twice) = self::read("ssid#1 Home\nssid#1 Work\n");
        assert!(twice.unwrap_err().why.contains("this id"));
    }

    #[test]
    fn the_same_values_have_the_same_names_when_they_are_given_again() {
        let given = |seed, text: &str| {
            let mut given = Given::new([seed; 16]);
            given.read_lines(text.as_bytes()).unwrap();
            given
        };
        let before = given(1, "imei 490154203237518\nssid Home\n");
        let mut same = given(2, "ssid Home\nimei 490154203237518\n");
        assert_ne!(same.details(), before.details());
        same.named_as(&before);
        assert_eq!(same.details(), before.details(), "set and ids");
        let mut more = given(3, "ssid Home\nssid Work\n");
        more.named_as(&before);
        let ids = |given: &Given| given.iter().map(|detail| detail.name.id).collect::<Vec<_>>();
        assert_eq!(ids(&more)[0], ids(&before)[1]);
        assert_ne!(more.details().set, before.details().set);
    }
}

use std::fmt::Write;

use telltale_model::{DetailKind, DetailName};
use zeroize::Zeroizing;

use super::given::Given;

/// What is kept between two runs: a person's own details, and where their contacts are. Those are never kept: they
/// are other people's, and are read again each time.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Without contacts.
    pub given: Given,
    /// Files of contacts, by their paths.
    pub contacts: Vec<String>,
}

impl Kept {
    /// Nothing kept yet; the seed as for [`Given::new`].
    pub fn new(seed: [u8; 16]) -> Self {
        Self { given: Given::new(seed), contacts: Vec::new() }
    }

    /// As a text to be sealed.
    pub fn to_text(&self) -> Zeroizing<String> {
        let own = || self.given.iter().filter(|detail| detail.name.kind != DetailKind::Contact);
        // A text that outgrows its place would leave a copy behind.
        let length = own().map(|detail| detail.value.len() + LINE).sum::<usize>()
            + self.contacts.iter().map(|path| path.len() + LINE).sum::<usize>()
            + 2 * LINE;
        let mut text = Zeroizing::new(String::with_capacity(length));
        // A String takes all that is written to it.
        let _always = writeln!(text, "set {:016x}", self.given.set());
        if let Some(country) = self.given.country() {
            let _always = writeln!(text, "country {country}");
        }
        for detail in own() {
            let DetailName { kind, number, id } = detail.name;
            let _always = writeln!(text, "{} {number} {id:016x} {}", kind.name(), detail.value.as_str());
        }
        for path in &self.contacts {
            let _always = writeln!(text, "contacts {path}");
        }
        text
    }

    /// What [`Self::to_text`] wrote; the seed as for [`Given::new`].
    ///
    /// # Errors
    /// Part of a sentence, without anything of the text.
    pub fn of_text(text: &[u8], seed: [u8; 16]) -> Result<Self, &'static str> {
        const UNKNOWN: &str = "there are things in it that this Telltale does not know";
        let text = str::from_utf8(text).map_err(|_| UNKNOWN)?;
        let mut kept = Self::new(seed);
        let mut set = None;
        for line in text.lines() {
            let (word, rest) = line.split_once(' ').ok_or(UNKNOWN)?;
            match word {
                "set" => set = u64::from_str_radix(rest, 16).ok(),
                "country" => kept.given.live_in(rest).map_err(|_unknown| UNKNOWN)?,
                "contacts" => kept.contacts.push(rest.to_owned()),
                kind => {
                    let (name, value) = named(kind, rest).ok_or(UNKNOWN)?;
                    kept.given.again(name, value).map_err(|_refused| UNKNOWN)?;
                }
            }
        }
        kept.given.call(set.ok_or(UNKNOWN)?);
        Ok(kept)
    }
}

/// Bytes of a line besides its value: the longest name of a kind, a number and an id.
const LINE: usize = 48;

fn named<'a>(kind: &str, rest: &'a str) -> Option<(DetailName, &'a str)> {
    let mut parts = rest.splitn(3, ' ');
    let (number, id, value) = (parts.next()?, parts.next()?, parts.next()?);
    let name = DetailName {
        kind: kind.parse().ok()?,
        number: number.parse().ok()?,
        id: u64::from_str_radix(id, 16).ok()?,
    };
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_with_its_names_and_without_contacts() {
        let mut kept = Kept::new([7; 16]);
        let lines = "imei 490154203237518\nimei 356938035643809\nssid  Two  Spaces\ncountry IN\nphone 098765 43210\n\
                     contact +49 176 1234567\n";
        kept.given.read_lines(lines.as_bytes()).unwrap();
        kept.given.remove(DetailKind::Imei, 1);
        kept.contacts.push("/home/ada/my contacts.vcf".into());
        let text = kept.to_text();
        assert!(!text.contains("1234567"), "contacts are other people's");
        let again = Kept::of_text(text.as_bytes(), [8; 16]).unwrap();
        assert_eq!(again.contacts, kept.contacts);
        assert_eq!(again.to_text(), text);
        kept.given.remove(DetailKind::Contact, 1);
        kept.given.call(again.given.set());
        assert_eq!(again.given.details(), kept.given.details());
    }

    #[test]
    fn the_text_never_moves_while_it_is_written() {
        let mut kept = Kept::new([7; 16]);
        for number in 0..64 {
            kept.given.add(DetailKind::AdvertisingId, &format!("{number:032x}1").split_off(1)).unwrap();
        }
        kept.contacts.push("/c".into());
        let text = kept.to_text();
        assert!(text.capacity() >= text.len() && text.capacity() < text.len() + 66 * LINE);
    }

    #[test]
    fn what_is_not_known_is_refused_without_a_word_of_it() {
        for text in
            ["", "set 1\nimei 1 7 49015420323751", "set x", "set 1\nnothing 1 7 secret", "set 1\nimei secret"]
        {
            let refusal = Kept::of_text(text.as_bytes(), [7; 16]).unwrap_err();
            assert!(!refusal.contains("secret") && !refusal.contains("4901"), "{refusal}");
        }
        assert!(Kept::of_text(b"set 1\n\xff", [7; 16]).is_err());
    }
}

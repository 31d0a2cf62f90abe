use telltale_model::DetailKind;
use zeroize::Zeroizing;

use super::given::{Added, Given};

/// What came of reading an address book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contacts {
    /// Numbers that are looked for now.
    pub taken: usize,
    /// Numbers that cannot be: too short, or without a country that is known.
    pub passed_over: usize,
    /// Numbers past the limit.
    pub too_many: usize,
}

impl Contacts {
    /// Whether a file is an address book: RFC 6350 6.1.1.
    pub fn are_in(file: &[u8]) -> bool {
        let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file).trim_ascii_start();
        file.get(..BEGIN.len()).is_some_and(|line| line.eq_ignore_ascii_case(BEGIN))
    }
}

const BEGIN: &[u8] = b"BEGIN:VCARD";

impl Given {
    /// Takes the phone numbers of an address book: vCard 2.1, 3.0 or 4.0 (RFC 6350). Nothing else of it is kept.
    pub fn read_contacts(&mut self, file: &[u8]) -> Contacts {
        let mut contacts = Contacts::default();
        let mut lines = file.split(|byte| *byte == b'\n').peekable();
        while let Some(first) = lines.next() {
            let Some(value) = telephone(first) else { continue };
            let mut number = Zeroizing::new(Vec::with_capacity(LONGEST));
            number.extend(value.trim_ascii_end().iter().take(LONGEST));
            // RFC 6350 3.2: a line that begins with a space goes on with the one before.
            while let Some(more) = lines.next_if(|line| line.starts_with(b" ") || line.starts_with(b"\t")) {
                let left = LONGEST - number.len();
                number.extend(more.trim_ascii().iter().take(left));
            }
            self.take(str::from_utf8(&number).unwrap_or_default(), &mut contacts);
        }
        contacts
    }

    fn take(&mut self, number: &str, contacts: &mut Contacts) {
        // RFC 3966 3, RFC 6350 6.4.1
        let scheme = number.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("tel:"));
        let number = scheme.and_then(|_| number.get(4..)).unwrap_or(number);
        match self.add(DetailKind::Contact, number) {
            Ok(Added::New(_)) => contacts.taken += 1,
            Ok(Added::Known(_)) => {}
            Err(_) if self.is_full() => contacts.too_many += 1,
            Err(_) => contacts.passed_over += 1,
        }
    }
}

/// Bytes of a number that are read. There are spaces and parameters in some.
const LONGEST: usize = 128;

/// The value of a line of numbers: `TEL;TYPE=cell:...`, `item1.TEL:...`.
fn telephone(line: &[u8]) -> Option<&[u8]> {
    let end = line.iter().position(|byte| matches!(byte, b':' | b';'))?;
    let name = line.get(..end)?.rsplit(|byte| *byte == b'.').next()?;
    if !name.eq_ignore_ascii_case(b"TEL") {
        return None;
    }
    // A colon inside quotes belongs to a parameter: RFC 6350 3.3.
    let mut quoted = false;
    let value = line.iter().skip(end).position(|byte| {
        quoted ^= *byte == b'"';
        *byte == b':' && !quoted
    })?;
    line.get(end + value + 1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOK: &str = "\
BEGIN:VCARD\r\n\
VERSION:3.0\r\n\
FN:Zephyr Quill\r\n\
TEL;TYPE=CELL:+49 176 1234567\r\n\
item1.TEL;VALUE=uri;TYPE=\"voice:home,cell\":tel:+49-177-765\r\n 4321;ext=5\r\n\
tel:0176 1234567\r\n\
TEL:112\r\n\
NOTE:TEL:+49 178 1111111\r\n\
PHOTO;ENCODING=b:TEL\r\n  +49 178 2222222\r\n\
END:VCARD\r\n";

    #[test]
    fn an_address_book_gives_its_numbers_and_nothing_else() {
        assert!(Contacts::are_in(BOOK.as_bytes()) && !Contacts::are_in(b"contact +49 176 1234567"));
        let mut given = Given::new([7; 16]);
        given.live_in("DE").unwrap();
        let contacts = given.read_contacts(BOOK.as_bytes());
        assert_eq!(contacts, Contacts { taken: 2, passed_over: 1, too_many: 0 });
        let numbers: Vec<&str> = given.iter().map(|detail| detail.value.as_str()).collect();
        assert_eq!(numbers, ["+49 176 1234567", "+49 177 7654321"]);
    }

    #[test]
    fn of_too_many_the_first_are_taken() {
        let book: String =
            (0..5_003).map(|number| format!("BEGIN:VCARD\nTEL:+49176{number:07}\nEND:VCARD\n")).collect();
        let contacts = Given::new([7; 16]).read_contacts(book.as_bytes());
        assert_eq!(contacts, Contacts { taken: 5_000, passed_over: 0, too_many: 3 });
    }

    #[test]
    fn a_line_without_an_end_costs_no_more_than_any() {
        let book = format!("BEGIN:VCARD\nTEL:+49 176{}\nTEL:\n {}", "1".repeat(1_000), " 1\n".repeat(1_000));
        assert_eq!(Given::new([7; 16]).read_contacts(book.as_bytes()).passed_over, 2);
    }
}

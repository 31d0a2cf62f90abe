//! `a=1&b=2`, `a=1; b=2`: forms (WHATWG URL 5.1), queries and cookies (RFC 6265 4.2).

use super::add_name;
use crate::search::decode::percent::{self, Keep};
use crate::search::sheet::Place;
use crate::search::sheet::{Sheet, Steps};

/// Whether a text of which nothing is known may be a form: it begins as one, and has no spaces.
pub(in crate::search) fn looks_like(text: &[u8]) -> bool {
    begin(text) && memchr::memchr3(b' ', b'\n', b'\t', text).is_none()
}

/// Whether a text begins with a name, an equals sign and something else.
pub(in crate::search) fn begin(text: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.[]%~$+".contains(byte);
    let name = text.iter().take_while(|byte| is_name(byte)).count();
    let after = text.get(name..).unwrap_or_default();
    let Some((b'=', value)) = after.split_first() else { return false };
    name > 0 && value.first().is_some_and(|byte| *byte != b'=')
}

/// Appends a leaf for each pair, its name and value decoded. Says whether all got one of their own.
pub(in crate::search) fn split(
    text: &[u8],
    divider: u8,
    path: (u32, u32),
    steps: Steps,
    parent: Option<Place>,
    sheet: &mut Sheet,
    mut each: impl FnMut(&mut Sheet),
) -> bool {
    let mut rest = text;
    loop {
        let end = if sheet.is_full() { None } else { memchr::memchr(divider, rest) };
        let pair = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let pair = if divider == b';' { pair.trim_ascii() } else { pair };
        if !pair.is_empty() {
            sheet.open(path, steps, parent);
            let equals = memchr::memchr(b'=', pair);
            if let Some(equals) = equals {
                percent::decode(pair.get(..equals).unwrap_or_default(), Keep::Nothing, sheet);
                sheet.open_value();
            }
            percent::decode(
                pair.get(equals.map_or(0, |at| at + 1)..).unwrap_or_default(),
                Keep::Nothing,
                sheet,
            );
            each(sheet);
            sheet.close();
        }
        match end {
            Some(end) => rest = rest.get(end + 1..).unwrap_or_default(),
            None => return !sheet.is_full(),
        }
    }
}

/// Appends the name of the pair that a byte of a text is in.
pub(in crate::search) fn path(text: &[u8], at: usize, path: &mut String) {
    let start = text.get(..at).and_then(|before| memchr::memrchr2(b'&', b'?', before)).map_or(0, |at| at + 1);
    let pair = text.get(start..at).unwrap_or_default();
    if let Some(equals) = memchr::memchr(b'=', pair) {
        add_name(path, pair.get(..equals).unwrap_or_default());
    }
}

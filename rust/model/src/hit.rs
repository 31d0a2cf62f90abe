use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{DetailKind, DetailName, Timestamp};

/// A detail that was seen in what a flow sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// What was seen.
    pub kind: DetailKind,
    /// Which detail; `None` where no value of one was there, only the shape of its kind.
    pub detail: Option<DetailName>,
    /// How sure it is.
    pub grade: Grade,
    /// The steps from the value to the bytes that were sent; none where it was in clear.
    pub form: Vec<Form>,
    /// Where it stood: `path[4]`, `query.imsi`, `header.user-agent`, `json.device.ids[1]`... (docs/findings.md).
    /// A detail in it is replaced by its name.
    pub field: String,
    /// The place in [`crate::Facts::requests`] of the request that carried it.
    pub request: Option<u32>,
    /// Where the readable piece that holds it begins, counted in bytes that the flow had sent before.
    pub offset: u64,
    /// When that piece was sent.
    #[serde(default)]
    pub at: Timestamp,
    /// What stood around it: details replaced by their names, all other values masked.
    pub excerpt: String,
    /// How many it stands for: the apps of a list; else 1.
    #[serde(default = "one")]
    pub count: u32,
    /// Whether it stood in the name of a hello, which is in clear whatever protects what comes behind.
    #[serde(default)]
    pub hello: bool,
}

fn one() -> u32 {
    1
}

impl Hit {
    /// Bytes of memory behind it, nearly.
    pub fn held(&self) -> usize {
        let form = self.form.capacity() * size_of::<Form>();
        size_of::<Self>() + form + self.field.capacity() + self.excerpt.capacity()
    }
}

/// How sure it is that a detail was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// It has the shape, or too few of its bits.
    LooksLike,
    /// The value was there.
    Yours,
}

/// A step from a value to the bytes that carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Form {
    /// Its MD5 digest, RFC 1321.
    Md5,
    /// Its SHA-1 digest, RFC 3174.
    Sha1,
    /// Its SHA-256 digest, RFC 6234.
    Sha256,
    /// Hexadecimal digits.
    Hex,
    /// Base64, RFC 4648 4.
    Base64,
    /// Base64 for URLs, RFC 4648 5.
    Base64Url,
    /// The first so many characters, or bytes where it is no text.
    Cut(u16),
    /// Percent-encoding, RFC 3986 2.1.
    Percent,
    /// UTF-16, either end first.
    Utf16,
    /// gzip, RFC 1952.
    Gzip,
    /// zlib or raw deflate, RFC 1950 and 1951.
    Deflate,
    /// Brotli, RFC 7932.
    Brotli,
    /// Zstandard, RFC 8878.
    Zstd,
    /// A number or an address as its bytes.
    Binary,
}

impl Form {
    const NAMED: [(Self, &str); 13] = [
        (Self::Md5, "md5"),
        (Self::Sha1, "sha1"),
        (Self::Sha256, "sha256"),
        (Self::Hex, "hex"),
        (Self::Base64, "base64"),
        (Self::Base64Url, "base64url"),
        (Self::Percent, "percent"),
        (Self::Utf16, "utf16"),
        (Self::Gzip, "gzip"),
        (Self::Deflate, "deflate"),
        (Self::Brotli, "brotli"),
        (Self::Zstd, "zstd"),
        (Self::Binary, "binary"),
    ];
}

/// The name used in JSON: `sha1`, `cut16`.
impl Display for Form {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match (self, Self::NAMED.iter().find(|(form, _)| form == self)) {
            (Self::Cut(length), _) => write!(f, "cut{length}"),
            (_, named) => f.write_str(named.map_or("", |(_, name)| name)),
        }
    }
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::NAMED.iter().find(|(_, name)| *name == text).map(|(form, _)| *form);
        let cut = || text.strip_prefix("cut")?.parse().ok().map(Self::Cut);
        named.or_else(cut).ok_or_else(|| format!("there is no form called {text:?}"))
    }
}

impl From<Form> for String {
    fn from(form: Form) -> Self {
        form.to_string()
    }
}

impl TryFrom<String> for Form {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_they_are_written() {
        let forms = Form::NAMED.map(|(form, _)| form).into_iter().chain([Form::Cut(16)]);
        for form in forms {
            assert_eq!(form.to_string().parse(), Ok(form));
            assert_eq!(serde_json::to_string(&form).unwrap(), format!("\"{form}\""));
        }
        assert!("cut".parse::<Form>().is_err() && "".parse::<Form>().is_err());
    }
}

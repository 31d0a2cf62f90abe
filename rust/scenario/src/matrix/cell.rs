//! The axes of the table: kinds with a value of each, forms, containers, and how much of a message was seen.
#![expect(clippy::wildcard_enum_match_arm, reason = "axes of a table: the rest is alike")]

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use telltale_model::{Detail, DetailKind, DetailName, Details, Form};
use telltale_watch::details;
use zeroize::Zeroizing;

use super::encode;

/// Fictitious values, one of each kind.
pub(crate) const VALUES: [(DetailKind, &str); 16] = [
    (DetailKind::Imei, "490154203237518"),
    (DetailKind::ImeiSv, "3569380356438091"),
    (DetailKind::Imsi, "404685505601234"),
    (DetailKind::Iccid, "8991000900000000014"),
    (DetailKind::Phone, "+91 98765 43210"),
    (DetailKind::Contact, "+49 176 04069001"),
    (DetailKind::Email, "zephyr.quill@example.com"),
    (DetailKind::AdvertisingId, "38400000-8cf0-11bd-b23e-10b96e40000d"),
    (DetailKind::AndroidId, "9774d56d682e549c"),
    (DetailKind::Serial, "RF8M33ABCDE"),
    (DetailKind::Mac, "02:00:5e:10:20:30"),
    (DetailKind::Ssid, "Quill at Home"),
    (DetailKind::Bssid, "02:00:5e:aa:bb:cc"),
    (DetailKind::Name, "Zephyr Quill"),
    (DetailKind::Carrier, "Airtel"),
    (DetailKind::Word, "marigold-telegraph"),
];

pub(crate) fn all() -> Details {
    let detail = |(at, (kind, value)): (u64, &(DetailKind, &str))| Detail {
        name: DetailName { kind: *kind, number: 1, id: at },
        value: Zeroizing::new((*value).to_owned()),
    };
    Details { set: 1, list: (0..).zip(&VALUES).map(detail).collect(), ..Details::default() }
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Clear,
    /// Without separators, in capital letters.
    Bare,
    Escaped,
    EscapedTwice,
    Base64,
    Base64Url,
    Hex,
    Digest(Form, Form, Option<u16>),
    DigestBytes(Form),
    Bytes,
    Utf16,
    Packed(Form),
}

pub(crate) const FORMS: [Written; 28] = [
    Written::Clear,
    Written::Bare,
    Written::Escaped,
    Written::EscapedTwice,
    Written::Base64,
    Written::Base64Url,
    Written::Hex,
    Written::Digest(Form::Md5, Form::Hex, None),
    Written::Digest(Form::Sha1, Form::Hex, None),
    Written::Digest(Form::Sha256, Form::Hex, None),
    Written::Digest(Form::Md5, Form::Base64, None),
    Written::Digest(Form::Sha1, Form::Base64, None),
    Written::Digest(Form::Sha256, Form::Base64, None),
    Written::Digest(Form::Md5, Form::Base64Url, None),
    Written::Digest(Form::Sha1, Form::Base64Url, None),
    Written::Digest(Form::Sha256, Form::Base64Url, None),
    Written::Digest(Form::Md5, Form::Hex, Some(16)),
    Written::Digest(Form::Sha1, Form::Hex, Some(16)),
    Written::Digest(Form::Sha256, Form::Hex, Some(32)),
    Written::Digest(Form::Sha1, Form::Base64Url, Some(16)),
    Written::Digest(Form::Md5, Form::Base64, Some(10)),
    Written::Digest(Form::Md5, Form::Hex, Some(8)),
    Written::DigestBytes(Form::Md5),
    Written::Bytes,
    Written::Utf16,
    Written::Packed(Form::Gzip),
    Written::Packed(Form::Deflate),
    Written::Packed(Form::Zstd),
];

impl Written {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Clear => "clear".into(),
            Self::Bare => "bare capitals".into(),
            Self::Escaped => "percent".into(),
            Self::EscapedTwice => "percent twice".into(),
            Self::Base64 => "base64".into(),
            Self::Base64Url => "base64url".into(),
            Self::Hex => "hex".into(),
            Self::Digest(hash, form, None) => format!("{hash} {form}"),
            Self::Digest(hash, form, Some(cut)) => format!("{hash} {form} cut{cut}"),
            Self::DigestBytes(hash) => format!("{hash} as bytes"),
            Self::Bytes => "bytes".into(),
            Self::Utf16 => "utf16".into(),
            Self::Packed(form) => form.to_string(),
        }
    }

    /// What is put into a container, and the steps to it; `None` where a kind is never written so.
    pub(crate) fn write(self, kind: DetailKind, value: &str) -> Option<(Vec<u8>, Vec<Form>)> {
        let text = value.as_bytes();
        let text_of = |text: String, forms: &[Form]| Some((text.into_bytes(), forms.to_vec()));
        match self {
            Self::Clear => Some((text.to_vec(), vec![])),
            Self::Bare => {
                let has_separators = !matches!(
                    kind,
                    DetailKind::Email
                        | DetailKind::Ssid
                        | DetailKind::Name
                        | DetailKind::Word
                        | DetailKind::Carrier
                );
                let bare = value.replace([' ', ':', '-', '+'], "").to_uppercase();
                (has_separators && bare != value).then(|| (bare.into_bytes(), vec![]))
            }
            Self::Escaped => text_of(encode::percent_all(text), &[Form::Percent]),
            Self::EscapedTwice => {
                text_of(encode::percent_all(text).replace('%', "%25"), &[Form::Percent, Form::Percent])
            }
            Self::Base64 => text_of(encode::base64(text), &[Form::Base64]),
            Self::Base64Url => text_of(encode::base64_url(text), &[Form::Base64Url]),
            Self::Hex => text_of(encode::hex(text), &[Form::Hex]),
            Self::Digest(hash, form, cut) => {
                let digest = digest(hash, text);
                let mut written = match form {
                    Form::Hex => encode::hex(&digest),
                    Form::Base64Url => encode::base64_url(&digest),
                    _ => encode::base64(&digest),
                };
                let mut forms = vec![hash, form];
                if let Some(cut) = cut {
                    written.truncate(cut.into());
                    forms.push(Form::Cut(cut));
                }
                text_of(written, &forms)
            }
            Self::DigestBytes(hash) => {
                text_of(encode::base64(&[&[7, 9], &digest(hash, text)[..]].concat()), &[hash, Form::Base64])
            }
            Self::Bytes => {
                let name = DetailName { kind, number: 1, id: 0 };
                let bytes = details::bytes(&Detail { name, value: Zeroizing::new(value.to_owned()) });
                text_of(encode::base64(bytes.first()?), &[Form::Binary, Form::Base64])
            }
            Self::Utf16 => text_of(encode::base64(&encode::utf16(value)), &[Form::Utf16, Form::Base64]),
            Self::Packed(form) => {
                let packed = match form {
                    Form::Gzip => encode::gzip(text),
                    Form::Deflate => encode::zlib(text),
                    _ => encode::zstd(text),
                };
                text_of(encode::base64(&packed), &[form, Form::Base64])
            }
        }
    }

    /// Whether it tells so little that the name of the field has to.
    pub(crate) fn needs_telling(self) -> bool {
        matches!(self, Self::Digest(_, Form::Hex, Some(..12)))
    }
}

/// Whether it counts only as all of a field, and stands there as text.
pub(crate) fn is_word(kind: DetailKind, written: Written) -> bool {
    matches!(kind, DetailKind::Ssid | DetailKind::Name | DetailKind::Carrier)
        && matches!(written, Written::Clear | Written::Bare | Written::Escaped | Written::EscapedTwice)
}

fn digest(hash: Form, text: &[u8]) -> Vec<u8> {
    match hash {
        Form::Md5 => Md5::digest(text).to_vec(),
        Form::Sha1 => Sha1::digest(text).to_vec(),
        _ => Sha256::digest(text).to_vec(),
    }
}

/// What the value is put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Path,
    Query,
    Header,
    Cookie,
    Text,
    Form,
    Json,
    JsonArray,
    JsonInJson,
    JsonInForm,
    Base64JsonInForm,
    Xml,
    XmlAttribute,
    Multipart,
    Protobuf,
    Packed(Form),
    RawDeflate,
    WebSocket,
    Dns,
}

pub(crate) const CONTAINERS: [Container; 22] = [
    Container::Path,
    Container::Query,
    Container::Header,
    Container::Cookie,
    Container::Text,
    Container::Form,
    Container::Json,
    Container::JsonArray,
    Container::JsonInJson,
    Container::JsonInForm,
    Container::Base64JsonInForm,
    Container::Xml,
    Container::XmlAttribute,
    Container::Multipart,
    Container::Protobuf,
    Container::Packed(Form::Gzip),
    Container::Packed(Form::Deflate),
    Container::Packed(Form::Brotli),
    Container::Packed(Form::Zstd),
    Container::RawDeflate,
    Container::WebSocket,
    Container::Dns,
];

/// A message as its protocol divides it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) target: Vec<u8>,
    pub(crate) fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) media: Option<&'static str>,
    pub(crate) coding: Option<&'static str>,
    pub(crate) message: Option<Vec<u8>>,
    pub(crate) question: Option<Vec<u8>>,
    /// Where the value is, what the container adds to its form.
    pub(crate) field: String,
    pub(crate) forms: Vec<Form>,
    /// Where in the body the value ends, where its end may be missing.
    pub(crate) end: Option<usize>,
}

impl Container {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Packed(form) => format!("{form} body"),
            other => format!("{other:?}").to_lowercase(),
        }
    }

    /// Whether values that are not in clear text keep their letters in it, and words are fields in it.
    pub(crate) fn supports(self, kind: DetailKind, written: Written, value: &[u8]) -> bool {
        let letters = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        // Percent-encoding is undone twice, and these encode once more.
        let escapes = matches!(
            self,
            Self::Path | Self::Query | Self::Cookie | Self::Form | Self::JsonInForm | Self::Base64JsonInForm
        );
        if escapes && written == Written::EscapedTwice {
            return false;
        }
        match self {
            // Words of paths and of names of hosts are no fields.
            Self::Path => !is_word(kind, written) && !written.needs_telling(),
            // Names are in small letters, of 63 letters at most, and have no case.
            Self::Dns => {
                value.len() <= 63
                    && value.iter().all(letters)
                    && !is_word(kind, written)
                    && !written.needs_telling()
                    && !matches!(
                        written,
                        Written::Base64
                            | Written::Base64Url
                            | Written::Digest(_, Form::Base64 | Form::Base64Url, _)
                            | Written::DigestBytes(_)
                            | Written::Bytes
                            | Written::Utf16
                            | Written::Packed(_)
                    )
            }
            Self::Text | Self::WebSocket | Self::Protobuf => !written.needs_telling(),
            _ => true,
        }
    }

    pub(crate) fn put(self, value: &[u8]) -> Message {
        let text = String::from_utf8_lossy(value).into_owned();
        let escaped = encode::percent(value);
        let json = format!("{{\"n\":7,\"imei\":\"{}\",\"z\":[]}}", encode::json(&text));
        let body = |body: Vec<u8>, media, field: &str| Message {
            target: b"/up".to_vec(),
            body: Some(body),
            media: Some(media),
            field: String::from(field),
            ..Message::default()
        };
        let get = |target: String, field: &str| Message {
            target: target.into_bytes(),
            field: String::from(field),
            ..Message::default()
        };
        match self {
            Self::Path => get(format!("/api/v1/{escaped}/go"), "path[3]"),
            Self::Query => get(format!("/api?a=b&imei={escaped}&z=1"), "query.imei"),
            Self::Header => Message { fields: vec![(b"X-Imei".to_vec(), value.to_vec())], ..get("/".into(), "header.x-imei") },
            Self::Cookie => Message {
                fields: vec![(b"Cookie".to_vec(), format!("a=b; imei={escaped}").into_bytes())],
                ..get("/".into(), "cookie.imei")
            },
            Self::Text => body(value.to_vec(), "text/plain", "text"),
            Self::Form => body(format!("a=b&imei={escaped}&z=1").into_bytes(), "application/x-www-form-urlencoded", "form.imei"),
            Self::Json => Message { end: Some(json.len() - 9), ..body(json.into_bytes(), "application/json", "json.imei") },
            Self::JsonArray => body(format!("{{\"d\":{{\"ids\":[\"x\",{json}]}}}}").into_bytes(), "application/json", "json.d.ids[2].imei"),
            Self::JsonInJson => {
                body(format!("{{\"d\":\"{}\"}}", encode::json(&json)).into_bytes(), "application/json", "json.d.json.imei")
            }
            Self::JsonInForm => body(format!("d={}&z=1", encode::percent(json.as_bytes())).into_bytes(), "application/x-www-form-urlencoded", "form.d.json.imei"),
            Self::Base64JsonInForm => Message {
                forms: vec![Form::Base64],
                ..body(format!("d={}&z=1", encode::percent(encode::base64(json.as_bytes()).as_bytes())).into_bytes(), "application/x-www-form-urlencoded", "form.d.json.imei")
            },
            Self::Xml => body(format!("<?xml version=\"1.0\"?><d><q/><imei>{text}</imei></d>").into_bytes(), "text/xml", "xml.d.imei"),
            Self::XmlAttribute => body(format!("<d><q imei=\"{text}\" z=\"1\"/></d>").into_bytes(), "text/xml", "xml.d.q.imei"),
            Self::Multipart => body(
                format!("--b0\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--b0\r\nContent-Disposition: form-data; name=\"imei\"\r\n\r\n{text}\r\n--b0--\r\n").into_bytes(),
                "multipart/form-data; boundary=b0",
                "multipart.imei",
            ),
            Self::Protobuf => {
                let inner = [encode::protobuf(2, b"abc"), encode::protobuf(1, value)].concat();
                let outer = [vec![8, 150, 1], encode::protobuf(3, &inner)].concat();
                body(outer, "application/x-protobuf", "protobuf.3.1")
            }
            Self::Packed(form) => {
                let (coding, packed) = match form {
                    Form::Gzip => ("gzip", encode::gzip(json.as_bytes())),
                    Form::Deflate => ("deflate", encode::zlib(json.as_bytes())),
                    Form::Brotli => ("br", encode::brotli(json.as_bytes())),
                    _ => ("zstd", encode::zstd(json.as_bytes())),
                };
                Message { coding: Some(coding), forms: vec![form], ..body(packed, "application/json", "json.imei") }
            }
            Self::RawDeflate => Message {
                coding: Some("deflate"),
                forms: vec![Form::Deflate],
                ..body(encode::deflate(json.as_bytes()), "application/json", "json.imei")
            },
            Self::WebSocket => Message { message: Some(value.to_vec()), field: "text".into(), ..Message::default() },
            Self::Dns => Message { question: Some([value, b".t.example.net"].concat()), field: "name".into(), ..Message::default() },
        }
    }
}

impl Message {
    /// As a request of HTTP/1.1; `None` where it is none.
    pub(crate) fn request(&self) -> Option<Vec<u8>> {
        if self.target.is_empty() {
            return None;
        }
        let mut head = [b"POST ", self.target.as_slice(), b" HTTP/1.1\r\nHost: t.example\r\n"].concat();
        for (name, value) in &self.fields {
            head.extend([name, &b": "[..], value, b"\r\n"].concat());
        }
        for (name, value) in [("Content-Type", self.media), ("Content-Encoding", self.coding)] {
            head.extend(value.into_iter().flat_map(|value| format!("{name}: {value}\r\n").into_bytes()));
        }
        let body = self.body.as_deref().unwrap_or_default();
        head.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
        Some([head.as_slice(), body].concat())
    }

    /// As it goes over the wire, for those who look at bytes alone.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let fields = self.fields.iter().flat_map(|(name, value)| [name, &b": "[..], value, b"\r\n"].concat());
        let head = [b"POST ", self.target.as_slice(), b" HTTP/1.1\r\n"].concat().into_iter().chain(fields);
        let rest = [&self.body, &self.message, &self.question];
        head.chain(rest.into_iter().flatten().flatten().copied()).collect()
    }
}

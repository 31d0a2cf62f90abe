//! Cells of places: latitude and longitude in one structure, as people write them and as programs keep them.

use telltale_model::{Detail, DetailKind, DetailName, Details, Form, Grade, Hit};
use zeroize::Zeroizing;

use super::cell::Message;
use super::encode;

/// A fictitious one.
const PLACE: &str = "-33.8568,151.2153";
const DEGREES: [f64; 2] = [-33.8568, 151.2153];
const TEN_MILLIONTHS: [i64; 2] = [-338_568_000, 1_512_153_000];

/// A message with a place in it, and what is to be found.
pub(crate) struct Cell {
    pub(crate) title: String,
    pub(crate) message: Message,
    /// Whole numbers are told by the name before them, and in multipart it stands a line further up.
    pub(crate) supported: bool,
    grade: Grade,
}

impl Cell {
    /// What is wrong with the hits of its message, if anything is.
    pub(crate) fn wrong(&self, hits: &[Hit]) -> Option<String> {
        let Self { title, message, grade, .. } = self;
        let right = |hit: &Hit| {
            hit.kind == DetailKind::Place
                && hit.grade == *grade
                && hit.field == message.field
                && hit.form == message.forms
        };
        let told: Vec<_> = hits.iter().map(|hit| (hit.kind, hit.grade, &hit.form, &hit.field)).collect();
        let found = matches!(hits, [hit] if right(hit));
        (!found)
            .then(|| format!("{title}: {told:?} instead of {grade:?} {:?} {}", message.forms, message.field))
    }
}

pub(crate) fn details() -> Details {
    let name = DetailName { kind: DetailKind::Place, number: 1, id: 1 };
    Details {
        set: 1,
        list: vec![Detail { name, value: Zeroizing::new(PLACE.to_owned()) }],
        ..Details::default()
    }
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Cell> {
    texts().into_iter().flat_map(in_text).chain(numbers())
}

/// A way to write both as text: its name, the numbers, how their fields are called, and how sure that is.
struct Text {
    title: &'static str,
    numbers: [String; 2],
    names: [&'static str; 2],
    grade: Grade,
}

fn texts() -> [Text; 5] {
    let degrees = |decimals: usize| DEGREES.map(|degrees| format!("{degrees:.decimals$}"));
    let whole = TEN_MILLIONTHS.map(|number| number.to_string());
    let yours = |title, numbers, names| Text { title, numbers, names, grade: Grade::Yours };
    [
        yours("degrees", degrees(4), ["x", "y"]),
        yours("degrees, 7 decimals", degrees(7), ["x", "y"]),
        Text { grade: Grade::LooksLike, ..yours("degrees, 2 decimals", degrees(2), ["x", "y"]) },
        yours("ten-millionths", whole.clone(), ["latE7", "lngE7"]),
        yours("ten-millionths, long names", whole, ["latitude_e7", "longitude_e7"]),
    ]
}

fn in_text(text: Text) -> Vec<Cell> {
    let Text { title, numbers: [x, y], names: [a, b], grade } = text;
    let object = format!("{{\"n\":7,\"{a}\":{x},\"{b}\":{y}}}");
    let quoted = format!("{{\"{a}\":\"{x}\",\"{b}\":\"{y}\"}}");
    let pairs = format!("n=7&{a}={x}&{b}={y}");
    let json = |body: &str| body.as_bytes().to_vec();
    let form = "application/x-www-form-urlencoded";
    let boundary = "multipart/form-data; boundary=b0";
    let part = |name: &str, value: &str| {
        format!("--b0\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let field = |path: &str| format!("{path}.{a}");
    let cell = |container: &str, message: Message| Cell {
        title: format!("place in {title}, {container}"),
        supported: !(container == "multipart" && title.starts_with("ten-millionths")),
        message,
        grade,
    };
    let body = |container: &str, media, field: String, body: Vec<u8>| {
        cell(container, Message { body: Some(body), media: Some(media), ..up(field) })
    };
    let coded = |coding, step, body: Vec<u8>| {
        let message = Message {
            body: Some(body),
            media: Some("application/json"),
            coding: Some(coding),
            forms: vec![step],
            ..up(format!("json.{a}"))
        };
        cell(coding, message)
    };
    let media = "application/json";
    vec![
        cell("query", Message { target: format!("/up?{pairs}").into_bytes(), ..up(format!("query.{a}")) }),
        cell(
            "cookie",
            Message {
                fields: vec![(b"Cookie".to_vec(), format!("{a}={x}; {b}={y}").into_bytes())],
                ..up(format!("cookie.{a}"))
            },
        ),
        body("form", form, format!("form.{a}"), pairs.clone().into_bytes()),
        body("json", media, format!("json.{a}"), json(&object)),
        body("json, in quotes", media, format!("json.{a}"), json(&quoted)),
        body(
            "json in json",
            media,
            format!("json.d.p[2].{a}"),
            format!("{{\"d\":{{\"p\":[1,{object}]}}}}").into_bytes(),
        ),
        body(
            "json in a form",
            form,
            format!("form.d.json.{a}"),
            format!("d={}", encode::percent(object.as_bytes())).into_bytes(),
        ),
        body("xml", "text/xml", field("xml.d"), format!("<d><{a}>{x}</{a}><{b}>{y}</{b}></d>").into_bytes()),
        body(
            "xml attributes",
            "text/xml",
            field("xml.d.q"),
            format!("<d><q {a}=\"{x}\" {b}=\"{y}\"/></d>").into_bytes(),
        ),
        body(
            "multipart",
            boundary,
            format!("multipart.{a}"),
            format!("{}{}--b0--\r\n", part(a, &x), part(b, &y)).into_bytes(),
        ),
        coded("gzip", Form::Gzip, encode::gzip(object.as_bytes())),
        coded("deflate", Form::Deflate, encode::zlib(object.as_bytes())),
        coded("br", Form::Brotli, encode::brotli(object.as_bytes())),
        coded("zstd", Form::Zstd, encode::zstd(object.as_bytes())),
    ]
}

/// Numbers of Protocol Buffers, in a message of their own and in one within another, as they are and compressed.
fn numbers() -> impl Iterator<Item = Cell> {
    let eight = |bytes: [u8; 8]| [&[1][..], &bytes].concat();
    let four = |bytes: [u8; 4]| [&[5][..], &bytes].concat();
    let varint = |value: u64| [&[0][..], &encode::varint(value)].concat();
    let whole = TEN_MILLIONTHS;
    let halves = whole.map(|number| i32::try_from(number).unwrap_or_default());
    let zigzag = whole.map(|number| (number << 1 ^ number >> 63).cast_unsigned());
    #[expect(clippy::cast_possible_truncation, reason = "a float is what is meant")]
    let floats = DEGREES.map(|degrees| four((degrees as f32).to_le_bytes()));
    let ways = [
        ("double", DEGREES.map(|degrees| eight(degrees.to_le_bytes())), Grade::Yours),
        ("float", floats, Grade::Yours),
        ("sfixed64", whole.map(|number| eight(number.to_le_bytes())), Grade::Yours),
        ("sfixed32", halves.map(|number| four(number.to_le_bytes())), Grade::Yours),
        ("int64", whole.map(|number| varint(number.cast_unsigned())), Grade::LooksLike),
        ("sint64", zigzag.map(varint), Grade::LooksLike),
    ];
    ways.into_iter().flat_map(|(title, [x, y], grade)| {
        let both = [numbered(1, &x), numbered(2, &y)].concat();
        let within = [vec![8, 150, 1], encode::protobuf(3, &both)].concat();
        let cell = move |container: &str, field: &'static str, body: Vec<u8>, packed: bool| {
            let mut forms = vec![Form::Binary];
            forms.extend(packed.then_some(Form::Gzip));
            let message = Message {
                body: Some(if packed { encode::gzip(&body) } else { body }),
                media: Some("application/x-protobuf"),
                coding: packed.then_some("gzip"),
                forms,
                ..up(field.to_owned())
            };
            Cell { title: format!("place as {title}, {container}"), supported: true, message, grade }
        };
        [
            cell("protobuf", "protobuf.1", both, false),
            cell("protobuf in protobuf", "protobuf.3.1", within.clone(), false),
            cell("gzip", "protobuf.3.1", within, true),
        ]
    })
}

/// A field: its number and its type in front of the value.
fn numbered(number: u8, value: &[u8]) -> Vec<u8> {
    let (kind, rest) = value.split_first().unwrap_or((&0, &[]));
    [&[number << 3 | kind][..], rest].concat()
}

fn up(field: String) -> Message {
    Message { target: b"/up".to_vec(), field, ..Message::default() }
}

//! Flows that look like those of phones and hold nothing of anybody: numbers that pass for IMEIs, identifiers,
//! times, pictures, program code, messages and dumps, all from one seed.
#![expect(clippy::cast_possible_truncation, reason = "what is cut off is random too")]

use std::fmt::Write;

use telltale_model::{Detail, DetailKind, DetailName, Details, Grade, Timestamp};
use telltale_watch::search::{Needles, Part, Piece, Room};
use zeroize::Zeroizing;

use super::{cell, encode};

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clean {
    /// How many flows there were.
    pub flows: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Flows in which a detail was claimed to be.
    pub yours: u64,
    /// Flows in which something was claimed to look like one.
    pub looks_like: u64,
    /// How many flows would be claimed to hold a detail by chance: each run of 10 to 15 digits equals each
    /// number of as many digits with probability 10^-digits. Numbers of contacts without the code of a country do not
    /// count: alone they are not enough.
    pub expected: f64,
    /// The first claims.
    pub examples: Vec<String>,
}

/// Contacts that are loaded.
const CONTACTS: u64 = 200;

impl Clean {
    /// Searches so many flows.
    pub fn run(flows: u64, seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let details = details(&mut random);
        let mut lengths = [0u32; 23];
        for (kind, form) in details.list.iter().flat_map(|detail| {
            let forms = telltale_watch::details::forms(detail);
            forms.into_iter().map(|form| (detail.name.kind, form))
        }) {
            if form.national && kind == DetailKind::Contact {
                continue;
            }
            let digits = form.text.bytes().filter(u8::is_ascii_digit).count();
            if form.text.bytes().all(|byte| byte.is_ascii_digit()) {
                lengths.get_mut(digits).into_iter().for_each(|count| *count += 1);
            }
        }
        let needles = Needles::new(&details);
        let (mut clean, mut room, mut text) = (Self::default(), Room::default(), Vec::new());
        for flow in 0..flows {
            text.clear();
            fill(flow % KINDS, &mut random, &mut text);
            clean.flows += 1;
            clean.bytes += text.len() as u64;
            clean.expected += chance(&text, &lengths);
            let at = Timestamp(1_790_000_000_000_000);
            let part = Part::Body { media: None, coding: None, bytes: &text };
            let piece = Piece { part, begins: true, ends: true, offset: 0, at };
            let hits = needles.judge(&needles.search(&piece, &mut room).candidates, &[]).hits;
            let yours = hits.iter().any(|hit| hit.grade == Grade::Yours);
            clean.yours += u64::from(yours);
            clean.looks_like += u64::from(!yours && !hits.is_empty());
            if clean.examples.len() < 8 {
                clean.examples.extend(hits.iter().take(1).map(|hit| format!("{flow}: {hit:?}")));
            }
        }
        clean
    }
}

/// The numbers, identifiers and names of one person, and the numbers of people that they know.
fn details(random: &mut Random) -> Details {
    let mut details = cell::all();
    details.list.retain(|detail| detail.name.kind != DetailKind::Contact);
    for number in 0..CONTACTS {
        let value = match number % 3 {
            0 => format!("+49 151 {:08}", random.below(100_000_000)),
            1 => format!("+1 {} {:07}", 201 + random.below(700), random.below(10_000_000)),
            _ => format!("+91 9{:04} {:05}", random.below(10_000), random.below(100_000)),
        };
        let name = DetailName {
            kind: DetailKind::Contact,
            number: u16::try_from(number + 1).unwrap_or(0),
            id: 100 + number,
        };
        details.list.push(Detail { name, value: Zeroizing::new(value) });
    }
    details
}

/// How likely a text holds one of so many numbers of each length by chance.
fn chance(text: &[u8], lengths: &[u32; 23]) -> f64 {
    text.split(|byte| !byte.is_ascii_digit())
        .filter(|run| (10..=15).contains(&run.len()))
        .map(|run| {
            f64::from(lengths.get(run.len()).copied().unwrap_or(0))
                / 10f64.powi(i32::try_from(run.len()).unwrap_or(22))
        })
        .sum()
}

const KINDS: u64 = 10;

fn fill(kind: u64, random: &mut Random, text: &mut Vec<u8>) {
    match kind {
        0 => orders(random, text),
        1 => identifiers(random, text),
        2 => times(random, text),
        3 => picture(random, text),
        4 => program(random, text),
        5 => message(random, text),
        6 => dump(random, text),
        7 => form(random, text),
        8 => floats(random, text),
        _ => prose(random, text),
    }
}

/// Numbers of 10 to 19 digits, those of 15 all pass as IMEIs (ISO/IEC 7812-1).
fn orders(random: &mut Random, text: &mut Vec<u8>) {
    text.extend_from_slice(b"{\"orders\":[");
    for _ in 0..6 {
        let digits = 10 + random.below(10);
        let number = if digits == 15 { luhn(random) } else { random.digits(digits) };
        text.extend_from_slice(
            format!(
                "{{\"order\":\"{number}\",\"sku\":{},\"card\":\"{}\"}},",
                random.below(1_000_000),
                luhn(random)
            )
            .as_bytes(),
        );
    }
    text.pop();
    text.extend_from_slice(b"]}");
}

fn luhn(random: &mut Random) -> String {
    let digits = random.digits(14);
    let sum: u32 = (0u32..)
        .zip(digits.bytes().rev())
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0');
            if at % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

fn identifiers(random: &mut Random, text: &mut Vec<u8>) {
    let mut json = String::from("{");
    for name in ["session", "trace", "install", "user", "event"] {
        let bytes = random.bytes(16);
        let hex = encode::hex(&bytes);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        let _ = write!(
            json,
            "\"{name}_id\":\"{}-{}-{}-{}-{}\",",
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32)
        );
        let _ = write!(
            json,
            "\"{name}_hash\":\"{}\",\"{name}_key\":\"{}\",",
            encode::hex(&random.bytes(20)),
            encode::base64_url(&random.bytes(16))
        );
    }
    json.push_str("\"v\":1}");
    text.extend_from_slice(json.as_bytes());
}

/// Seconds, milliseconds and microseconds of these years.
fn times(random: &mut Random, text: &mut Vec<u8>) {
    for _ in 0..8 {
        let second = 1_700_000_000 + random.below(180_000_000);
        let line = format!(
            "{{\"ts\":{second},\"ms\":{second}{:03},\"us\":{second}{:06},\"at\":\"2026-11-{:02} 10:{:02}:07.{:03}\"}}\n",
            random.below(1_000),
            random.below(1_000_000),
            1 + random.below(28),
            random.below(60),
            random.below(1_000)
        );
        text.extend_from_slice(line.as_bytes());
    }
}

fn picture(random: &mut Random, text: &mut Vec<u8>) {
    let bytes = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), random.bytes(900)].concat();
    text.extend_from_slice(
        format!("{{\"image\":\"data:image/png;base64,{}\"}}", encode::base64(&bytes)).as_bytes(),
    );
}

fn program(random: &mut Random, text: &mut Vec<u8>) {
    text.extend_from_slice(b"!function(e,t){\"use strict\";");
    for _ in 0..30 {
        let line = format!(
            "var a{}=function(n){{return n.{}(t[{}],0x{:x})||{}.{:07}}};",
            random.below(99),
            random.word(),
            random.below(4_000),
            random.next() & 0xffff_ffff,
            random.below(10),
            random.below(10_000_000)
        );
        text.extend_from_slice(line.as_bytes());
    }
    text.extend_from_slice(b"}();");
}

fn message(random: &mut Random, text: &mut Vec<u8>) {
    for _ in 0..6 {
        let word = random.word();
        let mut inner = encode::protobuf(1, word.as_bytes());
        inner.push(2 << 3);
        let mut number = random.next() >> (random.below(50) + 1);
        while number >= 0x80 {
            inner.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        inner.push(number as u8);
        inner.push(3 << 3 | 1);
        inner.extend_from_slice(&random.next().to_le_bytes());
        inner.extend(encode::protobuf(4, &random.bytes(20)));
        text.extend(encode::protobuf(5, &inner));
    }
}

fn dump(random: &mut Random, text: &mut Vec<u8>) {
    for line in 0..24 {
        let bytes = encode::hex(&random.bytes(16));
        text.extend_from_slice(format!("{:08x}  {bytes}\n", line * 16).as_bytes());
    }
}

fn form(random: &mut Random, text: &mut Vec<u8>) {
    let line = format!(
        "sid={}&cb={}&sz=1080x2400&dpr=2.75&cid={}.{}&tok={}&u=https%3A%2F%2Fexample.org%2F{}%3Fid%3D{}",
        encode::base64_url(&random.bytes(24)),
        random.digits(10),
        random.digits(9),
        random.digits(10),
        encode::percent(encode::base64(&random.bytes(33)).as_bytes()),
        random.word(),
        random.digits(12)
    );
    text.extend_from_slice(line.as_bytes());
}

fn floats(random: &mut Random, text: &mut Vec<u8>) {
    text.push(b'[');
    for _ in 0..40 {
        text.extend_from_slice(
            format!("{}.{:012},", random.below(200), random.below(1_000_000_000_000)).as_bytes(),
        );
    }
    text.extend_from_slice(b"0]");
}

fn prose(random: &mut Random, text: &mut Vec<u8>) {
    for _ in 0..60 {
        text.extend_from_slice(random.word().as_bytes());
        text.push(b' ');
        if random.below(9) == 0 {
            text.extend_from_slice(format!("Airtel {} ", random.below(100_000)).as_bytes());
        }
    }
}

/// Marsaglia's xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, most: u64) -> u64 {
        (self.next() >> 11) % most
    }

    fn digits(&mut self, count: u64) -> String {
        let first = char::from(b'1' + (self.below(9) as u8));
        (1..count).fold(first.to_string(), |digits, _| digits + &self.below(10).to_string())
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.next() >> 32) as u8).collect()
    }

    fn word(&mut self) -> String {
        let len = 3 + self.below(10);
        (0..len).map(|_| char::from(b'a' + (self.below(26) as u8))).collect()
    }
}

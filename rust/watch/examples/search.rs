//! How fast a core searches, decoding included, and how much memory that takes. Run with `--release`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "a measurement"
)]

use std::time::Instant;

use telltale_model::{Detail, DetailKind, DetailName, Details, Timestamp};
use telltale_watch::search::{Needles, Part, Piece, Room};
use zeroize::Zeroizing;

fn main() {
    let start = Instant::now();
    let needles = Needles::new(&details(5_000));
    println!(
        "5,000 contacts: made in {:.0} ms, {:.2} MB",
        start.elapsed().as_secs_f64() * 1e3,
        needles.held() as f64 / 1e6
    );
    measure(&needles);
    println!("200 contacts:");
    measure(&Needles::new(&details(200)));
}

fn measure(needles: &Needles) {
    let mut room = Room::default();
    let mut random = Random(88_172_645_463_325_252);
    let mix = [
        json(&mut random),
        form(&mut random),
        base64_json(&mut random),
        dump(&mut random),
        protobuf(&mut random),
    ];
    let names = ["json", "form", "base64 of json", "hex dump", "protobuf"];
    for (name, text) in names.iter().zip(&mix) {
        tell(name, needles, &mut room, std::slice::from_ref(text));
    }
    tell("the mix of these", needles, &mut room, &mix);
    println!("worst inputs:");
    let repeat = |unit: &str| unit.repeat((256 << 10) / unit.len()).into_bytes();
    let worst = [
        ("digits and spaces", repeat("1 2 3 4 5 6 7 ")),
        ("eight letters", repeat("abcdefgh,")),
        ("a digest's beginning", repeat("\"0eaed834a1e6f4b3\",")),
        ("IMEIs", repeat("\"imei\":\"352099001761481\",")),
        ("own number", repeat("\"490154203237518\",")),
        ("fields", repeat("a=b&")),
        ("percent", repeat("%41%42%25%34%33")),
        ("escapes", [b"{\"a\":\"".to_vec(), repeat("\\u0041\\\\")].concat()),
        ("strings of json", [b"{".to_vec(), repeat("\"a\":\"{\\\"b\\\":1}\",")].concat()),
        ("noise", random.bytes(256 << 10)),
        ("zeros", vec![0; 256 << 10]),
        ("base64 of noise", base64(&random.bytes(190 << 10)).into_bytes()),
        ("base64 in pieces", repeat("aGVsbG8gd29ybGQh-YWJjZGVmZ2hpamtsbW4_")),
        ("protobuf of nothing", repeat("\n\0")),
        ("nested protobuf", repeat("\n\u{8}\n\u{6}\n\u{4}\n\u{2}\n\0")),
    ];
    for (name, text) in worst {
        let text = text.get(..256 << 10).map_or(text.clone(), <[u8]>::to_vec);
        tell(name, needles, &mut room, &[text]);
    }
    println!("memory of the room: {:.2} MB", room.held() as f64 / 1e6);
}

/// Seconds that this program has had a core for itself (Linux): others may run beside it.
fn on_a_core() -> f64 {
    let told = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

/// Inputs that have the name in the first argument, or all.
fn tell(name: &str, needles: &Needles, room: &mut Room, texts: &[Vec<u8>]) {
    if std::env::args().nth(1).is_some_and(|chosen| name != chosen) {
        return;
    }
    let (start, mut bytes) = (on_a_core(), 0);
    while on_a_core() - start < 0.2 {
        for text in texts {
            let part = Part::Body { media: None, coding: None, bytes: text };
            let piece =
                Piece { part, begins: true, ends: true, offset: 0, at: Timestamp(1_790_000_000_000_000) };
            std::hint::black_box(needles.search(&piece, room));
            bytes += text.len();
        }
    }
    println!("{name:<24} {:>7.0} MB/s", bytes as f64 / (on_a_core() - start) / 1e6);
}

fn details(contacts: u64) -> Details {
    let own = [
        (DetailKind::Imei, "490154203237518".to_owned()),
        (DetailKind::Imsi, "404685505601234".to_owned()),
        (DetailKind::Phone, "+91 98765 43210".to_owned()),
        (DetailKind::Email, "zephyr.quill@example.com".to_owned()),
        (DetailKind::AndroidId, "9774d56d682e549c".to_owned()),
        (DetailKind::Mac, "02:00:5e:10:20:30".to_owned()),
        (DetailKind::Carrier, "Airtel".to_owned()),
        (DetailKind::Place, "52.51630,13.37770".to_owned()),
    ];
    let contact =
        |number: u64| (DetailKind::Contact, format!("+49 151 {:08}", number * 19_993 % 100_000_000));
    let packages = (0..300).map(|number| (DetailKind::Package, format!("org.example.app{number}")));
    let all = own.into_iter().chain((0..contacts).map(contact)).chain(packages);
    let detail = |(id, (kind, value)): (u64, (DetailKind, String))| Detail {
        name: DetailName { kind, number: 1, id },
        value: Zeroizing::new(value),
    };
    Details { set: 1, list: (0..).zip(all).map(detail).collect(), ..Details::default() }
}

/// Events of an app, 16 KiB.
fn json(random: &mut Random) -> Vec<u8> {
    let mut text =
        String::from("{\"app\":{\"name\":\"org.example.reader\",\"version\":\"4.17.2\"},\"events\":[");
    while text.len() < 16 << 10 {
        text.push_str(&format!(
            "{{\"name\":\"screen_view\",\"ts\":{},\"params\":{{\"screen_class\":\"ArticleActivity\",\"engaged_ms\":{},\"title\":\"A quiet morning at the harbour\",\"id\":\"{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}\",\"ratio\":0.{:06}}}}},",
            1_790_000_000_000 + random.next() % 1_000_000_000,
            random.next() % 60_000,
            random.next() as u32,
            random.next() & 0xffff,
            random.next() & 0xfff,
            random.next() & 0xfff,
            random.next() & 0xffff_ffff_ffff,
            random.next() % 1_000_000
        ));
    }
    text.push_str("{}]}");
    text.into_bytes()
}

fn form(random: &mut Random) -> Vec<u8> {
    let mut text = String::from("v=1");
    while text.len() < 4 << 10 {
        text.push_str(&format!(
            "&ev{}=page_view&dl=https%3A%2F%2Fexample.org%2Fnews%2F{}&dt=A+quiet+morning&sr=1080x2400&cid={}.{}",
            random.next() % 100,
            random.next() % 100_000,
            random.next() % 1_000_000_000,
            random.next() % 10_000_000_000
        ));
    }
    text.into_bytes()
}

fn base64_json(random: &mut Random) -> Vec<u8> {
    format!("{{\"data\":\"{}\"}}", base64(&json(random))).into_bytes()
}

fn dump(random: &mut Random) -> Vec<u8> {
    (0..256)
        .map(|line| format!("{:08x}  {:016x}{:016x}\n", line * 16, random.next(), random.next()))
        .collect::<String>()
        .into_bytes()
}

fn protobuf(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < 8 << 10 {
        let text = b"A quiet morning at the harbour";
        let mut inner = vec![0x0a, text.len() as u8];
        inner.extend_from_slice(text);
        inner.extend_from_slice(&[0x10, 0x96, 0x01, 0x19]);
        inner.extend_from_slice(&random.next().to_le_bytes());
        inner.extend_from_slice(&[0x22, 16]);
        inner.extend(random.bytes(16));
        bytes.extend_from_slice(&[0x2a, inner.len() as u8]);
        bytes.extend(inner);
    }
    bytes
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let three = |chunk: &[u8]| {
        chunk.iter().chain([0, 0].iter()).take(3).fold(0usize, |value, byte| value << 8 | usize::from(*byte))
    };
    let letter = |value: usize| LETTERS.get(value & 63).map_or('A', |byte| char::from(*byte));
    let letters = |chunk: &[u8]| [18, 12, 6, 0].map(|shift| letter(three(chunk) >> shift));
    let whole = |chunk: &[u8]| {
        letters(chunk)
            .into_iter()
            .take(chunk.len() + 1)
            .chain(std::iter::repeat('='))
            .take(4)
            .collect::<String>()
    };
    bytes.chunks(3).map(whole).collect()
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

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.next() >> 32) as u8).collect()
    }
}

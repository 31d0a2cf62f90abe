//! What the fuzz target of the search does with a string of bytes.

use telltale_model::{Detail, DetailKind, DetailName, Details, Timestamp};
use telltale_watch::search::{Needles, Part, Piece, Room};
use zeroize::Zeroizing;

/// The first byte says what kind of part the others are. Nothing panics, the room stays within its bounds, the
/// same bytes give the same answer in a room that was used, and nothing that was kept names a value.
pub fn search(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let fields = [(&b"cookie"[..], second), (b"x", second)];
    let coding = [None, Some(&b"gzip"[..]), Some(b"deflate"), Some(b"br"), Some(b"zstd")];
    let part = match kind & 7 {
        0 => Part::Head { method: b"GET", target: first, fields: &fields },
        1 => Part::Question(bytes),
        2 => Part::Raw(bytes),
        _ => Part::Body { media: None, coding: coding[usize::from(kind >> 3) % coding.len()], bytes },
    };
    let piece =
        Piece { part, begins: kind & 0x80 == 0, ends: true, offset: 0, at: Timestamp(1_790_000_000_000_000) };
    let (needles, mut room) = (needles(), Room::default());
    let searched = needles.search(&piece, &mut room);
    assert!(room.held() < 24 << 20, "{} bytes", room.held());
    assert_eq!(needles.search(&piece, &mut room), searched);
    for hit in needles.judge(&searched.candidates, &[]).hits {
        // As the desk keeps them: a field may be called by a value.
        let [field, excerpt] = [hit.field, hit.excerpt].map(|text| needles.redact(&text).unwrap_or(text));
        let kept = format!("{field} {excerpt}");
        assert!(!kept.contains("490154203237518") && !kept.contains("9774d56d682e549c"), "{kept}");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        needles.redact(text);
    }
}

fn needles() -> Needles {
    let values = [
        (DetailKind::Imei, "490154203237518"),
        (DetailKind::Contact, "+1 202 5550143"),
        (DetailKind::AndroidId, "9774d56d682e549c"),
        (DetailKind::Mac, "02:00:5e:10:20:30"),
        (DetailKind::Carrier, "Airtel"),
        (DetailKind::Place, "52.51630,13.37770"),
        (DetailKind::Package, "org.example.app"),
    ];
    let detail = |(id, (kind, value)): (u64, (DetailKind, &str))| Detail {
        name: DetailName { kind, number: 1, id },
        value: Zeroizing::new(value.to_owned()),
    };
    Needles::new(&Details { set: 1, list: (0..).zip(values).map(detail).collect(), ..Details::default() })
}

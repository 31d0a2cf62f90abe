use telltale_model::{Detail, DetailKind, DetailName, Details};

use super::*;

fn desk(set: u64, ids: &[u64]) -> Arc<Desk> {
    let values = ["490154203237518", "356938035643809", "352099001761481"];
    let detail = |(id, value): (&u64, &str)| Detail {
        name: DetailName { kind: DetailKind::Imei, number: 1, id: *id },
        value: String::from(value).into(),
    };
    let list = ids.iter().zip(values).map(detail).collect();
    Desk::new(&Details { set, list, ..Details::default() }, &Arc::default()).unwrap()
}

/// Writes a part with its end.
fn message(page: &mut Page, number: u32, bytes: &[u8]) {
    page.begin(number, Kind::Message);
    page.write(number, Class::Searched, bytes);
    page.end(number);
    page.close(number);
}

#[test]
fn what_was_not_understood_stays_so_though_a_detail_was_in_it() {
    let mut page = Page::default();
    page.look_for(Some(&desk(1, &[7])));
    let noise: Vec<u8> =
        (0..4_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    message(&mut page, 1, &[b"imei=490154203237518\n", &noise[..]].concat());
    assert_eq!(page.facts.hits.len(), 1);
    assert_eq!((page.facts.coverage.found, page.facts.coverage.opaque), (0, 4_021));
    message(&mut page, 1, b"imei=490154203237518");
    assert_eq!((page.facts.coverage.found, page.facts.coverage.opaque), (20, 4_021));
}

#[test]
fn what_has_no_sheet_was_not_searched() {
    let mut page = Page::default();
    page.look_for(Some(&desk(1, &[7])));
    let most = u32::try_from(limits::SHEETS).unwrap();
    for number in 0..=most {
        page.begin(number, Kind::Message);
        page.write(number, Class::Searched, b"plain");
    }
    page.count(most, Class::Searched, 3);
    page.close_all();
    let coverage = page.facts.coverage;
    assert_eq!(coverage.opaque, 5 * (u64::from(most) + 1) + 3, "the others are cut: {coverage:?}");
    assert_eq!(page.facts.content_sent, coverage.total());
}

#[test]
fn a_flow_that_was_looked_at_for_other_details_says_nothing_of_absence() {
    let all = [None, Some(desk(1, &[7])), Some(desk(2, &[7, 8])), Some(desk(3, &[8]))];
    let set_after = |before: usize, read: bool, now: usize| {
        let mut page = Page::default();
        page.look_for(all[before].as_ref());
        if read {
            message(&mut page, 1, b"plain");
        }
        page.look_for(all[now].as_ref());
        page.facts.set
    };
    assert_eq!(set_after(1, false, 2), 2, "nothing was read before");
    assert_eq!(set_after(1, true, 2), 1, "all of the first are looked for to the end");
    assert_eq!(set_after(2, true, 3), 0);
    assert_eq!(set_after(0, true, 1), 0, "what came before was not looked at");
    assert_eq!(set_after(1, true, 0), 0);
}

#[test]
fn what_a_later_part_tells_of_an_earlier_one_is_counted_there() {
    let mut page = Page::default();
    page.look_for(Some(&desk(1, &[7])));
    page.begin(1, Kind::Body { media: None, coding: None });
    page.decide(1, None);
    // Eight letters of the SHA-1 of the number: nothing without another hit.
    for text in ["{\"a\":1}", "{\"d\":\"97a21052\"}", "{\"b\":2}", "{\"imei\":\"490154203237518\"}"] {
        page.begin(1, Kind::Message);
        page.write(1, Class::Opaque, text.as_bytes());
        page.end(1);
    }
    page.decide(1, Some(Class::Opaque));
    page.close(1);
    let coverage = page.facts.coverage;
    assert_eq!((page.facts.hits.len(), coverage.found, coverage.searched), (2, 16 + 26, 7 + 7));
}

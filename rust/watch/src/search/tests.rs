use telltale_model::{Detail, DetailKind, DetailName, Details, Grade, Hit, Timestamp};
use zeroize::Zeroizing;

use super::{Needles, Part, Piece, Room};

/// Fictitious, of RFC 2606 and of ranges kept for fiction.
fn details(list: &[(DetailKind, &str)]) -> Details {
    let list = list.iter().enumerate().map(|(at, (kind, value))| {
        let number = 1 + list[..at].iter().filter(|(other, _)| other == kind).count();
        let name = DetailName { kind: *kind, number: number.try_into().unwrap(), id: at as u64 };
        Detail { name, value: Zeroizing::new((*value).to_owned()) }
    });
    Details { set: 1, list: list.collect(), ..Details::default() }
}

fn usual() -> Needles {
    Needles::new(&details(&[
        (DetailKind::Imei, "490154203237518"),
        (DetailKind::Imei, "356938035643809"),
        (DetailKind::Imsi, "404685505601234"),
        (DetailKind::Phone, "+91 98765 43210"),
        (DetailKind::Contact, "+1 202 5550143"),
        (DetailKind::Email, "zephyr.quill@example.com"),
        (DetailKind::AndroidId, "9774d56d682e549c"),
        (DetailKind::Mac, "02:00:5e:10:20:30"),
        (DetailKind::Carrier, "Airtel"),
        (DetailKind::Place, "52.51630,13.37770"),
    ]))
}

fn piece(part: Part<'_>) -> Piece<'_> {
    Piece { part, begins: true, ends: true, offset: 7, at: Timestamp(1_795_000_000_000_000) }
}

fn hits(needles: &Needles, parts: &[Part<'_>]) -> Vec<Hit> {
    let mut room = Room::default();
    let candidates: Vec<_> =
        parts.iter().flat_map(|part| needles.search(&piece(*part), &mut room).candidates).collect();
    needles.judge(&candidates, &[]).hits
}

/// Name, steps and field of each hit.
fn found(parts: &[Part<'_>]) -> Vec<String> {
    found_with(&usual(), parts)
}

fn found_with(needles: &Needles, parts: &[Part<'_>]) -> Vec<String> {
    let all = hits(needles, parts);
    let line = |hit: &Hit| {
        let form: Vec<_> = hit.form.iter().map(ToString::to_string).collect();
        let name = hit.detail.map_or_else(|| format!("<{}?>", hit.kind.name()), |name| name.to_string());
        let sure = if hit.grade == Grade::Yours { "" } else { "?" };
        format!("{name}{sure} {} {}", form.join(","), hit.field)
    };
    all.iter().map(line).collect()
}

fn get(target: &str) -> Part<'_> {
    Part::Head { method: b"GET", target: target.as_bytes(), fields: &[] }
}

fn body(text: &str) -> Part<'_> {
    Part::Body { media: None, coding: None, bytes: text.as_bytes() }
}

#[test]
fn the_requests_of_2014_are_found_as_reported_and_as_coded() {
    assert_eq!(
        found(&[get("/pass/user@id?type=MXPH&externalId=%2B919876543210")]),
        ["<phone 1>  query.externalId"]
    );
    assert_eq!(
        found(&[get("/pass/activate/dev/l6IQUjLsyHVvA6Ap/activating?imsi=3_Woa374L4uGL-Vb")]),
        ["<imei 1> sha1,base64url,cut16 path[4]", "<imsi 1> sha1,base64url,cut16 query.imsi"]
    );
    assert_eq!(found(&[body("MfRVY1oSJS-M7bOc")]), ["<imei 2> sha1,base64url,cut16 text"]);
    let act4 = "eyJpbWVpIjoiNDkwMTU0MjAzMjM3NTE4IiwiaW1zaSI6IjQwNDY4NTUwNTYwMTIzNCJ9";
    assert_eq!(
        found(&[body(&format!("d={act4}"))]),
        ["<imei 1> base64 form.d.json.imei", "<imsi 1> base64 form.d.json.imsi"]
    );
}

#[test]
fn digests_are_found_whole_and_cut() {
    let cases = [
        ("0eaed834a1e6f4b2bf0c024e0013dea1", "<imei 1> md5,hex json.d"),
        ("97A2105232ECC8756F03A029A839B97DED59207D", "<imei 1> sha1,hex json.d"),
        ("0eaed834a1e6f4b2", "<imei 1> md5,hex,cut16 json.d"),
        ("97a2105232ecc", "<imei 1> sha1,hex,cut13 json.d"),
        ("3_Woa374L4uGL-Vb", "<imsi 1> sha1,base64url,cut16 json.d"),
    ];
    for (token, expected) in cases {
        assert_eq!(found(&[body(&format!("{{\"d\":\"{token}\"}}"))]), [expected]);
    }
    assert_eq!(found(&[body("{\"d\":\"0eaed834\"}")]), Vec::<String>::new());
    assert_eq!(found(&[body("{\"imei\":\"0eaed834\"}")]), ["<imei 1>? md5,hex,cut8 json.imei"]);
}

#[test]
fn numbers_are_found_in_the_ways_in_which_people_write_them() {
    for number in ["+1 (202) 555-0143", "12025550143", "001-202-555-0143", "202.555.0143", "+1+202+5550143"] {
        assert_eq!(found(&[body(&format!("{{\"to\":\"{number}\"}}"))]), ["<contact 1>  json.to"], "{number}");
    }
    for other in
        ["12025550144", "1202555014", "912025550143", "0.2025550143", "a1b2025550143c", "20255501430"]
    {
        assert_eq!(found(&[body(&format!("{{\"to\":\"{other}\"}}"))]), Vec::<String>::new(), "{other}");
    }
}

#[test]
fn short_words_count_only_as_all_of_a_field() {
    let hosts = [(&b"Host"[..], &b"www.airtel.in"[..]), (b"User-Agent", b"Airtel")];
    let head = Part::Head { method: b"GET", target: b"/Airtel?a=airtel.in", fields: &hosts };
    assert_eq!(found(&[head]), Vec::<String>::new());
    assert_eq!(found(&[body("{\"a\":\"Airtel is here\",\"Airtel\":1}")]), Vec::<String>::new());
    assert_eq!(found(&[get("/x?carrier=airtel")]), ["<carrier 1>  query.carrier"]);
    assert_eq!(found(&[body("{\"net\":{\"carrier\":\"Airtel\"}}")]), ["<carrier 1>  json.net.carrier"]);
}

#[test]
fn an_address_is_not_part_of_another() {
    let needles = Needles::new(&details(&[(DetailKind::Email, "al@example.org")]));
    let of = |text: &str| hits(&needles, &[body(text)]).len();
    for other in
        ["sal@example.org", "j.al@example.org", "a+al@example.org", "al@example.org.uk", "al@example.org-x"]
    {
        assert_eq!(of(&format!("to: {other}")), 0, "{other}");
        assert_eq!(of(&format!("{{\"a\":\"{other}\"}}")), 0, "{other}");
    }
    for own in
        ["Write to al@example.org.", "<AL@example.org>", "a=al%40example.org&b=1", "mailto:al@example.org?x"]
    {
        assert_eq!(of(own), 1, "{own}");
    }
}

#[test]
fn a_place_needs_both_coordinates_in_one_structure() {
    assert_eq!(found(&[body("{\"loc\":{\"lat\":52.5170,\"lon\":13.3779}}")]), ["<place 1>  json.loc.lat"]);
    assert_eq!(found(&[body("{\"a\":{\"lat\":52.5170},\"b\":{\"lon\":13.3779}}")]), Vec::<String>::new());
    assert_eq!(found(&[get("/w?lat=52.52&lon=13.38")]), ["<place 1>?  query.lat"]);
    assert_eq!(found(&[get("/w?lat=52.5370&lon=13.3779")]), Vec::<String>::new());
}

#[test]
fn a_place_is_found_as_programs_keep_it() {
    let json = |lat: &str, lon: &str| {
        found(&[body(&format!("{{\"l\":{{\"{lat}\":525170000,\"{lon}\":133779000}}}}"))])
    };
    assert_eq!(json("latitudeE7", "longitudeE7"), ["<place 1>  json.l.latitudeE7"]);
    assert_eq!(json("lat", "lng"), ["<place 1>  json.l.lat"]);
    assert_eq!(json("a", "b"), Vec::<String>::new(), "any numbers");
    assert_eq!(found(&[get("/w?latE7=525170000&lonE7=133779000")]), ["<place 1>  query.latE7"]);
    let south = Needles::new(&details(&[(DetailKind::Place, "-33.86880,151.20930")]));
    let text = "{\"latE7\":-338690000,\"lonE7\":1512090000}";
    assert_eq!(hits(&south, &[body(text)]).len(), 1);
    assert_eq!(hits(&south, &[body(&text.replace('-', ""))]), [], "the other half of the Earth");

    let message = |fields: [Vec<u8>; 2]| {
        let [lat, lon] = fields;
        let all =
            [&b"\x0a\x04walk\x12"[..], &[u8::try_from(lat.len() + lon.len()).unwrap()], &lat, &lon].concat();
        found(&[Part::Body { media: None, coding: None, bytes: &all }])
    };
    let with = |tag: u8, bytes: &[u8]| [&[tag], bytes].concat();
    let doubles = [with(0x09, &52.5170_f64.to_le_bytes()), with(0x11, &13.3779_f64.to_le_bytes())];
    assert_eq!(message(doubles), ["<place 1> binary protobuf.2.1"]);
    let floats = [with(0x0d, &52.5170_f32.to_le_bytes()), with(0x15, &13.3779_f32.to_le_bytes())];
    assert_eq!(message(floats), ["<place 1> binary protobuf.2.1"]);
    let fixed = [with(0x0d, &525_170_000_i32.to_le_bytes()), with(0x15, &133_779_000_i32.to_le_bytes())];
    assert_eq!(message(fixed), ["<place 1> binary protobuf.2.1"]);
    // 525170000 and 133779000 as varints: any two numbers of a message may be these.
    let varints = [with(0x08, b"\xd0\xea\xb5\xfa\x01"), with(0x10, b"\xb8\x9c\xe5\x3f")];
    assert_eq!(message(varints), ["<place 1>? binary protobuf.2.1"]);
    let far = [with(0x09, &52.5370_f64.to_le_bytes()), with(0x11, &13.3779_f64.to_le_bytes())];
    assert_eq!(message(far), Vec::<String>::new());
}

#[test]
fn what_may_be_a_detail_and_is_not_told_supports_no_absence() {
    let numbers: Vec<_> =
        (0..30).map(|number| format!("+49 151 {:07}", 1_234_567 + number * 7_919)).collect();
    let mut list: Vec<_> = numbers.iter().map(|value| (DetailKind::Contact, value.as_str())).collect();
    list.push((DetailKind::Phone, "+49 1795 532520"));
    let needles = Needles::new(&details(&list));
    let doubts = |text: &str| {
        let candidates = needles.search(&piece(body(text)), &mut Room::default()).candidates;
        let judged = needles.judge(&candidates, &[]);
        (judged.hits.len(), judged.doubts)
    };
    assert_eq!(doubts("{\"x\":\"01511234567\"}"), (0, vec![7]), "a contact's, or a chance");
    assert_eq!(doubts("{\"x\":\"+491511234567\"}"), (1, vec![]));
    assert_eq!(doubts("{\"x\":\"01511234567\",\"y\":\"01511242486\"}"), (2, vec![]));
    assert_eq!(doubts("{\"t\":1795532520}"), (0, vec![7]), "a number, or a time");
    assert_eq!(doubts("{\"phone_ts\":1795532520}"), (0, vec![7]), "a field of a time");
    assert_eq!(doubts("{\"phone\":1795532520}"), (1, vec![]));
    assert_eq!(doubts("{\"x\":\"nothing\"}"), (0, vec![]));
}

#[test]
fn one_number_is_no_second_contact_of_its_own() {
    let mut numbers: Vec<_> =
        (0..30).map(|number| format!("+49 151 {:07}", 1_234_567 + number * 7_919)).collect();
    // The same digits at home in two countries.
    numbers.push("+43 151 1234567".to_owned());
    let list: Vec<_> = numbers.iter().map(|value| (DetailKind::Contact, value.as_str())).collect();
    let needles = Needles::new(&details(&list));
    let of = |text: &str| hits(&needles, &[body(text)]).len();
    assert_eq!(of("{\"x\":\"01511234567\"}"), 0);
    assert_eq!(of("{\"x\":\"01511234567\",\"y\":\"01511234567\"}"), 0);
    assert_eq!(of("{\"x\":\"01511234567\",\"y\":\"01511242486\"}"), 3);
}

#[test]
fn the_shape_of_another_number_in_the_same_field_is_told_too() {
    assert_eq!(
        found(&[body("imei: 490154203237518, imei: 352099001761481")]),
        ["<imei 1>  text", "<imei?>?  text"]
    );
    assert_eq!(found(&[body("imei: 490154203237518")]), ["<imei 1>  text"]);
}

#[test]
fn shapes_need_a_name_that_tells_or_the_prefix_of_ones_own_network() {
    assert_eq!(found(&[body("{\"imei\":\"352099001761481\"}")]), ["<imei?>?  json.imei"]);
    assert_eq!(found(&[body("{\"order\":\"352099001761481\"}")]), Vec::<String>::new());
    assert_eq!(found(&[body("{\"s\":\"404689999999999\"}")]), ["<imsi?>?  json.s"]);
    assert_eq!(found(&[get("/x?android_id=0011223344556677")]), ["<android_id?>?  query.android_id"]);
}

#[test]
fn fifteen_digits_that_begin_with_the_code_of_ones_own_carrier_look_like_an_imsi() {
    let shape = |code, digits: &str| {
        let needles = Needles::new(&Details { carrier_code: Some(code), ..details(&[]) });
        found_with(&needles, &[body(&format!("{{\"s\":\"{digits}\"}}"))])
    };
    assert_eq!(shape(40_445, "404459999999999"), ["<imsi?>?  json.s"]);
    assert_eq!(shape(310_260, "310260999999999"), ["<imsi?>?  json.s"]);
    assert_eq!(shape(310_260, "310261999999999"), Vec::<String>::new());
    assert_eq!(shape(40_445, "4044599999999999"), Vec::<String>::new(), "16 digits");
}

#[test]
fn a_long_value_within_a_longer_word_is_not_kept() {
    let needles = Needles::new(&details(&[(DetailKind::AndroidId, "9774d56d682e549c")]));
    assert_eq!(needles.redact("cookie.c9774d56d682e549ct").unwrap(), "cookie.c<android_id 1>t");
    let carrier = Needles::new(&details(&[(DetailKind::Carrier, "Grameenphone")]));
    assert_eq!(carrier.redact("www.grameenphone.com"), None, "a host is not secret");
    assert_eq!(usual().redact("json.2.490154203237518x").unwrap(), "json.2.<imei 1>x");
    assert_eq!(usual().redact("json.24901542032375181700000000").unwrap(), "json.2<imei 1>1700000000");
}

#[test]
fn what_is_kept_names_the_details() {
    let needles = usual();
    let redacted = |text| needles.redact(text).unwrap_or_else(|| "as it was".to_owned());
    assert_eq!(
        redacted("/pass/dev/l6IQUjLsyHVvA6Ap/x?n=%2B919876543210"),
        "/pass/dev/<imei 1>/x?n=<phone 1>"
    );
    assert_eq!(redacted("a=NDkwMTU0MjAzMjM3NTE4&b=Airtel"), "a=<imei 1>&b=<carrier 1>");
    assert_eq!(redacted("www.airtel.in"), "as it was");
    let hits = hits(&needles, &[body("{\"secret\":\"yes 12\",\"imei\":\"490154203237518\",\"b\":\"no\"}")]);
    assert_eq!(hits[0].excerpt, "{\"secret\":\"*** **\",\"imei\":\"<imei 1>\",\"b\":\"**\"}");
    assert_eq!(hits[0].offset, 7);
}

#[test]
fn what_is_not_understood_is_said() {
    let understood = |part| usual().search(&piece(part), &mut Room::default()).understood;
    let noise: Vec<u8> =
        (0..400u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    assert!(understood(body("{\"a\":\"plain\",\"h\":\"97a2105232ecc8756f03a029a839b97ded59207d\"}")));
    assert!(understood(get("/a/b?c=applicationVersion")));
    assert!(!understood(Part::Raw(&noise)));
    let hex: String = noise.iter().map(|byte| format!("{byte:02x}")).collect();
    let json = format!("{{\"d\":\"{hex}\"}}");
    assert!(!understood(body(&json)));
    assert!(!understood(Part::Body { media: Some(b"image/png"), coding: None, bytes: b"\x89PNG\r\n\x1a\n" }));
    assert!(!usual().search(&Piece { ends: false, ..piece(body("a")) }, &mut Room::default()).understood);
}

#[test]
fn above_twenty_contacts_a_number_of_home_alone_is_not_enough() {
    let numbers: Vec<_> =
        (0..30).map(|number| format!("+49 151 {:07}", 1_234_567 + number * 7_919)).collect();
    let needles = |count: usize| {
        let list: Vec<_> =
            numbers[..count].iter().map(|value| (DetailKind::Contact, value.as_str())).collect();
        Needles::new(&details(&list))
    };
    let of = |count: usize, text: &str| hits(&needles(count), &[body(text)]).len();
    let (home, abroad) = ("{\"x\":\"01511234567\"}", "{\"x\":\"+491511234567\"}");
    assert_eq!([of(20, home), of(21, home), of(21, abroad)], [1, 0, 1]);
    assert_eq!(of(21, "{\"phone\":\"01511234567\"}"), 1);
    assert_eq!(of(21, "{\"x\":\"01511234567\",\"y\":\"01511242486\"}"), 2);
}

#[test]
fn five_thousand_contacts_fit() {
    let mut list = vec![(DetailKind::Imei, "490154203237518".to_owned())];
    list.extend(
        (0..5_000).map(|number| (DetailKind::Contact, format!("+49 151 {:07}", number * 1_999 % 10_000_000))),
    );
    let list: Vec<_> = list.iter().map(|(kind, value)| (*kind, value.as_str())).collect();
    let needles = Needles::new(&details(&list));
    assert!(needles.held() < 8 << 20, "{} bytes", needles.held());
    let of = |text: &str| hits(&needles, &[body(text)]).len();
    // A number of home alone may be anyone's among so many.
    assert_eq!(of("{\"x\":\"01510001999\"}"), 0);
    assert_eq!(of("{\"phone\":\"01510001999\"}"), 1);
    assert_eq!(of("{\"x\":\"+491510001999\"}"), 1);
    assert_eq!(of("{\"x\":\"01510001999\",\"y\":\"01510003998\"}"), 2);
}

#[test]
fn a_list_of_apps_is_eight_of_them() {
    let names: Vec<_> = (0..9).map(|number| format!("org.example.app{number}")).collect();
    let list: Vec<_> = names.iter().map(|name| (DetailKind::Package, name.as_str())).collect();
    let needles = Needles::new(&details(&list));
    let judged = |count: usize, own: &[&str]| {
        let text = format!("{:?}", &names[..count]);
        let candidates = needles.search(&piece(body(&text)), &mut Room::default()).candidates;
        needles.judge(&candidates, own).hits.len()
    };
    assert_eq!([judged(7, &[]), judged(8, &[]), judged(8, &["org.example.app0"])], [0, 1, 0]);
}

#[test]
fn however_often_a_detail_stands_in_a_text_none_is_kept() {
    let needles = usual();
    let often = |times: usize| format!("/{}", "490154203237518/".repeat(times));
    assert_eq!(needles.redact(&often(30)).unwrap(), format!("/{}", "<imei 1>/".repeat(30)));
    assert!(!needles.redact(&often(2_000)).unwrap().contains("490154203237518"));
}

#[test]
fn what_of_a_head_is_not_looked_at_is_not_called_understood() {
    let needles = usual();
    let search = |target: &str, fields: &[(&[u8], &[u8])]| {
        let part = Part::Head { method: b"GET", target: target.as_bytes(), fields };
        needles.search(&piece(part), &mut Room::default())
    };
    assert_eq!(search("imei=490154203237518", &[]).candidates.len(), 1, "a target that is no path");
    assert!(search(&"/a".repeat(128), &[]).understood && !search(&"/a".repeat(129), &[]).understood);
    let field: (&[u8], &[u8]) = (b"x-a", b"1");
    assert!(search("/", &[field; 256]).understood && !search("/", &[field; 257]).understood);
}

fn understood(part: Part<'_>) -> bool {
    usual().search(&piece(part), &mut Room::default()).understood
}

/// Base64 of it, so many times over.
fn in_base64(text: &str, times: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..times).fold(text.to_owned(), |text, _| {
        let letter = |three: &[u8], place: usize| {
            let bits =
                (0..3).fold(0, |bits, at| bits << 8 | usize::from(three.get(at).copied().unwrap_or(0)));
            if place <= three.len() { char::from(LETTERS[bits >> (18 - 6 * place) & 63]) } else { '=' }
        };
        text.as_bytes().chunks(3).flat_map(|three| (0..4).map(|place| letter(three, place))).collect()
    })
}

#[test]
fn what_lies_deeper_than_is_looked_is_not_called_understood() {
    for (times, hits, searched) in [(3, 1, true), (4, 0, false)] {
        let text = format!("{{\"d\":\"{}\"}}", in_base64("490154203237518", times));
        assert_eq!((found(&[body(&text)]).len(), understood(body(&text))), (hits, searched), "{times} times");
    }
}

#[test]
fn a_digest_in_a_field_of_a_message_is_understood() {
    let digest: Vec<u8> =
        (0..32_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    let message = [&b"\x0a\x04text\x22\x20"[..], &digest].concat();
    let of = |bytes| understood(Part::Body { media: None, coding: None, bytes });
    assert!(of(&message) && !of(&digest));
}

#[test]
fn what_stands_more_often_than_is_kept_is_not_called_understood() {
    let often = |text: &str, times: usize| understood(body(&format!("[{}]", text.repeat(times))));
    for text in [
        "\"490154203237518\",",
        "\"97a2105232ecc8756f03a029a839b97ded59207d\",",
        "\"imei\":\"352099001761481\",",
    ] {
        assert!(often(text, 16) && !often(text, 17), "{text}");
    }
}

#[test]
fn a_plus_is_a_space_in_forms() {
    let needles =
        Needles::new(&details(&[(DetailKind::Word, "Zephyr Quill"), (DetailKind::Name, "Ann Lee")]));
    for text in ["w=Zephyr+Quill&n=Ann+Lee", "w=zephyr%20quill&n=ann%20lee"] {
        let target = format!("/a?{text}");
        assert_eq!(hits(&needles, &[get(&target)]).len(), 2, "{text}");
        assert_eq!(hits(&needles, &[body(text)]).len(), 2, "{text}");
        assert_eq!(needles.redact(&target).unwrap(), "/a?w=<word 1>&n=<name 1>");
    }
}

#[test]
fn a_form_is_one_where_its_type_says_so() {
    let text = "n=Airtel&note=a b c&imei=490154203237518";
    let form = |media: &'static [u8]| {
        let part = Part::Body { media: Some(media), coding: None, bytes: text.as_bytes() };
        found(&[part])
    };
    let expected = ["<carrier 1>  form.n", "<imei 1>  form.imei"];
    assert_eq!(form(b"Application/x-www-form-urlencoded; charset=utf-8"), expected);
    assert_eq!(form(b"text/plain"), ["<imei 1>  text"]);
}

#[test]
fn the_same_bytes_are_told_once_in_the_simplest_form() {
    let needles = Needles::new(&details(&[
        (DetailKind::AndroidId, "9f3c1e7ab2465d08"),
        (DetailKind::Mac, "02:00:5e:10:20:30"),
        (DetailKind::AdvertisingId, "38400000-8cf0-11bd-b23e-10b96e40000d"),
        (DetailKind::Imei, "356938035643809"),
        (DetailKind::ImeiSv, "3569380356438091"),
    ]));
    let of = |text: &str| -> Vec<String> {
        let form = |hit: &Hit| hit.form.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let all = hits(&needles, &[body(text)]);
        all.iter().map(|hit| format!("{} [{}] {}", hit.kind.name(), form(hit), hit.field)).collect()
    };
    assert_eq!(of("{\"a\":\"9f3c1e7ab2465d08\"}"), ["android_id [] json.a"]);
    assert_eq!(of("{\"a\":\"02005E102030\"}"), ["mac [] json.a"]);
    assert_eq!(of("{\"a\":\"384000008cf011bdb23e10b96e40000d\"}"), ["advertising_id [] json.a"]);
    assert_eq!(of("{\"a\":\"3569380356438091\"}"), ["imei_sv [] json.a"]);
    assert_eq!(of("{\"a\":\"{\\\"imei\\\":\\\"356938035643809\\\"}\"}"), ["imei [] json.a.json.imei"]);
    assert_eq!(of("{\"a\":\"ff9f3c1e7ab2465d08\"}"), ["android_id [binary,hex] json.a"]);
}

#[test]
fn a_value_of_hexadecimal_digits_is_not_part_of_longer_ones() {
    let needles = Needles::new(&details(&[
        (DetailKind::Serial, "0123456789ab"),
        (DetailKind::AndroidId, "9f3c1e7ab2465d08"),
    ]));
    let of = |text: &str| hits(&needles, &[body(text)]).iter().filter(|hit| hit.form.is_empty()).count();
    assert_eq!(of("d41d8cd98f0123456789abb204e980 9f3c1e7ab2465d08ec"), 0);
    assert_eq!(of("sn=0123456789AB id_9f3c1e7ab2465d08 0x9f3c1e7ab2465d08"), 3 - 1, "a field once");
}

#[test]
fn all_of_a_request_line_is_searched() {
    let head = |method: &'static [u8], target: &'static [u8]| {
        found(&[Part::Head { method, target, fields: &[(b"", b"356938035643809")] }])
    };
    assert_eq!(head(b"490154203237518", b"/"), ["<imei 1>  method", "<imei 2>  header"]);
    let whole = head(b"GET", b"http://490154203237518.example:81/a?imsi=404685505601234");
    assert_eq!(whole, ["<imei 1>  header.host", "<imsi 1>  query.imsi", "<imei 2>  header"]);
}

use super::*;

use telltale_model::Direction::{Received, Sent};

/// Header with these flags and counts of questions and answers; then a question for this name, and the
/// records.
fn message(flags: u16, question: &[u8], kind: u16, records: &[&[u8]]) -> Vec<u8> {
    let [high, low] = flags.to_be_bytes();
    let header = [0x12, 0x34, high, low, 0, 1, 0, u8::try_from(records.len()).unwrap(), 0, 0, 0, 0];
    [&header[..], question, &kind.to_be_bytes(), b"\0\x01", &records.concat()].concat()
}

const QUERY: u16 = 0x0100;
const ANSWER: u16 = 0x8180;
const WWW: &[u8] = b"\x03wWw\x07Example\0";
/// The name at offset 12 has the address 192.0.2.7.
const A: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";
/// The name at offset 12 has the address 2001:db8::7.
const AAAA: &[u8] = b"\xc0\x0c\0\x1c\0\x01\0\0\0\x3c\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07";
const TO_CDN: &[u8] = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x05\x03cdn\0";
/// An answer over two aliases, of both families.
fn long_answer() -> Vec<u8> {
    let second: &[u8] = b"\x03CDN\0\0\x05\0\x01\0\0\0\x3c\0\x06\x04edge\0";
    let address: &[u8] = b"\x04edge\0\0\x01\0\x01\0\0\0\x3c\0\x04\xc6\x33\x64\x09";
    message(ANSWER, WWW, 1, &[address, second, TO_CDN])
}

fn found(message: &[u8]) -> Option<(String, Vec<String>)> {
    let mut session = Dns::over_udp(Dialect::Internet, true);
    session.read(Received, message, &mut Page::default());
    let answer = session.take_answers().into_iter().next();
    answer.map(|answer| (answer.name, answer.addresses.iter().map(IpAddr::to_string).collect()))
}

fn over_udp(dialect: Dialect, datagrams: &[(Direction, Vec<u8>)]) -> (Facts, Vec<Answer>) {
    let (mut session, mut page) = (Dns::over_udp(dialect, true), Page::default());
    for (direction, bytes) in datagrams {
        assert_eq!(session.take(*direction, bytes, &mut page), Step::On);
    }
    session.end(&mut page);
    (page.facts, session.take_answers())
}

fn lookups(facts: &Facts) -> Vec<String> {
    let line = |lookup: &Lookup| {
        let mut words = vec![lookup.query.clone(), lookup.kind.clone()];
        words.extend(lookup.answered.then(|| "->".to_owned()));
        words.extend(lookup.addresses.iter().map(IpAddr::to_string));
        words.extend(lookup.others.iter().cloned());
        words.join(" ")
    };
    facts.lookups.iter().map(line).collect()
}

fn names(facts: &Facts) -> Vec<&str> {
    facts.names.iter().map(|name| name.name.as_str()).collect()
}

#[test]
fn the_order_of_aliases_does_not_matter_and_others_are_left_out() {
    let record = |name: &str, data| Record { name: name.into(), kind: 5, data, bytes: &[] };
    let alias = |name: &str, target: &str| record(name, Data::Alias(target.into()));
    let answers = [
        alias("c.example", "d.example"),
        alias("x.example", "y.example"),
        alias("b.example", "c.example"),
        record("d.example", Data::Names("end".into())),
        alias("a.example", "b.example"),
        alias("d.example", "a.example"),
    ];
    let question = Question { name: "a.example".into(), kind: 1 };
    let found: Vec<_> = belonging(&question, &answers).iter().map(|record| record.name.as_str()).collect();
    assert_eq!(found, ["c.example", "b.example", "d.example", "a.example", "d.example"]);
}

#[test]
fn a_question_and_its_answer_are_one_lookup_whatever_the_case() {
    let (facts, answers) = over_udp(
        Dialect::Internet,
        &[
            (Sent, message(QUERY, WWW, 1, &[])),
            (Received, message(ANSWER, b"\x03www\x07eXAMPLE\0", 1, &[A, A])),
        ],
    );
    assert_eq!(lookups(&facts), ["www.example A -> 192.0.2.7"]);
    assert_eq!((names(&facts), facts.application), (vec!["www.example"], Some(Application::Dns)));
    assert_eq!(facts.coverage.handshake, facts.coverage.total());
    assert_eq!((facts.coverage.total(), facts.content_sent), (29, 0));
    assert_eq!(answers.len(), 1);
}

#[test]
fn both_families_are_read_and_the_name_is_in_lower_case() {
    let found = found(&message(ANSWER, WWW, 1, &[A, AAAA])).unwrap();
    assert_eq!(found, ("www.example".into(), vec!["192.0.2.7".into(), "2001:db8::7".into()]));
}

#[test]
fn aliases_are_followed_in_any_order_to_the_name_that_was_asked_for() {
    assert_eq!(found(&long_answer()).unwrap(), ("www.example".into(), vec!["198.51.100.9".into()]));
    let (facts, _) = over_udp(Dialect::Internet, &[(Received, long_answer())]);
    assert_eq!(lookups(&facts), ["www.example A -> 198.51.100.9 edge cdn"]);
    let stranger: &[u8] = b"\x04edge\0\0\x01\0\x01\0\0\0\x3c\0\x04\xc6\x33\x64\x09";
    assert_eq!(found(&message(ANSWER, WWW, 1, &[stranger])), None, "not what was asked for");
    let circle: &[u8] = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x02\xc0\x0c";
    assert_eq!(found(&message(ANSWER, WWW, 1, &[circle])), None);
}

#[test]
fn an_error_and_an_empty_answer_are_answers_without_addresses() {
    for reply in [message(ANSWER, WWW, 1, &[]), message(ANSWER | 3, WWW, 1, &[A])] {
        assert_eq!(found(&reply), None);
        let (facts, _) = over_udp(Dialect::Internet, &[(Received, reply)]);
        assert!(facts.lookups[0].answered);
    }
}

#[test]
fn an_https_record_tells_its_hints_under_the_name_without_port_and_scheme() {
    let record: &[u8] = b"\xc0\x0c\0\x41\0\x01\0\0\0\x3c\0\x16\0\x01\0\0\x01\0\x03\x02h3\
        \0\x04\0\x04\xc0\0\x02\x07\0\x05\0\0";
    let reply = message(ANSWER, b"\x05_8443\x06_https\x01a\x07example\0", 65, &[record]);
    let (facts, answers) = over_udp(Dialect::Internet, &[(Received, reply)]);
    assert_eq!(
        lookups(&facts),
        ["_8443._https.a.example HTTPS -> 192.0.2.7 1 . alpn=h3 ipv4hint=192.0.2.7 ech"]
    );
    assert_eq!(answers[0].name, "a.example");
}

#[test]
fn each_cut_of_a_message_is_read_as_far_as_it_goes() {
    let whole = message(ANSWER, WWW, 1, &[A, AAAA]);
    let read = |len: usize| Message::read(&whole[..len], vec![], true).map(|message| message.answers.len());
    assert_eq!((0..=whole.len()).map(read).position(|read| read.is_some()), Some(29));
    assert_eq!(read(29 + A.len() - 1), Some(0));
    assert_eq!(read(29 + A.len()), Some(1));
    assert_eq!(read(whole.len()), Some(2));
}

#[test]
fn odd_bytes_in_a_name_are_written_as_numbers() {
    let odd = message(QUERY, b"\x05a.\x1b\\\xff\x01b\0", 16, &[]);
    let (facts, _) = over_udp(Dialect::Internet, &[(Sent, odd), (Sent, message(QUERY, b"\0", 2, &[]))]);
    assert_eq!(lookups(&facts), ["a\\.\\027\\\\\\255.b TXT", ". NS"]);
}

#[test]
fn what_is_no_message_is_content_and_carries_no_name() {
    let noise = [&b""[..], b"\0", &[0xff; 12], &[0xc0; 600], &[0; 17], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"];
    for bytes in noise {
        let (facts, answers) = over_udp(Dialect::Internet, &[(Sent, bytes.to_vec())]);
        assert_eq!((facts.names.len(), facts.lookups.len(), answers.len()), (0, 0, 0), "{bytes:?}");
        assert_eq!((facts.coverage.opaque, facts.content_sent), (bytes.len() as u64, bytes.len() as u64));
    }
}

#[test]
fn what_is_no_dns_is_content_wherever_it_stands() {
    let counted = |facts: &Facts| (facts.coverage.handshake, facts.coverage.opaque, facts.content_sent);
    let question = message(QUERY, WWW, 1, &[]);
    let noise = vec![0xa5; 300];
    let behind = [&question[..], &noise].concat();
    let len = question.len() as u64;
    let (facts, _) = over_udp(Dialect::Internet, &[(Sent, behind.clone())]);
    assert_eq!(counted(&facts), (len, 300, 300), "behind a message");
    let (facts, _) = over_udp(Dialect::Internet, &[(Sent, [&question[..], &[0; 300]].concat())]);
    assert_eq!(counted(&facts), (len + 300, 0, 0), "zeros say nothing");
    let mut more = message(QUERY, WWW, 1, &[]);
    more[11] = 1;
    more.extend(b"\0\0\x29\x10\0\0\0\x80\0\0\0");
    let (facts, _) = over_udp(Dialect::Internet, &[(Sent, more.clone())]);
    assert_eq!(counted(&facts), (more.len() as u64, 0, 0), "EDNS is a record");
    more[11] = 2;
    let (facts, _) = over_udp(Dialect::Internet, &[(Sent, more.clone())]);
    assert_eq!(counted(&facts), (more.len() as u64, 0, 0), "one record is lacking");

    let stream = framed(&[question, noise, behind, more]);
    let expected = (2 + len + 2 + 2 + len + 2 + len + 11, 600, 600);
    for piece in [1, 7, 100, stream.len()] {
        let pieces: Vec<_> = stream.chunks(piece).map(|piece| (Sent, piece)).collect();
        assert_eq!(counted(&over_tcp(&pieces)), expected, "in pieces of {piece}");
    }
    let cut = over_tcp(&[(Sent, &stream[..stream.len() - 1])]);
    assert_eq!(counted(&cut), (expected.0 - 2 - len - 11, 600 + 2 + len + 10, 600 + 2 + len + 10));
    let long = over_tcp(&[(Sent, &framed(&[vec![0; 60_000]]))]);
    assert_eq!(counted(&long), (2, 60_000, 60_000));
}

#[test]
fn what_nobody_reads_of_a_message_is_no_framing() {
    let counted = |bytes: &[u8]| {
        let (facts, _) = over_udp(Dialect::Multicast, &[(Sent, bytes.to_vec())]);
        (facts.coverage.handshake, facts.coverage.opaque, facts.content_sent)
    };
    let with = |counts: [u8; 4], rest: &[u8]| {
        let header = [0, 0, 0x84, 0, 0, counts[0], 0, counts[1], 0, counts[2], 0, counts[3]];
        [&header[..], rest].concat()
    };
    let question = b"\x01a\0\0\x01\0\x01";
    assert_eq!(counted(&with([36, 0, 0, 0], &question.repeat(36))), (12 + 32 * 7, 4 * 7, 4 * 7));
    let record = |data: &[u8], kind| {
        [&[1, b'a', 0, 0, kind, 0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()], data].concat()
    };
    let pointer = record(b"\x01b\0", 12);
    let (len, text) = (pointer.len() as u64, record(b"\x05a=bcd", 16));
    assert_eq!(counted(&with([0, 40, 0, 0], &pointer.repeat(40))), (12 + 32 * len, 8 * len, 8 * len));
    for counts in [[0, 1, 40, 0], [0, 1, 0, 40]] {
        let all = [&pointer[..], &pointer.repeat(40)].concat();
        assert_eq!(counted(&with(counts, &all)), (12 + 33 * len, 8 * len, 8 * len));
    }
    let all = [&pointer[..], &text.repeat(3)].concat();
    assert_eq!(counted(&with([0, 1, 1, 2], &all)), (12 + all.len() as u64, 0, 0), "text is read");
    let strings = record(&b"\x01x".repeat(70), 16);
    assert_eq!(counted(&with([0, 1, 0, 0], &strings)), (12 + strings.len() as u64 - 6, 6, 6), "of 70 64");
    for (data, opaque) in [([0xa5; 64], 0), ([0; 64], 0)] {
        let null = record(&data, 10);
        assert_eq!(counted(&with([0, 1, 0, 0], &null)).1, opaque, "a digest, or nothing");
    }
    assert_eq!(counted(&with([0, 1, 0, 0], &record(&[0xa5; 100], 10))), (12 + 13, 100, 100));
}

#[test]
fn an_answer_is_believed_where_it_may_come_from() {
    const NEAR: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\xa8\x01\x05";
    let having = |dialect, direction, name: &[u8], address: &[u8]| {
        let (_, answers) = over_udp(dialect, &[(direction, message(ANSWER, name, 1, &[address]))]);
        answers.into_iter().next().map(|answer| answer.name)
    };
    let named = |dialect, direction, name: &[u8]| {
        let address = if dialect == Dialect::Internet { A } else { NEAR };
        having(dialect, direction, name, address)
    };
    let (printer, single) = (b"\x07printer\x05local\0", b"\x07printer\0");
    assert_eq!(named(Dialect::Internet, Received, WWW).as_deref(), Some("www.example"));
    assert_eq!(named(Dialect::Internet, Sent, WWW), None, "an app that answers itself");
    for direction in [Sent, Received] {
        assert_eq!(named(Dialect::Multicast, direction, WWW), None, "a neighbour does not name the Internet");
        assert_eq!(named(Dialect::Multicast, direction, printer).as_deref(), Some("printer.local"));
        assert_eq!(named(Dialect::Llmnr, direction, WWW), None);
        assert_eq!(named(Dialect::Llmnr, direction, single).as_deref(), Some("printer"));
    }
    for (name, dialect) in [(&printer[..], Dialect::Multicast), (single, Dialect::Llmnr)] {
        for address in [A, AAAA] {
            assert_eq!(having(dialect, Received, name, address), None, "an address of the Internet");
        }
    }
    let (facts, _) = over_udp(Dialect::Multicast, &[(Received, message(ANSWER, WWW, 1, &[A]))]);
    assert_eq!(lookups(&facts), ["www.example A -> 192.0.2.7"], "it was said all the same");
}

#[test]
fn an_answer_names_only_what_was_asked_for() {
    let answer = || (Received, message(ANSWER, WWW, 1, &[A]));
    let query = |name, kind| (Sent, message(QUERY, name, kind, &[]));
    let learned = |on_port, datagrams: &[(Direction, Vec<u8>)]| {
        let (mut session, mut page) = (Dns::over_udp(Dialect::Internet, on_port), Page::default());
        datagrams.iter().for_each(|(direction, bytes)| {
            session.take(*direction, bytes, &mut page);
        });
        session.take_answers().len()
    };
    for on_port in [true, false] {
        let others = (0..20).map(|_| query(b"\x01b\0", 1)).collect::<Vec<_>>();
        assert_eq!(learned(on_port, &[query(b"\x03www\x07EXAMPLE\0", 1), answer()]), 1, "in any case");
        assert_eq!(learned(on_port, &[&[query(WWW, 1)][..], &others, &[answer()]].concat()), 1);
        assert_eq!(learned(on_port, &[(Sent, b"hi".to_vec()), answer()]), 0);
        assert_eq!(learned(on_port, &[query(b"\x01b\0", 1), answer()]), 0, "another name");
        assert_eq!(learned(on_port, &[query(WWW, 28), answer()]), 0, "another kind");
        assert_eq!(learned(on_port, &[answer(), query(WWW, 1)]), usize::from(on_port), "unseen");
    }
    let (mut session, mut page) = (Dns::over_udp(Dialect::Internet, true), Page::default());
    session.take(Sent, &query(b"\x01b\0", 1).1, &mut page);
    session.miss(Sent, 29, &mut page);
    session.take(Received, &answer().1, &mut page);
    assert_eq!(session.take_answers().len(), 1, "what was missed may have asked for it");
}

#[test]
fn what_is_told_of_a_flow_of_long_answers_is_bounded() {
    let (mut session, mut page) = (Dns::over_udp(Dialect::Internet, true), Page::default());
    let tail = [&[63][..], &[0xff; 63]].concat().repeat(3);
    for number in 0..2_000_u16 {
        let [high, low] = number.to_be_bytes();
        let name = [&[3, b'n', high, low][..], &tail, &[0]].concat();
        let record = |nth: u8| {
            let data = [&[3, nth, high, low, 0xc0, 16][..]].concat();
            [&b"\xc0\x0c\0\x0c\0\x01\0\0\0\x3c\0"[..], &[u8::try_from(data.len()).unwrap()], &data].concat()
        };
        let records: Vec<Vec<u8>> = (0..32).map(record).collect();
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        session.take(Received, &message(ANSWER, &name, 12, &records), &mut page);
    }
    let texts = page.facts.lookups.iter().flat_map(|lookup| lookup.others.iter().chain([&lookup.query]));
    let bytes: usize = texts.map(String::len).sum();
    assert!((10_000..200_000).contains(&bytes), "{bytes}");
    assert!(session.held() < 256 << 10, "{}", session.held());
}

#[test]
fn multicast_answers_come_without_questions_and_are_no_names_of_the_internet() {
    let answer: &[u8] =
        b"\0\0\x84\0\0\0\0\x02\0\0\0\0\x0b_googlecast\x04_tcp\x05local\0\0\x0c\0\x01\0\0\0\x78\
        \0\x05\x02TV\xc0\x0c\x02tv\xc0\x1d\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\xa8\x01\x05";
    let (facts, answers) = over_udp(Dialect::Multicast, &[(Received, answer.to_vec())]);
    assert_eq!(
        lookups(&facts),
        ["_googlecast._tcp.local PTR -> tv._googlecast._tcp.local", "tv.local A -> 192.168.1.5"]
    );
    assert_eq!((names(&facts), facts.application), (vec![], Some(Application::Mdns)));
    assert_eq!(answers[0].name, "tv.local");
}

#[test]
fn netbios_names_are_told_in_clear() {
    let query = message(0x0110, b"\x20EJFDEBFEEBFACACACACACACACACACAAA\0", 32, &[]);
    let (facts, _) = over_udp(Dialect::NetBios, &[(Sent, query)]);
    assert_eq!((lookups(&facts), names(&facts)), (vec!["isatap NB".to_owned()], vec![]));
}

#[test]
fn a_flow_of_thousands_of_names_is_told_by_its_first_ones() {
    let (mut session, mut page) = (Dns::over_udp(Dialect::Internet, true), Page::default());
    for number in 0..3_000_u16 {
        let [high, low] = number.to_be_bytes();
        let name = [3, b'n', high, low, 0];
        session.take(Received, &message(ANSWER, &name, 1, &[A]), &mut page);
        assert_eq!(session.take_answers().len(), 1);
    }
    assert_eq!((page.facts.names.len(), page.facts.lookups.len()), (Facts::NAMES, Facts::NAMES));
    assert_eq!(
        page.facts.lookups.last().unwrap().addresses.len(),
        1,
        "later answers do not fall to the last"
    );
}

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    let frame =
        |message: &Vec<u8>| [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat();
    messages.iter().flat_map(frame).collect()
}

fn over_tcp(pieces: &[(Direction, &[u8])]) -> Facts {
    let (mut session, mut page) = (Dns::over_tcp(true), Page::default());
    for (direction, piece) in pieces {
        session.take(*direction, piece, &mut page);
        assert!(session.held() <= 16 << 10, "{}", session.held());
    }
    session.end(&mut page);
    page.facts
}

#[test]
fn a_stream_gives_the_same_in_any_pieces() {
    let long = [long_answer(), vec![0; 20_000]].concat();
    let sent = framed(&[message(QUERY, WWW, 1, &[]), vec![], message(QUERY, b"\x01b\0", 28, &[])]);
    let received = framed(&[long, message(ANSWER, b"\x01b\0", 28, &[AAAA])]);
    let whole = over_tcp(&[(Sent, &sent), (Received, &received)]);
    assert_eq!(lookups(&whole), ["www.example A -> 198.51.100.9 edge cdn", "b AAAA -> 2001:db8::7"]);
    assert_eq!((whole.coverage.handshake, whole.coverage.total()), (sent.len() as u64, sent.len() as u64));
    for len in [1, 2, 3, 7, 100, 1_448] {
        let mut pieces: Vec<_> = sent.chunks(len).map(|piece| (Sent, piece)).collect();
        pieces.extend(received.chunks(len).map(|piece| (Received, piece)));
        assert_eq!(over_tcp(&pieces), whole, "in pieces of {len}");
    }
}

#[test]
fn a_gap_costs_the_message_that_it_is_in_or_all_behind_it() {
    let messages = [message(QUERY, WWW, 1, &[]), message(QUERY, b"\x01b\0", 1, &[])];
    let bytes = framed(&messages);
    let with_gap = |from: usize, len: usize, told: u64| {
        let (mut session, mut page) = (Dns::over_tcp(true), Page::default());
        session.take(Sent, &bytes[..from], &mut page);
        session.miss(Sent, told, &mut page);
        session.take(Sent, &bytes[from + len..], &mut page);
        assert_eq!(page.facts.coverage.total(), (bytes.len() - len) as u64);
        lookups(&page.facts)
    };
    assert_eq!(with_gap(20, 5, 5), ["b A"]);
    assert_eq!(with_gap(20, 11, 11), ["b A"], "all the rest of it");
    assert!(with_gap(20, 5, 0).is_empty(), "nobody knows how much is missing");
    assert!(with_gap(20, 15, 15).is_empty(), "and the next length with it");
}

#[test]
fn dns_is_recognised_on_any_port_from_the_first_to_the_last_byte() {
    let edns: &[u8] = b"\0\0\x29\x10\0\0\0\x80\0\0\0";
    let mut query = message(QUERY | 0x20, WWW, 65, &[]);
    assert_eq!(looks_like(&query), Likeness::Yes);
    query[11] = 1;
    query.extend(edns);
    assert_eq!(looks_like(&query), Likeness::Yes);
    assert_eq!(looks_like(&long_answer()), Likeness::Yes);
    for cut in 0..query.len() {
        assert_eq!(looks_like(&query[..cut]), Likeness::No, "cut at {cut}");
    }
    assert_eq!(looks_like(&[&query[..], b"\0"].concat()), Likeness::No);
    assert_eq!(looks_like(&message(QUERY, WWW, 4_000, &[])), Likeness::No, "a kind that nobody knows");
}

#[test]
fn a_stream_is_recognised_once_its_first_message_is_here() {
    let bytes = framed(&[message(QUERY, WWW, 1, &[])]);
    for cut in 0..bytes.len() {
        assert_eq!(looks_like_stream(&bytes[..cut], false), Likeness::Maybe, "cut at {cut}");
    }
    assert_eq!(looks_like_stream(&bytes, false), Likeness::Yes);
    assert_eq!(looks_like_stream(b"\x16\x03\x01\0\x01", true), Likeness::Maybe);
    let json = b"{\"imei\":\"490154203237518\"}\n";
    assert_eq!(looks_like_stream(&json[..13], false), Likeness::Maybe);
    assert_eq!(
        looks_like_stream(&json[..14], false),
        Likeness::No,
        "a message of 31,522 bytes, but its header"
    );
    assert_eq!(looks_like_stream(&[b"GET / HTTP/1.1\r\n", &[b'a'; 300][..]].concat(), true), Likeness::No);
    let long = framed(&[[long_answer(), vec![0; 20_000]].concat()]);
    assert_eq!(looks_like_stream(&long[..100], true), Likeness::Yes, "the question is here");
}

#[test]
fn no_damage_makes_the_reader_panic_or_lose_count() {
    let whole = message(ANSWER, WWW, 1, &[TO_CDN, A, AAAA]);
    let mut random: u32 = 1;
    for _ in 0..50_000 {
        let mut damaged = whole.clone();
        for _ in 0..3 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [high, low, byte, _] = random.to_be_bytes();
            let at = usize::from(u16::from_be_bytes([high, low])) % damaged.len();
            damaged[at] = byte;
        }
        let (facts, _) = over_udp(Dialect::Internet, &[(Sent, damaged.clone())]);
        assert_eq!(facts.coverage.total(), damaged.len() as u64);
        agrees_with_another_reader(&damaged);
    }
    agrees_with_another_reader(&whole);
    agrees_with_another_reader(&long_answer());
}

/// Wherever `simple-dns` can read a message, both read the same questions and addresses.
fn agrees_with_another_reader(bytes: &[u8]) {
    use simple_dns::rdata::RData;
    let Ok(other) = simple_dns::Packet::parse(bytes) else { return };
    let Some(ours) = Message::read(bytes, vec![], true) else { return };
    let text = |name: &simple_dns::Name<'_>| {
        let mut text = Vec::new();
        for label in name.as_bytes() {
            text.extend_from_slice(if text.is_empty() { b"" } else { b"." });
            crate::name_text::push_label(&mut text, label);
        }
        if text.is_empty() { ".".to_owned() } else { String::from_utf8(text).unwrap() }
    };
    let questions: Vec<_> = ours.questions.iter().map(|question| question.name.clone()).collect();
    assert_eq!(questions, other.questions.iter().map(|question| text(&question.qname)).collect::<Vec<_>>());
    let others = other.answers.iter().filter_map(|record| {
        if let RData::A(address) = &record.rdata {
            return Some(IpAddr::from(address.address.to_be_bytes()));
        }
        let RData::AAAA(address) = &record.rdata else { return None };
        Some(IpAddr::from(address.address.to_be_bytes()))
    });
    let ours = ours
        .answers
        .iter()
        .filter_map(|record| if let Data::Address(address) = &record.data { Some(*address) } else { None });
    // It takes the first bytes of an address that is too long; we take none.
    let others: Vec<IpAddr> = others.collect();
    assert!(ours.into_iter().all(|address| others.contains(&address)), "{others:?}");
}

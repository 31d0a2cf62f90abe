use super::*;
use crate::limits;
use crate::page::Means;

use telltale_model::Direction::{Received, Sent};
use telltale_model::{Coverage, Detail, DetailKind, DetailName, Details, Form, Grade};

use crate::pieces::{Pieces, Random, Turns, facts_in_any_pieces};

fn key(protocol: Protocol, port: u16) -> FlowKey {
    FlowKey {
        protocol,
        app: "198.19.84.1:40000".parse().unwrap(),
        remote: format!("192.0.2.7:{port}").parse().unwrap(),
    }
}

fn facts(key: FlowKey, pieces: &[(Direction, &[u8])]) -> Facts {
    let mut conversation = Conversation::new(key);
    for (direction, piece) in pieces {
        conversation.take(*direction, piece);
        assert!(conversation.held() <= (16 << 10) + conversation.page.held() + size_of::<Conversation>());
    }
    conversation.end();
    conversation.into_facts()
}

/// The same bytes in pieces of many sizes; all must give the same, and with details to look for the same pieces
/// to be searched.
fn in_all_pieces(key: FlowKey, whole: &[(Direction, &[u8])]) -> Facts {
    let expected = facts(key, whole);
    let (searched, seen) = searched_of(key, whole);
    assert_eq!(
        (searched.coverage.total(), searched.content_sent),
        (expected.coverage.total(), expected.content_sent)
    );
    assert_eq!(searched.coverage.handshake, expected.coverage.handshake);
    let sent: usize =
        whole.iter().filter(|(direction, _)| *direction == Sent).map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(expected.coverage.total(), sent as u64);
    for len in [1, 2, 5, 13, 100, 536, 1_448] {
        let pieces: Vec<_> = whole
            .iter()
            .flat_map(|(direction, bytes)| bytes.chunks(len).map(|piece| (*direction, piece)))
            .collect();
        assert_eq!(facts(key, &pieces), expected, "in pieces of {len}");
        assert_eq!(
            searched_of(key, &pieces),
            (searched.clone(), seen.clone()),
            "searched in pieces of {len}"
        );
    }
    expected
}

/// Details that are nowhere.
fn details() -> Details {
    let name = DetailName { kind: DetailKind::Imei, number: 1, id: 7 };
    Details {
        set: 9,
        list: vec![Detail { name, value: String::from("490154203237518").into() }],
        ..Details::default()
    }
}

/// The facts, and what was handed over to be searched.
fn searched_of(key: FlowKey, pieces: &[(Direction, &[u8])]) -> (Facts, Vec<String>) {
    let desk = Desk::new(&details(), &Arc::default()).unwrap();
    let mut conversation = Conversation::new(key);
    conversation.look_for(Some(&desk));
    for (direction, piece) in pieces {
        conversation.take(*direction, piece);
    }
    conversation.end();
    let seen = desk.seen.lock().unwrap().clone();
    (conversation.into_facts(), seen)
}

fn seen(port: u16, pieces: &[(Direction, &[u8])]) -> Vec<String> {
    in_all_pieces(key(Protocol::Tcp, port), pieces);
    searched_of(key(Protocol::Tcp, port), pieces).1
}

const QUERY: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01";

#[test]
fn dns_is_read_over_udp_and_tcp_and_on_other_ports() {
    for port in [53, 4_343] {
        let facts = facts(key(Protocol::Udp, port), &[(Sent, QUERY)]);
        assert_eq!((facts.application, facts.names.len()), (Some(Application::Dns), 1));
    }
    let framed = [&[0, 27][..], QUERY].concat();
    for port in [53, 4_343] {
        let facts = in_all_pieces(key(Protocol::Tcp, port), &[(Sent, &framed), (Received, &framed)]);
        assert_eq!((facts.application, facts.names.len()), (Some(Application::Dns), 1));
        assert_eq!((facts.content_sent, facts.coverage.handshake), (0, 29));
    }
}

#[test]
fn multicast_dns_is_told_apart_by_its_port() {
    let facts = facts(key(Protocol::Udp, 5353), &[(Sent, QUERY)]);
    assert_eq!((facts.application, facts.names.len(), facts.lookups.len()), (Some(Application::Mdns), 0, 1));
}

#[test]
fn a_protocol_that_is_named_is_counted() {
    let key_exchange = [&[0, 0, 11, 180, 7, 20][..], &[7; 2_994]].concat();
    let facts = in_all_pieces(
        key(Protocol::Tcp, 22),
        &[(Received, b"SSH-2.0-server\r\n"), (Sent, b"SSH-2.0-client\r\n"), (Sent, &key_exchange)],
    );
    assert_eq!(facts.application, Some(Application::Ssh));
    assert_eq!((facts.coverage.handshake, facts.coverage.encrypted, facts.content_sent), (16, 3_000, 3_000));
}

#[test]
fn whoever_only_begins_like_a_protocol_that_encrypts_is_not_said_to_be_encrypted() {
    let text = b"plain imei=490154203237518 text here\n".repeat(50);
    let greeted = in_all_pieces(key(Protocol::Tcp, 22), &[(Sent, b"SSH-2.0-foo\r\n"), (Sent, &text)]);
    assert_eq!((greeted.coverage.encrypted, greeted.coverage.opaque), (0, text.len() as u64));
    let cut = in_all_pieces(key(Protocol::Tcp, 22), &[(Sent, b"SSH-2.0-foo\r\nabc")]);
    assert_eq!((cut.coverage.encrypted, cut.coverage.total()), (0, 16));
    let record = [&[0x17, 3, 3, 0x40, 0][..], &text].concat();
    let facts = in_all_pieces(key(Protocol::Tcp, 7_000), &[(Sent, &record)]);
    assert_eq!((facts.application, facts.coverage.encrypted), (None, 0), "no connection begins so");
}

#[test]
fn a_call_has_handshakes_and_media() {
    let stun = b"\0\x01\0\0\x21\x12\xa4\x42abcdefghijkl";
    let dtls = [&b"\x17\xfe\xfd\0\x01\0\0\0\0\0\x07\0\x25"[..], &[7; 37]].concat();
    let facts = facts(key(Protocol::Udp, 9_999), &[(Sent, stun), (Sent, &[0x80; 200]), (Sent, &dtls)]);
    assert_eq!(facts.application, Some(Application::Stun));
    assert_eq!((facts.coverage.handshake, facts.coverage.opaque, facts.coverage.encrypted), (20, 200, 50));
}

#[test]
fn wifi_calling_goes_on_from_ike_to_esp() {
    let ike = b"\0\0\0\0spi-of-i\0\0\0\0\0\0\0\0\x21\x20\x22\x08\0\0\0\0\0\0\0\x1c";
    let facts = facts(key(Protocol::Udp, 4_500), &[(Sent, ike), (Sent, &[9; 100]), (Sent, &[0xff])]);
    assert_eq!(facts.application, Some(Application::Esp));
    assert_eq!((facts.coverage.handshake, facts.content_sent), (33, 100));
}

#[test]
fn what_nobody_knows_is_unknown_content() {
    let text = b"me and you and a dog named boo\n".repeat(300);
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        let facts = facts(key(protocol, 7_000), &[(Sent, &text), (Received, b"what?\n"), (Sent, b"bye\n")]);
        assert_eq!((facts.application, facts.names.len()), (None, 0));
        assert_eq!((facts.coverage.unknown, facts.content_sent), (9_304, 9_304));
    }
    in_all_pieces(key(Protocol::Tcp, 7_000), &[(Sent, &text), (Received, b"what?\n"), (Sent, b"bye\n")]);
}

#[test]
fn bytes_that_decide_nothing_are_counted_at_the_end() {
    let facts = facts(key(Protocol::Tcp, 7_000), &[(Sent, b"S"), (Received, b"?")]);
    assert_eq!((facts.coverage.unknown, facts.content_sent), (1, 1));
    let facts = in_all_pieces(key(Protocol::Udp, 7_000), &[(Sent, b""), (Received, b"")]);
    assert_eq!(facts, Facts::default());
}

#[test]
fn missing_bytes_are_content_that_was_not_watched_and_what_follows_is_looked_at_anew() {
    let mut conversation = Conversation::new(key(Protocol::Tcp, 53));
    conversation.take(Sent, b"\xff\xff noise");
    conversation.miss(Sent, 100);
    conversation.take(Sent, &[&[0, 27][..], QUERY].concat());
    conversation.end();
    let facts = conversation.into_facts();
    assert_eq!((facts.coverage.not_watched, facts.coverage.total(), facts.content_sent), (100, 137, 108));
    assert_eq!(facts.names[0].name, "a.example");
}

#[test]
fn what_is_undecided_behind_connect_is_counted_at_the_end() {
    let connect = b"CONNECT a.example:80 HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let facts = in_all_pieces(
        key(Protocol::Tcp, 53),
        &[
            (Sent, connect),
            (Received, b"HTTP/1.1 200 OK\r\n\r\n"),
            (Sent, b"GET / HTTP/1.1\r\nHost: b.example\r\n\r\n"),
        ],
    );
    let names: Vec<&str> = facts.names.iter().map(|name| name.name.as_str()).collect();
    assert_eq!(names, ["a.example", "b.example"]);
}

#[test]
fn a_game_of_changes_ends_where_it_does_for_any_split() {
    let connects: Vec<String> =
        (1..9).map(|host| format!("CONNECT {host}.example:443 HTTP/1.1\r\n\r\n")).collect();
    let answer = b"HTTP/1.1 200 OK\r\n\r\n";
    let mut one_by_one = Conversation::new(key(Protocol::Tcp, 443));
    for connect in &connects {
        one_by_one.take(Sent, connect.as_bytes());
        one_by_one.take(Received, answer);
    }
    let mut at_once = Conversation::new(key(Protocol::Tcp, 443));
    at_once.take(Sent, connects.concat().as_bytes());
    at_once.take(Received, &answer.repeat(connects.len()));
    for conversation in [&mut one_by_one, &mut at_once] {
        conversation.end();
    }
    assert_eq!(one_by_one.facts(), at_once.facts());
    assert!((1..connects.len()).contains(&at_once.facts().names.len()), "{:?}", at_once.facts().names);
}

/// A ClientHello for this host, in one record.
fn client_hello(host: &str) -> Vec<u8> {
    let vector = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let name = [&[0][..], &vector(host.as_bytes())].concat();
    let extensions = vector(&[&[0, 0][..], &vector(&vector(&name))].concat());
    let body = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0], &extensions].concat();
    let message = [&[1, 0][..], &vector(&body)].concat();
    [&[22, 3, 1][..], &vector(&message)].concat()
}

#[test]
fn what_is_spoken_inside_tls_is_told_by_its_name_and_port() {
    for (port, host, expected) in [
        (443, "dns.google", Application::Doh),
        (443, "www.example", Application::Tls),
        (8_443, "dns.google", Application::Tls),
        (853, "resolver.example", Application::Dot),
        (5_228, "mtalk.google.com", Application::Fcm),
        (5_228, "www.example", Application::Tls),
    ] {
        let hello = client_hello(host);
        let data = [&[23, 3, 3, 0, 100][..], &[9; 100]].concat();
        let facts = in_all_pieces(key(Protocol::Tcp, port), &[(Sent, &hello), (Sent, &data)]);
        assert_eq!((facts.application, facts.names[0].name.as_str()), (Some(expected), host));
    }
}

#[test]
fn tls_behind_starttls_and_behind_connect_is_read() {
    let hello = client_hello("inner.example");
    let mail: [(Direction, &[u8]); 5] = [
        (Received, b"220 mail.example ESMTP\r\n"),
        (Sent, b"EHLO me\r\n"),
        (Received, b"250-mail.example\r\n250 STARTTLS\r\n"),
        (Sent, b"STARTTLS\r\n"),
        (Received, b"220 go\r\n"),
    ];
    let facts = in_all_pieces(key(Protocol::Tcp, 25), &[&mail[..], &[(Sent, &hello)]].concat());
    assert_eq!((facts.application, facts.names[0].name.as_str()), (Some(Application::Tls), "inner.example"));
    let connect: [(Direction, &[u8]); 3] = [
        (Sent, b"CONNECT outer.example:443 HTTP/1.1\r\nHost: outer.example\r\n\r\n"),
        (Received, b"HTTP/1.1 200 OK\r\n\r\n"),
        (Sent, &hello),
    ];
    let facts = in_all_pieces(key(Protocol::Tcp, 3_128), &connect);
    let names: Vec<&str> = facts.names.iter().map(|name| name.name.as_str()).collect();
    assert_eq!((facts.application, names), (Some(Application::Tls), vec!["outer.example", "inner.example"]));
}

#[test]
fn a_database_is_told_by_its_greeting_and_read_no_further_unless_it_goes_on_in_tls() {
    let greeting = b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff";
    let database = key(Protocol::Tcp, 3_306);
    let login = [&[40, 0, 0, 1, 0x85, 0xa6][..], &[7; 38]].concat();
    let clear = in_all_pieces(database, &[(Received, greeting), (Sent, &login), (Received, b"\x07\0\0\x02")]);
    assert_eq!((clear.application, clear.coverage.opaque), (Some(Application::MySql), 44));
    let wish = [&[32, 0, 0, 1, 0x85, 0xae][..], &[0; 30]].concat();
    let hello = client_hello("db.example");
    let tls = in_all_pieces(database, &[(Received, greeting), (Sent, &wish), (Sent, &hello)]);
    assert_eq!((tls.application, tls.names[0].name.as_str()), (Some(Application::Tls), "db.example"));
    assert_eq!(tls.coverage.handshake, (wish.len() + hello.len()) as u64);
}

#[test]
fn a_postgres_client_that_wishes_for_tls_gets_its_name() {
    let database = key(Protocol::Tcp, 5_432);
    let wish: &[u8] = &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let hello = client_hello("db.example");
    let tls = in_all_pieces(database, &[(Sent, wish), (Received, b"S"), (Sent, &hello)]);
    assert_eq!((tls.application, tls.names[0].name.as_str()), (Some(Application::Tls), "db.example"));
    assert_eq!((tls.coverage.handshake, tls.content_sent), ((8 + hello.len()) as u64, 0));
    let startup = b"\0\0\0\x13\0\x03\0\0user\0anna\0\0";
    let clear = in_all_pieces(database, &[(Sent, wish), (Received, b"N"), (Sent, startup)]);
    assert_eq!((clear.application, clear.coverage.opaque), (Some(Application::PostgreSql), 19));
}

#[test]
fn tls_is_found_behind_the_consent_of_a_protocol_that_nobody_reads() {
    // RFC 4511 4.14: LDAP's StartTLS, and its answer. RFC 1928 4 to 6: SOCKS.
    let start_tls = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
    let answer = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0";
    let hello = client_hello("inner.example");
    let ldap = in_all_pieces(
        key(Protocol::Tcp, 389),
        &[(Sent, start_tls), (Received, answer), (Sent, &hello), (Received, b"\x16\x03\x03\0\x02\x02\0")],
    );
    assert_eq!((ldap.application, ldap.names[0].name.as_str()), (Some(Application::Tls), "inner.example"));
    assert_eq!((ldap.coverage.unknown, ldap.coverage.handshake), (31, hello.len() as u64));
    let socks = in_all_pieces(
        key(Protocol::Tcp, 1_080),
        &[
            (Sent, b"\x05\x01\0"),
            (Received, b"\x05\0"),
            (Sent, b"\x05\x01\0\x01\xc0\0\x02\x07\x01\xbb"),
            (Received, b"\x05\0\0\x01\xc0\0\x02\x01\x9c\x40"),
            (Sent, &hello),
        ],
    );
    assert_eq!((socks.application, socks.names.len()), (Some(Application::Tls), 1));
    let within = in_all_pieces(
        key(Protocol::Tcp, 9_999),
        &[(Sent, b"\x05file"), (Received, b"ok"), (Sent, &[b"pcap", &hello[..]].concat())],
    );
    assert_eq!((within.application, within.names.len()), (None, 0), "it stands in what is carried");
}

/// A flow whose beginning is lacking, in pieces of all sizes.
fn torn_in_all_pieces(whole: &[(Direction, Vec<u8>)]) -> Facts {
    let read = |len: usize, details: &Details| {
        let mut conversation = Conversation::looking_for(key(Protocol::Tcp, 443), details);
        conversation.miss(whole[0].0, 0);
        for (direction, bytes) in whole {
            bytes.chunks(len).for_each(|piece| conversation.take(*direction, piece));
        }
        conversation.end();
        conversation.into_facts()
    };
    let (expected, searched) = (read(usize::MAX, &Details::default()), read(usize::MAX, &details()));
    for len in [1, 2, 5, 13, 100, 1_448] {
        assert_eq!(read(len, &Details::default()), expected, "in pieces of {len}");
        assert_eq!(read(len, &details()), searched, "searched in pieces of {len}");
    }
    assert_eq!(searched.coverage, expected.coverage);
    expected
}

#[test]
fn tls_that_is_seen_from_the_middle_of_a_record_on_is_told_and_encrypted() {
    let record = |len: u16| [&[23, 3, 3][..], &len.to_be_bytes(), &vec![0xa5; len.into()]].concat();
    let rest = [vec![0xc3; 1_000], record(2_000), record(500), record(40)].concat();
    let sent = torn_in_all_pieces(&[(Sent, rest.clone())]);
    assert_eq!((sent.application, sent.coverage.unknown), (Some(Application::Tls), 0));
    assert_eq!((sent.coverage.encrypted, sent.coverage.handshake), (rest.len() as u64 - 5, 5));
    let request = record(300);
    let received = torn_in_all_pieces(&[(Received, rest.clone()), (Sent, request.clone())]);
    assert_eq!((received.application, received.coverage.encrypted), (Some(Application::Tls), 300));
    assert_eq!(
        facts(key(Protocol::Tcp, 443), &[(Sent, &rest)]).application,
        None,
        "a file with records in it"
    );
}

#[test]
fn what_was_asked_over_dnscrypt_is_encrypted() {
    let answer = [&b"r6fnvWj8"[..], &[0xa5; 300]].concat();
    let facts = facts(key(Protocol::Udp, 443), &[(Sent, &[0xa5; 512]), (Received, &answer)]);
    assert_eq!((facts.application, facts.coverage.encrypted), (Some(Application::DnsCrypt), 512));
}

#[test]
fn dnscrypt_over_tcp_is_told_by_the_answer() {
    let question = [&324_u16.to_be_bytes()[..], &[0xa5; 324]].concat();
    let answer = [&308_u16.to_be_bytes()[..], b"r6fnvWj8", &[0xa5; 300]].concat();
    let said: [(Direction, &[u8]); 3] = [(Sent, &question), (Received, &answer), (Sent, &question)];
    let facts = in_all_pieces(key(Protocol::Tcp, 443), &said);
    assert_eq!((facts.application, facts.coverage.encrypted), (Some(Application::DnsCrypt), 652));
    let other = [&324_u16.to_be_bytes()[..], &[0xa5; 324]].concat();
    let facts =
        in_all_pieces(key(Protocol::Tcp, 443), &[(Sent, &other), (Received, b"\x01\x02other answer")]);
    assert_eq!(facts.application, None);
}

#[test]
fn an_http_request_is_searched_as_head_body_and_trailers() {
    let pieces: [(Direction, &[u8]); 2] = [
        (
            Sent,
            b"POST /a?b=1 HTTP/1.1\r\nHost: x.example\r\nContent-Type: application/json\r\n\
            Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n5\r\n\":1}\n\r\n0\r\nSum: 7\r\n\r\n\
            GET /next HTTP/1.1\r\n\r\n",
        ),
        (Received, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 204 No\r\n\r\n"),
    ];
    assert_eq!(
        seen(80, &pieces),
        [
            "0 head /a?b=1 Host=x.example Content-Type=application/json Transfer-Encoding=chunked",
            "101 body application/json - {\"a\":1}\n",
            "122 head  Sum=7",
            "132 head /next ",
        ]
    );
}

#[test]
fn a_body_that_ends_early_or_has_a_gap_is_no_whole() {
    let head = b"PUT /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n";
    let body = [(Sent, &head[..]), (Sent, b"12345")];
    assert_eq!(seen(80, &body)[1], "39 body - - 12345...");
    let desk = Desk::new(&details(), &Arc::default()).unwrap();
    let mut conversation = Conversation::new(key(Protocol::Tcp, 80));
    conversation.look_for(Some(&desk));
    conversation.take(Sent, head);
    conversation.take(Sent, b"123");
    conversation.miss(Sent, 4);
    conversation.take(Sent, b"890");
    conversation.take(Sent, b"GET / HTTP/1.1\r\n\r\n");
    conversation.end();
    let coverage = conversation.facts().coverage;
    assert_eq!((coverage.not_watched, coverage.total()), (4, 39 + 10 + 18));
    assert_eq!(desk.seen.lock().unwrap()[1..], ["39 body - - 123...", "46 ...raw 890", "49 head / "]);
}

#[test]
fn a_head_is_searched_as_soon_as_it_is_whole() {
    let desk = Desk::new(&details(), &Arc::default()).unwrap();
    let mut conversation = Conversation::new(key(Protocol::Tcp, 80));
    conversation.look_for(Some(&desk));
    conversation.take(Sent, b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n");
    assert_eq!(desk.seen.lock().unwrap().len(), 1);
}

#[test]
fn a_long_body_takes_a_place_and_is_searched_in_pieces_where_there_is_none() {
    let head = b"PUT /a HTTP/1.1\r\nContent-Length: 300000\r\n\r\n";
    let body = vec![b'x'; 300_000];
    let lengths = |means: &Arc<Means>| {
        let desk = Desk::new(&details(), means).unwrap();
        let mut conversation = Conversation::new(key(Protocol::Tcp, 80));
        conversation.look_for(Some(&desk));
        for piece in [&head[..], &body].concat().chunks(1_448) {
            conversation.take(Sent, piece);
            assert!(conversation.held() < 32 << 10);
        }
        conversation.end();
        assert_eq!(conversation.facts().coverage.total(), 300_000 + head.len() as u64);
        let seen = desk.seen.lock().unwrap();
        let bodies = seen.iter().skip(1).map(|piece| piece.bytes().filter(|byte| *byte == b'x').count());
        bodies.collect::<Vec<_>>()
    };
    let means = Arc::<Means>::default();
    assert_eq!(lengths(&means), [limits::PART, 300_000 - limits::PART + limits::OVERLAP]);
    let desk = Desk::new(&details(), &means).unwrap();
    let places: Vec<_> = (0..limits::PARTS).map(|_| desk.place().unwrap()).collect();
    let small = lengths(&means);
    assert!(small.len() > 70 && small.iter().all(|len| *len <= limits::SMALL_PART));
    assert_eq!(small.iter().sum::<usize>(), 300_000 + (small.len() - 1) * limits::OVERLAP);
    drop(places);
    assert_eq!(lengths(&means).len(), 2);
}

#[test]
fn messages_of_a_web_socket_are_searched_unmasked_and_joined() {
    let frame = |first: u8, payload: &[u8]| {
        let mask = [1, 2, 3, 4];
        let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        [vec![first, 0x80 | u8::try_from(payload.len()).unwrap()], mask.to_vec(), masked].concat()
    };
    let frames =
        [frame(1, b"{\"a\":"), frame(0x89, b"ping"), frame(0x80, b"1}"), frame(0x82, b"\x08\x01")].concat();
    let upgrade = b"GET /s HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    let pieces: [(Direction, &[u8]); 3] = [(Sent, upgrade), (Received, answer), (Sent, &frames)];
    let (control, text, binary) = ("77 message ping", "66 message {\"a\":1}", "95 message \u{8}\u{1}");
    assert_eq!(seen(80, &pieces)[1..], [control, text, binary]);
}

#[test]
fn streams_of_http2_are_searched_apart() {
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let len = u8::try_from(payload.len()).unwrap();
        [&[0, 0, len, kind, flags, 0, 0, 0, stream][..], payload].concat()
    };
    // :method POST, :path /index.html, content-type without indexing.
    let fields = b"\x83\x85\x0f\x10\x0aapplication"[..5].to_vec();
    let fields = [&fields[..], b"text/plain"].concat();
    let sent = [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        &frame(4, 0, 0, b""),
        &frame(1, 4, 1, &fields),
        &frame(1, 4, 3, &fields),
        &frame(0, 0, 1, b"one "),
        &frame(0, 1, 3, b"three"),
        &frame(0, 1, 1, b"more"),
    ]
    .concat();
    let seen = seen(80, &[(Sent, &sent)]);
    let contents: Vec<_> = seen.iter().map(|piece| piece.split_once(' ').unwrap().1).collect();
    let head = "head /index.html content-type=text/plain";
    assert_eq!(contents, [head, head, "body text/plain - three", "body text/plain - one more"]);
}

#[test]
fn what_is_asked_of_the_dns_or_named_in_a_hello_is_searched_and_stays_framing() {
    let framed = [&[0, 27][..], QUERY].concat();
    assert_eq!(seen(53, &[(Sent, &framed), (Received, &framed)]), ["0 question a.example"]);
    assert_eq!(
        seen(443, &[(Sent, &client_hello("b.example"))])[0].split_once(' ').unwrap().1,
        "question b.example"
    );
}

#[test]
fn a_name_with_a_detail_in_it_is_found_and_framing_no_longer() {
    let details = details();
    let name = "490154203237518.b.example";
    let hello = client_hello(name);
    let mut conversation = Conversation::looking_for(key(Protocol::Tcp, 443), &details);
    conversation.take(Sent, &hello);
    conversation.end();
    let facts = conversation.facts();
    let Coverage { found, handshake, .. } = facts.coverage;
    assert_eq!((found, facts.content_sent), (name.len() as u64, name.len() as u64));
    assert_eq!(found + handshake, hello.len() as u64);
    assert_eq!(facts.hits.iter().map(|hit| hit.hello).collect::<Vec<_>>(), [true]);

    let question = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x0f490154203237518\x07example\0\0\x01\0\x01";
    for (protocol, sent) in
        [(Protocol::Udp, question.to_vec()), (Protocol::Tcp, [&[0, 41][..], question].concat())]
    {
        let mut conversation = Conversation::looking_for(key(protocol, 53), &details);
        conversation.take(Sent, &sent);
        conversation.end();
        let Coverage { found, handshake, .. } = conversation.facts().coverage;
        assert_eq!((found, found + handshake), (23, sent.len() as u64), "{protocol:?}");
        assert!(!conversation.facts().hits[0].hello);
    }
}

#[test]
fn details_in_records_of_any_section_and_in_options_are_found() {
    let details = details();
    let imei: &[u8] = b"490154203237518";
    let string = [b"\x18deviceid=".as_slice(), imei].concat();
    let number = 490_154_203_237_518_u64.to_be_bytes();
    let record = |kind: u8, data: &[u8]| {
        [&[0, 0, kind, 0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()], data].concat()
    };
    let option = |value: &[u8]| [&[0xfd, 0xe9, 0, u8::try_from(value.len()).unwrap()], value].concat();
    let announced = [b"\0\0\x84\0\0\0\0\x01\0\0\0\x01\x01a\0".as_slice(), &record(12, b"\x01b\0")[1..]];
    let edns = |value: &[u8]| {
        let question = [&QUERY[..11], &[1], &QUERY[12..]].concat();
        [question, record(41, &option(value))].concat()
    };
    for (port, sent, found) in [
        (5_353, [&announced.concat()[..], &record(16, &string)].concat(), 24),
        (
            5_353,
            [&announced.concat()[..], &record(33, &[b"\0\0\0\0\0\x50\x0f", imei, b"\0"].concat())].concat(),
            22,
        ),
        (53, edns(imei), 15),
        (53, edns(&number), 8),
    ] {
        let mut conversation = Conversation::looking_for(key(Protocol::Udp, port), &details);
        conversation.take(Sent, &sent);
        conversation.end();
        let facts = conversation.facts();
        let Coverage { found: bytes, handshake, .. } = facts.coverage;
        assert_eq!((facts.hits.len(), bytes, bytes + handshake), (1, found, sent.len() as u64), "{found}");
    }
}

#[test]
fn mail_is_searched_between_replies_and_what_nobody_knows_in_pieces() {
    let mail: [(Direction, &[u8]); 5] = [
        (Received, b"220 mail.example ESMTP\r\n"),
        (Sent, b"EHLO me\r\n"),
        (Received, b"250-mail.example\r\n250 HELP\r\n"),
        (Sent, b"MAIL FROM:<a@b>\r\nRCPT"),
        (Sent, b" TO:<c@d>\r\n"),
    ];
    assert_eq!(seen(25, &mail), ["0 message EHLO me\r\n", "9 message MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"]);
    let unknown: [(Direction, &[u8]); 3] = [(Sent, b"\x01one "), (Received, b"?"), (Sent, b"two")];
    assert_eq!(seen(7_000, &unknown), ["0 raw \u{1}one ...", "0 ...raw \u{1}one two"]);
}

#[test]
fn what_an_app_sends_in_clear_is_searched_whatever_it_is_answered() {
    let stun = b"\0\x01\0\0\x21\x12\xa4\x42abcdefghijkl";
    let mut random = Random(3);
    let packed: Vec<u8> = (0..9_000).map(|_| u8::try_from(random.below(1 << 24) >> 16).unwrap()).collect();
    let reset = b"\x38sessions\0\0\0\0\0";
    let (line, field) = (b"imei=490154203237518\n", b"7 imei=\"490154203237518\"");
    let cases: [(Protocol, &Pieces<'_>); 5] = [
        (Protocol::Tcp, &[(Received, &packed), (Sent, line)]),
        (Protocol::Tcp, &[(Sent, b"GET packed\n"), (Received, &packed), (Sent, line)]),
        (Protocol::Udp, &[(Sent, stun), (Received, stun), (Sent, field)]),
        (Protocol::Udp, &[(Received, reset), (Sent, field)]),
        (Protocol::Tcp, &[(Received, b"SSH-2.0-server\r\n"), (Sent, line)]),
    ];
    for (place, (protocol, pieces)) in cases.into_iter().enumerate() {
        if protocol == Protocol::Tcp {
            in_all_pieces(key(protocol, 7_000), pieces);
        }
        let (facts, _) = searched_of(key(protocol, 7_000), pieces);
        assert_eq!(facts.hits.len(), 1, "case {place}");
        assert_eq!(facts.coverage.encrypted, 0, "case {place}");
    }
}

#[test]
fn a_line_of_a_protocol_that_nobody_knows_is_told_as_soon_as_it_is_answered() {
    let desk = Desk::new(&details(), &Arc::default()).unwrap();
    let mut conversation = Conversation::new(key(Protocol::Tcp, 7_000));
    conversation.look_for(Some(&desk));
    let line = b"{\"imei\":\"490154203237518\",\"n\":1}\n";
    conversation.take(Sent, line);
    conversation.take(Received, b"{}\n");
    let facts = conversation.facts();
    // More of it may follow: it is found, and not called understood.
    assert_eq!((facts.hits.len(), facts.coverage.unknown), (1, line.len() as u64));
}

#[test]
fn no_cut_end_or_damage_changes_what_is_counted_where_details_are_looked_for() {
    let turns: [Turns; 3] = [
        vec![
            (Sent, b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbodyPUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx:y\r\n\r\n".to_vec()),
            (Received, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()),
            (Sent, b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ],
        vec![
            (Received, b"220 mail.example ESMTP\r\n".to_vec()),
            (Sent, b"EHLO me\r\nMAIL FROM:<a@b>\r\n".to_vec()),
            (Received, b"250 ok\r\n".to_vec()),
            (Sent, b"DATA\r\n".to_vec()),
        ],
        vec![(Sent, b"\x01 some \xff text".to_vec()), (Received, b"?".to_vec()), (Sent, b"more".to_vec())],
    ];
    for turns in turns {
        facts_in_any_pieces(&turns, |pieces| searched_of(key(Protocol::Tcp, 7_000), pieces).0);
    }
}

#[test]
fn gaps_anywhere_change_nothing_of_what_is_counted() {
    let request = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n0123456789012345678901234567890123456789\
        PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx:y\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    let mut random = Random(3);
    for _ in 0..3_000 {
        let mut plain = Conversation::new(key(Protocol::Tcp, 80));
        let mut looking = Conversation::looking_for(key(Protocol::Tcp, 80), &details());
        let (mut rest, mut sent) = (request.repeat(2), 0);
        while !rest.is_empty() {
            let piece: Vec<u8> = rest.drain(..(1 + random.below(60)).min(rest.len())).collect();
            let gap = random.below(5) == 0;
            let told = if random.below(3) == 0 { 0 } else { piece.len() as u64 };
            sent += if gap { told } else { piece.len() as u64 };
            for conversation in [&mut plain, &mut looking] {
                match gap {
                    true => conversation.miss(Sent, told),
                    false => conversation.take(Sent, &piece),
                }
            }
            if random.below(9) == 0 {
                looking.look_for(Desk::new(&Details { set: sent, ..details() }, &Arc::default()).as_ref());
            }
        }
        [&mut plain, &mut looking].into_iter().for_each(Conversation::end);
        let (plain, mut looking) = (plain.into_facts(), looking.into_facts());
        assert_eq!((looking.coverage.total(), looking.content_sent), (sent, plain.content_sent));
        for request in &mut looking.requests {
            assert!(std::mem::take(&mut request.looked).total() <= request.body);
        }
        assert_eq!(looking.requests, plain.requests);
    }
}

#[test]
fn details_that_are_given_or_taken_back_later_lose_no_byte() {
    let request = b"POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789GET / HTTP/1.1\r\n\r\n";
    for at in 0..request.len() {
        for looks in [true, false] {
            let desk = Desk::new(&details(), &Arc::default());
            let mut conversation = Conversation::new(key(Protocol::Tcp, 80));
            conversation.look_for(desk.as_ref().filter(|_| !looks));
            let (before, after) = request.split_at(at);
            conversation.take(Sent, before);
            let read = conversation.facts().coverage.searched > 0;
            conversation.look_for(desk.as_ref().filter(|_| looks));
            conversation.take(Sent, after);
            conversation.end();
            let facts = conversation.into_facts();
            let set = if looks && !read { 9 } else { 0 };
            assert_eq!((facts.coverage.total(), facts.set), (request.len() as u64, set));
        }
    }
}

/// The details of a request as phones of 2014 sent it, and of one of today.
fn of_2014() -> Details {
    let detail = |kind, id, value: &str| {
        let name = DetailName { kind, number: 1, id };
        Detail { name, value: value.to_owned().into() }
    };
    let list = vec![
        detail(DetailKind::Imei, 1, "490154203237518"),
        detail(DetailKind::Imsi, 2, "404685505601234"),
        detail(DetailKind::Email, 3, "zephyr.quill@example.com"),
    ];
    Details { set: 9, list, ..Details::default() }
}

fn looked(pieces: &[(Direction, &[u8])], size: usize) -> Facts {
    let mut conversation = Conversation::looking_for(key(Protocol::Tcp, 80), &of_2014());
    for (direction, bytes) in pieces {
        bytes.chunks(size).for_each(|piece| conversation.take(*direction, piece));
    }
    conversation.end();
    conversation.into_facts()
}

#[test]
fn what_a_request_carries_is_found_and_nothing_that_is_kept_repeats_it() {
    let request =
        b"POST /pass/activate/dev/l6IQUjLsyHVvA6Ap/activating?mail=zephyr.quill%40example.com HTTP/1.1\r\n\
        Host: 490154203237518.x.example\r\nUser-Agent: Phone/1 (IMEI 490154203237518)\r\n\
        Cookie: 490154203237518=1; b=2\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n\
        {\"imsi\":\"404685505601234\"}";
    let hello = client_hello("490154203237518.y.example");
    let facts = looked(&[(Sent, request)], 9_999);
    for size in [1, 7, 100] {
        assert_eq!(looked(&[(Sent, request)], size), facts, "in pieces of {size}");
    }
    let fields: Vec<_> = facts.hits.iter().map(|hit| hit.field.as_str()).collect();
    for field in ["path[4]", "query.mail", "header.host", "header.user-agent", "json.imsi"] {
        assert!(fields.contains(&field), "{field} in {fields:?}");
    }
    let coded = facts.hits.iter().find(|hit| hit.field == "path[4]").unwrap();
    assert_eq!(coded.form, [Form::Sha1, Form::Base64Url, Form::Cut(16)]);
    assert!(facts.hits.iter().all(|hit| hit.request == Some(0) && hit.grade == Grade::Yours));
    assert_eq!((facts.coverage.found, facts.coverage.total()), (request.len() as u64, request.len() as u64));
    let named = looked(&[(Sent, &hello)], 9_999);
    assert_eq!((named.hits.len(), named.coverage.found), (1, 25));
    let kept = format!("{facts:?} {named:?}");
    for value in ["490154203237518", "404685505601234", "zephyr.quill", "l6IQUjLsyHVvA6Ap"] {
        assert!(!kept.contains(value), "{value} in {kept}");
    }
}

use super::*;

use telltale_model::Direction::{Received, Sent};

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
        assert!(conversation.held() <= (16 << 10) + conversation.facts.held() + size_of::<Conversation>());
    }
    conversation.end();
    conversation.into_facts()
}

/// The same bytes in pieces of many sizes; all must give the same.
fn in_all_pieces(key: FlowKey, whole: &[(Direction, &[u8])]) -> Facts {
    let expected = facts(key, whole);
    let sent: usize =
        whole.iter().filter(|(direction, _)| *direction == Sent).map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(expected.coverage.total(), sent as u64);
    for len in [1, 2, 5, 13, 100, 536, 1_448] {
        let pieces: Vec<_> = whole
            .iter()
            .flat_map(|(direction, bytes)| bytes.chunks(len).map(|piece| (*direction, piece)))
            .collect();
        assert_eq!(facts(key, &pieces), expected, "in pieces of {len}");
    }
    expected
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
    let facts = in_all_pieces(
        key(Protocol::Tcp, 22),
        &[(Received, b"SSH-2.0-server\r\n"), (Sent, b"SSH-2.0-client\r\n"), (Sent, &[7; 3_000])],
    );
    assert_eq!(facts.application, Some(Application::Ssh));
    assert_eq!((facts.coverage.handshake, facts.coverage.encrypted, facts.content_sent), (16, 3_000, 3_000));
}

#[test]
fn a_call_has_handshakes_and_media() {
    let stun = b"\0\x01\0\0\x21\x12\xa4\x42abcdefghijkl";
    let facts = facts(key(Protocol::Udp, 9_999), &[(Sent, stun), (Sent, &[0x80; 200]), (Sent, &[23; 50])]);
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

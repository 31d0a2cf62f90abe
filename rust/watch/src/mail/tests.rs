use telltale_model::{Application, Facts};

use super::*;
use crate::pieces::{Pieces, Turns, facts_in_any_pieces};
use Direction::{Received, Sent};

#[test]
fn every_protocol_goes_over_to_tls_at_the_servers_consent() {
    let cases: [(Application, &[(Direction, &str)]); 6] = [
        (
            Application::Smtp,
            &[
                (Received, "220-mx.example\r\n220 ESMTP\r\n"),
                (Sent, "EHLO phone\r\n"),
                (Received, "250-mx\r\n250 STARTTLS\r\n"),
                (Sent, "starttls\r\n"),
                (Received, "220 go ahead\r\n"),
            ],
        ),
        (
            Application::Ftp,
            &[(Received, "220 Welcome\r\n"), (Sent, "AUTH TLS\r\n"), (Received, "234 AUTH TLS ok.\r\n")],
        ),
        (Application::Pop3, &[(Received, "+OK ready\r\n"), (Sent, "STLS\r\n"), (Received, "+OK begin\r\n")]),
        (
            Application::Imap,
            &[
                (Received, "* OK ready\r\n"),
                (Sent, "a1 CAPABILITY\r\n"),
                (Received, "* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n"),
                (Sent, "a2 STARTTLS\r\n"),
                (Received, "* OK not this\r\na2 OK begin\r\n"),
            ],
        ),
        (
            Application::Xmpp,
            &[
                (Sent, "<?xml version='1.0'?><stream:stream to='x.example'>"),
                (Received, "<?xml version='1.0'?><stream:stream><stream:features>"),
                (Sent, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
                (Received, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'></proceed>"),
            ],
        ),
        (
            Application::Smtp,
            &[(Received, "220 a\r\n"), (Sent, "HELO b\r\nSTARTTLS\r\n"), (Received, "250 b\r\n220 go\r\n")],
        ),
    ];
    for (application, said) in cases {
        let said: Turns =
            said.iter().map(|(direction, text)| (*direction, text.as_bytes().to_vec())).collect();
        let before = facts_in_any_pieces(&said, run);
        assert_eq!(before.application, Some(application));
        let with_tls = [said, vec![(Sent, hello()), (Received, vec![22, 3, 3, 0, 2, 2, 0])]].concat();
        let facts = facts_in_any_pieces(&with_tls, run);
        assert_eq!(facts.application, Some(Application::Tls));
        assert_eq!(facts.names.len(), 1, "{application:?}");
        assert_eq!(facts.coverage.handshake, hello().len() as u64);
        assert_eq!((facts.coverage.searched, facts.content_sent), (before.content_sent, before.content_sent));
    }
}

#[test]
fn without_consent_it_stays_in_clear() {
    for reply in ["454 not now\r\n", "220-go on\r\n", "250 ok\r\n"] {
        let facts = run(&[
            (Received, b"220 ESMTP\r\n"),
            (Sent, b"STARTTLS\r\n"),
            (Received, reply.as_bytes()),
            (Sent, b"MAIL FROM:<a@example>\r\n"),
            (Received, b"220 too late\r\n"),
            (Sent, b"RCPT TO:<b@example>\r\n"),
        ]);
        assert_eq!((facts.application, facts.coverage.handshake), (Some(Application::Smtp), 0), "{reply}");
    }
    let early = run(&[(Sent, b"STARTTLS\r\n"), (Received, b"220 ESMTP\r\n")]);
    assert_eq!(early.application, Some(Application::Smtp), "a greeting is no consent");
}

#[test]
fn a_hello_shows_a_consent_that_was_not_seen() {
    let facts = facts_in_any_pieces(&vec![(Sent, [b"EHLO a\r\nSTARTTLS\r\n", &hello()[..]].concat())], run);
    assert_eq!((facts.application, facts.names.len()), (Some(Application::Tls), 1));
    let (mut session, mut page) = (Mail::new(), Page::default());
    session.take(Sent, b"EHLO a\r\nSTA", &mut page);
    session.miss(Sent, 6, &mut page);
    assert!(matches!(session.take(Sent, &hello(), &mut page), Step::Switch { sent, .. } if sent == hello()));
}

#[test]
fn text_is_searched_and_the_rest_is_opaque() {
    let text = "DATA\r\nGr\u{fc}\u{df}e\r\n\u{1b}$B\r\n.\r\n".as_bytes();
    let long = format!("{}{}\r\n", "x", "\u{20ac}".repeat(1_000));
    let binary = b"BDAT 9\r\n\0\x01\x02\n\xff\xfe\n";
    let turns = vec![(Received, b"220 SMTP\r\n".to_vec()), (Sent, [text, long.as_bytes(), binary].concat())];
    let facts = facts_in_any_pieces(&turns, run);
    assert_eq!((facts.coverage.opaque, facts.coverage.searched), (7, (text.len() + long.len() + 8) as u64));
}

#[test]
fn first_bytes_tell() {
    let yes: [(Direction, &str); 9] = [
        (Received, "220 mx ESMTP"),
        (Received, "220-mx"),
        (Received, "+OK"),
        (Received, "* OK ready"),
        (Sent, "ehlo a"),
        (Sent, "A001 CAPABILITY\r\n"),
        (Sent, "STLS\r\n"),
        (Sent, "<?xml version='1.0'?>\n<stream:stream to='a'"),
        (Received, "<stream:stream from='a'"),
    ];
    for (direction, text) in yes {
        let text = format!("{text}\r\n");
        assert_eq!(looks_like(direction, text.as_bytes()), Likeness::Yes, "{text}");
        for len in 0..text.len() {
            assert_ne!(looks_like(direction, &text.as_bytes()[..len]), Likeness::No, "{len} bytes of {text}");
        }
    }
    let no =
        ["GET / HTTP/1.1\r\n", "SSH-2.0-x\r\n", "<?xml version='1.0'?><html>", "221 no\r\n", "a b c\r\n"];
    for text in no {
        assert_eq!(looks_like(Sent, text.as_bytes()), Likeness::No, "{text}");
        assert_eq!(looks_like(Received, text.as_bytes()), Likeness::No, "{text}");
    }
}

#[test]
fn a_line_without_an_end_is_held_only_in_part() {
    let (mut session, mut page) = (Mail::new(), Page::default());
    for _ in 0..100 {
        session.take(Sent, &[b'x'; 1_000], &mut page);
        session.take(Received, &[b'y'; 1_000], &mut page);
    }
    assert!(page.facts.coverage.searched > 98_000);
    assert!(session.held() <= 4 * 1_024, "{} bytes", session.held());
    session.end(&mut page);
    assert_eq!(page.facts.coverage.total(), 100_000);
}

fn run(turns: &Pieces<'_>) -> Facts {
    crate::read_mail(turns.iter().copied())
}

/// A ClientHello with the name a.example.
fn hello() -> Vec<u8> {
    let name = b"\0\x0e\0\0\0\x0e\0\x0c\0\0\x09a.example";
    let body = [&[3, 3][..], &[5; 32], b"\0\0\x02\x13\x01\x01\0\0", &[18], &name[2..]].concat();
    let len = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, len + 4, 1, 0, 0, len][..], &body].concat()
}

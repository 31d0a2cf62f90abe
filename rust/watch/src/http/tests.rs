use super::*;
use Direction::{Received, Sent};
use telltale_model::Facts;

/// What each side says, in turns.
pub(crate) type Turns<'a> = [(Direction, &'a [u8])];

/// What both sides say, whole, byte by byte and in odd pieces: each time the same, and every sent byte is
/// counted once.
pub(crate) fn facts_of(turns: &Turns<'_>, read: fn(&[HttpEvent<'_>]) -> Facts) -> Facts {
    let sent: usize = turns.iter().filter(|turn| turn.0 == Sent).map(|turn| turn.1.len()).sum();
    let in_pieces = |mut size: Box<dyn FnMut() -> usize>| {
        let mut events = Vec::new();
        for (direction, bytes) in turns {
            let mut rest = *bytes;
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(size().clamp(1, rest.len()));
                events.push(HttpEvent::Bytes(*direction, piece));
                rest = after;
            }
        }
        let facts = read(&events);
        assert_eq!(facts.coverage.total(), sent as u64, "every byte once");
        facts
    };
    let whole = in_pieces(Box::new(|| usize::MAX));
    for size in [1, 2, 7, 1_000] {
        assert_eq!(in_pieces(Box::new(move || size)), whole, "in pieces of {size}");
    }
    for seed in 1..20 {
        let mut random = Random(seed);
        assert_eq!(in_pieces(Box::new(move || random.below(40))), whole, "in pieces by {seed}");
    }
    whole
}

/// No prefix and no damaged byte of what both sides say makes a reader panic, lose a byte, or depend on
/// pieces.
pub(crate) fn damage(turns: &Turns<'_>, read: fn(&[HttpEvent<'_>]) -> Facts) {
    let lens: Vec<usize> = turns.iter().map(|turn| turn.1.len()).collect();
    for (turn, len) in lens.iter().enumerate() {
        for at in 0..*len {
            let mut cut = turns[..=turn].to_vec();
            cut[turn].1 = &turns[turn].1[..at];
            check_pieces(&cut, read);
            for byte in [b'\n', b' ', 0x00, 0xff, turns[turn].1[at] ^ 1] {
                let mut bytes = turns[turn].1.to_vec();
                bytes[at] = byte;
                let mut damaged = turns.to_vec();
                damaged[turn].1 = &bytes;
                check_pieces(&damaged, read);
            }
        }
    }
}

fn check_pieces(turns: &Turns<'_>, read: fn(&[HttpEvent<'_>]) -> Facts) {
    let whole: Vec<_> = turns
        .iter()
        .filter(|turn| !turn.1.is_empty())
        .map(|(direction, bytes)| HttpEvent::Bytes(*direction, bytes))
        .collect();
    let single: Vec<_> = turns
        .iter()
        .flat_map(|(direction, bytes)| bytes.chunks(1).map(|byte| HttpEvent::Bytes(*direction, byte)))
        .collect();
    let facts = read(&whole);
    let sent: usize = turns.iter().filter(|turn| turn.0 == Sent).map(|turn| turn.1.len()).sum();
    assert_eq!(facts, read(&single));
    assert_eq!(facts.coverage.total(), sent as u64);
}

struct Random(u32);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(self.0 >> 8).unwrap() % end
    }
}

fn http(turns: &Turns<'_>) -> Facts {
    facts_of(turns, read_http)
}

pub(crate) fn names(facts: &Facts) -> Vec<&str> {
    assert!(facts.names.iter().all(|name| name.from == NameSource::Http && !name.outer));
    facts.names.iter().map(|name| name.name.as_str()).collect()
}

/// Method, path, bytes of the body and status of each request.
pub(crate) fn requests(facts: &Facts) -> Vec<(&str, &str, u64, Option<u16>)> {
    let text = |request: &telltale_model::Request| (request.body, request.status);
    facts
        .requests
        .iter()
        .map(|request| (request.method.as_str(), request.path.as_str(), text(request).0, text(request).1))
        .collect()
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn a_request_says_what_it_is_and_is_answered() {
    let post = b"POST /a/b?c=d HTTP/1.1\r\nHost: API.Example:8080\r\nUser-Agent: app/1 (x)\r\n\
        Cookie: sid=secret; theme=dark\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
    let facts = http(&[(Sent, post), (Received, OK)]);
    assert_eq!(names(&facts), ["api.example"]);
    assert_eq!(requests(&facts), [("POST", "/a/b?c=d", 7, Some(200))]);
    let request = &facts.requests[0];
    assert_eq!(request.host, "api.example");
    assert_eq!(request.user_agent.as_deref(), Some("app/1 (x)"));
    assert_eq!(request.cookies, ["sid", "theme"]);
    assert_eq!(request.content_type.as_deref(), Some("application/json"));
    assert_eq!((facts.coverage.searched, facts.content_sent), (post.len() as u64, post.len() as u64));
}

#[test]
fn many_requests_are_answered_in_order() {
    let asked = b"GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: b.example\r\n\r\n\
        PUT /3 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc\r\nDELETE /4 HTTP/1.1\r\n\r\nGET /5 HTTP/1.1\n\n";
    let answered = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\n\
        HTTP/1.1 404 No\r\nContent-Length: 1000\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n\
        HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\nHTTP/1.0 500 Oh\r\n\r\nrest until\nHTTP/1.1 999 close";
    let facts = http(&[(Sent, asked), (Received, answered)]);
    assert_eq!(names(&facts), ["a.example", "b.example"]);
    let expected = [
        ("GET", "/1", 0, Some(200)),
        ("HEAD", "/2", 0, Some(404)),
        ("PUT", "/3", 3, Some(204)),
        ("DELETE", "/4", 0, Some(304)),
        ("GET", "/5", 0, Some(500)),
    ];
    assert_eq!(requests(&facts), expected);
    assert_eq!((facts.coverage.handshake, facts.coverage.opaque), (2, 3), "the empty line, the body");
}

#[test]
fn what_is_said_beside_the_size_of_a_chunk_is_no_framing() {
    let head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let sent = [&head[..], b"3;imei=490154203237518\r\nabc\r\n0\r\n\r\n"].concat();
    for len in [1, 9, sent.len()] {
        let pieces: Vec<_> = sent.chunks(len).map(|piece| HttpEvent::Bytes(Sent, piece)).collect();
        let coverage = read_http(&pieces).coverage;
        assert_eq!((coverage.searched, coverage.opaque), (head.len() as u64, 24 + 3), "in pieces of {len}");
        assert_eq!(coverage.handshake, 2 + 3 + 2);
    }
}

#[test]
fn chunks_are_content_and_their_sizes_framing() {
    let post = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Type: text/plain\r\n\
        Transfer-Encoding: chunked\r\n\r\n";
    let body = b"5;name=\"value\"\r\nhello\r\n00A \r\n0123456789\r\n0\r\n";
    let trailers = b"Digest: x\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
    let facts = http(&[(Sent, post), (Sent, body), (Sent, trailers)]);
    assert_eq!(requests(&facts), [("POST", "/", 15, None), ("GET", "/2", 0, None)]);
    assert_eq!(facts.coverage.handshake, 2 + 6 + 2 + 3 + 2);
    assert_eq!(facts.coverage.opaque, 16, "the extension");
}

#[test]
fn what_is_no_plain_text_is_opaque() {
    for head in [
        "Content-Type: image/png\r\nContent-Length: 4\r\n\r\n",
        "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n",
        "Content-Length: 4\r\n\r\n",
        "Transfer-Encoding: gzip\r\n\r\n",
    ] {
        let post = format!("POST / HTTP/1.1\r\n{head}abcd");
        let facts = http(&[(Sent, post.as_bytes())]);
        assert_eq!((facts.coverage.opaque, facts.requests[0].body), (4, 4), "{head}");
    }
}

#[test]
fn every_host_is_listed_and_the_targets_goes_before() {
    let asked =
        b"GET http://Target.example:81/x HTTP/1.1\r\nHost: first.example\r\nhost : second.example\r\n\r\n\
        GET / HTTP/1.1\r\nHost: 192.0.2.7:8008\r\n\r\nGET / HTTP/1.1\r\nHost: [2001:DB8::7]:80\r\n\r\n\
        GET / HTTP/1.1\r\nHost:\r\n\r\n";
    let facts = http(&[(Sent, asked)]);
    assert_eq!(
        names(&facts),
        ["target.example", "first.example", "second.example", "192.0.2.7", "[2001:db8::7]"]
    );
    let hosts: Vec<_> = facts.requests.iter().map(|request| request.host.as_str()).collect();
    assert_eq!(hosts, ["target.example", "192.0.2.7", "[2001:db8::7]", ""]);
}

#[test]
fn odd_requests_are_read_as_servers_read_them() {
    let asked = b"\r\n\nGET /a b HTTP/1.1\nHost:\n\ta.example\nX: y\n z\nUser-Agent: one\n  two\n\nBREW odd HTTP/1.1\r\n\
        Host: b.example\r\n\r\n";
    let facts = http(&[(Sent, asked)]);
    assert_eq!(names(&facts), ["a.example", "b.example"]);
    assert_eq!(requests(&facts), [("GET", "/a b", 0, None), ("BREW", "odd", 0, None)]);
    assert_eq!(facts.requests[0].user_agent.as_deref(), Some("one  two"));
}

#[test]
fn http_0_9_is_one_request_without_status() {
    let facts =
        http(&[(Sent, b"GET /old\r\n"), (Received, b"<p>\nHTTP/1.1 200 OK\r\n\r\n"), (Sent, b"more")]);
    assert_eq!(requests(&facts), [("GET", "/old", 0, None)]);
    assert_eq!((facts.coverage.searched, facts.coverage.opaque), (10, 4));
}

#[test]
fn a_huge_head_is_read_to_its_end_in_bounded_memory() {
    let many: String = (0..4_000).map(|number| format!("X-{number}: {number}\r\n")).collect();
    let head = format!(
        "GET /{} HTTP/1.1\r\nX: {}\r\n{many}Host: a.example\r\nCookie: {}\r\n\r\nGET /2 HTTP/1.1\r\n\r\n",
        "p".repeat(20_000),
        "y".repeat(100_000),
        "cookie=value; ".repeat(10_000),
    );
    let facts = http(&[(Sent, head.as_bytes()), (Received, OK)]);
    assert_eq!(names(&facts), ["a.example"]);
    assert_eq!((facts.requests[0].path.len(), facts.requests[1].path.as_str()), (2_048, "/2"));
    assert_eq!(facts.requests[0].cookies.len(), 64);
}

#[test]
fn a_connection_holds_at_most_16_kib() {
    let (mut http, mut page) = (Http::new(), Page::default());
    let mut most = 0;
    let odd = "\u{ff}".repeat(1_100);
    let mut head = format!("GET /{odd} HTTP/1.1\r\n");
    for name in ["Host", "User-Agent", "Content-Type", "Content-Encoding"] {
        head += &format!("{name}: {}\r\n", &odd[..250]).repeat(5);
    }
    for number in 0..70 {
        head += &format!("Cookie: {number}{}\r\n", "\u{fe}".repeat(7));
    }
    head += &format!("X: {}", "x".repeat(9_000));
    for _ in 0..80 {
        http.take(Sent, b"GET / HTTP/1.1\r\n\r\n", &mut page);
    }
    http.take(Received, b"HTTP/1.1 200 OK\r\n", &mut page);
    for name in ["Host", "User-Agent", "Content-Type", "Content-Encoding", "X"] {
        http.take(Received, format!("{name}: {}\r\n", &odd[..900]).as_bytes(), &mut page);
    }
    for byte in head.as_bytes().chunks(7) {
        http.take(Sent, byte, &mut page);
        most = most.max(size_of::<Http>() + http.held());
    }
    assert!((12_000..=16_384).contains(&most), "{most}");
}

#[test]
fn one_direction_is_enough() {
    let asked = b"GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n".repeat(100);
    let more = b"POST /2 HTTP/1.1\r\nHost: b.example\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx\
        GET /3 HTTP/1.1\r\nHost: c.example\r\nUpgrade: websocket\r\n\r\nGET /4 HTTP/1.1\r\nHost: d.example\r\n\r\n";
    let facts = http(&[(Sent, &asked), (Sent, more)]);
    assert_eq!(names(&facts), ["a.example", "b.example", "c.example", "d.example"]);
    assert_eq!(facts.requests.len(), Facts::KEPT);
    let facts = http(&[(Received, OK), (Received, OK)]);
    let nothing = Facts { application: Some(Application::Http), ..Facts::default() };
    assert_eq!(facts, nothing);
}

#[test]
fn answers_after_many_requests_still_find_theirs() {
    let asked: String = (0..200).map(|number| format!("GET /{number} HTTP/1.1\r\n\r\n")).collect();
    let answered: String =
        (0..200).map(|number| format!("HTTP/1.1 {} x\r\nContent-Length: 0\r\n\r\n", 300 + number)).collect();
    let facts = http(&[(Sent, asked.as_bytes()), (Received, answered.as_bytes())]);
    let statuses: Vec<_> = facts.requests.iter().map(|request| request.status).collect();
    let expected: Vec<_> = (300..364).map(Some).collect();
    assert_eq!(statuses.len(), Facts::KEPT);
    assert_eq!(statuses[4..], expected[4..]);
}

#[test]
fn a_capture_may_start_with_an_answer_or_in_the_middle_of_one() {
    for first in [OK, b"of a page\nGET /x HTTP/1.1\r\nHost: invented.example\r\n\r\n", b"\0\xff\n"] {
        let turns: [(Direction, &[u8]); 3] =
            [(Received, first), (Sent, b"GET /2 HTTP/1.1\r\nHost: a.example\r\n\r\n"), (Received, OK)];
        let facts = http(&turns);
        assert_eq!(names(&facts), ["a.example"]);
        assert_eq!(requests(&facts), [("GET", "/2", 0, Some(200))]);
    }
    let middle = b"tail of a body\r\nGET /2 HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let facts = http(&[(Sent, middle), (Received, OK)]);
    assert_eq!((names(&facts), facts.coverage.opaque), (vec!["a.example"], 16));
}

#[test]
fn the_client_may_be_on_the_other_side() {
    let asked = b"POST /2 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\n\r\nx";
    let answer = b"HTTP/1.1 201 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok";
    for turns in
        [[(Sent, OK), (Received, asked), (Sent, answer)], [(Received, asked), (Sent, answer), (Sent, b"\n")]]
    {
        let facts = http(&turns);
        assert_eq!(names(&facts), ["a.example"]);
        assert_eq!(requests(&facts), [("POST", "/2", 1, Some(201))]);
        assert!(facts.coverage.searched >= answer.len() as u64);
    }
}

#[test]
fn two_clients_are_one_too_many() {
    let facts = http(&[
        (Received, b"GET /1 HTTP/1.1\r\n"),
        (Sent, b"GET /2 HTTP/1.1\r\nHost: b.example\r\nUpgrade: h2c\r\n\r\nx"),
        (Received, b"Host: a.example\r\n\r\nHTTP/1.1 101 S\r\n\r\n"),
    ]);
    assert_eq!(requests(&facts), [("GET", "/1", 0, None)]);
}

#[test]
fn a_page_about_http_is_no_request() {
    let page = b"HTTP/1.0 200 OK\r\n\r\nGET / HTTP/1.1\r\nHost: invented.example\r\n\r\n";
    let wrong =
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxGET / HTTP/1.1\r\nHost: invented.example\r\n\r\n";
    for answer in [&page[..], wrong] {
        assert!(http(&[(Sent, b"GET / HTTP/1.0\r\n\r\n"), (Received, answer)]).names.is_empty());
    }
}

/// A gap of which the length is told.
fn with_gap(turns: &Turns<'_>, direction: Direction, missing: u64, after: &Turns<'_>) -> Facts {
    let mut events: Vec<_> = turns.iter().map(|turn| HttpEvent::Bytes(turn.0, turn.1)).collect();
    events.push(HttpEvent::Missed(direction, missing));
    events.extend(after.iter().map(|turn| HttpEvent::Bytes(turn.0, turn.1)));
    read_http(&events)
}

#[test]
fn reading_goes_on_after_a_gap() {
    let post: &[u8] = b"POST /1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n\r\nabc";
    let get: &[u8] = b"GET /2 HTTP/1.1\r\nHost: b.example\r\n\r\n";
    // Inside the body, of a known length: in step.
    let facts = with_gap(&[(Sent, post)], Sent, 97, &[(Sent, b"GET odd HTTP/1.1\r\n\r\n"), (Received, OK)]);
    assert_eq!(requests(&facts), [("POST", "/1", 3, Some(200)), ("GET", "odd", 0, None)]);
    // Past its end, or of an unknown length: at the next line that begins a request.
    for missing in [98, 0] {
        let facts = with_gap(&[(Sent, post)], Sent, missing, &[(Sent, b"x y HTTP/1.1\nno\n"), (Sent, get)]);
        assert_eq!(names(&facts), ["a.example", "b.example"]);
        assert_eq!(facts.coverage.opaque, 3 + 16);
        assert_eq!(facts.coverage.total(), (post.len() + 16 + get.len()) as u64);
    }
    // Inside a head: what was whole is known.
    let cut = b"GET /1 HTTP/1.1\r\nHost: a.example\r\nUser-Agent: ab";
    let facts = with_gap(&[(Sent, cut)], Sent, 5, &[(Sent, b"\r\n\r\n"), (Received, OK), (Sent, get)]);
    assert_eq!(requests(&facts), [("GET", "/1", 0, Some(200)), ("GET", "/2", 0, None)]);
    assert_eq!((names(&facts), &facts.requests[0].user_agent), (vec!["a.example", "b.example"], &None));
    // Inside an answer.
    let facts = with_gap(&[(Sent, get), (Received, &OK[..39])], Received, 50, &[(Sent, get), (Received, OK)]);
    assert_eq!(requests(&facts), [("GET", "/2", 0, Some(200)), ("GET", "/2", 0, Some(200))]);
}

const CONNECT: &[u8] = b"CONNECT Proxied.example:443 HTTP/1.1\r\nHost: proxied.example:443\r\n\r\n";

/// What HTTP/1.x hands over, and when: after whole pieces.
fn handed_over(turns: &Turns<'_>) -> (Option<Step>, Facts) {
    let (mut http, mut page) = (Http::new(), Page::default());
    for (direction, bytes) in turns {
        let step = http.take(*direction, bytes, &mut page);
        if step != Step::On {
            return (Some(step), page.facts);
        }
    }
    http.end(&mut page);
    (None, page.facts)
}

#[test]
fn behind_connect_anything_may_be_spoken() {
    let early: &[u8] = b"\x16\x03\x01early";
    let turns: [(Direction, &[u8]); 4] = [
        (Sent, CONNECT),
        (Sent, early),
        (Received, b"HTTP/1.1 100 Wait\r\n\r\n"),
        (Received, b"HTTP/1.1 200 Connected\r\nContent-Length: 9\r\n\r\nserver"),
    ];
    let (step, facts) = handed_over(&turns);
    let switch = Step::Switch { to: Next::Anything, sent: early.to_vec(), received: b"server".to_vec() };
    assert_eq!(step, Some(switch));
    assert_eq!(names(&facts), ["proxied.example"]);
    assert_eq!(requests(&facts), [("CONNECT", "", 0, Some(200))]);
    assert_eq!(facts.coverage.total(), CONNECT.len() as u64);
    assert_eq!(http(&turns).coverage.unknown, early.len() as u64);
}

#[test]
fn a_refused_connect_goes_on_as_http() {
    let refused: &[u8] = b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n";
    let facts = http(&[(Sent, CONNECT), (Sent, CONNECT), (Received, refused), (Received, refused)]);
    assert_eq!(requests(&facts), [("CONNECT", "", 0, Some(407)), ("CONNECT", "", 0, Some(407))]);
    let facts = http(&[(Sent, CONNECT), (Sent, b"\x16\x03\x01early"), (Received, refused)]);
    assert_eq!(facts.coverage.opaque, 8);
}

#[test]
fn a_connect_whose_answer_is_not_seen_is_taken_for_granted() {
    let secret = [0x16; 3_000];
    let (step, facts) = handed_over(&[(Sent, CONNECT), (Sent, &secret)]);
    let switch = Step::Switch { to: Next::Anything, sent: secret.to_vec(), received: Vec::new() };
    assert_eq!((step, facts.coverage.total()), (Some(switch), CONNECT.len() as u64));
    assert_eq!(http(&[(Sent, CONNECT), (Sent, &secret)]).coverage.unknown, 3_000);
    // Requests in the tunnel, in clear: read all the same.
    let inside = b"GET /in HTTP/1.1\r\nHost: inside.example\r\n\r\n".repeat(50);
    assert_eq!(names(&http(&[(Sent, CONNECT), (Sent, &inside)])), ["proxied.example", "inside.example"]);
    assert_eq!(
        names(&http(&[(Sent, CONNECT), (Sent, &inside[..42])])),
        ["proxied.example", "inside.example"]
    );
    let facts = http(&[(Sent, CONNECT), (Sent, b"\x16\x03\x01")]);
    assert_eq!(facts.coverage.opaque, 3, "too little to tell");
}

#[test]
fn bytes_that_are_missing_behind_connect_hide_no_tunnel() {
    let connected: &[u8] = b"HTTP/1.1 200 Connected\r\n\r\n";
    let facts = with_gap(
        &[(Sent, CONNECT), (Sent, b"lost")],
        Sent,
        7,
        &[(Sent, b"kept"), (Received, connected), (Sent, b"x")],
    );
    assert_eq!((facts.coverage.opaque, facts.coverage.unknown), (4, 5));
    assert_eq!(requests(&facts), [("CONNECT", "", 0, Some(200))]);
}

const ASKS: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: ws.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCHED: &[u8] = b"HTTP/1.1 101 Switching\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n";

#[test]
fn a_websocket_follows_its_upgrade() {
    let frame: &[u8] = b"\x81\x82\x01\x02\x03\x04hi";
    let facts = http(&[(Sent, ASKS), (Received, SWITCHED), (Received, b"\x81\x01x"), (Sent, frame)]);
    assert_eq!(requests(&facts), [("GET", "/chat", 0, Some(101))]);
    assert_eq!((facts.coverage.handshake, facts.coverage.searched), (6, ASKS.len() as u64 + 2));
    // Not granted: the next request is one.
    let next: &[u8] = b"GET /2 HTTP/1.1\r\n\r\n";
    for turns in [[(Sent, ASKS), (Received, OK), (Sent, next)], [(Sent, ASKS), (Sent, next), (Received, OK)]]
    {
        assert_eq!(requests(&http(&turns))[1].1, "/2");
    }
    // The answer is not seen.
    let frames = frame.repeat(200);
    let facts = http(&[(Sent, ASKS), (Sent, &frames)]);
    assert_eq!((facts.coverage.handshake, facts.coverage.opaque), (6 * 200, 0));
    // The request is not seen.
    let facts = http(&[(Received, SWITCHED), (Sent, frame)]);
    assert_eq!(facts.coverage.searched, 2);
}

#[test]
fn an_upgrade_waits_for_the_end_of_its_body() {
    let asks = b"POST / HTTP/1.1\r\nHost: a.example\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nbody";
    let (step, facts) = handed_over(&[(Sent, asks), (Sent, b"PRI"), (Received, b"HTTP/1.1 101 x\r\n\r\n\0")]);
    let switch = Step::Switch { to: Next::Http2, sent: b"PRI".to_vec(), received: vec![0] };
    assert_eq!((step, facts.requests[0].body), (Some(switch), 4));
    let tls = b"OPTIONS * HTTP/1.1\r\nUpgrade: TLS/1.0, HTTP/1.1\r\n\r\n";
    let (step, _) = handed_over(&[(Sent, tls), (Received, b"HTTP/1.1 101 x\r\n\r\n")]);
    assert_eq!(step, Some(Step::Switch { to: Next::Tls, sent: Vec::new(), received: Vec::new() }));
}

#[test]
fn no_prefix_and_no_damage_makes_it_panic_or_lose_a_byte() {
    let post: &[u8] =
        b"POST /a HTTP/1.1\r\nHost: a.example\r\nX: y\r\n z\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\nabc\r\n0\r\nT: x\r\n\r\n";
    let chunked: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nok\r\n0\r\n\r\n";
    let frames: &[u8] = b"\x01\x81\0\0\0\0a\x80\xfe\0\x7e\0\0\0\0";
    damage(
        &[(Sent, post), (Received, chunked), (Sent, ASKS), (Received, SWITCHED), (Sent, frames)],
        read_http,
    );
    damage(&[(Sent, CONNECT), (Sent, b"\x16early"), (Received, b"HTTP/1.1 200 x\r\n\r\nlate")], read_http);
    damage(&[(Received, OK), (Sent, b"GET /old\r\n"), (Sent, b"tail")], read_http);
}

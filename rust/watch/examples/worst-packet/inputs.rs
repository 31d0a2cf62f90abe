//! Packets that are slow to read: the smallest units of each protocol, as many as fit, and what makes one
//! byte mean much work.
#![expect(clippy::cast_possible_truncation, reason = "the low bytes of numbers are meant")]

use telltale_model::{Direction, Protocol};

use Direction::{Received, Sent};
use Protocol::{Tcp, Udp};

/// A packet, and what came before it.
pub(crate) struct Input {
    pub(crate) parser: &'static str,
    pub(crate) title: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) port: u16,
    pub(crate) before: Vec<(Direction, Vec<u8>)>,
    pub(crate) direction: Direction,
    /// The packet, of at most so many bytes.
    pub(crate) packet: Box<dyn Fn(usize) -> Vec<u8>>,
}

impl Input {
    fn new(
        parser: &'static str,
        title: &'static str,
        port: u16,
        packet: impl Fn(usize) -> Vec<u8> + 'static,
    ) -> Self {
        let (protocol, before, direction, packet) = (Tcp, Vec::new(), Sent, Box::new(packet));
        Self { parser, title, protocol, port, before, direction, packet }
    }

    fn udp(self) -> Self {
        Self { protocol: Udp, ..self }
    }

    fn received(self) -> Self {
        Self { direction: Received, ..self }
    }

    fn after(mut self, direction: Direction, bytes: impl Into<Vec<u8>>) -> Self {
        self.before.push((direction, bytes.into()));
        self
    }
}

/// All of them.
pub(crate) fn inputs() -> Vec<Input> {
    let mut inputs = tls();
    inputs.extend(http());
    inputs.extend(http2());
    inputs.extend(mail());
    inputs.extend(dns());
    inputs.extend(datagrams());
    inputs.extend(others());
    inputs
}

/// The same unit as often as it fits.
fn repeated(unit: impl Into<Vec<u8>>) -> impl Fn(usize) -> Vec<u8> {
    let unit = unit.into();
    move |len| unit.repeat(len / unit.len())
}

/// Units that differ.
fn counted(unit: impl Fn(usize) -> Vec<u8>) -> impl Fn(usize) -> Vec<u8> {
    move |len| {
        let mut packet = Vec::new();
        for number in 0.. {
            let unit = unit(number);
            if packet.len() + unit.len() > len {
                break;
            }
            packet.extend(unit);
        }
        packet
    }
}

fn be16(number: usize) -> [u8; 2] {
    let [.., high, low] = number.to_be_bytes();
    [high, low]
}

fn be24(number: usize) -> [u8; 3] {
    let [.., high, middle, low] = number.to_be_bytes();
    [high, middle, low]
}

/// A TLS record of handshake messages.
fn record(message: &[u8]) -> Vec<u8> {
    [&[22, 3, 3][..], &be16(message.len()), message].concat()
}

/// The shortest hello with a name.
fn hello(name: &str) -> Vec<u8> {
    let name = name.as_bytes();
    let list = [&[0][..], &be16(name.len()), name].concat();
    let extension = [&[0, 0][..], &be16(list.len() + 2), &be16(list.len()), &list].concat();
    let body =
        [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0], &be16(extension.len()), &extension].concat();
    [&[1][..], &be24(body.len()), &body].concat()
}

fn tls() -> Vec<Input> {
    let new = |title, packet: Box<dyn Fn(usize) -> Vec<u8>>| Input::new("tls", title, 443, packet);
    let known = counted(|number| record(&hello(&format!("{number}.example"))))(511 * 78);
    let hellos = |message: Vec<u8>| {
        move |len: usize| {
            let room = 0x4000 / message.len() * message.len();
            repeated(record(&message.repeat(room / message.len())))(len)
        }
    };
    vec![
        new("empty records", Box::new(repeated([23, 3, 3, 0, 0]))),
        new("records of one byte", Box::new(repeated([23, 3, 3, 0, 1, 0]))),
        new("alerts of one byte", Box::new(repeated([21, 3, 3, 0, 1, 0]))),
        new("records and strays", Box::new(repeated([23, 3, 3, 0, 0, 255]))),
        new("nearly records", Box::new(repeated([20, 3, 5]))).after(Sent, [23, 3, 3, 0, 0, 255]),
        new("nearly records, received", Box::new(repeated([20, 3, 5])))
            .received()
            .after(Sent, [23, 3, 3, 0, 0]),
        new("empty messages", Box::new(hellos(vec![0, 0, 0, 0]))),
        new("hellos of one byte", Box::new(hellos(vec![1, 0, 0, 1, 0]))),
        new("hellos that break", Box::new(hellos([&[1, 0, 0, 35][..], &[0; 35]].concat()))),
        new("hellos of one name", Box::new(hellos(hello("a")))),
        new("hellos of the last of many names", Box::new(hellos(hello("510.example")))).after(Sent, known),
        new("hellos of many names", Box::new(counted(|number| record(&hello(&number.to_string()))))),
        new(
            "a hello of many extensions",
            Box::new(|len| {
                let extensions = counted(|number| [&be16(number)[..], &[0, 0]].concat())(len - 80);
                let lists = [&[0, 0, 2, 0x13, 1, 1, 0][..], &be16(extensions.len())].concat();
                let body = [&[3, 3][..], &[7; 32], &lists, &extensions].concat();
                let message = [&[1][..], &be24(body.len()), &body].concat();
                message.chunks(0x4000).flat_map(record).collect()
            }),
        ),
    ]
}

fn http() -> Vec<Input> {
    let new = |title, packet: Box<dyn Fn(usize) -> Vec<u8>>| Input::new("http1", title, 80, packet);
    let text = |text: &str| Box::new(repeated(text.as_bytes().to_vec())) as Box<dyn Fn(usize) -> Vec<u8>>;
    let known = counted(|number| format!("GET / HTTP/1.1\nhost:{number}.example\n\n").into_bytes());
    let begun = |more: &str| format!("GET / HTTP/1.1\n{more}");
    let cookies = |pair: &str| format!("cookie:{}\n", pair.repeat(4_000 / pair.len()));
    vec![
        new("requests", text("GET / HTTP/1.1\n\n")),
        new("requests of short methods", text("G / HTTP/1.1\n\n")),
        new("requests of many hosts", Box::new(known)),
        new("requests of one host", text("GET / HTTP/1.1\nhost:a\n\n")),
        new("requests of the last of many hosts", text("GET / HTTP/1.1\nhost:510.example\n\n")).after(
            Sent,
            counted(|number| format!("GET / HTTP/1.1\nhost:{number}.example\n\n").into_bytes())(18_200),
        ),
        new("requests that upgrade", text("GET / HTTP/1.1\nupgrade:x\n\n")),
        new(
            "long odd paths",
            Box::new(|len| {
                let path = "\u{ff}".repeat(1_000);
                repeated(format!("GET /{path} HTTP/1.1\n\n"))(len)
            }),
        ),
        new("fields", text("a:\n")).after(Sent, begun("")),
        new("fields without colon", text("a\n")).after(Sent, begun("")),
        new("folded lines", text(" \n")).after(Sent, begun("a:b\n")),
        new("hosts", text("host:@\n")).after(Sent, begun("")),
        new("empty cookies", text(&cookies(";"))).after(Sent, begun("")),
        new("cookies", text(&cookies("a;"))).after(Sent, begun("")),
        new("long odd cookies", text(&cookies("\u{7}\u{7}\u{7}\u{7}\u{7}\u{7};"))).after(Sent, begun("")),
        new("lengths", text(&format!("content-length:{}\n", "5,".repeat(2_000)))).after(Sent, begun("")),
        new("codings", text(&format!("transfer-encoding:{}\n", ",".repeat(4_000)))).after(Sent, begun("")),
        new("empty lines", text("\n")).after(Sent, begun("\n")),
        new("lines that are no requests", text("a b\n")).after(Sent, begun("content-length:x\n\n")),
        new("chunks", text("1\na\n")).after(Sent, begun("transfer-encoding:chunked\n\n")),
        new("trailers", text("a\n")).after(Sent, begun("transfer-encoding:chunked\n\n0\n")),
        new("replies", text("HTTP/1.1 204 \n\n")).received().after(Sent, begun("\n")),
    ]
}

fn frame(kind: u8, flags: u8, stream: usize, payload: &[u8]) -> Vec<u8> {
    let [.., a, b, c, d] = stream.to_be_bytes();
    [&be24(payload.len())[..], &[kind, flags, a, b, c, d], payload].concat()
}

const HEADERS: u8 = 1;
const END_HEADERS: u8 = 4;

fn http2() -> Vec<Input> {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let new = |title, packet: Box<dyn Fn(usize) -> Vec<u8>>| {
        Input::new("http2", title, 80, packet).after(Sent, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    };
    // One block of one unit, over and over.
    let block =
        |unit: Vec<u8>| Box::new(move |len: usize| frame(HEADERS, 0, 1, &repeated(unit.clone())(len - 9)));
    // A field of `name`'s place in the static table that is kept in the dynamic one, then only its index.
    let indexed = |place: u8, value: Vec<u8>| {
        let len = [127, (value.len() - 127) as u8 & 0x7f | 0x80, ((value.len() - 127) >> 7) as u8];
        let field = [&[0x40 | place][..], &len, &value].concat();
        [preface.clone(), frame(HEADERS, END_HEADERS, 1, &field)].concat()
    };
    let again = |title, place, value: Vec<u8>, many: bool| {
        let packet: Box<dyn Fn(usize) -> Vec<u8>> = if many {
            Box::new(counted(|number| frame(HEADERS, END_HEADERS, 3 + 2 * number, &[0xbe])))
        } else {
            Box::new(|len| frame(HEADERS, END_HEADERS, 3, &vec![0xbe; len - 9]))
        };
        Input::new("http2", title, 80, packet).after(Sent, indexed(place, value))
    };
    vec![
        new("empty frames", Box::new(repeated(frame(0, 0, 1, &[])))),
        new("frames of one byte", Box::new(repeated(frame(0, 0, 1, &[0])))),
        new("padded frames", Box::new(repeated(frame(0, 8, 1, &[1, 0])))),
        new("unknown frames", Box::new(repeated(frame(99, 0, 1, &[])))),
        new("requests", Box::new(counted(|number| frame(HEADERS, END_HEADERS, 1 + 2 * number, &[0x82])))),
        new(
            "requests and their ends",
            Box::new(counted(|number| {
                let stream = 1 + 2 * number;
                [frame(HEADERS, END_HEADERS, stream, &[]), frame(3, 0, stream, &[])].concat()
            })),
        ),
        new("fields of the static table", block(vec![0x82])),
        new("methods", block(vec![0x02, 1, b'G'])),
        new("new sizes of the table", block(vec![0x3f, 0xe1, 0x1f])),
        new("fields for the table", block(vec![0x40, 1, b'a', 0])),
        new("empty fields for the table", block(vec![0x40, 0, 0])),
        new("empty fields", block(vec![0, 0, 0])),
        new(
            "long Huffman codes",
            block([&[0, 0x80 | 60][..], &[0xff, 0xff, 0xfb, 0xff].repeat(15), &[0]].concat()),
        ),
        new("short Huffman codes", block([&[0, 0x80 | 60][..], &[0; 60], &[0]].concat())),
        again("one cookie field again", 32, vec![b';'; 2_000], false),
        again("cookies again", 32, b"a=b;".repeat(500), false),
        again("odd cookies again", 32, b"\x07\x07\x07\x07;".repeat(400), false),
        again("a host again", 38, vec![b'@'; 2_000], false),
        again("a length again", 28, b"5,".repeat(1_000), false),
        again("a coding again", 57, vec![b','; 2_000], false),
        again("an agent again", 58, vec![7; 2_000], false),
        again("requests of one cookie field", 32, vec![b';'; 2_000], true),
        again("requests of cookies", 32, b"\x07\x07\x07\x07;".repeat(400), true),
        again("requests of one host", 38, vec![b'a'; 255], true),
        again("requests of one path", 4, vec![7; 2_000], true),
        again("requests of one coding", 57, vec![b','; 2_000], true),
    ]
}

fn mail() -> Vec<Input> {
    let new = |title, packet: Box<dyn Fn(usize) -> Vec<u8>>| {
        Input::new("mail", title, 25, packet).after(Received, "220 a ESMTP\r\n").after(Sent, "EHLO a\r\n")
    };
    let unknown = |title, packet: Box<dyn Fn(usize) -> Vec<u8>>| {
        Input::new("mail", title, 25, packet).after(Received, "220 a\r\n")
    };
    vec![
        new("empty lines", Box::new(repeated("\n"))),
        new("lines", Box::new(repeated("a\n"))),
        new("lines that ask for TLS", Box::new(repeated("STARTTLS\n"))),
        new("replies", Box::new(repeated("2\n"))).received(),
        new("replies to a request", Box::new(repeated("2 \n"))).received().after(Sent, "STARTTLS\r\n"),
        new("nearly TLS", Box::new(repeated([22, b'\n']))),
        new("text of two bytes each", Box::new(repeated("\u{e9}"))),
        unknown("commands that tell nothing", Box::new(repeated("A\n"))),
        unknown("tags that tell nothing", Box::new(repeated("A A\n"))),
        Input::new("mail", "long greetings", 21, |len| [&b"220-"[..], &vec![b'S'; len - 5], b"\n"].concat())
            .received(),
        Input::new("mail", "greetings", 21, repeated("220-S\n")).received().after(Received, "220-S\n"),
    ]
}

fn question(name: &[u8], kind: usize) -> Vec<u8> {
    [name, &be16(kind), &[0, 1]].concat()
}

fn header(response: bool, questions: usize, answers: usize) -> Vec<u8> {
    let flags = if response { 0x81 } else { 1 };
    [&[0, 7, flags, 0][..], &be16(questions), &be16(answers), &[0; 4]].concat()
}

/// The longest name, of bytes that take four characters each, behind one label of its own.
fn long(number: usize) -> Vec<u8> {
    let label = |len: u8| [&[len][..], &vec![7; len.into()]].concat();
    let own = [&[2][..], &be16(0x0101 + number)].concat();
    [own, label(63), label(63), label(63), label(57), vec![0]].concat()
}

fn resource(name: &[u8], kind: usize, data: &[u8]) -> Vec<u8> {
    [name, &be16(kind), &[0, 1, 0, 0, 0, 9], &be16(data.len()), data].concat()
}

/// An answer of 32 records, each made of its number.
fn answer(question: &[u8], record: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let records: Vec<u8> = (0..32).flat_map(record).collect();
    [header(true, 1, 32), question.to_vec(), records].concat()
}

fn dns() -> Vec<Input> {
    let new = |title, packet: Box<dyn Fn(usize) -> Vec<u8>>| Input::new("dns", title, 53, packet);
    let whole =
        |message: Vec<u8>| Box::new(move |len: usize| message.get(..len).unwrap_or(&message).to_vec());
    let stream = |message: Vec<u8>| {
        let framed = [&be16(message.len())[..], &message].concat();
        Box::new(move |len: usize| framed.repeat((len / framed.len()).max(1)))
    };
    let small = |number: usize| {
        let name = [&[3][..], format!("{:03}", number % 1_000).as_bytes(), &[0]].concat();
        [header(false, 1, 0), question(&name, 1)].concat()
    };
    let chain = answer(&question(&long(32), 1), |number| resource(&long(number + 1), 5, &long(number)));
    let aliases = answer(&question(&long(0), 1), |number| resource(&long(0), 5, &long(number + 1)));
    let authorities = answer(&question(&long(0), 6), |number| {
        resource(&long(0), 6, &[long(number), long(number), vec![0; 20]].concat())
    });
    let strings =
        answer(&question(&[0], 16), |_| resource(&[0], 16, &[&[255][..], &[7; 255]].concat().repeat(7)));
    let hints = |kinds: [u8; 2]| {
        let keys: Vec<u8> = kinds.iter().flat_map(|key| [&[0, *key, 1, 0][..], &[9; 256]].concat()).collect();
        [&[0, 1, 0][..], &keys.repeat(3)].concat()
    };
    let services = answer(&question(&[0], 65), |number| {
        let data: Vec<u8> = hints([6, 4])
            .iter()
            .enumerate()
            .map(|(at, byte)| if at > 8 && *byte == 9 { (number * 7 + at) as u8 } else { *byte })
            .collect();
        resource(&[0], 65, &data)
    });
    let addresses = |number: usize| resource(&[0], 28, &[&[9; 14][..], &be16(number)].concat());
    // Pointers to pointers, the last to the question's name.
    let pointers = {
        let start = 12 + 260;
        let chain: Vec<u8> = (0..200)
            .flat_map(|number: usize| {
                let target = if number == 0 { 12 } else { start + 11 + 2 * (number - 1) };
                be16(0xc000 + target)
            })
            .collect();
        let first = resource(&[0], 10, &chain);
        let last = be16(0xc000 + start + 11 + 2 * 199);
        let records: Vec<u8> = (0..31).flat_map(|_| resource(&last, 5, &last)).collect();
        [header(true, 1, 32), question(&long(0), 1), first, records].concat()
    };
    let questions = |from: usize| {
        let names = (0..16).flat_map(move |number| question(&long(from + number), 1));
        [header(false, 16, 0), names.collect()].concat()
    };
    let mut inputs: Vec<Input> = [
        ("a chain of aliases", chain),
        ("many aliases", aliases),
        ("authorities", authorities),
        ("strings", strings),
        ("hints", services),
        ("addresses", answer(&question(&[0], 28), addresses)),
        ("pointers", pointers),
        ("questions", questions(0)),
    ]
    .into_iter()
    .flat_map(|(title, message)| {
        [new(title, whole(message.clone())).udp().received(), new(title, stream(message)).received()]
    })
    .collect();
    let full = (0..32)
        .fold(new("the last of many long questions", whole(questions(31 * 16))).udp(), |input, number| {
            input.after(Sent, questions(number * 16 - usize::from(number == 31)))
        });
    let multicast = Input {
        port: 5353,
        ..new(
            "announcements of long names",
            whole({
                let records: Vec<u8> =
                    (0..32).flat_map(|number| resource(&long(number), 12, &long(number))).collect();
                [header(true, 0, 32), records].concat()
            }),
        )
        .udp()
        .received()
    };
    inputs.extend([
        full,
        multicast,
        new(
            "small questions over TCP",
            Box::new(counted(move |number| {
                let message = small(number);
                [&be16(message.len())[..], &message].concat()
            })),
        ),
        new("one small question over TCP", stream(small(0))),
        new("messages of one byte over TCP", Box::new(repeated([0, 1, 0]))).after(Sent, stream(small(0))(0)),
        new("empty messages over TCP", Box::new(repeated([0, 0]))).after(Sent, stream(small(0))(0)),
    ]);
    inputs
}

fn datagrams() -> Vec<Input> {
    let dtls = |kind: u8, payload: &[u8]| {
        [&[kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0][..], &be16(payload.len()), payload].concat()
    };
    let new =
        |parser, title, packet: Box<dyn Fn(usize) -> Vec<u8>>| Input::new(parser, title, 443, packet).udp();
    let fragment = |at: usize, len: usize, body: &[u8]| {
        let head = [&[1][..], &be24(len), &[0, 0], &be24(at), &be24(body.len())].concat();
        [head, body.to_vec()].concat()
    };
    let long = |version: u32, len: usize| {
        let len = len.min(0x3fff);
        [
            &[0xc0][..],
            &version.to_be_bytes(),
            &[8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0],
            &be16(0x4000 | (len - 18)),
            &vec![7; len - 18],
        ]
        .concat()
    };
    vec![
        new("dtls", "empty records", Box::new(repeated(dtls(23, &[])))),
        new("dtls", "alerts", Box::new(repeated(dtls(21, &[0])))),
        new("dtls", "short encrypted records", Box::new(repeated([0x20, 0, 0]))).after(Sent, dtls(21, &[0])),
        new(
            "dtls",
            "fragments ahead",
            Box::new(counted(move |number| dtls(22, &fragment(2 * (number % 6_000) + 2, 12_000, &[0])))),
        ),
        new("dtls", "empty fragments", Box::new(repeated(dtls(22, &fragment(0, 9_000, &[]))))),
        new("dtls", "hellos that break", Box::new(repeated(dtls(22, &fragment(0, 35, &[0; 35]))))),
        new("quic", "an Initial that no key opens", Box::new(move |len| long(1, len.min(2_048)))),
        new(
            "quic",
            "Initials that no key opens",
            Box::new(move |len| long(0x0a0a_0a0a, 2_048).repeat((len / 2_048).max(1))),
        ),
        new("quic", "short Initials", Box::new(move |len| long(0x0a0a_0a0a, 60).repeat(len / 60))),
        new("quic", "short packets", Box::new(|len| vec![0x40; len])).after(Sent, long(1, 1_200)),
        new("quic", "packets of another version", Box::new(move |len| long(99, len)))
            .after(Sent, long(1, 1_200)),
    ]
}

fn others() -> Vec<Input> {
    let new =
        |parser, title, port, packet: Box<dyn Fn(usize) -> Vec<u8>>| Input::new(parser, title, port, packet);
    let upgrade = "GET / HTTP/1.1\nupgrade:websocket\n\n";
    let socket = |title, packet| {
        new("websocket", title, 80, packet)
            .after(Sent, upgrade)
            .after(Received, "HTTP/1.1 101 \nupgrade:websocket\n\n")
    };
    vec![
        socket("empty frames", Box::new(repeated([0x81, 0]))),
        socket("long headers", Box::new(repeated([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]))),
        socket("frames of one byte", Box::new(repeated([0x81, 1, b'a']))),
        new("opening", "the last byte of an odd request", 7_000, Box::new(|_| vec![b'a']))
            .after(Sent, [&b"ABCD "[..], &[b'a'; 2_040]].concat()),
        new("opening", "the last byte of empty lines", 7_000, Box::new(|_| vec![b'\n']))
            .after(Sent, [b'\n'; 2_046]),
        new(
            "opening",
            "an odd request",
            7_000,
            Box::new(|len| [&b"ABCD "[..], &vec![b'a'; len - 5]].concat()),
        ),
        new("opening", "anything over TCP", 7_000, Box::new(|len| vec![0xa5; len])),
        new("opening", "anything over UDP", 7_000, Box::new(|len| vec![0xa5; len])).udp(),
        new(
            "unknown",
            "random bytes",
            7_000,
            Box::new(|len| {
                let step = |byte: &u32| Some(byte.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
                std::iter::successors(Some(7), step).map(|number| (number >> 24) as u8).take(len).collect()
            }),
        )
        .after(Sent, [0xa5; 3_000]),
        new("plain", "SSH", 22, Box::new(|len| vec![7; len])).after(Sent, "SSH-2.0-a\r\n"),
    ]
}

//! How each protocol asks for TLS, and how it is granted.

use telltale_model::{Application, Direction};

use crate::session::Likeness;

/// A protocol of text lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// RFC 5321; STARTTLS in RFC 3207.
    Smtp,
    /// RFC 959; AUTH TLS in RFC 4217.
    Ftp,
    /// RFC 1939; STLS in RFC 2595 4.
    Pop3,
    /// RFC 9051, where STARTTLS is 6.2.1.
    Imap,
    /// RFC 6120, where STARTTLS is 5.
    Xmpp,
}

/// A client's request to go on in TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    dialect: Dialect,
    /// IMAP's tag, which the reply repeats.
    tag: Vec<u8>,
}

/// Whether these first bytes of a direction are of one of these protocols: the server's greeting, or what a
/// client says first. USER is of two of them, so it tells nothing.
pub(crate) fn looks_like(direction: Direction, bytes: &[u8]) -> Likeness {
    let beginnings: &[&[u8]] = match direction {
        Direction::Received => {
            &[b"220 ", b"220-", b"554 ", b"+OK ", b"+OK\r\n", b"* OK", b"* PREAUTH", b"* BYE"]
        }
        Direction::Sent => &[b"EHLO ", b"HELO ", b"LHLO ", b"CAPA\r\n", b"STLS\r\n", b"AUTH TLS\r\n"],
    };
    let tagged = if direction == Direction::Sent { looks_tagged(bytes) } else { Likeness::No };
    let beginnings = beginnings.iter().map(|beginning| begins(bytes, beginning));
    beginnings.fold(better(tagged, looks_like_xmpp(bytes)), better)
}

impl Dialect {
    /// What a greeting tells. FTP's and SMTP's have the same code, and mostly say in words which they are.
    pub(super) fn of_greeting(line: &[u8]) -> Option<Self> {
        let says = |word: &[u8]| line.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
        match line {
            [b'+', b'O', b'K', ..] => Some(Self::Pop3),
            [b'*', b' ', ..] => Some(Self::Imap),
            [b'2' | b'5', ..] if says(b"SMTP") || says(b"LMTP") => Some(Self::Smtp),
            [b'2', ..] if says(b"FTP") => Some(Self::Ftp),
            [..] => None,
        }
    }

    /// What a command tells that follows a greeting without such words, or none.
    pub(super) fn of_command(line: &[u8]) -> Option<Self> {
        if line.len() < SHORTEST {
            return None;
        }
        let verb = split(line).0;
        let known = VERBS.iter().find(|(known, _)| verb.eq_ignore_ascii_case(known.as_bytes()));
        match known {
            Some((_, dialect)) => Some(*dialect),
            None if Self::Ftp.request(line).is_some() => Some(Self::Ftp),
            None if looks_tagged(line) == Likeness::Yes => Some(Self::Imap),
            None => None,
        }
    }

    pub(super) fn application(self) -> Application {
        match self {
            Self::Smtp => Application::Smtp,
            Self::Ftp => Application::Ftp,
            Self::Pop3 => Application::Pop3,
            Self::Imap => Application::Imap,
            Self::Xmpp => Application::Xmpp,
        }
    }

    /// The byte that ends a line. XMPP has tags in their place.
    pub(super) fn line_end(dialect: Option<Self>) -> u8 {
        if dialect == Some(Self::Xmpp) { b'>' } else { b'\n' }
    }

    /// The request for TLS, if a line of the client is one.
    pub(super) fn request(self, line: &[u8]) -> Option<Request> {
        let (verb, argument) = split(line);
        let asks = match self {
            Self::Smtp => line.eq_ignore_ascii_case(b"STARTTLS"),
            Self::Pop3 => line.eq_ignore_ascii_case(b"STLS"),
            Self::Imap => argument.eq_ignore_ascii_case(b"STARTTLS"),
            Self::Ftp => {
                let mechanisms: [&[u8]; 4] = [b"TLS", b"TLS-C", b"TLS-P", b"SSL"];
                verb.eq_ignore_ascii_case(b"AUTH")
                    && mechanisms.iter().any(|name| argument.eq_ignore_ascii_case(name))
            }
            Self::Xmpp => line.starts_with(b"<starttls") || line == b"</starttls>",
        };
        let tag = if self == Self::Imap { verb.to_vec() } else { Vec::new() };
        asks.then_some(Request { dialect: self, tag })
    }
}

impl Request {
    /// Whether a line of the server grants it.
    pub(super) fn is_granted_by(&self, line: &[u8]) -> bool {
        let (code, text) = split(line);
        match self.dialect {
            Dialect::Smtp => code == b"220",
            Dialect::Ftp => code == b"234",
            Dialect::Pop3 => code == b"+OK",
            Dialect::Imap => code == self.tag && split(text).0.eq_ignore_ascii_case(b"OK"),
            Dialect::Xmpp => line == b"</proceed>" || line.starts_with(b"<proceed") && line.ends_with(b"/>"),
        }
    }
}

/// No command tells anything that is shorter: `STLS`.
const SHORTEST: usize = 4;

/// Commands that only one of them has.
const VERBS: [(&str, Dialect); 11] = [
    ("EHLO", Dialect::Smtp),
    ("HELO", Dialect::Smtp),
    ("LHLO", Dialect::Smtp),
    ("STARTTLS", Dialect::Smtp),
    ("MAIL", Dialect::Smtp),
    ("CAPA", Dialect::Pop3),
    ("STLS", Dialect::Pop3),
    ("APOP", Dialect::Pop3),
    ("FEAT", Dialect::Ftp),
    ("SYST", Dialect::Ftp),
    ("OPTS", Dialect::Ftp),
];

/// Whether a reply has more lines (RFC 5321 4.2.1, RFC 959 4.2).
pub(super) fn goes_on(line: &[u8]) -> bool {
    matches!(line, [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-', ..])
}

/// The first word of a line, and what follows.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (first, rest) = line.split_at_checked(end).unwrap_or_default();
    (first, rest.trim_ascii())
}

/// An IMAP command: a tag, made up by the client, and a verb.
fn looks_tagged(bytes: &[u8]) -> Likeness {
    const TAG: usize = 16;
    const VERBS: [&[u8]; 6] =
        [b"CAPABILITY\r\n", b"STARTTLS\r\n", b"LOGIN ", b"ID ", b"AUTHENTICATE ", b"NOOP\r\n"];
    let tag =
        bytes.iter().take(TAG).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'.').count();
    match bytes.get(tag..).unwrap_or_default() {
        [] if tag < TAG => Likeness::Maybe,
        [b' ', verb @ ..] if tag > 0 => {
            VERBS.iter().map(|known| begins(verb, known)).fold(Likeness::No, better)
        }
        [..] => Likeness::No,
    }
}

/// The head of a stream (RFC 6120 4.7), with or without an XML declaration before it.
fn looks_like_xmpp(bytes: &[u8]) -> Likeness {
    const DECLARATION: &[u8] = b"<?xml";
    const LONGEST: usize = 128;
    match begins(bytes, DECLARATION) {
        Likeness::Yes => match bytes.iter().take(LONGEST).position(|byte| *byte == b'>') {
            Some(end) => {
                begins(bytes.get(end + 1..).unwrap_or_default().trim_ascii_start(), b"<stream:stream")
            }
            None if bytes.len() < LONGEST => Likeness::Maybe,
            None => Likeness::No,
        },
        Likeness::Maybe => Likeness::Maybe,
        Likeness::No => begins(bytes, b"<stream:stream"),
    }
}

fn begins(bytes: &[u8], beginning: &[u8]) -> Likeness {
    let equal = bytes.iter().zip(beginning).all(|(one, other)| one.eq_ignore_ascii_case(other));
    match (equal, bytes.len() >= beginning.len()) {
        (false, _) => Likeness::No,
        (true, false) => Likeness::Maybe,
        (true, true) => Likeness::Yes,
    }
}

fn better(one: Likeness, other: Likeness) -> Likeness {
    match (one, other) {
        (Likeness::Yes, _) | (_, Likeness::Yes) => Likeness::Yes,
        (Likeness::Maybe, _) | (_, Likeness::Maybe) => Likeness::Maybe,
        (Likeness::No, Likeness::No) => Likeness::No,
    }
}

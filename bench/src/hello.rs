//! How a TLS connection opens, so that a bulk load behind it is one for whoever looks: the two hellos of
//! RFC 8446 4.1, what follows them encrypted, and a request. The client's hello carries the number of its flow where
//! another has random bytes.

/// Bytes of a client's hello, with its record header.
pub(crate) const CLIENT: usize = 5 + 4 + 2 + 32 + 33 + 4 + 2 + 2 + EXTENSIONS;
/// Bytes of a server's hello, with its record header, and of what follows it.
pub(crate) const SERVER: usize = 5 + 4 + 2 + 32 + 33 + 2 + 1 + 2 + 6 + 40 + (5 + CERTIFIED);
/// Bytes of what a client says before the load begins.
pub(crate) const REQUEST: usize = (5 + FINISHED) + (5 + ASKED);

/// Of the server's other messages: a chain of certificates is most of them.
const CERTIFIED: usize = 3_000;
/// Of a client's Finished: header, hash, type, tag (RFC 8446 4.4.4, 5.2).
const FINISHED: usize = 4 + 32 + 1 + 16;
const ASKED: usize = 300;

const NAME: &[u8] = b"bench.example";
const EXTENSIONS: usize = (9 + NAME.len()) + 8 + 8 + 7 + 9 + 42;
/// Where a number is: behind the header of the record, that of the message, and the version.
const RANDOM: usize = 5 + 4 + 2;

/// A client's hello that offers TLS 1.3 with X25519 and HTTP/2.
pub(crate) fn client(number: u64) -> Vec<u8> {
    let random = [&number.to_be_bytes()[..], &[0x5a; 24]].concat();
    let server_name = extension(0, &vector16(&[&[0], &vector16(NAME)[..]].concat()));
    let groups = extension(10, &vector16(&[0, 29]));
    let signatures = extension(13, &vector16(&[4, 3]));
    let versions = extension(43, &[2, 3, 4]);
    let protocols = extension(16, &vector16(b"\x02h2"));
    let key_share = extension(51, &vector16(&[&[0, 29], &vector16(&[0x77; 32])[..]].concat()));
    let extensions = [server_name, groups, signatures, versions, protocols, key_share].concat();
    let ciphers = [0, 2, 0x13, 1];
    let body = [&[3, 3], &random[..], &session(), &ciphers, &[1, 0], &vector16(&extensions)].concat();
    record(&message(1, &body))
}

/// A server's hello that takes the offer, and what is encrypted behind it.
pub(crate) fn server() -> Vec<u8> {
    let key_share = extension(51, &[&[0, 29], &vector16(&[0x66; 32])[..]].concat());
    let extensions = [extension(43, &[3, 4]), key_share].concat();
    let body = [&[3, 3], &[0xa5; 32][..], &session(), &[0x13, 1, 0], &vector16(&extensions)].concat();
    [record(&message(2, &body)), encrypted(CERTIFIED)].concat()
}

/// What the client says to that.
pub(crate) fn request() -> Vec<u8> {
    [encrypted(FINISHED), encrypted(ASKED)].concat()
}

/// The number in a client's hello.
pub(crate) fn number(hello: &[u8; CLIENT]) -> u64 {
    hello.get(RANDOM..).and_then(<[u8]>::first_chunk).map_or(u64::MAX, |bytes| u64::from_be_bytes(*bytes))
}

/// RFC 8446 D.4: not empty, so that boxes on the way see the TLS that they know.
fn session() -> Vec<u8> {
    [&[32], &[0x33; 32][..]].concat()
}

fn record(message: &[u8]) -> Vec<u8> {
    [&[22, 3, 1], &vector16(message)[..]].concat()
}

fn encrypted(length: usize) -> Vec<u8> {
    [&[23, 3, 3], &vector16(&vec![0x9c; length])[..]].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0], &vector16(body)[..]].concat()
}

fn extension(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[0, kind], &vector16(body)[..]].concat()
}

fn vector16(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&length, body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hellos_are_as_long_as_they_say_and_carry_the_number() {
        let (client, server) = (client(77), server());
        assert_eq!((client.len(), server.len(), request().len()), (CLIENT, SERVER, REQUEST));
        assert_eq!(number(client.first_chunk().unwrap()), 77);
        for (hello, behind) in [(client, 0), (server, 5 + CERTIFIED)] {
            assert_eq!(usize::from(u16::from_be_bytes([hello[3], hello[4]])), hello.len() - behind - 5);
            assert_eq!(usize::from(u16::from_be_bytes([hello[7], hello[8]])), hello.len() - behind - 9);
        }
    }
}

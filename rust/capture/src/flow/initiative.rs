//! Who began: the app, or its remote?
//!
//! A SYN tells. Where a capture begins later, the first payload may tell, then the ports, then who is seen
//! first.

use std::net::IpAddr;

use super::Segment;

/// Whether the first segment that was seen of a connection came from the side that began it.
pub(crate) fn segment_is_from_app(segment: &Segment) -> bool {
    if segment.syn {
        return segment.acknowledged.is_none();
    }
    speaker(&segment.payload)
        .or_else(|| by_service(segment.source, segment.destination))
        .or_else(|| by_range(segment.source, segment.destination))
        .unwrap_or(true)
}

/// The same for the first datagram between two places. To many at once, only an app speaks unasked.
pub(crate) fn datagram_is_from_app(source: u16, destination: u16, to: IpAddr) -> bool {
    let to_many = match to {
        IpAddr::V4(to) => to.is_multicast() || to.is_broadcast(),
        IpAddr::V6(to) => to.is_multicast(),
    };
    to_many || by_service(source, destination).unwrap_or(true)
}

/// Whether a client (true) or a server (false) would say this first.
fn speaker(payload: &[u8]) -> Option<bool> {
    if let [22, 3, _, _, _, kind, ..] = payload {
        // A TLS handshake: ClientHello and ServerHello.
        return match kind {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        };
    }
    let begins = |with: &[&str]| with.iter().any(|text| payload.starts_with(text.as_bytes()));
    if begins(&CLIENT) {
        return Some(true);
    }
    begins(&SERVER).then_some(false)
}

const CLIENT: [&str; 11] = [
    "GET ",
    "POST ",
    "PUT ",
    "HEAD ",
    "DELETE ",
    "OPTIONS ",
    "PATCH ",
    "CONNECT ",
    "PRI * HTTP/2",
    "EHLO ",
    "HELO ",
];
const SERVER: [&str; 5] = ["HTTP/1.", "220 ", "220-", "* OK", "+OK"];

/// One of the two ports is that of a service.
fn by_service(source: u16, destination: u16) -> Option<bool> {
    match (is_service(source), is_service(destination)) {
        (false, true) => Some(true),
        (true, false) => Some(false),
        _ => None,
    }
}

/// Ports below 1,024 are for servers (RFC 6335 6); of the others those that phones speak to most.
fn is_service(port: u16) -> bool {
    port < 1_024
        || matches!(
            port,
            1194 | 1883 | 1900 | 3128 | 3306 | 3478..=3481 | 4500 | 5060 | 5061 | 5222 | 5223 | 5228..=5230
                | 5242 | 5349 | 5353 | 5355 | 5432 | 6379 | 8000 | 8008 | 8009 | 8080 | 8443 | 8883 | 8888
                | 51820
        )
}

/// One of the two is from the range that systems choose a client's port from: Linux begins it at 32,768,
/// RFC 6335 at 49,152.
fn by_range(source: u16, destination: u16) -> Option<bool> {
    let is_chosen = |port: u16| port >= 32_768;
    (is_chosen(source) != is_chosen(destination)).then(|| is_chosen(source))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_syn_tells_who_began_whatever_the_ports_are() {
        assert!(segment_is_from_app(&Segment { syn: true, ..segment(443, 40_000, "") }));
        let answer = Segment { syn: true, acknowledged: Some(1), ..segment(40_000, 443, "") };
        assert!(!segment_is_from_app(&answer));
    }

    #[test]
    fn without_a_syn_what_is_said_tells_then_the_ports_then_who_speaks_first() {
        assert!(segment_is_from_app(&segment(443, 40_000, "GET / HTTP/1.1")));
        assert!(!segment_is_from_app(&segment(40_000, 443, "HTTP/1.1 200 OK")));
        assert!(segment_is_from_app(&segment(50_000, 50_001, "\u{16}\u{3}\u{1}\0\0\u{1}")));
        assert!(!segment_is_from_app(&segment(443, 40_000, "")));
        assert!(!segment_is_from_app(&segment(10_000, 40_000, "?")));
        assert!(segment_is_from_app(&segment(50_000, 50_001, "?")));
    }

    #[test]
    fn a_datagram_from_a_service_is_an_answer_unless_it_goes_to_many() {
        let one = "192.0.2.1".parse().unwrap();
        assert!(datagram_is_from_app(40_000, 53, one));
        assert!(!datagram_is_from_app(53, 40_000, one));
        assert!(datagram_is_from_app(500, 500, one));
        assert!(datagram_is_from_app(5_353, 40_000, "224.0.0.251".parse().unwrap()));
    }

    fn segment(source: u16, destination: u16, payload: &'static str) -> Segment {
        Segment {
            source,
            destination,
            sequence: 0,
            acknowledged: None,
            syn: false,
            fin: false,
            reset: false,
            payload: Bytes::from_static(payload.as_bytes()),
            missing: 0,
        }
    }
}

//! Replays the committed fuzz corpora, with the toolchain that everything else is built with.

#[cfg(test)]
#[path = "../../fuzz/src/conversation.rs"]
pub mod conversation;

#[cfg(test)]
#[path = "../../fuzz/src/http.rs"]
pub mod http;

#[cfg(all(test, feature = "keys"))]
#[path = "../../fuzz/src/keys.rs"]
pub mod keys;

#[cfg(test)]
#[path = "../../fuzz/src/quic.rs"]
pub mod quic;

#[cfg(test)]
#[path = "../../fuzz/src/search.rs"]
pub mod search;

#[cfg(test)]
#[path = "../../fuzz/src/tls.rs"]
pub mod tls;

#[cfg(test)]
#[path = "../../fuzz/src/replay.rs"]
pub mod replay;

#[cfg(test)]
mod tests {
    use crate::replay::replay;
    use crate::{conversation, http, quic, search, tls};

    #[test]
    fn dns() {
        replay("dns", conversation::dns);
    }

    #[test]
    fn openings() {
        replay("opening", conversation::opening);
    }

    #[test]
    fn connections_of_http_1() {
        replay("http1", http::http1);
    }

    #[test]
    fn connections_of_http_2() {
        replay("http2", http::http2);
    }

    #[cfg(feature = "keys")]
    #[test]
    fn frames_of_quic() {
        replay("quic_frames", crate::keys::quic_frames);
    }

    #[cfg(feature = "keys")]
    #[test]
    fn tls_connections_with_keys() {
        replay("tls_keys", crate::keys::tls_keys);
    }

    #[test]
    fn odd_datagrams() {
        replay("quic_datagrams", quic::quic_datagrams);
    }

    #[test]
    fn tls_connections() {
        replay("tls", tls::tls);
    }

    #[test]
    fn dtls_datagrams() {
        replay("dtls", tls::dtls);
    }

    #[test]
    fn connections_of_lines() {
        replay("mail", tls::mail);
    }

    #[test]
    fn searched_parts() {
        replay("search", search::search);
    }
}

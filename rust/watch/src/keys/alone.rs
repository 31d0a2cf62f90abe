//! Reads what was opened, or what shall be, without a flow around it: for fuzzing.

use telltale_model::{Direction, Facts, FlowKey, Hello, Protocol};

use super::quic::Quic;
use super::sources::Keys;
use super::tls::Tls;
use crate::page::Page;
use crate::session::Step;

/// What the frames say that the packets of a QUIC connection of HTTP/3 hold.
pub fn read_quic_frames<'a>(packets: impl IntoIterator<Item = (Direction, &'a [u8])>) -> Facts {
    let (mut quic, mut page) = (Quic::new(&Keys::new()), Page::default());
    page.facts.hello = Some(Hello { alpn: vec!["h3".to_owned()], ..Hello::default() });
    for (direction, frames) in packets {
        quic.take_frames(direction, frames, &mut page);
    }
    quic.end(&mut page);
    page.facts
}

/// What the bytes of a TLS connection say with these keys, in pieces of any size.
pub fn read_tls_with_keys<'a>(pieces: impl IntoIterator<Item = (Direction, &'a [u8])>, keys: &Keys) -> Facts {
    let address = |host| (std::net::Ipv4Addr::from(host), 443).into();
    let key =
        FlowKey { protocol: Protocol::Tcp, app: address([192, 0, 2, 1]), remote: address([192, 0, 2, 2]) };
    let (mut tls, mut page) = (Tls::new(key, keys, super::DEPTH), Page::default());
    for (direction, bytes) in pieces {
        let Step::On = tls.take(direction, bytes, &mut page) else { break };
    }
    tls.end(&mut page);
    page.facts
}

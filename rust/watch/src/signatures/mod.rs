//! What tells a protocol by its first bytes: one small file a family. Each function answers for one
//! protocol; random bytes and other protocols' bytes are [`Likeness::No`].

mod calls;
mod local;
mod messages;
mod peers;
mod services;
mod shells;
mod vpn;

use telltale_model::{Application, FlowKey};

use crate::session::Likeness;

pub(crate) use calls::stun_data;
pub(crate) use local::ntp_len;
pub(crate) use services::{dnscrypt_stream, is_push, is_resolver};
pub(crate) use vpn::{is_esp, is_ike, wireguard_builds};

/// The beginning of a TCP flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'a> {
    pub(crate) sent: &'a [u8],
    pub(crate) received: &'a [u8],
}

impl<'a> Start<'a> {
    /// What the client said; where nothing of it is here, what the server did.
    pub(crate) fn first(&self) -> &'a [u8] {
        if self.sent.is_empty() { self.received } else { self.sent }
    }
}

/// A datagram, and the one before it in the same direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Datagram<'a> {
    pub(crate) key: FlowKey,
    pub(crate) bytes: &'a [u8],
    pub(crate) before: &'a [u8],
}

type OfStream = fn(&Start<'_>) -> Likeness;
type OfDatagram = fn(&Datagram<'_>) -> bool;

/// In the order in which they are tried: those that the client begins first.
const STREAMS: [(Application, OfStream); 6] = [
    (Application::Mqtt, messages::mqtt),
    (Application::BitTorrent, peers::stream),
    (Application::Stun, calls::stun_stream),
    (Application::Sip, calls::sip_stream),
    (Application::OpenVpn, vpn::openvpn_stream),
    (Application::Ssh, shells::ssh),
];

const DATAGRAMS: [(Application, OfDatagram); 13] = [
    (Application::Stun, calls::stun),
    (Application::Ntp, local::ntp),
    (Application::Ssdp, local::ssdp),
    (Application::Dhcp, local::dhcp),
    (Application::WireGuard, vpn::wireguard),
    (Application::OpenVpn, vpn::openvpn),
    (Application::Ike, vpn::ike),
    (Application::Esp, vpn::esp),
    (Application::Sip, calls::sip),
    (Application::BitTorrent, peers::datagram),
    (Application::DnsCrypt, services::dnscrypt),
    (Application::Rtp, calls::rtcp),
    (Application::Rtp, calls::rtp),
];

/// How like each protocol the beginning of a TCP flow is.
pub(crate) fn of_stream(start: &Start<'_>) -> impl Iterator<Item = (Likeness, Application)> + use<> {
    STREAMS.map(|(application, signature)| (signature(start), application)).into_iter()
}

/// What a datagram speaks.
pub(crate) fn of_datagram(datagram: &Datagram<'_>) -> Option<Application> {
    DATAGRAMS.iter().find(|(_, signature)| signature(datagram)).map(|(application, _)| *application)
}

/// Whether one of the ports is one of these.
fn on_port(key: &FlowKey, ports: &[u16]) -> bool {
    ports.contains(&key.remote.port()) || ports.contains(&key.app.port())
}

/// Whether bytes begin with this text.
fn begins(bytes: &[u8], text: &[u8]) -> Likeness {
    let len = bytes.len().min(text.len());
    match (bytes.get(..len) == text.get(..len), len == text.len()) {
        (true, true) => Likeness::Yes,
        (true, false) => Likeness::Maybe,
        (false, _) => Likeness::No,
    }
}

/// Whether bytes begin with one of these texts.
fn begins_with_any(bytes: &[u8], texts: &[&[u8]]) -> Likeness {
    let all = || texts.iter().map(|text| begins(bytes, text));
    if all().any(|likeness| likeness == Likeness::Yes) {
        Likeness::Yes
    } else if all().any(|likeness| likeness == Likeness::Maybe) {
        Likeness::Maybe
    } else {
        Likeness::No
    }
}

#[cfg(test)]
mod tests;

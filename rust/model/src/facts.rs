use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{Class, Coverage, Hit};

/// What was read from a flow's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// What is spoken, as far as it could be told.
    pub application: Option<Application>,
    /// Every name that the flow itself carried, each once, in the order of its first appearance.
    pub names: Vec<Name>,
    /// DNS questions, and what was answered.
    pub lookups: Vec<Lookup>,
    /// The client's TLS or QUIC hello.
    pub hello: Option<Hello>,
    /// HTTP requests, the first ones.
    pub requests: Vec<Request>,
    /// The certificate that the server showed, where it could be read: TLS 1.3 encrypts it (RFC 8446 4.4.2).
    #[serde(default)]
    pub certificate: Option<Certificate>,
    /// Bytes that were sent as content, an upper bound of what the app said: the payload of TLS application
    /// data, of QUIC 1-RTT packets, else all payload that is not framing.
    pub content_sent: u64,
    /// Every sent byte by how far it could be looked into.
    pub coverage: Coverage,
    /// The same of what was spoken first, where the flow went over to something else: before a WebSocket, or TLS within
    /// mail. It is not stored.
    #[serde(skip)]
    pub before: Coverage,
    /// Bytes of content among them that were encrypted, and could be looked into only with keys that the
    /// program itself wrote down: nobody on the way could read them.
    #[serde(default)]
    pub read_with_keys: u64,
    /// What is spoken inside, where that could be read with keys.
    #[serde(default)]
    pub inside: Option<Application>,
    /// The set of details that was looked for, [`crate::Details::set`]; 0 where there was none.
    #[serde(default)]
    pub set: u64,
    /// Details that were seen in what was sent, each once in a form and a field, in the order of their first
    /// appearance.
    #[serde(default)]
    pub hits: Vec<Hit>,
}

/// A protocol over TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Application {
    /// TLS, any version.
    Tls,
    /// DTLS, any version.
    Dtls,
    /// QUIC, any version.
    Quic,
    /// HTTP/1.x in clear.
    Http,
    /// HTTP/2 in clear.
    Http2,
    /// HTTP/3, which is never in clear.
    Http3,
    /// A WebSocket in clear.
    WebSocket,
    /// DNS in clear.
    Dns,
    /// Multicast DNS.
    Mdns,
    /// Link-local multicast name resolution.
    Llmnr,
    /// NetBIOS name service.
    Nbns,
    /// DNS over TLS.
    Dot,
    /// DNS over HTTPS, to a known resolver.
    Doh,
    /// DNS over QUIC.
    Doq,
    /// STUN, and TURN over it.
    Stun,
    /// Network time.
    Ntp,
    /// Discovery of devices nearby.
    Ssdp,
    /// DHCP.
    Dhcp,
    /// WireGuard.
    WireGuard,
    /// OpenVPN.
    OpenVpn,
    /// IKE, the key exchange of IPsec: Wi-Fi calling.
    Ike,
    /// ESP in UDP: Wi-Fi calling.
    Esp,
    /// MQTT in clear.
    Mqtt,
    /// XMPP.
    Xmpp,
    /// Google's push service.
    Fcm,
    /// Voice or video.
    Rtp,
    /// SIP.
    Sip,
    /// BitTorrent.
    BitTorrent,
    /// SSH.
    Ssh,
    /// Mail being sent, before or without TLS.
    Smtp,
    /// Mail being read, before or without TLS.
    Imap,
    /// Mail being fetched, before or without TLS.
    Pop3,
    /// FTP.
    Ftp,
    /// DNSCrypt.
    DnsCrypt,
    /// MySQL or MariaDB in clear, before or without TLS.
    MySql,
    /// PostgreSQL in clear, before or without TLS.
    PostgreSql,
}

impl Application {
    /// The name used in JSON and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Dtls => "dtls",
            Self::Quic => "quic",
            Self::Http => "http",
            Self::Http2 => "http2",
            Self::Http3 => "http3",
            Self::WebSocket => "web_socket",
            Self::Dns => "dns",
            Self::Mdns => "mdns",
            Self::Llmnr => "llmnr",
            Self::Nbns => "nbns",
            Self::Dot => "dot",
            Self::Doh => "doh",
            Self::Doq => "doq",
            Self::Stun => "stun",
            Self::Ntp => "ntp",
            Self::Ssdp => "ssdp",
            Self::Dhcp => "dhcp",
            Self::WireGuard => "wire_guard",
            Self::OpenVpn => "open_vpn",
            Self::Ike => "ike",
            Self::Esp => "esp",
            Self::Mqtt => "mqtt",
            Self::Xmpp => "xmpp",
            Self::Fcm => "fcm",
            Self::Rtp => "rtp",
            Self::Sip => "sip",
            Self::BitTorrent => "bit_torrent",
            Self::Ssh => "ssh",
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Ftp => "ftp",
            Self::DnsCrypt => "dns_crypt",
            Self::MySql => "my_sql",
            Self::PostgreSql => "postgre_sql",
        }
    }

    /// Whether it asks for names in clear.
    pub fn asks_openly(self) -> bool {
        matches!(self, Self::Dns | Self::Mdns | Self::Llmnr | Self::Nbns)
    }

    /// Whether it encrypts nothing itself: what is not understood of it, such as a picture, anyone on the network
    /// could read all the same. Media of calls are no such thing, nor what a VPN or a torrent carries.
    pub fn is_open(self) -> bool {
        self.asks_openly()
            || matches!(
                self,
                Self::Http
                    | Self::Http2
                    | Self::WebSocket
                    | Self::Ntp
                    | Self::Ssdp
                    | Self::Dhcp
                    | Self::Mqtt
                    | Self::Xmpp
                    | Self::Sip
                    | Self::Smtp
                    | Self::Imap
                    | Self::Pop3
                    | Self::Ftp
                    | Self::MySql
                    | Self::PostgreSql
            )
    }
}

/// A name that a flow carried.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name {
    /// In lower case, without port and last dot; bytes that are not printable ASCII as `\DDD`.
    pub name: String,
    /// Where it stood.
    pub from: NameSource,
    /// With ECH (RFC 9849): the outer name, a cover for another that cannot be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outer: bool,
}

/// Where a name stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameSource {
    /// Server name indication in a TLS ClientHello (RFC 6066 3).
    Tls,
    /// The same in a QUIC Initial.
    Quic,
    /// `Host`, `:authority`, CONNECT's or an absolute URI's authority.
    Http,
    /// A DNS question.
    Dns,
}

impl NameSource {
    /// The name used in JSON and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Quic => "quic",
            Self::Http => "http",
            Self::Dns => "dns",
        }
    }
}

/// A DNS question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The name, as [`Name::name`] is written.
    pub query: String,
    /// `A`, `AAAA`, `HTTPS`, `PTR`...; `TYPE65280` for one without a name (RFC 3597 5).
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether an answer was seen at all.
    pub answered: bool,
    /// Addresses that it has, directly or over aliases.
    pub addresses: Vec<IpAddr>,
    /// Other answers in the words of zone files, aliases among them.
    pub others: Vec<String>,
}

/// What a client said of itself when it began TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The highest version that it offers, as on the wire: 0x0304 is TLS 1.3.
    pub version: u16,
    /// What it wants to speak inside: `h2`, `http/1.1`, `h3`...
    pub alpn: Vec<String>,
    /// Whether it has an encrypted hello inside (RFC 9849), real or GREASE: nobody outside can tell.
    pub ech: bool,
    /// Its fingerprint, JA4.
    pub ja4: String,
}

/// What a server's certificate is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Names of hosts, in lower case, the first ones; `*.example` stands for one label in front.
    pub names: Vec<String>,
    /// Whether these are all names.
    pub whole: bool,
}

/// An HTTP request. Longer texts are cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `GET`...
    pub method: String,
    /// Host, as [`Name::name`] is written; empty where there was none.
    pub host: String,
    /// Path with query.
    pub path: String,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// Names of cookies sent, never their values.
    pub cookies: Vec<String>,
    /// `Content-Type` of what was sent.
    pub content_type: Option<String>,
    /// `Content-Encoding` of what was sent.
    pub content_encoding: Option<String>,
    /// Bytes of the body that was sent, without chunk framing.
    pub body: u64,
    /// How far those bytes could be looked into; of what is still under way, and where nothing is looked for, nothing
    /// is said. It is not stored.
    #[serde(skip)]
    pub looked: Coverage,
    /// The status of the answer, if it was seen.
    pub status: Option<u16>,
}

impl Facts {
    /// Requests that are kept: a flow that carries more is told by its first ones.
    pub const KEPT: usize = 64;

    /// Names and lookups that are kept, each: a resolver's socket may carry all questions of an hour.
    /// Names of longer than 255 bytes do not exist (RFC 1035 2.3.4).
    pub const NAMES: usize = 512;

    /// Remembers a name, once.
    pub fn add_name(&mut self, name: Name) {
        if self.names.len() < Self::NAMES && !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    /// Hits that are kept: those that differ in more than their place.
    pub const HITS: usize = 64;

    /// Remembers a hit, unless there are enough, and says whether it did. One that is known already is told once, as it
    /// is surest.
    pub fn add_hit(&mut self, hit: Hit) -> bool {
        let what = |hit: &Hit| (hit.kind, hit.detail);
        let same =
            |known: &Hit| what(known) == what(&hit) && known.form == hit.form && known.field == hit.field;
        match self.hits.iter().position(same) {
            None if self.hits.len() >= Self::HITS => return false,
            None => self.hits.push(hit),
            Some(place) => {
                if let Some(known) = self.hits.get_mut(place).filter(|known| known.grade < hit.grade) {
                    *known = hit;
                }
            }
        }
        true
    }

    /// Whether there were details to look for; `None` where there were none, and nothing that could be searched
    /// either.
    pub fn given(&self) -> Option<bool> {
        match (self.set, self.coverage.of(Class::Searched)) {
            (0, 0) => None,
            (0, _) => Some(false),
            _ => Some(true),
        }
    }

    /// Counts sent bytes that are no content of a person: framing and handshakes.
    pub fn count_handshake(&mut self, bytes: usize) {
        self.coverage.add(Class::Handshake, bytes as u64);
    }

    /// Counts sent bytes of content.
    pub fn count_content(&mut self, class: Class, bytes: usize) {
        let bytes = bytes as u64;
        self.coverage.add(class, bytes);
        self.content_sent = self.content_sent.saturating_add(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DetailKind, Grade};

    #[test]
    fn a_hit_is_kept_once_and_as_it_is_surest() {
        let hit = |grade, field: &str| Hit {
            kind: DetailKind::Imei,
            detail: None,
            grade,
            form: vec![],
            field: field.into(),
            request: None,
            offset: 0,
            at: crate::Timestamp(0),
            excerpt: String::new(),
            count: 1,
            hello: false,
        };
        let mut facts = Facts::default();
        for grade in [Grade::LooksLike, Grade::Yours, Grade::LooksLike] {
            assert!(facts.add_hit(hit(grade, "path[1]")));
        }
        assert_eq!(facts.hits, [hit(Grade::Yours, "path[1]")]);
        let kept = (0..100).filter(|place| facts.add_hit(hit(Grade::Yours, &format!("json[{place}]"))));
        assert_eq!(kept.count(), Facts::HITS - 1);
        assert_eq!(facts.hits.len(), Facts::HITS);
    }

    #[test]
    fn names_are_the_same_in_json_as_in_the_database() {
        for application in
            [Application::WebSocket, Application::BitTorrent, Application::Http2, Application::PostgreSql]
        {
            assert_eq!(serde_json::to_string(&application).unwrap(), format!("\"{}\"", application.name()));
        }
        assert_eq!(serde_json::to_string(&NameSource::Quic).unwrap(), "\"quic\"");
    }
}

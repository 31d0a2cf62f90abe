//! TLS between a client and a server in memory, always the same bytes for the same seed.

use std::cell::Cell;
use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{KeyPair, PKCS_ED25519};
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, Connection, Error, KeyLog, NamedGroup, PeerMisbehaved, RootCertStore,
    ServerConfig, ServerConnection, SupportedProtocolVersion,
};
use x25519_dalek::{PublicKey, StaticSecret};

use super::http::Exchange;

/// What one side hands to TCP before it waits for the other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flight {
    /// Whether the client says it.
    pub(super) from_client: bool,
    /// The records.
    pub(super) bytes: Vec<u8>,
}

/// What crosses when these are exchanged in TLS, and the secrets of it as lines of a key log file.
///
/// # Errors
/// When the two sides do not understand each other.
pub(super) fn flights(
    host: &str,
    version: &'static SupportedProtocolVersion,
    exchanges: &[Exchange],
    seed: u64,
) -> io::Result<(Vec<Flight>, String)> {
    RANDOM.set(seed);
    let secrets = Arc::new(Secrets::default());
    let mut wire = Wire::new(host, version, Arc::clone(&secrets)).map_err(io::Error::other)?;
    while wire.client.is_handshaking() || wire.server.is_handshaking() {
        wire.carry(true)?;
        wire.carry(false)?;
    }
    for exchange in exchanges {
        wire.say(true, &exchange.request)?;
        wire.say(false, &exchange.answer)?;
    }
    wire.client.send_close_notify();
    wire.carry(true)?;
    wire.server.send_close_notify();
    wire.carry(false)?;
    let secrets = secrets.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((wire.flights, secrets))
}

#[derive(Debug)]
struct Wire {
    client: Connection,
    server: Connection,
    flights: Vec<Flight>,
}

impl Wire {
    fn new(
        host: &str,
        version: &'static SupportedProtocolVersion,
        secrets: Arc<Secrets>,
    ) -> Result<Self, Error> {
        let (client, server) = configs(host, version, secrets)?;
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| Error::General(error.to_string()))?;
        Ok(Self {
            client: ClientConnection::new(Arc::new(client), name)?.into(),
            server: ServerConnection::new(Arc::new(server))?.into(),
            flights: Vec::new(),
        })
    }

    fn say(&mut self, from_client: bool, message: &[u8]) -> io::Result<()> {
        let speaker = if from_client { &mut self.client } else { &mut self.server };
        io::Write::write_all(&mut speaker.writer(), message)?;
        self.carry(from_client)
    }

    /// Brings what one side has to say to the other.
    fn carry(&mut self, from_client: bool) -> io::Result<()> {
        let (speaker, listener) = if from_client {
            (&mut self.client, &mut self.server)
        } else {
            (&mut self.server, &mut self.client)
        };
        let mut bytes = Vec::new();
        while speaker.wants_write() {
            speaker.write_tls(&mut bytes)?;
        }
        let mut left = &bytes[..];
        while !left.is_empty() {
            listener.read_tls(&mut left)?;
            let state = listener.process_new_packets().map_err(io::Error::other)?;
            let mut heard = vec![0; state.plaintext_bytes_to_read()];
            io::Read::read_exact(&mut listener.reader(), &mut heard)?;
        }
        if !bytes.is_empty() {
            self.flights.push(Flight { from_client, bytes });
        }
        Ok(())
    }
}

/// The ends of a connection, with keys and certificates that are always the same.
fn configs(
    host: &str,
    version: &'static SupportedProtocolVersion,
    secrets: Arc<Secrets>,
) -> Result<(ClientConfig, ServerConfig), Error> {
    let other = |error: rcgen::Error| Error::General(error.to_string());
    let (server_key, authority_key) = (key(1), key(2));
    let pair =
        |key: &[u8]| KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key), &PKCS_ED25519);
    let (authority, certificate, _) = crate::certificate::make(
        &[host.to_owned()],
        pair(&authority_key).map_err(other)?,
        &pair(&server_key).map_err(other)?,
    )
    .map_err(other)?;
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone())?;
    let mut client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.key_log = secrets;
    let mut server = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key)),
        )?;
    // Nobody comes back.
    server.send_tls13_tickets = 0;
    Ok((client, server))
}

/// An Ed25519 key, whose signatures need no chance, in PKCS #8: RFC 8410 7.
fn key(byte: u8) -> Vec<u8> {
    let wrapping = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    [&wrapping[..], &[byte; 32]].concat()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        secure_random: &Seeded,
        kx_groups: vec![&Seeded],
        ..rustls::crypto::ring::default_provider()
    })
}

/// Chance that is none. It keeps no secret and must not: what it makes is an example for everybody.
#[derive(Debug)]
struct Seeded;

thread_local! {
    /// rustls wants its source of chance to be one for the whole process; a thread makes one connection at a time.
    static RANDOM: Cell<u64> = const { Cell::new(0) };
}

impl Seeded {
    fn bytes<const N: usize>(&self) -> Result<[u8; N], GetRandomFailed> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

impl SecureRandom for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        for byte in bytes {
            // splitmix64 (Steele, Lea and Flood 2014)
            let state = RANDOM.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
            RANDOM.set(state);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (mixed ^ mixed >> 31).to_be_bytes()[0];
        }
        Ok(())
    }
}

impl SupportedKxGroup for Seeded {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let secret = StaticSecret::from(self.bytes::<32>()?);
        let public = PublicKey::from(&secret);
        Ok(Box::new(Exchanging { secret, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// X25519 (RFC 7748 6.1) with a secret from [`Seeded`].
struct Exchanging {
    secret: StaticSecret,
    public: PublicKey,
}

impl ActiveKeyExchange for Exchanging {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let peer = <[u8; 32]>::try_from(peer).map_err(|_| PeerMisbehaved::InvalidKeyShare)?;
        let shared = self.secret.diffie_hellman(&PublicKey::from(peer));
        Ok(SharedSecret::from(shared.as_bytes().as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// Lines of a key log file: label, the client's random, secret.
#[derive(Debug, Default)]
struct Secrets(Mutex<String>);

impl KeyLog for Secrets {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string does not fail.
        let _ = writeln!(lines, "{label} {} {}", hex(client_random), hex(secret));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossed(version: &'static SupportedProtocolVersion, seed: u64) -> (Vec<Flight>, String) {
        let exchange = Exchange { request: b"who are you?".to_vec(), answer: vec![b'a'; 40_000] };
        flights("chat.example.com", version, &[exchange], seed).unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_others() {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            assert_eq!(crossed(version, 1), crossed(version, 1));
            assert_ne!(crossed(version, 1).1, crossed(version, 2).1);
        }
    }

    #[test]
    fn what_is_said_crosses_sealed() {
        let (flights, secrets) = crossed(&rustls::version::TLS13, 1);
        assert!(flights.iter().all(|flight| !flight.bytes.windows(12).any(|bytes| bytes == b"who are you?")));
        assert!(flights.iter().map(|flight| flight.bytes.len()).sum::<usize>() > 40_000);
        assert!(
            secrets.contains("\nCLIENT_TRAFFIC_SECRET_0 ") || secrets.starts_with("CLIENT_TRAFFIC_SECRET_0 ")
        );
        assert!(crossed(&rustls::version::TLS12, 1).1.starts_with("CLIENT_RANDOM "));
    }
}

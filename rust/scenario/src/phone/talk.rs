//! A program of the phone, over real sockets.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, KeyLogFile, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use super::act::{Over, Step, Visit};
use super::hosts::Place;
use super::http;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// No answer of ours is longer.
const LONGEST: usize = 65_536;

/// How the servers are found.
#[derive(Clone, Debug)]
pub enum Way {
    /// By name, as every program of the system finds them, at the usual ports.
    Names,
    /// At a place that is known without asking.
    Known(Place),
}

/// Says what the program has to say in this step, and checks that the servers answer as they should. The
/// authority that signed their certificates is in the file `ca`. The secrets of TLS go to the file that
/// `SSLKEYLOGFILE` names, as browsers and curl do it.
///
/// # Errors
/// When a server cannot be found or reached, or says something else.
pub fn talk(step: &Step, program: &str, way: &Way, ca: &Path) -> io::Result<()> {
    step.visits.iter().filter(|visit| visit.program == program).try_for_each(|visit| {
        visit_host(visit, way, ca)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", visit.host)))
    })
}

fn visit_host(visit: &Visit, way: &Way, ca: &Path) -> io::Result<()> {
    let server = way.find(visit)?;
    if visit.over == Over::Datagram {
        return datagrams(visit, server);
    }
    let stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    match visit.over {
        Over::Http | Over::Datagram => converse(visit, &mut &stream),
        Over::Tls12 => protected(visit, stream, ca, &rustls::version::TLS12),
        Over::Tls13 => protected(visit, stream, ca, &rustls::version::TLS13),
    }
}

impl Way {
    fn find(&self, visit: &Visit) -> io::Result<SocketAddr> {
        let place = match self {
            Self::Names => Place::INTERNET,
            Self::Known(place) => *place,
        };
        let port = visit.over.port(place);
        match self {
            Self::Names => {
                (visit.host, port).to_socket_addrs()?.find(|found| matches!(found.ip(), IpAddr::V4(_)))
            }
            Self::Known(place) => place.socket(visit.host, port),
        }
        .ok_or_else(|| io::Error::other("it has no address"))
    }
}

impl Over {
    /// Where it is listened for.
    pub(crate) fn port(self, place: Place) -> u16 {
        match self {
            Self::Http => place.http,
            Self::Tls12 | Self::Tls13 => place.https,
            Self::Datagram => place.ntp,
        }
    }
}

fn datagrams(visit: &Visit, server: SocketAddr) -> io::Result<()> {
    let socket = UdpSocket::bind((IpAddr::from([0, 0, 0, 0]), 0))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(server)?;
    for exchange in &visit.exchanges {
        socket.send(&exchange.request)?;
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer)?;
        expect(buffer.get(..length).unwrap_or_default(), &exchange.answer)?;
    }
    Ok(())
}

fn protected(
    visit: &Visit,
    stream: TcpStream,
    ca: &Path,
    version: &'static SupportedProtocolVersion,
) -> io::Result<()> {
    let name = ServerName::try_from(visit.host).map_err(io::Error::other)?;
    let client = ClientConnection::new(Arc::new(trusting(ca, version)?), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(client, stream);
    converse(visit, &mut stream)?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn trusting(ca: &Path, version: &'static SupportedProtocolVersion) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).map_err(io::Error::other)? {
        roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    let mut client = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[version])
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.key_log = Arc::new(KeyLogFile::new());
    Ok(client)
}

fn converse(visit: &Visit, stream: &mut (impl Read + Write)) -> io::Result<()> {
    for exchange in &visit.exchanges {
        stream.write_all(&exchange.request)?;
        stream.flush()?;
        expect(&read_message(stream)?.unwrap_or_default(), &exchange.answer)?;
    }
    Ok(())
}

/// One request or answer with its body; `None` where the other side has ended instead.
pub(super) fn read_message(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let (mut message, mut buffer) = (Vec::new(), [0; 4_096]);
    loop {
        let count = stream.read(&mut buffer)?;
        message.extend_from_slice(buffer.get(..count).unwrap_or_default());
        if count == 0 {
            return if message.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        if let Some(length) = http::whole(&message) {
            message.truncate(length);
            return Ok(Some(message));
        }
        if message.len() > LONGEST {
            return Err(io::Error::other(format!("more than {LONGEST} bytes, and no end")));
        }
    }
}

fn expect(found: &[u8], expected: &[u8]) -> io::Result<()> {
    if found == expected {
        return Ok(());
    }
    let first = String::from_utf8_lossy(found).lines().next().unwrap_or_default().to_owned();
    Err(io::Error::other(format!("the server said something else: {first:?}")))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::phone::{Act, HOSTS, Servers, Variant};

    /// Ports and addresses that nobody else listens at, and that need no rights.
    fn place(http: u16) -> Place {
        Place { first: [127, 84, 20, 65].into(), http, https: http + 1, ntp: http + 2 }
    }

    struct Scratch(PathBuf);

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn servers(place: Place) -> Scratch {
        let scratch = Scratch(std::env::temp_dir().join(format!(
            "telltale-talk-{}-{}",
            std::process::id(),
            place.http
        )));
        fs::create_dir_all(&scratch.0).unwrap();
        crate::certificate::write(&scratch.0, &HOSTS.map(str::to_owned)).unwrap();
        let servers = Servers::bind(place, "127.84.20.64:0".parse().unwrap(), &scratch.0).unwrap();
        std::thread::spawn(move || servers.serve());
        scratch
    }

    #[test]
    fn the_servers_answer_every_program_in_every_act() {
        let place = place(47_080);
        let scratch = servers(place);
        let mut visits = 0;
        for (act, variant) in Act::ALL.into_iter().flat_map(|act| Variant::ALL.map(|variant| (act, variant)))
        {
            for step in act.steps(variant) {
                let mut programs: Vec<_> = step.visits.iter().map(|visit| visit.program).collect();
                visits += programs.len();
                programs.dedup();
                for program in programs {
                    talk(&step, program, &Way::Known(place), &scratch.0.join("ca.pem"))
                        .unwrap_or_else(|error| panic!("{act} {variant} {}: {program}: {error}", step.name));
                }
            }
        }
        assert!(visits > 100, "{visits}");
    }

    #[test]
    fn a_server_that_does_not_know_the_request_says_so() {
        let place = place(47_180);
        let _scratch = servers(place);
        let address = place.socket("shop.example.com", place.http).unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /other HTTP/1.1\r\nHost: shop.example.com\r\n\r\n").unwrap();
        assert!(read_message(&mut stream).unwrap().unwrap().starts_with(b"HTTP/1.1 404 "));
    }
}

//! The servers that the phone talks to, and the name server that knows them, over real sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::act::{Act, Over, Variant, Visit};
use super::hosts::Place;
use super::talk::read_message;
use super::{http, names};

/// A client that says nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// All of them, listening.
#[derive(Debug)]
pub struct Servers {
    place: Place,
    names: UdpSocket,
    clear: Vec<TcpListener>,
    protected: Vec<TcpListener>,
    clocks: Vec<UdpSocket>,
    site: Arc<Site>,
}

/// What all connections need.
#[derive(Debug)]
struct Site {
    tls: Arc<ServerConfig>,
    /// By the host, and the first line of the request.
    pages: BTreeMap<(String, String), Vec<u8>>,
    /// What a clock says.
    time: Vec<u8>,
}

impl Servers {
    /// Binds each host's address at the ports that the acts need, and the name server at `names`. The
    /// certificate and its key are those that [`crate::certificate::write`] left in `keys`.
    ///
    /// # Errors
    /// When an address or the files cannot be had.
    pub fn bind(place: Place, names: SocketAddr, keys: &Path) -> io::Result<Self> {
        let site = Site { tls: Arc::new(tls(keys)?), pages: pages(), time: time() };
        Ok(Self {
            place,
            names: bound(names, UdpSocket::bind(names))?,
            clear: listen(place, |over| over == Over::Http)?,
            protected: listen(place, |over| matches!(over, Over::Tls12 | Over::Tls13))?,
            clocks: sockets(place, |over| over == Over::Datagram)
                .map(|address| bound(address, UdpSocket::bind(address)))
                .collect::<io::Result<_>>()?,
            site: Arc::new(site),
        })
    }

    /// Serves until the process ends.
    pub fn serve(self) {
        let (site, place) = (&self.site, self.place);
        thread::scope(|scope| {
            for listener in &self.clear {
                scope.spawn(|| accept(listener, site, |stream, site| serve_pages(&mut &stream, site)));
            }
            for listener in &self.protected {
                scope.spawn(|| accept(listener, site, serve_protected));
            }
            for clock in &self.clocks {
                scope.spawn(|| answer(clock, |_| Some(site.time.clone())));
            }
            answer(&self.names, |question| names::answer(question, place));
        });
    }
}

fn visits() -> impl Iterator<Item = Visit> {
    let scenes = Act::ALL.into_iter().flat_map(|act| Variant::ALL.map(|variant| (act, variant)));
    scenes.flat_map(|(act, variant)| act.steps(variant)).flat_map(|step| step.visits)
}

fn pages() -> BTreeMap<(String, String), Vec<u8>> {
    let pages = |visit: Visit| {
        visit.exchanges.into_iter().filter_map(|exchange| Some((page(&exchange.request)?, exchange.answer)))
    };
    visits().filter(|visit| visit.over != Over::Datagram).flat_map(pages).collect()
}

fn time() -> Vec<u8> {
    let clock = visits().find(|visit| visit.over == Over::Datagram);
    clock
        .and_then(|visit| visit.exchanges.into_iter().next())
        .map_or_else(Vec::new, |exchange| exchange.answer)
}

/// The host and the first line of a request.
fn page(request: &[u8]) -> Option<(String, String)> {
    let text = String::from_utf8_lossy(request);
    let mut lines = text.lines();
    let line = lines.next()?.to_owned();
    let host = lines.find_map(|line| line.strip_prefix("Host: "))?;
    Some((host.to_owned(), line))
}

/// Where something listens that carries visits so.
fn sockets(place: Place, wanted: fn(Over) -> bool) -> impl Iterator<Item = SocketAddr> {
    let wanted = visits().filter(move |visit| wanted(visit.over));
    let sockets: BTreeSet<_> =
        wanted.filter_map(|visit| place.socket(visit.host, visit.over.port(place))).collect();
    sockets.into_iter()
}

fn listen(place: Place, wanted: fn(Over) -> bool) -> io::Result<Vec<TcpListener>> {
    sockets(place, wanted).map(|address| bound(address, TcpListener::bind(address))).collect()
}

fn bound<T>(address: SocketAddr, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
}

fn tls(keys: &Path) -> io::Result<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(keys.join("server.pem"))
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_file(keys.join("server.key")).map_err(io::Error::other)?;
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(io::Error::other)
}

fn accept(listener: &TcpListener, site: &Arc<Site>, serve: fn(TcpStream, &Site) -> io::Result<()>) {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                let site = Arc::clone(site);
                thread::spawn(move || {
                    stream.set_read_timeout(Some(PATIENCE))?;
                    // A client that leaves in the middle ends only its own connection.
                    serve(stream, &site)
                });
            }
            // Out of descriptors: some connections will end.
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn serve_pages(stream: &mut (impl Read + Write), site: &Site) -> io::Result<()> {
    while let Some(request) = read_message(stream)? {
        let known = page(&request).and_then(|page| site.pages.get(&page));
        stream.write_all(&known.cloned().unwrap_or_else(http::not_found))?;
        stream.flush()?;
    }
    Ok(())
}

fn serve_protected(stream: TcpStream, site: &Site) -> io::Result<()> {
    let server = ServerConnection::new(Arc::clone(&site.tls)).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(server, stream);
    serve_pages(&mut stream, site)?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn answer(socket: &UdpSocket, say: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    let mut buffer = [0; 512];
    loop {
        // An ICMP error for an earlier answer is no reason to end.
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        if let Some(answer) = buffer.get(..length).and_then(&say) {
            let _ = socket.send_to(&answer, from);
        }
    }
}

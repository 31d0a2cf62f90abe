//! An HTTP/3 server for files and a client like `curl`, on quinn and h3, since Debian has neither.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use h3::server::RequestResolver;
use http::{Request, Response, StatusCode, Uri};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Endpoint, ServerConfig};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The name of HTTP/3 in the TLS handshake: RFC 9114 3.1.
const ALPN: &[u8] = b"h3";

/// Opens a server at the address that gives out the files below `root`, with the certificate and key
/// that [`crate::certificate::write`] left in `keys`. Serves while the future is polled.
///
/// # Errors
/// When the address or the files cannot be had.
pub fn serve(
    address: SocketAddr,
    keys: &Path,
    root: PathBuf,
) -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let endpoint = Endpoint::server(server_config(keys)?, address)?;
    let root = Arc::new(root);
    Ok(async move {
        while let Some(incoming) = endpoint.accept().await {
            let root = Arc::clone(&root);
            tokio::spawn(async move {
                // A client that leaves in the middle ends only its own connection.
                let _ = connection(incoming, &root).await;
            });
        }
    })
}

fn server_config(keys: &Path) -> io::Result<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(keys.join("server.pem"))
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_file(keys.join("server.key")).map_err(io::Error::other)?;
    let mut tls =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(io::Error::other)?;
    tls.alpn_protocols = vec![ALPN.to_vec()];
    Ok(ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).map_err(io::Error::other)?)))
}

async fn connection(incoming: quinn::Incoming, root: &Path) -> io::Result<()> {
    let connection = incoming.await.map_err(io::Error::other)?;
    let mut connection = h3::server::Connection::<_, Bytes>::new(h3_quinn::Connection::new(connection))
        .await
        .map_err(io::Error::other)?;
    while let Some(request) = connection.accept().await.map_err(io::Error::other)? {
        answer(request, root).await?;
    }
    Ok(())
}

async fn answer(request: RequestResolver<h3_quinn::Connection, Bytes>, root: &Path) -> io::Result<()> {
    let (request, mut stream) = request.resolve_request().await.map_err(io::Error::other)?;
    // What the client sent with it, an upload for example, is read to its end first.
    while stream.recv_data().await.map_err(io::Error::other)?.is_some() {}
    let file = file(root, request.uri().path());
    let status = if file.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let head = Response::builder().status(status).body(()).map_err(io::Error::other)?;
    stream.send_response(head).await.map_err(io::Error::other)?;
    stream.send_data(file.unwrap_or_default()).await.map_err(io::Error::other)?;
    stream.finish().await.map_err(io::Error::other)
}

/// The file of a path directly below `root`; names with more parts are not served.
fn file(root: &Path, path: &str) -> Option<Bytes> {
    let name = path.strip_prefix('/').filter(|name| !name.contains('/') && !name.starts_with('.'))?;
    std::fs::read(root.join(name)).ok().map(Bytes::from)
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The status.
    pub status: StatusCode,
    /// The body of the answer.
    pub body: Vec<u8>,
    /// Bytes of datagrams that the client took for lost: what was in them was sent again.
    pub lost: u64,
}

/// Fetches the URL, trusting the authority in the file `ca`. With an `upload` it is a POST of those bytes.
///
/// # Errors
/// When the name, the server, the handshake or the transfer fails.
pub async fn fetch(url: &str, ca: &Path, upload: Option<Bytes>) -> io::Result<Fetched> {
    let uri: Uri = url.parse().map_err(io::Error::other)?;
    let host = uri.host().ok_or_else(|| io::Error::other(format!("no host in {url}")))?;
    let server = tokio::net::lookup_host((host.trim_matches(['[', ']']), uri.port_u16().unwrap_or(443)))
        .await?
        .next()
        .ok_or_else(|| io::Error::other(format!("{host} has no address")))?;
    let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let mut endpoint = Endpoint::client(any.parse().map_err(io::Error::other)?)?;
    endpoint.set_default_client_config(client_config(ca)?);
    let connection =
        endpoint.connect(server, host).map_err(io::Error::other)?.await.map_err(io::Error::other)?;
    let answer = ask(connection.clone(), uri.clone(), upload).await;
    let lost = connection.stats().path.lost_bytes;
    drop(connection);
    // Lets the last packet, which tells the server of the end, leave before the program does.
    endpoint.wait_idle().await;
    answer.map(|(status, body)| Fetched { status, body, lost })
}

fn client_config(ca: &Path) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).map_err(io::Error::other)? {
        roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    let mut tls =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    Ok(ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).map_err(io::Error::other)?)))
}

async fn ask(
    connection: quinn::Connection,
    uri: Uri,
    upload: Option<Bytes>,
) -> io::Result<(StatusCode, Vec<u8>)> {
    let (mut driver, mut requests) =
        h3::client::new(h3_quinn::Connection::new(connection)).await.map_err(io::Error::other)?;
    let exchange = async move {
        let request = if upload.is_some() { Request::post(uri) } else { Request::get(uri) };
        let request = request.body(()).map_err(io::Error::other)?;
        let mut stream = requests.send_request(request).await.map_err(io::Error::other)?;
        if let Some(upload) = upload {
            stream.send_data(upload).await.map_err(io::Error::other)?;
        }
        stream.finish().await.map_err(io::Error::other)?;
        let head = stream.recv_response().await.map_err(io::Error::other)?;
        let mut body = Vec::new();
        while let Some(mut piece) = stream.recv_data().await.map_err(io::Error::other)? {
            body.extend_from_slice(&piece.copy_to_bytes(piece.remaining()));
        }
        Ok((head.status(), body))
    };
    // The driver ends by itself when the requests' sender is gone.
    let (answer, _) = tokio::join!(exchange, driver.wait_idle());
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_arrives_whole_and_another_is_not_found() {
        let directory = std::env::temp_dir().join(format!("telltale-http3-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        crate::certificate::write(&directory, &["localhost".to_owned()]).unwrap();
        std::fs::write(directory.join("page"), vec![7; 100_000]).unwrap();
        // Both families, since "localhost" may mean either.
        let address: SocketAddr = "[::]:44433".parse().unwrap();
        let server = tokio::spawn(serve(address, &directory, directory.clone()).unwrap());
        let ca = directory.join("ca.pem");
        let found = fetch("https://localhost:44433/page", &ca, None).await.unwrap();
        let missing =
            fetch("https://localhost:44433/none", &ca, Some(Bytes::from(vec![7; 1_000]))).await.unwrap();
        server.abort();
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!((found.status, found.body), (StatusCode::OK, vec![7; 100_000]));
        assert_eq!((missing.status, missing.body), (StatusCode::NOT_FOUND, vec![]));
    }
}

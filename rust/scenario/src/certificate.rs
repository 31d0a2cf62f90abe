//! Certificates for the servers of a demo or a test: a small authority, and one server certificate from it.

use std::io;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

/// Writes `ca.pem`, `server.pem` and `server.key` for a server with these names into the directory.
///
/// # Errors
/// When a name is no DNS name, or the files cannot be written.
pub fn write(directory: &Path, names: &[String]) -> io::Result<()> {
    let (authority, server, key) = make(names).map_err(io::Error::other)?;
    std::fs::write(directory.join("ca.pem"), authority)?;
    std::fs::write(directory.join("server.pem"), server)?;
    std::fs::write(directory.join("server.key"), key)
}

fn make(names: &[String]) -> Result<(String, String, String), rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.distinguished_name.push(DnType::CommonName, "Telltale demo authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let server = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    Ok((authority.pem(), server.pem(), key.serialize_pem()))
}

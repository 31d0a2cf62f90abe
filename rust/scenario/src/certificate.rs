//! Certificates for the servers of a demo or a test: a small authority, and one server certificate from it.

use std::io;
use std::path::Path;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};

/// Writes `ca.pem`, `server.pem` and `server.key` for a server with these names into the directory.
///
/// # Errors
/// When a name is no DNS name, or the files cannot be written.
pub fn write(directory: &Path, names: &[String]) -> io::Result<()> {
    let made = KeyPair::generate().and_then(|authority| make(names, authority, &KeyPair::generate()?));
    let (authority, server, key) = made.map_err(io::Error::other)?;
    std::fs::write(directory.join("ca.pem"), authority.pem())?;
    std::fs::write(directory.join("server.pem"), server.pem())?;
    std::fs::write(directory.join("server.key"), key)
}

/// The certificates of an authority with this key, and of a server with that one; and the server's key as PEM.
pub(crate) fn make(
    names: &[String],
    authority_key: KeyPair,
    key: &KeyPair,
) -> Result<(Certificate, Certificate, String), rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.distinguished_name.push(DnType::CommonName, "Telltale demo authority");
    let authority = CertifiedIssuer::self_signed(authority, authority_key)?;
    let server = CertificateParams::new(names)?.signed_by(key, &authority)?;
    Ok((authority.as_ref().clone(), server, key.serialize_pem()))
}

//! TLS for the listeners: a certificate and its key from PEM files, and optionally who may call.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::Error;

/// The files of a listener's TLS: versions 1.2 and 1.3, as DICOM's BCP 195 profiles ask.
#[derive(Debug, Clone)]
pub struct Tls {
    /// PEM: the listener's certificate, then those above it.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
    /// PEM: the authorities whose certificates callers must show; `None` asks for none.
    pub clients: Option<PathBuf>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`Error::Tls`] names the file that cannot be used.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(bad(&self.key))?;
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions().map_err(bad(&self.certificate))?;
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(file)? {
                    roots.add(certificate).map_err(bad(file))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                builder.with_client_cert_verifier(verifier.build().map_err(bad(file))?)
            }
        };
        Ok(Arc::new(builder.with_single_cert(chain, key).map_err(bad(&self.key))?))
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(file).map_err(bad(file))?;
    let found = read.collect::<Result<Vec<_>, _>>().map_err(bad(file))?;
    if found.is_empty() {
        return Err(bad(file)("no certificate in it"));
    }
    Ok(found)
}

fn bad<E: std::fmt::Display>(file: &Path) -> impl Fn(E) -> Error {
    let file = file.to_path_buf();
    move |reason| Error::Tls { file: file.clone(), reason: reason.to_string() }
}

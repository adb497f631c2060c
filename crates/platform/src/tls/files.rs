//! What stands in the files.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::TlsConfig;

/// Offered by servers, best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The content of the files at one moment.
pub(super) struct Files<'a> {
    ca: Option<Text<'a>>,
    cert: Option<Text<'a>>,
    key: Option<Text<'a>>,
}

struct Text<'a> {
    /// The key of the configuration.
    name: &'static str,
    path: &'a Path,
    bytes: Zeroizing<Vec<u8>>,
}

impl Text<'_> {
    fn fault(&self, reason: impl std::fmt::Display) -> String {
        format!("{}: {}: {reason}", self.name, self.path.display())
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        let all = all.map_err(|error| self.fault(format_args!("is not PEM: {error}")))?;
        if all.is_empty() {
            return Err(self.fault("holds no certificate"));
        }
        Ok(all)
    }
}

impl<'a> Files<'a> {
    pub(super) fn read(config: &'a TlsConfig) -> Result<Self, String> {
        let read = |name: &'static str, path: &'a Option<std::path::PathBuf>| {
            let Some(path) = path else { return Ok(None) };
            let bytes = std::fs::read(path)
                .map_err(|error| format!("{name}: {}: {error}", path.display()))?;
            Ok::<_, String>(Some(Text { name, path, bytes: Zeroizing::new(bytes) }))
        };
        Ok(Self {
            ca: read("tls.ca", &config.ca)?,
            cert: read("tls.cert", &config.cert)?,
            key: read("tls.key", &config.key)?,
        })
    }

    /// Tells one content from another.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        for text in [&self.ca, &self.cert, &self.key].into_iter().flatten() {
            digest.update((text.bytes.len() as u64).to_be_bytes());
            digest.update(&*text.bytes);
        }
        digest.finalize().into()
    }
}

/// For who serves.
pub(super) fn server(files: &Files<'_>) -> Result<ServerConfig, String> {
    let (Some(cert), Some(key)) = (&files.cert, &files.key) else {
        return Err("tls.cert and tls.key are both needed to serve".to_owned());
    };
    let provider = provider();
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("tls: {error}"))?;
    let builder = match &files.ca {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let roots = Arc::new(roots(ca)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| ca.fault(error))?)
        }
    };
    let mut server = builder
        .with_single_cert(cert.certificates()?, private_key(key)?)
        .map_err(|error| not_a_pair(cert, key, &error))?;
    server.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
    Ok(server)
}

/// For who calls.
pub(super) fn client(files: &Files<'_>) -> Result<ClientConfig, String> {
    let Some(ca) = &files.ca else {
        return Err(
            "tls.ca is needed to call over https: the authority of the other side".to_owned()
        );
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("tls: {error}"))?
        .with_root_certificates(roots(ca)?);
    let mut client = match (&files.cert, &files.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(cert), Some(key)) => builder
            .with_client_auth_cert(cert.certificates()?, private_key(key)?)
            .map_err(|error| not_a_pair(cert, key, &error))?,
        _ => return Err("tls.cert and tls.key are given together or not at all".to_owned()),
    };
    client.alpn_protocols = vec![PROTOCOLS[0].to_vec()];
    Ok(client)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn private_key(text: &Text<'_>) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&text.bytes)
        .map_err(|error| text.fault(format_args!("holds no private key: {error}")))
}

fn roots(ca: &Text<'_>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in ca.certificates()? {
        roots.add(certificate).map_err(|error| ca.fault(error))?;
    }
    Ok(roots)
}

fn not_a_pair(cert: &Text<'_>, key: &Text<'_>, error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            cert.fault(format_args!("is not the certificate of the key {}", key.path.display()))
        }
        error => cert.fault(format_args!("with the key {}: {error}", key.path.display())),
    }
}

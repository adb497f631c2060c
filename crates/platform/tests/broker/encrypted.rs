//! Brokers that speak TLS, ask for a certificate, and are configured as an operator would.

use std::path::PathBuf;
use std::sync::Arc;

use platform::config::Secret;
use platform::process::{BrokerConfig, BrokerKind, BrokerTls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use crate::bench::{Bench, CONSUMER, PARTITIONS, SOURCE};
use crate::proxy::Proxy;
use crate::raw::Raw;

#[cfg(feature = "kafka-ssl")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka_is_reached_over_tls_with_the_files_of_the_configuration() {
    crate::bench::on_kafka(reached_over_tls).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq_is_reached_over_tls_with_the_files_of_the_configuration() {
    crate::bench::on_rabbitmq(reached_over_tls).await;
}

/// An authority, and what one party has of it.
struct Party {
    files: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Party {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Were it named as those that it issues, OpenSSL would take each for one that issued itself.
        params.distinguished_name.push(DnType::CommonName, "authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let party = Self { files: tempfile::tempdir().unwrap(), issuer };
        let (key, cert) = party.issued("shop");
        party.write("ca.pem", &party.issuer.as_ref().pem());
        party.write("cert.pem", &cert.pem());
        party.write("key.pem", &key.serialize_pem());
        party
    }

    fn issued(&self, name: &str) -> (KeyPair, rcgen::Certificate) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        (key, cert)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn tls(&self) -> BrokerTls {
        let file = |name| Some(self.file(name));
        BrokerTls { ca: file("ca.pem"), cert: file("cert.pem"), key: file("key.pem") }
    }

    /// What the broker does: it has a certificate, and wants one.
    fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.as_ref().der().clone()).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let (key, cert) = self.issued("localhost");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(
                vec![cert.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

fn configured(bench: &Bench, address: &str, tls: BrokerTls) -> BrokerConfig {
    let (kind, servers, url) = match bench.raw {
        Raw::Kafka(_) => (BrokerKind::Kafka, address.to_owned(), Secret::default()),
        Raw::RabbitMq(_) => (BrokerKind::RabbitMq, String::new(), Secret::new(address)),
    };
    let (prefix, partitions) = (bench.prefix.clone(), PARTITIONS);
    BrokerConfig { kind, servers, url, prefix, partitions, tls, ..BrokerConfig::default() }
}

async fn reached_over_tls(bench: &Bench) {
    let (ours, strange) = (Party::new(), Party::new());
    let proxy = Proxy::start_encrypted(bench, ours.acceptor()).await;
    let broker = configured(bench, &proxy.address, ours.tls()).open(&bench.env).unwrap();
    let published = bench.publish(&broker, 1).await;
    let mut inbound = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    assert_eq!(bench.next(&mut inbound).await.envelope.id, published[0].id);

    // The broker's certificate is not of the authority that is expected.
    let tls = BrokerTls { ca: Some(strange.file("ca.pem")), ..ours.tls() };
    let deceived = configured(bench, &proxy.address, tls).open(&bench.env).unwrap();
    let told = deceived.publisher(SOURCE).await.err().expect("nobody is believed").to_string();
    assert!(!told.contains("mercat:"), "a password was told: {told}");
}

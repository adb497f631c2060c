//! TLS from files, both ways.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use platform::Env;
use platform::env::{BoxFuture, Timer};
use platform::http::{RemoteConfig, ServerLimits, remote_module, serve_tls};
use platform::peer::PeerConfig;
use platform::shutdown::Shutdown;
use platform::tls::{ClientTls, ServerTls, TlsConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::made::made;
use crate::world::{Client, Echo, LONG, Process, empty, peer};

type Ca = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Ca {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Files of one authority and one party.
struct Files(TempDir);

impl Files {
    fn new(ca: &Ca, name: &str) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write("ca.pem", &ca.as_ref().pem());
        files.renew(ca, name);
        files
    }

    fn renew(&self, ca: &Ca, name: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        self.write("cert.pem", &params.signed_by(&key, ca).unwrap().pem());
        self.write("key.pem", &key.serialize_pem());
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Shows a certificate, and asks for one.
    fn mutual(&self) -> TlsConfig {
        let file = |name| Some(self.path(name));
        TlsConfig {
            ca: file("ca.pem"),
            cert: file("cert.pem"),
            key: file("key.pem"),
            server_name: None,
        }
    }

    fn without_certificate(&self) -> TlsConfig {
        TlsConfig { ca: Some(self.path("ca.pem")), ..TlsConfig::default() }
    }
}

fn over_tls(process: &Process, tls: TlsConfig) -> PeerConfig {
    let url = format!("https://localhost:{}", process.address.port());
    PeerConfig { tls: Some(tls), ..peer(vec![url]) }
}

async fn serve(env: &Env, tls: &TlsConfig) -> Process {
    let tls = ServerTls::new(env, tls).unwrap();
    // No address is trusted: the certificate alone counts.
    let echo = Echo::named(env, "safe");
    Process::start_with(env, made(env, false).0, echo, tls, Vec::new()).await
}

#[tokio::test]
async fn who_shows_a_certificate_of_the_authority_may_call_and_nobody_else() {
    let env = Env::system();
    let (ca, strange) = (authority(), authority());
    let ours = Files::new(&ca, "localhost");
    let process = serve(&env, &ours.mutual()).await;

    let client = Client::of(&env, over_tls(&process, ours.mutual()));
    assert_eq!(client.ask("hi").await.unwrap(), "safe: hi");

    let client = Client::of(&env, over_tls(&process, ours.without_certificate()));
    let refused = client.ask("hi").await.unwrap_err();
    assert!(
        refused.was_not_sent() && refused.detail.contains("CertificateRequired"),
        "{refused:?}"
    );

    // Of an authority that the server does not know, though the client knows the server's.
    let theirs = Files::new(&strange, "localhost");
    theirs.write("ca.pem", &ca.as_ref().pem());
    let client = Client::of(&env, over_tls(&process, theirs.mutual()));
    assert!(client.ask("hi").await.unwrap_err().was_not_sent());

    // And the server is not trusted by who expects another authority.
    let theirs = Files::new(&strange, "localhost");
    let client = Client::of(&env, over_tls(&process, theirs.mutual()));
    let error = client.ask("hi").await.unwrap_err();
    assert!(error.was_not_sent() && error.detail.contains("certificate"), "{error:?}");
}

#[tokio::test]
async fn a_server_has_to_hold_the_expected_name() {
    let env = Env::system();
    let ca = authority();
    let files = Files::new(&ca, "made.internal");
    let process = serve(&env, &files.mutual()).await;
    let client = Client::of(&env, over_tls(&process, files.mutual()));
    assert!(client.ask("hi").await.unwrap_err().was_not_sent());
    let tls = TlsConfig { server_name: Some("made.internal".to_owned()), ..files.mutual() };
    let client = Client::of(&env, over_tls(&process, tls));
    assert_eq!(client.ask("hi").await.unwrap(), "safe: hi");
}

#[tokio::test]
async fn a_gateway_with_a_certificate_is_believed_who_asks() {
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;
    let env = Env::system();
    let files = Files::new(&authority(), "localhost");
    let process = serve(&env, &files.mutual()).await;
    let far = remote_module(&env, RemoteConfig::new(over_tls(&process, files.mutual()))).await;
    let request = http::Request::get("/v1/told").header("mercat-client", "203.0.113.9/32");
    let request = request.body(axum::body::Body::empty()).unwrap();
    let Ok(response) = far.unwrap().router.oneshot(request).await;
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let told: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(told["from"], "203.0.113.9/32");
}

/// Waits a hundredth of what it is told, so that files are looked at soon.
struct Hasty(Arc<dyn Timer>);

impl Timer for Hasty {
    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        self.0.sleep(duration / 100)
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
    let env = Env::system();
    let hasty = Env { timer: Arc::new(Hasty(env.timer.clone())), ..env.clone() };
    let (old, new) = (authority(), authority());
    let files = Files::new(&old, "localhost");
    let tls = TlsConfig { ca: None, ..files.mutual() };
    let tls = ServerTls::new(&hasty, &tls).unwrap();
    let trusted = platform::http::inner_networks();
    let process =
        Process::start_with(&env, empty(&env), Echo::named(&env, "safe"), tls, trusted).await;
    let knows = |ca: &Ca| Files::new(ca, "client");
    let (knows_old, knows_new) = (knows(&old), knows(&new));
    let ask = async |files: &Files| {
        let client = Client::of(&env, over_tls(&process, files.without_certificate()));
        client.ask("hi").await.is_ok()
    };
    assert!(ask(&knows_old).await && !ask(&knows_new).await);
    files.write("cert.pem", "broken");
    for _ in 0..5 {
        hasty.sleep(Duration::from_secs(10)).await;
        assert!(ask(&knows_old).await);
    }
    files.renew(&new, "localhost");
    let renewed = async { while !ask(&knows_new).await {} };
    env.timeout(LONG, renewed).await.unwrap();
    assert!(!ask(&knows_old).await);
}

#[tokio::test]
async fn a_refusal_names_the_key_the_file_and_the_reason() {
    let env = Env::system();
    let files = Files::new(&authority(), "localhost");
    let absent = files.path("absent.pem");
    files.write("empty.pem", "");
    files.write("other.pem", &KeyPair::generate().unwrap().serialize_pem());
    let server = |change: &dyn Fn(&mut TlsConfig)| {
        let mut tls = files.mutual();
        change(&mut tls);
        ServerTls::new(&env, &tls).unwrap_err()
    };
    let path = |path: &Path| path.display().to_string();
    let told = server(&|tls| tls.cert = Some(absent.clone()));
    assert!(told.starts_with(&format!("tls.cert: {}: No such file", path(&absent))), "{told}");
    let told = server(&|tls| tls.ca = Some(files.path("empty.pem")));
    assert!(told.starts_with("tls.ca: ") && told.ends_with("holds no certificate"), "{told}");
    let told = server(&|tls| tls.key = Some(files.path("cert.pem")));
    assert!(told.starts_with("tls.key: ") && told.contains("holds no private key"), "{told}");
    let told = server(&|tls| tls.key = Some(files.path("other.pem")));
    assert!(told.contains("is not the certificate of the key"), "{told}");
    assert!(server(&|tls| tls.key = None).contains("tls.cert and tls.key"));
    let client = TlsConfig { ca: None, ..files.mutual() };
    assert!(ClientTls::new(&env, &client).unwrap_err().starts_with("tls.ca is needed"));
    let client = TlsConfig { server_name: Some("not a name".to_owned()), ..files.mutual() };
    let told = ClientTls::new(&env, &client).unwrap_err();
    assert!(told.starts_with("tls.server_name holds \"not a name\""), "{told}");
    assert!(ServerTls::new(&env, &TlsConfig::default()).unwrap().is_none());
}

#[tokio::test]
async fn the_port_speaks_http_1_over_tls_too_and_hangs_up_on_who_says_nothing() {
    use rustls_pki_types::ServerName;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    let env = Env::system();
    let ca = authority();
    let files = Files::new(&ca, "localhost");
    let tls = TlsConfig { ca: None, ..files.mutual() };
    let tls = ServerTls::new(&env, &tls).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = ServerLimits { header_timeout: Duration::from_millis(500), ..Default::default() };
    let router = made(&env, false).0.router;
    let served = serve_tls(env.clone(), listener, tls, router, limits, Shutdown::new());
    env.spawn("server", async move { served.await.unwrap() });

    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca.as_ref().der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    let get = b"GET /v1/told HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(get).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let mut silent = TcpStream::connect(address).await.unwrap();
    let ended = env.timeout(LONG, silent.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_some(), "nothing was said, and nobody hung up");
}

//! A broker behind a wire that tests can cut.

use platform::env::Env;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::bench::Bench;
use crate::raw::Raw;

const HOST: &str = "127.0.0.1";
/// As certificates name it. As long as the other one, so that frames keep their length.
const NAME: &str = "localhost";
/// Larger frames are not what these tests send.
const LARGEST: usize = 64 << 20;

pub struct Proxy {
    /// How to reach the broker through it.
    pub address: String,
    wire: watch::Sender<bool>,
    /// How often it froze. A connection that is older says nothing any more, and stays open.
    frost: watch::Sender<u32>,
}

/// Kafka tells its clients where it is, and they go there: the port is exchanged in its answers.
#[derive(Clone, Copy)]
struct Exchange {
    from: u16,
    to: (&'static str, u16),
}

impl Proxy {
    pub async fn start(bench: &Bench) -> Self {
        Self::serve(bench, None).await
    }

    /// The wire up to here is encrypted, the rest is not.
    pub async fn start_encrypted(bench: &Bench, tls: TlsAcceptor) -> Self {
        Self::serve(bench, Some(tls)).await
    }

    async fn serve(bench: &Bench, tls: Option<TlsAcceptor>) -> Self {
        let host = if tls.is_some() { NAME } else { HOST };
        let listener = TcpListener::bind((HOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (target, address, exchange) = match &bench.raw {
            Raw::Kafka(_) => {
                let from = bench.address.rsplit_once(':').unwrap().1.parse().unwrap();
                (from, format!("{host}:{port}"), Some(Exchange { from, to: (host, port) }))
            }
            Raw::RabbitMq(_) => {
                let (before, after) = bench.address.rsplit_once(':').unwrap();
                let (target, path) = after.split_once('/').unwrap();
                let mut address = format!("{before}:{port}/{path}");
                if tls.is_some() {
                    address = address.replacen("amqp:", "amqps:", 1).replacen(HOST, NAME, 1);
                }
                (target.parse().unwrap(), address, None)
            }
        };
        let wire = watch::Sender::new(true);
        let frost = watch::Sender::new(0);
        let upstream = Upstream { target, exchange, tls, wire: wire.clone(), frost: frost.clone() };
        bench.env.spawn("proxy", upstream.serve(bench.env.clone(), listener));
        Self { address, wire, frost }
    }

    /// Breaks all connections and takes no new ones.
    pub fn cut(&self) {
        self.wire.send_replace(false);
    }

    pub fn mend(&self) {
        self.wire.send_replace(true);
    }

    /// What is connected stays so, and nothing passes. New connections work.
    pub fn freeze(&self) {
        self.frost.send_modify(|frost| *frost += 1);
    }
}

struct Upstream {
    target: u16,
    exchange: Option<Exchange>,
    tls: Option<TlsAcceptor>,
    wire: watch::Sender<bool>,
    frost: watch::Sender<u32>,
}

impl Upstream {
    async fn serve(self, env: Env, listener: TcpListener) {
        loop {
            let Ok((client, _)) = listener.accept().await else { return };
            if !*self.wire.borrow() {
                continue;
            }
            let mut cut = self.wire.subscribe();
            let mut frost = self.frost.subscribe();
            frost.mark_unchanged();
            let (target, exchange, tls) = (self.target, self.exchange, self.tls.clone());
            env.spawn("proxied", async move {
                let client: Box<dyn Duplex> = match tls {
                    None => Box::new(client),
                    Some(tls) => match tls.accept(client).await {
                        Ok(client) => Box::new(client),
                        Err(_) => return,
                    },
                };
                let Ok(server) = TcpStream::connect((HOST, target)).await else { return };
                let (mut from_client, mut to_client) = tokio::io::split(client);
                let (mut from_server, mut to_server) = server.into_split();
                tokio::select! {
                    _ = cut.wait_for(|whole| !whole) => return,
                    _ = copy(&mut from_client, &mut to_server) => return,
                    _ = answers(&mut from_server, &mut to_client, exchange) => return,
                    _ = frost.changed() => {}
                }
                // Both ends believe that the other is there.
                let _ = cut.wait_for(|whole| !whole).await;
            });
        }
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

async fn copy(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> std::io::Result<()> {
    tokio::io::copy(from, to).await.map(|_| ())
}

async fn answers(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    exchange: Option<Exchange>,
) -> std::io::Result<()> {
    let Some(exchange) = exchange else { return copy(from, to).await };
    let told = |host: &str, port: u16| [host.as_bytes(), &u32::from(port).to_be_bytes()].concat();
    let (old, new) = (told(HOST, exchange.from), told(exchange.to.0, exchange.to.1));
    loop {
        let length = from.read_u32().await?;
        let mut frame = vec![0; (length as usize).min(LARGEST)];
        from.read_exact(&mut frame).await?;
        let mut at = 0;
        while let Some(found) = frame[at..].windows(old.len()).position(|bytes| bytes == old) {
            frame[at + found..at + found + old.len()].copy_from_slice(&new);
            at += found + old.len();
        }
        to.write_u32(length).await?;
        to.write_all(&frame).await?;
        // What encrypts may keep bytes back.
        to.flush().await?;
    }
}

//! Listens, connects onward, and breaks connections.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use platform::Env;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::pipe::{Pipe, Shared};
use super::{Filters, Way, Weather};

/// Whoever does not listen on this machine within this time does not listen.
const CONNECT: Duration = Duration::from_secs(5);

/// One wire, of any number of connections. It is gone when it is dropped.
pub struct Line {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    /// How often all connections were reset.
    resets: watch::Sender<u64>,
    carried: Arc<AtomicU64>,
}

struct Open {
    env: Env,
    target: SocketAddr,
    filters: Option<Filters>,
    weather: watch::Receiver<Weather>,
    resets: watch::Receiver<u64>,
    carried: Arc<AtomicU64>,
}

impl Line {
    /// A good wire to `target`, which need not listen yet.
    pub async fn to(env: &Env, target: SocketAddr) -> io::Result<Self> {
        Self::listening(env, target, |_| None).await
    }

    /// With a filter for each connection; `filters` is told where the wire listens.
    pub async fn with_filter(
        env: &Env,
        target: SocketAddr,
        filters: impl FnOnce(SocketAddr) -> Filters,
    ) -> io::Result<Self> {
        Self::listening(env, target, |address| Some(filters(address))).await
    }

    async fn listening(
        env: &Env,
        target: SocketAddr,
        filters: impl FnOnce(SocketAddr) -> Option<Filters>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let weather = watch::Sender::new(Weather::GOOD);
        let resets = watch::Sender::new(0);
        let carried = Arc::new(AtomicU64::new(0));
        let open = Arc::new(Open {
            env: env.clone(),
            target,
            filters: filters(address),
            weather: weather.subscribe(),
            resets: resets.subscribe(),
            carried: carried.clone(),
        });
        env.spawn("line", accept(open, listener));
        Ok(Self { address, weather, resets, carried })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, also for what is connected.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    pub fn weather(&self) -> Weather {
        *self.weather.borrow()
    }

    /// Resets (RST) every connection. New ones are taken, unless the weather says otherwise.
    pub fn reset(&self) {
        self.resets.send_modify(|resets| *resets += 1);
    }

    /// How many bytes it carried, both ways.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }
}

/// Until the line is dropped.
async fn accept(open: Arc<Open>, listener: TcpListener) {
    let mut weather = open.weather.clone();
    loop {
        let client = tokio::select! {
            biased;
            () = gone(&mut weather) => return,
            accepted = listener.accept() => accepted,
        };
        // Out of descriptors, or the client was gone before: the next one may do better.
        let Ok((client, _)) = client else {
            open.env.sleep(Duration::from_millis(10)).await;
            continue;
        };
        if open.weather.borrow().refuses {
            abort(&client);
            continue;
        }
        open.env.spawn("connection of a line", connection(open.clone(), client));
    }
}

async fn gone(weather: &mut watch::Receiver<Weather>) {
    while weather.changed().await.is_ok() {}
}

async fn connection(open: Arc<Open>, client: TcpStream) {
    let mut resets = open.resets.clone();
    resets.mark_unchanged();
    let connecting = open.env.timeout(CONNECT, TcpStream::connect(open.target)).await;
    let Some(Ok(server)) = connecting else {
        abort(&client);
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let filter = open.filters.as_ref().map(|make| make());
    let shared = Arc::new(Shared { filter: Mutex::new(filter), carried: open.carried.clone() });
    let pipe = |way| Pipe {
        env: open.env.clone(),
        way,
        weather: open.weather.clone(),
        shared: shared.clone(),
    };
    let (mut client, mut server) = (client, server);
    let broken = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let question = pipe(Way::Question).carry(from_client, to_server);
        let answer = pipe(Way::Answer).carry(from_server, to_client);
        let both = async { tokio::try_join!(question, answer).is_err() };
        tokio::select! {
            biased;
            _ = resets.changed() => true,
            broken = both => broken,
        }
    };
    if broken {
        abort(&client);
        abort(&server);
    }
}

/// Closing it sends RST: what is under way is lost, as it is when a machine dies.
fn abort(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

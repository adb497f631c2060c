//! A line between two processes that can go dead or be cut.

use std::net::SocketAddr;
use std::sync::Arc;

use platform::Env;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Well,
    /// Bytes are taken and go nowhere.
    Dead,
    /// Connections are closed, and no new ones are taken.
    Cut,
}

#[derive(Clone)]
pub struct Line {
    pub address: SocketAddr,
    state: Arc<watch::Sender<State>>,
}

impl Line {
    pub async fn to(env: &Env, target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(watch::Sender::new(State::Well));
        env.spawn("line", accept(env.clone(), listener, target, state.subscribe()));
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn die(&self) {
        self.state.send_replace(State::Dead);
    }

    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Cuts what is connected now; new connections are well.
    pub fn cut_once(&self) {
        self.state.send_replace(State::Cut);
        self.state.send_replace(State::Well);
    }
}

async fn accept(
    env: Env,
    listener: TcpListener,
    target: SocketAddr,
    mut state: watch::Receiver<State>,
) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.unwrap().0,
            // Who connects from now on is refused.
            Ok(_) = state.wait_for(|state| *state == State::Cut) => return,
        };
        state.mark_unchanged();
        let Ok(onward) = TcpStream::connect(target).await else { continue };
        let (near, far) = (stream.into_split(), onward.into_split());
        env.spawn("line up", copy(near.0, far.1, state.clone()));
        env.spawn("line down", copy(far.0, near.1, state.clone()));
    }
}

async fn copy(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut state: watch::Receiver<State>,
) {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut piece) => read,
            changed = state.changed() => {
                if changed.is_err() || *state.borrow() != State::Dead {
                    return;
                }
                continue;
            }
        };
        let Ok(count @ 1..) = read else { return };
        if *state.borrow() != State::Dead && to.write_all(&piece[..count]).await.is_err() {
            return;
        }
    }
}

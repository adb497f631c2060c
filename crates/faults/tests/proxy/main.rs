//! The wire itself: what it does to bytes, with real sockets.
#![expect(clippy::unwrap_used, reason = "a test that cannot have its socket has failed")]

use std::net::SocketAddr;
use std::time::Duration;

use faults::proxy::{Line, Silence, Weather};
use platform::Env;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Answers each byte with the same byte, until the other side ends.
async fn echo(env: &Env) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let own = env.clone();
    env.spawn("echo", async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            own.spawn("echo of one", async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn wired() -> (Env, Line, TcpStream) {
    let env = Env::system();
    let line = Line::to(&env, echo(&env).await).await.unwrap();
    let stream = TcpStream::connect(line.address()).await.unwrap();
    (env, line, stream)
}

async fn said_back(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(text).await?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// More than fits into any buffer on the way.
fn long() -> Vec<u8> {
    (0..100_000_u32).flat_map(u32::to_be_bytes).collect()
}

async fn there_and_back(stream: TcpStream, text: &[u8]) -> Vec<u8> {
    let (mut from, mut to) = stream.into_split();
    let mut answer = Vec::new();
    let sending = async {
        to.write_all(text).await.unwrap();
        to.shutdown().await.unwrap();
    };
    tokio::join!(sending, async { from.read_to_end(&mut answer).await.unwrap() });
    answer
}

#[tokio::test]
async fn a_good_wire_changes_nothing_and_passes_on_an_end() {
    let (_env, line, stream) = wired().await;
    let text = long();
    assert_eq!(there_and_back(stream, &text).await, text);
    assert_eq!(line.carried(), 2 * text.len() as u64);
}

#[tokio::test]
async fn slow_lossy_and_cut_to_pieces_all_arrives_in_order() {
    let ms = Duration::from_millis;
    let bad = [
        Weather::slow(ms(1), ms(3)),
        Weather::lossy(3, ms(5)),
        Weather::sliced(4_000),
        Weather { bytes_per_second: Some(50_000_000), ..Weather::GOOD },
    ];
    for weather in bad {
        let (_env, line, stream) = wired().await;
        line.set(weather);
        let text = long();
        assert!(there_and_back(stream, &text).await == text, "{weather:?}");
    }
}

#[tokio::test]
async fn latency_is_waited_for_in_both_directions() {
    let (env, line, mut stream) = wired().await;
    line.set(Weather::slow(Duration::from_millis(40), Duration::ZERO));
    let begun = env.clock.monotonic();
    said_back(&mut stream, b"x").await.unwrap();
    assert!(env.clock.monotonic().saturating_sub(begun) >= Duration::from_millis(80));
}

#[tokio::test]
async fn silence_keeps_the_connection_and_what_was_sent_arrives_after_it() {
    for silence in [Silence::Both, Silence::Answers, Silence::Questions] {
        let (env, line, mut stream) = wired().await;
        assert_eq!(said_back(&mut stream, b"before").await.unwrap(), b"before");
        line.set(Weather::silent(silence));
        stream.write_all(b"during").await.unwrap();
        let mut answer = [0; 6];
        let nothing = env.timeout(Duration::from_millis(100), stream.read_exact(&mut answer));
        assert!(nothing.await.is_none(), "{silence:?}");
        line.set(Weather::GOOD);
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"during", "{silence:?}");
    }
}

#[tokio::test]
async fn a_reset_breaks_what_is_open_and_not_what_comes_after() {
    let (_env, line, mut stream) = wired().await;
    said_back(&mut stream, b"before").await.unwrap();
    line.reset();
    let mut byte = [0];
    let error = stream.read_exact(&mut byte).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let mut fresh = TcpStream::connect(line.address()).await.unwrap();
    assert_eq!(said_back(&mut fresh, b"after").await.unwrap(), b"after");
}

#[tokio::test]
async fn a_refusing_wire_turns_away_who_comes_and_leaves_who_is_there() {
    let (_env, line, mut stream) = wired().await;
    said_back(&mut stream, b"before").await.unwrap();
    line.set(Weather::refusing());
    let mut turned_away = TcpStream::connect(line.address()).await.unwrap();
    assert!(said_back(&mut turned_away, b"x").await.is_err());
    assert_eq!(said_back(&mut stream, b"still").await.unwrap(), b"still");
}

#[tokio::test]
async fn nobody_behind_it_is_a_broken_connection_and_no_silence() {
    let env = Env::system();
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let line = Line::to(&env, nobody).await.unwrap();
    let mut stream = TcpStream::connect(line.address()).await.unwrap();
    assert!(said_back(&mut stream, b"x").await.is_err());
}

#[tokio::test]
async fn a_line_that_is_dropped_takes_its_connections_with_it() {
    let (_env, line, mut stream) = wired().await;
    line.set(Weather::silent(Silence::Both));
    stream.write_all(b"x").await.unwrap();
    drop(line);
    assert!(stream.read_exact(&mut [0]).await.is_err());
}

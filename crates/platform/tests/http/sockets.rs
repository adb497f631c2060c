//! The accept loop, met by sockets that behave badly.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use platform::Env;
use platform::http::{ServerLimits, serve};
use platform::shutdown::{Phase, Shutdown};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::app::served;

struct Server {
    address: SocketAddr,
    shutdown: Shutdown,
    done: JoinHandle<std::io::Result<()>>,
}

#[expect(clippy::disallowed_methods, reason = "the test itself waits for the server's end")]
async fn server(router: Router, limits: ServerLimits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    shutdown.ready();
    let done = tokio::spawn(serve(Env::system(), listener, router, limits, shutdown.clone()));
    Server { address, shutdown, done }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes and reads until the server closes.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        to_end(&mut stream).await
    }
}

/// A server that resets rather than closes has also hung up.
async fn to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer's head and, of its body, what came with it.
async fn one_answer(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    let mut piece = [0; 4096];
    while !answer.contains("\r\n\r\n") {
        let read = stream.read(&mut piece).await.unwrap();
        assert_ne!(read, 0, "closed after {answer:?}");
        answer.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    answer
}

const GET: &[u8] = b"GET /v1/things HTTP/1.1\r\nhost: shop\r\n\r\n";
const GET_AND_CLOSE: &[u8] = b"GET /v1/things HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";

fn patient() -> ServerLimits {
    ServerLimits::default()
}

fn hasty() -> ServerLimits {
    ServerLimits {
        header_timeout: Duration::from_millis(40),
        idle_timeout: Duration::from_millis(80),
        ..ServerLimits::default()
    }
}

#[tokio::test]
async fn a_head_that_never_ends_is_hung_up_on() {
    let server = server(
        served().module.router,
        ServerLimits { idle_timeout: Duration::from_mins(10), ..hasty() },
    )
    .await;
    assert_eq!(server.exchange(b"GET /v1/things HTTP/1.1\r\nhost: sh").await, "");
    assert_eq!(server.exchange(b"").await, "");
    // The same after a first request on the connection.
    let mut stream = server.connect().await;
    stream.write_all(GET).await.unwrap();
    assert!(one_answer(&mut stream).await.starts_with("HTTP/1.1 200"));
    stream.write_all(b"GET /v1").await.unwrap();
    to_end(&mut stream).await;
}

#[tokio::test]
async fn an_idle_connection_is_hung_up_on() {
    let limits = ServerLimits { header_timeout: Duration::from_mins(10), ..hasty() };
    let server = server(served().module.router, limits).await;
    let mut stream = server.connect().await;
    stream.write_all(GET).await.unwrap();
    assert!(one_answer(&mut stream).await.starts_with("HTTP/1.1 200"));
    to_end(&mut stream).await;
    // HTTP/2: the preface and settings, then nothing.
    let mut stream = server.connect().await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    to_end(&mut stream).await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_503() {
    let limits = ServerLimits { max_connections: 1, ..patient() };
    let server = server(served().module.router, limits).await;
    let mut first = server.connect().await;
    first.write_all(GET).await.unwrap();
    one_answer(&mut first).await;
    let mut second = server.connect().await;
    let answer = to_end(&mut second).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer:?}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{answer:?}");
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["status"], 503);
    // The place is free again once the first has gone; its end is noticed a moment later.
    drop(first);
    while !server.exchange(GET_AND_CLOSE).await.starts_with("HTTP/1.1 200") {}
}

#[tokio::test]
async fn one_client_has_so_many_connections_and_no_more() {
    let limits = ServerLimits { max_connections_per_peer: 1, ..patient() };
    let server = server(served().module.router, limits).await;
    let mut first = server.connect().await;
    first.write_all(GET).await.unwrap();
    one_answer(&mut first).await;
    let answer = to_end(&mut server.connect().await).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer:?}");
    // The place is free again once the first has gone; its end is noticed a moment later.
    drop(first);
    while !server.exchange(GET_AND_CLOSE).await.starts_with("HTTP/1.1 200") {}
}

#[tokio::test]
async fn a_proxy_of_ours_has_any_number_of_connections() {
    let unbounded_peers = vec!["127.0.0.0/8".parse().unwrap()];
    let limits = ServerLimits { max_connections_per_peer: 1, unbounded_peers, ..patient() };
    let server = server(served().module.router, limits).await;
    let mut open = Vec::new();
    for _ in 0..5 {
        let mut stream = server.connect().await;
        stream.write_all(GET).await.unwrap();
        assert!(one_answer(&mut stream).await.starts_with("HTTP/1.1 200"));
        open.push(stream);
    }
}

#[tokio::test]
async fn a_request_of_two_readings_is_found_behind_another_in_one_piece() {
    let idle_timeout = Duration::from_mins(10);
    let server = server(served().module.router, ServerLimits { idle_timeout, ..patient() }).await;
    let json = "host: x\r\ncontent-type: application/json\r\n";
    let post = format!("POST /v1/things HTTP/1.1\r\n{json}");
    let firsts = [
        String::from_utf8_lossy(GET).into_owned(),
        format!("{post}content-length: 15\r\n\r\n{{\"name\":\"mugs\"}}"),
        format!("{post}transfer-encoding: chunked\r\n\r\nf\r\n{{\"name\":\"mugs\"}}\r\n0\r\n\r\n"),
    ];
    for first in firsts {
        for rest in [
            "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "content-length: 2\r\ncontent-length: 2\r\n\r\n{}",
        ] {
            let canary = String::from_utf8_lossy(GET_AND_CLOSE);
            let all = format!("{first}{post}{rest}{canary}");
            let answer = server.exchange(all.as_bytes()).await;
            let statuses: Vec<_> =
                answer.split("HTTP/1.1 ").skip(1).map(|one| one[..3].to_owned()).collect();
            assert_eq!(statuses.len(), 2, "{answer:?}");
            assert!(statuses[0].starts_with('2') && statuses[1] == "400", "{answer:?}");
        }
    }
}

#[tokio::test]
async fn heads_over_the_limits_are_refused() {
    let server = server(served().module.router, patient()).await;
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "x".repeat(40_000));
    assert!(server.exchange(large.as_bytes()).await.starts_with("HTTP/1.1 431"));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(200));
    assert!(server.exchange(many.as_bytes()).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn requests_of_two_readings_are_refused_and_the_next_one_is_served() {
    let idle_timeout = Duration::from_mins(10);
    let limits = ServerLimits { idle_timeout, ..patient() };
    let server = server(served().module.router, limits).await;
    let post = "POST /v1/things HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    for (what, rest) in [
        ("length and chunks", "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("chunks and length", "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n"),
        ("two lengths", "content-length: 2\r\ncontent-length: 3\r\n\r\n{}x"),
        ("the same length twice", "content-length: 2\r\ncontent-length: 2\r\n\r\n{}"),
        ("a list of lengths", "content-length: 2, 2\r\n\r\n{}"),
        ("a signed length", "content-length: +2\r\n\r\n{}"),
        ("a negative length", "content-length: -2\r\n\r\n{}"),
        (
            "chunked twice",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("chunked is not last", "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        ("a folded header", "a: b\r\n c\r\ncontent-length: 2\r\n\r\n{}"),
        ("space before the colon", "content-length : 2\r\n\r\n{}"),
        ("a bare line feed in a chunk size", "transfer-encoding: chunked\r\n\r\nx\r\n"),
    ] {
        let answer = server.exchange(format!("{post}{rest}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{what}: {answer:?}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{what}: {answer:?}");
        let canary = server.exchange(GET_AND_CLOSE).await;
        assert!(canary.starts_with("HTTP/1.1 200"), "{what}: {canary:?}");
    }
}

#[tokio::test]
async fn a_connection_serves_many_requests_and_tells_each_apart() {
    let server = server(served().module.router, patient()).await;
    let mut stream = server.connect().await;
    for name in ["first", "second", "third"] {
        let get = format!("GET /v1/things HTTP/1.1\r\nhost: shop\r\nx-request-id: {name}\r\n\r\n");
        stream.write_all(get.as_bytes()).await.unwrap();
        let answer = one_answer(&mut stream).await;
        assert!(answer.contains(&format!("x-request-id: {name}")), "{answer}");
    }
}

#[tokio::test]
async fn a_write_goes_on_when_its_client_hangs_up() {
    let served = served();
    let server = server(served.module.router.clone(), patient()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /v1/slow HTTP/1.1\r\nhost: shop\r\ncontent-length: 0\r\n\r\n")
        .await
        .unwrap();
    one_answer(&mut stream).await;
    drop(stream);
    served.gate.notify_one();
    while served.finished.load(std::sync::atomic::Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_changes_nothing() {
    let served = served();
    let server = server(served.module.router.clone(), patient()).await;
    let mut stream = server.connect().await;
    let half = b"POST /v1/things HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"name\":\"mug\"}";
    stream.write_all(half).await.unwrap();
    stream.shutdown().await.unwrap();
    to_end(&mut stream).await;
    assert_eq!(served.things().await, 0);
}

#[tokio::test]
async fn draining_ends_requests_in_flight_and_takes_no_new_connection() {
    let served = served();
    let server = server(served.module.router.clone(), patient()).await;
    let mut idle = server.connect().await;
    idle.write_all(GET).await.unwrap();
    one_answer(&mut idle).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /v1/never HTTP/1.1\r\nhost: shop\r\n\r\n").await.unwrap();
    // The idle one is a canary: once it is answered the busy one has been read too, or is read
    // while draining, which ends in a closed connection.
    idle.write_all(GET).await.unwrap();
    one_answer(&mut idle).await;
    server.shutdown.advance(Phase::Draining);
    let answer = to_end(&mut busy).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 504"), "{answer}");
    to_end(&mut idle).await;
    server.done.await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

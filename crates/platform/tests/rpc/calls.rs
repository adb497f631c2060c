//! One call, and everything that may become of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kernel::ErrorKind;
use platform::rpc::{CallError, remote};
use platform::{Context, Env};
use tokio::sync::Notify;

use crate::fault::Line;
use crate::world::{Client, Echo, LONG, Process, empty, peer};

#[tokio::test]
async fn a_call_brings_its_deadline_and_its_correlation() {
    let env = Env::system();
    let served = env.clone();
    let echo = Echo::new(&env, move |context, text| {
        let left = context.remaining(&served);
        async move {
            assert!(left <= Duration::from_secs(7), "{left:?}");
            Ok(format!("{text} {}", context.correlation))
        }
    });
    let process = Process::start(&env, empty(&env), echo).await;
    let client = Client::of(&env, peer(vec![process.url()]));
    let mut context = Context::background(&env, "test", Duration::from_secs(7));
    context.correlation = "abc".into();
    let path = "/mercat.made.v1.EchoService/Echo";
    assert_eq!(client.ask_as(context.clone(), "hi", path).await, Ok("hi abc".to_owned()));
    let unknown = client.ask_as(context, "hi", "/mercat.made.v1.EchoService/Other").await;
    assert_eq!(unknown.unwrap_err().kind, ErrorKind::Internal);
}

#[tokio::test]
async fn both_sides_end_a_call_at_its_deadline() {
    let env = Env::system();
    let ended = Arc::new(Notify::new());
    let (end, served) = (ended.clone(), env.clone());
    let echo = Echo::new(&env, move |context, _| {
        let (end, env) = (end.clone(), served.clone());
        async move {
            env.sleep(context.remaining(&env)).await;
            end.notify_one();
            std::future::pending().await
        }
    });
    let process = Process::start(&env, empty(&env), echo).await;
    let client = Client::of(&env, peer(vec![process.url()])).repeatable();
    let late = client.ask_within("hi", Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::DeadlineExceeded);
    assert!(late.is_unknown());
    env.timeout(LONG, ended.notified()).await.unwrap();
}

#[tokio::test]
async fn every_refusal_keeps_its_name() {
    let env = Env::system();
    let echo = Echo::new(&env, |_, text| async move {
        Err(CallError::new(ErrorKind::Conflict, "none-left", format!("none of {text}")))
    });
    let process = Process::start(&env, empty(&env), echo).await;
    let client = Client::of(&env, peer(vec![process.url()]));
    let refused = client.ask("mugs").await.unwrap_err();
    assert_eq!(refused, CallError::new(ErrorKind::Conflict, "none-left", "none of mugs"));
}

#[tokio::test]
async fn a_call_to_nobody_is_known_not_to_have_been_sent() {
    let env = Env::system();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = Client::of(&env, peer(vec![format!("http://{address}")]));
    let error = client.ask("hi").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.was_not_sent() && !error.is_unknown(), "{error:?}");
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused_with_its_key() {
    let env = Env::system();
    for (endpoints, expected) in [
        (vec![], "peers.made is empty"),
        (vec!["made:8080".to_owned()], "peers.made holds \"made:8080\""),
        (vec!["https://made:8080".to_owned()], "peers.made has an https endpoint"),
    ] {
        let refusal = remote(&env, peer(endpoints)).err().unwrap();
        assert!(refusal.starts_with(expected), "{refusal}");
    }
}

#[tokio::test]
async fn a_peer_that_goes_silent_is_found_dead_long_before_the_deadline() {
    let env = Env::system();
    let begun = Arc::new(Notify::new());
    let begin = begun.clone();
    let echo = Echo::new(&env, move |_, _| {
        begin.notify_one();
        std::future::pending()
    });
    let process = Process::start(&env, empty(&env), echo).await;
    let line = Line::to(&env, process.address).await;
    let client = Client::of(&env, peer(vec![line.url()]));
    let hour = Duration::from_hours(1);
    let (outcome, ()) = tokio::join!(env.timeout(LONG, client.ask_within("hi", hour)), async {
        begun.notified().await;
        line.die();
    });
    let lost = outcome.expect("found dead").unwrap_err();
    assert_eq!(lost.kind, ErrorKind::Unavailable);
    assert!(lost.is_unknown(), "{lost:?}");
}

/// Cuts the line under the first call, after it arrived; counts what arrives.
async fn broken_under_the_first_call(env: &Env) -> (Client, Arc<AtomicUsize>, Line) {
    let (arrived, first) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (count, begin) = (arrived.clone(), first.clone());
    let echo = Echo::new(env, move |_, text| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        begin.notify_one();
        async move {
            if number == 0 {
                return std::future::pending().await;
            }
            Ok(text)
        }
    });
    let process = Process::start(env, empty(env), echo).await;
    let line = Line::to(env, process.address).await;
    let client = Client::of(env, peer(vec![line.url()]));
    let cut = line.clone();
    env.spawn("cut", async move {
        first.notified().await;
        cut.cut_once();
    });
    (client, arrived, line)
}

#[tokio::test]
async fn a_call_that_broke_after_it_was_sent_is_not_made_again() {
    let env = Env::system();
    let (client, arrived, _line) = broken_under_the_first_call(&env).await;
    let lost = client.ask("pay").await.unwrap_err();
    assert!(lost.is_unknown(), "{lost:?}");
    // The line is well again, and still nothing of it comes.
    assert_eq!(client.ask("hi").await, Ok("hi".to_owned()));
    assert_eq!(arrived.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_call_whose_contract_says_so_is_made_again_when_it_broke() {
    let env = Env::system();
    let (client, arrived, _line) = broken_under_the_first_call(&env).await;
    assert_eq!(client.repeatable().ask("hi").await, Ok("hi".to_owned()));
    assert_eq!(arrived.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_callee_that_cannot_answer_is_asked_again_only_if_the_contract_allows() {
    let env = Env::system();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let echo = Echo::new(&env, move |_, text| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        async move {
            match number {
                1 => Ok(text),
                _ => Err(CallError::new(ErrorKind::Unavailable, "database-away", "try later")),
            }
        }
    });
    let process = Process::start(&env, empty(&env), echo).await;
    let client = Client::of(&env, peer(vec![process.url()])).repeatable();
    assert_eq!(client.ask("hi").await, Ok("hi".to_owned()));
    assert_eq!(asked.swap(2, Ordering::SeqCst), 2);
    let client = Client::of(&env, peer(vec![process.url()]));
    assert_eq!(client.ask("hi").await.unwrap_err().slug, "database-away");
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

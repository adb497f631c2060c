//! Several processes of one service.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::ErrorKind;
use platform::Env;
use platform::http::inner_networks;
use tokio::net::TcpListener;

use crate::fault::Line;
use crate::world::{Client, Echo, LONG, Process, empty, peer};

#[tokio::test]
async fn two_replicas_share_the_calls_and_the_death_of_one_is_not_noticed() {
    let env = Env::system();
    let one = Process::start(&env, empty(&env), Echo::named(&env, "one")).await;
    let two = Process::start(&env, empty(&env), Echo::named(&env, "two")).await;
    let line = Line::to(&env, one.address).await;
    let client = Client::of(&env, peer(vec![line.url(), two.url()])).repeatable();
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    while answers.len() < 2 {
        *answers.entry(client.ask("hi").await.unwrap()).or_default() += 1;
    }
    line.cut();
    for _ in 0..100 {
        client.ask("hi").await.unwrap();
    }
    for _ in 0..100 {
        assert_eq!(client.ask("hi").await.unwrap(), "two: hi");
    }
}

#[tokio::test]
async fn a_replica_that_stops_in_an_orderly_way_loses_no_call_that_may_not_be_repeated() {
    let env = Env::system();
    let one = Process::start(&env, empty(&env), Echo::named(&env, "one")).await;
    let two = Process::start(&env, empty(&env), Echo::named(&env, "two")).await;
    let client = Client::of(&env, peer(vec![one.url(), two.url()]));
    for number in 0..300 {
        if number == 100 {
            one.stop();
        }
        client.ask("hi").await.unwrap();
    }
}

#[tokio::test]
async fn a_peer_that_comes_back_is_used_again_although_its_calls_were_refused() {
    let env = Env::system();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = Client::of(&env, peer(vec![format!("http://{address}")]));
    let mut reasons = String::new();
    for _ in 0..60 {
        let error = client.ask("hi").await.unwrap_err();
        assert!(error.was_not_sent(), "{error:?}");
        reasons = error.detail;
    }
    assert!(reasons.contains("left alone"), "{reasons}");
    let listener = TcpListener::bind(address).await.unwrap();
    let echo = Echo::named(&env, "back");
    let networks = inner_networks();
    let _process = Process::start_on(&env, listener, empty(&env), echo, None, networks);
    let well = async {
        loop {
            match client.ask("hi").await {
                Ok(answer) => return answer,
                Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable),
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(env.timeout(LONG, well).await.unwrap(), "back: hi");
}

#[tokio::test]
async fn a_name_stands_for_all_its_addresses() {
    let env = Env::system();
    let process = Process::start(&env, empty(&env), Echo::named(&env, "one")).await;
    // It may resolve to ::1 too, where nobody listens.
    let endpoint = format!("http://localhost:{}", process.address.port());
    let client = Client::of(&env, peer(vec![endpoint]));
    for _ in 0..20 {
        assert_eq!(client.ask("hi").await.unwrap(), "one: hi");
    }
}

#[tokio::test]
async fn a_replica_that_accepts_and_says_nothing_is_not_used() {
    let env = Env::system();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let well = Process::start(&env, empty(&env), Echo::named(&env, "well")).await;
    let silent_url = format!("http://{}", silent.local_addr().unwrap());
    let client = Client::of(&env, peer(vec![silent_url, well.url()]));
    for _ in 0..50 {
        assert_eq!(client.ask("hi").await.unwrap(), "well: hi");
    }
}

const WORKERS: usize = 16;
const CALLS: usize = 120;

/// Which calls arrived, and how often.
type Arrived = Arc<Mutex<BTreeMap<String, usize>>>;

fn slow_echo(env: &Env, arrived: &Arrived) -> Echo {
    let (arrived, served) = (arrived.clone(), env.clone());
    Echo::new(env, move |_, text| {
        *arrived.lock().unwrap().entry(text.clone()).or_default() += 1;
        let env = served.clone();
        async move {
            env.sleep(Duration::from_millis(2)).await;
            Ok(text)
        }
    })
}

#[tokio::test]
async fn no_failure_lies_about_whether_the_call_was_made() {
    let env = Env::system();
    let arrived = Arrived::default();
    let mut processes = Vec::new();
    for _ in 0..4 {
        processes.push(Process::start(&env, empty(&env), slow_echo(&env, &arrived)).await);
    }
    let line = Line::to(&env, processes[3].address).await;
    let mut endpoints: Vec<_> = processes[..3].iter().map(Process::url).collect();
    endpoints.push(line.url());
    let client = Client::of(&env, peer(endpoints));
    let ended = AtomicUsize::new(0);
    let worker = async |worker: usize| {
        let mut outcomes = Vec::new();
        for number in 0..CALLS {
            let name = format!("{worker}/{number}");
            let outcome = client.ask(&name).await;
            outcomes.push((name, outcome));
            // One process after the other stops in an orderly way, one line is cut all the time.
            match ended.fetch_add(1, Ordering::SeqCst) {
                400 => processes[0].stop(),
                900 => processes[1].stop(),
                count if count % 25 == 0 => line.cut_once(),
                _ => {}
            }
        }
        outcomes
    };
    let all = futures_util::future::join_all((0..WORKERS).map(worker)).await;
    let arrived = arrived.lock().unwrap();
    let mut unknown = 0;
    for (name, outcome) in all.into_iter().flatten() {
        let times = arrived.get(&name).copied().unwrap_or_default();
        match outcome {
            Ok(_) => assert_eq!(times, 1, "{name} was answered"),
            Err(error) if error.was_not_sent() => assert_eq!(times, 0, "{name}: {error}"),
            Err(error) => {
                assert!(error.is_unknown(), "{name}: {error:?}");
                assert!(times <= 1, "{name} was made {times} times");
                unknown += 1;
            }
        }
    }
    assert!(unknown > 0, "the cuts met no call");
}

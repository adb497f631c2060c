//! A shop of processes in bad weather, while buyers buy: each service is killed in turn, the broker
//! is away, PostgreSQL crashes. What was answered stays, and all of it comes to rest.

use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{join, join_all};
use platform::Env;
use testkit::processes::Process;
use testkit::{Shop, Start, Topology, servers, until};

use crate::{Storm, books, buyer};

const BUYERS: usize = 8;
/// How long the broker is away, in seconds; `MERCAT_TEST_OUTAGE_SECONDS` says otherwise.
const OUTAGE: u64 = 12;
const SERVICES: [&str; 6] = ["gateway", "identity", "catalog", "inventory", "ordering", "payment"];

/// One after another: they share PostgreSQL, and take it away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_services_an_absent_broker_and_a_crashed_database_lose_nothing() {
    for (topology, broker) in [(Topology::Replicas, "kafka"), (Topology::RabbitMq, "rabbitmq")] {
        if servers::are_there(topology) {
            bad_weather(topology, broker).await;
        }
    }
}

async fn bad_weather(topology: Topology, broker: &str) {
    let start = Start::new(env!("CARGO_BIN_EXE_mercat"), topology);
    let storm = Storm::over(Shop::start(start).await).await;
    let buyers = join_all((0..BUYERS).map(|number| buyer(&storm, number)));
    let weather = async {
        for service in SERVICES {
            kill_one(&storm, service).await;
        }
        broker_goes(&storm, broker).await;
        server("restart", "postgres", &["--immediate"]).await;
        purchases_go_on(&storm, "PostgreSQL crashed").await;
        storm.is_over.store(true, Ordering::SeqCst);
    };
    join(buyers, weather).await;
    let (told, refused, unknown) = storm.journal.counts();
    eprintln!("{topology:?}: {told} purchases answered, {refused} refused, {unknown} unknown");
    books::check(&storm).await;
}

/// The supervisor starts it again; meanwhile others may do its work.
async fn kill_one(storm: &Storm, service: &str) {
    let find = || -> Vec<Process> {
        let all = storm.shop.processes();
        all.into_iter().filter(|process| process.service == service).collect()
    };
    let victim = find().remove(0);
    victim.kill();
    until(&format!("{service} runs again"), async || {
        let now = find().into_iter().find(|process| process.nth == victim.nth)?;
        (now.pid != victim.pid && now.is_alive()).then_some(())
    })
    .await;
    purchases_go_on(storm, &format!("{service} was killed")).await;
}

/// Orders are taken while nobody can be told of them.
async fn broker_goes(storm: &Storm, broker: &str) {
    server("stop", broker, &["--immediate"]).await;
    purchases_go_on(storm, &format!("{broker} went")).await;
    let outage = std::env::var("MERCAT_TEST_OUTAGE_SECONDS").ok();
    let outage = outage.and_then(|text| text.parse().ok()).unwrap_or(OUTAGE);
    Env::system().sleep(Duration::from_secs(outage)).await;
    purchases_go_on(storm, &format!("{broker} was away for {outage} s")).await;
    server("start", broker, &[]).await;
    purchases_go_on(storm, &format!("{broker} came back")).await;
}

async fn purchases_go_on(storm: &Storm, since: &str) {
    let enough = storm.journal.counts().0 + 5;
    until(&format!("buyers buy since {since}"), async || {
        (storm.journal.counts().0 >= enough).then_some(())
    })
    .await;
}

/// Stops or starts a server that tests share; it keeps its port and its data.
async fn server(verb: &str, name: &str, more: &[&str]) {
    let program = servers::told("MERCAT_TEST_XTASK").expect("`cargo xtask services up` tells it");
    let mut command = Command::new(program);
    command.args(["services", verb, name]).args(more);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.expect("waiting does not panic").expect("xtask can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "services {verb} {name}: {said}");
}

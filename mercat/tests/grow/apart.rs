//! A shop of processes on a developer's machine: what it shows to others, what it leaves to others,
//! and how it ends.

use std::path::Path;
use std::process::Command;

use platform::testing::servers::{KAFKA, POSTGRES, RABBITMQ, told, told_or_skipped};
use testkit::checkout::Cart;
use testkit::people::{FIRST_STAFF, staff_login};
use testkit::shelf::stock_article;
use testkit::{Shop, Start, Topology, servers, until};

use crate::databases::Databases;
use crate::{mercat, said};

fn start(topology: Topology) -> Start {
    Start::new(env!("CARGO_BIN_EXE_mercat"), topology)
}

/// Of `scheme://user:password@host`.
fn password(url: &str) -> &str {
    let userinfo = url.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
    userinfo.and_then(|(userinfo, _)| userinfo.split_once(':')).expect("it has a password").1
}

fn proc(pid: u64, what: &str) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/{what}")).expect("it runs");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_password_is_seen_in_the_list_of_processes_and_the_owners_is_given_to_none() {
    let Some([postgres, rabbitmq]) = told_or_skipped([POSTGRES, RABBITMQ]) else { return };
    let shop = Shop::start(start(Topology::RabbitMq)).await;
    let processes = shop.processes();
    assert_eq!(processes.len(), 6);
    for process in &processes {
        let arguments = proc(process.pid, "cmdline");
        for secret in [password(&postgres), password(&rabbitmq)] {
            assert!(!arguments.contains(secret), "{process:?}: {arguments}");
        }
        let variables = proc(process.pid, "environ");
        let database = variables.split('\0').find(|text| text.starts_with("MERCAT_DATABASE__URL"));
        assert_eq!(database.is_some(), process.service != "gateway", "{process:?}: {database:?}");
        assert!(database.is_none_or(|text| !text.contains(password(&postgres))), "{process:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_shop_of_the_same_name_takes_nothing_from_the_first() {
    if !servers::are_there(Topology::Kafka) {
        return;
    }
    let shop = Shop::start(start(Topology::Kafka)).await;
    let identity = shop.database("identity");
    let (_, name) = identity.rsplit_once('/').expect("it names a database");
    let prefix = name.strip_suffix("_identity").expect("it is named after the shop");
    let other = tempfile::tempdir().expect("a test may write to the temporary folder");
    let address = |name| told(name).expect("it is there");
    let settings = [
        format!("database.url={}", address(POSTGRES)),
        format!("broker.servers={}", address(KAFKA)),
        format!("broker.prefix={prefix}"),
    ];
    let words = ["up", "--topology", "kafka", "--listen", "127.0.0.1:0"];
    let words = words.into_iter().chain(settings.iter().flat_map(|set| ["--set", set]));
    let refused = mercat(other.path(), &words.collect::<Vec<_>>());
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("another shop's"), "{}", said(&refused));
    // Its passwords are what they were.
    let victim = shop.processes().into_iter().find(|process| process.service == "identity");
    let victim = victim.expect("there is one");
    victim.kill();
    until("identity serves again", async || {
        let now = shop.processes().into_iter().find(|process| process.service == "identity")?;
        let again = now.pid != victim.pid && now.is_alive();
        let login = staff_login(&shop.client(), FIRST_STAFF, "not the password").await;
        (again && login.status == 401).then_some(())
    })
    .await;

    // A lost password is replaced while they run.
    let url = format!("database.url={}", address(POSTGRES));
    let prefix = format!("broker.prefix={prefix}");
    let data = shop.data();
    let data = data.to_str().expect("a test's folder has a plain name");
    let reset = ["staff", "reset-password", FIRST_STAFF, "--data", data];
    let printed = shop.run(&[&reset[..], &["--set", &url, "--set", &prefix]].concat()).await;
    let (_, rest) = printed.split_once("password: ").expect("it is told");
    let one_time = rest.split_whitespace().next().expect("it is told");
    staff_login(&shop.client(), FIRST_STAFF, one_time).await.expect_status(200);
    // As in a container, where there is no data folder and the address is identity's own.
    let own = format!("database.url={}", shop.database("identity"));
    let reset = ["staff", "reset-password", FIRST_STAFF, "--set", &own];
    let printed = mercat(other.path(), &reset);
    assert!(printed.status.success(), "{}", said(&printed));
    let elsewhere = format!("database.url={}", shop.database("payment"));
    let reset = ["staff", "reset-password", FIRST_STAFF, "--set", &elsewhere];
    let refused = mercat(other.path(), &reset);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkout_in_flight_ends_before_the_shop_does() {
    if !servers::are_there(Topology::Kafka) {
        return;
    }
    let slow = "payment.test_provider.needs_time_ms=1500";
    let shop = Shop::start(start(Topology::Kafka).set(slow)).await;
    let admin = shop.admin().await;
    let article = stock_article(&admin, 1_000, 1).await;
    let cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
    let ending = async {
        until("the checkout is under way", async || {
            let orders = admin.get("/v1/admin/orders").await;
            (!orders.body["items"].as_array()?.is_empty()).then_some(())
        })
        .await;
        terminate(&shop.data());
    };
    let (reply, ()) = tokio::join!(cart.complete("tok_needs_time"), ending);
    let order = reply.expect_status(201).body;
    assert_eq!(order["status"], "confirmed", "{order}");
    let run = shop.data().join("run.json");
    until("all have ended, and nobody is told of", async || (!run.exists()).then_some(())).await;
}

/// SIGTERM.
fn terminate(data: &Path) {
    let run = std::fs::read(data.join("run.json")).expect("it runs");
    let run: serde_json::Value = serde_json::from_slice(&run).expect("it is JSON");
    let pid = run["pid"].to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(told.is_ok_and(|status| status.success()), "{pid} was not there");
}

#[tokio::test]
async fn a_process_that_refuses_its_configuration_is_not_started_for_ever() {
    let Some(databases) = Databases::make("dying").await else { return };
    let folder = tempfile::tempdir().expect("a test may write to the temporary folder");
    let settings = [
        format!("database.url={}", databases.template()),
        // Nobody gets so far as to ask for it.
        "broker.servers=127.0.0.1:1".to_owned(),
        "identity.password_passes=1".to_owned(),
    ];
    let words = ["up", "--topology", "kafka", "--listen", "127.0.0.1:0"];
    let words = words.into_iter().chain(settings.iter().flat_map(|set| ["--set", set]));
    let refused = mercat(folder.path(), &words.collect::<Vec<_>>());
    databases.take_away().await;
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("identity-1 ended 5 times"), "{}", said(&refused));
}

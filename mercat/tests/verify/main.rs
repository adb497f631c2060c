//! The checker: it finds nothing wrong with a healthy shop, also while it runs, and for each
//! invariant it catches a row that breaks this one and no other.

mod broken;
#[cfg(feature = "seeded-bugs")]
mod bugs;
#[cfg(feature = "seeded-bugs")]
mod lived;
mod remembered;

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use checker::{Look, Report};
use platform::Env;
use rusqlite::Connection;
use serde_json::Value;
use testkit::checkout::Cart;
use testkit::shelf::stock_article;
use testkit::{Shop, Start, Topology, stories};

/// Looks now, with no grace at all: whoever calls has waited for quiet.
fn verify(data: &Path) -> Report {
    let provider = data.join("test-provider");
    let now = Some(Env::system().now());
    let look = Look { now, quiet_after: Duration::ZERO, ..Look::at(data, &provider) };
    checker::verify(&look).expect("the databases can be read")
}

/// Asks until everything that is compared between services has arrived.
async fn until_healthy(data: &Path) {
    let asking = async {
        while !verify(data).holds() {
            Env::system().sleep(Duration::from_millis(50)).await;
        }
    };
    let healthy = Env::system().timeout(Duration::from_secs(30), asking).await;
    assert!(healthy.is_some(), "{:#?}", verify(data).findings);
}

fn mercat(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mercat"));
    command.args(words).current_dir(folder).output().expect("the program can be run")
}

/// A copy of the databases and of the provider's ledger, to break something in.
fn copy(data: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a test may write to the temporary folder");
    let provider = folder.path().join("test-provider");
    std::fs::create_dir(&provider).expect("it can be copied");
    let ledger = "test-provider.jsonl";
    std::fs::copy(data.join("test-provider").join(ledger), provider.join(ledger))
        .expect("it can be copied");
    for entry in std::fs::read_dir(data).expect("it is there").flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().contains(".db") {
            std::fs::copy(entry.path(), folder.path().join(name)).expect("it can be copied");
        }
    }
    folder
}

/// A shop in which everything has happened that the invariants speak of.
async fn lived_in() -> Shop {
    let start = Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded);
    let shop = Shop::start(start).await;
    stories::what_is_shipped_needs_an_address_and_costs_shipping_and_tax(&shop).await;
    stories::a_declined_card_releases_the_stock(&shop).await;
    stories::a_provider_that_times_out_charges_once(&shop).await;
    stories::many_buyers_never_share_a_unit(&shop).await;
    stories::the_same_key_twice_is_one_order(&shop).await;
    stories::cancelling_gives_back_money_and_goods(&shop).await;
    stories::capture_and_refund_move_the_money_once(&shop).await;
    stories::a_guest_becomes_a_customer_and_keeps_the_cart(&shop).await;
    stories::sessions_end_when_they_should(&shop).await;
    shop
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_shop_is_found_healthy_and_each_broken_row_is_caught() {
    let shop = lived_in().await;
    until_healthy(&shop.data()).await;
    let report = verify(&shop.data());
    for finding in &report.findings {
        let looked = finding.looked_at.iter().map(|count| count.count).sum::<u64>();
        assert!(looked > 0, "nothing was looked at: {finding:?}");
    }
    // While it runs, from outside.
    let told = mercat(shop.folder(), &["verify", "--data", "data", "--json", "--quiet-after", "0"]);
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    let told: Value = serde_json::from_slice(&told.stdout).expect("it prints JSON");
    assert_eq!(told["findings"].as_array().map(Vec::len), Some(13), "{told}");

    shop.kill();
    until_healthy(&shop.data()).await;
    let mut missed = Vec::new();
    for case in broken::CASES {
        let folder = copy(&shop.data());
        case.apply(folder.path());
        let report = verify(folder.path());
        if report.violated() != [case.breaks] {
            let broken = report.findings.into_iter().filter(|finding| !finding.holds());
            missed.push((case.name, case.breaks, broken.collect::<Vec<_>>()));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_is_left_alone_for_what_changed_lately_and_told_by_the_exit_code() {
    let start = Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded);
    let shop = Shop::start(start).await;
    let admin = shop.admin().await;
    let article = stock_article(&admin, 1_500, 3).await;
    Cart::open(&shop.client(), &[(&article.variant, 1)]).await.buy().await;
    until_healthy(&shop.data()).await;
    shop.kill();
    let folder = copy(&shop.data());
    let ordering = Connection::open(folder.path().join("ordering.db")).unwrap();
    let open = "UPDATE orders SET status = 'placed', number = NULL,
            state = json_set(state, '$.stage', json('{\"status\":\"placed\"}'));
        UPDATE counter SET state = json_set(state, '$.last', 1000);
        UPDATE checkout SET status = 'open', deadline_at = 1,
            state = json_set(state, '$.step', 'reserve');
        DELETE FROM idempotency WHERE route LIKE '%/complete';";
    ordering.execute_batch(open).unwrap();
    drop(ordering);
    // A checkout that was open when the shop was killed is nothing wrong.
    let look = ["verify", "--data", "."];
    let told = mercat(folder.path(), &look);
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    let ordering = Connection::open(folder.path().join("ordering.db")).unwrap();
    ordering.execute("UPDATE orders SET placed_at = 1", []).unwrap();
    drop(ordering);
    let told = mercat(folder.path(), &look);
    assert_eq!(told.status.code(), Some(4), "{told:?}");
    let said = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(said.contains("I9   VIOLATED once"), "{said}");
    assert!(said.contains("not looked at"), "{said}");

    let empty = tempfile::tempdir().unwrap();
    let told = mercat(empty.path(), &look);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stderr).contains("not the data folder"), "{told:?}");
}

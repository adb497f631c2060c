//! A shop that grows: it moves from its data folder to PostgreSQL, and the checker looks at it there
//! as it did before.
#![cfg(feature = "servers")]

mod apart;
mod broken;
mod databases;
mod moved;

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use checker::{Finding, Look, Report};
use databases::{Databases, PASSWORD};
use platform::Env;
use testkit::{Shop, Start, Topology, stories};

fn mercat(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mercat"));
    command.args(words).current_dir(folder).output().expect("the program can be run")
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

fn verify(look: Look<'_>) -> Report {
    let look = Look { quiet_after: Duration::ZERO, ..look };
    checker::verify(&look).expect("the databases can be read")
}

/// What was looked at, and what was found.
fn facts(findings: &[Finding]) -> Vec<String> {
    let of = |finding: &Finding| {
        format!("{:?} {:?} {:?}", finding.invariant, finding.looked_at, finding.violations)
    };
    findings.iter().map(of).collect()
}

/// A shop in which something of everything has happened, and nobody works any more.
async fn lived_in() -> Shop {
    let start = Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded).demo();
    let shop = Shop::start(start).await;
    stories::what_is_shipped_needs_an_address_and_costs_shipping_and_tax(&shop).await;
    stories::a_declined_card_releases_the_stock(&shop).await;
    stories::the_same_key_twice_is_one_order(&shop).await;
    stories::cancelling_gives_back_money_and_goods(&shop).await;
    stories::capture_and_refund_move_the_money_once(&shop).await;
    stories::sessions_end_when_they_should(&shop).await;
    let provider = shop.data().join("test-provider");
    let asking = async {
        let now = || Some(Env::system().now());
        while !verify(Look { now: now(), ..Look::at(&shop.data(), &provider) }).holds() {
            Env::system().sleep(Duration::from_millis(50)).await;
        }
    };
    let healthy = Env::system().timeout(Duration::from_secs(30), asking).await;
    assert!(healthy.is_some(), "the embedded shop does not come to rest");
    shop
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_moves_to_servers_and_is_the_same_there() {
    let Some(databases) = Databases::make("grow").await else { return };
    let shop = lived_in().await;
    let (data, template) = (shop.data(), databases.template());
    let from = data.to_str().expect("a test's folder has a plain name");
    let move_it = ["migrate", "--from", from, "--to", &template];

    let busy = mercat(shop.folder(), &move_it);
    assert_eq!(busy.status.code(), Some(1), "{busy:?}");
    assert!(said(&busy).contains("in use by another mercat"), "{busy:?}");
    shop.kill();

    let moved = mercat(shop.folder(), &move_it);
    assert_eq!(moved.status.code(), Some(0), "{}", said(&moved));
    let text = said(&moved);
    for table in ["ordering: orders", "catalog: product", "identity: account", "payment: outbox"] {
        let line = text.lines().find(|line| line.starts_with(table));
        assert!(line.is_some_and(|line| line.contains("the same: ")), "{table}: {text}");
    }
    assert!(!text.contains("DIFFERS") && !text.contains(PASSWORD), "{text}");
    let listed = databases.number("catalog", "SELECT count(*) FROM product_listing").await;
    assert!(listed >= 61, "search and lists are filled: {listed}");

    // The checker finds the same on both sides, and all is well.
    let provider = data.join("test-provider");
    let here = verify(Look::at(&data, &provider));
    let servers = databases.servers();
    let there = verify(Look::of(servers.place(), &provider));
    assert!(there.holds(), "{:#?}", there.findings);
    assert_eq!((facts(&there.findings), there.at), (facts(&here.findings), here.at));

    let again = mercat(shop.folder(), &move_it);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    assert_eq!(said(&again).matches("it was moved before").count(), 5, "{}", said(&again));

    // A check of its own tells what a second move leaves alone.
    let look = [&move_it[..], &["--check"]].concat();
    let same = mercat(shop.folder(), &look);
    assert_eq!(same.status.code(), Some(0), "{}", said(&same));
    let cheaper = "UPDATE orders SET state = jsonb_set(state, '{sums,total_minor}', '1') \
                   WHERE number = 1001";
    databases.run("ordering", cheaper).await;
    let differs = mercat(shop.folder(), &look);
    assert_eq!(differs.status.code(), Some(1), "{}", said(&differs));
    let text = said(&differs);
    let wrong: Vec<_> = text.lines().filter(|line| line.contains("DIFFERS")).collect();
    assert!(matches!(wrong[..], [line] if line.starts_with("ordering: orders")), "{text}");
    databases.take_away().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_servers_each_broken_row_is_caught_and_told_by_the_exit_code() {
    let Some(databases) = Databases::make("broken").await else { return };
    let shop = lived_in().await;
    shop.kill();
    let (data, template) = (shop.data(), databases.template());
    let from = data.to_str().expect("a test's folder has a plain name");
    let moved = mercat(shop.folder(), &["migrate", "--from", from, "--to", &template]);
    assert_eq!(moved.status.code(), Some(0), "{}", said(&moved));

    let (provider, servers) = (data.join("test-provider"), databases.servers());
    let mut missed = Vec::new();
    for case in broken::CASES {
        databases.save(case.service, case.table).await;
        databases.run(case.service, case.sql).await;
        let report = verify(Look::of(servers.place(), &provider));
        if report.violated() != [case.breaks] {
            let broken = report.findings.into_iter().filter(|finding| !finding.holds());
            missed.push((case.name, case.breaks, broken.collect::<Vec<_>>()));
        }
        databases.restore(case.service, case.table).await;
    }
    assert!(missed.is_empty(), "{missed:#?}");

    let ledger = provider.to_str().expect("a test's folder has a plain name");
    let words = ["verify", "--ledger", ledger, "--quiet-after", "0", "--database-template"];
    let well = mercat(shop.folder(), &[&words[..], &[&template]].concat());
    assert_eq!(well.status.code(), Some(0), "{}", said(&well));
    databases.run("inventory", "UPDATE stock SET oversold = 1").await;
    let each = databases.each();
    let mut named = words[..5].to_vec();
    for (_, address) in &each {
        named.extend(["--database", address]);
    }
    let broken = mercat(shop.folder(), &named);
    assert_eq!(broken.status.code(), Some(4), "{}", said(&broken));
    assert!(said(&broken).contains("I1   VIOLATED"), "{}", said(&broken));

    let wrong = template.replace(PASSWORD, "0ther");
    let refused = mercat(shop.folder(), &[&words[..], &[&wrong]].concat());
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(!said(&refused).contains("0ther"), "a password is not told: {}", said(&refused));
    databases.take_away().await;
}

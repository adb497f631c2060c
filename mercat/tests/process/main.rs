//! The program itself: what it leaves on disk, what it takes of the system, how it ends, and the
//! commands that look after a shop.

mod support;

use serde_json::json;
use testkit::people::{FIRST_STAFF, PASSWORD, first_login, staff_login};
use testkit::{Shop, Start, Topology};

use support::{mercat, mercat_in, modes};

fn start() -> Start {
    Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded)
}

#[test]
fn a_command_line_that_cannot_be_understood_ends_with_64_and_help_with_0() {
    for words in [&["nonsense"][..], &["import"], &["up", "--topology", "moon"], &[]] {
        assert_eq!(mercat(words).status.code(), Some(64), "{words:?}");
    }
    let help = mercat(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    let said = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(said.contains("Exit codes:") && said.contains("64"), "{said}");
    let missing = mercat(&["import", "no-such-file.csv"]);
    assert_eq!(missing.status.code(), Some(1), "{missing:?}");
}

#[test]
fn a_configuration_that_a_service_would_refuse_is_refused_by_the_check() {
    let accepted = mercat(&["config", "check"]);
    assert!(accepted.status.success(), "{accepted:?}");
    for (setting, key) in [
        ("identity.password_passes=1", "identity.password_passes"),
        ("identity.first_staff_email=nobody", "identity.first_staff_email"),
        ("gateway.cors_origins=shop.example", "gateway.cors_origins"),
        ("gateway.rate_limit.auth_burst=0", "gateway.rate_limit.auth_burst"),
        ("gateway.trusted_proxies=proxy", "gateway.trusted_proxies"),
        ("ordering.locale=not a language", "ordering.locale"),
        ("trusted_networks=inside", "trusted_networks"),
        ("database.lanes=99", "database.lanes"),
        ("broker.servers=kafka", "broker.servers"),
        ("broker.properties.acks=0", "acks"),
        ("broker.tls.ca=nowhere.pem", "broker.tls.ca"),
        ("peers.catalog=ftp://catalog", "peers.catalog"),
        ("peers.catalog=https://catalog", "peers.catalog"),
        ("peers.warehouse=http://warehouse:8080", "peers.warehouse"),
        ("tls.ca=nowhere.pem", "tls.ca"),
    ] {
        let refused = mercat(&["config", "check", "--set", setting]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{setting}: {said}");
        assert!(said.contains(key), "{setting}: {said}");
    }
}

#[test]
fn nothing_but_its_flag_makes_a_shop_answer_before_the_disk() {
    for setting in ["store.forgoes_sync=true", "store.synchronous=off", "store.durable=false"] {
        let output = mercat(&["config", "check", "--set", setting]);
        assert_eq!(output.status.code(), Some(1), "{setting}");
    }
    let output = mercat(&["up", "--topology", "kafka", "--unsafe-no-sync"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("--unsafe-no-sync"), "{said}");
}

#[tokio::test]
async fn a_shop_that_does_not_wait_for_the_disk_says_so_loudly() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("unsafe");
    let lines =
        format!("#!/bin/sh\nexec '{}' \"$@\" --unsafe-no-sync\n", env!("CARGO_BIN_EXE_mercat"));
    std::fs::write(&script, lines).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let shop = Shop::start(Start::new(&script, Topology::Embedded)).await;
    assert!(shop.log().contains("*** --unsafe-no-sync"), "{}", shop.log());
    let safe = Shop::start(start()).await;
    assert!(!safe.log().contains("unsafe"), "{}", safe.log());
}

#[test]
fn the_check_touches_no_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let checked = mercat_in(folder.path(), &["config", "check"]);
    assert!(checked.status.success(), "{checked:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn files_are_their_owners_alone_whatever_the_umask_is() {
    let folder = tempfile::tempdir().unwrap();
    let made = support::with_shell("umask 000", folder.path(), &["migrate"]);
    assert!(made.status.success(), "{made:?}");
    let modes = modes(&folder.path().join("data"));
    assert_eq!(modes["."], 0o700, "{modes:?}");
    for name in ["identity.db", "catalog.db", "ordering.db", "payment.db", "inventory.db", "lock"] {
        assert_eq!(modes[name], 0o600, "{modes:?}");
    }
    assert_eq!(modes["test-provider"], 0o700, "{modes:?}");
    let open: Vec<_> =
        modes.iter().filter(|(name, mode)| name.ends_with(".db-wal") && **mode != 0o600).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_shop_takes_as_many_open_files_as_the_system_allows() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["up", "--listen", "127.0.0.1:0"];
    let mut shop = support::spawn_with_shell("ulimit -Sn 256", folder.path(), &words);
    let run = folder.path().join("data/run.json");
    testkit::until("the shop is ready", async || run.exists().then_some(())).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", shop.id())).unwrap();
    shop.kill().unwrap();
    shop.wait().unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let mut words = line.split_whitespace().skip(3);
    assert_eq!(words.next(), words.next(), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_staff_password_is_replaced_from_the_data_folder_of_a_stopped_shop() {
    let shop = Shop::start(start()).await;
    let key = shop.staff().await.key.clone();
    let reset = ["staff", "reset-password", FIRST_STAFF, "--data", "data"];
    let refused = mercat_in(shop.folder(), &reset);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("in use"), "{refused:?}");

    shop.kill();
    let printed = shop.run(&reset).await;
    let (_, rest) = printed.split_once("password: ").unwrap();
    let one_time = rest.split_whitespace().next().unwrap().to_owned();
    let unknown = ["staff", "reset-password", "nobody@example.com", "--data", "data"];
    assert_eq!(mercat_in(shop.folder(), &unknown).status.code(), Some(1));
    shop.restart().await;

    let client = shop.client();
    let old = staff_login(&client, FIRST_STAFF, PASSWORD).await;
    old.expect_problem(401, "invalid-credentials");
    let tokens = staff_login(&client, FIRST_STAFF, &one_time).await.expect_status(200);
    let restricted = client.with_token(tokens.text("/access_token"));
    let made = json!({ "name": "x", "permissions": ["*"] });
    let reply = restricted.post("/v1/admin/api-keys", &made).await;
    reply.expect_problem(403, "password-change-required");
    let tokens = first_login(&client, FIRST_STAFF, &one_time).await;
    let owner = client.with_token(tokens.text("/access_token"));
    owner.get("/v1/admin/orders").await.expect_status(200);
    client.with_token(key).get("/v1/admin/orders").await.expect_status(200);
}

/// As configured for a public shop: tests elsewhere raise the limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_registrations_is_bounded_and_the_shop_goes_on() {
    let limit = ["gateway.rate_limit.auth_burst=5", "gateway.rate_limit.auth_per_minute=1"];
    let shop = Shop::start(start().set(limit[0]).set(limit[1])).await;
    let client = shop.client();
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(client.post("/v1/auth/login", &body).await.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    let refused = client.post("/v1/auth/register", &body).await;
    refused.expect_problem(429, "rate-limited");
    for _ in 0..200 {
        client.get("/v1/products?currency=EUR").await.expect_status(200);
    }
}

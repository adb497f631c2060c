//! A process that ends in the middle.

use std::sync::Arc;

use contracts::payment::v1::authorize_reply::Outcome;
use serde_json::json;

use crate::shop::{Fault, Shop, hasty};
use payment::Config;

fn patient() -> Config {
    Config { provider_timeout_ms: 60_000, ..hasty() }
}

/// Runs `work` until the provider has done `done`, then drops it where it stands.
async fn cut_off(work: impl Future<Output = ()>, done: impl Fn() -> bool) {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            () = &mut work => panic!("it cannot have ended"),
            () = tokio::task::yield_now() => {}
        }
        if done() {
            return;
        }
    }
}

#[tokio::test]
async fn a_charge_whose_outcome_was_never_recorded_is_found_after_the_restart() {
    let folder = tempfile::tempdir().unwrap();
    let order = {
        let shop = Shop::reopened(patient(), folder.path());
        let order = shop.new_order();
        shop.provider.break_next("authorize", Fault::Hang);
        let work = async {
            shop.authorize(order, 500, "tok_approved").await;
        };
        cut_off(work, || shop.charge(order).is_some()).await;
        order
    };
    let shop = Shop::reopened(patient(), folder.path());
    assert_eq!(shop.status(order).await, "pending");
    assert_eq!(shop.authorize(order, 500, "tok_approved").await, Outcome::Authorized);
    assert_eq!(shop.charge(order), Some((500, 0, 0, false)));
    assert_eq!(shop.provider.inner.charges().len(), 1);
}

#[tokio::test]
async fn a_request_that_the_crash_left_open_is_answered_when_its_outcome_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let (order, path) = {
        let shop = Shop::reopened(patient(), folder.path());
        let (order, id) = shop.authorized(500).await;
        let path = format!("/v1/admin/payments/{id}/captures");
        shop.provider.break_next("capture", Fault::Hang);
        let staff = shop.staff(&["*"]).with("idempotency-key", "k1");
        let work = async {
            staff.post(&path, json!({})).await;
        };
        cut_off(work, || shop.charge(order).is_some_and(|charge| charge.1 > 0)).await;
        (order, path)
    };
    let shop = Shop::reopened(patient(), folder.path());
    let staff = shop.staff(&["*"]).with("idempotency-key", "k1");
    staff.post(&path, json!({})).await.expect(409);
    shop.settle(order).await;
    let reply = staff.post(&path, json!({})).await.expect(201);
    assert_eq!(reply.body["status"], "done");
    assert_eq!(shop.charge(order), Some((500, 500, 0, false)));
}

#[tokio::test]
async fn the_providers_ledger_outlives_the_process_and_a_cut_off_line() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let order = {
        let shop = Shop::reopened(hasty(), folder.path());
        shop.authorized(500).await.0
    };
    let path = folder.path().join("provider").join(payment::adapters::test_provider::FILE_NAME);
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"at\":\"2026-01-01T00:0").unwrap();
    drop(file);
    let shop = Shop::reopened(hasty(), folder.path());
    assert_eq!(shop.charge(order), Some((500, 0, 0, false)));
    // A test's ids begin anew with its process.
    shop.new_order();
    let (other, _) = shop.authorized(700).await;
    drop(shop);
    let shop = Shop::reopened(hasty(), folder.path());
    assert_eq!(shop.charge(other), Some((700, 0, 0, false)));
    std::fs::write(&path, "not a ledger\n").unwrap();
    let config = payment::TestProviderConfig {
        folder: Some(folder.path().join("provider")),
        ..payment::TestProviderConfig::default()
    };
    let needs = payment::Needs {
        base: platform::service::Base {
            env: shop.test.env.clone(),
            executor: shop.executor.clone(),
            authenticator: Arc::new(platform::auth::Authenticator::new(
                shop.test.env.clone(),
                "mercat",
                "mercat",
            )),
        },
        config: Config { test_provider: config, ..Config::default() },
    };
    let error = payment::build(needs).err().unwrap().to_string();
    assert!(error.contains("payment.test_provider.folder"), "{error}");
}

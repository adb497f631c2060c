//! F17: the provider charges and hangs, hangs without a charge, charges and answers 500, takes its
//! time; it tells of what it did before it answers, five times, or never. An order is charged once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{join_all, select};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use super::weather::Context;
use crate::load::{Load, Tokens};
use crate::report::RowReport;

const SECRET: [u8; 32] = [7; 32];
const RESOLVED: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(20);

/// Mostly trouble.
const TOKENS: Tokens = &[
    "tok_approved",
    "tok_timeout_after_charge",
    "tok_timeout_without_charge",
    "tok_error_after_charge",
    "tok_needs_time",
    "tok_declined",
];

pub async fn run(context: &mut Context) -> RowReport {
    let secret = format!("whsec_{}", STANDARD.encode(SECRET));
    let setting = format!("payment.test_provider.notification_secret={secret}");
    let mut load = context.embedded(|start| start.set(&setting)).await;
    load.tokens = TOKENS;
    let time = context.settings.pick(Duration::from_secs(8), context.settings.each);
    let ledger = load.house.shop().data().join("test-provider/test-provider.jsonl");
    let mut told = 0;
    let mut report = context
        .weather(&load, async |report| {
            let telling = std::pin::pin!(tell(context, &load, ledger.clone(), &mut told));
            let timer = std::pin::pin!(context.env.sleep(time));
            select(telling, timer).await;
            report.runs = 1;
            Ok(())
        })
        .await;
    report.note(format!("{told} notifications were delivered"));
    let charges = charges(&ledger);
    report.runs = charges.len() as u64;
    for (order, count) in charges.iter().filter(|(_, count)| **count > 1) {
        report.violations.push(format!("{order} was charged {count} times"));
    }
    let resolved = Duration::from_millis(report.converge_ms.unwrap_or_default());
    context.at_most(&mut report, "every payment was resolved after the load", resolved, RESOLVED);
    report
}

/// Reads what the provider does, and tells the shop of it: of one charge in three never, of one once
/// and at once, of one five times.
async fn tell(context: &Context, load: &Load, ledger: PathBuf, told: &mut u64) {
    let mut read = 0;
    loop {
        let lines = lines(&ledger);
        for (nth, line) in lines.iter().enumerate().skip(read) {
            let times = [0, 1, 5][nth % 3];
            let sends = (0..times).map(|_| deliver(context, load, line));
            let taken = join_all(sends).await;
            *told += taken.into_iter().filter(|taken| *taken).count() as u64;
        }
        read = lines.len();
        context.env.sleep(LOOK).await;
    }
}

/// Whether the shop took it.
async fn deliver(context: &Context, load: &Load, line: &Value) -> bool {
    let key = &line["key"];
    if line["operation"] != "authorize" {
        return false;
    }
    let kind = if line["verdict"] == "done" { "charge.authorized" } else { "charge.declined" };
    let body = json!({ "type": kind, "data": { "charge_key": key, "key": key } }).to_string();
    let id = format!(
        "evt_{}",
        key.as_str().unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "")
    );
    let time = context.env.now().as_seconds().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{time}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let client = load.house.client();
    let request = client
        .request(Method::POST, "/v1/payments/notifications/test")
        .header("webhook-id", &id)
        .header("webhook-timestamp", &time)
        .header("webhook-signature", &signature)
        .bytes("application/json", body);
    request.try_send().await.is_ok_and(|reply| reply.status == 202)
}

fn lines(ledger: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(ledger).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// How often the provider charged for each order.
fn charges(ledger: &Path) -> BTreeMap<String, u64> {
    let mut charges = BTreeMap::new();
    for line in lines(ledger) {
        let was_done = line["verdict"] == "done" || line["verdict"].get("from").is_some();
        if line["operation"] == "authorize" && was_done {
            let order = line["order"].as_str().unwrap_or_default().to_owned();
            *charges.entry(order).or_default() += 1;
        }
    }
    charges
}

//! F18, its other half: the message is good, and the handler panics at it. Its key is parked, all
//! others go on; when the cause is gone, `mercat events replay` has it handled.

use std::process::Command;
use std::time::Duration;

use kernel::id::{Uuid, decode};
use platform::Env;
use testkit::until_within;

use super::f18_poison::parked;
use super::weather::Context;
use crate::fleet::Fleet;
use crate::load::Load;

/// Inventory panics when it hears of an order of [`UNITS`].
const BUG: &str = "panic-at-thirteen";
const UNITS: u32 = 13;
const SERVICE: &str = "inventory";
const CONSUMER: &str = "inventory.orders";
const PATIENCE: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(50);

pub async fn run(context: &Context, load: &Load) -> Result<(), String> {
    let fleet = load.house.fleet();
    fleet.start_again(SERVICE, Some(BUG)).await?;
    let order = until_within(PATIENCE * 2, "an unlucky number is sold", async || {
        load.buy_now(load.cold(0), UNITS).await
    });
    let order = decode("ord", &order.await).map_err(|error| error.to_string())?;
    let only_it = [order.to_string()];
    until_parked(fleet, &only_it, "the key is parked at which a handler panics").await?;
    load.purchases_go_on(10, "a handler panicked").await;
    match replay(context, fleet, order).await? {
        Err(said) if said.contains("the handler panicked") => {}
        other => return Err(format!("it was handled by a handler that panics: {other:?}")),
    }
    fleet.start_again(SERVICE, context.settings.bug.as_deref()).await?;
    until_parked(fleet, &only_it, "what was parked is parked after a restart").await?;
    match replay(context, fleet, order).await? {
        Ok(said) if said.contains("1 events handled") => {}
        other => return Err(format!("it was not handled when the cause was gone: {other:?}")),
    }
    until_parked(fleet, &[], "nothing is parked after it was handled").await
}

/// Waits until exactly these keys are parked. Who has just started may not answer at once.
async fn until_parked(fleet: &Fleet, keys: &[String], what: &str) -> Result<(), String> {
    let env = Env::system();
    let mut found = None;
    let asking = async {
        loop {
            found = parked_keys(fleet).await;
            if found.as_deref() == Some(keys) {
                return;
            }
            env.sleep(PAUSE).await;
        }
    };
    let seen = env.timeout(PATIENCE, asking).await;
    seen.ok_or_else(|| format!("after {PATIENCE:?} still not so: {what}; parked is {found:?}"))
}

/// The aggregates of which something is parked, anywhere.
async fn parked_keys(fleet: &Fleet) -> Option<Vec<String>> {
    let found = parked(fleet).await?;
    let keys = found.iter().map(|parked| parked.event["aggregate_id"].as_str());
    keys.map(|key| key.map(str::to_owned)).collect()
}

/// What an operator types: what it printed, or how it failed.
async fn replay(
    context: &Context,
    fleet: &Fleet,
    order: Uuid,
) -> Result<Result<String, String>, String> {
    let at: Vec<String> =
        fleet.of(SERVICE).map(|place| format!("http://{}", place.internal)).collect();
    let mut command = Command::new(&context.settings.program);
    command.args(["events", "replay", CONSUMER, &order.to_string(), "--at", &at.join(",")]);
    command.current_dir(fleet.folder.path());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) })
}

//! What goes wrong from outside: nodes die and come back, stop and go on, clocks jump, the broker
//! goes away, events come again.

use std::sync::Arc;
use std::time::Duration;

use crate::core::{Node, WORLD};
use crate::fault::Fault;
use crate::shop::Shop;

const TURN: Duration = Duration::from_secs(1);
const LONGEST_AWAY: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(25);
const CLOCK_JUMP_S: u64 = 7200;
/// Within so many turns of its tasks a node dies.
const LONGEST_FUSE: u64 = 400;

/// Until the weather turns fair.
pub async fn rage(shop: Arc<Shop>) {
    while shop.core.state().weather.is_on() {
        let pause = shop.core.draw(|chance| chance.pause(TURN * 2));
        shop.core.sleep(pause).await;
        strike(&shop);
    }
}

fn strike(shop: &Arc<Shop>) {
    let core = &shop.core;
    let node = core.draw(|chance| chance.one_of(&shop.plan.nodes).0);
    if core.strikes(Fault::Crash) {
        let fuse = core.draw(|chance| chance.between(1, LONGEST_FUSE));
        core.state().nodes[node].fuse = Some(fuse);
    }
    if core.strikes(Fault::Pause) {
        let pause = core.draw(|chance| chance.pause(LONGEST_PAUSE));
        core.pause(node, true);
        core.tell(|| format!("{} ({node}) stops for {pause:?}", shop.service_of(node)));
        let core = core.clone();
        core.clone().spawn(WORLD, async move {
            core.sleep(pause).await;
            core.pause(node, false);
        });
    }
    if core.strikes(Fault::ClockJump) {
        let jump = core.draw(|chance| chance.below(2 * CLOCK_JUMP_S)).cast_signed();
        let jump = (jump - CLOCK_JUMP_S.cast_signed()) * 1_000_000;
        core.tell(|| format!("the clock of {} ({node}) is {jump} us off", shop.service_of(node)));
        core.state().nodes[node].clock_off = jump;
    }
    if core.strikes(Fault::BrokerDown) {
        let away = core.draw(|chance| chance.pause(LONGEST_AWAY));
        shop.broker.set_down(true);
        let (core, broker) = (core.clone(), shop.broker.clone());
        core.clone().spawn(WORLD, async move {
            core.sleep(away).await;
            broker.set_down(false);
        });
    }
    if core.strikes(Fault::Rewind) {
        let heard = shop.heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let heard: Vec<_> = heard.iter().copied().collect();
        let (at, window) =
            core.draw(|chance| (chance.below(heard.len() as u64) as usize, chance.between(1, 50)));
        if let Some((consumer, source)) = heard.get(at) {
            shop.broker.rewind(consumer, source, window as usize);
        }
    }
}

/// A node's fuse has burnt down.
pub fn fell(shop: &Arc<Shop>, node: Node) {
    shop.kill(node);
    let away = shop.core.draw(|chance| chance.pause(LONGEST_AWAY));
    let (shop, core) = (shop.clone(), shop.core.clone());
    core.clone().spawn(WORLD, async move {
        core.sleep(away).await;
        revive(&shop, node);
    });
}

fn revive(shop: &Arc<Shop>, node: Node) {
    let is_dead = shop.core.state().nodes[node].is_dead;
    if is_dead && let Err(error) = shop.start(node) {
        shop.core.tell(|| format!("{node} does not start: {error}"));
    }
}

/// From now on nothing goes wrong any more, and everybody is there.
pub fn heal(shop: &Arc<Shop>) {
    let core = &shop.core;
    {
        let mut state = core.state();
        state.weather.turn(false);
        state.healed_at = Some(state.now);
    }
    core.tell(|| "the storm is over".to_owned());
    shop.broker.set_down(false);
    let skew = shop.plan.clock_skew_ms;
    for (node, _) in &shop.plan.nodes {
        core.pause(*node, false);
        {
            let mut state = core.state();
            let off =
                state.chance.below(2 * skew * 1000 + 1).cast_signed() - (skew * 1000).cast_signed();
            state.nodes[*node].clock_off = off;
            state.nodes[*node].fuse = None;
        }
        revive(shop, *node);
    }
}

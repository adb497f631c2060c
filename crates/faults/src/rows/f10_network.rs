//! F10 and F11: the network is slow, loses packets, cuts them to pieces, resets connections, falls
//! silent in one direction or in both: before the services, between them, before the databases,
//! before the broker. Nobody hangs past a deadline, and when it is over all goes on.

use std::time::Duration;

use super::weather::Context;
use crate::fleet::{BrokerKind, Fleet, To, Wire};
use crate::proxy::{Silence, Weather};
use crate::report::RowReport;

/// What the gateway gives a checkout, and a little for the way.
const DEADLINE: Duration = Duration::from_secs(17);

/// Which wires.
#[derive(Clone, Copy, Debug)]
enum Which {
    All,
    Peers(&'static str, &'static str),
    Database(&'static str),
    Broker(Option<&'static str>),
}

enum What {
    Weather(Weather),
    /// Connections are reset, again and again.
    Resets,
}

struct Scene {
    title: &'static str,
    which: Which,
    what: What,
}

pub async fn run(context: &mut Context) -> RowReport {
    let load = match context.fleet(BrokerKind::Kafka, 2).await {
        Ok(load) => load,
        Err(error) => return RowReport::skip(error),
    };
    let each = context.settings.pick(Duration::from_secs(2), context.settings.each / 3);
    let mut report = context
        .weather(&load, async |report| {
            let fleet = load.house.fleet();
            for scene in scenes() {
                let sold = load.tally.sold_in_all();
                play(context, fleet, &scene, each).await;
                let during = load.tally.sold_in_all() - sold;
                load.purchases_go_on(2, scene.title).await;
                report.note(format!("{}: {during} sold meanwhile", scene.title));
                report.runs += 1;
            }
            Ok(())
        })
        .await;
    let slowest = Duration::from_millis(report.slowest_ms);
    context.at_most(&mut report, "the slowest answer to a checkout", slowest, DEADLINE);
    context.keep(BrokerKind::Kafka, 2, load, &report);
    report
}

async fn play(context: &Context, fleet: &Fleet, scene: &Scene, each: Duration) {
    let chosen: Vec<&Wire> = fleet.wires.iter().filter(|wire| scene.which.has(wire)).collect();
    assert!(!chosen.is_empty(), "{}: no such wire", scene.title);
    let all = |change: &dyn Fn(&Wire)| {
        for wire in &chosen {
            change(wire);
        }
    };
    match scene.what {
        What::Weather(weather) => {
            all(&|wire| wire.set(weather));
            context.env.sleep(each).await;
            all(&|wire| wire.set(Weather::GOOD));
        }
        What::Resets => {
            for _ in 0..4 {
                all(&|wire| wire.line.reset());
                context.env.sleep(each / 4).await;
            }
        }
    }
}

impl Which {
    fn has(self, wire: &Wire) -> bool {
        match (self, &wire.to) {
            (Self::All, _) => true,
            (Self::Peers(from, to), To::Peer { service, .. }) => {
                wire.service == from && *service == to
            }
            (Self::Database(service), To::Database) => wire.service == service,
            (Self::Broker(service), To::Broker) => service.is_none_or(|name| wire.service == name),
            _ => false,
        }
    }
}

/// Where, and what.
fn scenes() -> Vec<Scene> {
    let ms = Duration::from_millis;
    let scene = |title, which, what| Scene { title, which, what };
    let weather = |title, which, weather| scene(title, which, What::Weather(weather));
    let silent = |title, which, silence| weather(title, which, Weather::silent(silence));
    let (all, peers) = (Which::All, Which::Peers);
    let (both, answers) = (Silence::Both, Silence::Answers);
    vec![
        weather("20 to 40 ms everywhere", all, Weather::slow(ms(20), ms(20))),
        weather("one packet in 30 is 300 ms late", all, Weather::lossy(30, ms(300))),
        weather("packets of 200 bytes", all, Weather::sliced(200)),
        scene("all connections reset", all, What::Resets),
        silent("no answers of ordering to the gateway", peers("gateway", "ordering"), answers),
        silent("gateway and identity are parted", peers("gateway", "identity"), both),
        silent("ordering and payment are parted", peers("ordering", "payment"), both),
        silent("no answers of inventory to ordering", peers("ordering", "inventory"), answers),
        weather("payment turns ordering away", peers("ordering", "payment"), Weather::refusing()),
        silent("no answers of its database to inventory", Which::Database("inventory"), answers),
        silent("ordering and its database are parted", Which::Database("ordering"), both),
        silent("payment and the broker are parted", Which::Broker(Some("payment")), both),
        silent("no answers of the broker", Which::Broker(None), answers),
    ]
}

//! `mercat events`: asked of whatever runs, or done on a data folder where nothing does.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use kernel::id::Uuid;
use platform::Env;
use platform::bus::operate::{Outcome, ParkedSight, Replay, Sight, Skip};
use platform::bus::{Subscription, replay, skip};
use serde::de::DeserializeOwned;

use super::choose_data;
use crate::cli::{At, Events};
use crate::config::Config;
use crate::data::{DataFolder, internal_addresses};
use crate::output;
use crate::shop::{Carrier, Shop};

pub async fn run(mut config: Config, command: Events) -> Result<ExitCode, String> {
    let at = match &command {
        Events::Tail(at)
        | Events::Parked(at)
        | Events::Replay { at, .. }
        | Events::Skip { at, .. } => at,
    };
    choose_data(&mut config, &at.data);
    let running = Running::find(at, &config).await?;
    match (command, running) {
        (Events::Tail(_), Some(running)) => running.tail().await?,
        (Events::Tail(_), None) => {
            return Err(format!("no shop runs on {}; name one with --at", config.data.display()));
        }
        (Events::Parked(_), Some(running)) => tell_parked(running.parked().await?),
        (Events::Parked(_), None) => {
            let shop = open(&config).await?.0;
            let mut found = Vec::new();
            for service in &shop.services {
                let parked = service.executor.store().parked(None).await;
                let parked = parked.map_err(|error| error.to_string())?;
                found.extend(parked.into_iter().map(|parked| ParkedSight {
                    event: Sight::from(&parked.envelope),
                    consumer: parked.consumer,
                    error: parked.error,
                    attempts: parked.attempts,
                }));
            }
            tell_parked(found);
        }
        (Events::Replay { consumer, aggregate, .. }, Some(running)) => {
            let asked = Replay { consumer, aggregate };
            let handled = running.change("replay", &asked).await?;
            output::line(format_args!("{handled} events handled"));
        }
        (Events::Replay { consumer, aggregate, .. }, None) => {
            let (shop, _folder) = open(&config).await?;
            let count = replay(find(&shop, &consumer)?, aggregate).await;
            let count =
                count.map_err(|error| format!("{aggregate} is still not handled: {error}"))?;
            output::line(format_args!("{count} events handled"));
        }
        (Events::Skip { consumer, event, .. }, Some(running)) => {
            running.change("skip", &Skip { consumer, event }).await?;
            output::line(format_args!("{event} is skipped"));
        }
        (Events::Skip { consumer, event, .. }, None) => {
            let (shop, _folder) = open(&config).await?;
            skip_one(find(&shop, &consumer)?, event).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn open(config: &Config) -> Result<(Arc<Shop>, DataFolder), String> {
    let folder = DataFolder::open_existing(&config.data)?;
    let shop = Shop::assemble(&Env::system(), config, &folder, Carrier::Direct).await?;
    Ok((shop, folder))
}

fn find<'a>(shop: &'a Shop, consumer: &str) -> Result<&'a Subscription, String> {
    let subscriptions = shop.bus.subscriptions();
    subscriptions.iter().find(|s| s.consumer.name == consumer).ok_or_else(|| {
        let names: Vec<_> = subscriptions.iter().map(|s| s.consumer.name).collect();
        format!("there is no consumer {consumer}; there are {}", names.join(", "))
    })
}

async fn skip_one(subscription: &Subscription, event: Uuid) -> Result<(), String> {
    let skipped = skip(subscription, event).await.map_err(|error| error.to_string())?;
    if !skipped {
        return Err(format!("no event {event} is parked for {}", subscription.consumer.name));
    }
    output::line(format_args!("{event} is skipped"));
    Ok(())
}

fn tell_parked(found: Vec<ParkedSight>) {
    for parked in &found {
        let event = &parked.event;
        output::line(format_args!(
            "{}  event {}  {} {} version {}  {}  {} tries: {}",
            parked.consumer,
            event.id,
            event.aggregate_type,
            event.aggregate_id,
            event.aggregate_version,
            event.event_type,
            parked.attempts,
            parked.error,
        ));
    }
    output::note(format_args!("{} events are parked", found.len()));
}

/// Internal ports of processes that run.
struct Running {
    client: reqwest::Client,
    addresses: Vec<String>,
}

impl Running {
    /// `None` when nothing runs on the data folder.
    async fn find(at: &At, config: &Config) -> Result<Option<Self>, String> {
        let client = reqwest::Client::builder().connect_timeout(Duration::from_secs(5)).build();
        let client = client.map_err(|error| error.to_string())?;
        if !at.at.is_empty() {
            let addresses = at.at.iter().map(|at| at.trim_end_matches('/').to_owned()).collect();
            return Ok(Some(Self { client, addresses }));
        }
        let addresses = internal_addresses(&config.data);
        let Some(first) = addresses.first() else { return Ok(None) };
        // What a killed shop left behind tells of nobody.
        let answer = client.get(format!("{first}/livez")).send().await;
        Ok(answer.is_ok().then_some(Self { client, addresses }))
    }

    async fn parked(&self) -> Result<Vec<ParkedSight>, String> {
        let mut found = Vec::new();
        for address in &self.addresses {
            let sent = self.client.get(format!("{address}/events/parked")).send().await;
            let answer = sent.map_err(|error| format!("{address}: {error}"))?;
            // The gateway has no events.
            if answer.status() != reqwest::StatusCode::NOT_FOUND {
                found.extend(read::<Vec<ParkedSight>>(address, answer).await?);
            }
        }
        // Replicas of a service tell of the same ones.
        found.sort_by(|a, b| {
            (&a.consumer, a.event.aggregate_id, a.event.aggregate_version).cmp(&(
                &b.consumer,
                b.event.aggregate_id,
                b.event.aggregate_version,
            ))
        });
        found.dedup();
        Ok(found)
    }

    /// Asks each until one knows the consumer.
    async fn change(&self, verb: &str, asked: &impl serde::Serialize) -> Result<usize, String> {
        let mut last = "nothing runs".to_owned();
        for address in &self.addresses {
            let url = format!("{address}/events/{verb}");
            let sent = self.client.post(url).json(asked).send().await;
            let answer = sent.map_err(|error| format!("{address}: {error}"))?;
            let is_unknown = answer.status() == reqwest::StatusCode::NOT_FOUND;
            let outcome: Result<Outcome, String> = read(address, answer).await;
            let error = match outcome {
                Ok(Outcome { handled, error: None }) => return Ok(handled),
                Ok(Outcome { error: Some(error), .. }) | Err(error) => error,
            };
            if !is_unknown {
                return Err(error);
            }
            last = error;
        }
        Err(last)
    }

    async fn tail(&self) -> Result<(), String> {
        let mut lines = Vec::new();
        for address in &self.addresses {
            let sent = self.client.get(format!("{address}/events/tail")).send().await;
            let answer = sent.map_err(|error| format!("{address}: {error}"))?;
            if answer.status().is_success() {
                lines.push(answer.bytes_stream().boxed());
            }
        }
        let mut lines = futures_util::stream::select_all(lines);
        loop {
            tokio::select! {
                biased;
                caught = tokio::signal::ctrl_c() => return caught.map_err(|e| e.to_string()),
                chunk = lines.next() => match chunk {
                    Some(Ok(chunk)) => output::raw(&chunk),
                    Some(Err(error)) => output::note(format_args!("one of them ended: {error}")),
                    None => return Ok(()),
                },
            }
        }
    }
}

async fn read<T: DeserializeOwned>(address: &str, answer: reqwest::Response) -> Result<T, String> {
    let status = answer.status();
    answer.json().await.map_err(|error| format!("{address} answered {status}: {error}"))
}

//! `mercat events`.

use std::process::ExitCode;
use std::sync::Arc;

use kernel::id::Uuid;
use platform::Env;
use platform::bus::{Subscription, replay, skip};

use super::choose_data;
use crate::cli::{Data, Events};
use crate::config::Config;
use crate::data::DataFolder;
use crate::output;
use crate::shop::{Carrier, Shop};

pub async fn run(config: Config, command: Events) -> Result<ExitCode, String> {
    match command {
        Events::Parked(data) => parked(&open(config, &data).await?.0).await,
        Events::Replay { consumer, aggregate, data } => {
            let (shop, _folder) = open(config, &data).await?;
            let count = replay(find(&shop, &consumer)?, aggregate).await;
            let count =
                count.map_err(|error| format!("{aggregate} is still not handled: {error}"))?;
            output::line(format_args!("{count} events handled"));
            Ok(ExitCode::SUCCESS)
        }
        Events::Skip { consumer, event, data } => {
            let (shop, _folder) = open(config, &data).await?;
            skip_one(find(&shop, &consumer)?, event).await
        }
    }
}

async fn open(mut config: Config, data: &Data) -> Result<(Arc<Shop>, DataFolder), String> {
    choose_data(&mut config, data);
    let folder = DataFolder::open_existing(&config.data)?;
    let shop = Shop::assemble(&Env::system(), &config, &folder, Carrier::Direct).await?;
    Ok((shop, folder))
}

fn find<'a>(shop: &'a Shop, consumer: &str) -> Result<&'a Subscription, String> {
    let subscriptions = shop.bus.subscriptions();
    subscriptions.iter().find(|s| s.consumer.name == consumer).ok_or_else(|| {
        let names: Vec<_> = subscriptions.iter().map(|s| s.consumer.name).collect();
        format!("there is no consumer {consumer}; there are {}", names.join(", "))
    })
}

async fn parked(shop: &Shop) -> Result<ExitCode, String> {
    let mut count = 0;
    for service in &shop.services {
        let parked = service.executor.store().parked(None).await;
        for event in parked.map_err(|error| error.to_string())? {
            count += 1;
            output::line(format_args!(
                "{}  event {}  {} {} version {}  {}  {} tries: {}",
                event.consumer,
                event.envelope.id,
                event.envelope.aggregate_type,
                event.envelope.aggregate_id,
                event.envelope.aggregate_version,
                event.envelope.event_type,
                event.attempts,
                event.error,
            ));
        }
    }
    output::note(format_args!("{count} events are parked"));
    Ok(ExitCode::SUCCESS)
}

async fn skip_one(subscription: &Subscription, event: Uuid) -> Result<ExitCode, String> {
    let skipped = skip(subscription, event).await.map_err(|error| error.to_string())?;
    if !skipped {
        return Err(format!("no event {event} is parked for {}", subscription.consumer.name));
    }
    output::line(format_args!("{event} is skipped"));
    Ok(ExitCode::SUCCESS)
}

//! `mercat serve`: one service in this process.

use std::process::ExitCode;

use crate::cli::Serve;
use crate::config::Config;

#[cfg(not(feature = "servers"))]
#[expect(clippy::unused_async, reason = "the same call in both builds")]
pub async fn run(_config: Config, _serve: Serve) -> Result<ExitCode, String> {
    Err(crate::processes::NOT_IN_THIS_BUILD.to_owned())
}

#[cfg(feature = "servers")]
pub async fn run(mut config: Config, serve: Serve) -> Result<ExitCode, String> {
    if let Some(listen) = serve.listen {
        config.listen = listen;
    }
    config.check_processes()?;
    if serve.until_stdin_closes {
        end_with_stdin()?;
    }
    servers::serve(config, &serve).await?;
    Ok(ExitCode::SUCCESS)
}

/// Whoever started this process holds the other end: when they are gone, so are we, as abruptly.
#[cfg(feature = "servers")]
fn end_with_stdin() -> Result<(), String> {
    let watch = || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        std::process::exit(1);
    };
    let watch = std::thread::Builder::new().name("stdin".to_owned()).spawn(watch);
    watch.map(drop).map_err(|error| format!("standard input cannot be watched: {error}"))
}

#[cfg(feature = "servers")]
mod servers {
    use catalog::application::Importer;
    use platform::process::{Parts, Standalone, Standing, run, tell_ready};
    use platform::service::BuildError;
    use platform::store::Schema;
    use platform::{Env, process};

    use crate::cli::{Serve, ServiceName, Topology};
    use crate::commands::up;
    use crate::config::Config;
    use crate::demo;

    pub async fn serve(config: Config, serve: &Serve) -> Result<(), String> {
        let parts = config.process();
        let ready = |addresses| tell_ready(serve.service.name(), addresses);
        match serve.service {
            ServiceName::Identity => run::<identity::Process>(parts, config.identity, ready).await,
            ServiceName::Catalog if serve.demo => {
                run::<DemoCatalog>(parts, config.catalog, ready).await
            }
            ServiceName::Catalog => run::<catalog::Process>(parts, config.catalog, ready).await,
            ServiceName::Inventory => {
                run::<inventory::Process>(parts, config.inventory, ready).await
            }
            ServiceName::Ordering => run::<ordering::Process>(parts, config.ordering, ready).await,
            ServiceName::Payment => run::<payment::Process>(parts, config.payment, ready).await,
            ServiceName::Gateway => {
                let topology = match config.broker.kind {
                    process::BrokerKind::Kafka => Topology::Kafka,
                    process::BrokerKind::RabbitMq => Topology::RabbitMq,
                };
                let about = up::about(topology, serve.demo);
                let files = Some(demo::pictures());
                gateway::process::run(parts, config.gateway, about, files, ready).await
            }
        }
    }

    /// Catalog, which loads the demo shop once inventory is there.
    struct DemoCatalog;

    impl Standalone for DemoCatalog {
        const NAME: &'static str = catalog::NAME;
        const CONTRACTS: &'static [u8] = catalog::Process::CONTRACTS;
        type Config = catalog::Config;

        fn schema(config: &Self::Config) -> Schema {
            catalog::Process::schema(config)
        }

        fn build(parts: Parts<Self::Config>) -> Result<Standing, BuildError> {
            let env = parts.base.env.clone();
            let (standing, importer) = catalog::Process::build_with_importer(parts)?;
            env.spawn("demo shop", load(env.clone(), importer));
            Ok(standing)
        }
    }

    async fn load(env: Env, importer: std::sync::Arc<Importer>) {
        const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);
        while let Err(error) = up::load_demo(&env, &importer).await {
            tracing::warn!(%error, "the demo shop is loaded again");
            env.sleep(PAUSE).await;
        }
        tracing::info!("the demo shop is loaded");
    }
}

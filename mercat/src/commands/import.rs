//! `mercat import`.

use std::fs::File;
use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

use catalog::application::Importer;
use catalog::domain::import::{Format as FileFormat, ImportOptions, Report};
use indicatif::{ProgressBar, ProgressStyle};
use platform::shutdown::Shutdown;
use platform::{Context, Env};
use tokio_util::io::ReaderStream;

use super::choose_data;
use super::remote::Server;
use crate::cli::{Format, Import};
use crate::config::Config;
use crate::data::DataFolder;
use crate::output;
use crate::shop::{Carrier, Shop};

/// The command ends with this when rows were refused.
const ROWS_REFUSED: u8 = 2;
/// The command ends with this when all is stored, but other services have not heard of all of it.
const NOT_DELIVERED: u8 = 3;
/// How long nothing may move before the command stops to wait.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn run(config: Config, import: Import) -> Result<ExitCode, String> {
    let (report, waiting) = match Server::of(&import.remote)? {
        Some(server) => (upload(&server, &import).await?, 0),
        None => here(config, &import).await?,
    };
    tell(&report);
    if waiting > 0 {
        output::note(format_args!(
            "mercat: the products are stored, but {waiting} events (or more) still wait and none \
             has moved for {} s; `mercat up` goes on with them, `mercat events parked` names \
             those that nobody could digest",
            PATIENCE.as_secs()
        ));
        return Ok(ExitCode::from(NOT_DELIVERED));
    }
    Ok(if report.errors_total == 0 { ExitCode::SUCCESS } else { ExitCode::from(ROWS_REFUSED) })
}

fn format(import: &Import) -> &'static str {
    match import.format {
        Format::Auto => "auto",
        Format::Shopify => "shopify",
        Format::Vendure => "vendure",
    }
}

/// The report, and how many events were left behind.
async fn here(mut config: Config, import: &Import) -> Result<(Report, usize), String> {
    choose_data(&mut config, &import.remote.data);
    let env = Env::system();
    let file: Box<dyn Read + Send> = if import.file.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        let name = import.file.display();
        Box::new(File::open(&import.file).map_err(|error| format!("{name}: {error}"))?)
    };
    let size = std::fs::metadata(&import.file).map_or(0, |metadata| metadata.len());
    let folder = DataFolder::open_shop(&config.data)?;
    let shop = Shop::assemble(&env, &config, &folder, Carrier::Direct).await?;
    super::up::tell_first_staff(shop.first_staff.as_ref());
    let shutdown = Shutdown::new();
    shop.start(&shutdown);
    let options = options(import, &shop.importer)?;
    let bar = bar(size);
    let shown = bar.clone();
    let context = Context::background(&env, "mercat", Duration::from_hours(24));
    let outcome = shop
        .importer
        .import(&context, file, options, move |progress| {
            shown.set_position(progress.bytes);
            shown.set_message(format!("{} products", progress.products));
        })
        .await;
    bar.finish_and_clear();
    let left = settle(&env, &shop).await;
    shutdown.advance(platform::shutdown::Phase::Stopping);
    outcome.map(|report| (report, left)).map_err(|error| error.to_string())
}

/// Waits until no event waits any more, or until nothing has moved for a while: answers how many
/// wait then, as far as can be seen. The next start delivers them as well.
async fn settle(env: &Env, shop: &Shop) -> usize {
    let mut patience = Patience::new(env.clock.monotonic());
    while !shop.bus.is_quiet().await {
        let mut waiting = Vec::new();
        for service in &shop.services {
            // What cannot be read does not move either.
            let events = service.executor.store().outbox(LOOK).await.unwrap_or_default();
            waiting.extend(events.into_iter().map(|event| event.id));
        }
        let seen = waiting.len().max(1);
        if patience.is_over(waiting, env.clock.monotonic()) {
            return seen;
        }
        env.sleep(Duration::from_millis(20)).await;
    }
    0
}

/// So many of the oldest events of a service are looked at.
const LOOK: u32 = 64;

/// Knows since when the same events have been waiting.
struct Patience {
    waiting: Vec<kernel::id::Uuid>,
    since: Duration,
}

impl Patience {
    fn new(now: Duration) -> Self {
        Self { waiting: Vec::new(), since: now }
    }

    fn is_over(&mut self, waiting: Vec<kernel::id::Uuid>, now: Duration) -> bool {
        if self.waiting != waiting {
            *self = Self { waiting, since: now };
        }
        now.saturating_sub(self.since) >= PATIENCE
    }
}

/// What the flags say; the shop's own settings for what they leave open.
fn options(import: &Import, importer: &Importer) -> Result<ImportOptions, String> {
    let mut options = importer.options();
    options.dry_run = import.dry_run;
    options.stock = !import.no_stock;
    options.format = match import.format {
        Format::Auto => None,
        Format::Shopify => Some(FileFormat::Shopify),
        Format::Vendure => Some(FileFormat::Vendure),
    };
    if let Some(currency) = &import.currency {
        options.currency = currency.parse().map_err(|error| format!("--currency: {error}"))?;
    }
    if let Some(locale) = &import.locale {
        options.locale = locale.parse().map_err(|error| format!("--locale: {error}"))?;
    }
    Ok(options)
}

/// Drawn on a terminal only.
fn bar(size: u64) -> ProgressBar {
    let bar = if size == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(size) };
    let template = "{bar:32} {percent:>3} %  {bytes}/{total_bytes}  {msg}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

async fn upload(server: &Server, import: &Import) -> Result<Report, String> {
    let name = import.file.display();
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let mut query = vec![("format", format(import).to_owned())];
    if import.dry_run {
        query.push(("dry_run", "true".to_owned()));
    }
    if import.no_stock {
        query.push(("stock", "false".to_owned()));
    }
    query.extend(import.currency.clone().map(|currency| ("currency", currency)));
    query.extend(import.locale.clone().map(|locale| ("locale", locale)));
    let body = if import.file.as_os_str() == "-" {
        reqwest::Body::wrap_stream(ReaderStream::new(tokio::io::stdin()))
    } else {
        let file = tokio::fs::File::open(&import.file).await.map_err(failed)?;
        let bar = bar(file.metadata().await.map_err(failed)?.len());
        reqwest::Body::wrap_stream(ReaderStream::new(bar.wrap_async_read(file)))
    };
    let request = server
        .post("/v1/admin/products/import")
        .query(&query)
        .header("content-type", "text/csv")
        .body(body);
    let response = server.send(request).await?;
    response.json().await.map_err(|error| format!("the report cannot be read: {error}"))
}

fn tell(report: &Report) {
    let products = &report.products;
    for error in &report.errors {
        let column = error.column.as_deref().unwrap_or("-");
        output::line(format_args!(
            "line {}, column {column}: {} (given: {:?})",
            error.line, error.message, error.value
        ));
    }
    let shown = report.errors.len() as u64;
    if report.errors_total > shown {
        output::line(format_args!("… and {} more", report.errors_total - shown));
    }
    if !report.unknown_columns.is_empty() {
        output::line(format_args!("kept aside: {}", report.unknown_columns.join(", ")));
    }
    output::line(format_args!(
        "{} rows: {} products created, {} updated, {} unchanged, {} failed; {} variants; stock: {} \
         changed, {} unchanged{}",
        report.rows,
        products.created,
        products.updated,
        products.unchanged,
        products.failed,
        report.variants,
        report.stock.changed,
        report.stock.unchanged,
        if report.dry_run { " (dry run: nothing was written)" } else { "" }
    ));
}

#[cfg(test)]
mod tests {
    use kernel::id::Uuid;

    use super::*;

    #[test]
    fn waiting_ends_when_nothing_has_moved_for_a_while() {
        let second = Duration::from_secs(1);
        let events = |first: u128| vec![Uuid::from_u128(first), Uuid::from_u128(first + 1)];
        let mut patience = Patience::new(Duration::ZERO);
        // However long it takes: as long as something moves, there is hope.
        for step in 0..100 {
            assert!(!patience.is_over(events(step.into()), PATIENCE * step));
        }
        let stuck = PATIENCE * 100;
        assert!(!patience.is_over(events(100), stuck));
        assert!(!patience.is_over(events(100), stuck + PATIENCE.saturating_sub(second)));
        assert!(patience.is_over(events(100), stuck + PATIENCE));
    }
}

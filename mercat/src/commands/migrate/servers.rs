//! `mercat migrate --from … --to …`: the shop of a data folder moves to PostgreSQL, service by
//! service.

use std::path::Path;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use kernel::id::Uuid;
use platform::Env;
use platform::config::Secret;
use platform::store::Schema;
use platform::store::transfer::{Compared, Moved, Progress, Transfer};

use crate::cli::Migrate;
use crate::config::Config;
use crate::data::DataFolder;
use crate::moved::Move;
use crate::output;

pub async fn run(mut config: Config, from: &Path, command: &Migrate) -> Result<ExitCode, String> {
    if let Some(to) = &command.to {
        config.database.url = Secret::new(to);
    }
    let env = Env::system();
    // Held to the end: no shop may work on what is being moved.
    let folder = DataFolder::open_to_move(from)?;
    let urls = crate::processes::prepare(&env, &config, &folder).await?;
    let moved = this_move(&env, &folder, command.check)?;
    let mut differing = 0;
    for schema in schemas(&config) {
        let Some(url) = urls.get(schema.service) else { continue };
        differing += one(&env, &schema, &folder, url, moved.id, command.check).await?;
    }
    if differing > 0 {
        let what = format!("{differing} tables are not the same on both sides");
        let hint = if command.check {
            "if the shop has worked on the server since, they have to differ; if not, do not use \
             what is there"
        } else {
            "do not use what is on the server; make its databases anew"
        };
        return Err(format!("{what}; {hint}"));
    }
    if !command.check {
        let done_at = moved.done_at.or_else(|| Some(env.now()));
        Move { done_at, ..moved }.write(folder.path())?;
        output::note(format_args!(
            "The shop is on the server, and does not start on {} any more. Keep the folder until \
             you are content.",
            from.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Every service that has a database. The order does not matter: the shop stands still.
fn schemas(config: &Config) -> [Schema; 5] {
    [
        identity::schema(),
        catalog::schema(&config.catalog),
        inventory::schema(),
        ordering::schema(),
        payment::schema(),
    ]
}

/// Answers how many tables differ.
async fn one(
    env: &Env,
    schema: &Schema,
    folder: &DataFolder,
    url: &str,
    id: Uuid,
    check: bool,
) -> Result<usize, String> {
    let service = schema.service;
    let failed = |error| format!("{service}: {error}");
    let from = folder.path().join(format!("{service}.db"));
    let mut transfer = Transfer::open(env, schema, &from, url, id).await.map_err(failed)?;
    let bar = bar(service);
    let mut draw = |progress: Progress<'_>| draw(&bar, progress);
    let outcome = if check {
        transfer.check(&mut draw).await.map(Moved::Now)
    } else {
        transfer.run(&mut draw).await
    };
    bar.finish_and_clear();
    match outcome.map_err(failed)? {
        Moved::Before(at) => {
            output::line(format_args!("{service}: it was moved before, by {at}; left as it is"));
            Ok(0)
        }
        Moved::Now(compared) => {
            for table in &compared {
                tell(service, table);
            }
            Ok(compared.iter().filter(|table| !table.is_same()).count())
        }
    }
}

fn tell(service: &str, compared: &Compared) {
    let Compared { table, source, target } = compared;
    let name = format!("{service}: {table}");
    if compared.is_same() {
        output::line(format_args!("{name:<24} the same: {} rows, {source}", source.rows));
    } else {
        output::line(format_args!(
            "{name:<24} DIFFERS: {} rows, {source} in the folder; {} rows, {target} on the server",
            source.rows, target.rows
        ));
    }
}

/// Drawn on a terminal only.
fn bar(service: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_prefix(service);
    let template = "{prefix:10} {bar:32} {pos}/{len} rows  {msg}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn draw(bar: &ProgressBar, progress: Progress<'_>) {
    let (verb, table, rows, of) = match progress {
        Progress::Moving { table, rows, of } => ("moving", table, rows, of),
        Progress::Comparing { table, rows, of } => ("comparing", table, rows, of),
    };
    bar.set_message(format!("{verb} {table}"));
    bar.set_length(of);
    bar.set_position(rows);
}

/// The move from this folder; a new one if there was none.
fn this_move(env: &Env, folder: &DataFolder, check: bool) -> Result<Move, String> {
    if let Some(known) = Move::of(folder.path())? {
        return Ok(known);
    }
    let begun = Move { id: env.uuid(), begun_at: env.now(), done_at: None };
    if !check {
        begun.write(folder.path())?;
    }
    Ok(begun)
}

//! `mercat export`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::StreamExt;
use platform::{Context, Env};

use super::choose_data;
use super::remote::Server;
use crate::cli::Export;
use crate::config::Config;
use crate::data::DataFolder;
use crate::output;
use crate::shop::{Carrier, Shop};

pub async fn run(mut config: Config, export: Export) -> Result<ExitCode, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", export.file.display());
    // The old file stays until the new one is whole.
    let draft = export.file.with_added_extension("part");
    let mut out = writer(&export.file, &draft)?;
    if let Some(server) = Server::of(&export.remote)? {
        let stock = [("stock", (!export.no_stock).to_string())];
        let request = server.get("/v1/admin/products/export").query(&stock);
        let response = server.send(request).await?;
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| format!("the export broke off: {error}"))?;
            out.write_all(&chunk).map_err(failed)?;
        }
    } else {
        choose_data(&mut config, &export.remote.data);
        let env = Env::system();
        let folder = DataFolder::open_existing(&config.data)?;
        let shop = Shop::assemble(&env, &config, &folder, Carrier::Direct).await?;
        let context = Context::background(&env, "mercat", Duration::from_hours(24));
        let chunks = shop.catalog.export_products(context, !export.no_stock).await;
        let mut chunks = std::pin::pin!(chunks.map_err(|error| error.to_string())?);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| format!("the export broke off: {error}"))?;
            out.write_all(&chunk).map_err(failed)?;
        }
    }
    out.flush().map_err(failed)?;
    drop(out);
    if export.file.as_os_str() != "-" {
        std::fs::rename(&draft, &export.file).map_err(failed)?;
    }
    output::note("exported");
    Ok(ExitCode::SUCCESS)
}

fn writer(path: &Path, draft: &Path) -> Result<Box<dyn Write>, String> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(std::io::BufWriter::new(std::io::stdout())));
    }
    let file =
        std::fs::File::create(draft).map_err(|error| format!("{}: {error}", draft.display()))?;
    Ok(Box::new(std::io::BufWriter::new(file)))
}

//! `bench import`

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::Lab;
use crate::cli::{Import, Topology};
use crate::goods::{self, Written};
use crate::measure::watch;
use crate::report::{self, Cell, Section, Table};
use crate::shop::{Home, Shop};
use crate::staff::Admin;
use crate::{Outcome, clock};

const STOCK: u32 = 25;

#[derive(Deserialize)]
struct Report {
    products: Products,
    variants: u64,
    errors_total: u64,
}

#[derive(Deserialize, Debug, PartialEq, Eq)]
struct Products {
    created: u64,
    updated: u64,
    unchanged: u64,
    failed: u64,
}

struct Took {
    time: Duration,
    /// How long the shop still digested events afterwards; part of `time` when none.
    after: Option<Duration>,
    peak_kib: u64,
}

pub async fn run(lab: &Lab, import: &Import) -> Outcome<Section> {
    let home = lab.home()?;
    let path = home.path("catalog.csv");
    let written = write(&path, import.variants)?;
    let mut table = Table::new(
        "",
        &[
            "import",
            "seconds",
            "variants/s",
            "products/s",
            "MB/s",
            "then digesting s",
            "peak RSS MB",
        ],
    );
    for name in ["command line, empty shop", "command line, the same file again"] {
        table.row(row(name, &by_command(&home, &path)?, &written));
    }
    let database = home.data_bytes();
    let mut failures = Vec::new();
    let fresh = lab.home()?;
    let shop = Shop::start(&fresh, Topology::Embedded, false)?;
    let all = (written.products, 0);
    for (name, expected) in
        [("upload, empty shop", all), ("upload, the same file again", (0, all.0))]
    {
        let (took, report) = by_upload(&fresh, &shop, &path, written.bytes).await?;
        table.row(row(name, &took, &written));
        let (created, unchanged) = expected;
        let products = Products { created, updated: 0, unchanged, failed: 0 };
        if (&report.products, report.errors_total) != (&products, 0) {
            failures.push(format!("{name}: {:?}, {} errors", report.products, report.errors_total));
        }
        if report.variants != written.variants {
            failures.push(format!("{name}: {} variants", report.variants));
        }
    }
    Ok(Section {
        title: "Import".into(),
        how: format!(
            "A generated file with Shopify's newer headers: {} variants in {} products of 1 to 20, \
             {:.1} MB. The command line's time is that of the whole process, which ends when all \
             events that follow are digested; an upload's is from its first byte to the report, \
             and the shop digests afterwards. An upload's peak is that of the shop since it started.",
            Cell::Count(written.variants),
            Cell::Count(written.products),
            written.bytes as f64 / 1e6
        ),
        tables: vec![table],
        notes: vec![format!("the data folder has {:.1} MB afterwards", database as f64 / 1e6)],
        failures,
    })
}

/// Writes the file that is imported.
pub fn write(path: &Path, variants: u32) -> Outcome<Written> {
    let written = File::create(path)
        .and_then(|file| goods::write_csv(BufWriter::new(file), variants, STOCK))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    report::note(format_args!("{} variants in {}", written.variants, path.display()));
    Ok(written)
}

fn by_command(home: &Home, path: &Path) -> Outcome<Took> {
    let (file, data) = (path.display().to_string(), home.data().display().to_string());
    let ran = home.run(&["import", &file, "--currency", "EUR", "--data", &data])?;
    Ok(Took { time: ran.took, after: None, peak_kib: ran.peak_kib })
}

async fn by_upload(home: &Home, shop: &Shop, path: &Path, size: u64) -> Outcome<(Took, Report)> {
    let admin = Admin::of(home, shop).await?;
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut connection = shop.connect();
    let began = clock::now();
    let to = "/v1/admin/products/import?currency=EUR";
    let reply = connection.upload(to, admin.token(), size, file).await;
    let time = began.elapsed();
    let reply = reply.map_err(|error| format!("upload: {error}"))?;
    let report = reply.expect(200).map_err(|error| format!("upload {error}"))?.parse()?;
    let after = Some(watch::quiet(shop).await?);
    Ok((Took { time, after, peak_kib: shop.memory()?.peak_kib }, report))
}

fn row(name: &str, took: &Took, written: &Written) -> Vec<Cell> {
    let seconds = took.time.as_secs_f64();
    let after =
        took.after.map_or(Cell::text("included"), |after| Cell::Number(after.as_secs_f64(), 1));
    vec![
        Cell::text(name),
        Cell::Number(seconds, 2),
        Cell::Number(written.variants as f64 / seconds, 0),
        Cell::Number(written.products as f64 / seconds, 0),
        Cell::Number(written.bytes as f64 / 1e6 / seconds, 1),
        after,
        Cell::mb(took.peak_kib),
    ]
}

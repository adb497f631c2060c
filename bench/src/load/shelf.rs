//! The shop that a checkout load runs on: goods from a product file, one tax, one way of shipping.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::time::Duration;

use serde::Deserialize;

use crate::client::Reply;
use crate::shop::{Home, Shop};
use crate::staff::Admin;
use crate::{Outcome, clock, goods};

/// More than any load buys.
pub const STOCK: u32 = 100_000_000;
pub const SHIPPING_MINOR: i64 = 490;
const ZONE_COUNTRY: &str = "DE";
const ARRIVE: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(100);

/// Something to buy.
#[derive(Clone, Debug)]
pub struct Item {
    pub variant: String,
    pub price_minor: i64,
}

/// Imports a file with so many variants into a home where no shop runs.
pub fn stock(home: &Home, variants: u32) -> Outcome<()> {
    let path = home.path("goods.csv");
    let written = File::create(&path)
        .and_then(|file| goods::write_csv(BufWriter::new(file), variants, STOCK));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    let (path, data) = (path.display().to_string(), home.data().display().to_string());
    home.run(&["import", &path, "--currency", "EUR", "--data", &data])?;
    Ok(())
}

/// The same through the API of a shop that runs, until inventory has them all.
pub async fn upload(home: &Home, shop: &Shop, variants: u32) -> Outcome<()> {
    let mut file = Vec::new();
    let written = goods::write_csv(&mut file, variants, STOCK);
    written.map_err(|error| format!("goods: {error}"))?;
    let mut admin = Admin::of(home, shop).await?;
    let mut connection = shop.connect();
    let (path, size) = ("/v1/admin/products/import?currency=EUR", file.len() as u64);
    let reply = connection.upload(path, admin.token(), size, file.as_slice()).await;
    reply.map_err(|error| format!("upload: {error}"))?.expect(200)?;
    let began = clock::now();
    while began.elapsed() < ARRIVE {
        let levels = levels(&mut admin).await?;
        let full = levels.iter().filter(|level| level.on_hand == i64::from(STOCK)).count();
        if full as u64 == u64::from(variants) {
            return Ok(());
        }
        clock::sleep(POLL).await;
    }
    Err(format!("inventory does not have {variants} variants after {ARRIVE:?}"))
}

/// Everything that the file of [`stock`] brought, in its order.
pub async fn items(admin: &mut Admin, variants: u32) -> Outcome<Vec<Item>> {
    let mut ids = HashMap::new();
    for level in levels(admin).await? {
        if let Some(sku) = level.sku {
            ids.insert(sku, level.variant);
        }
    }
    let all = goods::products(variants).flat_map(|product| product.variants);
    let item = |variant: goods::Variant| {
        let id = ids.get(&variant.sku).ok_or_else(|| format!("no stock of {}", variant.sku))?;
        Ok(Item { variant: id.clone(), price_minor: variant.price_minor })
    };
    all.map(item).collect()
}

/// One flat price for shipping and one tax, contained in prices: a total is the sum of the lines
/// and the shipping, so that the load can compute what it has to pay.
pub async fn set_prices(admin: &mut Admin) -> Outcome<()> {
    #[derive(Deserialize)]
    struct Method {
        id: String,
        zone_id: String,
    }
    #[derive(Deserialize)]
    struct Methods {
        items: Vec<Method>,
    }
    let path = "/v1/admin/shipping-methods";
    let methods: Methods = admin.ask("GET", path, "", 200).await?.parse()?;
    for method in methods.items {
        let price = serde_json::json!({
            "currency": "EUR", "flat": { "amount": SHIPPING_MINOR, "currency": "EUR" }
        });
        let body = serde_json::json!({
            "zone_id": method.zone_id, "name": { "en": "Parcel" }, "prices": [price],
        });
        admin.ask("PUT", &format!("{path}/{}", method.id), &body.to_string(), 200).await?;
    }
    let rate = serde_json::json!({
        "name": "VAT 19 %", "country": ZONE_COUNTRY, "tax_class": "standard", "rate_percent": "19",
    });
    admin.ask("POST", "/v1/admin/tax-rates", &rate.to_string(), 201).await?;
    Ok(())
}

/// A variant at a location.
pub struct Level {
    pub variant: String,
    pub sku: Option<String>,
    pub on_hand: i64,
    pub reserved: i64,
}

pub async fn levels(admin: &mut Admin) -> Outcome<Vec<Level>> {
    #[derive(Deserialize)]
    struct Row<'a> {
        variant_id: &'a str,
        sku: Option<&'a str>,
        on_hand: i64,
        reserved: i64,
    }
    let mut all = Vec::new();
    let mut next = Some(String::new());
    while let Some(cursor) = next {
        let path = paged("/v1/admin/inventory/levels", &cursor);
        let reply = admin.ask("GET", &path, "", 200).await?;
        let page = page::<Row<'_>>(&reply)?;
        all.extend(page.items.into_iter().map(|row| Level {
            variant: row.variant_id.to_owned(),
            sku: row.sku.map(str::to_owned),
            on_hand: row.on_hand,
            reserved: row.reserved,
        }));
        next = page.next_cursor.map(str::to_owned);
    }
    Ok(all)
}

#[derive(Deserialize)]
pub struct Page<'a, T> {
    pub items: Vec<T>,
    #[serde(default, borrow)]
    pub next_cursor: Option<&'a str>,
}

pub fn page<'a, T: Deserialize<'a>>(reply: &Reply<'a>) -> Outcome<Page<'a, T>> {
    reply.parse()
}

/// The address of a page; the first one has no cursor. Cursors hold only URL-safe characters.
pub fn paged(path: &str, cursor: &str) -> String {
    let and = if path.contains('?') { '&' } else { '?' };
    if cursor.is_empty() {
        format!("{path}{and}limit=100")
    } else {
        format!("{path}{and}limit=100&cursor={cursor}")
    }
}

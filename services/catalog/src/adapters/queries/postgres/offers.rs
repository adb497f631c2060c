//! Every variant with the facts that a quote needs, on PostgreSQL.

use std::collections::HashMap;

use kernel::id::Uuid;
use platform::store::postgres::sqlx::{self, PgConnection, Row as _};

use super::products::Subject;
use crate::domain::offer::Offer;

/// What changes of the offers of some products.
#[derive(Default)]
struct Offers {
    /// By variant; one that two products claim belongs to the last.
    written: HashMap<Uuid, (Uuid, String)>,
    gone: Vec<Uuid>,
}

/// Writes what changed of the offers; what inventory said of the variants stays.
pub(super) async fn write(tx: &mut PgConnection, subjects: &[Subject<'_>]) -> sqlx::Result<()> {
    let deleted: Vec<Uuid> =
        subjects.iter().filter(|s| s.product.is_none()).map(|s| s.id).collect();
    if !deleted.is_empty() {
        sqlx::query("DELETE FROM variant_listing WHERE product_id = ANY ($1)")
            .bind(deleted)
            .execute(&mut *tx)
            .await?;
    }
    let known = known(tx, subjects).await?;
    let Offers { written, gone } = compare(subjects, known)?;
    if !gone.is_empty() {
        sqlx::query("DELETE FROM variant_listing WHERE variant_id = ANY ($1)")
            .bind(gone)
            .execute(&mut *tx)
            .await?;
    }
    if written.is_empty() {
        return Ok(());
    }
    let mut written: Vec<(Uuid, (Uuid, String))> = written.into_iter().collect();
    written.sort_unstable_by_key(|(variant, _)| *variant);
    sqlx::query(
        "INSERT INTO variant_listing (variant_id, product_id, offer) \
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[]) \
         ON CONFLICT (variant_id) DO UPDATE \
         SET product_id = excluded.product_id, offer = excluded.offer",
    )
    .bind(written.iter().map(|(variant, _)| *variant).collect::<Vec<_>>())
    .bind(written.iter().map(|(_, (product, _))| *product).collect::<Vec<_>>())
    .bind(written.iter().map(|(_, (_, offer))| offer.as_str()).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

/// By product, then by variant.
type Known = HashMap<Uuid, HashMap<Uuid, String>>;

async fn known(tx: &mut PgConnection, subjects: &[Subject<'_>]) -> sqlx::Result<Known> {
    let mut known = Known::new();
    let old: Vec<Uuid> = subjects
        .iter()
        .filter(|subject| subject.product.is_some() && !subject.new)
        .map(|subject| subject.id)
        .collect();
    if old.is_empty() {
        return Ok(known);
    }
    let sql = "SELECT product_id, variant_id, offer FROM variant_listing \
               WHERE product_id = ANY ($1)";
    for row in sqlx::query(sql).bind(old).fetch_all(tx).await? {
        known.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?, row.try_get(2)?);
    }
    Ok(known)
}

fn compare(subjects: &[Subject<'_>], mut known: Known) -> sqlx::Result<Offers> {
    let mut offers = Offers::default();
    let mut text = String::new();
    for subject in subjects {
        let Some(product) = subject.product else { continue };
        let mut own = known.remove(&subject.id).unwrap_or_default();
        for variant in &product.variants {
            let id = variant.id.uuid();
            Offer::write(product, variant, &mut text)
                .map_err(|error| sqlx::Error::Encode(error.into()))?;
            if own.remove(&id).is_none_or(|known| known != text) {
                offers.written.insert(id, (subject.id, text.clone()));
            }
        }
        offers.gone.extend(own.into_keys());
    }
    Ok(offers)
}

//! What inventory said of variants, and what follows for their products.
//!
//! Whether a product is available depends on all of its variants, and several replicas may be told
//! of different ones at the same time. So whoever changes a variant's level or a product's variants
//! first takes the lock of the product, and looks at the others only then.

use kernel::id::Uuid;
use platform::store::postgres::sqlx::{self, PgConnection, Row as _};

use crate::domain::Availability;

/// The levels that a batch tells.
#[derive(Default)]
pub(super) struct Levels {
    variants: Vec<Uuid>,
    sellable: Vec<i64>,
}

impl Levels {
    pub fn add(&mut self, variant: Uuid, availability: &Availability) {
        self.variants.push(variant);
        self.sellable.push(i64::from(availability.sellable()));
    }

    /// The products of variants whose level differs from what is shown: most levels change nothing.
    pub async fn products(&self, tx: &mut PgConnection) -> sqlx::Result<Vec<Uuid>> {
        if self.variants.is_empty() {
            return Ok(Vec::new());
        }
        let found = sqlx::query(
            "SELECT DISTINCT v.product_id FROM unnest($1::uuid[], $2::bigint[]) AS w (id, sellable) \
             JOIN variant_listing v ON v.variant_id = w.id WHERE v.sellable <> w.sellable",
        );
        let found = found.bind(&self.variants).bind(&self.sellable).fetch_all(tx).await?;
        found.iter().map(|row| row.try_get(0)).collect()
    }

    /// To be called under the locks of `products`.
    pub async fn write(self, tx: &mut PgConnection, products: Vec<Uuid>) -> sqlx::Result<()> {
        if products.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE variant_listing AS v SET sellable = w.sellable \
             FROM unnest($1::uuid[], $2::bigint[]) AS w (id, sellable) \
             WHERE v.variant_id = w.id AND v.sellable <> w.sellable",
        )
        .bind(self.variants)
        .bind(self.sellable)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "UPDATE product_listing AS l SET available = a.available \
             FROM (SELECT p.id, (EXISTS (SELECT 1 FROM variant_listing v \
             WHERE v.product_id = p.id AND v.sellable = 1))::integer AS available \
             FROM unnest($1::uuid[]) AS p (id)) AS a \
             WHERE l.product_id = a.id AND l.available <> a.available",
        )
        .bind(products)
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// Takes the locks of products until the batch ends, in an order that is everybody's. They are
/// locks of the schema: what has the same ids elsewhere is not waited for.
pub(super) async fn lock(
    tx: &mut PgConnection,
    products: impl Iterator<Item = Uuid>,
) -> sqlx::Result<()> {
    let mut keys: Vec<i64> = products.map(|id| id.as_u128() as i64).collect();
    keys.sort_unstable();
    keys.dedup();
    take(tx, keys).await
}

pub(super) async fn take(tx: &mut PgConnection, keys: Vec<i64>) -> sqlx::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended(coalesce(current_schema()::text, ''), w.key)) \
         FROM unnest($1::bigint[]) AS w (key)",
    )
    .bind(keys)
    .execute(tx)
    .await?;
    Ok(())
}

//! Labels and prices of listed products, on PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Currency;
use platform::store::postgres::sqlx::{self, PgConnection};

use super::super::row::{label, labels_of};

/// Columns of "product_label".
#[derive(Default)]
struct Columns {
    kinds: Vec<String>,
    labels: Vec<String>,
    rows: Vec<i64>,
}

impl Columns {
    fn push(&mut self, kind: char, label: &str, row: i64) {
        self.kinds.push(kind.to_string());
        self.labels.push(label.to_owned());
        self.rows.push(row);
    }
}

/// The labels that rows lose and get.
#[derive(Default)]
pub(super) struct Labels {
    gone: Columns,
    new: Columns,
}

impl Labels {
    /// Notes what only the old text has, and what only the new one has.
    pub fn change(&mut self, row: i64, old: &str, new: &str) {
        if old == new {
            return;
        }
        let set = |text| -> BTreeSet<(char, String)> {
            labels_of(text).map(|(kind, name)| (kind, label(name))).collect()
        };
        let (old, new) = (set(old), set(new));
        for (kind, label) in old.difference(&new) {
            self.gone.push(*kind, label, row);
        }
        for (kind, label) in new.difference(&old) {
            self.new.push(*kind, label, row);
        }
    }

    pub async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        let delete = "DELETE FROM product_label AS l \
                      USING unnest($1::text[], $2::text[], $3::bigint[]) AS w (kind, label, row) \
                      WHERE l.kind = w.kind AND l.label = w.label AND l.row = w.row";
        let insert = "INSERT INTO product_label (kind, label, row) \
                      SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) \
                      ON CONFLICT DO NOTHING";
        for (sql, columns) in [(delete, self.gone), (insert, self.new)] {
            if columns.rows.is_empty() {
                continue;
            }
            let statement = sqlx::query(sql).bind(columns.kinds).bind(columns.labels);
            statement.bind(columns.rows).execute(&mut *tx).await?;
        }
        Ok(())
    }
}

/// Lowest and highest price by currency.
pub(super) type Ranges = BTreeMap<Currency, (i64, i64)>;

/// The prices that rows get in place of those they have.
#[derive(Default)]
pub(super) struct Prices {
    cleared: Vec<i64>,
    rows: Vec<i64>,
    currencies: Vec<String>,
    least: Vec<i64>,
    most: Vec<i64>,
}

impl Prices {
    pub fn clear(&mut self, row: i64) {
        self.cleared.push(row);
    }

    pub fn add(&mut self, row: i64, prices: &Ranges) {
        for (currency, (min, max)) in prices {
            self.rows.push(row);
            self.currencies.push(currency.code().to_owned());
            self.least.push(*min);
            self.most.push(*max);
        }
    }

    pub async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !self.cleared.is_empty() {
            let delete = sqlx::query("DELETE FROM product_price WHERE row = ANY ($1)");
            delete.bind(self.cleared).execute(&mut *tx).await?;
        }
        if !self.rows.is_empty() {
            sqlx::query(
                "INSERT INTO product_price (row, currency, min_minor, max_minor) \
                 SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[])",
            )
            .bind(self.rows)
            .bind(self.currencies)
            .bind(self.least)
            .bind(self.most)
            .execute(tx)
            .await?;
        }
        Ok(())
    }
}

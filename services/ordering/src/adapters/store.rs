//! Tables and columns of the aggregates; the SQL stands in `migrations`.

use platform::store::{Aggregate, Column, Migration, Schema, Value};

use crate::domain::payment::PaymentStatus;
use crate::domain::pricing::Tariff;
use crate::domain::{Cart, Checkout, Counter, CustomerId, Erasure, Order};

pub const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "init",
        sqlite: include_str!("../../migrations/sqlite/0001_init.sql"),
        postgres: Some(include_str!("../../migrations/postgres/0001_init.sql")),
    },
    Migration {
        number: 2,
        name: "erasure",
        sqlite: include_str!("../../migrations/sqlite/0002_erasure.sql"),
        postgres: Some(include_str!("../../migrations/postgres/0002_erasure.sql")),
    },
];

/// What the store must know of this service.
pub fn schema() -> Schema {
    Schema::new(crate::NAME, MIGRATIONS)
        .aggregate::<Cart>()
        .aggregate::<Order>()
        .aggregate::<Checkout>()
        .aggregate::<Counter>()
        .aggregate::<Tariff>()
        .aggregate::<Erasure>()
}

impl Aggregate for Cart {
    const TABLE: &'static str = "cart";
    const COLUMNS: &'static [Column] = &[Column::unique("open_owner"), Column::plain("expires_at")];
    fn columns(&self) -> Vec<Value> {
        vec![self.open_owner().map(CustomerId::uuid).into(), self.expires_at.into()]
    }
}

impl Aggregate for Order {
    /// `order` is a word of SQL.
    const TABLE: &'static str = "orders";
    const COLUMNS: &'static [Column] = &[
        Column::plain("status"),
        Column::plain("payment_status"),
        Column::unique("number"),
        Column::plain("customer_id"),
        Column::plain("cart_id"),
        Column::plain("placed_at"),
        Column::plain("total_minor"),
        Column::plain("currency"),
    ];
    fn columns(&self) -> Vec<Value> {
        vec![
            self.stage.name().into(),
            self.payment_status().map(PaymentStatus::name).into(),
            self.number().and_then(|number| i64::try_from(number).ok()).into(),
            self.customer_id.map(CustomerId::uuid).into(),
            self.cart_id.uuid().into(),
            self.placed_at.into(),
            self.sums.total_minor.into(),
            self.currency.code().into(),
        ]
    }
}

impl Aggregate for Checkout {
    const TABLE: &'static str = "checkout";
    const COLUMNS: &'static [Column] = &[Column::plain("status"), Column::plain("deadline_at")];
    fn columns(&self) -> Vec<Value> {
        let open = !self.is_done();
        let status = if open { "open" } else { "done" };
        vec![status.into(), open.then_some(self.deadline_at).into()]
    }
}

impl Aggregate for Counter {
    const TABLE: &'static str = "counter";
    const COLUMNS: &'static [Column] = &[];
    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }
}

impl Aggregate for Tariff {
    const TABLE: &'static str = "tariff";
    const COLUMNS: &'static [Column] = &[];
    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }
}

impl Aggregate for Erasure {
    const TABLE: &'static str = "erasure";
    const COLUMNS: &'static [Column] = &[Column::plain("pending_since")];
    fn columns(&self) -> Vec<Value> {
        vec![self.running().map(|_| self.since).into()]
    }
}

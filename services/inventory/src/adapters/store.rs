//! Tables and columns of the aggregates; the SQL stands in `migrations`.

use platform::store::{Aggregate, Column, Migration, Schema, Value};

use crate::domain::{Enrolment, Location, Movement, Reservation, Stock};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "init",
    sqlite: include_str!("../../migrations/sqlite/0001_init.sql"),
    postgres: Some(include_str!("../../migrations/postgres/0001_init.sql")),
}];

/// What the store must know of this service.
pub fn schema() -> Schema {
    Schema::new(crate::NAME, MIGRATIONS)
        .aggregate::<Location>()
        .aggregate::<Stock>()
        .aggregate::<Reservation>()
        .aggregate::<Movement>()
        .aggregate::<Enrolment>()
}

impl Aggregate for Location {
    const TABLE: &'static str = "location";
    const COLUMNS: &'static [Column] = &[
        Column::plain("name"),
        Column::plain("country"),
        Column::plain("active"),
        Column::plain("priority"),
    ];
    fn columns(&self) -> Vec<Value> {
        vec![
            self.name.as_str().into(),
            self.country.as_ref().map(|country| country.code().to_owned()).into(),
            self.active.into(),
            self.priority.into(),
        ]
    }
}

impl Aggregate for Stock {
    const TABLE: &'static str = "stock";
    const COLUMNS: &'static [Column] = &[
        Column::plain("variant_id"),
        Column::plain("location_id"),
        Column::plain("sku"),
        Column::plain("on_hand"),
        Column::plain("reserved"),
        Column::plain("oversold"),
        Column::plain("tracked"),
        Column::plain("backorder"),
        Column::plain("low_available"),
    ];
    fn columns(&self) -> Vec<Value> {
        vec![
            self.variant().uuid().into(),
            self.location().uuid().into(),
            self.sku.as_ref().map(|sku| sku.as_str().to_owned()).into(),
            self.on_hand().into(),
            self.reserved().into(),
            self.oversold().into(),
            self.policy().tracked.into(),
            self.policy().backorder.into(),
            self.is_low().then(|| self.available()).into(),
        ]
    }
}

impl Aggregate for Reservation {
    const TABLE: &'static str = "reservation";
    const COLUMNS: &'static [Column] =
        &[Column::plain("status"), Column::plain("expires_at"), Column::plain("created_at")];
    fn columns(&self) -> Vec<Value> {
        vec![self.stage.as_str().into(), self.expires_at().into(), self.created_at.into()]
    }
}

impl Aggregate for Enrolment {
    const TABLE: &'static str = "enrolment";
    const COLUMNS: &'static [Column] = &[Column::plain("due_at")];
    fn columns(&self) -> Vec<Value> {
        vec![self.due_at.into()]
    }
}

impl Aggregate for Movement {
    const TABLE: &'static str = "movement";
    const COLUMNS: &'static [Column] = &[
        Column::plain("variant_id"),
        Column::plain("location_id"),
        Column::plain("kind"),
        Column::plain("delta"),
        Column::plain("at"),
    ];
    fn columns(&self) -> Vec<Value> {
        vec![
            self.variant.uuid().into(),
            self.location.uuid().into(),
            self.kind.as_str().into(),
            self.delta.into(),
            self.at.into(),
        ]
    }
}

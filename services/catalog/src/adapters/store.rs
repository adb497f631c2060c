//! The tables of the aggregates.

use platform::store::{Aggregate, Column, Value};

use crate::domain::{Availability, Category, CategoryId, Product};

impl Aggregate for Product {
    const TABLE: &'static str = "product";
    const COLUMNS: &'static [Column] = &[Column::unique("handle"), Column::plain("status")];

    fn columns(&self) -> Vec<Value> {
        vec![self.handle.as_str().into(), self.status.code().into()]
    }
}

impl Aggregate for Category {
    const TABLE: &'static str = "category";
    const COLUMNS: &'static [Column] = &[Column::unique("handle"), Column::plain("parent")];

    fn columns(&self) -> Vec<Value> {
        vec![self.handle.as_str().into(), self.parent.map(CategoryId::uuid).into()]
    }
}

impl Aggregate for Availability {
    const TABLE: &'static str = "availability";
    const COLUMNS: &'static [Column] = &[];

    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }
}

//! The aggregates' tables and columns.

use platform::store::{Aggregate, Column, Value};

use crate::domain::{LedgerEntry, Notification, Payment};

impl Aggregate for Payment {
    const TABLE: &'static str = "payment";
    const COLUMNS: &'static [Column] = &[
        Column::unique("order_id"),
        Column::plain("status"),
        Column::unique("provider_reference"),
        Column::plain("next_check_at"),
        Column::plain("created_at"),
        Column::plain("attention_since"),
    ];

    fn columns(&self) -> Vec<Value> {
        vec![
            self.order_id.uuid().into(),
            self.status().as_str().into(),
            self.provider_reference().into(),
            self.next_check_at().into(),
            self.created_at.into(),
            self.attention_since().into(),
        ]
    }
}

impl Aggregate for LedgerEntry {
    const TABLE: &'static str = "ledger_entry";
    const COLUMNS: &'static [Column] = &[Column::plain("payment_id"), Column::plain("recorded_at")];

    fn columns(&self) -> Vec<Value> {
        vec![self.payment_id.uuid().into(), self.recorded_at.into()]
    }
}

impl Aggregate for Notification {
    const TABLE: &'static str = "notification";
    const COLUMNS: &'static [Column] = &[Column::plain("provider"), Column::plain("received_at")];

    fn columns(&self) -> Vec<Value> {
        vec![self.provider.as_str().into(), self.received_at.into()]
    }
}

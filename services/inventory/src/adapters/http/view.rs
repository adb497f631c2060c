//! What more than one resource shows: stock and its ledger.

use kernel::{Sku, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::application::Booked;
use crate::domain::{self, LocationId, Movement, MovementId, Stock, VariantId};

/// One variant at one location.
#[derive(Serialize, ToSchema)]
pub struct LevelView {
    pub variant_id: VariantId,
    pub location_id: LocationId,
    pub sku: Option<Sku>,
    /// Units that lie there; below zero when more were sold.
    pub on_hand: i64,
    /// Units that open orders hold.
    #[schema(minimum = 0)]
    pub reserved: i64,
    /// `on_hand` without `reserved`.
    pub available: i64,
    /// Units that a confirmed order took though they were not there.
    #[schema(minimum = 0)]
    pub oversold: i64,
    /// False: not counted, can always be sold.
    pub tracked: bool,
    /// True: may be sold below zero.
    pub backorder: bool,
    #[schema(minimum = 0)]
    pub low_stock_threshold: i64,
    /// Counted, and `available` is at or below the threshold.
    pub low_stock: bool,
}

impl LevelView {
    pub fn of(stock: &Stock) -> Self {
        let policy = stock.policy();
        Self {
            variant_id: stock.variant(),
            location_id: stock.location(),
            sku: stock.sku.clone(),
            on_hand: stock.on_hand(),
            reserved: stock.reserved(),
            available: stock.available(),
            oversold: stock.oversold(),
            tracked: policy.tracked,
            backorder: policy.backorder,
            low_stock_threshold: policy.low_stock_threshold,
            low_stock: stock.is_low(),
        }
    }
}

/// Why units on hand changed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    Receipt,
    Adjustment,
    Transfer,
    Sale,
    Oversold,
    Return,
    Import,
}

/// Why a person corrected the books.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentReason {
    Count,
    Damage,
    Loss,
    Found,
    Correction,
}

/// A row of the ledger.
#[derive(Serialize, ToSchema)]
pub struct MovementView {
    pub id: MovementId,
    pub variant_id: VariantId,
    pub location_id: LocationId,
    pub sku: Option<Sku>,
    pub kind: MovementKind,
    /// Of an adjustment.
    pub reason: Option<AdjustmentReason>,
    pub delta: i64,
    /// Units on hand after it.
    pub on_hand: i64,
    /// The order or delivery that it belongs to.
    pub reference: Option<String>,
    pub note: Option<String>,
    /// Who did it: a kind of account and its id, or a service.
    pub by: Option<String>,
    pub at: Timestamp,
}

impl MovementView {
    pub fn of(id: MovementId, movement: &Movement) -> Self {
        Self {
            id,
            variant_id: movement.variant,
            location_id: movement.location,
            sku: movement.sku.clone(),
            kind: movement.kind.into(),
            reason: movement.reason.map(Into::into),
            delta: movement.delta,
            on_hand: movement.on_hand,
            reference: movement.reference.clone(),
            note: movement.note.clone(),
            by: movement.by.clone(),
            at: movement.at,
        }
    }
}

/// What a booking did.
#[derive(Serialize, ToSchema)]
pub struct BookedView {
    pub movements: Vec<MovementView>,
    /// The stock that changed, as it is now.
    pub levels: Vec<LevelView>,
}

impl BookedView {
    pub fn of(booked: &Booked) -> Self {
        let movements = booked.movements.iter();
        Self {
            movements: movements.map(|(id, movement)| MovementView::of(*id, movement)).collect(),
            levels: booked.rows.iter().map(LevelView::of).collect(),
        }
    }
}

impl From<domain::MovementKind> for MovementKind {
    fn from(kind: domain::MovementKind) -> Self {
        match kind {
            domain::MovementKind::Receipt => Self::Receipt,
            domain::MovementKind::Adjustment => Self::Adjustment,
            domain::MovementKind::Transfer => Self::Transfer,
            domain::MovementKind::Sale => Self::Sale,
            domain::MovementKind::Oversold => Self::Oversold,
            domain::MovementKind::Return => Self::Return,
            domain::MovementKind::Import => Self::Import,
        }
    }
}

impl From<domain::Reason> for AdjustmentReason {
    fn from(reason: domain::Reason) -> Self {
        match reason {
            domain::Reason::Count => Self::Count,
            domain::Reason::Damage => Self::Damage,
            domain::Reason::Loss => Self::Loss,
            domain::Reason::Found => Self::Found,
            domain::Reason::Correction => Self::Correction,
        }
    }
}

impl From<AdjustmentReason> for domain::Reason {
    fn from(reason: AdjustmentReason) -> Self {
        match reason {
            AdjustmentReason::Count => Self::Count,
            AdjustmentReason::Damage => Self::Damage,
            AdjustmentReason::Loss => Self::Loss,
            AdjustmentReason::Found => Self::Found,
            AdjustmentReason::Correction => Self::Correction,
        }
    }
}

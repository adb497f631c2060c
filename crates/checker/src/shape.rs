//! What the stored JSON looks like, as far as it is looked at. Written down here anew: see the
//! crate's documentation.

use kernel::Timestamp;
use kernel::id::{Uuid, decode};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An id of any kind, such as `ord_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(pub Uuid);

const PREFIXES: [&str; 9] = ["ord", "cart", "var", "loc", "pay", "cap", "ref", "acc", "ses"];

impl Id {
    pub fn parse(text: &str) -> Option<Self> {
        PREFIXES.iter().find_map(|prefix| decode(prefix, text).ok()).map(Self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not an id"))
    }
}

#[derive(Debug, Deserialize)]
pub struct Order {
    pub cart_id: Id,
    pub currency: String,
    pub lines: Vec<OrderLine>,
    pub sums: Sums,
    pub stage: OrderStage,
    pub timeline: Vec<At>,
}

#[derive(Debug, Deserialize)]
pub struct OrderLine {
    pub variant_id: Id,
    pub quantity: u64,
    pub price_minor: i64,
    pub amount_minor: i64,
    pub tax_minor: i64,
}

#[derive(Debug, Deserialize)]
pub struct Sums {
    pub subtotal_minor: i64,
    pub discount_minor: i64,
    pub shipping_minor: i64,
    pub tax_minor: i64,
    pub tax_included: bool,
    pub total_minor: i64,
    pub taxes: Vec<TaxSum>,
}

#[derive(Debug, Deserialize)]
pub struct TaxSum {
    pub tax_minor: i64,
}

#[derive(Debug, Deserialize)]
pub struct OrderStage {
    pub status: String,
    #[serde(default)]
    pub payment: Option<OrderPayment>,
}

#[derive(Debug, Deserialize)]
pub struct OrderPayment {
    #[serde(default)]
    pub captured_minor: i64,
    #[serde(default)]
    pub refunded_minor: i64,
}

/// Something that happened at a time.
#[derive(Debug, Deserialize)]
pub struct At {
    pub at: Timestamp,
}

#[derive(Debug, Deserialize)]
pub struct Checkout {
    pub amount: Money,
    /// A word, or an object with one.
    pub step: Value,
}

impl Checkout {
    pub fn step(&self) -> &str {
        word(&self.step)
    }
}

/// The name of a variant of an enum, with fields or without.
pub fn word(value: &Value) -> &str {
    match value {
        Value::String(word) => word,
        Value::Object(object) => object.keys().next().map_or("?", String::as_str),
        _ => "?",
    }
}

#[derive(Debug, Deserialize)]
pub struct Cart {
    pub status: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Money {
    pub amount: i64,
    pub currency: String,
}

#[derive(Debug, Deserialize)]
pub struct Reservation {
    pub lines: Vec<ReservationLine>,
    pub stage: ReservationStage,
    pub created_at: Timestamp,
}

#[derive(Debug, Deserialize)]
pub struct ReservationStage {
    pub status: String,
    #[serde(default)]
    pub at: Option<Timestamp>,
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
pub struct ReservationLine {
    pub variant: Id,
    pub units: u64,
    pub splits: Vec<Split>,
}

#[derive(Debug, Deserialize)]
pub struct Split {
    pub location: Id,
    pub units: i64,
}

#[derive(Debug, Deserialize)]
pub struct Movement {
    #[serde(default)]
    pub reference: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Payment {
    pub order_id: Id,
    pub stage: PaymentStage,
    #[serde(default)]
    pub timeline: Vec<At>,
    pub created_at: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStage {
    Pending(Pending),
    Authorized(Charge),
    Declined(Pending),
    Voided {
        #[serde(default)]
        amount: Option<Money>,
        #[serde(default)]
        charge: Option<Charge>,
    },
}

#[derive(Debug, Deserialize)]
pub struct Pending {
    pub amount: Money,
}

#[derive(Debug, Deserialize)]
pub struct Charge {
    pub authorized: Money,
    #[serde(default)]
    pub reference: Option<String>,
    #[serde(default)]
    pub captures: Vec<Operation>,
    #[serde(default)]
    pub refunds: Vec<Operation>,
    #[serde(default)]
    pub void: Option<Operation>,
}

#[derive(Debug, Deserialize)]
pub struct Operation {
    pub id: String,
    pub amount: Money,
    pub progress: Value,
}

impl Operation {
    pub fn is_done(&self) -> bool {
        word(&self.progress) == "done"
    }

    pub fn is_failed(&self) -> bool {
        word(&self.progress) == "failed"
    }
}

#[derive(Debug, Deserialize)]
pub struct LedgerEntry {
    pub cause: Cause,
    pub postings: Vec<Posting>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Capture(String),
    Refund(String),
}

#[derive(Debug, Deserialize)]
pub struct Posting {
    pub account: String,
    pub amount: Money,
}

#[derive(Debug, Deserialize)]
pub struct Account {
    pub standing: String,
    #[serde(default)]
    pub sessions: Vec<Id>,
}

#[derive(Debug, Deserialize)]
pub struct Session {
    pub life: String,
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// An order as a client is told of it.
#[derive(Debug, Deserialize)]
pub struct Told {
    pub id: Id,
    #[serde(default)]
    pub status: String,
    pub totals: ToldTotals,
    pub lines: Vec<ToldLine>,
}

#[derive(Debug, Deserialize)]
pub struct ToldTotals {
    pub total: Money,
}

#[derive(Debug, Deserialize)]
pub struct ToldLine {
    pub variant_id: Id,
    pub quantity: u64,
}

impl Told {
    pub fn goods(&self) -> Vec<u8> {
        crate::goods::hash(self.lines.iter().map(|line| (line.variant_id.0, line.quantity)))
    }
}

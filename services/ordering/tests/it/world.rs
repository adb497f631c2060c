//! Catalog, inventory and payment as far as ordering sees them. Each keeps its contract: idempotent
//! by order, and what was undone cannot be done again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use contracts::catalog::{CatalogApi, v1 as catalog};
use contracts::inventory::{InventoryApi, v1 as inventory};
use contracts::payment::{PaymentApi, v1 as payment};
use kernel::ErrorKind;
use kernel::id::Uuid;
use platform::Context;
use platform::rpc::CallError;
use tokio::sync::Semaphore;

pub fn variant(n: u128) -> Uuid {
    Uuid::from_u128(0x0190_6f3a_7c11_7000_8000_0000_0000_0000 + n)
}

pub struct World {
    facts: Mutex<Facts>,
    /// Payments with `tok_wait` take a permit before they answer.
    pub gate: Semaphore,
}

#[derive(Default)]
pub struct Facts {
    /// Of variant n: n × 10.00, unless stated here.
    pub prices: HashMap<u128, i64>,
    pub stock: HashMap<Uuid, u32>,
    pub reserved: HashMap<Uuid, Vec<(Uuid, u32)>>,
    pub refused: HashMap<Uuid, Vec<inventory::Shortage>>,
    pub released: HashSet<Uuid>,
    pub authorized: HashMap<Uuid, i64>,
    pub declined: HashSet<Uuid>,
    pub voided: HashSet<Uuid>,
    /// Every charge that ever reached the provider.
    pub charges: Vec<Uuid>,
    /// How often each order was asked to be paid.
    pub asked: HashMap<Uuid, u32>,
    pub voids_are_refused: bool,
    pub inventory_is_down: bool,
    pub catalog_is_down: bool,
    /// In which trace goods and money were asked for.
    pub traces: Vec<Option<String>>,
}

impl World {
    pub fn new() -> Arc<Self> {
        let stock = (1..=9).map(|n| (variant(n), 1000)).collect();
        Arc::new(Self {
            facts: Mutex::new(Facts { stock, ..Facts::default() }),
            gate: Semaphore::new(0),
        })
    }

    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap()
    }

    pub fn stock(&self, n: u128) -> u32 {
        self.facts().stock[&variant(n)]
    }
}

fn down(what: &str) -> CallError {
    CallError::new(ErrorKind::Unavailable, "down", format!("{what} is down"))
}

#[async_trait]
impl CatalogApi for World {
    /// 1 to 3 are shipped, 4 is a draft, 5 is a download, 6 is a free download.
    async fn quote_variants(
        &self,
        _context: Context,
        request: catalog::QuoteVariantsRequest,
    ) -> Result<catalog::QuoteVariantsReply, CallError> {
        let facts = self.facts();
        if facts.catalog_is_down {
            return Err(down("catalog"));
        }
        let quote = |bytes: &Vec<u8>| {
            let n = (1..=6).find(|n| variant(*n).as_bytes().as_slice() == bytes)?;
            let usual = if n == 6 { 0 } else { 1000 * n as i64 };
            Some(catalog::VariantQuote {
                variant_id: bytes.clone(),
                product_id: Uuid::from_u128(n).as_bytes().to_vec(),
                sku: format!("SKU-{n}"),
                product_title: format!("Thing {n}"),
                purchasable: n != 4 && request.currency == "EUR",
                price_minor: facts.prices.get(&n).copied().unwrap_or(usual),
                weight_grams: 500,
                requires_shipping: n < 5,
                tax_class: "standard".to_owned(),
                ..catalog::VariantQuote::default()
            })
        };
        let variants = request.variant_ids.iter().filter_map(quote).collect();
        Ok(catalog::QuoteVariantsReply { variants })
    }
}

#[async_trait]
impl InventoryApi for World {
    async fn reserve(
        &self,
        context: Context,
        request: inventory::ReserveRequest,
    ) -> Result<inventory::ReserveReply, CallError> {
        use inventory::reserve_reply::Outcome;
        let order = Uuid::from_slice(&request.order_id).unwrap();
        let mut facts = self.facts();
        facts.traces.push(context.trace.map(|trace| trace.to_string()));
        if facts.inventory_is_down {
            return Err(down("inventory"));
        }
        let answer = |outcome: Outcome, shortages| {
            Ok(inventory::ReserveReply { outcome: outcome.into(), shortages })
        };
        if facts.released.contains(&order) {
            return answer(Outcome::Released, Vec::new());
        }
        if facts.reserved.contains_key(&order) {
            return answer(Outcome::Reserved, Vec::new());
        }
        if let Some(shortages) = facts.refused.get(&order) {
            return answer(Outcome::OutOfStock, shortages.clone());
        }
        let lines: Vec<(Uuid, u32)> = request
            .lines
            .iter()
            .map(|line| (Uuid::from_slice(&line.variant_id).unwrap(), line.quantity))
            .collect();
        let short = |(id, wanted): &(Uuid, u32)| {
            let available = facts.stock.get(id).copied().unwrap_or(0);
            (available < *wanted).then(|| inventory::Shortage {
                variant_id: id.as_bytes().to_vec(),
                requested: *wanted,
                available,
            })
        };
        let shortages: Vec<_> = lines.iter().filter_map(short).collect();
        if !shortages.is_empty() {
            facts.refused.insert(order, shortages.clone());
            return answer(Outcome::OutOfStock, shortages);
        }
        for (id, quantity) in &lines {
            *facts.stock.get_mut(id).unwrap() -= quantity;
        }
        facts.reserved.insert(order, lines);
        answer(Outcome::Reserved, Vec::new())
    }

    async fn release(
        &self,
        _context: Context,
        request: inventory::ReleaseRequest,
    ) -> Result<inventory::ReleaseReply, CallError> {
        let order = Uuid::from_slice(&request.order_id).unwrap();
        let mut facts = self.facts();
        facts.released.insert(order);
        for (id, quantity) in facts.reserved.remove(&order).unwrap_or_default() {
            *facts.stock.get_mut(&id).unwrap() += quantity;
        }
        Ok(inventory::ReleaseReply {})
    }

    async fn get_availability(
        &self,
        _context: Context,
        _request: inventory::GetAvailabilityRequest,
    ) -> Result<inventory::GetAvailabilityReply, CallError> {
        Err(down("what ordering does not ask for"))
    }

    async fn apply_counts(
        &self,
        _context: Context,
        _request: inventory::ApplyCountsRequest,
    ) -> Result<inventory::ApplyCountsReply, CallError> {
        Err(down("what ordering does not ask for"))
    }

    async fn get_counts(
        &self,
        _context: Context,
        _request: inventory::GetCountsRequest,
    ) -> Result<inventory::GetCountsReply, CallError> {
        Err(down("what ordering does not ask for"))
    }
}

#[async_trait]
impl PaymentApi for World {
    /// `tok_declined` is declined. `tok_lost` charges and loses the first answer. `tok_unknown` is
    /// not known twice, `tok_unknown_for_long` never. `tok_wait` waits at the gate. `tok_bad` is refused as no token.
    async fn authorize(
        &self,
        context: Context,
        request: payment::AuthorizeRequest,
    ) -> Result<payment::AuthorizeReply, CallError> {
        use payment::authorize_reply::Outcome;
        let order = Uuid::from_slice(&request.order_id).unwrap();
        let answer = |outcome: Outcome| {
            let decline_code = match outcome {
                Outcome::Declined => "card_declined".to_owned(),
                _ => String::new(),
            };
            let payment_id = order.as_bytes().to_vec();
            Ok(payment::AuthorizeReply { outcome: outcome.into(), payment_id, decline_code })
        };
        if request.payment_token == "tok_wait" {
            self.gate.acquire().await.unwrap().forget();
        }
        let mut facts = self.facts();
        facts.traces.push(context.trace.map(|trace| trace.to_string()));
        let asked = facts.asked.entry(order).or_default();
        *asked += 1;
        let asked = *asked;
        if facts.voided.contains(&order) {
            return answer(Outcome::Voided);
        }
        match request.payment_token.as_str() {
            "tok_bad" => {
                return Err(CallError::new(ErrorKind::Invalid, "unknown-token", "no such token"));
            }
            "tok_declined" => {
                facts.declined.insert(order);
                return answer(Outcome::Declined);
            }
            "tok_unknown_for_long" => return answer(Outcome::Unknown),
            "tok_unknown" if asked < 3 => return answer(Outcome::Unknown),
            _ => {}
        }
        assert!(facts.reserved.contains_key(&order), "money was taken before the goods");
        if !facts.authorized.contains_key(&order) {
            facts.charges.push(order);
            facts.authorized.insert(order, request.amount_minor);
        }
        if request.payment_token == "tok_lost" && asked == 1 {
            return Err(down("the way back"));
        }
        answer(Outcome::Authorized)
    }

    async fn void(
        &self,
        _context: Context,
        request: payment::VoidRequest,
    ) -> Result<payment::VoidReply, CallError> {
        let order = Uuid::from_slice(&request.order_id).unwrap();
        let mut facts = self.facts();
        facts.voided.insert(order);
        if facts.voids_are_refused {
            return Ok(payment::VoidReply { done: false, refused: true });
        }
        facts.authorized.remove(&order);
        Ok(payment::VoidReply { done: true, refused: false })
    }

    async fn get_payment(
        &self,
        _context: Context,
        _request: payment::GetPaymentRequest,
    ) -> Result<payment::GetPaymentReply, CallError> {
        Err(down("what ordering does not ask for"))
    }
}

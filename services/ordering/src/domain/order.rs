//! What was bought, for how much, and what became of it.

use kernel::{Address, Currency, Email, Locale, Money, Quantity, Timestamp};
use serde::{Deserialize, Serialize};

use super::cart::Cart;
use super::checkout::{RejectReason, Rejection, RequestKey};
use super::erasure::{Erased, Region};
use super::ids::{CartId, CustomerId, NoteId, PaymentId, ProductId, ShippingMethodId, VariantId};
use super::kept::KeptAnswers;
use super::payment::{Payment, PaymentStatus};
use super::pricing::{ShippingChoice, Tariff, TaxSum};
use super::quote::{PricedCart, Quotes, VariantQuote};
use super::refusal::Refusal;
use super::scope::{Access, SecretHash};

pub const MAX_NOTES: usize = 100;
/// Far more than a shop does to an order; what happens after it is done, but not listed.
const MAX_TIMELINE: usize = 500;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    pub product_title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_title: Option<String>,
    pub quantity: Quantity,
    pub price_minor: i64,
    /// Price × quantity.
    pub amount_minor: i64,
    pub tax_minor: i64,
    pub rate_ppm: u32,
    pub requires_shipping: bool,
}

/// The sums of an order; they never change once it is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    pub subtotal_minor: i64,
    pub discount_minor: i64,
    pub shipping_minor: i64,
    pub tax_minor: i64,
    pub tax_included: bool,
    pub total_minor: i64,
    pub taxes: Vec<TaxSum>,
}

/// The way of shipping, named as the buyer saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenShipping {
    pub method_id: ShippingMethodId,
    pub name: String,
}

/// Which languages the buyer reads, best first, and what the shop speaks otherwise.
#[derive(Clone, Debug)]
pub struct Languages {
    pub wanted: Vec<Locale>,
    pub fallback: Locale,
}

/// What is true of an order only in this stage of its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Stage {
    /// Its checkout runs. The money is known of only if some of it was taken already.
    Placed {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment: Option<Payment>,
    },
    Confirmed {
        number: u64,
        payment: Option<Payment>,
    },
    Rejected {
        rejection: Rejection,
        /// Only if some of it was taken before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment: Option<Payment>,
    },
    Cancelled {
        number: u64,
        payment: Option<Payment>,
        reason: String,
    },
}

impl Stage {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Placed { .. } => "placed",
            Self::Confirmed { .. } => "confirmed",
            Self::Rejected { .. } => "rejected",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    pub at: Timestamp,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Placed,
    Confirmed,
    Rejected(RejectReason),
    /// By whom, as a principal is named in records.
    Cancelled {
        by: String,
    },
    PaymentVoided,
    PaymentCaptured {
        amount_minor: i64,
    },
    PaymentRefunded {
        amount_minor: i64,
    },
}

/// A remark of staff for staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub id: NoteId,
    pub text: String,
    pub by: String,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub cart_id: CartId,
    /// The cart's: a guest reads the order with the secret of the cart.
    pub secret_hash: SecretHash,
    pub customer_id: Option<CustomerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    pub currency: Currency,
    pub lines: Vec<OrderLine>,
    pub sums: Sums,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<ChosenShipping>,
    pub placed_at: Timestamp,
    pub stage: Stage,
    pub timeline: Vec<Happening>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Set when its buyer's account was erased; e-mail and addresses are gone then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Erased>,
    /// Kept answers that show who the buyer is. A guest has no account that could be erased.
    #[serde(default, skip_serializing_if = "KeptAnswers::is_empty")]
    pub kept: KeptAnswers,
}

impl Order {
    /// Makes an order of a cart as it was priced. Refuses a cart that lacks something.
    pub fn place(
        cart_id: CartId,
        cart: &Cart,
        quotes: &Quotes,
        priced: &PricedCart,
        tariff: &Tariff,
        languages: &Languages,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        cart.open()?;
        if cart.lines.is_empty() {
            return Err(Refusal::CartEmpty);
        }
        if cart.email.is_none() && cart.owner.is_none() {
            return Err(Refusal::EmailMissing);
        }
        let shipping = settled(priced.totals.shipping, tariff, languages)?;
        let totals = &priced.totals;
        Ok(Self {
            cart_id,
            secret_hash: cart.secret_hash,
            customer_id: cart.owner,
            email: cart.email.clone(),
            shipping_address: cart.shipping_address.clone(),
            billing_address: cart.billing_address.clone(),
            currency: cart.currency,
            lines: lines(cart, quotes, priced)?,
            sums: Sums {
                subtotal_minor: totals.subtotal_minor,
                discount_minor: totals.discount_minor,
                shipping_minor: totals.shipping_minor,
                tax_minor: totals.tax_minor,
                tax_included: totals.tax_included,
                total_minor: totals.total_minor,
                taxes: totals.taxes.clone(),
            },
            shipping,
            placed_at: now,
            stage: Stage::Placed { payment: None },
            timeline: vec![Happening { at: now, what: What::Placed }],
            notes: Vec::new(),
            erased: None,
            kept: KeptAnswers::default(),
        })
    }

    pub const fn total(&self) -> Money {
        Money::new(self.sums.total_minor, self.currency)
    }

    pub fn visible(&self, access: &Access) -> Result<(), Refusal> {
        if access.reaches(self.customer_id, self.secret_hash) {
            Ok(())
        } else {
            Err(Refusal::OrderNotFound)
        }
    }

    pub const fn number(&self) -> Option<u64> {
        match &self.stage {
            Stage::Confirmed { number, .. } | Stage::Cancelled { number, .. } => Some(*number),
            Stage::Placed { .. } | Stage::Rejected { .. } => None,
        }
    }

    /// Does its checkout run?
    pub const fn is_placed(&self) -> bool {
        matches!(self.stage, Stage::Placed { .. })
    }

    pub const fn payment(&self) -> Option<&Payment> {
        match &self.stage {
            Stage::Placed { payment }
            | Stage::Rejected { payment, .. }
            | Stage::Confirmed { payment, .. }
            | Stage::Cancelled { payment, .. } => payment.as_ref(),
        }
    }

    pub fn payment_status(&self) -> Option<PaymentStatus> {
        self.payment().map(Payment::status)
    }

    pub fn confirm(
        &mut self,
        number: u64,
        payment: Option<PaymentId>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let known = self.placed("confirmed")?;
        let fresh = |id| Payment::authorized(id, self.sums.total_minor);
        let payment = known.or_else(|| payment.map(fresh));
        self.stage = Stage::Confirmed { number, payment };
        self.happened(now, What::Confirmed);
        Ok(())
    }

    pub fn reject(&mut self, rejection: Rejection, now: Timestamp) -> Result<(), Refusal> {
        let payment = self.placed("rejected")?;
        self.happened(now, What::Rejected(rejection.reason));
        self.stage = Stage::Rejected { rejection, payment };
        Ok(())
    }

    /// Cancels a confirmed order; stock and money go back by the event that follows.
    pub fn cancel(&mut self, reason: String, by: String, now: Timestamp) -> Result<(), Refusal> {
        let Stage::Confirmed { number, payment } = &self.stage else {
            return Err(Refusal::WrongStage { status: self.stage.name(), verb: "cancelled" });
        };
        self.stage = Stage::Cancelled { number: *number, payment: payment.clone(), reason };
        self.happened(now, What::Cancelled { by });
        Ok(())
    }

    /// The same for a buyer, who may do so until the shop has taken the money.
    pub fn cancel_by_buyer(&mut self, by: String, now: Timestamp) -> Result<(), Refusal> {
        let confirmed = matches!(self.stage, Stage::Confirmed { .. });
        let taken = self.payment().is_some_and(|payment| payment.captured_minor > 0);
        if confirmed && taken {
            return Err(Refusal::AlreadyCaptured);
        }
        self.cancel("cancelled by the buyer".to_owned(), by, now)
    }

    pub fn add_note(&mut self, note: Note) -> Result<(), Refusal> {
        if self.notes.len() >= MAX_NOTES {
            return Err(Refusal::TooManyNotes);
        }
        self.notes.push(note);
        Ok(())
    }

    /// Notes that the kept answer of this request will show the order. Answers of requests that come
    /// back are to be erased.
    #[must_use]
    pub fn keep(&mut self, request: RequestKey, now: Timestamp) -> Vec<RequestKey> {
        let personal = self.email.is_some()
            || self.shipping_address.is_some()
            || self.billing_address.is_some();
        if personal && self.customer_id.is_some() {
            self.kept.note(request, now)
        } else {
            Vec::new()
        }
    }

    /// Forgets who the buyer is; what was bought, for how much and where to stays. Answers with the
    /// requests whose kept answers are to be erased with it. The second time there is nothing to do.
    #[must_use]
    pub fn erase(&mut self, now: Timestamp) -> Vec<RequestKey> {
        if self.erased.is_none() {
            self.erased = Some(Erased {
                at: now,
                shipped_to: self.shipping_address.take().as_ref().map(Region::of),
                billed_to: self.billing_address.take().as_ref().map(Region::of),
            });
            self.email = None;
        }
        self.kept.take(now)
    }

    /// Payment says how much was captured by now. Staff may capture what is authorized whenever they
    /// like, so this may come before the order is confirmed, and is not forgotten when it is.
    pub fn captured(
        &mut self,
        id: PaymentId,
        amount_minor: i64,
        captured_minor: i64,
        at: Timestamp,
    ) {
        let total_minor = self.sums.total_minor;
        if let Stage::Placed { payment } | Stage::Rejected { payment, .. } = &mut self.stage {
            payment.get_or_insert_with(|| Payment::authorized(id, total_minor));
        }
        self.with_payment(at, What::PaymentCaptured { amount_minor }, |payment| {
            payment.captured_minor = payment.captured_minor.max(captured_minor);
        });
    }

    /// Payment says how much was refunded by now.
    pub fn refunded(&mut self, amount_minor: i64, refunded_minor: i64, at: Timestamp) {
        self.with_payment(at, What::PaymentRefunded { amount_minor }, |payment| {
            payment.refunded_minor = payment.refunded_minor.max(refunded_minor);
        });
    }

    pub fn voided(&mut self, at: Timestamp) {
        self.with_payment(at, What::PaymentVoided, |payment| payment.voided = true);
    }

    fn with_payment(&mut self, at: Timestamp, what: What, change: impl FnOnce(&mut Payment)) {
        let payment = match &mut self.stage {
            // Money that is only held by a checkout that is being undone is no matter of the order,
            // so most of these have no payment.
            Stage::Placed { payment }
            | Stage::Rejected { payment, .. }
            | Stage::Confirmed { payment, .. }
            | Stage::Cancelled { payment, .. } => payment,
        };
        if let Some(payment) = payment {
            change(payment);
            self.happened(at, what);
        }
    }

    /// The money that is known of, if the checkout runs.
    fn placed(&self, verb: &'static str) -> Result<Option<Payment>, Refusal> {
        match &self.stage {
            Stage::Placed { payment } => Ok(payment.clone()),
            _ => Err(Refusal::WrongStage { status: self.stage.name(), verb }),
        }
    }

    fn happened(&mut self, at: Timestamp, what: What) {
        if self.timeline.len() < MAX_TIMELINE {
            self.timeline.push(Happening { at, what });
        }
    }
}

fn settled(
    choice: ShippingChoice,
    tariff: &Tariff,
    languages: &Languages,
) -> Result<Option<ChosenShipping>, Refusal> {
    match choice {
        ShippingChoice::NotNeeded => Ok(None),
        ShippingChoice::AddressMissing => Err(Refusal::AddressMissing),
        ShippingChoice::NothingShips => Err(Refusal::NothingShips),
        ShippingChoice::Undecided => Err(Refusal::MethodMissing),
        ShippingChoice::Unavailable => Err(Refusal::MethodUnavailable),
        ShippingChoice::By(method_id) => {
            let kept = tariff.shipping_methods.get(&method_id).ok_or(Refusal::MethodUnavailable)?;
            let name = kept.value.name.choose(&languages.wanted, &languages.fallback).to_owned();
            Ok(Some(ChosenShipping { method_id, name }))
        }
    }
}

fn lines(cart: &Cart, quotes: &Quotes, priced: &PricedCart) -> Result<Vec<OrderLine>, Refusal> {
    let named = |(index, line): (usize, &super::cart::CartLine)| {
        (format!("lines[{index}].variant_id"), line.variant_id)
    };
    quotes.require(cart.lines.iter().enumerate().map(named))?;
    let both = cart.lines.iter().zip(&priced.totals.lines);
    let line = |(line, total): (&super::cart::CartLine, &super::pricing::LineTotal)| {
        let quote: &VariantQuote = quotes.purchasable(line.variant_id)?;
        Some(OrderLine {
            variant_id: line.variant_id,
            product_id: quote.product_id,
            sku: quote.sku.clone(),
            product_title: quote.product_title.clone(),
            variant_title: quote.variant_title.clone(),
            quantity: line.quantity,
            price_minor: quote.price_minor,
            amount_minor: total.amount_minor,
            tax_minor: total.tax_minor,
            rate_ppm: total.rate_ppm,
            requires_shipping: quote.requires_shipping,
        })
    };
    Ok(both.filter_map(line).collect())
}

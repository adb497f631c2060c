//! Why a cart, an order or the tariff refuses, as facts of the business.

use kernel::{Business, ErrorKind, FieldError, Money};

use super::ids::{OrderId, VariantId};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{}", summary(.0))]
    Fields(Vec<FieldError>),
    #[error("there is no such cart")]
    CartNotFound,
    #[error("the cart has been changed since it was read")]
    CartChanged,
    #[error("the cart has become the order {0}")]
    CartOrdered(OrderId),
    #[error("the cart was merged into another one")]
    CartMerged,
    #[error("the cart is empty")]
    CartEmpty,
    #[error("a cart has at most {max} lines", max = super::cart::MAX_LINES)]
    CartFull,
    #[error("the cart has no line of {0}")]
    LineNotFound(VariantId),
    #[error("a line has at most {max} units", max = kernel::Quantity::MAX)]
    TooManyUnits { field: String },
    #[error("this account already has an open cart: read it with GET /v1/me/cart")]
    OpenCartExists,
    #[error("sign in to claim a cart")]
    NotSignedIn,
    #[error("some articles cannot be bought in this currency, or not any more")]
    NotPurchasable(Vec<(String, VariantId)>),
    #[error("an order needs an e-mail address")]
    EmailMissing,
    #[error("the goods are shipped: the cart needs a shipping address")]
    AddressMissing,
    #[error("the goods are shipped: choose one of the cart's shipping methods")]
    MethodMissing,
    #[error("this shipping method is not available for the cart")]
    MethodUnavailable,
    #[error("nothing is shipped to this address in this currency and weight")]
    NothingShips,
    #[error("an order that costs something needs a payment token")]
    TokenMissing,
    #[error("the total is now {total}")]
    TotalChanged { total: Money },
    #[error("the sum is too large")]
    SumTooLarge,
    #[error("too many checkouts are under way; nothing was done, try again")]
    Busy,
    #[error("there is no such order")]
    OrderNotFound,
    #[error("the order has been changed since it was read")]
    OrderChanged,
    #[error("the order is {status}: it cannot be {verb}")]
    WrongStage { status: &'static str, verb: &'static str },
    #[error("the money of this order has been captured: ask the shop to cancel it")]
    AlreadyCaptured,
    #[error("an order holds at most {max} notes", max = super::order::MAX_NOTES)]
    TooManyNotes,
    #[error("there is no such {0}")]
    SettingNotFound(&'static str),
    #[error("the {0} has been changed since it was read")]
    SettingChanged(&'static str),
    #[error("a shop has at most {max} {what}")]
    TooManySettings { what: &'static str, max: usize },
    #[error("{0}")]
    SettingInUse(&'static str),
    #[error("there already is a tax rate for this place and class")]
    SameTaxRate,
}

impl Refusal {
    /// One field at fault.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Fields(vec![FieldError::new(field, message)])
    }
}

fn summary(fields: &[FieldError]) -> String {
    match fields {
        [one] => format!("{} {}", one.field, one.message),
        _ => "some fields break a rule".to_owned(),
    }
}

impl Business for Refusal {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Fields(_) => ErrorKind::Invalid,
            Self::CartNotFound
            | Self::LineNotFound(_)
            | Self::OrderNotFound
            | Self::SettingNotFound(_) => ErrorKind::NotFound,
            Self::CartChanged | Self::OrderChanged | Self::SettingChanged(_) => {
                ErrorKind::PreconditionFailed
            }
            Self::NotSignedIn => ErrorKind::Unauthenticated,
            Self::Busy => ErrorKind::Unavailable,
            Self::TooManyUnits { .. }
            | Self::NotPurchasable(_)
            | Self::MethodUnavailable
            | Self::EmailMissing
            | Self::AddressMissing
            | Self::MethodMissing
            | Self::NothingShips
            | Self::TokenMissing
            | Self::SumTooLarge
            | Self::CartFull
            | Self::CartEmpty => ErrorKind::Unprocessable,
            Self::CartOrdered(_)
            | Self::CartMerged
            | Self::OpenCartExists
            | Self::TotalChanged { .. }
            | Self::WrongStage { .. }
            | Self::AlreadyCaptured
            | Self::TooManyNotes
            | Self::TooManySettings { .. }
            | Self::SettingInUse(_)
            | Self::SameTaxRate => ErrorKind::Conflict,
        }
    }

    fn slug(&self) -> &'static str {
        match self {
            Self::Fields(_) => "invalid",
            Self::CartNotFound
            | Self::LineNotFound(_)
            | Self::OrderNotFound
            | Self::SettingNotFound(_) => "not-found",
            Self::CartChanged => "cart-changed",
            Self::CartOrdered(_) => "cart-ordered",
            Self::CartMerged => "cart-merged",
            Self::OrderChanged => "order-changed",
            Self::CartEmpty => "cart-empty",
            Self::CartFull => "cart-full",
            Self::TooManyUnits { .. } => "too-many-units",
            Self::OpenCartExists => "open-cart-exists",
            Self::NotSignedIn => "not-signed-in",
            Self::NotPurchasable(_) => "not-purchasable",
            Self::EmailMissing => "email-missing",
            Self::AddressMissing => "shipping-address-missing",
            Self::MethodMissing => "shipping-method-missing",
            Self::MethodUnavailable => "shipping-method-unavailable",
            Self::NothingShips => "nothing-ships-there",
            Self::TokenMissing => "payment-token-missing",
            Self::TotalChanged { .. } => "total-changed",
            Self::SumTooLarge => "sum-too-large",
            Self::Busy => "checkout-busy",
            Self::WrongStage { .. } => "wrong-order-status",
            Self::AlreadyCaptured => "already-captured",
            Self::TooManyNotes => "too-many-notes",
            Self::SettingChanged(_) => "setting-changed",
            Self::TooManySettings { .. } => "too-many-settings",
            Self::SettingInUse(_) => "setting-in-use",
            Self::SameTaxRate => "tax-rate-exists",
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        let one = |field: &str| vec![FieldError::new(field, self.to_string())];
        match self {
            Self::Fields(fields) => fields.clone(),
            Self::NotPurchasable(variants) => variants
                .iter()
                .map(|(field, variant)| {
                    FieldError::new(field.clone(), format!("{variant} cannot be bought"))
                })
                .collect(),
            Self::TooManyUnits { field } => one(field),
            Self::CartFull => one("lines"),
            Self::EmailMissing => one("email"),
            Self::AddressMissing | Self::NothingShips => one("shipping_address"),
            Self::MethodMissing | Self::MethodUnavailable => one("shipping_method_id"),
            Self::TokenMissing => one("payment_token"),
            Self::TotalChanged { .. } => one("expected_total"),
            _ => Vec::new(),
        }
    }
}

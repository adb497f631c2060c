//! A cart as its buyer sees it.

use kernel::{Address, Currency, Email, Money, Quantity, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::money_view::TotalsView;
use crate::application::SeenCart;
use crate::domain::pricing::ShippingChoice;
use crate::domain::{
    CartId, CartLine, CartStatus, OrderId, ProductId, ShippingMethodId, VariantId,
};

/// A cart with today's prices.
#[derive(Serialize, ToSchema)]
#[schema(as = Cart)]
pub(super) struct CartView {
    id: CartId,
    /// What a guest's cart is reached with, in the header `Cart-Secret`. Shown only here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secret: Option<String>,
    status: CartStatusView,
    /// The order that the cart became.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    order_id: Option<OrderId>,
    /// The cart that took over the lines of this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    merged_into: Option<CartId>,
    currency: Currency,
    email: Option<Email>,
    shipping_address: Option<Address>,
    billing_address: Option<Address>,
    shipping: CartShippingView,
    lines: Vec<CartLineView>,
    totals: TotalsView,
    expires_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CartStatus)]
enum CartStatusView {
    Open,
    Ordered,
    Merged,
}

/// How the goods are shipped.
#[derive(Serialize, ToSchema)]
#[schema(as = CartShipping)]
struct CartShippingView {
    status: ShippingStatusView,
    /// The chosen method, or the only possible one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    method_id: Option<ShippingMethodId>,
}

/// `settled` and `not_needed` can be completed; the others lack something.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CartShippingStatus)]
enum ShippingStatusView {
    Settled,
    NotNeeded,
    AddressMissing,
    NothingShips,
    Undecided,
    Unavailable,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CartLine)]
struct CartLineView {
    variant_id: VariantId,
    quantity: Quantity,
    /// False when the variant cannot be bought now; the line then counts nothing, and the cart
    /// cannot be completed with it.
    purchasable: bool,
    product_id: Option<ProductId>,
    sku: Option<String>,
    title: Option<String>,
    variant_title: Option<String>,
    image_url: Option<String>,
    /// Of one unit.
    price: Option<Money>,
    /// Price × quantity.
    amount: Option<Money>,
    /// On, or contained in, the amount.
    tax: Option<Money>,
    requires_shipping: Option<bool>,
}

impl CartView {
    pub fn of(seen: &SeenCart) -> Self {
        let cart = &seen.cart;
        let (status, order_id, merged_into) = match cart.status {
            CartStatus::Open => (CartStatusView::Open, None, None),
            CartStatus::Ordered(order) => (CartStatusView::Ordered, Some(order), None),
            CartStatus::Merged(into) => (CartStatusView::Merged, None, Some(into)),
        };
        Self {
            id: seen.id,
            secret: None,
            status,
            order_id,
            merged_into,
            currency: cart.currency,
            email: cart.email.clone(),
            shipping_address: cart.shipping_address.clone(),
            billing_address: cart.billing_address.clone(),
            shipping: shipping(seen),
            lines: lines(seen),
            totals: TotalsView::of_cart(&seen.priced.totals),
            expires_at: cart.expires_at,
        }
    }

    /// With the secret, for whoever has just opened the cart as a guest.
    pub fn with_secret(seen: &SeenCart, secret: &str) -> Self {
        let secret = seen.cart.owner.is_none().then(|| secret.to_owned());
        Self { secret, ..Self::of(seen) }
    }
}

fn shipping(seen: &SeenCart) -> CartShippingView {
    let (status, method_id) = match seen.priced.totals.shipping {
        ShippingChoice::By(method) => (ShippingStatusView::Settled, Some(method)),
        ShippingChoice::NotNeeded => (ShippingStatusView::NotNeeded, None),
        ShippingChoice::AddressMissing => (ShippingStatusView::AddressMissing, None),
        ShippingChoice::NothingShips => (ShippingStatusView::NothingShips, None),
        ShippingChoice::Undecided => (ShippingStatusView::Undecided, None),
        ShippingChoice::Unavailable => (ShippingStatusView::Unavailable, None),
    };
    CartShippingView { status, method_id: method_id.or(seen.cart.shipping_method_id) }
}

fn lines(seen: &SeenCart) -> Vec<CartLineView> {
    let mut totals = seen.priced.totals.lines.iter();
    let view = |line: &CartLine| {
        let quote = seen.quotes.get(line.variant_id);
        let sold = quote.filter(|quote| quote.purchasable);
        let total = sold.and_then(|_| totals.next());
        let money = |amount| seen.priced.totals.money(amount);
        CartLineView {
            variant_id: line.variant_id,
            quantity: line.quantity,
            purchasable: sold.is_some(),
            product_id: quote.map(|quote| quote.product_id),
            sku: quote.and_then(|quote| quote.sku.clone()),
            title: quote.map(|quote| quote.product_title.clone()),
            variant_title: quote.and_then(|quote| quote.variant_title.clone()),
            image_url: quote.and_then(|quote| quote.image_url.clone()),
            price: sold.map(|quote| money(quote.price_minor)),
            amount: total.map(|total| money(total.amount_minor)),
            tax: total.map(|total| money(total.tax_minor)),
            requires_shipping: quote.map(|quote| quote.requires_shipping),
        }
    };
    seen.cart.lines.iter().map(view).collect()
}

//! Ids of this service, and those of others that it stores.

use kernel::typed_id;

typed_id!(
    /// A cart. Knowing it is not enough to read it.
    CartId, "cart"
);
typed_id!(
    /// An order, and at the same time the id of its checkout, reservation and charge.
    OrderId, "ord"
);
typed_id!(
    /// A remark of staff on an order.
    NoteId, "note"
);
typed_id!(
    /// A part of the world with its own ways of shipping.
    ShippingZoneId, "zone"
);
typed_id!(
    /// A way of shipping.
    ShippingMethodId, "ship"
);
typed_id!(
    /// A tax rate of a place and a class of goods.
    TaxRateId, "tax"
);
typed_id!(
    /// A variant of catalog.
    VariantId, "var"
);
typed_id!(
    /// A product of catalog.
    ProductId, "prod"
);
typed_id!(
    /// An account of identity that buys.
    CustomerId, "acc"
);
typed_id!(
    /// A payment of payment.
    PaymentId, "pay"
);

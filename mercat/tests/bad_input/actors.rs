//! Who asks.

use testkit::document::Operation;
use testkit::people::Customer;
use testkit::{Client, Shop, Start, Topology};

pub struct Actors {
    pub nobody: Client,
    pub customer: Client,
    /// May do everything.
    pub owner: Client,
}

pub async fn shop() -> Shop {
    Shop::start(Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded)).await
}

impl Actors {
    pub async fn of(shop: &Shop) -> Self {
        let nobody = shop.client();
        let customer = Customer::register(&nobody).await.client;
        Self { nobody, customer, owner: shop.admin().await }
    }

    /// The least who may use the route.
    pub fn allowed(&self, operation: &Operation) -> &Client {
        match operation.permission.as_str() {
            "public" => &self.nobody,
            "customer" | "account" => &self.customer,
            _ => &self.owner,
        }
    }
}

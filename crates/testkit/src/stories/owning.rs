//! Whose things are whose.

use http::Method;
use serde_json::json;

use crate::checkout::Cart;
use crate::people::{Customer, api_key, colleague};
use crate::shelf::stock_article;
use crate::{Client, Shop};

pub async fn a_guest_becomes_a_customer_and_keeps_the_cart(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 800, 10).await;
    let other = stock_article(&admin, 50, 10).await;
    let buyer = Customer::register(&shop.client()).await;
    let own = Cart::open_with(&buyer.client, &[(&article.variant, 1)], json!({})).await;
    let guest = Cart::open(&shop.client(), &[(&article.variant, 2), (&other.variant, 1)]).await;

    let back = Customer::login(&shop.client(), &buyer.email).await;
    let path = format!("{}/merge", guest.path());
    let merge = back.client.request(Method::POST, path).secret(guest.secret.as_deref());
    let merged = merge.send().await.expect_status(200);
    assert_eq!(merged.id(), own.id);
    let quantity = |variant: &str| {
        let lines = merged.body["lines"].as_array().expect("lines");
        let line = lines.iter().find(|line| line["variant_id"] == variant);
        line.and_then(|line| line["quantity"].as_u64())
    };
    assert_eq!((quantity(&article.variant), quantity(&other.variant)), (Some(3), Some(1)));
    let gone = guest.complete("tok_approved").await;
    assert!(gone.status.is_client_error() && gone.is_problem(), "{gone}");

    let mut own = Cart { client: back.client.clone(), ..own };
    own.refresh().await;
    let order = own.buy().await;
    assert_eq!(order.total_minor(), 3 * 800 + 50);
    // Without a secret, as its signed-in owner.
    let path = format!("/v1/orders/{}", order.id());
    back.client.get(&path).await.expect_status(200);
    let listed = back.client.get("/v1/orders").await.expect_status(200);
    assert_eq!(listed.body["items"].as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed.text("/items/0/id"), order.id());
}

pub async fn somebody_elses_order_does_not_exist(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 600, 10).await;
    let owner = Customer::register(&shop.client()).await;
    let stranger = Customer::register(&shop.client()).await;
    let cart = Cart::open_with(&owner.client, &[(&article.variant, 1)], json!({})).await;
    let open = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
    let order = cart.buy().await;
    let order_path = format!("/v1/orders/{}", order.id());

    let others: [&Client; 3] = [&stranger.client, &shop.client(), &admin];
    for other in others {
        unreachable(other, Method::GET, &order_path).await;
        unreachable(other, Method::POST, &format!("{order_path}/cancel")).await;
        for path in [open.path(), cart.path()] {
            unreachable(other, Method::GET, &path).await;
            unreachable(other, Method::DELETE, &path).await;
            let wrong =
                other.request(Method::GET, &path).secret(Some("0123456789abcdef")).send().await;
            assert_eq!(wrong.status, 404, "{wrong}");
        }
    }
    let listed = stranger.client.get("/v1/orders").await.expect_status(200);
    assert_eq!(listed.body["items"], json!([]));
    assert_eq!(
        order.ask(Method::GET, "").send().await.expect_status(200).body["status"],
        "confirmed"
    );

    let entry = json!({ "address": crate::people::address("DE") });
    let entry = owner.client.post("/v1/me/addresses", &entry).await.expect_status(201).id();
    unreachable(&stranger.client, Method::GET, &format!("/v1/me/addresses/{entry}")).await;
    let sessions = owner.client.get("/v1/me/sessions").await.expect_status(200);
    let session = sessions.text("/items/0/id");
    unreachable(&stranger.client, Method::DELETE, &format!("/v1/me/sessions/{session}")).await;
    owner.client.get("/v1/me").await.expect_status(200);
}

/// Not forbidden but absent: the answer does not tell that it exists.
async fn unreachable(other: &Client, method: Method, path: &str) {
    let mut request = other.request(method.clone(), path);
    if method == Method::POST {
        request = request.key(&other.fresh_key()).json(&json!({}));
    }
    let reply = request.send().await;
    assert_eq!(reply.status, 404, "{reply}");
    assert!(reply.is_problem(), "{reply}");
}

pub async fn staff_without_the_permission_are_refused(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 600, 1).await;
    let order = Cart::open(&shop.client(), &[(&article.variant, 1)]).await.buy().await;
    let reader = colleague(&admin, &["catalog:read", "orders:read"]).await;
    let order_path = format!("/v1/admin/orders/{}", order.id());

    reader.get(&order_path).await.expect_status(200);
    let product = format!("/v1/admin/products/{}", article.product);
    reader.get(&product).await.expect_status(200);
    reader.delete(&product).await.expect_problem(403, "forbidden");
    reader.get("/v1/admin/payments").await.expect_problem(403, "forbidden");
    let cancel = json!({ "reason": "mine to decide" });
    reader.post(format!("{order_path}/cancel"), &cancel).await.expect_problem(403, "forbidden");
    let role = json!({ "name": "more", "permissions": ["*"] });
    reader.post("/v1/admin/roles", &role).await.expect_problem(403, "forbidden");

    // Nobody grants what they do not hold.
    let clerk = colleague(&admin, &["roles:write", "api-keys:write", "catalog:read"]).await;
    clerk.post("/v1/admin/roles", &role).await.expect_problem(403, "permission-not-held");
    let grab = json!({ "name": "grab", "permissions": ["orders:cancel"] });
    clerk.post("/v1/admin/api-keys", &grab).await.expect_problem(403, "permission-not-held");

    let key = admin.with_token(api_key(&admin, &["orders:read"]).await);
    key.get(&order_path).await.expect_status(200);
    key.post(format!("{order_path}/cancel"), &cancel).await.expect_problem(403, "forbidden");
    shop.client().get(&order_path).await.expect_problem(401, "not-signed-in");
    let buyer = Customer::register(&shop.client()).await;
    buyer.client.get(&order_path).await.expect_problem(403, "forbidden");
    let seen = admin.get(&order_path).await.expect_status(200);
    assert_eq!(seen.body["status"], "confirmed", "nothing of that changed anything");
}

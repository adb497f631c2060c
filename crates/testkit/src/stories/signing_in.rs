//! Sessions and keys, from the first sign-in to the last.

use serde_json::json;

use crate::people::{Customer, PASSWORD, api_key};
use crate::{Shop, until};

pub async fn sessions_end_when_they_should(shop: &Shop) {
    let front = shop.client();
    let buyer = Customer::register(&front).await;
    assert_eq!(buyer.client.get("/v1/me").await.expect_status(200).text("/email"), buyer.email);
    let taken = json!({ "email": buyer.email, "password": PASSWORD });
    front.post("/v1/auth/register", &taken).await.expect_problem(409, "email-taken");
    let wrong = json!({ "email": buyer.email, "password": "not the one at all" });
    front.post("/v1/auth/login", &wrong).await.expect_problem(401, "invalid-credentials");
    let staff = json!({ "email": buyer.email, "password": PASSWORD });
    front.post("/v1/auth/staff/login", &staff).await.expect_problem(401, "invalid-credentials");

    let turn = json!({ "refresh_token": buyer.refresh_token });
    let next = front.post("/v1/auth/refresh", &turn).await.expect_status(200);
    assert_ne!(next.text("/refresh_token"), buyer.refresh_token, "tokens rotate");
    let renewed = front.with_token(next.text("/access_token"));
    renewed.get("/v1/me").await.expect_status(200);

    let last = json!({ "refresh_token": next.text("/refresh_token") });
    front.post("/v1/auth/logout", &last).await.expect_status(204);
    front.post("/v1/auth/refresh", &last).await.expect_problem(401, "invalid-refresh-token");
    until("the ended session's access token is refused", async || {
        (renewed.get("/v1/me").await.status == 401).then_some(())
    })
    .await;

    let admin = shop.admin().await;
    let made = json!({ "name": "short-lived", "permissions": ["orders:read"] });
    let made = admin.post("/v1/admin/api-keys", &made).await.expect_status(201);
    let key = admin.with_token(made.text("/key"));
    key.get("/v1/admin/orders").await.expect_status(200);
    let path = format!("/v1/admin/api-keys/{}", made.text("/api_key/id"));
    admin.delete(path).await.expect_status(204);
    until("the revoked key is refused", async || {
        (key.get("/v1/admin/orders").await.status == 401).then_some(())
    })
    .await;
    let other = admin.with_token(api_key(&admin, &["orders:read"]).await);
    other.get("/v1/admin/orders").await.expect_status(200);
}

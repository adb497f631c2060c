use std::time::Duration;

use serde_json::json;

use crate::story;
use crate::support::text;

story! {
    async fn a_key_allows_its_scopes_and_no_more(shop: Shop) {
        let owner = shop.as_owner().await;
        let body = json!({"name": "Reports", "permissions": ["roles:read"]});
        let made = owner.post("/v1/admin/api-keys", body).await.expect(201);
        assert_eq!(made.headers["cache-control"], "no-store");
        let key = text(&made.body["key"]);
        let id = text(&made.body["api_key"]["id"]);
        assert!(key.starts_with(&format!("{id}_")) && key.starts_with("mk_"), "{key}");
        let program = shop.bearer(&key);
        program.get("/v1/admin/roles").await.expect(200);
        program.get("/v1/admin/accounts").await.expect(403);
        program.get("/v1/me").await.expect(403);
        let shown = owner.get(&format!("/v1/admin/api-keys/{id}")).await.expect(200).body;
        assert_eq!(shown, made.body["api_key"]);
        assert!(!shown.to_string().contains(&key[30..]), "the secret is told once");
    }

    async fn a_key_grants_no_more_than_its_maker_holds(shop: Shop) {
        let (clerk, _) = shop.staff_with("clerk", &["api-keys:write", "catalog:*"]).await;
        let body = json!({"name": "x", "permissions": ["orders:read"]});
        let reply = clerk.post("/v1/admin/api-keys", body).await.expect(403);
        assert_eq!(reply.slug(), "permission-not-held");
        let body = json!({"name": "x", "permissions": ["catalog:write", "api-keys:write"]});
        let made = clerk.post("/v1/admin/api-keys", body).await.expect(201).body;
        let program = shop.bearer(&text(&made["key"]));
        let body = json!({"name": "y", "permissions": ["catalog:read"]});
        program.post("/v1/admin/api-keys", body).await.expect(403);
        let body = json!({"name": "y", "permissions": ["catalog:write"]});
        let second = program.post("/v1/admin/api-keys", body).await.expect(201).body;
        assert!(second["api_key"]["created_by"].is_null());
    }

    async fn a_key_is_revoked_by_those_who_hold_what_it_allows(shop: Shop) {
        let owner = shop.as_owner().await;
        let body = json!({"name": "all", "permissions": ["*"]});
        let made = owner.post("/v1/admin/api-keys", body).await.expect(201).body;
        let path = format!("/v1/admin/api-keys/{}", text(&made["api_key"]["id"]));
        let (clerk, _) = shop.staff_with("clerk", &["api-keys:*", "catalog:write"]).await;
        let reply = clerk.delete(&path).await.expect(403);
        assert_eq!(reply.slug(), "permission-not-held");
        shop.bearer(&text(&made["key"])).get("/v1/admin/roles").await.expect(200);
        let body = json!({"name": "some", "permissions": ["catalog:write"]});
        let own = owner.post("/v1/admin/api-keys", body).await.expect(201).body;
        clerk.delete(&format!("/v1/admin/api-keys/{}", text(&own["api_key"]["id"]))).await.expect(204);
    }

    async fn a_revoked_or_expired_key_is_refused(shop: Shop) {
        let owner = shop.as_owner().await;
        let end = shop.test.env.now().plus(Duration::from_mins(1));
        let body = json!({"name": "x", "permissions": ["roles:read"], "expires_at": end});
        let expiring = owner.post("/v1/admin/api-keys", body).await.expect(201).body;
        let body = json!({"name": "y", "permissions": ["roles:read"]});
        let revoked = owner.post("/v1/admin/api-keys", body).await.expect(201).body;
        let [first, second] = [&expiring, &revoked].map(|made| shop.bearer(&text(&made["key"])));
        first.get("/v1/admin/roles").await.expect(200);
        second.get("/v1/admin/roles").await.expect(200);
        let path = format!("/v1/admin/api-keys/{}", text(&revoked["api_key"]["id"]));
        owner.delete(&path).await.expect(204);
        owner.delete(&path).await.expect(204);
        shop.test.advance(Duration::from_secs(5));
        second.get("/v1/admin/roles").await.expect(401);
        first.get("/v1/admin/roles").await.expect(200);
        shop.test.advance(Duration::from_mins(1));
        first.get("/v1/admin/roles").await.expect(401);
        let listed = owner.get("/v1/admin/api-keys").await.expect(200).body;
        assert_eq!(listed["items"].as_array().unwrap().len(), 2);
        assert!(listed["items"][1]["revoked_at"].is_string());
    }

    async fn a_wrong_secret_is_no_key(shop: Shop) {
        let owner = shop.as_owner().await;
        let body = json!({"name": "x", "permissions": ["roles:read"]});
        let made = owner.post("/v1/admin/api-keys", body).await.expect(201).body;
        let mut key = text(&made["key"]);
        let other = if &key[35..36] == "A" { "B" } else { "A" };
        key.replace_range(35..36, other);
        for wrong in [key.as_str(), "mk_", "mk_x_y"] {
            shop.bearer(wrong).get("/v1/admin/roles").await.expect(401);
        }
    }

    async fn an_expiry_lies_ahead(shop: Shop) {
        let owner = shop.as_owner().await;
        let now = shop.test.env.now();
        for bad in [now, now.plus(Duration::from_hours(24 * 4000))] {
            let body = json!({"name": "x", "permissions": ["roles:read"], "expires_at": bad});
            assert_eq!(owner.post("/v1/admin/api-keys", body).await.expect(422).fields(), ["expires_at"]);
        }
    }
}

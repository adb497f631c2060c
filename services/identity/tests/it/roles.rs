use serde_json::json;

use crate::story;
use crate::support::{Tokens, text};

story! {
    async fn a_role_is_made_changed_and_removed(shop: Shop) {
        let owner = shop.as_owner().await;
        let body = json!({"name": "support", "description": "Helps", "permissions": ["orders:read"]});
        let made = owner.post("/v1/admin/roles", body.clone()).await.expect(201);
        let path = format!("/v1/admin/roles/{}", text(&made.body["id"]));
        assert_eq!(made.headers["location"], path.as_str());
        let reply = owner.post("/v1/admin/roles", body).await.expect(409);
        assert_eq!((reply.slug(), reply.fields()), ("role-name-taken", vec!["name"]));
        let body = json!({"permissions": ["orders:read", "orders:cancel"]});
        let changed = owner.patch(&path, body).await.expect(200);
        assert_eq!(changed.body["permissions"], json!(["orders:cancel", "orders:read"]));
        assert_eq!(changed.body["description"], "Helps");
        let stale = owner.with("if-match", &format!("\"{}\"", made.version().unwrap()));
        stale.patch(&path, json!({"description": "x"})).await.expect(412);
        owner.delete(&path).await.expect(204);
        owner.get(&path).await.expect(404);
        owner.delete(&path).await.expect(404);
    }

    async fn a_changed_role_is_not_removed_unseen(shop: Shop) {
        let owner = shop.as_owner().await;
        let body = json!({"name": "support", "permissions": []});
        let made = owner.post("/v1/admin/roles", body).await.expect(201);
        let path = format!("/v1/admin/roles/{}", text(&made.body["id"]));
        owner.patch(&path, json!({"description": "changed"})).await.expect(200);
        let stale = owner.with("if-match", &format!("\"{}\"", made.version().unwrap()));
        assert_eq!(stale.delete(&path).await.expect(412).slug(), "version-mismatch");
        owner.get(&path).await.expect(200);
    }

    async fn the_owner_role_is_built_in(shop: Shop) {
        let owner = shop.as_owner().await;
        let all = owner.get("/v1/admin/roles").await.expect(200).body;
        let role = &all["items"][0];
        assert_eq!((&role["name"], &role["permissions"]), (&json!("owner"), &json!(["*"])));
        assert_eq!(role["holders"], 1);
        let path = format!("/v1/admin/roles/{}", text(&role["id"]));
        let reply = owner.patch(&path, json!({"permissions": []})).await.expect(409);
        assert_eq!(reply.slug(), "built-in-role");
        owner.delete(&path).await.expect(409);
    }

    async fn a_role_in_use_is_not_removed(shop: Shop) {
        let (_, staff) = shop.staff_with("clerk", &["orders:read"]).await;
        let owner = shop.as_owner().await;
        let role = format!("/v1/admin/roles/{}", staff.role);
        assert_eq!(owner.delete(&role).await.expect(409).slug(), "role-in-use");
        let account = format!("/v1/admin/accounts/{}", staff.account);
        owner.patch(&account, json!({"disabled": true})).await.expect(200);
        owner.delete(&role).await.expect(204);
        let reply = owner.patch(&account, json!({"disabled": false})).await.expect(200);
        assert_eq!(reply.body["roles"], json!([]));
    }

    async fn changed_permissions_show_after_the_next_refresh(shop: Shop) {
        let (clerk, staff) = shop.staff_with("clerk", &["orders:read"]).await;
        clerk.get("/v1/admin/permissions").await.expect(403);
        let owner = shop.as_owner().await;
        let role = format!("/v1/admin/roles/{}", staff.role);
        owner.patch(&role, json!({"permissions": ["roles:read"]})).await.expect(200);
        let fresh = Tokens(shop.refresh(&staff.refresh).await.expect(200).body);
        let clerk = shop.bearer(fresh.access());
        let listed = clerk.get("/v1/admin/permissions").await.expect(200).body;
        let names: Vec<_> = listed["items"].as_array().unwrap().iter().map(|p| text(&p["name"])).collect();
        for expected in ["catalog:read", "payments:refund", "api-keys:*", "*"] {
            assert!(names.iter().any(|name| name == expected), "{expected}");
        }
    }

    async fn nobody_weakens_a_role_above_them(shop: Shop) {
        let (chief, _) = shop.staff_with("chief", &["roles:*"]).await;
        let owner = shop.as_owner().await;
        let body = json!({"name": "treasurer", "permissions": ["payments:refund"]});
        let role = owner.post("/v1/admin/roles", body).await.expect(201).body;
        let path = format!("/v1/admin/roles/{}", text(&role["id"]));
        chief.patch(&path, json!({"permissions": []})).await.expect(403);
        chief.patch(&path, json!({"name": "x"})).await.expect(403);
        chief.delete(&path).await.expect(403);
        assert_eq!(owner.get(&path).await.expect(200).body, role);
    }
}

use std::time::Duration;

use serde_json::json;

use crate::story;
use crate::support::{OTHER_PASSWORD, STAFF_PASSWORD, Tokens, text};

story! {
    async fn the_first_member_of_staff_replaces_the_one_time_password(shop: Shop) {
        let (email, password) = shop.owner.clone();
        assert_eq!(email, "admin@mercat.local");
        let reply = shop.staff_login(&email, &password).await.expect(200);
        assert_eq!(reply.body["password_change_required"], true);
        let tokens = Tokens(reply.body);
        let me = shop.bearer(tokens.access());
        let body = json!({"current_password": password, "new_password": OTHER_PASSWORD});
        me.post("/v1/auth/password", body).await.expect(204);
        let reply = shop.staff_login(&email, OTHER_PASSWORD).await.expect(200);
        assert_eq!(reply.body["password_change_required"], false);
        let me = shop.bearer(Tokens(reply.body).access());
        assert_eq!(me.get("/v1/me").await.expect(200).body["kind"], "staff");
    }

    async fn a_one_time_password_opens_nothing_but_the_way_to_another(shop: Shop) {
        let (email, password) = shop.owner.clone();
        let tokens = Tokens(shop.staff_login(&email, &password).await.expect(200).body);
        let next = Tokens(shop.refresh(tokens.refresh()).await.expect(200).body);
        for token in [tokens.access(), next.access()] {
            let me = shop.bearer(token);
            for path in ["/v1/me", "/v1/me/sessions", "/v1/admin/accounts", "/v1/admin/roles"] {
                assert_eq!(me.get(path).await.expect(403).slug(), "password-change-required");
            }
            let body = json!({"name": "x", "permissions": ["*"]});
            let reply = me.post("/v1/admin/api-keys", body).await.expect(403);
            assert_eq!(reply.slug(), "password-change-required");
        }
        let body = json!({"current_password": password, "new_password": OTHER_PASSWORD});
        shop.bearer(next.access()).post("/v1/auth/password", body).await.expect(204);
        // This session goes on: its next tokens are good for everything.
        let full = Tokens(shop.refresh(next.refresh()).await.expect(200).body);
        shop.bearer(full.access()).get("/v1/admin/roles").await.expect(200);
        shop.staff_login(&email, &password).await.expect(401);
    }

    async fn a_one_time_password_is_good_for_some_days(shop: Shop) {
        let (email, password) = shop.owner.clone();
        let tokens = Tokens(shop.staff_login(&email, &password).await.expect(200).body);
        for _ in 0..13 {
            shop.test.advance(Duration::from_hours(11));
            shop.staff_login(&email, &password).await.expect(200);
        }
        let last = Tokens(shop.staff_login(&email, &password).await.expect(200).body);
        let mut keep = last.refresh().to_owned();
        for _ in 0..3 {
            keep = text(&shop.refresh(&keep).await.expect(200).body["refresh_token"]);
            shop.test.advance(Duration::from_hours(8));
        }
        shop.test.advance(Duration::from_hours(1));
        let reply = shop.staff_login(&email, &password).await.expect(401);
        assert_eq!(reply.slug(), "one-time-password-expired");
        // Whoever does not know it learns nothing.
        let reply = shop.staff_login(&email, "not the password").await.expect(401);
        assert_eq!(reply.slug(), "invalid-credentials");
        shop.refresh(&keep).await.expect(401);
        shop.refresh(tokens.refresh()).await.expect(401);

        let made = shop.setup.reset_password(&shop.context(), email.parse().unwrap()).await.unwrap();
        assert_eq!(made.valid_days, 7);
        shop.replace(&email, made.password.expose()).await;
        let reply = shop.staff_login(&email, STAFF_PASSWORD).await.expect(200);
        shop.bearer(Tokens(reply.body).access()).get("/v1/admin/roles").await.expect(200);
    }

    async fn an_administrator_resets_the_password_of_a_colleague(shop: Shop) {
        let (clerk, staff) = shop.staff_with("clerk", &["roles:read", "accounts:write"]).await;
        let owner = shop.as_owner().await;
        let path = format!("/v1/admin/accounts/{}/one-time-password", staff.account);
        let reply = owner.send(http::Method::POST, &path, None).await.expect(200);
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(reply.body["account"]["password_change_required"], true);
        shop.refresh(&staff.refresh).await.expect(401);
        shop.poll_revocations().await;
        clerk.get("/v1/admin/roles").await.expect(401);
        shop.staff_login(&staff.email, &staff.password).await.expect(401);
        shop.replace(&staff.email, &text(&reply.body["one_time_password"])).await;
        shop.staff_login(&staff.email, STAFF_PASSWORD).await.expect(200);
    }

    async fn nobody_resets_their_own_password_nor_that_of_their_betters(shop: Shop) {
        let (clerk, staff) = shop.staff_with("clerk", &["accounts:*"]).await;
        let owner = shop.as_owner().await;
        let me = text(&owner.get("/v1/me").await.expect(200).body["id"]);
        let customer = shop.register("ada@example.com").await;
        let path = |id: &str| format!("/v1/admin/accounts/{id}/one-time-password");
        for (client, id, status, slug) in [
            (&clerk, me.as_str(), 403, "permission-not-held"),
            (&clerk, staff.account.as_str(), 409, "own-password"),
            (&owner, me.as_str(), 409, "own-password"),
            (&owner, customer.0["account_id"].as_str().unwrap(), 422, "not-staff"),
            (&owner, "acc_01890a5dac96774bbcceb30209", 404, "account-not-found"),
        ] {
            let reply = client.send(http::Method::POST, &path(id), None).await.expect(status);
            assert_eq!(reply.slug(), slug, "{id}");
        }
        let one = format!("/v1/admin/accounts/{}", staff.account);
        owner.patch(&one, json!({"disabled": true})).await.expect(200);
        let reply = owner.send(http::Method::POST, &path(&staff.account), None).await.expect(409);
        assert_eq!(reply.slug(), "account-disabled");
    }

    async fn staff_without_the_permission_is_forbidden_and_customers_too(shop: Shop) {
        let (clerk, _) = shop.staff_with("clerk", &["catalog:write"]).await;
        let customer = shop.register("ada@example.com").await;
        let customer = shop.bearer(customer.access());
        for path in ["/v1/admin/accounts", "/v1/admin/roles", "/v1/admin/api-keys",
            "/v1/admin/permissions"] {
            assert_eq!(clerk.get(path).await.expect(403).slug(), "forbidden");
            customer.get(path).await.expect(403);
            shop.client.get(path).await.expect(401);
        }
        let body = json!({"email": "x@example.com"});
        clerk.post("/v1/admin/accounts", body).await.expect(403);
    }

    async fn accounts_are_listed_by_kind_and_address_and_by_page(shop: Shop) {
        for n in 0..5 {
            shop.register(&format!("user{n}@example.com")).await;
        }
        let owner = shop.as_owner().await;
        let staff = owner.get("/v1/admin/accounts?kind=staff").await.expect(200).body;
        assert_eq!(staff["items"].as_array().unwrap().len(), 1);
        assert_eq!(staff["items"][0]["email"], "admin@mercat.local");
        let found = owner.get("/v1/admin/accounts?email=User3%40example.com").await.expect(200).body;
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
        assert_eq!(found["items"][0]["email"], "user3@example.com");

        let mut seen = Vec::new();
        let mut path = "/v1/admin/accounts?kind=customer&limit=2".to_owned();
        loop {
            let page = owner.get(&path).await.expect(200).body;
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| text(&item["email"])));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/admin/accounts?kind=customer&limit=2&cursor={cursor}");
        }
        let expected: Vec<_> = (0..5).map(|n| format!("user{n}@example.com")).collect();
        assert_eq!(seen, expected);
        let reply = owner.get("/v1/admin/accounts?cursor=nonsense").await.expect(400);
        assert_eq!(reply.fields(), ["cursor"]);
    }

    async fn disabling_ends_every_session_and_enabling_lets_in_again(shop: Shop) {
        let (clerk, staff) = shop.staff_with("clerk", &["roles:read"]).await;
        let owner = shop.as_owner().await;
        let path = format!("/v1/admin/accounts/{}", staff.account);
        let reply = owner.patch(&path, json!({"disabled": true})).await.expect(200);
        assert_eq!(reply.body["status"], "disabled");
        shop.refresh(&staff.refresh).await.expect(401);
        shop.staff_login(&staff.email, &staff.password).await.expect(401);
        shop.poll_revocations().await;
        clerk.get("/v1/admin/roles").await.expect(401);
        owner.patch(&path, json!({"disabled": false})).await.expect(200);
        shop.staff_login(&staff.email, &staff.password).await.expect(200);
    }

    async fn nobody_grants_or_manages_more_than_they_hold(shop: Shop) {
        let (chief, chief_ids) = shop
            .staff_with("chief", &["accounts:read", "accounts:write", "roles:write", "orders:*"])
            .await;
        let owner = shop.as_owner().await;
        let all = owner.get("/v1/admin/roles").await.expect(200).body;
        let owner_role = text(&all["items"][0]["id"]);
        assert_eq!(all["items"][0]["name"], "owner");

        let body = json!({"email": "x@example.com", "roles": [owner_role]});
        let reply = chief.post("/v1/admin/accounts", body).await.expect(403);
        assert_eq!(reply.slug(), "permission-not-held");
        let mine = format!("/v1/admin/accounts/{}", chief_ids.account);
        chief.patch(&mine, json!({"roles": [chief_ids.role, owner_role]})).await.expect(403);
        let staff = owner.get("/v1/admin/accounts?email=admin%40mercat.local").await.expect(200);
        let admin = format!("/v1/admin/accounts/{}", text(&staff.body["items"][0]["id"]));
        chief.patch(&admin, json!({"disabled": true})).await.expect(403);

        let body = json!({"name": "wide", "permissions": ["catalog:write"]});
        chief.post("/v1/admin/roles", body).await.expect(403);
        let body = json!({"name": "cashier", "permissions": ["orders:cancel"]});
        let role = chief.post("/v1/admin/roles", body).await.expect(201).body;
        let body = json!({"email": "y@example.com", "roles": [role["id"]]});
        chief.post("/v1/admin/accounts", body).await.expect(201);
    }

    async fn the_last_owner_stays(shop: Shop) {
        let owner = shop.as_owner().await;
        let me = owner.get("/v1/me").await.expect(200).body;
        let path = format!("/v1/admin/accounts/{}", text(&me["id"]));
        let reply = owner.patch(&path, json!({"disabled": true})).await.expect(409);
        assert_eq!(reply.slug(), "last-owner");
        owner.patch(&path, json!({"roles": []})).await.expect(409);
        assert_eq!(owner.delete("/v1/me").await.expect(409).slug(), "staff-erasure");

        let seen = owner.get(&path).await.expect(200).body;
        let body = json!({"email": "second@example.com", "roles": seen["roles"]});
        let second = owner.post("/v1/admin/accounts", body).await.expect(201).body;
        owner.patch(&path, json!({"roles": []})).await.expect(200);
        let path = format!("/v1/admin/accounts/{}", text(&second["account"]["id"]));
        owner.patch(&path, json!({"disabled": true})).await.expect(409);
    }

    async fn a_changed_account_is_not_overwritten(shop: Shop) {
        let (_, staff) = shop.staff_with("clerk", &[]).await;
        let owner = shop.as_owner().await;
        let path = format!("/v1/admin/accounts/{}", staff.account);
        let version = owner.get(&path).await.expect(200).version().unwrap();
        let guarded = owner.with("if-match", &format!("\"{version}\""));
        guarded.patch(&path, json!({"roles": []})).await.expect(200);
        guarded.patch(&path, json!({"disabled": true})).await.expect(412);
    }

    async fn customers_have_no_roles_and_unknown_roles_are_named(shop: Shop) {
        let customer = shop.register("ada@example.com").await;
        let (_, staff) = shop.staff_with("clerk", &[]).await;
        let owner = shop.as_owner().await;
        let path = format!("/v1/admin/accounts/{}", text(&customer.0["account_id"]));
        let reply = owner.patch(&path, json!({"roles": [staff.role]})).await.expect(422);
        assert_eq!(reply.slug(), "roles-need-staff");
        let body = json!({"email": "x@example.com",
            "roles": [staff.role, "role_01890a5dac96774bbcceb30209"]});
        assert_eq!(owner.post("/v1/admin/accounts", body).await.expect(422).fields(), ["roles[1]"]);
    }
}

use identity::domain::{Account, AccountId};
use platform::idempotency::{IdempotencyKey, Lookup};
use platform::store::Value as Column;
use serde_json::json;

use crate::story;
use crate::support::{OTHER_PASSWORD, PASSWORD, Tokens, address, text};

story! {
    async fn a_customer_registers_and_is_signed_in(shop: Shop) {
        let body = json!({
            "email": "Ada@Example.com", "password": PASSWORD, "name": "Ada", "locale": "de-AT"
        });
        let reply = shop.client.post("/v1/auth/register", body).await.expect(201);
        assert_eq!(reply.headers["location"], "/v1/me");
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(reply.body["token_type"], "Bearer");
        assert_eq!(reply.body["expires_in"], 300);
        let tokens = Tokens(reply.body);
        let me = shop.bearer(tokens.access()).get("/v1/me").await.expect(200).body;
        assert_eq!(me["email"], "ada@example.com");
        assert_eq!(me["kind"], "customer");
        assert_eq!(me["name"], "Ada");
        assert_eq!(me["locale"], "de-AT");
        assert_eq!(me["id"], tokens.0["account_id"]);

        let events = shop.events().await;
        let last = events.last().unwrap();
        assert_eq!(last.event_type, "mercat.identity.AccountRegistered.v1");
        assert_eq!(last.aggregate_type, "account");
        assert!(!String::from_utf8_lossy(&last.data).contains("ada"), "events hold ids only");
    }

    async fn an_address_registers_once_in_any_case(shop: Shop) {
        shop.register("ada@example.com").await;
        let body = json!({"email": "ADA@example.com", "password": OTHER_PASSWORD});
        let reply = shop.client.post("/v1/auth/register", body).await.expect(409);
        assert_eq!(reply.slug(), "email-taken");
        shop.login("ada@example.com", PASSWORD).await.expect(200);
    }

    async fn ten_registrations_of_one_address_make_one_account(shop: Shop) {
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let all = (0..10).map(|_| shop.client.post("/v1/auth/register", body.clone()));
        let replies = futures_util::future::join_all(all).await;
        let made = replies.iter().filter(|r| r.status == 201).count();
        let taken = replies.iter().filter(|r| r.slug() == "email-taken").count();
        assert_eq!((made, taken), (1, 9));
    }

    async fn weak_passwords_are_refused_and_nothing_is_kept(shop: Shop) {
        for weak in ["short", "aaaaaaaaaaaaaaaa", "password1234", "ada@example.com"] {
            let body = json!({"email": "ada@example.com", "password": weak});
            let reply = shop.client.post("/v1/auth/register", body).await.expect(422);
            assert_eq!(reply.slug(), "weak-password", "{weak}");
            assert_eq!(reply.fields(), ["password"]);
        }
        let email = Column::from("ada@example.com");
        let store = shop.executor.store();
        let found = store.by::<identity::domain::Account>("email", email).await.unwrap();
        assert!(found.is_none());
    }

    async fn only_a_salted_slow_hash_is_stored(shop: Shop) {
        shop.register("ada@example.com").await;
        shop.register("eve@example.com").await;
        let mut hashes = Vec::new();
        for email in ["ada@example.com", "eve@example.com"] {
            let store = shop.executor.store();
            let found = store.by::<identity::domain::Account>("email", email).await.unwrap();
            hashes.push(found.unwrap().active().unwrap().credential.hash.clone());
        }
        assert!(hashes[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hashes[0]);
        assert_ne!(hashes[0], hashes[1]);
    }

    async fn a_customer_changes_name_and_language(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        let me = shop.bearer(tokens.access());
        let body = json!({"name": "Ada Lovelace", "locale": "en"});
        let reply = me.patch("/v1/me", body).await.expect(200);
        let version = reply.version().unwrap();
        assert_eq!(reply.body["name"], "Ada Lovelace");
        let reply = me.patch("/v1/me", json!({"locale": null})).await.expect(200);
        assert_eq!(reply.body["name"], "Ada Lovelace");
        assert!(reply.body["locale"].is_null());
        let stale = me.with("if-match", &format!("\"{version}\""));
        let reply = stale.patch("/v1/me", json!({"name": "X"})).await.expect(412);
        assert_eq!(reply.slug(), "version-mismatch");
    }

    async fn an_erased_customer_leaves_nothing_personal_and_may_come_back(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        let me = shop.bearer(tokens.access());
        me.post("/v1/me/addresses", crate::support::address("Analytical Road 1")).await.expect(201);
        me.delete("/v1/me").await.expect(204);
        shop.login("ada@example.com", PASSWORD).await.expect(401);
        shop.refresh(tokens.refresh()).await.expect(401);
        me.get("/v1/me").await.expect(401);
        let owner = shop.as_owner().await;
        let path = format!("/v1/admin/accounts/{}", tokens.0["account_id"].as_str().unwrap());
        let seen = owner.get(&path).await.expect(200).body;
        assert_eq!(seen["status"], "erased");
        assert!(seen["email"].is_null() && seen["name"].is_null());
        let again = shop.register("ada@example.com").await;
        assert_ne!(again.0["account_id"], tokens.0["account_id"]);
        // Two erased accounts do not collide in the unique column.
        shop.bearer(again.access()).delete("/v1/me").await.expect(204);
    }

    async fn erasing_is_told_to_every_service_and_takes_a_key_and_a_version(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        let me = shop.bearer(tokens.access());
        me.with("if-match", "\"77\"").delete("/v1/me").await.expect(412);
        let version = me.get("/v1/me").await.expect(200).version().unwrap();
        let once = me.with("if-match", &format!("\"{version}\"")).with("idempotency-key", "k");
        once.delete("/v1/me").await.expect(204);
        // Until the token is refused everywhere, the same request has the same answer.
        once.delete("/v1/me").await.expect(204);
        me.delete("/v1/me").await.expect(401);
        let events = shop.events().await;
        let erased = events.iter().find(|event| {
            event.event_type == "mercat.identity.AccountErased.v1"
        });
        let erased = erased.unwrap();
        let id: AccountId = text(&tokens.0["account_id"]).parse().unwrap();
        assert_eq!((erased.aggregate_type.as_str(), erased.aggregate_id), ("account", id.uuid()));
        assert!(erased.data.ends_with(id.uuid().as_bytes()) && erased.data.len() == 18);
    }

    async fn answers_kept_for_repeated_requests_are_erased_with_the_person(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        let me = shop.bearer(tokens.access());
        let once = |key: &str| me.with("idempotency-key", key);
        once("1").patch("/v1/me", json!({"name": "Ada Lovelace"})).await.expect(200);
        let added = address("Analytical Road 1");
        let added = once("2").post("/v1/me/addresses", added).await.expect(201).body;
        let path = format!("/v1/me/addresses/{}", text(&added["id"]));
        once("3").put(&path, address("Analytical Road 2")).await.expect(200);
        let owner = shop.as_owner().await.with("idempotency-key", "4");
        let account = format!("/v1/admin/accounts/{}", text(&tokens.0["account_id"]));
        let body = json!({"disabled": false});
        let seen = owner.patch(&account, body.clone()).await.expect(200).body;
        assert_eq!(seen["name"], "Ada Lovelace");

        let store = shop.executor.store();
        let found = store.by::<Account>("email", "ada@example.com").await.unwrap().unwrap();
        assert_eq!(found.answers.len(), 4);
        let kept: Vec<_> = found.answers.iter().map(|answer| IdempotencyKey {
            owner: answer.owner.clone(),
            route: answer.route.clone(),
            key: answer.key.clone(),
            fingerprint: answer.fingerprint.clone(),
        }).collect();
        let told = |lookup| {
            let Lookup::Saved(saved) = lookup else { panic!("{lookup:?}") };
            (saved.status, String::from_utf8(saved.body).unwrap())
        };
        for key in &kept {
            let (_, body) = told(store.saved_response(key).await.unwrap());
            assert!(body.contains("Ada"), "{body}");
        }
        me.delete("/v1/me").await.expect(204);
        for key in &kept {
            let (status, body) = told(store.saved_response(key).await.unwrap());
            assert_eq!(status, 404);
            assert!(!body.contains("Ada") && !body.contains("Analytical"), "{body}");
        }
        let reply = owner.patch(&account, body).await.expect(404);
        assert_eq!(reply.slug(), "answer-erased");
        let erased = store.get::<Account>(found.id).await.unwrap().unwrap();
        assert!(erased.answers.is_empty());
    }
}

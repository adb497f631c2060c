use std::time::Duration;

use contracts::identity::v1;
use serde_json::json;

use crate::story;
use crate::support::text;

story! {
    async fn a_key_is_verified_over_the_contract(shop: Shop) {
        let owner = shop.as_owner().await;
        let body = json!({"name": "x", "permissions": ["orders:read", "catalog:*"]});
        let made = owner.post("/v1/admin/api-keys", body).await.expect(201).body;
        let request = v1::VerifyApiKeyRequest { key: text(&made["key"]) };
        let reply = shop.api.verify_api_key(shop.context(), request).await.unwrap();
        assert!(reply.found);
        assert_eq!(reply.key_id.len(), 16);
        assert_eq!(reply.permissions, ["catalog:*", "orders:read"]);
        for key in ["", "mk_", "mk_01h455vb4pex5vsknk084sn02q_x", "\u{1F511}"] {
            let request = v1::VerifyApiKeyRequest { key: key.to_owned() };
            let reply = shop.api.verify_api_key(shop.context(), request).await.unwrap();
            assert_eq!(reply, v1::VerifyApiKeyReply::default(), "{key}");
        }
    }

    async fn revocations_are_told_until_no_token_lives(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        let since_us = shop.test.env.now().as_micros();
        let body = json!({"refresh_token": tokens.refresh()});
        shop.client.post("/v1/auth/logout", body).await.expect(204);
        let ask = |since_us: i64| {
            let request = v1::ListRevocationsRequest { since_us };
            shop.api.list_revocations(shop.context(), request)
        };
        let reply = ask(since_us).await.unwrap();
        assert_eq!(reply.session_ids.len(), 1);
        // Whoever asks from where the answer ended misses nothing.
        assert_eq!(ask(reply.as_of_us).await.unwrap().session_ids.len(), 1);
        assert_eq!(ask(i64::MIN).await.unwrap().session_ids.len(), 1);
        assert!(ask(i64::MAX).await.unwrap().session_ids.is_empty());
        // A token of five minutes, and two clocks that are four hours apart, twice.
        shop.test.advance(Duration::from_hours(8) + Duration::from_mins(5));
        assert_eq!(ask(since_us).await.unwrap().session_ids.len(), 1);
        shop.test.advance(Duration::from_mins(6));
        assert!(ask(since_us).await.unwrap().session_ids.is_empty());
    }

    async fn every_revocation_is_told_however_many_there_are(shop: Shop) {
        let since_us = shop.test.env.now().as_micros();
        let tokens = shop.register("ada@example.com").await;
        for _ in 0..45 {
            shop.login("ada@example.com", crate::support::PASSWORD).await.expect(200);
        }
        shop.bearer(tokens.access()).delete("/v1/me").await.expect(204);
        let request = v1::ListRevocationsRequest { since_us };
        let reply = shop.api.list_revocations(shop.context(), request).await.unwrap();
        assert_eq!(reply.session_ids.len(), 46);
    }
}

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::story;
use crate::support::{Tokens, text};

fn kids(set: &Value) -> Vec<String> {
    set["keys"].as_array().unwrap().iter().map(|key| text(&key["kid"])).collect()
}

story! {
    async fn the_key_set_is_public_and_holds_public_halves_only(shop: Shop) {
        let reply = shop.client.get("/.well-known/jwks.json").await.expect(200);
        assert_eq!(reply.headers["cache-control"], "public, max-age=60");
        let keys = reply.body["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 1);
        let fields: BTreeSet<_> = keys[0].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, BTreeSet::from(["alg", "crv", "kid", "kty", "use", "x"]));
    }

    async fn keys_change_a_hundred_times_and_no_token_is_ever_refused(shop: Shop) {
        let mut tokens = shop.register("ada@example.com").await;
        let mut seen = BTreeSet::new();
        let mut before = None;
        // A rotation is thirty days, a session's idle limit as well: refresh on the way.
        for turn in 0..101 * 45 {
            shop.test.advance(Duration::from_hours(16));
            shop.turn("identity.keys").await;
            if turn % 365 == 364 {
                let login = shop.login("ada@example.com", crate::support::PASSWORD).await;
                tokens = Tokens(login.expect(200).body);
            } else if turn % 15 == 0 {
                tokens = Tokens(shop.refresh(tokens.refresh()).await.expect(200).body);
                shop.bearer(tokens.access()).get("/v1/me").await.expect(200);
            }
            let set = shop.client.get("/.well-known/jwks.json").await.expect(200).body;
            let now = kids(&set);
            assert!(now.len() <= 3);
            if before.as_ref() != Some(&now) {
                seen.extend(now.clone());
                before = Some(now);
            }
        }
        assert!(seen.len() >= 100, "{} keys", seen.len());
    }

    async fn a_token_outlives_the_change_of_its_key(shop: Shop) {
        let month = Duration::from_hours(24 * 30);
        // Just before the next key signs: it is published, and the old one still signs.
        shop.test.advance(month.checked_sub(Duration::from_mins(1)).unwrap());
        shop.turn("identity.keys").await;
        shop.test.advance(Duration::from_mins(14));
        let old = shop.register("ada@example.com").await;
        shop.turn("identity.keys").await;
        let set = shop.client.get("/.well-known/jwks.json").await.expect(200).body;
        assert_eq!(kids(&set).len(), 2);
        shop.test.advance(Duration::from_mins(4));
        shop.turn("identity.keys").await;
        let new = shop.register("eve@example.com").await;
        for tokens in [&old, &new] {
            shop.bearer(tokens.access()).get("/v1/me").await.expect(200);
        }
        shop.test.advance(Duration::from_mins(10));
        shop.turn("identity.keys").await;
        let set = shop.client.get("/.well-known/jwks.json").await.expect(200).body;
        assert_eq!(kids(&set).len(), 1);
    }
}

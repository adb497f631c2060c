use std::time::Duration;

use serde_json::Value;

use crate::story;
use crate::support::PASSWORD;

/// The body without what differs by request.
fn answer(mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("request_id");
    body
}

story! {
    async fn unknown_address_wrong_password_and_disabled_account_answer_the_same(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        shop.register("eve@example.com").await;
        let owner = shop.as_owner().await;
        let path = format!("/v1/admin/accounts/{}", tokens.0["account_id"].as_str().unwrap());
        owner.patch(&path, serde_json::json!({"disabled": true})).await.expect(200);

        let unknown = shop.login("nobody@example.com", PASSWORD).await.expect(401);
        let wrong = shop.login("eve@example.com", "not the password").await.expect(401);
        let disabled = shop.login("ada@example.com", PASSWORD).await.expect(401);
        let other_kind = shop.login(&shop.owner.0, &shop.owner.1).await.expect(401);
        assert_eq!(unknown.slug(), "invalid-credentials");
        let expected = answer(unknown.body);
        for reply in [wrong, disabled, other_kind] {
            assert_eq!(answer(reply.body), expected);
        }
    }

    async fn guessing_is_slowed_down_and_the_owner_comes_in_again(shop: Shop) {
        shop.register("ada@example.com").await;
        for _ in 0..5 {
            shop.login("ada@example.com", "not the password").await.expect(401);
        }
        let reply = shop.login("ada@example.com", PASSWORD).await.expect(429);
        assert_eq!(reply.slug(), "too-many-attempts");
        assert_eq!(reply.headers["retry-after"], "1");
        shop.test.advance(Duration::from_secs(1));
        shop.login("ada@example.com", PASSWORD).await.expect(200);
        shop.login("ada@example.com", PASSWORD).await.expect(200);
    }

    async fn an_unknown_address_is_slowed_down_alike_and_leaves_no_trace(shop: Shop) {
        let versions = |shop: &crate::support::Shop| {
            let store = shop.executor.store().clone();
            async move {
                let query = platform::store::Query::new(100);
                let accounts = store.list::<identity::domain::Account>(query).await.unwrap();
                accounts.iter().map(|account| (account.id, account.version)).collect::<Vec<_>>()
            }
        };
        let before = versions(&shop).await;
        for _ in 0..5 {
            shop.login("nobody@example.com", "not the password").await.expect(401);
        }
        shop.login("nobody@example.com", "not the password").await.expect(429);
        assert_eq!(versions(&shop).await, before);
    }

    async fn a_thousand_guesses_at_once_are_almost_all_refused_unchecked(shop: Shop) {
        shop.register("ada@example.com").await;
        let all = (0..1000).map(|_| shop.login("ada@example.com", "not the password"));
        let replies = futures_util::future::join_all(all).await;
        let checked = replies.iter().filter(|reply| reply.status == 401).count();
        assert!(checked <= 13, "{checked} guesses were checked");
        assert!(replies.iter().all(|reply| matches!(reply.status.as_u16(), 401 | 429)));
        shop.test.advance(Duration::from_mins(5));
        shop.login("ada@example.com", PASSWORD).await.expect(200);
    }
}

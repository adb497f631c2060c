use std::time::Duration;

use serde_json::json;

use crate::story;
use crate::support::{OTHER_PASSWORD, PASSWORD, Tokens, text};

story! {
    async fn refreshing_gives_the_next_token_and_the_old_one_is_used(shop: Shop) {
        let first = shop.register("ada@example.com").await;
        shop.test.advance(Duration::from_mins(4));
        let second = Tokens(shop.refresh(first.refresh()).await.expect(200).body);
        assert_ne!(second.refresh(), first.refresh());
        assert_eq!(second.session(), first.session());
        shop.bearer(second.access()).get("/v1/me").await.expect(200);
        let third = Tokens(shop.refresh(second.refresh()).await.expect(200).body);
        assert_ne!(third.refresh(), second.refresh());
    }

    async fn a_lost_answer_is_given_again(shop: Shop) {
        let first = shop.register("ada@example.com").await;
        let second = Tokens(shop.refresh(first.refresh()).await.expect(200).body);
        shop.test.advance(Duration::from_secs(9));
        let again = Tokens(shop.refresh(first.refresh()).await.expect(200).body);
        assert_eq!(again.refresh(), second.refresh());
        shop.refresh(again.refresh()).await.expect(200);
    }

    async fn a_used_token_ends_the_family(shop: Shop) {
        let first = shop.register("ada@example.com").await;
        let second = Tokens(shop.refresh(first.refresh()).await.expect(200).body);
        shop.test.advance(Duration::from_secs(11));
        // The thief comes with the stolen, used one.
        let reply = shop.refresh(first.refresh()).await.expect(401);
        assert_eq!(reply.slug(), "invalid-refresh-token");
        shop.refresh(second.refresh()).await.expect(401);
        shop.poll_revocations().await;
        let reply = shop.bearer(second.access()).get("/v1/me").await.expect(401);
        assert_eq!(reply.slug(), "invalid-token");
        let events = shop.events().await;
        let last = events.last().unwrap();
        assert_eq!(last.event_type, "mercat.identity.SessionRevoked.v1");
        shop.login("ada@example.com", PASSWORD).await.expect(200);
    }

    async fn a_token_from_generations_ago_ends_the_family(shop: Shop) {
        let first = shop.register("ada@example.com").await;
        let mut newest = first.refresh().to_owned();
        for _ in 0..4 {
            newest = text(&shop.refresh(&newest).await.expect(200).body["refresh_token"]);
        }
        shop.refresh(first.refresh()).await.expect(401);
        shop.refresh(&newest).await.expect(401);
    }

    async fn fifty_refreshes_at_once_leave_one_successor(shop: Shop) {
        let first = shop.register("ada@example.com").await;
        let all = (0..50).map(|_| shop.refresh(first.refresh()));
        let mut tokens: Vec<_> = futures_util::future::join_all(all)
            .await
            .into_iter()
            .map(|reply| text(&reply.expect(200).body["refresh_token"]))
            .collect();
        tokens.dedup();
        assert_eq!(tokens.len(), 1);
        shop.refresh(&tokens[0]).await.expect(200);
    }

    async fn a_made_up_token_ends_nobodys_session(shop: Shop) {
        let first = shop.register("ada@example.com").await;
        let mut forged = first.refresh().to_owned();
        let last = if forged.ends_with('A') { "B" } else { "A" };
        forged.replace_range(forged.len() - 1.., last);
        shop.refresh(&forged).await.expect(401);
        shop.refresh("rt_nonsense").await.expect(401);
        shop.refresh(first.refresh()).await.expect(200);
    }

    async fn a_session_ends_when_it_is_idle(shop: Shop) {
        let first = shop.register("ada@example.com").await;
        shop.test.advance(Duration::from_hours(24 * 30));
        shop.refresh(first.refresh()).await.expect(401);
        shop.turn("identity.sessions").await;
        shop.test.advance(Duration::from_secs(1));
        shop.turn("identity.sessions").await;
        let rows = shop.executor.store();
        let query = platform::store::Query::new(10);
        assert!(rows.list::<identity::domain::Session>(query).await.unwrap().is_empty());
    }

    async fn an_access_token_lives_five_minutes(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        let me = shop.bearer(tokens.access());
        shop.test.advance(Duration::from_secs(299));
        me.get("/v1/me").await.expect(200);
        shop.test.advance(Duration::from_secs(10));
        me.get("/v1/me").await.expect(401);
    }

    async fn signing_out_ends_the_session_and_may_be_repeated(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        let other = Tokens(shop.login("ada@example.com", PASSWORD).await.expect(200).body);
        let body = json!({"refresh_token": tokens.refresh()});
        shop.client.post("/v1/auth/logout", body.clone()).await.expect(204);
        shop.client.post("/v1/auth/logout", body).await.expect(204);
        shop.refresh(tokens.refresh()).await.expect(401);
        shop.refresh(other.refresh()).await.expect(200);
    }

    async fn sessions_are_listed_and_ended_by_their_owner_only(shop: Shop) {
        let ada = shop.register("ada@example.com").await;
        let second = Tokens(shop.login("ada@example.com", PASSWORD).await.expect(200).body);
        let eve = shop.register("eve@example.com").await;
        let listed = shop.bearer(second.access()).get("/v1/me/sessions").await.expect(200).body;
        let ids: Vec<_> = listed["items"].as_array().unwrap().iter().map(|s| text(&s["id"])).collect();
        assert_eq!(ids, [ada.session(), second.session()]);
        assert_eq!(listed["items"][1]["current"], true);
        let path = format!("/v1/me/sessions/{}", ada.session());
        let reply = shop.bearer(eve.access()).delete(&path).await.expect(404);
        assert_eq!(reply.slug(), "session-not-found");
        shop.bearer(second.access()).delete(&path).await.expect(204);
        shop.bearer(second.access()).delete(&path).await.expect(404);
        shop.poll_revocations().await;
        shop.bearer(ada.access()).get("/v1/me").await.expect(401);
        shop.bearer(second.access()).get("/v1/me").await.expect(200);
    }

    async fn ending_a_session_twice_with_one_key_is_answered_alike(shop: Shop) {
        let ada = shop.register("ada@example.com").await;
        let second = Tokens(shop.login("ada@example.com", PASSWORD).await.expect(200).body);
        let path = format!("/v1/me/sessions/{}", ada.session());
        let once = shop.bearer(second.access()).with("idempotency-key", "one");
        once.delete(&path).await.expect(204);
        let again = once.delete(&path).await.expect(204);
        assert_eq!(again.headers["idempotency-replayed"], "true");
        shop.bearer(second.access()).delete(&path).await.expect(404);
    }

    async fn a_new_password_ends_every_other_session(shop: Shop) {
        let mine = shop.register("ada@example.com").await;
        let other = Tokens(shop.login("ada@example.com", PASSWORD).await.expect(200).body);
        let me = shop.bearer(mine.access());
        let body = json!({"current_password": "not that one!!", "new_password": OTHER_PASSWORD});
        let reply = me.post("/v1/auth/password", body).await.expect(422);
        assert_eq!((reply.slug(), reply.fields()), ("wrong-password", vec!["current_password"]));
        let body = json!({"current_password": PASSWORD, "new_password": PASSWORD});
        assert_eq!(me.post("/v1/auth/password", body).await.expect(422).fields(), ["new_password"]);
        let body = json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD});
        me.post("/v1/auth/password", body).await.expect(204);
        shop.refresh(other.refresh()).await.expect(401);
        shop.refresh(mine.refresh()).await.expect(200);
        shop.login("ada@example.com", PASSWORD).await.expect(401);
        shop.login("ada@example.com", OTHER_PASSWORD).await.expect(200);
    }

    async fn an_account_has_fifty_sessions_at_most(shop: Shop) {
        let first = shop.register("ada@example.com").await;
        let second = Tokens(shop.login("ada@example.com", PASSWORD).await.expect(200).body);
        for _ in 0..49 {
            shop.login("ada@example.com", PASSWORD).await.expect(200);
        }
        let listed = shop.bearer(second.access()).get("/v1/me/sessions").await.expect(200).body;
        assert_eq!(listed["items"].as_array().unwrap().len(), 50);
        shop.refresh(first.refresh()).await.expect(401);
        shop.refresh(second.refresh()).await.expect(200);
    }

    async fn a_hash_with_other_costs_is_renewed_at_sign_in(shop: Shop) {
        shop.register("ada@example.com").await;
        let dearer = crate::support::cheap();
        let dearer = identity::Config { password_passes: 3, ..dearer };
        let replica = shop.replica(dearer);
        let hash = || async {
            let store = shop.executor.store();
            let found = store.by::<identity::domain::Account>("email", "ada@example.com").await;
            found.unwrap().unwrap().active().unwrap().credential.hash.clone()
        };
        assert!(hash().await.contains(",t=2,"));
        replica.login("ada@example.com", "not the password").await.expect(401);
        assert!(hash().await.contains(",t=2,"));
        let all = (0..3).map(|_| replica.login("ada@example.com", PASSWORD));
        for reply in futures_util::future::join_all(all).await {
            reply.expect(200);
        }
        assert!(hash().await.contains(",t=3,"));
        replica.login("ada@example.com", PASSWORD).await.expect(200);
        shop.login("ada@example.com", PASSWORD).await.expect(200);
    }

    async fn another_process_knows_the_same_keys_and_tokens(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        let replica = shop.replica(crate::support::cheap());
        replica.bearer(tokens.access()).get("/v1/me").await.expect(200);
        let next = Tokens(replica.refresh(tokens.refresh()).await.expect(200).body);
        shop.bearer(next.access()).get("/v1/me").await.expect(200);
        let again = Tokens(shop.refresh(tokens.refresh()).await.expect(200).body);
        assert_eq!(again.refresh(), next.refresh());
    }
}

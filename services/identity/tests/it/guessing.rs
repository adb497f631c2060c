use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use identity::adapters::tokens::JwtTokens;
use identity::application::register_customer::Registration;
use identity::application::{Identity, Settings};
use identity::domain::signing_key::Schedule;
use identity::domain::{Kind, Lifetimes, Password};
use identity::ports::{Asker, PasswordError, Passwords, Verdict};
use serde_json::{Value, json};

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

    async fn a_stranger_who_guesses_keeps_nobody_out_who_is_elsewhere(shop: Shop) {
        let owner = shop.client.with("mercat-client", "203.0.113.9/32");
        let stranger = shop.client.with("mercat-client", "198.51.100.7/32");
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let wrong = json!({"email": "ada@example.com", "password": "not the password"});
        owner.post("/v1/auth/register", body.clone()).await.expect(201);
        for _ in 0..30 {
            let reply = stranger.post("/v1/auth/login", wrong.clone()).await;
            assert!(matches!(reply.status.as_u16(), 401 | 429), "{reply:?}");
        }
        stranger.post("/v1/auth/login", body.clone()).await.expect(429);
        owner.post("/v1/auth/login", body.clone()).await.expect(200);
        let elsewhere = shop.client.with("mercat-client", "2001:db8::/64");
        elsewhere.post("/v1/auth/login", body).await.expect(200);
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

/// Hashes nothing, counts everything.
#[derive(Default)]
struct Counting(AtomicUsize);

#[async_trait]
impl Passwords for Counting {
    async fn hash(&self, _: &Asker, password: Password) -> Result<String, PasswordError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(password.expose().to_owned())
    }

    async fn verify(
        &self,
        _: &Asker,
        password: Password,
        hash: Option<String>,
    ) -> Result<Verdict, PasswordError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let right = hash.is_some_and(|hash| hash == password.expose());
        Ok(if right { Verdict::Right { outdated: false } } else { Verdict::Wrong })
    }
}

fn counted(shop: &crate::support::Shop) -> (Identity, Arc<Counting>) {
    let hour = Duration::from_hours(1);
    let lifetimes = Lifetimes { idle: hour, longest: hour, remember_revoked: hour };
    let life = Duration::from_mins(5);
    let settings = Settings {
        customer_sessions: lifetimes,
        staff_sessions: lifetimes,
        keys: Schedule { rotation: hour, publish_ahead: life, token_life: life },
        keys_ttl: Duration::ZERO,
        attempts_tracked: 100,
        one_time_password_life: hour,
    };
    let tokens = JwtTokens { issuer: "i".into(), audience: "a".into(), life }.shared();
    let counting = Arc::new(Counting::default());
    let identity = Identity::new(shop.executor.clone(), counting.clone(), tokens, settings);
    (identity, counting)
}

story! {
    async fn ten_thousand_guesses_cost_one_hash_each_or_none(shop: Shop) {
        let (identity, counting) = counted(&shop);
        let context = shop.context();
        let password = || Password::new(PASSWORD.to_owned());
        let ada: kernel::Email = "ada@example.com".parse().unwrap();
        let registration =
            Registration { email: ada.clone(), password: password(), name: None, locale: None };
        identity.register_customer(&context, None, registration).await.unwrap();
        for who in ["ada@example.com", "nobody@example.com"] {
            let before = counting.0.load(Ordering::Relaxed);
            let mut refused = 0;
            for _ in 0..10_000 {
                let guess = Password::new("not the password".to_owned());
                let who = who.parse().unwrap();
                let error = identity.sign_in(&context, None, Kind::Customer, who, guess).await;
                let error = error.err().unwrap();
                refused += usize::from(kernel::Business::slug(&error) == "too-many-attempts");
            }
            let hashed = counting.0.load(Ordering::Relaxed) - before;
            assert_eq!((hashed, refused), (5, 9_995), "{who}");
        }
        shop.test.advance(Duration::from_secs(1));
        identity.sign_in(&shop.context(), None, Kind::Customer, ada, password()).await.unwrap();
    }
}

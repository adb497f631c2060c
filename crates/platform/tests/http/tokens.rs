//! Access tokens and API keys: what is accepted, and for how long.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use kernel::Timestamp;
use kernel::id::{Uuid, encode};
use platform::auth::{
    AccountKind, ApiKeyGrant, AuthError, AuthSource, Authenticator, Claims, Revocations,
};
use platform::env::TestEnv;
use platform::testing::module_client;
use platform::{Env, Principal};
use serde_json::{Value, json};

use crate::app::{served, uuid};

struct Signer {
    kid: &'static str,
    pair: Ed25519KeyPair,
}

impl Signer {
    fn new(kid: &'static str, seed: u8) -> Self {
        Self { kid, pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap() }
    }

    fn jwk(&self) -> Value {
        let x = B64.encode(self.pair.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": x})
    }

    fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.kid})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message =
            format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()));
        let signature = B64.encode(self.pair.sign(message.as_bytes()).as_ref());
        format!("{message}.{signature}")
    }
}

#[derive(Default)]
struct Identity {
    jwks: Mutex<Vec<Value>>,
    jwks_asked: AtomicUsize,
    keys: Mutex<HashMap<String, ApiKeyGrant>>,
    keys_asked: AtomicUsize,
    revoked: Mutex<Vec<(Uuid, Timestamp)>>,
    down: std::sync::atomic::AtomicBool,
    now: Mutex<Option<TestEnv>>,
}

impl Identity {
    fn up(&self) -> Result<(), String> {
        if self.down.load(Ordering::SeqCst) { Err("down".into()) } else { Ok(()) }
    }
}

#[async_trait]
impl AuthSource for Identity {
    async fn jwks(&self) -> Result<String, String> {
        self.jwks_asked.fetch_add(1, Ordering::SeqCst);
        self.up()?;
        Ok(json!({"keys": *self.jwks.lock().unwrap()}).to_string())
    }
    async fn api_key(&self, key: &str) -> Result<Option<ApiKeyGrant>, String> {
        self.keys_asked.fetch_add(1, Ordering::SeqCst);
        self.up()?;
        Ok(self.keys.lock().unwrap().get(key).cloned())
    }
    async fn revoked_since(&self, since: Timestamp) -> Result<Revocations, String> {
        self.up()?;
        let all = self.revoked.lock().unwrap();
        let told: Vec<_> = all.iter().filter(|(_, at)| *at >= since).take(PAGE).collect();
        let sessions = told.iter().map(|(session, _)| *session).collect();
        let now = self.now.lock().unwrap().as_ref().unwrap().env.now();
        let as_of = told.last().filter(|_| told.len() == PAGE).map_or(now, |(_, at)| *at);
        Ok(Revocations { sessions, as_of })
    }
}

/// How many revocations are told at once.
const PAGE: usize = 1_000;

struct World {
    test: TestEnv,
    identity: std::sync::Arc<Identity>,
    authenticator: Authenticator,
    signer: Signer,
}

fn world() -> World {
    let test = Env::test();
    let identity = std::sync::Arc::new(Identity::default());
    *identity.now.lock().unwrap() = Some(test.clone());
    let signer = Signer::new("sig_1", 1);
    identity.jwks.lock().unwrap().push(signer.jwk());
    let authenticator = Authenticator::new(test.env.clone(), "https://shop", "mercat");
    authenticator.connect(identity.clone());
    World { test, identity, authenticator, signer }
}

impl World {
    fn claims(&self) -> Value {
        let now = self.test.env.now().as_seconds();
        serde_json::to_value(Claims {
            iss: "https://shop".into(),
            aud: "mercat".into(),
            sub: encode("acc", uuid(1)),
            sid: encode("ses", uuid(2)),
            kind: AccountKind::Staff,
            perms: vec!["orders:refund".into()],
            one_time: false,
            iat: now,
            exp: now + 300,
            jti: "t1".into(),
        })
        .unwrap()
    }

    fn token(&self) -> String {
        self.signer.sign(&self.signer.header(), &self.claims())
    }
}

fn with(mut value: Value, key: &str, other: impl Into<Value>) -> Value {
    match other.into() {
        Value::Null => {
            value.as_object_mut().unwrap().remove(key);
        }
        other => value[key] = other,
    }
    value
}

#[tokio::test]
async fn a_good_token_is_its_account_and_is_verified_once() {
    let world = world();
    let token = world.token();
    let expected = Principal::Staff {
        account: uuid(1),
        session: uuid(2),
        permissions: ["orders:refund".to_owned()].into(),
    };
    for _ in 0..3 {
        assert_eq!(world.authenticator.verify(&token).await, Ok(expected.clone()));
    }
    assert_eq!(world.identity.jwks_asked.load(Ordering::SeqCst), 1);
    let customer = with(with(world.claims(), "kind", "customer"), "perms", Value::Null);
    let token = world.signer.sign(&world.signer.header(), &customer);
    let expected = Principal::Customer { account: uuid(1), session: uuid(2) };
    assert_eq!(world.authenticator.verify(&token).await, Ok(expected));
}

#[tokio::test]
async fn a_token_of_a_one_time_password_allows_nothing_that_its_roles_allow() {
    let world = world();
    let claims = with(with(world.claims(), "one_time", true), "perms", json!(["*"]));
    let token = world.signer.sign(&world.signer.header(), &claims);
    let principal = world.authenticator.verify(&token).await.unwrap();
    assert_eq!(principal, Principal::OneTime { account: uuid(1), session: uuid(2) });
    assert!(!principal.allows("orders:refund") && !principal.is_staff());
    // It ends with its session, as every other.
    world.identity.revoked.lock().unwrap().push((uuid(2), world.test.env.now()));
    world.authenticator.refresh().await.unwrap();
    assert!(world.authenticator.verify(&token).await.is_err());
}

fn forged_headers(world: &World) -> Vec<(&'static str, Value)> {
    let header = || world.signer.header();
    vec![
        ("alg none", with(header(), "alg", "none")),
        ("alg HS256", with(header(), "alg", "HS256")),
        ("alg ES256", with(header(), "alg", "ES256")),
        ("typ JWT", with(header(), "typ", "JWT")),
        ("no typ", with(header(), "typ", Value::Null)),
        ("no kid", with(header(), "kid", Value::Null)),
        ("unknown kid", with(header(), "kid", "sig_2")),
        ("jku", with(header(), "jku", "https://evil/jwks")),
        ("x5u", with(header(), "x5u", "https://evil/x")),
        ("x5c", with(header(), "x5c", json!(["AAAA"]))),
        ("jwk", with(header(), "jwk", world.signer.jwk())),
        ("crit", with(header(), "crit", json!(["exp"]))),
    ]
}

fn forged_claims(world: &World) -> Vec<(&'static str, Value)> {
    let claims = || world.claims();
    let now = world.test.env.now().as_seconds();
    let lived = |from: i64, to: i64| with(with(claims(), "iat", now + from), "exp", now + to);
    vec![
        ("iss", with(claims(), "iss", "https://evil")),
        ("aud", with(claims(), "aud", "other")),
        ("aud list", with(claims(), "aud", json!(["mercat"]))),
        ("no exp", with(claims(), "exp", Value::Null)),
        ("exp text", with(claims(), "exp", "never")),
        ("expired", lived(-400, -100)),
        ("lives for ever", lived(0, 100_000)),
        ("ends before it begins", lived(0, -1)),
        ("exp at the end of time", with(claims(), "exp", i64::MAX)),
        ("from the future", lived(60, 90)),
        ("another kind of id", with(claims(), "sub", encode("ses", uuid(1)))),
        ("no session", with(claims(), "sid", Value::Null)),
        ("unknown kind", with(claims(), "kind", "root")),
    ]
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let world = world();
    let (header, claims, token) = (world.signer.header(), world.claims(), world.token());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let other_claims = B64.encode(with(claims.clone(), "perms", json!(["*"])).to_string());
    let head = message.split('.').next().unwrap();
    let mut forged = vec![
        ("another key of the same name", Signer::new("sig_1", 9).sign(&header, &claims)),
        ("no signature", format!("{message}.")),
        ("two parts", message.to_owned()),
        ("other claims", format!("{head}.{other_claims}.{signature}")),
        ("empty", String::new()),
        ("dots", "..".to_owned()),
        ("too long", "a".repeat(5000)),
    ];
    let sign = |what, header: &Value, claims: &Value| (what, world.signer.sign(header, claims));
    forged.extend(forged_headers(&world).iter().map(|(what, bad)| sign(*what, bad, &claims)));
    forged.extend(forged_claims(&world).iter().map(|(what, bad)| sign(*what, &header, bad)));
    for (what, token) in forged {
        let outcome = world.authenticator.verify(&token).await;
        let refused = matches!(outcome, Err(AuthError::Invalid(_) | AuthError::Expired));
        assert!(refused, "{what}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_token_ends_with_its_time_even_when_it_was_verified_before() {
    let world = world();
    let token = world.token();
    assert!(world.authenticator.verify(&token).await.is_ok());
    world.test.advance(Duration::from_secs(304));
    assert!(world.authenticator.verify(&token).await.is_ok(), "clocks may differ by 5 s");
    world.test.advance(Duration::from_secs(1));
    assert_eq!(world.authenticator.verify(&token).await, Err(AuthError::Expired));
}

#[tokio::test]
async fn a_revoked_session_ends_with_the_next_poll() {
    let world = world();
    let token = world.token();
    assert!(world.authenticator.verify(&token).await.is_ok());
    world.authenticator.refresh().await.unwrap();
    world.test.advance(Duration::from_secs(1));
    world.identity.revoked.lock().unwrap().push((uuid(2), world.test.env.now()));
    world.authenticator.refresh().await.unwrap();
    assert_eq!(world.authenticator.verify(&token).await, Err(AuthError::Revoked));
    // A fresh token of the same session is no way around.
    let again = world.signer.sign(&world.signer.header(), &with(world.claims(), "jti", "t2"));
    assert_eq!(world.authenticator.verify(&again).await, Err(AuthError::Revoked));
}

#[tokio::test]
async fn who_has_just_started_knows_what_was_revoked_by_a_clock_far_behind() {
    let world = world();
    let long_ago = world.test.env.now().minus(platform::auth::CLOCKS_APART * 2);
    world.identity.revoked.lock().unwrap().push((uuid(2), long_ago));
    world.authenticator.refresh().await.unwrap();
    assert_eq!(world.authenticator.verify(&world.token()).await, Err(AuthError::Revoked));
}

#[tokio::test]
async fn who_has_just_started_knows_all_that_was_revoked_however_much() {
    let world = world();
    let now = world.test.env.now();
    let others = (0..5_000_u32).map(|n| {
        let ago = Duration::from_secs(u64::from(5_400 - n));
        (uuid(100 + u128::from(n)), now.minus(ago))
    });
    let mut revoked: Vec<_> = others.collect();
    revoked.push((uuid(2), now));
    *world.identity.revoked.lock().unwrap() = revoked;
    world.authenticator.refresh().await.unwrap();
    assert_eq!(world.authenticator.verify(&world.token()).await, Err(AuthError::Revoked));
}

#[tokio::test]
async fn new_keys_are_fetched_when_needed_but_not_for_every_forgery() {
    let world = world();
    assert!(world.authenticator.verify(&world.token()).await.is_ok());
    let next = Signer::new("sig_2", 2);
    let token = next.sign(&next.header(), &world.claims());
    world.test.advance(Duration::from_secs(2));
    assert!(world.authenticator.verify(&token).await.is_err(), "not published yet");
    world.identity.jwks.lock().unwrap().push(next.jwk());
    world.test.advance(Duration::from_secs(2));
    assert!(world.authenticator.verify(&token).await.is_ok());
    let asked = world.identity.jwks_asked.load(Ordering::SeqCst);
    let forger = Signer::new("sig_3", 3);
    for _ in 0..50 {
        let _ = world.authenticator.verify(&forger.sign(&forger.header(), &world.claims())).await;
    }
    assert_eq!(world.identity.jwks_asked.load(Ordering::SeqCst), asked);
}

#[tokio::test]
async fn a_withdrawn_key_goes_with_a_later_poll() {
    let world = world();
    world.authenticator.refresh().await.unwrap();
    world.identity.jwks.lock().unwrap()[0] = Signer::new("sig_2", 2).jwk();
    world.test.advance(Duration::from_secs(31));
    world.authenticator.refresh().await.unwrap();
    let outcome = world.authenticator.verify(&world.token()).await;
    assert!(matches!(outcome, Err(AuthError::Invalid(_))), "{outcome:?}");
}

#[tokio::test]
async fn api_keys_are_asked_for_and_remembered_for_a_moment() {
    let world = world();
    let grant = ApiKeyGrant { key: uuid(7), permissions: vec!["catalog:write".into()] };
    world.identity.keys.lock().unwrap().insert("mk_good".into(), grant);
    let good = Principal::ApiKey { key: uuid(7), permissions: ["catalog:write".to_owned()].into() };
    for _ in 0..3 {
        assert_eq!(world.authenticator.verify("mk_good").await, Ok(good.clone()));
        assert_eq!(world.authenticator.verify("mk_bad").await, Err(AuthError::UnknownApiKey));
    }
    assert_eq!(world.identity.keys_asked.load(Ordering::SeqCst), 2);
    world.identity.keys.lock().unwrap().clear();
    world.test.advance(Duration::from_secs(2));
    assert_eq!(world.authenticator.verify("mk_good").await, Err(AuthError::UnknownApiKey));
}

#[tokio::test]
async fn who_cannot_be_checked_is_told_503_not_let_in() {
    let world = world();
    world.identity.down.store(true, Ordering::SeqCst);
    for credential in [world.token().as_str(), "mk_good"] {
        let outcome = world.authenticator.verify(credential).await;
        assert!(matches!(outcome, Err(AuthError::Unavailable(_))), "{outcome:?}");
    }
    let unconnected = Authenticator::new(world.test.env.clone(), "https://shop", "mercat");
    let outcome = unconnected.verify(&world.token()).await;
    assert!(matches!(outcome, Err(AuthError::Unavailable(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_bad_credential_is_never_anonymous() {
    let client = module_client(&served().module);
    for value in ["Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token x", "Bearer x y", "bearer ..."]
    {
        let client = client.with("authorization", value);
        let reply = client.get("/v1/things").await.expect(401);
        assert_eq!(reply.slug(), "invalid-token");
        assert_eq!(
            reply.headers["www-authenticate"],
            "Bearer realm=\"mercat\", error=\"invalid_token\""
        );
        let reply = client.post("/v1/sign-in", json!({})).await.expect(200);
        assert_eq!(reply.body["owner"], "anonymous");
    }
}

//! From an `Authorization` header to a principal.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::http::{HeaderMap, header};
use ahash::AHashMap;
use arc_swap::ArcSwap;
use kernel::id::Uuid;
use kernel::{Business, ErrorKind, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::cache::Cache;
use super::token::{self, Keys, Refusal, Verified};
use super::{API_KEY_PREFIX, AuthSource, CLOCKS_APART, MAX_LIFETIME};
use crate::bug;
use crate::context::Principal;
use crate::env::Env;
use crate::service::Task;

const MAX_TOKEN_BYTES: usize = 4096;
/// A revoked API key works for at most this much longer.
const API_KEY_FRESH: Duration = Duration::from_secs(2);
/// Tokens with unknown keys make us ask for keys at most this often.
const KEYS_PAUSE: Duration = Duration::from_secs(1);
/// Keys are fetched again this often, so that a withdrawn one goes.
const KEYS_FRESH: Duration = Duration::from_secs(30);
/// How often revocations are polled.
const POLL: Duration = Duration::from_secs(1);
/// Revocations are asked for with this much overlap: two of one moment may be committed apart.
const OVERLAP: Duration = Duration::from_secs(10);

/// How far back a process that has just started asks: a token that lives may have been issued by a
/// clock ahead of ours, and its session revoked by one that was behind.
const LOOK_BACK: Duration = MAX_LIFETIME.saturating_add(CLOCKS_APART.saturating_mul(2));
/// How long a revocation that was told is remembered. It is counted in time that passed: what clocks
/// show may jump.
const REMEMBERED: Duration = MAX_LIFETIME.saturating_add(CLOCKS_APART);
/// An answer with this many revocations may not be all of them.
const MANY: usize = 1_000;

/// Why a credential is not accepted. Each is 401, except that we may not be able to tell (503).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    #[error("The Authorization header must be given once, as: Bearer <token>.")]
    Scheme,
    #[error("The token has expired.")]
    Expired,
    #[error("The session of this token has ended.")]
    Revoked,
    #[error("The token {0}.")]
    Invalid(&'static str),
    #[error("There is no such API key, or it was revoked.")]
    UnknownApiKey,
    #[error("credentials cannot be checked: {0}")]
    Unavailable(String),
}

impl Business for AuthError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unavailable(_) => ErrorKind::Unavailable,
            _ => ErrorKind::Unauthenticated,
        }
    }
    fn slug(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "credentials-unavailable",
            _ => "invalid-token",
        }
    }
}

/// Verifies credentials, and remembers what it verified. One for each process is enough.
///
/// A token whose session was revoked is refused as soon as the next poll has seen it (1 s); while
/// identity cannot be reached, tokens that were issued before live on until they expire, at most
/// their own five minutes, and new ones cannot be had.
pub struct Authenticator {
    env: Env,
    issuer: String,
    audience: String,
    source: OnceLock<Arc<dyn AuthSource>>,
    keys: ArcSwap<Keys>,
    /// Monotonic time of the last fetch; holding it is the right to fetch.
    keys_fetched: Mutex<Option<Duration>>,
    /// Sessions that were revoked, and the monotonic time at which that was learnt.
    revoked: ArcSwap<AHashMap<Uuid, Duration>>,
    revoked_until: Mutex<Option<Timestamp>>,
    tokens: Cache<Box<str>, Verified>,
    api_keys: Cache<[u8; 32], (Option<Principal>, Duration)>,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authenticator({} for {})", self.issuer, self.audience)
    }
}

impl Authenticator {
    /// Accepts tokens of `issuer` for `audience`. Until [`Authenticator::connect`] it knows no key
    /// and can verify nothing: identity's own routes need one before identity exists.
    pub fn new(env: Env, issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            env,
            issuer: issuer.into(),
            audience: audience.into(),
            source: OnceLock::new(),
            keys: ArcSwap::default(),
            keys_fetched: Mutex::new(None),
            revoked: ArcSwap::default(),
            revoked_until: Mutex::new(None),
            tokens: Cache::new(),
            api_keys: Cache::new(),
        }
    }

    /// Says where keys and revocations come from. Only the first call counts.
    pub fn connect(&self, source: Arc<dyn AuthSource>) {
        if self.source.set(source).is_err() {
            tracing::warn!("the authenticator was connected twice; the first source stays");
        }
    }

    /// Who sent these headers. No `Authorization` header is [`Principal::Anonymous`]; a bad one is
    /// an error, never anonymous.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Principal, AuthError> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Ok(Principal::Anonymous);
        };
        if values.next().is_some() {
            return Err(AuthError::Scheme);
        }
        let (scheme, credential) =
            value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(AuthError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(AuthError::Scheme);
        }
        self.verify(credential.trim()).await
    }

    /// Who holds this token or API key.
    pub async fn verify(&self, credential: &str) -> Result<Principal, AuthError> {
        if credential.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Invalid("is too long"));
        }
        let now = self.env.now();
        if let Some(verified) = self.tokens.get(credential) {
            return self.still_good(credential, verified, now);
        }
        if credential.starts_with(API_KEY_PREFIX) {
            return self.verify_api_key(credential).await;
        }
        let verified = match self.check(credential, now) {
            Err(Refusal::UnknownKey) => {
                self.fetch_keys(KEYS_PAUSE).await?;
                self.check(credential, now)
            }
            other => other,
        };
        let verified = verified.map_err(|refusal| match refusal {
            Refusal::UnknownKey => AuthError::Invalid("is signed with an unknown key"),
            Refusal::Expired => AuthError::Expired,
            Refusal::Bad(what) => AuthError::Invalid(what),
        })?;
        self.tokens.put(credential.into(), verified.clone(), |v| v.expires > now);
        self.still_good(credential, verified, now)
    }

    /// Fetches what changed: revocations each time, keys when they are old. To be called every
    /// second; see [`Authenticator::task`].
    pub async fn refresh(&self) -> Result<(), AuthError> {
        let source = self.source()?;
        let mut until = self.revoked_until.lock().await;
        loop {
            let since =
                until.map_or_else(|| self.env.now().minus(LOOK_BACK), |at| at.minus(OVERLAP));
            let fresh = source.revoked_since(since).await.map_err(AuthError::Unavailable)?;
            *until = Some(fresh.as_of);
            let is_all = fresh.sessions.len() < MANY;
            if !self.note_revoked(fresh.sessions) || is_all {
                break;
            }
        }
        drop(until);
        self.fetch_keys(KEYS_FRESH).await
    }

    /// Whether one of them was news.
    fn note_revoked(&self, sessions: Vec<Uuid>) -> bool {
        let known = self.revoked.load();
        if sessions.iter().all(|session| known.contains_key(session)) {
            return false;
        }
        let now = self.env.clock.monotonic();
        let mut all: AHashMap<_, _> = known
            .iter()
            .filter(|(_, at)| now.saturating_sub(**at) < REMEMBERED)
            .map(|(session, at)| (*session, *at))
            .collect();
        for session in sessions {
            all.entry(session).or_insert(now);
        }
        self.revoked.store(Arc::new(all));
        true
    }

    /// The periodic work that keeps revocations and keys fresh.
    pub fn task(self: &Arc<Self>) -> Task {
        let authenticator = self.clone();
        Task::new("auth-refresh", POLL, move |_| {
            let authenticator = authenticator.clone();
            async move { authenticator.refresh().await.map_err(|error| error.to_string()) }
        })
    }

    /// For tests: whoever shows `token` is `principal`.
    pub(crate) fn admit(&self, token: &str, principal: Principal) {
        let session = match &principal {
            Principal::Customer { session, .. }
            | Principal::Staff { session, .. }
            | Principal::OneTime { session, .. } => Some(*session),
            _ => None,
        };
        let expires = Timestamp::from_micros(i64::MAX);
        self.tokens.put(token.into(), Verified { principal, session, expires }, |_| true);
    }

    fn check(&self, token: &str, now: Timestamp) -> Result<Verified, Refusal> {
        token::verify(token, &self.keys.load(), &self.issuer, &self.audience, now)
    }

    fn still_good(
        &self,
        credential: &str,
        verified: Verified,
        now: Timestamp,
    ) -> Result<Principal, AuthError> {
        let error = if now >= verified.expires {
            AuthError::Expired
        } else if verified.session.is_some_and(|s| self.revoked.load().contains_key(&s))
            && !bug::is("ignore-revocation")
        {
            AuthError::Revoked
        } else {
            return Ok(verified.principal);
        };
        self.tokens.remove(credential);
        Err(error)
    }

    async fn verify_api_key(&self, key: &str) -> Result<Principal, AuthError> {
        let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let now = self.env.clock.monotonic();
        let cached = self.api_keys.get(&digest);
        if let Some((principal, at)) = cached
            && now.saturating_sub(at) < API_KEY_FRESH
        {
            return principal.ok_or(AuthError::UnknownApiKey);
        }
        let grant = self.source()?.api_key(key).await.map_err(AuthError::Unavailable)?;
        let principal = grant.map(|grant| Principal::ApiKey {
            key: grant.key,
            permissions: grant.permissions.into(),
        });
        self.api_keys.put(digest, (principal.clone(), now), |(_, at)| {
            now.saturating_sub(*at) < API_KEY_FRESH
        });
        principal.ok_or(AuthError::UnknownApiKey)
    }

    /// Fetches keys unless that was done within `pause`. Callers at the same time wait for one
    /// fetch.
    async fn fetch_keys(&self, pause: Duration) -> Result<(), AuthError> {
        let mut fetched = self.keys_fetched.lock().await;
        let now = self.env.clock.monotonic();
        let recent = fetched.is_some_and(|at| now.saturating_sub(at) < pause);
        if recent && !self.keys.load().is_empty() {
            return Ok(());
        }
        let jwks = self.source()?.jwks().await.map_err(AuthError::Unavailable)?;
        let keys = Keys::parse(&jwks).map_err(AuthError::Unavailable)?;
        self.keys.store(Arc::new(keys));
        *fetched = Some(now);
        Ok(())
    }

    fn source(&self) -> Result<&Arc<dyn AuthSource>, AuthError> {
        self.source.get().ok_or_else(|| AuthError::Unavailable("no source is connected".to_owned()))
    }
}

//! A shop's identity service in process, with the cheapest password hash that is allowed.

use std::sync::Arc;
use std::time::Duration;

use contracts::auth_source::ContractAuthSource;
use contracts::identity::IdentityApi;
use identity::{Built, Config, Needs, Setup};
use platform::Context;
use platform::auth::Authenticator;
use platform::env::TestEnv;
use platform::executor::Executor;
use platform::service::{Base, Service};
use platform::testing::{self, Client, Reply};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

pub const PASSWORD: &str = "correct horse battery";
pub const STAFF_PASSWORD: &str = "brass kettles on the sill";
pub const OTHER_PASSWORD: &str = "staple the battery horse";

pub struct Shop {
    pub client: Client,
    pub test: TestEnv,
    pub executor: Executor,
    pub authenticator: Arc<Authenticator>,
    pub api: Arc<dyn IdentityApi>,
    pub service: Service,
    pub setup: Setup,
    /// E-mail address and one-time password of the first member of staff.
    pub owner: (String, String),
    /// Whether the owner has replaced it.
    owner_is_in: OnceCell<()>,
    #[expect(dead_code, reason = "the folder goes when the shop does")]
    folder: Option<tempfile::TempDir>,
}

/// Runs a story on the memory engine and on SQLite.
#[macro_export]
macro_rules! story {
    ($(async fn $name:ident($shop:ident: Shop) $body:block)+) => { $(
        async fn $name($shop: $crate::support::Shop) $body

        mod $name {
            #[tokio::test]
            async fn in_memory() {
                super::$name($crate::support::Shop::in_memory().await).await;
            }

            #[tokio::test]
            async fn in_sqlite() {
                super::$name($crate::support::Shop::in_sqlite().await).await;
            }
        }
    )+ };
}

impl Shop {
    pub async fn in_memory() -> Self {
        let (executor, test) = testing::executor_in_memory(&identity::schema());
        Self::open(executor, test, None).await
    }

    pub async fn in_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (executor, test) = testing::executor_in_sqlite(&identity::schema(), folder.path());
        Self::open(executor, test, Some(folder)).await
    }

    async fn open(executor: Executor, test: TestEnv, folder: Option<tempfile::TempDir>) -> Self {
        let (built, authenticator) = process(&executor, &test, cheap());
        let context = Context::background(&test.env, "test", Duration::from_mins(1));
        let first = built.setup.bootstrap(&context).await.unwrap().unwrap();
        assert!(built.setup.bootstrap(&context).await.unwrap().is_none(), "it happens once");
        let owner = (first.email.to_string(), first.password.expose().to_owned());
        let Built { service, api, setup } = built;
        let client = testing::module_client(&service.http);
        let owner_is_in = OnceCell::new();
        Self {
            client,
            test,
            executor,
            authenticator,
            api,
            service,
            setup,
            owner,
            owner_is_in,
            folder,
        }
    }

    /// Another process of the same service, on the same store.
    pub fn replica(&self, config: Config) -> Self {
        let (executor, test) = (self.executor.clone(), self.test.clone());
        let (Built { service, api, setup }, authenticator) = process(&executor, &test, config);
        let client = testing::module_client(&service.http);
        let owner = self.owner.clone();
        let owner_is_in = self.owner_is_in.clone();
        Self {
            client,
            test,
            executor,
            authenticator,
            api,
            service,
            setup,
            owner,
            owner_is_in,
            folder: None,
        }
    }

    pub async fn register(&self, email: &str) -> Tokens {
        let body = json!({"email": email, "password": PASSWORD});
        let reply = self.client.post("/v1/auth/register", body).await.expect(201);
        Tokens(reply.body)
    }

    pub async fn login(&self, email: &str, password: &str) -> Reply {
        let body = json!({"email": email, "password": password});
        self.client.post("/v1/auth/login", body).await
    }

    pub async fn staff_login(&self, email: &str, password: &str) -> Reply {
        let body = json!({"email": email, "password": password});
        self.client.post("/v1/auth/staff/login", body).await
    }

    pub async fn refresh(&self, refresh_token: &str) -> Reply {
        self.client.post("/v1/auth/refresh", json!({"refresh_token": refresh_token})).await
    }

    /// A client that shows a token or an API key.
    pub fn bearer(&self, credential: &str) -> Client {
        self.client.with("authorization", &format!("Bearer {credential}"))
    }

    pub async fn as_owner(&self) -> Client {
        let (email, one_time) = &self.owner;
        self.owner_is_in.get_or_init(|| self.replace(email, one_time)).await;
        let reply = self.staff_login(email, STAFF_PASSWORD).await.expect(200);
        self.bearer(Tokens(reply.body).access())
    }

    /// Replaces a one-time password by [`STAFF_PASSWORD`].
    pub async fn replace(&self, email: &str, one_time: &str) {
        let reply = self.staff_login(email, one_time).await.expect(200);
        let me = self.bearer(Tokens(reply.body).access());
        let body = json!({"current_password": one_time, "new_password": STAFF_PASSWORD});
        me.post("/v1/auth/password", body).await.expect(204);
    }

    /// A new member of staff with a role of exactly these permissions: its client and its ids.
    pub async fn staff_with(&self, name: &str, permissions: &[&str]) -> (Client, Staff) {
        let owner = self.as_owner().await;
        let body = json!({"name": name, "permissions": permissions});
        let role = owner.post("/v1/admin/roles", body).await.expect(201).body;
        let email = format!("{name}@example.com");
        let body = json!({"email": email, "roles": [role["id"]]});
        let made = owner.post("/v1/admin/accounts", body).await.expect(201).body;
        self.replace(&email, &text(&made["one_time_password"])).await;
        let password = STAFF_PASSWORD.to_owned();
        let reply = self.staff_login(&email, &password).await.expect(200);
        let tokens = Tokens(reply.body);
        let staff = Staff {
            account: text(&made["account"]["id"]),
            role: text(&role["id"]),
            email,
            password,
            refresh: tokens.refresh().to_owned(),
        };
        (self.bearer(tokens.access()), staff)
    }

    pub fn context(&self) -> Context {
        Context::background(&self.test.env, "test", Duration::from_mins(1))
    }

    /// What a service's authenticator does every second.
    pub async fn poll_revocations(&self) {
        self.authenticator.refresh().await.unwrap();
    }

    /// Runs a periodic task of the service once.
    pub async fn turn(&self, task: &str) {
        let task = self.service.tasks.iter().find(|known| known.name == task).unwrap();
        task.turn(&self.test.env, "identity").await.unwrap();
    }

    /// Events that wait to be published, as (type, aggregate id).
    pub async fn events(&self) -> Vec<platform::event::Envelope> {
        self.executor.store().outbox(1000).await.unwrap()
    }
}

fn process(executor: &Executor, test: &TestEnv, config: Config) -> (Built, Arc<Authenticator>) {
    let env = test.env.clone();
    let authenticator = Authenticator::new(env.clone(), &config.issuer, &config.audience);
    let authenticator = Arc::new(authenticator);
    let base =
        Base { env: env.clone(), executor: executor.clone(), authenticator: authenticator.clone() };
    let built = identity::build(Needs { base, config }).unwrap();
    let source = ContractAuthSource::new(built.api.clone(), env, "test");
    authenticator.connect(Arc::new(source));
    (built, authenticator)
}

pub struct Staff {
    pub account: String,
    pub role: String,
    pub email: String,
    pub password: String,
    pub refresh: String,
}

/// The answer of whatever signs in.
pub struct Tokens(pub Value);

impl Tokens {
    pub fn access(&self) -> &str {
        self.0["access_token"].as_str().unwrap()
    }

    pub fn refresh(&self) -> &str {
        self.0["refresh_token"].as_str().unwrap()
    }

    pub fn session(&self) -> &str {
        self.0["session_id"].as_str().unwrap()
    }
}

pub fn cheap() -> Config {
    Config {
        password_memory_kib: 19 * 1024,
        password_passes: 2,
        password_parallelism: 2,
        ..Config::default()
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}

pub fn address(line: &str) -> Value {
    json!({"address": {"name": "Ada", "line1": line, "city": "Berlin", "country": "DE"}})
}

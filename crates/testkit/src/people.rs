//! Who acts in a story.

use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::shop::Shop;

pub const FIRST_STAFF: &str = "admin@mercat.local";

/// Good for everybody here: it is long, and on no list.
pub const PASSWORD: &str = "seven quiet herons by the weir";

/// The owner of the shop.
#[derive(Clone, Debug)]
pub struct Staff {
    pub account: String,
    /// Ends after some minutes.
    pub access_token: String,
    /// An API key that may do everything and does not end.
    pub key: String,
}

impl Staff {
    /// Signs in with the printed password, replaces it, and makes an API key.
    pub async fn first(shop: &Shop) -> Self {
        let printed = shop.first_password().await;
        Self::with_printed(&shop.client(), &printed).await
    }

    /// [`Staff::first`] of a shop that was started in another way.
    pub async fn with_printed(client: &Client, printed: &str) -> Self {
        let tokens = first_login(client, FIRST_STAFF, printed).await;
        let access_token = tokens.text("/access_token");
        let key = api_key(&client.with_token(&access_token), &["*"]).await;
        Self { account: tokens.text("/account_id"), access_token, key }
    }
}

pub async fn staff_login(client: &Client, email: &str, password: &str) -> Reply {
    let body = json!({ "email": email, "password": password });
    client.anonymous().post("/v1/auth/staff/login", &body).await
}

/// Replaces a one-time password, which is good for nothing else, and signs in with [`PASSWORD`].
pub async fn first_login(client: &Client, email: &str, one_time: &str) -> Reply {
    let tokens = staff_login(client, email, one_time).await.expect_status(200);
    assert_eq!(tokens.body["password_change_required"], true, "{tokens}");
    let signed_in = client.with_token(tokens.text("/access_token"));
    let change = json!({ "current_password": one_time, "new_password": PASSWORD });
    signed_in.post("/v1/auth/password", &change).await.expect_status(204);
    let tokens = staff_login(client, email, PASSWORD).await.expect_status(200);
    assert_eq!(tokens.body["password_change_required"], false, "{tokens}");
    tokens
}

/// A new API key that may do only this.
pub async fn api_key(admin: &Client, permissions: &[&str]) -> String {
    let body = json!({ "name": "a story's", "permissions": permissions });
    admin.post("/v1/admin/api-keys", &body).await.expect_status(201).text("/key")
}

/// A colleague with a role of their own that may do only this.
pub async fn colleague(admin: &Client, permissions: &[&str]) -> Client {
    let role = json!({ "name": unique("role"), "permissions": permissions });
    let role = admin.post("/v1/admin/roles", &role).await.expect_status(201).id();
    let email = email("colleague");
    let body = json!({ "email": email, "roles": [role] });
    let made = admin.post("/v1/admin/accounts", &body).await.expect_status(201);
    let password = made.text("/one_time_password");
    let tokens = first_login(admin, &email, &password).await;
    admin.with_token(tokens.text("/access_token"))
}

/// Somebody with an account.
#[derive(Clone)]
pub struct Customer {
    pub account: String,
    pub email: String,
    pub refresh_token: String,
    /// Signed in.
    pub client: Client,
}

impl Customer {
    /// Registers under an address that nobody else of this run has.
    pub async fn register(client: &Client) -> Self {
        let email = email("buyer");
        let body = json!({ "email": email, "password": PASSWORD });
        let reply = client.anonymous().post("/v1/auth/register", &body).await.expect_status(201);
        Self::of(client, email, &reply)
    }

    pub async fn login(client: &Client, email: &str) -> Self {
        let body = json!({ "email": email, "password": PASSWORD });
        let reply = client.anonymous().post("/v1/auth/login", &body).await.expect_status(200);
        Self::of(client, email.to_owned(), &reply)
    }

    fn of(client: &Client, email: String, tokens: &Reply) -> Self {
        Self {
            account: tokens.text("/account_id"),
            email,
            refresh_token: tokens.text("/refresh_token"),
            client: client.with_token(tokens.text("/access_token")),
        }
    }
}

/// A word that no other part of this run uses.
pub fn unique(word: &str) -> String {
    let id = platform::Env::system().uuid().simple().to_string();
    // Times come first in these ids; the random end tells two of one millisecond apart.
    format!("{word}-{}", &id[18..])
}

pub fn email(who: &str) -> String {
    format!("{}@example.com", unique(who))
}

/// Where parcels go.
pub fn address(country: &str) -> Value {
    json!({
        "name": "Ada Lovelace",
        "line1": "Weir Lane 7",
        "city": "Odderby",
        "postal_code": "10115",
        "country": country,
    })
}

//! The owner of a shop: signs in with the printed password and makes an API key, because access
//! tokens end after some minutes and a long measurement does not.

use serde::Deserialize;

use crate::Outcome;
use crate::client::{Connection, Reply};
use crate::shop::{Home, Shop};

const PASSWORD: &str = "nine brass kettles on the sill";
const KEY_FILE: &str = "admin-key";

/// A connection whose requests carry the owner's key.
pub struct Admin {
    connection: Connection,
    authorization: String,
}

#[derive(Deserialize)]
struct Tokens<'a> {
    access_token: &'a str,
}

#[derive(Deserialize)]
struct Key<'a> {
    key: &'a str,
}

impl Admin {
    /// The first call for a home makes the key; later ones read it from there.
    pub async fn of(home: &Home, shop: &Shop) -> Outcome<Self> {
        let path = home.path(KEY_FILE);
        let key = if let Ok(key) = std::fs::read_to_string(&path) {
            key
        } else {
            let key = make_key(home, shop).await?;
            std::fs::write(&path, &key).map_err(|error| format!("{KEY_FILE}: {error}"))?;
            key
        };
        Ok(Self { connection: shop.connect(), authorization: format!("Bearer {key}") })
    }

    pub fn token(&self) -> &str {
        self.authorization.trim_start_matches("Bearer ")
    }

    /// Anything but the expected status is an error.
    pub async fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
        status: u16,
    ) -> Outcome<Reply<'_>> {
        let headers = [("authorization", self.authorization.as_str())];
        let reply = self.connection.ask(method, path, &headers, body).await;
        let reply = reply.map_err(|error| format!("{method} {path}: {error}"))?;
        reply.expect(status).map_err(|error| format!("{method} {path} {error}"))
    }
}

async fn make_key(home: &Home, shop: &Shop) -> Outcome<String> {
    let printed = home.printed();
    let (email, password) = first_login(&printed).ok_or("the shop printed no staff password")?;
    let mut connection = shop.connect();
    let token = sign_in(&mut connection, email, password).await?;
    let change = serde_json::json!({ "current_password": password, "new_password": PASSWORD });
    post(&mut connection, "/v1/auth/password", &token, &change.to_string(), 204).await?;
    let token = sign_in(&mut connection, email, PASSWORD).await?;
    let body = r#"{"name":"benchmark","permissions":["*"]}"#;
    let reply = post(&mut connection, "/v1/admin/api-keys", &token, body, 201).await?;
    Ok(reply.parse::<Key<'_>>()?.key.to_owned())
}

async fn sign_in(connection: &mut Connection, email: &str, password: &str) -> Outcome<String> {
    let body = serde_json::json!({ "email": email, "password": password }).to_string();
    let reply = post(connection, "/v1/auth/staff/login", "", &body, 200).await?;
    Ok(reply.parse::<Tokens<'_>>()?.access_token.to_owned())
}

async fn post<'a>(
    connection: &'a mut Connection,
    path: &str,
    token: &str,
    body: &str,
    status: u16,
) -> Outcome<Reply<'a>> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let headers = if token.is_empty() { &[] } else { &headers[..] };
    let reply = connection.ask("POST", path, headers, body).await;
    let reply = reply.map_err(|error| format!("POST {path}: {error}"))?;
    reply.expect(status).map_err(|error| format!("POST {path} {error}"))
}

/// `  staff      EMAIL  password: PASSWORD  (…)`
fn first_login(printed: &str) -> Option<(&str, &str)> {
    let line = printed.lines().find(|line| line.contains("password: "))?;
    let (before, after) = line.split_once("password: ")?;
    Some((before.split_whitespace().last()?, after.split_whitespace().next()?))
}

#[cfg(test)]
mod tests {
    use super::first_login;

    #[test]
    fn the_first_login_is_found_among_what_was_printed() {
        let printed = "Mercat is ready\n  staff      a@b.c  password: x-y-z  (shown only now)\n";
        assert_eq!(first_login(printed), Some(("a@b.c", "x-y-z")));
        assert_eq!(first_login("ready\n"), None);
    }
}

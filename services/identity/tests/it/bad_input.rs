//! Each route against bodies of the wrong shape: a 4xx that names the field, never a 5xx.

use platform::testing::Client;
use serde_json::{Value, json};

use crate::story;
use crate::support::{Shop, text};

/// Routes with a body: method, path, and a body that is good.
async fn routes(shop: &Shop) -> Vec<(&'static str, String, Value, Client)> {
    let customer = shop.register("ada@example.com").await;
    let me = shop.bearer(customer.access());
    let added = me
        .post("/v1/me/addresses", crate::support::address("Street 1"))
        .await
        .expect(201);
    let owner = shop.as_owner().await;
    let body = json!({"name": "support", "permissions": []});
    let role = owner.post("/v1/admin/roles", body).await.expect(201).body;
    let login = json!({"email": "bob@example.com", "password": "a long enough one"});
    let address = crate::support::address("Street 1");
    let account = text(&customer.0["account_id"]);
    let (any, role) = (&shop.client, text(&role["id"]));
    vec![
        (
            "POST",
            "/v1/auth/register".into(),
            login.clone(),
            any.clone(),
        ),
        ("POST", "/v1/auth/login".into(), login.clone(), any.clone()),
        ("POST", "/v1/auth/staff/login".into(), login, any.clone()),
        (
            "POST",
            "/v1/auth/refresh".into(),
            json!({"refresh_token": "rt"}),
            any.clone(),
        ),
        (
            "POST",
            "/v1/auth/logout".into(),
            json!({"refresh_token": "rt"}),
            any.clone(),
        ),
        (
            "POST",
            "/v1/auth/password".into(),
            json!({"current_password": "a long enough one", "new_password": "another long one"}),
            me.clone(),
        ),
        (
            "PATCH",
            "/v1/me".into(),
            json!({"name": "x", "locale": "en"}),
            me.clone(),
        ),
        (
            "POST",
            "/v1/me/addresses".into(),
            address.clone(),
            me.clone(),
        ),
        (
            "PUT",
            format!("/v1/me/addresses/{}", text(&added.body["id"])),
            address,
            me,
        ),
        (
            "POST",
            "/v1/admin/accounts".into(),
            json!({"email": "new@example.com", "name": "x", "roles": []}),
            owner.clone(),
        ),
        (
            "PATCH",
            format!("/v1/admin/accounts/{account}"),
            json!({"roles": [], "disabled": false}),
            owner.clone(),
        ),
        (
            "POST",
            "/v1/admin/roles".into(),
            json!({"name": "x", "description": "x", "permissions": ["orders:read"]}),
            owner.clone(),
        ),
        (
            "PATCH",
            format!("/v1/admin/roles/{role}"),
            json!({"name": "x", "description": "x", "permissions": []}),
            owner.clone(),
        ),
        (
            "POST",
            "/v1/admin/api-keys".into(),
            json!({"name": "x", "permissions": ["orders:read"], "expires_at": "2030-01-01T00:00:00Z"}),
            owner,
        ),
    ]
}

/// Values that are wrong for every field there is.
fn wrong_values() -> Vec<Value> {
    vec![
        json!(0),
        json!(-1),
        json!(1e300),
        json!(""),
        json!([[]]),
        json!({"a": {}}),
        json!("x".repeat(3000)),
        json!("line\nbreak"),
        json!("nul\u{0}"),
        json!(vec!["x"; 200]),
    ]
}

story! {
    async fn every_wrong_value_of_every_field_is_refused_by_name(shop: Shop) {
        for (method, path, good, client) in routes(&shop).await {
            let names: Vec<String> = good.as_object().unwrap().keys().cloned().collect();
            for name in names {
                for wrong in wrong_values() {
                    // A description may be empty, of several lines, or of one; a password may
                    // hold a line break.
                    let text = wrong.as_str().is_some_and(|t| t.len() < 500 && !t.contains('\0'));
                    let free = name == "description"
                        || (text && (name.contains("password") || name == "refresh_token"));
                    if free && text {
                        continue;
                    }
                    let mut body = good.clone();
                    body[&name] = wrong.clone();
                    let shown: String = body.to_string().chars().take(200).collect();
                    let reply = client.send(method.parse().unwrap(), &path, Some(body)).await;
                    let status = reply.status.as_u16();
                    assert!(matches!(status, 400 | 422), "{method} {path} {shown}: {status} {}", reply.body);
                    let named = reply.fields().iter().any(|field| field.starts_with(&name));
                    assert!(named, "{method} {path} {shown}: {}", reply.body);
                }
            }
        }
    }

    async fn missing_unknown_and_broken_bodies_are_refused(shop: Shop) {
        for (method, path, good, client) in routes(&shop).await {
            let send = |body: Value| client.send(method.parse().unwrap(), &path, Some(body));
            let mut more = good.clone();
            more["surprise"] = json!(true);
            assert_eq!(send(more).await.expect(400).fields(), ["surprise"], "{method} {path}");
            for bad in [json!([]), json!("text"), json!(7), json!(null)] {
                send(bad).await.expect(400);
            }
            for broken in ["", "{", "{\"a\":", "\u{feff}{}", "{\"email\":\"\\ud800\"}"] {
                let mut request = http::Request::new(axum::body::Body::from(broken));
                *request.method_mut() = method.parse().unwrap();
                *request.uri_mut() = path.parse().unwrap();
                let json = http::HeaderValue::from_static("application/json");
                request.headers_mut().insert("content-type", json);
                client.request(request).await.expect(400);
            }
        }
        let reply = shop.client.post("/v1/auth/login", json!({"password": "x"})).await.expect(400);
        assert_eq!(reply.fields(), ["email"]);
    }

    async fn ids_of_the_wrong_form_are_refused(shop: Shop) {
        let owner = shop.as_owner().await;
        for (area, field) in [
            ("/v1/me/addresses/", "address_id"),
            ("/v1/me/sessions/", "session_id"),
            ("/v1/admin/accounts/", "account_id"),
            ("/v1/admin/roles/", "role_id"),
            ("/v1/admin/api-keys/", "key_id"),
        ] {
            for id in ["x", "ord_01h455vb4pex5vsknk084sn02q", "ACC_01h455vb4pex5vsknk084sn02q", "%C3%A4"] {
                let reply = if area.contains("sessions") {
                    owner.delete(&format!("{area}{id}")).await
                } else {
                    owner.get(&format!("{area}{id}")).await
                };
                assert_eq!(reply.expect(400).fields(), [field], "{area}{id}");
            }
        }
        for query in ["kind=robot", "limit=0", "limit=101", "limit=x", "email=x", "x=1", "kind=staff&kind=staff"] {
            owner.get(&format!("/v1/admin/accounts?{query}")).await.expect(400);
        }
    }

    async fn every_route_says_who_may_use_it(shop: Shop) {
        assert!(shop.service.http.routes.len() >= 25);
        let public = shop.service.http.routes.iter().filter(|r| r.access == platform::http::Access::Public);
        let paths: Vec<_> = public.map(|route| route.path.as_str()).collect();
        let mut expected = vec!["/.well-known/jwks.json", "/v1/auth/login", "/v1/auth/logout",
            "/v1/auth/refresh", "/v1/auth/register", "/v1/auth/staff/login"];
        let mut found = paths.clone();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}

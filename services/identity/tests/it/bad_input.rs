//! Each route against bodies of the wrong shape: a 4xx that names the field, never a 5xx.

use platform::testing::Client;
use serde_json::{Value, json};

use crate::story;
use crate::support::{Shop, text};

/// A route with a body: method, path, a body that is good, and who may send it.
type Route = (&'static str, String, Value, Client);

async fn routes(shop: &Shop) -> Vec<Route> {
    let customer = shop.register("ada@example.com").await;
    let me = shop.bearer(customer.access());
    let mut routes = open_routes(&shop.client);
    routes.extend(own_routes(me).await);
    routes.extend(admin_routes(shop.as_owner().await, &text(&customer.0["account_id"])).await);
    routes
}

fn open_routes(anybody: &Client) -> Vec<Route> {
    let login = json!({"email": "bob@example.com", "password": "a long enough one"});
    let refresh = json!({"refresh_token": "rt"});
    [
        ("/v1/auth/register", login.clone()),
        ("/v1/auth/login", login.clone()),
        ("/v1/auth/staff/login", login),
        ("/v1/auth/refresh", refresh.clone()),
        ("/v1/auth/logout", refresh),
    ]
    .map(|(path, body)| ("POST", path.to_owned(), body, anybody.clone()))
    .into()
}

async fn own_routes(me: Client) -> Vec<Route> {
    let address = crate::support::address("Street 1");
    let added = me.post("/v1/me/addresses", address.clone()).await.expect(201);
    let entry = format!("/v1/me/addresses/{}", text(&added.body["id"]));
    let passwords =
        json!({"current_password": "a long enough one", "new_password": "another long one"});
    [
        ("POST", "/v1/auth/password".to_owned(), passwords),
        ("PATCH", "/v1/me".to_owned(), json!({"name": "x", "locale": "en"})),
        ("POST", "/v1/me/addresses".to_owned(), address.clone()),
        ("PUT", entry, address),
    ]
    .map(|(method, path, body)| (method, path, body, me.clone()))
    .into()
}

async fn admin_routes(owner: Client, account: &str) -> Vec<Route> {
    let role = json!({"name": "support", "description": "x", "permissions": []});
    let made = owner.post("/v1/admin/roles", role.clone()).await.expect(201).body;
    let staff = json!({"email": "new@example.com", "name": "x", "roles": []});
    let key = json!({
        "name": "x", "permissions": ["orders:read"], "expires_at": "2030-01-01T00:00:00Z"
    });
    [
        ("POST", "/v1/admin/accounts".to_owned(), staff),
        ("PATCH", format!("/v1/admin/accounts/{account}"), json!({"roles": [], "disabled": false})),
        ("POST", "/v1/admin/roles".to_owned(), role.clone()),
        ("PATCH", format!("/v1/admin/roles/{}", text(&made["id"])), role),
        ("POST", "/v1/admin/api-keys".to_owned(), key),
    ]
    .map(|(method, path, body)| (method, path, body, owner.clone()))
    .into()
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

    async fn no_route_lets_in_whom_it_should_not(shop: Shop) {
        let id = platform::Principal::Customer {
            account: shop.test.env.uuid(),
            session: shop.test.env.uuid(),
        };
        let nobody = shop.client.clone();
        let customer = shop.client.as_(id);
        let staff = shop.client.as_(platform::Principal::Staff {
            account: shop.test.env.uuid(),
            session: shop.test.env.uuid(),
            permissions: ["catalog:*".to_owned()].into(),
        });
        let sample = "01h455vb4pex5vsknk084sn02q";
        for route in shop.service.http.routes.iter() {
            let path = route.path.replace("{address_id}", &format!("adr_{sample}"));
            let path = path.replace("{session_id}", &format!("ses_{sample}"));
            let path = path.replace("{account_id}", &format!("acc_{sample}"));
            let path = path.replace("{role_id}", &format!("role_{sample}"));
            let path = path.replace("{key_id}", &format!("mk_{sample}"));
            let body = (!route.method.is_safe()).then(|| json!({}));
            let send = |client: &Client| {
                let (client, method) = (client.clone(), route.method.clone());
                let (path, body) = (path.clone(), body.clone());
                async move { client.send(method, &path, body).await }
            };
            match &route.access {
                platform::http::Access::Public => {}
                platform::http::Access::Customer | platform::http::Access::Account => {
                    send(&nobody).await.expect(401);
                    // A token of an account that does not exist reaches nothing.
                    let status = send(&customer).await.status.as_u16();
                    assert!(matches!(status, 400 | 401 | 404), "{} {path}: {status}", route.method);
                }
                platform::http::Access::Staff | platform::http::Access::Permission(_) => {
                    send(&nobody).await.expect(401);
                    send(&customer).await.expect(403);
                    send(&staff).await.expect(403);
                }
            }
        }
    }
}

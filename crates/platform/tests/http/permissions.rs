//! Deny by default: a route says who may use it, or does not start.

use std::sync::Arc;

use platform::Principal;
use platform::auth::Authenticator;
use platform::http::module;
use platform::store::Schema;
use platform::testing::{executor_in_memory, module_client};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{deps, served, uuid};

pub fn staff(permissions: &[&str]) -> Principal {
    let permissions = permissions.iter().map(|p| (*p).to_owned()).collect();
    Principal::Staff { account: uuid(1), session: uuid(2), permissions }
}

#[tokio::test]
async fn every_principal_on_every_kind_of_route() {
    let served = served();
    let client = module_client(&served.module);
    let customer = Principal::Customer { account: uuid(3), session: uuid(4) };
    let key = Principal::ApiKey { key: uuid(5), permissions: ["things:*".to_owned()].into() };
    let matrix = [
        (Principal::Anonymous, [200, 401, 401, 401]),
        (customer, [200, 200, 403, 403]),
        (staff(&[]), [200, 200, 200, 403]),
        (staff(&["orders:write"]), [200, 200, 200, 403]),
        (staff(&["*"]), [200, 200, 200, 200]),
        (key, [200, 403, 200, 200]),
    ];
    for (principal, expected) in matrix {
        let client = client.as_(principal.clone());
        let got = [
            client.get("/v1/things").await,
            client.get("/v1/me").await,
            client.get("/v1/staff").await,
            client.put("/v1/things/thing_01h455vb4pex5vsknk084sn02q", Value::Null).await,
        ];
        assert_eq!(got.each_ref().map(|r| r.status.as_u16()), expected, "{principal:?}");
        for reply in got.iter().filter(|r| r.status == 401) {
            assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"mercat\"");
        }
    }
}

#[tokio::test]
async fn the_context_carries_who_asks_and_what_they_read() {
    let customer = Principal::Customer { account: uuid(3), session: uuid(4) };
    let client = module_client(&served().module).as_(customer.clone());
    let reply = client
        .with("accept-language", "de-CH, en;q=0.5")
        .with("x-request-id", "r1")
        .get("/v1/me")
        .await;
    assert_eq!(
        reply.expect(200).body,
        json!({"owner": customer.owner(), "request": "r1", "locales": ["de-CH", "en"]})
    );
}

#[utoipa::path(get, path = "/v1/open", responses((status = 200)))]
async fn undeclared() {}

#[utoipa::path(get, path = "/v1/open", responses((status = 200)), extensions(("x-permission" = json!("everyone"))))]
async fn unknown() {}

#[utoipa::path(get, path = "/v1/open", responses((status = 200)), extensions(("x-permission" = json!("staff")), ("x-auth" = json!("ignore"))))]
async fn contradicting() {}

fn refusal(routes: OpenApiRouter<()>) -> String {
    let (executor, test) = executor_in_memory(&Schema::new("test", &[]));
    let authenticator = Arc::new(Authenticator::new(test.env.clone(), "mercat", "mercat"));
    module("shop", routes, deps(&executor, &test, &authenticator)).unwrap_err().to_string()
}

#[tokio::test]
async fn a_route_without_a_known_declaration_does_not_start() {
    let fault = refusal(OpenApiRouter::new().routes(routes!(undeclared)));
    assert_eq!(fault, "shop: GET /v1/open: declares no x-permission");
    let fault = refusal(OpenApiRouter::new().routes(routes!(unknown)));
    assert!(fault.starts_with("shop: GET /v1/open: x-permission \"everyone\""), "{fault}");
    let fault = refusal(OpenApiRouter::new().routes(routes!(contradicting)));
    assert!(fault.starts_with("shop: GET /v1/open: x-auth"), "{fault}");
}

#[tokio::test]
async fn a_path_outside_of_the_document_is_not_served() {
    let (executor, test) = executor_in_memory(&Schema::new("test", &[]));
    let authenticator = Arc::new(Authenticator::new(test.env.clone(), "mercat", "mercat"));
    let routes = OpenApiRouter::new().route("/hidden", axum::routing::get(async || "here"));
    let module = module("shop", routes, deps(&executor, &test, &authenticator)).unwrap();
    module_client(&module).as_(staff(&["*"])).get("/hidden").await.expect(404);
}

//! The OpenAPI document tells what the layer does.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use platform::auth::Authenticator;
use platform::http::Routes;
use platform::store::Schema;
use platform::testing::{executor_in_memory, module_client};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{deps, served};

fn document() -> Value {
    serde_json::to_value(&*served().module.openapi).unwrap()
}

#[tokio::test]
async fn every_operation_tells_its_permission_and_its_refusals() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["x-permission"].is_string(), "{method} {path}");
            for status in ["400", "401", "403", "404", "422", "429", "500", "503", "504"] {
                let reference = operation["responses"][status]["$ref"].as_str().unwrap();
                let response = document.pointer(&reference[1..]).unwrap();
                assert_eq!(
                    response["content"]["application/problem+json"]["schema"]["$ref"],
                    "#/components/schemas/Problem"
                );
            }
            let writes = method != "get";
            for status in ["408", "409", "412", "413", "415"] {
                assert_eq!(operation["responses"].get(status).is_some(), writes, "{method} {path}");
            }
        }
    }
    let schemas = &document["components"]["schemas"];
    assert!(schemas["Problem"]["properties"]["type"].is_object());
    let field = schemas["Problem"]["properties"]["errors"]["items"]["$ref"].as_str().unwrap();
    assert!(document.pointer(&field[1..]).is_some(), "{field}");
}

#[tokio::test]
async fn credentials_are_told_by_kind_of_route() {
    let document = document();
    let security = |path: &str, method: &str| document["paths"][path][method]["security"].clone();
    assert_eq!(security("/v1/things", "get"), json!([{}, {"bearer": []}]));
    assert_eq!(security("/v1/me", "get"), json!([{"bearer": []}]));
    assert_eq!(security("/v1/sign-in", "post"), json!([]));
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[tokio::test]
async fn writes_tell_of_their_idempotency_key() {
    let document = document();
    let key = |path: &str, method: &str| {
        let parameters = document["paths"][path][method]["parameters"].as_array().cloned();
        parameters.unwrap_or_default().into_iter().find(|p| p["name"] == "Idempotency-Key")
    };
    assert_eq!(key("/v1/things", "post").unwrap()["required"], false);
    assert_eq!(key("/v1/payments", "post").unwrap()["required"], true);
    assert_eq!(key("/v1/things", "get"), None);
}

#[tokio::test]
async fn the_routes_are_handed_on_with_their_limits() {
    let routes = served().module.routes;
    let pay = routes.iter().find(|r| r.path == "/v1/payments").unwrap();
    assert_eq!((pay.body_limit, pay.operation_id.as_deref()), (200, Some("pay")));
    assert!(pay.writes());
}

#[utoipa::path(get, path = "/v1/number", responses((status = 200)), extensions(("x-permission" = json!("public"))))]
async fn number(State(number): State<u32>) -> Json<u32> {
    Json(number)
}

#[tokio::test]
async fn routes_that_are_described_once_serve_each_state_for_itself() {
    let routes = Routes::new("shop", OpenApiRouter::new().routes(routes!(number)));
    let serve = |state: u32| {
        let (executor, test) = executor_in_memory(&Schema::new("test", &[]));
        let authenticator = Arc::new(Authenticator::new(test.env.clone(), "mercat", "mercat"));
        routes.over(state, deps(&executor, &test, &authenticator)).unwrap()
    };
    let (one, two) = (serve(1), serve(2));
    assert!(Arc::ptr_eq(&one.openapi, &two.openapi));
    for (module, told) in [(&one, json!(1)), (&two, json!(2))] {
        let reply = module_client(module).get("/v1/number").await.expect(200);
        assert_eq!(reply.body, told);
    }
}

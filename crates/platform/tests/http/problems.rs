//! Whatever is wrong with a request, the answer is a problem that says where.

use axum::body::Body;
use http::{Method, Request, header};
use platform::testing::{Client, Reply, module_client};
use serde_json::{Value, json};

use crate::app::served;

fn client() -> Client {
    module_client(&served().module)
}

/// A POST of these bytes with this media type.
async fn post(
    client: &Client,
    path: &str,
    media_type: Option<&str>,
    body: impl Into<Body>,
) -> Reply {
    let mut request = Request::post(path);
    if let Some(media_type) = media_type {
        request = request.header(header::CONTENT_TYPE, media_type);
    }
    client.request(request.body(body.into()).unwrap()).await
}

fn check(reply: &Reply, status: u16, slug: &str, fields: &[&str]) {
    let told = format!("{} {}", reply.status, reply.body);
    assert_eq!(reply.status.as_u16(), status, "{told}");
    assert_eq!(reply.slug(), slug, "{told}");
    assert_eq!(reply.fields(), fields, "{told}");
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(reply.body["status"], status);
    assert_eq!(reply.body["request_id"], reply.headers["x-request-id"].to_str().unwrap());
    assert!(reply.body["title"].is_string() && reply.body["detail"].is_string(), "{told}");
}

/// Bodies that break a rule, and the field at fault.
const INVALID: [(&str, &str); 18] = [
    (r#"{"name":1}"#, "name"),
    ("{}", "name"),
    (r#"{"name":"a","nam":1}"#, "nam"),
    (r#"{"name":"a","name":"b"}"#, "name"),
    (r#"{"name":"x-x-x-x-x-x-x-x-x-x-x"}"#, "name"),
    (r#"{"name":""}"#, "name"),
    (r#"{"name":null}"#, "name"),
    (r#"{"name":"a","lines":[{"quantity":1},{"quantity":0}]}"#, "lines[1].quantity"),
    (r#"{"name":"a","lines":[{"quantity":-1}]}"#, "lines[0].quantity"),
    (r#"{"name":"a","lines":[{"quantity":1e99}]}"#, "lines[0].quantity"),
    (r#"{"name":"a","lines":[{"quantity":1,"x":2}]}"#, "lines[0].x"),
    (r#"{"name":"a","lines":[{}]}"#, "lines[0].quantity"),
    (r#"{"name":"a","lines":[[1]]}"#, "lines[0]"),
    (r#"{"name":"a\u0000"}"#, "name"),
    ("[]", "body"),
    (r#"["mug",[]]"#, "body"),
    ("null", "body"),
    ("", "body"),
];

const MALFORMED: [&str; 4] =
    [r#"{"name":"a""#, r#"{"name":"a"} x"#, r#"{"name":"a",}"#, r#"{"name":'a'}"#];

#[tokio::test]
async fn bad_bodies_name_the_field() {
    let client = client();
    for (body, field) in INVALID {
        let reply = post(&client, "/v1/things", Some("application/json"), body).await;
        check(&reply, 400, "invalid-request", &[field]);
    }
    for body in MALFORMED {
        let reply = post(&client, "/v1/things", Some("application/json"), body).await;
        assert_eq!((reply.status.as_u16(), reply.slug()), (400, "malformed-json"), "{body}");
    }
    let lines = json!({"name": "a", "lines": vec![json!({"quantity": 1}); 4]});
    check(&client.post("/v1/things", lines).await, 400, "invalid-request", &["lines"]);
}

#[tokio::test]
async fn broken_encodings_and_depth_are_refused() {
    let client = client();
    let json = Some("application/json");
    let reply = post(&client, "/v1/things", json, b"{\"name\":\"\xff\xfe\"}".to_vec()).await;
    assert_eq!(reply.status, 400, "{}", reply.body);
    let reply = post(&client, "/v1/things", json, b"{\"name\":\"\\ud800\"}".to_vec()).await;
    assert_eq!(reply.status, 400, "{}", reply.body);
    let deep = format!("{{\"name\":\"a\",\"lines\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let reply = post(&client, "/v1/things", json, deep).await;
    assert_eq!(reply.status, 400, "{}", reply.body);
}

#[tokio::test]
async fn other_media_types_are_415() {
    let client = client();
    for media_type in [None, Some("text/plain"), Some("application/json; charset=latin1"), Some("")]
    {
        let reply = post(&client, "/v1/things", media_type, r#"{"name":"a"}"#).await;
        check(&reply, 415, "unsupported-media-type", &["content-type"]);
    }
    for media_type in ["application/json; charset=UTF-8", "Application/JSON", "application/x+json"]
    {
        let reply = post(&client, "/v1/things", Some(media_type), r#"{"name":"a"}"#).await;
        reply.expect(201);
    }
}

#[tokio::test]
async fn bodies_over_the_route_s_limit_are_413_announced_or_not() {
    let client = client().with("idempotency-key", "k");
    let body = json!({"name": "a".repeat(300)}).to_string();
    let json = Some("application/json");
    check(&post(&client, "/v1/payments", json, body.clone()).await, 413, "body-too-large", &[]);
    let pieces = body
        .into_bytes()
        .chunks(50)
        .map(|c| Ok::<_, std::io::Error>(c.to_vec()))
        .collect::<Vec<_>>();
    let streamed = Body::from_stream(futures_util::stream::iter(pieces));
    check(&post(&client, "/v1/payments", json, streamed).await, 413, "body-too-large", &[]);
    let large = json!({"name": "a".repeat(300_000)});
    check(&client.post("/v1/things", large).await, 413, "body-too-large", &[]);
}

#[tokio::test]
async fn card_numbers_are_refused_before_anything_is_written() {
    let served = served();
    let reply = module_client(&served.module)
        .post("/v1/things", json!({"name": "4111 1111 1111 1111"}))
        .await;
    check(&reply, 422, "card-number-refused", &["name"]);
    assert!(!reply.body.to_string().contains("4111"));
    let reply = module_client(&served.module).get("/v1/things?cursor=4111111111111111").await;
    check(&reply, 422, "card-number-refused", &["cursor"]);
    assert_eq!(served.things().await, 0);
}

#[tokio::test]
async fn bad_parameters_name_themselves() {
    let client = client();
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=1&limit=1", "limit"),
        ("cursor=%ff", "cursor"),
        ("page=2", "page"),
    ] {
        let reply = client.get(&format!("/v1/things?{query}")).await;
        check(&reply, 400, "invalid-request", &[field]);
    }
    client.get("/v1/things?limit=100").await.expect(200);
}

#[tokio::test]
async fn bad_path_parameters_and_headers_name_themselves() {
    let client = client().as_(crate::permissions::staff(&["things:write"]));
    for id in ["x", "ord_01h455vb4pex5vsknk084sn02q", "thing_8zzzzzzzzzzzzzzzzzzzzzzzzz", "%ff"] {
        check(
            &client.put(&format!("/v1/things/{id}"), Value::Null).await,
            400,
            "invalid-request",
            &["id"],
        );
    }
    let good = "/v1/things/thing_01h455vb4pex5vsknk084sn02q";
    let reply = client.with("if-match", "3").put(good, Value::Null).await;
    check(&reply, 400, "invalid-request", &["if-match"]);
    let reply = client.with("if-match", "\"3\"").put(good, Value::Null).await.expect(200);
    assert_eq!(reply.version(), Some(3));
}

#[tokio::test]
async fn what_is_not_served_is_404_and_405_tells_what_is() {
    let client = client();
    check(&client.get("/v1/nothing").await, 404, "no-such-route", &[]);
    let reply = client.delete("/v1/things").await;
    check(&reply, 405, "method-not-allowed", &[]);
    assert_eq!(reply.headers[header::ALLOW], "GET, HEAD, POST");
    for path in
        ["/v1//things", "/v1/../v1/things", "/v1/%2e%2e/things", "/v1/things%2fx", "/v1/a%00"]
    {
        check(&client.get(path).await, 400, "invalid-request", &["path"]);
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let reply = client().send(Method::HEAD, "/v1/things", None).await.expect(200);
    assert_eq!(reply.body, Value::Null);
}

#[tokio::test]
async fn a_panic_is_500_and_keeps_its_text() {
    let client = client();
    check(&client.get("/v1/panic").await, 500, "internal", &[]);
    let reply = client.post("/v1/panic", json!({})).await;
    check(&reply, 500, "internal", &[]);
    assert!(!reply.body.to_string().contains("secret"));
}

#[tokio::test]
async fn a_deadline_is_504_and_the_gateway_may_shorten_it() {
    let client = client();
    check(&client.get("/v1/never").await, 504, "deadline-exceeded", &[]);
    let reply = client.with("mercat-deadline-ms", "0").get("/v1/never").await;
    check(&reply, 504, "deadline-exceeded", &[]);
}

#[tokio::test]
async fn a_write_goes_on_after_its_caller_was_told_504() {
    let served = served();
    let reply = module_client(&served.module).post("/v1/slow", json!({})).await;
    check(&reply, 504, "deadline-exceeded", &[]);
    let finished = || served.finished.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(finished(), 0);
    served.gate.notify_one();
    while finished() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_another_replaced() {
    let client = client();
    let reply = client.with("x-request-id", "order-page-7").get("/v1/things").await;
    assert_eq!(reply.headers["x-request-id"], "order-page-7");
    for insane in ["with space", &"x".repeat(65)] {
        let reply = client.with("x-request-id", insane).get("/v1/things").await;
        assert_eq!(reply.headers["x-request-id"].len(), 36);
    }
}

//! What a browser sees: the page at `/`, the API reference, the document behind it.

use std::fmt::Write as _;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use utoipa::openapi::OpenApi;

/// What runs here.
#[derive(Clone, Debug)]
pub struct About {
    pub version: String,
    pub topology: String,
    /// Name and what it does, in the order they are shown.
    pub services: Vec<(String, String)>,
    pub demo: bool,
}

/// The document as it is served now.
pub(crate) struct Document(ArcSwap<Page>);

impl Document {
    pub(crate) fn new(document: &OpenApi) -> Self {
        Self(ArcSwap::from_pointee(page_of(document)))
    }

    pub(crate) fn replace(&self, document: &OpenApi) {
        self.0.store(Arc::new(page_of(document)));
    }
}

fn page_of(document: &OpenApi) -> Page {
    let json = document.to_json().unwrap_or_else(|_| "{}".to_owned());
    Page::new("application/json", None, json.into_bytes())
}

pub(crate) fn router<S: Clone + Send + Sync + 'static>(
    document: Arc<Document>,
    about: &About,
) -> Router<S> {
    let index = html(index(about));
    let reference = html(REFERENCE.to_owned());
    let document =
        move |headers: HeaderMap| std::future::ready(answer(&document.0.load(), &headers));
    Router::new()
        .route("/", get(serve(index)))
        .route("/docs", get(serve(reference)))
        .route("/openapi.json", get(document))
        .route("/docs/swagger-ui-bundle.js", get(serve(gzipped("text/javascript", BUNDLE))))
        .route("/docs/swagger-ui.css", get(serve(gzipped("text/css", STYLE))))
        .route("/docs/reference.js", get(serve(Page::new("text/javascript", None, START.into()))))
}

const BUNDLE: &[u8] = include_bytes!("../assets/swagger-ui/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("../assets/swagger-ui/swagger-ui.css.gz");
const START: &str = include_str!("../assets/reference.js");
const REFERENCE: &str = include_str!("../assets/reference.html");
const INDEX: &str = include_str!("../assets/index.html");

struct Page {
    media_type: &'static str,
    encoding: Option<&'static str>,
    etag: HeaderValue,
    bytes: axum::body::Bytes,
}

impl Page {
    fn new(media_type: &'static str, encoding: Option<&'static str>, bytes: Vec<u8>) -> Self {
        // FNV-1a: tells one version of a page from another, no more is asked of it.
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let etag = HeaderValue::try_from(format!("\"{hash:016x}\"")).expect("hexadecimal digits");
        Self { media_type, encoding, etag, bytes: bytes.into() }
    }
}

fn html(text: String) -> Page {
    Page::new("text/html; charset=utf-8", None, text.into_bytes())
}

fn gzipped(media_type: &'static str, bytes: &'static [u8]) -> Page {
    Page::new(media_type, Some("gzip"), bytes.to_vec())
}

type Answer = std::future::Ready<Response>;

fn serve(page: Page) -> impl Fn(HeaderMap) -> Answer + Clone + Send + Sync + 'static {
    let page = Arc::new(page);
    move |headers: HeaderMap| std::future::ready(answer(&page, &headers))
}

fn answer(page: &Page, asked: &HeaderMap) -> Response {
    let known = asked.get(header::IF_NONE_MATCH) == Some(&page.etag);
    let mut response =
        Response::new(Body::from(if known { "".into() } else { page.bytes.clone() }));
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::ETAG, page.etag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(page.media_type));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Some(encoding) = page.encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Nothing is loaded from anywhere but here.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

fn index(about: &About) -> String {
    let mut rows = String::new();
    for (name, what) in &about.services {
        let _ = write!(
            rows,
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            escape(name),
            escape(what)
        );
    }
    let demo = if about.demo {
        "<p>The demo shop <em>Odderby</em> is loaded: <a href=\"/v1/products?currency=EUR\">its products</a>.</p>"
    } else {
        ""
    };
    INDEX
        .replace("{{version}}", &escape(&about.version))
        .replace("{{topology}}", &escape(&about.topology))
        .replace("{{services}}", &rows)
        .replace("{{demo}}", demo)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

//! What a browser sees: the page at `/`, the API reference, the document behind it.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, OnceLock};

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use platform::http::Module;
use utoipa::openapi::OpenApi;

use crate::openapi;

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
pub(crate) struct Document {
    version: String,
    written: ArcSwap<Written>,
}

/// Put together when somebody asks for it: most processes that start are asked for other things.
struct Written {
    parts: Vec<Arc<OpenApi>>,
    page: OnceLock<Page>,
}

impl Document {
    pub(crate) fn of(modules: &[Module], version: &str) -> Self {
        let written = ArcSwap::from_pointee(Written::of(modules));
        Self { version: version.to_owned(), written }
    }

    pub(crate) fn replace(&self, modules: &[Module]) {
        self.written.store(Arc::new(Written::of(modules)));
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let written = self.written.load();
        let page = written.page.get_or_init(|| {
            let document = openapi::merge(&written.parts, &self.version);
            let json = document.to_json().unwrap_or_else(|_| "{}".to_owned());
            Page::new("application/json", None, json.into())
        });
        answer(page, asked)
    }
}

impl Written {
    fn of(modules: &[Module]) -> Self {
        Self { parts: openapi::parts(modules), page: OnceLock::new() }
    }
}

pub(crate) fn router<S: Clone + Send + Sync + 'static>(
    document: Arc<Document>,
    about: &About,
) -> Router<S> {
    let index = Arc::new(html(index(about).into()));
    let document = move |headers: HeaderMap| std::future::ready(document.answer(&headers));
    Router::new()
        .route("/", get(async move |headers: HeaderMap| answer(&index, &headers)))
        .route("/docs", get(async |headers: HeaderMap| answer(&REFERENCE, &headers)))
        .route("/openapi.json", get(document))
        .route(
            "/docs/swagger-ui-bundle.js",
            get(async |headers: HeaderMap| answer(&BUNDLE, &headers)),
        )
        .route("/docs/swagger-ui.css", get(async |headers: HeaderMap| answer(&STYLE, &headers)))
        .route("/docs/reference.js", get(async |headers: HeaderMap| answer(&START, &headers)))
}

static BUNDLE: LazyLock<Page> = LazyLock::new(|| {
    let bytes = include_bytes!("../assets/swagger-ui/swagger-ui-bundle.js.gz");
    Page::new("text/javascript", Some("gzip"), Bytes::from_static(bytes))
});
static STYLE: LazyLock<Page> = LazyLock::new(|| {
    let bytes = include_bytes!("../assets/swagger-ui/swagger-ui.css.gz");
    Page::new("text/css", Some("gzip"), Bytes::from_static(bytes))
});
static START: LazyLock<Page> = LazyLock::new(|| {
    let bytes = include_bytes!("../assets/reference.js");
    Page::new("text/javascript", None, Bytes::from_static(bytes))
});
static REFERENCE: LazyLock<Page> =
    LazyLock::new(|| html(Bytes::from_static(include_bytes!("../assets/reference.html"))));
const INDEX: &str = include_str!("../assets/index.html");

struct Page {
    media_type: &'static str,
    encoding: Option<&'static str>,
    etag: HeaderValue,
    bytes: Bytes,
}

impl Page {
    fn new(media_type: &'static str, encoding: Option<&'static str>, bytes: Bytes) -> Self {
        // FNV-1a: tells one version of a page from another, no more is asked of it.
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let etag = HeaderValue::try_from(format!("\"{hash:016x}\"")).expect("hexadecimal digits");
        Self { media_type, encoding, etag, bytes }
    }
}

fn html(text: Bytes) -> Page {
    Page::new("text/html; charset=utf-8", None, text)
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

//! One OpenAPI 3.1 document of all services' routes, as they are now.

use std::sync::Arc;

use platform::http::Module;
use utoipa::openapi::{InfoBuilder, License, OpenApi, OpenApiBuilder};

/// The parts of the document, as the modules tell them now.
pub(crate) fn parts(modules: &[Module]) -> Vec<Arc<OpenApi>> {
    let part = |module: &Module| match module.changes() {
        Some(changes) => changes.current().openapi.clone(),
        None => module.openapi.clone(),
    };
    modules.iter().map(part).collect()
}

pub(crate) fn merge(parts: &[Arc<OpenApi>], version: &str) -> OpenApi {
    let license = {
        let mut license = License::new("Apache-2.0");
        license.identifier = Some("Apache-2.0".to_owned());
        license
    };
    let info = InfoBuilder::new()
        .title("Mercat")
        .version(version)
        .license(Some(license))
        .description(Some(
            "The shop's API. Amounts are integers in minor units with an ISO 4217 currency. Errors \
             are `application/problem+json` (RFC 9457) and name the fields at fault. Writes take an \
             `Idempotency-Key`; carts and products have an `ETag` for `If-Match`. Lists page with \
             `limit` and `cursor`.",
        ))
        .build();
    let mut document = OpenApiBuilder::new().info(info).build();
    for part in parts {
        document.merge(OpenApi::clone(part));
    }
    document
}

//! One OpenAPI 3.1 document of all services' routes, as they are now.

use platform::http::Module;
use utoipa::openapi::{InfoBuilder, License, OpenApi, OpenApiBuilder};

use crate::pages::About;

pub(crate) fn merge(modules: &[Module], about: &About) -> OpenApi {
    let license = {
        let mut license = License::new("Apache-2.0");
        license.identifier = Some("Apache-2.0".to_owned());
        license
    };
    let info = InfoBuilder::new()
        .title("Mercat")
        .version(&about.version)
        .license(Some(license))
        .description(Some(
            "The shop's API. Amounts are integers in minor units with an ISO 4217 currency. Errors \
             are `application/problem+json` (RFC 9457) and name the fields at fault. Writes take an \
             `Idempotency-Key`; carts and products have an `ETag` for `If-Match`. Lists page with \
             `limit` and `cursor`.",
        ))
        .build();
    let mut document = OpenApiBuilder::new().info(info).build();
    for module in modules {
        let described = module.changes().map(|changes| changes.current());
        let part = described.as_ref().map_or(&module.openapi, |described| &described.openapi);
        document.merge(part.clone());
    }
    document
}

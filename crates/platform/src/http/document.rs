//! What the layer does, told in the OpenAPI document: credentials, keys, every status that can
//! come back.

use ::http::Method;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, Content, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::route::parameters;
use super::{
    Access, IDEMPOTENCY_HEADER, IdempotencyRule, ProblemDocument, ProblemField, RouteInfo,
};

/// Statuses of refusals, what they mean, and whether only writes know them.
const REFUSALS: [(&str, &str, bool); 14] = [
    ("400", "The request is malformed, or a field breaks a rule.", false),
    ("401", "Nobody is signed in, or the token is no longer good.", false),
    ("403", "The caller lacks a permission.", false),
    ("404", "There is no such thing, or it is somebody else's.", false),
    ("408", "The body stopped coming.", true),
    (
        "409",
        "The state of the thing does not allow it, or the same request is still running.",
        true,
    ),
    ("412", "If-Match names a version that is no longer current.", true),
    ("413", "The body is larger than the route accepts.", true),
    ("415", "The body is not of an accepted media type.", true),
    (
        "422",
        "A rule of the business refuses it, or the idempotency key belongs to another request.",
        false,
    ),
    ("429", "Too many requests.", false),
    ("500", "A defect of ours.", false),
    ("503", "The service cannot answer right now. Safe to try again.", false),
    ("504", "The deadline passed before the answer was known.", false),
];

/// What the server itself refuses before a request is one: nothing stands in such an answer.
const HEAD_TOO_LARGE: &str = "431";

const SCHEME: &str = "bearer";

/// The operations of a path, by method.
pub(super) fn operations(item: &mut PathItem) -> Vec<(Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::DELETE, &mut item.delete),
        (Method::OPTIONS, &mut item.options),
        (Method::HEAD, &mut item.head),
        (Method::PATCH, &mut item.patch),
        (Method::TRACE, &mut item.trace),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
    .collect()
}

/// The parts that operations refer to.
pub(super) fn add_components(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert("Problem".to_owned(), ProblemDocument::schema());
    components.schemas.insert(ProblemField::name().into_owned(), ProblemField::schema());
    for (status, description, _) in REFUSALS {
        components.responses.insert(format!("Problem{status}"), refusal(description).into());
    }
    let head = ResponseBuilder::new()
        .description("The address and the headers are longer than the server reads.")
        .build();
    components.responses.insert("HeadTooLarge".to_owned(), head.into());
    let mut http = Http::new(HttpAuthScheme::Bearer);
    http.description = Some("An access token of `/v1/auth`, or an API key (`mk_…`).".to_owned());
    components.security_schemes.insert(SCHEME.to_owned(), SecurityScheme::Http(http).into());
}

/// Adds to one operation what the layer adds to its route.
pub(super) fn describe(operation: &mut Operation, route: &RouteInfo) {
    let bearer = SecurityRequirement::new::<_, [&str; 0], &str>(SCHEME, []);
    operation.security = Some(match route.access {
        Access::Public if route.ignores_credentials => Vec::new(),
        Access::Public => vec![SecurityRequirement::default(), bearer],
        _ => vec![bearer],
    });
    add_key_parameter(operation, route.idempotency);
    let head = RefOr::Ref(Ref::new("#/components/responses/HeadTooLarge"));
    operation.responses.responses.insert(HEAD_TOO_LARGE.to_owned(), head);
    for (status, _, only_writes) in REFUSALS {
        if only_writes && !route.writes() {
            continue;
        }
        let own = operation.responses.responses.entry(status.to_owned()).or_insert_with(|| {
            RefOr::Ref(Ref::new(format!("#/components/responses/Problem{status}")))
        });
        if let RefOr::T(response) = own
            && response.content.is_empty()
        {
            response.content = problem_content();
        }
    }
}

fn add_key_parameter(operation: &mut Operation, rule: IdempotencyRule) {
    let required = match rule {
        IdempotencyRule::Ignored => return,
        IdempotencyRule::Optional => Required::False,
        IdempotencyRule::Required => Required::True,
    };
    if parameters(operation).any(|p| p.name.eq_ignore_ascii_case(IDEMPOTENCY_HEADER)) {
        return;
    }
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!-~]{1,255}$"));
    let parameter = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(
            "Makes it safe to send the request again: the same key gets the same answer and has \
             one effect. Make it long and random, such as a UUID.",
        ))
        .schema(Some(schema))
        .build();
    operation.parameters.get_or_insert_default().push(parameter.into());
}

fn refusal(description: &str) -> Response {
    let mut response = ResponseBuilder::new().description(description).build();
    response.content = problem_content();
    response
}

fn problem_content<M: FromIterator<(String, RefOr<Content>)>>() -> M {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    std::iter::once(("application/problem+json".to_owned(), content.into())).collect()
}

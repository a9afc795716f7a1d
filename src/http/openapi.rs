//! The API description: what handlers say of themselves, and the refusals that are common to many of them.

pub mod tidy;

use utoipa::{
    Modify, OpenApi, ToSchema as _,
    openapi::{
        Content, Ref, RefOr, Response, ResponseBuilder,
        header::HeaderBuilder,
        path::{Operation, ParameterIn},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::error::ProblemBody;

/// The description without operations; the routes add those.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sluice",
        description = "The update distribution server: programs in the field ask it for updates, the vendor's pipelines publish releases, and the vendor's staff manage customers, subscriptions and rollouts.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/")),
    tags(
        (name = "Client", description = "For programs in the field, with a license key."),
        (name = "Publisher", description = "For the vendor's pipelines, with an API token, and for staff."),
        (name = "Admin", description = "For the vendor's staff, with a session."),
        (name = "Session", description = "Logins."),
        (name = "Operations", description = "Health, metrics, public keys.")
    ),
    components(schemas(ProblemBody, super::paging::Pair)),
    modifiers(&Schemes)
)]
pub struct Description;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let Some(components) = openapi.components.as_mut() else { return };
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A session's access token, or an API token."))
            .build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let license = HttpBuilder::new()
            .scheme(HttpAuthScheme::Basic)
            .description(Some("The license key as password, with any user name, or `Authorization: License <key>`."));
        components.add_security_scheme("license", SecurityScheme::Http(license.build()));
    }
}

/// The whole description, from one that has the operations of the routes.
#[must_use]
pub fn complete(mut openapi: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    tidy::tidy(&mut openapi);
    for item in openapi.paths.paths.values_mut() {
        let writes = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in writes.into_iter().flatten() {
            add(operation, 409, "The current state does not allow it.");
            add(operation, 503, "The server cannot write at the moment; try again later.");
        }
        let all = [&mut item.get, &mut item.head, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in all.into_iter().flatten() {
            add_common(operation);
        }
    }
    openapi
}

/// The refusals that follow from the parameters and the body of an operation.
fn add_common(operation: &mut Operation) {
    let parameters: Vec<_> = operation
        .parameters
        .iter()
        .flatten()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter.clone()),
            RefOr::Ref(_) => None,
        })
        .collect();
    let takes = |place: &ParameterIn| parameters.iter().any(|parameter| parameter.parameter_in == *place);
    add(operation, 400, "A query parameter is missing or unknown, or the request cannot be read.");
    if takes(&ParameterIn::Path) {
        add(operation, 404, "It does not exist, or not for this caller.");
    }
    if takes(&ParameterIn::Path) || takes(&ParameterIn::Query) || operation.request_body.is_some() {
        add(operation, 422, "A value is invalid; `errors` names the fields.");
    }
    if takes(&ParameterIn::Query) && operation.tags.iter().flatten().any(|tag| tag == "Client" || tag == "Admin") {
        add(operation, 404, "The product does not exist.");
    }
    if operation.request_body.is_some() {
        add(operation, 404, "The product does not exist.");
        add(operation, 413, "The body is too large.");
        add(operation, 415, "The content type is not supported.");
    }
    if operation.security.as_ref().is_some_and(|schemes| !schemes.is_empty()) {
        add(operation, 401, "Credentials are missing or invalid.");
        add(operation, 403, "The caller is not allowed to do this.");
    }
    if operation.request_body.is_some() {
        add(operation, 408, "The body stopped arriving.");
    }
    if operation.tags.iter().flatten().all(|tag| tag != "Operations") {
        add(operation, 429, "Too many requests, by the configured `limits`; try again later.");
    }
    let conditional = parameters.iter().any(|parameter| parameter.name.eq_ignore_ascii_case("if-match"));
    let is_download =
        operation.operation_id.as_deref().is_some_and(|id| id.ends_with("_artifact") && id != "put_artifact");
    if conditional || is_download {
        add(operation, 412, "It has changed since it was read.");
    }
    if is_download {
        add(operation, 403, "The link has expired, is invalid, or was withdrawn.");
        add(operation, 503, "The artifact store cannot be read at the moment.");
    }
    add(operation, 500, "Internal error; the server's log has the cause.");
}

/// Adds a refusal, unless the operation describes that status itself.
fn add(operation: &mut Operation, status: u16, description: &str) {
    let status = status.to_string();
    if operation.responses.responses.contains_key(&status) {
        return;
    }
    let mut response = ResponseBuilder::new().description(description);
    response = response.content(
        "application/problem+json",
        Content::new(Some(RefOr::Ref(Ref::from_schema_name(ProblemBody::name())))),
    );
    if status == "401" {
        response = response.header(
            "WWW-Authenticate",
            HeaderBuilder::new().description(Some("The authentication scheme to use.")).build(),
        );
    }
    if status == "503" || status == "429" {
        response = response.header("Retry-After", HeaderBuilder::new().description(Some("Seconds to wait.")).build());
    }
    operation.responses.responses.insert(status, RefOr::<Response>::T(response.build()));
}

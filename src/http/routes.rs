//! All routes, by who asks. An address that is not listed here does not exist.

use std::sync::OnceLock;

use actix_web::{
    App as ActixApp, HttpRequest, HttpResponse, ResponseError as _,
    dev::ResourceDef,
    http::{Method, header},
    web,
};
use utoipa::{
    OpenApi as _,
    openapi::{
        PathItem, RefOr,
        path::{Operation, ParameterIn},
    },
};
use utoipa_actix_web::{AppExt as _, service_config::ServiceConfig};

use super::{
    Problem, admin, approvals, client, error_list, extract::query, json, openapi, operations, publisher, setup,
};
use crate::services::Code;

/// All routes that are described.
pub fn described(routes: &mut ServiceConfig<'_>) {
    // The hot path first: the router tries one after the other.
    routes
        .service(client::check::check_update)
        .service(client::download::download_artifact)
        .service(client::download::probe_artifact)
        .service(client::report::report_run)
        .service(client::subscription::get_own_subscription);

    routes
        .service(publisher::releases::draft_release)
        .service(publisher::releases::list_releases)
        .service(publisher::releases::get_release)
        .service(publisher::releases::change_release)
        .service(publisher::releases::delete_release)
        .service(publisher::artifacts::put_artifact)
        .service(publisher::releases::publish_release)
        .service(publisher::releases::yank_release)
        .service(publisher::releases::restore_release)
        .service(publisher::releases::promote_release)
        .service(publisher::rollout::get_rollout)
        .service(publisher::rollout::put_rollout)
        .service(publisher::rollout::pause_rollout)
        .service(publisher::rollout::resume_rollout)
        .service(publisher::rollout::complete_rollout)
        .service(publisher::manifest::get_manifest)
        .service(publisher::stop::list_stops)
        .service(publisher::stop::put_stop)
        .service(publisher::stop::delete_stop)
        .service(publisher::exchange::exchange_identity);

    decided_by_two(routes);

    routes
        .service(admin::products::add_product)
        .service(admin::products::list_products)
        .service(admin::products::get_product)
        .service(admin::products::change_product)
        .service(admin::trusted_publishers::add_trusted_publisher)
        .service(admin::trusted_publishers::list_trusted_publishers)
        .service(admin::trusted_publishers::get_trusted_publisher)
        .service(admin::trusted_publishers::delete_trusted_publisher)
        .service(admin::customers::add_customer)
        .service(admin::customers::list_customers)
        .service(admin::customers::get_customer)
        .service(admin::customers::change_customer)
        .service(admin::subscriptions::add_subscription)
        .service(admin::subscriptions::list_subscriptions)
        .service(admin::subscriptions::import_subscriptions)
        // Otherwise other methods would be read as those of a subscription with the id `import`.
        .route("/api/v1/admin/subscriptions/import", web::route().to(unknown))
        .service(admin::subscriptions::get_subscription)
        .service(admin::subscriptions::change_subscription)
        .service(admin::subscriptions::renew_subscription)
        .service(admin::subscriptions::suspend_subscription)
        .service(admin::subscriptions::resume_subscription)
        .service(admin::subscriptions::cancel_subscription)
        .service(admin::subscriptions::add_license_key)
        .service(admin::subscriptions::list_license_keys)
        .service(admin::subscriptions::revoke_license_key)
        .service(admin::hosting_groups::add_hosting_group)
        .service(admin::hosting_groups::list_hosting_groups)
        .service(admin::hosting_groups::get_hosting_group)
        .service(admin::hosting_groups::change_hosting_group)
        .service(admin::known_problems::add_known_problem)
        .service(admin::known_problems::list_known_problems)
        .service(admin::known_problems::get_known_problem)
        .service(admin::known_problems::change_known_problem)
        .service(admin::known_problems::delete_known_problem)
        .service(admin::installations::list_installations)
        .service(admin::runs::list_runs)
        .service(admin::stats::adoption::get_adoption)
        .service(admin::stats::rollouts::get_rollout_stats)
        .service(admin::stats::renewals::list_renewals)
        .service(admin::audit::list_audit)
        .service(admin::tokens::add_token)
        .service(admin::tokens::list_tokens)
        .service(admin::tokens::delete_token)
        .service(admin::users::add_user)
        .service(admin::users::list_users)
        .service(admin::users::get_user)
        .service(admin::users::change_user)
        .service(admin::users::delete_user)
        .service(admin::webhooks::add_webhook)
        .service(admin::webhooks::list_webhooks)
        .service(admin::webhooks::get_webhook)
        .service(admin::webhooks::change_webhook)
        .service(admin::webhooks::delete_webhook)
        .service(admin::webhooks::rotate_webhook_secret)
        .service(admin::webhook_messages::list_webhook_messages)
        .service(admin::webhook_messages::replay_webhook_message)
        .service(admin::mails::list_mails)
        .service(admin::mails::retry_mail)
        .service(admin::explain::explain_decision);

    sessions(routes);

    routes
        .service(operations::get_liveness)
        .service(operations::get_readiness)
        .service(operations::get_metrics)
        .service(operations::get_public_keys);
}

/// Logins and one's own account.
fn sessions(routes: &mut ServiceConfig<'_>) {
    routes
        .service(admin::session::log_in)
        .service(admin::session::refresh_session)
        .service(admin::session::log_out)
        .service(admin::single_sign_on::begin_single_sign_on)
        .service(admin::single_sign_on::complete_single_sign_on)
        .service(admin::me::get_me)
        .service(admin::me::change_own_password)
        .service(admin::me::begin_second_factor)
        .service(admin::me::confirm_second_factor)
        .service(admin::me::remove_second_factor)
        .service(setup::show_setup)
        .service(setup::set_up);
}

/// What waits for a second person.
fn decided_by_two(routes: &mut ServiceConfig<'_>) {
    routes
        .service(approvals::list_approvals)
        .service(approvals::get_approval)
        .service(approvals::approve_request)
        .service(approvals::reject_request);
}

/// The description of all routes; made once.
#[must_use]
pub fn document() -> &'static utoipa::openapi::OpenApi {
    static DOCUMENT: OnceLock<utoipa::openapi::OpenApi> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let app = ActixApp::new().into_utoipa_app().openapi(openapi::Description::openapi());
        openapi::complete(app.configure(described).split_for_parts().1)
    })
}

/// The description and the pages that show it. Nothing is loaded from other servers.
pub fn documentation(routes: &mut web::ServiceConfig) {
    routes.route("/docs/errors", web::get().to(error_list::show));
    routes.service(web::redirect("/docs", "/docs/"));
    routes.service(
        utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}")
            .url("/openapi.json", document().clone())
            .config(utoipa_swagger_ui::Config::default().use_base_layout().validator_url("none")),
    );
}

/// An address of the description, ready to be matched.
struct Address {
    pattern: ResourceDef,
    /// The methods, each with whether the operation has query parameters.
    methods: Vec<(Method, bool)>,
}

/// Every address of the description; made once.
fn addresses() -> &'static [Address] {
    static ADDRESSES: OnceLock<Vec<Address>> = OnceLock::new();
    ADDRESSES.get_or_init(|| {
        let address = |(pattern, item): (&String, &PathItem)| {
            let known = [
                (Method::GET, &item.get),
                (Method::HEAD, &item.head),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            let methods =
                known.into_iter().filter_map(|(method, operation)| Some((method, takes_query(operation.as_ref()?))));
            Address { pattern: ResourceDef::new(pattern.as_str()), methods: methods.collect() }
        };
        document().paths.paths.iter().map(address).collect()
    })
}

fn takes_query(operation: &Operation) -> bool {
    operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.parameter_in == ParameterIn::Query,
        RefOr::Ref(_) => false,
    })
}

/// The methods of an address. A literal address goes before the patterns that it matches.
fn methods_at(path: &str) -> impl Iterator<Item = &'static (Method, bool)> {
    let exact = addresses().iter().find(|address| address.pattern.pattern() == Some(path));
    let fitting = addresses().iter().filter(move |address| exact.is_none() && address.pattern.is_match(path));
    exact.into_iter().chain(fitting).flat_map(|address| &address.methods)
}

/// The refusal of a query where the operation takes none, so that no parameter is silently ignored.
#[must_use]
pub fn refuse_query(method: &Method, path: &str, query: &str) -> Option<Problem> {
    let (name, _) = url::form_urlencoded::parse(query.as_bytes()).next()?;
    let taken = methods_at(path).find(|(known, _)| known == method).is_none_or(|(_, takes_query)| *takes_query);
    let name: String = name.chars().take(100).collect();
    (!taken).then(|| Problem::new(Code::ParameterUnknown, query::unknown(&name, &[])))
}

/// The answer where no route matches: 405 if the address takes other methods, otherwise 404.
pub async fn unknown(request: HttpRequest) -> HttpResponse {
    let allowed: Vec<&str> = methods_at(request.path()).map(|(method, _)| method.as_str()).collect();
    if allowed.is_empty() || allowed.contains(&request.method().as_str()) {
        return Problem::new(Code::NotFound, format!("there is nothing at {}", request.path())).error_response();
    }
    let names = allowed.join(", ");
    let detail = format!("{} takes {names}, not {}", request.path(), request.method());
    json::with_header(Problem::new(Code::MethodNotAllowed, detail).error_response(), header::ALLOW, &names)
}

//! Trusted publishing: a pipeline presents the identity token that its service made, and receives a short-lived API
//! token.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    auth::{
        issuer::{Claims, Expected, VerifyError, claimed_issuer, repeatable, unverified},
        token_hash,
    },
    domain::{
        actor::{Actor, ActorKind},
        id::TokenId,
        slug::Slug,
        trusted_publisher::{TrustedPublisher, text},
    },
    services::{
        desk::{Code, Context, Refusal, Write, acting, context::id_at},
        people::tokens,
    },
    store::{self, StoreError, api_tokens::ApiToken},
};

/// The maximum length of the `jti` claim, in bytes. Our own limit; a token with a longer one is refused.
const LONGEST_JTI: usize = 255;

/// How long an expired API token of a pipeline is kept, so that an upload that began in time can end. A longer upload
/// is refused at its end, because its token is unknown by then.
const UPLOADS_TAKE: SignedDuration = SignedDuration::from_hours(24);

/// How long an identity is remembered after its expiry. It must exceed the difference between two clocks, otherwise an
/// identity can be used twice.
const REMEMBERED_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// The claims of an identity that the audit log keeps: who it is, what it runs, and who started it.
const TOLD: [&str; 22] = [
    "sub",
    "jti",
    "repository",
    "repository_id",
    "repository_owner_id",
    "workflow_ref",
    "job_workflow_ref",
    "event_name",
    "run_id",
    "run_attempt",
    "actor",
    "ref",
    "ref_path",
    "sha",
    "environment",
    "project_path",
    "project_id",
    "namespace_id",
    "ci_config_ref_uri",
    "pipeline_id",
    "job_id",
    "user_login",
];

/// The result of an exchange.
pub struct Exchanged {
    pub token: ApiToken,
    /// The API token in clear text. It is returned only here.
    pub text: String,
    /// How long the API token is valid, in seconds.
    pub expires_in: i64,
    /// The slug of the product to which the API token is limited.
    pub product: Slug,
}

impl std::fmt::Debug for Exchanged {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Exchanged(hidden)")
    }
}

fn refused(detail: impl Into<String>) -> Refusal {
    Refusal::new(Code::IdentityRefused, detail)
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::NoKeys(_) => Self::new(Code::IssuerUnavailable, error.to_string()).after(60),
            _ => refused(error.to_string()),
        }
    }
}

/// Exchanges an identity token for an API token of the product that trusts this workload.
///
/// # Errors
/// `identity_refused` with what is wrong; `body_invalid` if several products trust the workload and none was named;
/// `issuer_unavailable`.
pub async fn exchange(
    context: &Arc<Context>,
    token: &str,
    product: Option<Slug>,
    address: IpAddr,
) -> Result<Exchanged, Refusal> {
    let answer = try_exchange(context, token, product, address).await;
    if let Err(refusal) = &answer {
        tracing::info!(%address, reason = %refusal, "an identity token was not exchanged");
    }
    answer
}

async fn try_exchange(
    context: &Arc<Context>,
    token: &str,
    product: Option<Slug>,
    address: IpAddr,
) -> Result<Exchanged, Refusal> {
    let issuer = claimed_issuer(token).ok_or_else(|| refused(VerifyError::Malformed.to_string()))?;
    let wanted = issuer.clone();
    let known = context.read(move |connection| Ok(store::trusted_publishers::of_issuer(connection, &wanted)?)).await?;
    let catalogue = context.directory.catalogue();
    let slug_of = |publisher: &TrustedPublisher| {
        catalogue.product_by_id(publisher.product).map(|entry| entry.product.slug.clone())
    };
    let mut known: Vec<(Slug, TrustedPublisher)> = known
        .into_iter()
        .filter_map(|publisher| Some((slug_of(&publisher)?, publisher)))
        .filter(|(slug, _)| product.as_ref().is_none_or(|product| product == slug))
        .collect();
    if known.is_empty() {
        // The refusal is the same for an unknown product, a product that trusts nobody and one that trusts others, so
        // that a stranger learns nothing.
        return Err(nobody(product.as_ref(), &issuer, &unverified(token).unwrap_or_default()));
    }
    let (audience, claims) = verify(context, token, &issuer, &known).await?;
    known.retain(|(_, publisher)| audience_of(context, publisher) == audience);
    let (slug, publisher) = choose(known, &claims, &issuer, product.as_ref())?;

    let id: TokenId = id_at(context.clock.now()).into();
    let name = name_of(&issuer, &claims);
    let actor = Actor { kind: ActorKind::Machine, id: Some(id.0), name: name.clone(), address: Some(address) };
    let (desk, lifetime) = (Arc::clone(context), context.settings.trusted_publishing_ttl);
    let work = move |write: &mut Write<'_>| {
        // Read again within the write: since the first reading it may have been removed or pinned to the ids of another
        // project.
        let mut publisher = store::trusted_publishers::get(write.connection, publisher.id)?
            .filter(|publisher| publisher.mismatches(&claims).is_empty())
            .ok_or_else(|| nobody(Some(&slug), &issuer, &claims))?;
        spend(write, &issuer, &claims)?;
        let before = publisher.clone();
        publisher.pin(&claims);
        if publisher != before {
            write.altered("trusted_publisher.pin", &before, &publisher)?;
        }
        publisher.last_used_at = Some(write.now);
        store::trusted_publishers::update(write.connection, &publisher)?;
        let text = tokens::fresh();
        let token = ApiToken {
            id,
            name,
            hash: token_hash(&text),
            scopes: publisher.scopes.clone(),
            product: Some(publisher.product),
            created_at: write.now,
            expires_at: Some(write.now.checked_add(lifetime).unwrap_or(write.now)),
            last_used_at: None,
            // Requests of this token count as requests of the user who entered the trusted publisher.
            created_by: publisher.created_by,
            publisher: Some(publisher.id),
        };
        store::api_tokens::insert(write.connection, &token)?;
        write.made("token.exchange", &token)?;
        write.with("identity", told(&issuer, &claims));
        Ok(Exchanged { token, text, expires_in: lifetime.as_secs(), product: slug })
    };
    acting::acting_as(actor, async { desk.write(work).await }).await
}

/// The audience that tokens for a publisher must have.
fn audience_of<'a>(context: &'a Context, publisher: &'a TrustedPublisher) -> &'a str {
    publisher.audience.as_deref().unwrap_or(&context.settings.public_url)
}

/// Verifies the token against each audience of the known publishers. Returns the matching audience with the claims.
async fn verify(
    context: &Context,
    token: &str,
    issuer: &str,
    known: &[(Slug, TrustedPublisher)],
) -> Result<(String, Claims), Refusal> {
    let audiences: BTreeSet<&str> = known.iter().map(|(_, publisher)| audience_of(context, publisher)).collect();
    let now = context.clock.now();
    let mut found = String::new();
    for audience in audiences {
        match context.issuers.verify(token, Expected { issuer, audience }, now).await {
            Ok(claims) => return Ok((audience.to_owned(), claims)),
            Err(VerifyError::Audience { found: other, .. }) => found = other,
            Err(error) => return Err(error.into()),
        }
    }
    // The refusal does not name the audience that another product has set.
    let ours = &context.settings.public_url;
    Err(refused(format!(
        "the token is for the audience {found}, and must be for `{ours}` alone, or for what its trusted publisher names"
    )))
}

/// The publisher that the claims match.
fn choose(
    known: Vec<(Slug, TrustedPublisher)>,
    claims: &Claims,
    issuer: &str,
    product: Option<&Slug>,
) -> Result<(Slug, TrustedPublisher), Refusal> {
    let (mut fitting, others): (Vec<_>, Vec<_>) =
        known.into_iter().partition(|(_, publisher)| publisher.mismatches(claims).is_empty());
    if fitting.is_empty() {
        return Err(nearly(&others, claims).unwrap_or_else(|| nobody(product, issuer, claims)));
    }
    let slugs: BTreeSet<String> = fitting.iter().map(|(slug, _)| format!("`{slug}`")).collect();
    if slugs.len() > 1 {
        let slugs: Vec<_> = slugs.into_iter().collect();
        let detail = format!("several products trust this workload: {}; name the one that is meant", slugs.join(", "));
        return Err(Refusal::field("product", detail));
    }
    // The publisher with the most scopes; of several such, the oldest.
    fitting.sort_by_key(|(_, publisher)| (std::cmp::Reverse(publisher.scopes.len()), publisher.id));
    fitting.into_iter().next().ok_or_else(|| nobody(product, issuer, claims))
}

/// The refusal for a workload of a trusted project whose other claims do not match. Names the mismatches of the
/// publisher with the fewest.
fn nearly(others: &[(Slug, TrustedPublisher)], claims: &Claims) -> Option<Refusal> {
    let known = others.iter().filter(|(_, publisher)| publisher.knows(claims));
    let (slug, publisher) = known.min_by_key(|(_, publisher)| publisher.mismatches(claims).len())?;
    let wrong: Vec<_> = publisher
        .mismatches(claims)
        .into_iter()
        .map(|mismatch| match mismatch.found {
            Some(found) => {
                format!("`{}` is `{}` and must be `{}`", mismatch.claim, repeatable(&found), mismatch.expected)
            }
            None => format!("`{}` is missing and must be `{}`", mismatch.claim, mismatch.expected),
        })
        .collect();
    let detail = format!("the trusted publisher `{}` of `{slug}` does not fit: {}", publisher.name, wrong.join("; "));
    Some(refused(detail))
}

/// The refusal for a workload that nobody trusts, whatever the reason. It repeats only claims of the token itself.
fn nobody(product: Option<&Slug>, issuer: &str, claims: &Claims) -> Refusal {
    let whose = ["repository", "repository_id", "project_path", "project_id", "sub"].into_iter().filter_map(|claim| {
        let found = text(claims, claim)?;
        Some(format!(", `{claim}` `{}`", repeatable(&found)))
    });
    let whose: String = whose.collect();
    let who = product.map_or("no product trusts".to_owned(), |slug| format!("`{slug}` does not trust"));
    refused(format!(
        "{who} this workload (issuer `{}`{whose}); an owner can enter it as a trusted publisher",
        repeatable(issuer)
    ))
}

/// Marks an identity as used; refuses a used one.
fn spend(write: &mut Write<'_>, issuer: &str, claims: &Claims) -> Result<(), Refusal> {
    let name = claims.get("jti").and_then(Value::as_str).filter(|name| (1..=LONGEST_JTI).contains(&name.len()));
    let name = name.ok_or_else(|| {
        refused(format!(
            "the token has no name of its own (`jti`) of 1 to {LONGEST_JTI} characters, so it could be used twice"
        ))
    })?;
    let end = claims.get("exp").and_then(Value::as_f64).unwrap_or(f64::MAX);
    let end = SignedDuration::try_from_secs_f64(end).ok().and_then(|end| Timestamp::from_duration(end).ok());
    let forgotten_at = end.and_then(|end| end.checked_add(REMEMBERED_AFTER).ok()).unwrap_or(Timestamp::MAX);
    // A URL contains no line break, so issuer and name cannot run into each other.
    let hash = token_hash(&format!("{issuer}\n{name}"));
    match store::exchanged_identities::insert(write.connection, &hash, forgotten_at)? {
        true => Ok(()),
        false => Err(refused("the token was exchanged before; ask your pipeline's service for a new one")),
    }
}

/// The claims of an identity for the audit log.
fn told(issuer: &str, claims: &Claims) -> Value {
    let mut told = Map::new();
    told.insert("issuer".to_owned(), json!(issuer));
    told.extend(TOLD.into_iter().filter_map(|name| Some((name.to_owned(), json!(repeatable(&text(claims, name)?))))));
    Value::Object(told)
}

/// The name of an API token that was exchanged for these claims, as staff see it in lists.
fn name_of(issuer: &str, claims: &Claims) -> String {
    let host = Url::parse(issuer).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let first = |names: &[&str]| names.iter().find_map(|name| text(claims, name));
    let who = first(&["repository", "project_path", "sub"]).unwrap_or_default();
    let run = first(&["run_id", "pipeline_id"]).map(|run| format!(", run {run}")).unwrap_or_default();
    repeatable(&format!("{who}{run} ({host})"))
}

/// Deletes expired identities, and API tokens of pipelines that expired longer ago than an upload may take.
pub async fn forget(context: &Arc<Context>) -> Result<(), Refusal> {
    let work = |connection: &mut store::Connection, now: Timestamp| -> Result<(), StoreError> {
        // A pipeline may complete an upload that it began in time.
        let began_in_time = now.checked_sub(UPLOADS_TAKE).unwrap_or(Timestamp::MIN);
        store::api_tokens::forget_expired(connection, began_in_time)?;
        store::exchanged_identities::forget_expired(connection, now)
    };
    context.append(work).await
}

//! API tokens for the vendor's machines: made, listed, deleted, and recognised.

use std::sync::Arc;

use jiff::ToSpan as _;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    auth::{api_token, token_hash},
    domain::{
        actor::ActorKind,
        id::{TokenId, UserId},
        line::Line,
        page::Page,
        reach::Reach,
        scope::Scope,
        slug::Slug,
    },
    services::{
        desk::{Code, Context, Faults, Refusal, Write, lookup},
        people::authentication::Authentication,
    },
    signing::random,
    store,
};

pub use crate::store::api_tokens::ApiToken;

/// A new API token.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What staff call it.
    pub name: Line,
    /// What it may do.
    #[schema(min_items = 1, max_items = 16)]
    pub scopes: Vec<Scope>,
    /// The slug of the only product it may do it with.
    #[schema(example = "office-maker")]
    pub product: Option<Slug>,
    /// How many days it is good; until it is deleted unless given.
    #[schema(minimum = 1, maximum = 3650, example = 365)]
    pub expires_in_days: Option<u16>,
}

/// Adds a token. Also returns it in clear text, only here.
///
/// # Errors
/// `body_invalid`.
pub async fn add(context: &Arc<Context>, new: NewToken) -> Result<(ApiToken, String), Refusal> {
    let text = fresh();
    context
        .write(move |write| {
            let id = write.new_id();
            Ok((add_within(write, id, &text, new)?, text))
        })
        .await
}

/// The clear text of a new token.
pub(in crate::services) fn fresh() -> String {
    std::iter::repeat_with(|| api_token::make(&random())).flatten().next().unwrap_or_default()
}

/// Adds a token under an id, within a write.
pub(in crate::services) fn add_within(
    write: &mut Write<'_>,
    id: TokenId,
    text: &str,
    new: NewToken,
) -> Result<ApiToken, Refusal> {
    let mut faults = Faults::default();
    if new.scopes.is_empty() {
        faults.add("scopes", "must name at least one");
    }
    if new.expires_in_days.is_some_and(|days| !(1..=3650).contains(&days)) {
        faults.add("expires_in_days", "must be 1 to 3650");
    }
    faults.finish()?;
    let product = match &new.product {
        Some(slug) => Some(lookup::product(write.connection, slug)?.id),
        None => None,
    };
    let lifetime = new.expires_in_days.map(|days| (i64::from(days) * 24).hours());
    let mut scopes = new.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    let token = ApiToken {
        id,
        name: new.name.into(),
        hash: token_hash(text),
        scopes,
        product,
        created_at: write.now,
        expires_at: lifetime.and_then(|lifetime| write.now.checked_add(lifetime).ok()),
        last_used_at: None,
        created_by: write.actor.id.filter(|_| write.actor.kind == ActorKind::Person).map(UserId),
        publisher: None,
    };
    store::api_tokens::insert(write.connection, &token)?;
    write.made("token.add", &token)?;
    Ok(token)
}

/// Deletes a token. It is refused from then on.
///
/// # Errors
/// `token_not_found`.
pub async fn delete(context: &Arc<Context>, id: TokenId) -> Result<(), Refusal> {
    context
        .write(move |write| {
            let token = store::api_tokens::get(write.connection, id)?
                .ok_or_else(|| Refusal::new(Code::TokenNotFound, format!("there is no API token {id}")))?;
            store::api_tokens::delete(write.connection, id)?;
            write.removed("token.delete", &token)?;
            Ok(())
        })
        .await
}

/// The API token in the database for a presented one, and its reach.
///
/// # Errors
/// `authorization_invalid`.
pub async fn recognise(
    context: &Arc<Context>,
    authentication: &Arc<Authentication>,
    presented: &str,
) -> Result<(ApiToken, Reach), Refusal> {
    let invalid = || Refusal::new(Code::AuthorizationInvalid, "the API token is unknown, deleted or expired");
    if !api_token::is_well_formed(presented) {
        return Err(invalid());
    }
    let hash = token_hash(presented);
    let now = context.clock.now();
    let token = context.read(move |connection| Ok(store::api_tokens::by_hash(connection, &hash)?)).await?;
    let token = token.filter(|token| token.expires_at.is_none_or(|end| now < end)).ok_or_else(invalid)?;
    // Recorded at most once per minute, so that a pipeline that uploads a hundred files does not write as often.
    let is_long_ago =
        token.last_used_at.is_none_or(|last| now.duration_since(last) > jiff::SignedDuration::from_mins(1));
    let id = token.id;
    if is_long_ago && authentication.noting.lock().insert(id) {
        let (desk, doors) = (Arc::clone(context), Arc::clone(authentication));
        // Recorded in the background: a read must not wait for a write or fail with it.
        tokio::spawn(async move {
            let noted = desk.append(move |connection, now| store::api_tokens::mark_used(connection, id, now)).await;
            if let Err(error) = noted {
                tracing::warn!(%error, token = %id, "the last use of an API token was not noted");
            }
            doors.noting.lock().remove(&id);
        });
    }
    let reach = token.product.map_or(Reach::Everything, Reach::one);
    Ok((token, reach))
}

/// A page of API tokens.
pub async fn list(context: &Arc<Context>, page: Page<TokenId>) -> Result<Vec<ApiToken>, Refusal> {
    context.read(move |connection| Ok(store::api_tokens::page(connection, page)?)).await
}

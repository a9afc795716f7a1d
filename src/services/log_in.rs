//! Logins: with a password, prolonged with a refresh token, ended with a logout; and the first administrator.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Code, Context, Faults, Refusal, Write, context::id_at};
use crate::{
    auth::{password::Passwords, session::Session, token_hash},
    domain::id::UserId,
    signing::random,
    store::{
        self, Connection, StoreError,
        users::{RefreshToken, User},
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The role of the one administrator.
pub const OWNER: &str = "owner";

/// What a login gives.
#[derive(Clone)]
pub struct Tokens {
    /// For the `Authorization` header, for a short time.
    pub access_token: String,
    /// For one renewal.
    pub refresh_token: String,
    /// How long the access token is good, in seconds.
    pub expires_in: i64,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Tokens(hidden)")
    }
}

fn lower(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Does what takes memory and time on purpose: off the async threads, and only so many at once.
async fn hashing<T: Send + 'static>(
    context: &Arc<Context>,
    work: impl FnOnce(&Passwords) -> T + Send + 'static,
) -> Result<T, Refusal> {
    let _turn = context.hashing.acquire().await.map_err(|error| Refusal::internal(&error))?;
    let desk = Arc::clone(context);
    tokio::task::spawn_blocking(move || work(&desk.passwords)).await.map_err(|error| Refusal::internal(&error))
}

/// Logs in with e-mail address and password.
///
/// # Errors
/// `login_failed`, without saying which of the two was wrong, and after as much work either way.
pub async fn log_in(context: &Arc<Context>, email: &str, password: String) -> Result<Tokens, Refusal> {
    let email = lower(email);
    let user = context.read(move |connection| Ok(store::users::by_email(connection, &email)?)).await?;
    let user = hashing(context, move |passwords| {
        let matches = passwords.verify(&password, user.as_ref().map(|user| user.password_hash.as_str()));
        user.filter(|_| matches)
    })
    .await?;
    let user = user.ok_or_else(|| Refusal::new(Code::LoginFailed, "the e-mail address or the password is wrong"))?;
    let desk = Arc::clone(context);
    context
        .append(move |connection, now| {
            store::users::forget_expired(connection, now)?;
            issue(&desk, connection, now, &user, id_at(now))
        })
        .await
}

/// Makes the next pair of tokens of a login.
fn issue(
    context: &Context,
    connection: &mut Connection,
    now: Timestamp,
    user: &User,
    family: Uuid,
) -> Result<Tokens, StoreError> {
    let after = |span| now.checked_add(span).unwrap_or(Timestamp::MAX);
    let refresh_token = URL_SAFE_NO_PAD.encode(random::<32>());
    let (access_until, refresh_until) = (after(context.settings.session_ttl), after(context.settings.refresh_ttl));
    let session = Session::new(user.id, family, user.role.clone(), now, access_until);
    let token = RefreshToken {
        hash: token_hash(&refresh_token),
        user: user.id,
        family,
        expires_at: refresh_until,
        used_at: None,
    };
    store::users::insert_refresh_token(connection, &token)?;
    let access_token = context
        .sessions
        .sign(&session)
        .ok_or_else(|| StoreError::Other("no session token could be signed".to_owned()))?;
    Ok(Tokens { access_token, refresh_token, expires_in: context.settings.session_ttl.as_secs() })
}

/// Exchanges a refresh token for new tokens. One that was exchanged before has been copied by somebody: the whole login
/// ends.
///
/// # Errors
/// `refresh_token_invalid`.
pub async fn refresh(context: &Arc<Context>, refresh_token: &str) -> Result<Tokens, Refusal> {
    let hash = token_hash(refresh_token);
    let desk = Arc::clone(context);
    let renewed = context
        .append(move |connection, now| {
            let Some(known) = store::users::held_refresh_token(connection, &hash)? else { return Ok(None) };
            if known.used_at.is_some() {
                store::users::end_family(connection, known.family)?;
                tracing::warn!(user = %known.user, "a refresh token was used twice; the login has been ended");
                return Ok(None);
            }
            let user = store::users::get(connection, known.user)?;
            let Some(user) = user.filter(|_| now < known.expires_at) else { return Ok(None) };
            store::users::mark_used(connection, &hash, now)?;
            issue(&desk, connection, now, &user, known.family).map(Some)
        })
        .await?;
    renewed.ok_or_else(|| {
        Refusal::new(
            Code::RefreshTokenInvalid,
            "the refresh token is not known, was used, or is past its time; log in again",
        )
    })
}

/// Ends a login.
///
/// # Errors
/// `storage_unavailable`.
pub async fn log_out(context: &Arc<Context>, session: &Session) -> Result<(), Refusal> {
    let family = session.family;
    context.append(move |connection, _| store::users::end_family(connection, family)).await
}

/// The login that an access token belongs to, and the person.
///
/// # Errors
/// `authorization_invalid`.
pub async fn recognise(context: &Arc<Context>, access_token: &str) -> Result<(Session, User), Refusal> {
    let invalid =
        || Refusal::new(Code::AuthorizationInvalid, "the session is not good any more; log in again or renew it");
    let session = context.sessions.read(access_token, context.clock.now()).ok_or_else(invalid)?;
    let (family, id) = (session.family, session.sub);
    let user = context
        .read(move |connection| {
            Ok(if store::users::family_lives(connection, family)? { store::users::get(connection, id)? } else { None })
        })
        .await?;
    Ok((session, user.ok_or_else(invalid)?))
}

/// Makes the first administrator.
///
/// # Errors
/// `body_invalid`; `setup_link_invalid` when there is an administrator.
pub async fn set_up(context: &Arc<Context>, email: &str, password: String) -> Result<User, Refusal> {
    let email = lower(email);
    let mut faults = Faults::default();
    faults.email("email", &email);
    if !(8..=512).contains(&password.chars().count()) {
        faults.add("password", "must be 8 to 512 characters");
    }
    faults.finish()?;
    let password_hash = hash(context, password).await?;
    context.write(move |write| set_up_within(write, email, password_hash)).await
}

/// The hash of a password.
pub(super) async fn hash(context: &Arc<Context>, password: String) -> Result<String, Refusal> {
    hashing(context, move |passwords| passwords.hash(&password)).await?.map_err(|error| Refusal::internal(&error))
}

/// Makes the first administrator, within a write.
pub(super) fn set_up_within(write: &mut Write<'_>, email: String, password_hash: String) -> Result<User, Refusal> {
    if store::users::exist(write.connection)? {
        return Err(Refusal::new(Code::SetupLinkInvalid, "there is an administrator already; log in"));
    }
    let user =
        User { id: write.new_id::<UserId>(), email, password_hash, role: OWNER.to_owned(), created_at: write.now };
    store::users::insert(write.connection, &user)?;
    tracing::info!(user = %user.id, "first administrator made");
    Ok(user)
}

/// Whether there is an administrator.
///
/// # Errors
/// `storage_unavailable`.
pub async fn is_set_up(context: &Arc<Context>) -> Result<bool, Refusal> {
    context.read(|connection| Ok(store::users::exist(connection)?)).await
}

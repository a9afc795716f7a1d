//! Logins with a password, their refresh and logout, and the first administrator.

use std::{net::IpAddr, sync::Arc};

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    auth::{session::Session, token_hash},
    domain::{id::UserId, role::Role},
    services::{
        desk::{Code, Committed, Context, Refusal, Write, context::id_at, log_lines::LogLines},
        people::{
            authentication::Authentication,
            passwords::{hash, lower, verified},
            second_factor,
            slow_down::Attempt,
            users,
        },
    },
    signing::random,
    store::{self, Connection, StoreError, refresh_tokens::RefreshToken, users::User},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The credentials of a login with a password.
#[derive(Clone)]
pub struct Credentials {
    pub email: String,
    pub password: String,
    /// The code of the second factor, or a recovery code.
    pub otp: Option<String>,
    /// The address of the caller.
    pub address: Option<IpAddr>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Credentials(hidden)")
    }
}

/// The pair of tokens that a login returns.
#[derive(Clone)]
pub struct Tokens {
    /// The short-lived token for the `Authorization` header.
    pub access_token: String,
    /// The token for one refresh.
    pub refresh_token: String,
    /// How long the access token is valid, in seconds.
    pub expires_in: i64,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Tokens(hidden)")
    }
}

/// The longest text in bytes that can be a code or a recovery code, with room for the spaces that people type.
const LONGEST_OTP: usize = 64;

/// Logs in with e-mail address, password, and the second factor if the user has one.
///
/// # Errors
/// `login_failed`, after the same work whether the address or the password is wrong, and without saying which;
/// `otp_required` for the right password alone; `password_login_off` for the right password of a user who must use the
/// identity provider; `body_invalid`, `too_many_attempts`.
pub async fn log_in(
    context: &Arc<Context>,
    authentication: &Arc<Authentication>,
    credentials: Credentials,
) -> Result<Tokens, Refusal> {
    let Credentials { email, password, otp, address } = credentials;
    if otp.as_ref().is_some_and(|otp| otp.len() > LONGEST_OTP) {
        return Err(Refusal::field("otp", format!("must be at most {LONGEST_OTP} characters")));
    }
    let email = lower(&email);
    let attempt = Attempt::to_log_in(&email, address);
    let doors = Arc::clone(authentication);
    let trial = async {
        let known = context.read(move |connection| Ok(store::users::by_email(connection, &email)?)).await?;
        let (user, stronger_hash) = verified(context, known, password).await?.ok_or_else(login_failed)?;
        let desk = Arc::clone(context);
        let letting_in = move |connection: &mut Connection, now| {
            let entry = Entry { verified: &user, stronger_hash: stronger_hash.as_ref(), otp: otp.as_deref() };
            let mut log = LogLines::default();
            Ok((let_in(&desk, &doors, connection, now, &entry, &mut log)?, log))
        };
        let (entered, log) = context.append(letting_in).await?;
        log.write();
        entered.into_result()
    };
    authentication.guarded(context, attempt, trial).await
}

fn login_failed() -> Refusal {
    Refusal::new(Code::LoginFailed, "the e-mail address, the password or the second factor is wrong")
}

/// A login whose password has just been verified.
struct Entry<'e> {
    verified: &'e User,
    stronger_hash: Option<&'e String>,
    otp: Option<&'e str>,
}

/// Logs the user in, if the verified password is still theirs.
fn let_in(
    context: &Context,
    authentication: &Authentication,
    connection: &mut Connection,
    now: Timestamp,
    entry: &Entry<'_>,
    log: &mut LogLines,
) -> Result<Committed<Tokens>, StoreError> {
    let user = store::users::lock(connection, entry.verified.id)?;
    // The password may have been changed while the presented one was being hashed.
    let Some(mut user) = user.filter(|user| user.password_hash == entry.verified.password_hash) else {
        return Ok(Committed::Refused(login_failed()));
    };
    if !may_use_password(authentication, &user) {
        let detail = "passwords let only owners in here; log in through the identity provider, at /api/v1/auth/sso";
        return Ok(Committed::Refused(Refusal::new(Code::PasswordLoginOff, detail)));
    }
    if user.factor.secret.is_some() {
        let Some(otp) = entry.otp else {
            let detail = "send the code of the second factor as `otp`";
            return Ok(Committed::Refused(Refusal::new(Code::OtpRequired, detail)));
        };
        if !second_factor::take(&context.keys.load(), &mut user, otp, now, log) {
            return Ok(Committed::Refused(login_failed()));
        }
    }
    if let Some(hash) = entry.stronger_hash {
        user.password_hash = Some(hash.clone());
    }
    if user != *entry.verified {
        store::users::update(connection, &user)?;
    }
    begin(context, connection, now, &user, None).map(Committed::Done)
}

/// Whether this user may log in with a password.
fn may_use_password(authentication: &Authentication, user: &User) -> bool {
    user.role == Role::Owner || authentication.single_sign_on.as_ref().is_none_or(|sign_on| sign_on.password_login)
}

/// Begins a login of a user whose row is locked. It ends at `ends_at`, if given, however often it is refreshed.
pub(in crate::services) fn begin(
    context: &Context,
    connection: &mut Connection,
    now: Timestamp,
    user: &User,
    ends_at: Option<Timestamp>,
) -> Result<Tokens, StoreError> {
    store::refresh_tokens::forget_expired(connection, now)?;
    issue(context, connection, now, user, id_at(now), ends_at)
}

/// Issues the next pair of tokens of a login.
fn issue(
    context: &Context,
    connection: &mut Connection,
    now: Timestamp,
    user: &User,
    family: Uuid,
    ends_at: Option<Timestamp>,
) -> Result<Tokens, StoreError> {
    let after = |span| now.checked_add(span).unwrap_or(Timestamp::MAX).min(ends_at.unwrap_or(Timestamp::MAX));
    let refresh_token = URL_SAFE_NO_PAD.encode(random::<32>());
    let (access_until, refresh_until) = (after(context.settings.session_ttl), after(context.settings.refresh_ttl));
    let session = Session::new(user.id, family, now, access_until);
    let token = RefreshToken {
        hash: token_hash(&refresh_token),
        user: user.id,
        family,
        expires_at: refresh_until,
        used_at: None,
        ends_at,
    };
    store::refresh_tokens::insert(connection, &token)?;
    let access_token = context
        .sessions
        .load()
        .sign(&session)
        .ok_or_else(|| StoreError::Other("no session token could be signed".to_owned()))?;
    Ok(Tokens { access_token, refresh_token, expires_in: access_until.duration_since(now).as_secs() })
}

/// The result of presenting a refresh token.
enum Renewal {
    /// The token was exchanged. With the e-mail address of its user.
    Done(Tokens, String),
    /// The token is invalid.
    Refused,
    /// The token was exchanged before, so the login of this user was ended.
    UsedTwice(UserId),
}

/// Exchanges a refresh token for new tokens. A token that was exchanged before was copied, so the whole login ends.
///
/// # Errors
/// `refresh_token_invalid`.
pub async fn refresh(
    context: &Arc<Context>,
    authentication: &Arc<Authentication>,
    refresh_token: &str,
    address: Option<IpAddr>,
) -> Result<Tokens, Refusal> {
    let hash = token_hash(refresh_token);
    let refused =
        || Refusal::new(Code::RefreshTokenInvalid, "the refresh token is unknown, used or expired; log in again");
    // An invented token is refused by a read, so that it takes no turn of the writes.
    let known = context.read(move |connection| Ok(store::refresh_tokens::get(connection, &hash)?)).await?;
    if known.is_none() {
        return Err(refused());
    }
    let (desk, doors) = (Arc::clone(context), Arc::clone(authentication));
    let renewed = context
        .append(move |connection, now| {
            let Some(known) = store::refresh_tokens::lock(connection, &hash)? else { return Ok(Renewal::Refused) };
            if known.used_at.is_some() {
                store::refresh_tokens::end_family(connection, known.family)?;
                return Ok(Renewal::UsedTwice(known.user));
            }
            // Locked, so that an operation that ends all sessions of this user also ends the session that is issued
            // here.
            let user = store::users::lock(connection, known.user)?;
            let still_known = store::refresh_tokens::family_lives(connection, known.family)?;
            let is_good = |user: &User| {
                still_known && now < known.expires_at && (known.ends_at.is_some() || may_use_password(&doors, user))
            };
            let Some(user) = user.filter(is_good) else { return Ok(Renewal::Refused) };
            store::refresh_tokens::mark_used(connection, &hash, now)?;
            let tokens = issue(&desk, connection, now, &user, known.family, known.ends_at)?;
            Ok(Renewal::Done(tokens, user.email))
        })
        .await?;
    let (tokens, email) = match renewed {
        Renewal::Done(tokens, email) => (tokens, email),
        Renewal::Refused => return Err(refused()),
        Renewal::UsedTwice(user) => {
            tracing::warn!(%user, "a refresh token was used twice; the login has been ended");
            return Err(refused());
        }
    };
    // Records the address as familiar, so that failures of strangers do not slow this user down, even after a restart.
    authentication.at_home(context, &email, address);
    Ok(tokens)
}

/// Ends the login of a session, with all its tokens.
pub async fn log_out(context: &Arc<Context>, session: &Session) -> Result<(), Refusal> {
    let family = session.family;
    context.append(move |connection, _| store::refresh_tokens::end_family(connection, family)).await
}

/// The session of an access token, and its user.
///
/// # Errors
/// `authorization_invalid`.
pub async fn recognise(context: &Arc<Context>, access_token: &str) -> Result<(Session, User), Refusal> {
    let invalid = || Refusal::new(Code::AuthorizationInvalid, "the session has ended; log in again, or renew it");
    let session = context.sessions.load().read(access_token, context.clock.now()).ok_or_else(invalid)?;
    let (family, id) = (session.family, session.sub);
    let user = context
        .read(move |connection| {
            Ok(if store::refresh_tokens::family_lives(connection, family)? {
                store::users::get(connection, id)?
            } else {
                None
            })
        })
        .await?;
    Ok((session, user.ok_or_else(invalid)?))
}

/// Adds the first administrator.
///
/// # Errors
/// `body_invalid`; `setup_link_invalid` when there already is an administrator.
pub async fn set_up(
    context: &Arc<Context>,
    authentication: &Authentication,
    email: &str,
    password: String,
) -> Result<User, Refusal> {
    let email = lower(email);
    users::check(Some(&email), Some(&password)).finish()?;
    let password_hash = hash(context, authentication, password).await?;
    context.write(move |write| set_up_within(write, email, password_hash)).await
}

/// Adds the first administrator, within a write.
pub(in crate::services) fn set_up_within(
    write: &mut Write<'_>,
    email: String,
    password_hash: String,
) -> Result<User, Refusal> {
    if store::users::exist(write.connection)? {
        return Err(Refusal::new(Code::SetupLinkInvalid, "there is an administrator already; log in"));
    }
    let user = User::new(write.new_id(), email, Some(password_hash), Role::Owner, write.now);
    store::users::insert(write.connection, &user)?;
    write.made("user.add", &user)?;
    let id = user.id;
    write.say(move || tracing::info!(user = %id, "first administrator made"));
    Ok(user)
}

/// Whether there is an administrator.
pub async fn is_set_up(context: &Arc<Context>) -> Result<bool, Refusal> {
    context.read(|connection| Ok(store::users::exist(connection)?)).await
}

//! Second factors: begun, confirmed, verified at login, and removed.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use crate::{
    auth::{
        session::Session,
        token_hash,
        totp::{self, Secret},
    },
    domain::id::UserId,
    services::{
        desk::{Code, Context, Refusal, Write, log_lines::LogLines},
        people::{authentication::Authentication, slow_down::Attempt, users},
    },
    signing::{KeyRing, random},
    store::{
        self,
        users::{SecondFactor, User},
    },
};

/// How many recovery codes a user receives. Each can be used once.
const RECOVERY_CODES: usize = 10;

/// The purpose under which a secret is sealed. It names the user, so that the secret cannot be moved to another user.
fn purpose(user: UserId) -> String {
    format!("second factor of {user}")
}

fn seal(keys: &KeyRing, user: UserId, secret: &Secret) -> Result<String, Refusal> {
    let sealed = keys.second_factors().seal(&purpose(user), &STANDARD.encode(secret.0));
    sealed.map_err(|error| Refusal::internal(&error))
}

fn open(keys: &KeyRing, user: UserId, sealed: &str) -> Option<Secret> {
    let opened = keys.second_factors().open(&purpose(user), sealed);
    let opened = opened.inspect_err(|error| tracing::error!(%error, %user, "a second factor cannot be read")).ok()?;
    STANDARD.decode(opened).ok()?.try_into().map(Secret).ok()
}

fn hashed(code: &str) -> String {
    STANDARD.encode(token_hash(&totp::plain_recovery_code(code)))
}

/// Takes a code or a recovery code of a user's second factor. The code cannot be used again once the user is stored;
/// write `log` then.
pub(in crate::services) fn take(
    keys: &KeyRing,
    user: &mut User,
    otp: &str,
    now: Timestamp,
    log: &mut LogLines,
) -> bool {
    let otp = otp.trim();
    let secret = user.factor.secret.as_deref().and_then(|sealed| open(keys, user.id, sealed));
    if let Some(step) = secret.and_then(|secret| secret.step_of(otp, now, user.factor.last_step)) {
        user.factor.last_step = Some(step);
        return true;
    }
    let (wanted, before) = (hashed(otp), user.factor.recovery_codes.len());
    user.factor.recovery_codes.retain(|known| *known != wanted);
    let is_taken = user.factor.recovery_codes.len() < before;
    if is_taken {
        let (id, left) = (user.id, user.factor.recovery_codes.len());
        log.add(move || tracing::warn!(user = %id, left, "a recovery code was used"));
    }
    is_taken
}

fn wrong_code() -> Refusal {
    Refusal::field("otp", "is wrong, or was used")
}

fn refuse_state<T>(detail: &str) -> Result<T, Refusal> {
    Err(Refusal::new(Code::SecondFactorState, detail))
}

/// The user who is logged in, locked until the write ends.
fn oneself(write: &mut Write<'_>, user: UserId) -> Result<User, Refusal> {
    store::users::lock(write.connection, user)?.ok_or_else(|| users::not_found(user))
}

/// Begins a second factor: makes a secret, which counts once it is confirmed. Returns it with the user's e-mail
/// address.
///
/// # Errors
/// `second_factor_state` when there already is one; `body_invalid` for a wrong password; `too_many_attempts`.
pub async fn begin(
    context: &Arc<Context>,
    authentication: &Authentication,
    user: UserId,
    password: String,
) -> Result<(Secret, String), Refusal> {
    // A person who finds an open session must not lock the user out with a device of their own.
    users::prove(context, authentication, user, password).await?;
    let secret = Secret(random());
    let sealed = seal(&context.keys.load(), user, &secret)?;
    context
        .write(move |write| {
            let mut user = oneself(write, user)?;
            if user.factor.secret.is_some() {
                return refuse_state("there is a second factor already; remove it first");
            }
            user.factor.pending = Some(sealed);
            store::users::update(write.connection, &user)?;
            Ok((secret, user.email))
        })
        .await
}

/// Confirms a second factor with a code of the device. From then on, a login takes a code. Returns the recovery codes,
/// only here. All other logins end, because they were made without the second factor.
///
/// # Errors
/// `second_factor_state` when none was begun; `body_invalid` for a wrong code; `too_many_attempts`.
pub async fn confirm(
    context: &Arc<Context>,
    authentication: &Authentication,
    session: &Session,
    otp: String,
) -> Result<Vec<String>, Refusal> {
    let (user, family) = (session.sub, session.family);
    let codes: Vec<String> = std::iter::repeat_with(|| totp::recovery_code(&random())).take(RECOVERY_CODES).collect();
    let recovery_codes = codes.iter().map(|code| hashed(code)).collect();
    let keys = context.keys.load_full();
    let confirming = context.write(move |write| {
        let mut user = oneself(write, user)?;
        let Some(pending) = user.factor.pending.take() else {
            return refuse_state("no second factor was begun");
        };
        let secret = open(&keys, user.id, &pending);
        let step = secret.and_then(|secret| secret.step_of(otp.trim(), write.now, None)).ok_or_else(wrong_code)?;
        user.factor = SecondFactor { secret: Some(pending), pending: None, last_step: Some(step), recovery_codes };
        user.revision += 1;
        store::users::update(write.connection, &user)?;
        store::refresh_tokens::end_others_of(write.connection, user.id, family)?;
        write.done("user.second_factor.set_up", &user);
        write.say(move || tracing::info!(user = %user.id, "a second factor was set up"));
        Ok(())
    });
    authentication.guarded(context, Attempt::at_code(user), confirming).await?;
    Ok(codes)
}

/// Removes the second factor of the user who is logged in, with a code or a recovery code. All other logins end.
///
/// # Errors
/// `second_factor_state` when there is none; `body_invalid` for a wrong code; `too_many_attempts`.
pub async fn remove(
    context: &Arc<Context>,
    authentication: &Authentication,
    session: &Session,
    otp: String,
) -> Result<(), Refusal> {
    let (user, family) = (session.sub, session.family);
    let keys = context.keys.load_full();
    let removing = context.write(move |write| {
        let mut user = oneself(write, user)?;
        if user.factor.secret.is_none() {
            return refuse_state("there is no second factor");
        }
        if !take(&keys, &mut user, &otp, write.now, write.log()) {
            return Err(wrong_code());
        }
        user.factor = SecondFactor::default();
        user.revision += 1;
        store::refresh_tokens::end_others_of(write.connection, user.id, family)?;
        write.done("user.second_factor.remove", &user);
        store::users::update(write.connection, &user)?;
        write.say(move || tracing::info!(user = %user.id, "a second factor was removed"));
        Ok(())
    });
    authentication.guarded(context, Attempt::at_code(user), removing).await
}

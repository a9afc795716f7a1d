//! E-mail addresses in the form that is stored, and the hashing and verifying of passwords.

use std::sync::Arc;

use crate::{
    auth::password::Passwords,
    services::{
        desk::{Context, Refusal},
        people::authentication::Authentication,
    },
    store::users::User,
};

/// An e-mail address in the form that is stored: trimmed, in lower case.
pub(in crate::services) fn lower(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Runs work that hashes a password, which takes memory and time on purpose, off the async threads. The caller must
/// have a turn of [`Authentication`].
async fn hashing<T: Send + 'static>(
    context: &Arc<Context>,
    work: impl FnOnce(&Passwords) -> T + Send + 'static,
) -> Result<T, Refusal> {
    let desk = Arc::clone(context);
    tokio::task::spawn_blocking(move || work(&desk.passwords)).await.map_err(|error| Refusal::internal(&error))
}

/// Waits for a turn, and hashes a password.
pub(in crate::services) async fn hash(
    context: &Arc<Context>,
    authentication: &Authentication,
    password: String,
) -> Result<String, Refusal> {
    let _turn = authentication.turn().await?;
    hashing(context, move |passwords| passwords.hash(&password)).await?.map_err(|error| Refusal::internal(&error))
}

/// The user, if the password is theirs, and a new hash of it if the stored one is weaker than new ones.
pub(in crate::services) async fn verified(
    context: &Arc<Context>,
    user: Option<User>,
    password: String,
) -> Result<Option<(User, Option<String>)>, Refusal> {
    hashing(context, move |passwords| {
        let matches = passwords.verify(&password, user.as_ref().and_then(|user| user.password_hash.as_deref()));
        let user = user.filter(|_| matches)?;
        let is_weaker = user.password_hash.as_deref().is_some_and(|hash| passwords.is_weaker(hash));
        let stronger_hash = is_weaker.then(|| passwords.hash(&password).ok()).flatten();
        Some((user, stronger_hash))
    })
    .await
}

/// Whether the password is that of this user. The caller must have a turn.
pub(in crate::services) async fn is_password_of(
    context: &Arc<Context>,
    user: User,
    password: String,
) -> Result<bool, Refusal> {
    Ok(verified(context, Some(user), password).await?.is_some())
}

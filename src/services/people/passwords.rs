//! Addresses and passwords as they are kept, and whether a password is somebody's.

use std::sync::Arc;

use crate::{
    auth::password::Passwords,
    services::{
        desk::{Context, Refusal},
        people::authentication::Authentication,
    },
    store::users::User,
};

/// An e-mail address as it is kept.
pub(in crate::services) fn lower(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Does what takes memory and time on purpose, off the async threads. Whoever calls it has to have a turn.
async fn hashing<T: Send + 'static>(
    context: &Arc<Context>,
    work: impl FnOnce(&Passwords) -> T + Send + 'static,
) -> Result<T, Refusal> {
    let desk = Arc::clone(context);
    tokio::task::spawn_blocking(move || work(&desk.passwords)).await.map_err(|error| Refusal::internal(&error))
}

/// The hash of a password.
pub(in crate::services) async fn hash(
    context: &Arc<Context>,
    authentication: &Authentication,
    password: String,
) -> Result<String, Refusal> {
    let _turn = authentication.turn().await?;
    hashing(context, move |passwords| passwords.hash(&password)).await?.map_err(|error| Refusal::internal(&error))
}

/// The user, if this is their password, and a new hash of it where the one that is kept costs too little to guess at.
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

/// Whether this is the password of a user who is logged in, whose turn it is.
pub(in crate::services) async fn is_password_of(
    context: &Arc<Context>,
    user: User,
    password: String,
) -> Result<bool, Refusal> {
    Ok(verified(context, Some(user), password).await?.is_some())
}

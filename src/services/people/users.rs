//! Users: added, changed and removed by owners; users change their own passwords.

pub mod on_the_machine;

use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        id::{ProductId, UserId},
        page::Page,
        patch::{Patch, patch_body},
        role::Role,
        slug::Slug,
    },
    services::{
        desk::{Code, Context, Expected, Faults, Refusal, lookup},
        people::{
            authentication::Authentication,
            passwords::{self, lower},
            slow_down::Attempt,
        },
    },
    store::{self, Connection, StoreError, users::SecondFactor},
};

pub use crate::store::users::{Identity, User};

/// A new user.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What they log in with.
    #[schema(max_length = 254, example = "anna@example.com")]
    pub email: String,
    /// Their first password; they can change it themselves.
    #[schema(format = Password, min_length = 8, max_length = 512)]
    pub password: String,
    /// What they may do.
    pub role: Role,
    /// The slugs of the only products that they have to do with; all unless given. An owner has to do with all.
    #[schema(min_items = 1, max_items = 1000)]
    pub products: Option<Vec<Slug>>,
}

patch_body! {
    /// A change to a user: what is absent stays as it is. All but a new address ends their sessions.
    pub struct UserChange {
        /// What they log in with.
        #[schema(max_length = 254)]
        pub email: Patch<String>,
        /// A new password.
        #[schema(format = Password, min_length = 8, max_length = 512)]
        pub password: Patch<String>,
        /// What they may do.
        pub role: Patch<Role>,
        /// The slugs of the only products that they have to do with; `null`: all.
        #[schema(min_items = 1, max_items = 1000)]
        pub products: Patch<Option<Vec<Slug>>>,
        /// `false` removes the second factor of a user who has lost it. Only the user can set one up.
        pub second_factor: Patch<bool>,
    }
}

/// Checks an e-mail address and a password.
pub(in crate::services) fn check(email: Option<&str>, password: Option<&str>) -> Faults {
    let mut faults = Faults::default();
    if let Some(email) = email {
        faults.email("email", email);
    }
    if password.is_some_and(|password| !(8..=512).contains(&password.chars().count())) {
        faults.add("password", "must be 8 to 512 characters");
    }
    faults
}

/// The ids of the products with these slugs.
fn ids_of(connection: &mut Connection, slugs: Option<Vec<Slug>>) -> Result<Option<Vec<ProductId>>, Refusal> {
    let Some(slugs) = slugs else { return Ok(None) };
    if !(1..=1000).contains(&slugs.len()) {
        return Err(Refusal::field("products", "must name 1 to 1000; `null` is all of them"));
    }
    let mut ids = Vec::new();
    for slug in &slugs {
        let product = store::products::by_slug(connection, slug)?;
        ids.push(product.ok_or_else(|| lookup::product_not_found(slug))?.id);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(Some(ids))
}

/// Adds a user, within a transaction.
pub(in crate::services) fn add_within(connection: &mut Connection, user: &User) -> Result<(), Refusal> {
    check_whole(connection, user)?;
    store::users::insert(connection, user)?;
    Ok(())
}

/// The log line for a user who was added.
fn added(user: &User) -> impl FnOnce() + Send + use<> {
    let (id, role) = (user.id, user.role);
    move || tracing::info!(user = %id, %role, "user added")
}

/// The log line for a user whose password was changed.
fn password_changed(id: UserId) -> impl FnOnce() + Send {
    move || tracing::info!(user = %id, "password changed; all sessions of the user have ended")
}

/// Checks fields that depend on each other, and that the e-mail address is free.
fn check_whole(connection: &mut Connection, user: &User) -> Result<(), Refusal> {
    if user.role == Role::Owner && user.products.is_some() {
        return Err(Refusal::field("products", "an owner has to do with all products"));
    }
    if store::users::by_email(connection, &user.email)?.is_some_and(|other| other.id != user.id) {
        return Err(Refusal::new(Code::UserExists, format!("there is a user `{}` already", user.email)));
    }
    Ok(())
}

/// Adds a user with a first password.
///
/// # Errors
/// `body_invalid`, `product_not_found`, `user_exists`.
pub async fn add(context: &Arc<Context>, authentication: &Authentication, new: NewUser) -> Result<User, Refusal> {
    let NewUser { email, password, role, products } = new;
    let email = lower(&email);
    check(Some(&email), Some(&password)).finish()?;
    let hash = passwords::hash(context, authentication, password).await?;
    context
        .write(move |write| {
            let products = ids_of(write.connection, products)?;
            let user = User { products, ..User::new(write.new_id(), email, Some(hash), role, write.now) };
            add_within(write.connection, &user)?;
            write.made("user.add", &user)?;
            write.say(added(&user));
            Ok(user)
        })
        .await
}

/// The user with this id.
///
/// # Errors
/// `user_not_found`.
pub async fn get(context: &Arc<Context>, id: UserId) -> Result<User, Refusal> {
    context.read(move |connection| store::users::get(connection, id)?.ok_or_else(|| not_found(id))).await
}

/// Changes a user on behalf of `by`. The user's sessions end if their rights or credentials change.
///
/// # Errors
/// `user_not_found`, `precondition_failed`, `body_invalid`, `product_not_found`, `user_exists`, `last_owner`.
pub async fn change(
    context: &Arc<Context>,
    authentication: &Authentication,
    by: UserId,
    id: UserId,
    expected: Expected,
    change: UserChange,
) -> Result<User, Refusal> {
    let UserChange { email, password, role, products, second_factor } = change;
    let (email, password, role) = (email.value().as_deref().map(lower), password.value(), role.value());
    let mut faults = check(email.as_deref(), password.as_deref());
    // A person who finds an open session must not be able to take over the account.
    if by == id && password.is_some() {
        faults.add("password", "is your own; change it with `PATCH /api/v1/auth/me`, which takes the current one");
    }
    if by == id && second_factor == Patch::Set(false) {
        faults.add("second_factor", "is your own; remove it with `DELETE /api/v1/auth/me/totp`, which takes a code");
    }
    if second_factor == Patch::Set(true) {
        faults.add("second_factor", "only they themselves can set one up; `false` removes it");
    }
    faults.finish()?;
    let hash = match password {
        Some(password) => Some(passwords::hash(context, authentication, password).await?),
        None => None,
    };
    let follows = authentication.single_sign_on.as_ref().map(|sign_on| sign_on.provider.issuer().to_owned());
    context
        .write(move |write| {
            let before = store::users::lock(write.connection, id)?.ok_or_else(|| not_found(id))?;
            expected.check(before.revision)?;
            if role.is_some_and(|role| role != before.role) && follows.is_some() && follows == issuer_of(&before) {
                return Err(Refusal::field(
                    "role",
                    "follows their groups at the identity provider at every login; change them there",
                ));
            }
            if hash.is_some() && before.role != Role::Owner && follows.is_some() && follows == issuer_of(&before) {
                return Err(Refusal::field(
                    "password",
                    "cannot be set: this user logs in through the identity provider; only owners may also have a password",
                ));
            }
            let mut user = before.clone();
            user.email = email.unwrap_or(user.email);
            user.password_hash = hash.or(user.password_hash);
            user.role = role.unwrap_or(user.role);
            if let Patch::Set(products) = products {
                user.products = ids_of(write.connection, products)?;
            }
            if second_factor == Patch::Set(false) {
                user.factor = SecondFactor::default();
            }
            check_whole(write.connection, &user)?;
            if user.role != Role::Owner {
                keep_an_owner(write.connection, &before)?;
            }
            write.save("user.change", &before, &mut user)?;
            if before.password_hash != user.password_hash {
                write.done("user.password", &user);
            }
            if !is_trusted_alike(&before, &user) {
                store::refresh_tokens::end_all_of(write.connection, id)?;
            }
            Ok(user)
        })
        .await
}

/// The issuer at which the user logs in.
fn issuer_of(user: &User) -> Option<String> {
    user.identity.as_ref().map(|identity| identity.issuer.clone())
}

/// Whether sessions from before the change stay valid.
pub(in crate::services) fn is_trusted_alike(before: &User, after: &User) -> bool {
    before.password_hash == after.password_hash
        && before.role == after.role
        && before.products == after.products
        && before.factor.secret == after.factor.secret
}

/// Whether this user is the only owner.
pub(in crate::services) fn is_last_owner(connection: &mut Connection, user: &User) -> Result<bool, StoreError> {
    Ok(user.role == Role::Owner && !store::users::others_have(connection, Role::Owner, user.id)?)
}

/// Refuses a change that would leave no owner.
fn keep_an_owner(connection: &mut Connection, user: &User) -> Result<(), Refusal> {
    if is_last_owner(connection, user)? {
        let detail = format!("`{}` is the only owner; make another one first", user.email);
        return Err(Refusal::new(Code::LastOwner, detail));
    }
    Ok(())
}

/// Removes a user and ends their sessions. A removed identity is not added again by another login through the provider.
///
/// # Errors
/// `user_not_found`, `precondition_failed`, `last_owner`.
pub async fn delete(context: &Arc<Context>, id: UserId, expected: Expected) -> Result<(), Refusal> {
    context
        .write(move |write| {
            let user = store::users::lock(write.connection, id)?.ok_or_else(|| not_found(id))?;
            expected.check(user.revision)?;
            keep_an_owner(write.connection, &user)?;
            store::users::delete(write.connection, id)?;
            if let Some(identity) = &user.identity {
                store::removed_identities::insert(write.connection, identity.clone(), write.now)?;
            }
            write.removed("user.delete", &user)?;
            write.say(move || tracing::info!(user = %id, "user removed"));
            Ok(())
        })
        .await
}

/// Changes the password of the user who is logged in. All of their sessions end.
///
/// # Errors
/// `body_invalid` when the current password is wrong or the new one is invalid; `too_many_attempts`.
pub async fn change_own_password(
    context: &Arc<Context>,
    authentication: &Authentication,
    id: UserId,
    current: String,
    new: String,
) -> Result<(), Refusal> {
    check(None, Some(&new)).finish()?;
    let known = prove(context, authentication, id, current).await?;
    let hash = passwords::hash(context, authentication, new).await?;
    context
        .write(move |write| {
            let user = store::users::lock(write.connection, id)?.filter(|user| user.password_hash == known);
            let user = user.ok_or_else(|| Refusal::new(Code::Conflict, "the password was changed meanwhile"))?;
            write.done("user.password", &user);
            give_password(write.connection, user, hash)?;
            write.say(password_changed(id));
            Ok(())
        })
        .await
}

/// Checks the password of a user who is logged in. Returns its stored hash.
pub(in crate::services) async fn prove(
    context: &Arc<Context>,
    authentication: &Authentication,
    id: UserId,
    password: String,
) -> Result<Option<String>, Refusal> {
    let user = get(context, id).await?;
    let known = user.password_hash.clone();
    if known.is_none() {
        return Err(Refusal::field(
            "current_password",
            "there is none: you log in through the identity provider, which can ask for a second factor",
        ));
    }
    let checking = async {
        match passwords::is_password_of(context, user, password).await? {
            true => Ok(()),
            false => Err(Refusal::field("current_password", "is wrong")),
        }
    };
    authentication.guarded(context, Attempt::at_password(id), checking).await?;
    Ok(known)
}

/// Stores another password for a user whose row is locked, and ends their sessions.
fn give_password(connection: &mut Connection, mut user: User, hash: String) -> Result<(), Refusal> {
    user.password_hash = Some(hash);
    user.revision += 1;
    store::users::update(connection, &user)?;
    store::refresh_tokens::end_all_of(connection, user.id)?;
    Ok(())
}

pub(in crate::services) fn not_found(id: UserId) -> Refusal {
    Refusal::new(Code::UserNotFound, format!("there is no user {id}"))
}

/// A page of users.
pub async fn list(context: &Arc<Context>, page: Page<UserId>) -> Result<Vec<User>, Refusal> {
    context.read(move |connection| Ok(store::users::page(connection, page)?)).await
}

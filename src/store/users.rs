//! Table `users`: the vendor's staff, who may log in.

use diesel::prelude::*;
use jiff::Timestamp;

use super::{
    Connection, Page, StoreError, locks,
    schema::users,
    transaction,
    value::{Json, Key, Moment, Name},
};
use crate::domain::{
    id::{ProductId, UserId},
    role::Role,
};

/// A user, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// The address that the user logs in with, in lower case.
    pub email: String,
    /// argon2id, in PHC format; `None`: the user cannot log in with a password.
    pub password_hash: Option<String>,
    pub role: Role,
    /// The only products that the user has access to; `None`: all products.
    pub products: Option<Vec<ProductId>>,
    pub factor: SecondFactor,
    pub created_at: Timestamp,
    /// Grows with each change by staff.
    pub revision: i64,
    /// The user at the identity provider; `None` before the first login there.
    pub identity: Option<Identity>,
}

/// A person as an identity provider names them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Identity {
    /// The issuer URL of the provider.
    #[schema(example = "https://login.example.com/realms/staff")]
    pub issuer: String,
    /// The provider's identifier of the person, which is unique and never changes.
    #[schema(example = "248289761001")]
    pub subject: String,
}

impl User {
    /// A new user without a second factor, with access to all products.
    #[must_use]
    pub fn new(id: UserId, email: String, password_hash: Option<String>, role: Role, now: Timestamp) -> Self {
        let factor = SecondFactor::default();
        Self { id, email, password_hash, role, products: None, factor, created_at: now, revision: 1, identity: None }
    }
}

/// The second factor of a user, as stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecondFactor {
    /// The secret in use, encrypted; `None`: the user has no second factor.
    pub secret: Option<String>,
    /// A secret that the user has not confirmed yet, encrypted.
    pub pending: Option<String>,
    /// The time step of the last accepted code. Earlier codes are refused.
    pub last_step: Option<i64>,
    /// Hashes of the unused recovery codes, in base64.
    pub recovery_codes: Vec<String>,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true)]
struct UserRow {
    id: Key<UserId>,
    email: String,
    /// Empty if the user has no password.
    password_hash: String,
    role: Name<Role>,
    created_at: Moment,
    products: Option<Json<Vec<ProductId>>>,
    totp_secret: Option<String>,
    totp_pending: Option<String>,
    totp_last_step: Option<i64>,
    recovery_codes: Json<Vec<String>>,
    revision: i64,
    issuer: Option<String>,
    subject: Option<String>,
}

impl UserRow {
    fn of(user: &User) -> Self {
        let User { id, email, password_hash, role, products, factor, created_at, revision, identity } = user.clone();
        let (issuer, subject) = identity.map(|Identity { issuer, subject }| (issuer, subject)).unzip();
        Self {
            id: Key(id),
            email,
            password_hash: password_hash.unwrap_or_default(),
            role: Name(role),
            created_at: Moment(created_at),
            products: products.map(Json),
            totp_secret: factor.secret,
            totp_pending: factor.pending,
            totp_last_step: factor.last_step,
            recovery_codes: Json(factor.recovery_codes),
            revision,
            issuer,
            subject,
        }
    }

    fn into_domain(self) -> User {
        User {
            id: self.id.0,
            email: self.email,
            password_hash: Some(self.password_hash).filter(|hash| !hash.is_empty()),
            role: self.role.0,
            products: self.products.map(|products| products.0),
            factor: SecondFactor {
                secret: self.totp_secret,
                pending: self.totp_pending,
                last_step: self.totp_last_step,
                recovery_codes: self.recovery_codes.0,
            },
            created_at: self.created_at.0,
            revision: self.revision,
            identity: self.issuer.zip(self.subject).map(|(issuer, subject)| Identity { issuer, subject }),
        }
    }
}

/// The user with this identity at an identity provider.
pub fn by_identity(connection: &mut Connection, identity: &Identity) -> Result<Option<User>, StoreError> {
    let known = users::table.filter(users::issuer.eq(&identity.issuer)).filter(users::subject.eq(&identity.subject));
    Ok(known.select(UserRow::as_select()).first(connection).optional()?.map(UserRow::into_domain))
}

/// The user with this e-mail address, in lower case.
pub fn by_email(connection: &mut Connection, email: &str) -> Result<Option<User>, StoreError> {
    // PostgreSQL refuses NUL in a query, and no address contains it.
    if email.contains('\0') {
        return Ok(None);
    }
    let row = users::table.filter(users::email.eq(email)).select(UserRow::as_select()).first(connection).optional()?;
    Ok(row.map(UserRow::into_domain))
}

/// The user with this id.
pub fn get(connection: &mut Connection, id: UserId) -> Result<Option<User>, StoreError> {
    Ok(users::table.find(Key(id)).select(UserRow::as_select()).first(connection).optional()?.map(UserRow::into_domain))
}

/// The addresses of the users with access to a product; without a product, of those with access to all. Staff mail must
/// not speak of products that its reader cannot see.
pub fn addresses_of_concerned(
    connection: &mut Connection,
    product: Option<ProductId>,
) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String, Option<Json<Vec<ProductId>>>)> =
        users::table.order(users::email).select((users::email, users::products)).load(connection)?;
    let is_concerned = |products: &Option<Json<Vec<ProductId>>>| {
        products.as_ref().is_none_or(|only| product.is_some_and(|product| only.0.contains(&product)))
    };
    Ok(rows.into_iter().filter(|(_, products)| is_concerned(products)).map(|(email, _)| email).collect())
}

/// Whether any user exists.
pub fn exist(connection: &mut Connection) -> Result<bool, StoreError> {
    Ok(diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(connection)?)
}

/// Adds the row of a user.
///
/// # Errors
/// [`StoreError::Conflict`] if the address already exists.
pub fn insert(connection: &mut Connection, user: &User) -> Result<(), StoreError> {
    diesel::insert_into(users::table).values(UserRow::of(user)).execute(connection)?;
    Ok(())
}

/// The user with this id. The user and their logins are locked until the transaction ends, so that changes of the user
/// and logins come one after the other.
pub fn lock(connection: &mut Connection, id: UserId) -> Result<Option<User>, StoreError> {
    transaction::hold(connection, locks::USER, id.0)?;
    get(connection, id)
}

/// A page of users, in the order of their creation.
pub fn page(connection: &mut Connection, page: Page<UserId>) -> Result<Vec<User>, StoreError> {
    let mut query = users::table.order(users::id).limit(page.limit).select(UserRow::as_select()).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(users::id.gt(Key(after)));
    }
    Ok(query.load(connection)?.into_iter().map(UserRow::into_domain).collect())
}

/// Whether another user than `besides` has this role.
pub fn others_have(connection: &mut Connection, role: Role, besides: UserId) -> Result<bool, StoreError> {
    let others = users::table.filter(users::role.eq(role.as_str())).filter(users::id.ne(Key(besides)));
    Ok(diesel::select(diesel::dsl::exists(others.select(users::id))).get_result(connection)?)
}

/// Whether another user than `besides` has this role and can log in with a password.
pub fn others_have_password(connection: &mut Connection, role: Role, besides: UserId) -> Result<bool, StoreError> {
    let others = users::table.filter(users::role.eq(role.as_str())).filter(users::id.ne(Key(besides)));
    let with_password = others.filter(users::password_hash.ne(""));
    Ok(diesel::select(diesel::dsl::exists(with_password.select(users::id))).get_result(connection)?)
}

/// All users with one of these roles.
pub fn with_roles(connection: &mut Connection, roles: &[Role]) -> Result<Vec<User>, StoreError> {
    let named = roles.iter().map(|role| role.as_str());
    let rows = users::table.filter(users::role.eq_any(named)).select(UserRow::as_select()).load(connection)?;
    Ok(rows.into_iter().map(UserRow::into_domain).collect())
}

/// Replaces the row of a user.
pub fn update(connection: &mut Connection, user: &User) -> Result<(), StoreError> {
    diesel::update(users::table.find(Key(user.id))).set(UserRow::of(user)).execute(connection)?;
    Ok(())
}

/// Deletes a user and their logins.
pub fn delete(connection: &mut Connection, id: UserId) -> Result<(), StoreError> {
    diesel::delete(users::table.find(Key(id))).execute(connection)?;
    Ok(())
}

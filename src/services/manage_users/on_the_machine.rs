//! People by whoever may use the machine: nobody is logged in, and a server may be running or not.

use jiff::Timestamp;

use super::{
    super::{Code, Refusal, context::id_at, log_in::lower},
    add_within, check, give_password,
};
use crate::{
    auth::password::Passwords,
    domain::role::Role,
    store::{
        self, Connection, Store,
        users::{SecondFactor, User},
    },
};

/// The store and the passwords of a machine on which somebody may do as they like.
#[derive(Debug)]
pub struct Machine<'m> {
    /// The database; a server may be using it.
    pub store: &'m Store,
    /// As they are hashed there.
    pub passwords: &'m Passwords,
    /// The time.
    pub now: Timestamp,
}

impl Machine<'_> {
    /// Adds a user.
    ///
    /// # Errors
    /// `body_invalid`, `user_exists`.
    pub fn add(&self, email: &str, password: &str, role: Role) -> Result<User, Refusal> {
        let user = User::new(id_at(self.now).into(), lower(email), Some(self.hash(password)?), role, self.now);
        check(Some(&user.email), None).finish()?;
        self.store.write(|connection| add_within(connection, &user).map(|()| ((), ())), |()| ())?;
        Ok(user)
    }

    /// Gives a user another password, whatever the old one was; their sessions end.
    ///
    /// # Errors
    /// `body_invalid`, `user_not_found`.
    pub fn reset_password(&self, email: &str, password: &str, removes_second_factor: bool) -> Result<(), Refusal> {
        let (email, hash) = (lower(email), self.hash(password)?);
        let resetting = |connection: &mut Connection| {
            let known = store::users::by_email(connection, &email)?.map(|user| user.id);
            let held = known.map(|id| store::users::held(connection, id)).transpose()?.flatten();
            let nobody = || Refusal::new(Code::UserNotFound, format!("there is no user `{email}`"));
            let mut user = held.ok_or_else(nobody)?;
            if removes_second_factor {
                user.factor = SecondFactor::default();
            }
            give_password(connection, user, hash).map(|()| ((), ()))
        };
        self.store.write(resetting, |()| ())
    }

    fn hash(&self, password: &str) -> Result<String, Refusal> {
        check(None, Some(password)).finish()?;
        self.passwords.hash(password).map_err(|error| Refusal::internal(&error))
    }
}

//! Changes to users from the command line of the server's machine, without a login. A server may be running or not.

use crate::{
    auth::password::Passwords,
    domain::role::Role,
    services::{
        desk::{Code, Refusal, audited, context::id_at, operator::Operator},
        people::{
            passwords::lower,
            users::{add_within, added, check, give_password, password_changed},
        },
    },
    store::{
        self, Connection,
        users::{SecondFactor, User},
    },
};

/// The command line of the server's machine, which may change every user.
#[derive(Debug)]
pub struct Machine<'m> {
    pub operator: Operator<'m>,
    /// The cost at which passwords are hashed.
    pub passwords: &'m Passwords,
}

impl Machine<'_> {
    /// Adds a user with access to all products.
    ///
    /// # Errors
    /// `body_invalid`, `user_exists`.
    pub fn add(&self, email: &str, password: &str, role: Role) -> Result<User, Refusal> {
        let now = self.operator.now;
        let user = User::new(id_at(now).into(), lower(email), Some(self.hash(password)?), role, now);
        check(Some(&user.email), None).finish()?;
        self.operator.change(|connection| {
            add_within(connection, &user)?;
            Ok::<_, Refusal>(((), vec![audited::made("user.add", &user)?]))
        })?;
        added(&user)();
        Ok(user)
    }

    /// Replaces a user's password without asking for the old one. Their sessions end.
    ///
    /// # Errors
    /// `body_invalid`, `user_not_found`.
    pub fn reset_password(&self, email: &str, password: &str, removes_second_factor: bool) -> Result<(), Refusal> {
        let (email, hash) = (lower(email), self.hash(password)?);
        let resetting = |connection: &mut Connection| {
            let known = store::users::by_email(connection, &email)?.map(|user| user.id);
            let held = known.map(|id| store::users::lock(connection, id)).transpose()?.flatten();
            let nobody = || Refusal::new(Code::UserNotFound, format!("there is no user `{email}`"));
            let before = held.ok_or_else(nobody)?;
            let mut user = before.clone();
            let mut records = vec![audited::done("user.password", &user)];
            if removes_second_factor {
                user.factor = SecondFactor::default();
                records.push(audited::altered("user.change", &before, &user)?);
            }
            give_password(connection, user, hash)?;
            Ok::<_, Refusal>((before.id, records))
        };
        let id = self.operator.change(resetting)?;
        password_changed(id)();
        Ok(())
    }

    fn hash(&self, password: &str) -> Result<String, Refusal> {
        check(None, Some(password)).finish()?;
        self.passwords.hash(password).map_err(|error| Refusal::internal(&error))
    }
}

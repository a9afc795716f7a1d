//! Things with a revision, and the one way to save a changed thing.

use crate::{
    directory::Change,
    domain::{
        customer::Customer, hosting_group::HostingGroup, known_problem::KnownProblem, product::Product,
        release::Release, subscription::Subscription, webhook::Webhook,
    },
    services::desk::{audited::Audited, context::Write, refusal::Refusal},
    store::{self, Connection, StoreError, users::User},
};

/// A thing whose revision counts its changes; the revision is the `ETag` of HTTP.
pub(in crate::services) trait Revisioned: Audited + PartialEq {
    /// The current revision, to be raised.
    fn revision(&mut self) -> &mut i64;

    /// Replaces the row in the database.
    fn update(&self, connection: &mut Connection) -> Result<(), StoreError>;

    /// The change that checks must know of; `None` if checks do not depend on the thing.
    fn change(&self) -> Option<Change>;
}

impl Write<'_> {
    /// Saves a thing as the revision after `before`, and records the change. Does nothing if the thing is unchanged.
    /// Returns whether it was changed.
    ///
    /// # Errors
    /// `internal_error`, or that the database cannot be used.
    pub(in crate::services) fn save<T: Revisioned>(
        &mut self,
        action: &'static str,
        before: &T,
        thing: &mut T,
    ) -> Result<bool, Refusal> {
        if thing == before {
            return Ok(false);
        }
        *thing.revision() += 1;
        thing.update(self.connection)?;
        self.altered(action, before, thing)?;
        if let Some(change) = thing.change() {
            self.changed(change);
        }
        Ok(true)
    }
}

/// Implements [`Revisioned`] for a type: its module in the store, and the change that checks must know of.
macro_rules! revisioned {
    ($thing:ty, $table:ident, $change:expr) => {
        impl Revisioned for $thing {
            fn revision(&mut self) -> &mut i64 {
                &mut self.revision
            }

            fn update(&self, connection: &mut Connection) -> Result<(), StoreError> {
                store::$table::update(connection, self)
            }

            fn change(&self) -> Option<Change> {
                let change: fn(&Self) -> Option<Change> = $change;
                change(self)
            }
        }
    };
}

revisioned!(Product, products, |product| Some(Change::Product(product.id)));
revisioned!(Release, releases, |release| Some(Change::Release(release.product, release.id)));
revisioned!(Subscription, subscriptions, |subscription| Some(Change::Subscription(subscription.coverage.id)));
revisioned!(HostingGroup, hosting_groups, |group| Some(Change::HostingGroup(group.id)));
revisioned!(KnownProblem, known_problems, |rule| Some(Change::Product(rule.product)));
revisioned!(Customer, customers, |_| None);
revisioned!(Webhook, webhooks, |_| None);
revisioned!(User, users, |_| None);

//! Subscriptions: what a customer is entitled to, and until when.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};

use super::{
    id::{CustomerId, HostingGroupId, ProductId, SubscriptionId},
    named_enum,
    slug::Slug,
    version::Requirement,
    zone::Zone,
};

named_enum! {
    /// How a customer runs a product (contract section 1).
    Deployment, "deployment" {
        /// One program on one machine.
        SingleUser = "single_user",
        /// A server program of the customer's own, and clients.
        MultiUser = "multi_user",
        /// A server program that the vendor hosts, and clients.
        Cloud = "cloud",
    }
}

named_enum! {
    /// What staff have made of a subscription.
    SubscriptionState, "subscription state" {
        /// Its dates decide.
        Active = "active",
        /// Set aside, until it is resumed.
        Suspended = "suspended",
        /// Over, whatever its dates say.
        Cancelled = "cancelled",
    }
}

named_enum! {
    /// What a subscription is on a given day.
    #[schema(as = SubscriptionStatus)]
    Status, "subscription status" {
        /// It has not begun.
        Pending = "pending",
        /// It is covered.
        Active = "active",
        /// It has ended, and is still covered for a while.
        Grace = "grace",
        /// It has ended.
        Expired = "expired",
        /// Staff have set it aside.
        Suspended = "suspended",
        /// Staff have ended it.
        Cancelled = "cancelled",
    }
}

/// What a subscription covers: the part of it that the decision needs, kept small because a server holds one
/// for every subscription there is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Coverage {
    /// Its id.
    pub id: SubscriptionId,
    /// The product it is for.
    pub product: ProductId,
    /// How the customer runs it.
    pub deployment: Deployment,
    /// What staff have made of it. It outranks the dates.
    pub state: SubscriptionState,
    /// The first covered day.
    pub starts_on: Date,
    /// The last covered day; `None` never ends.
    pub ends_on: Option<Date>,
    /// Days after `ends_on` that are covered too.
    pub grace_days: u16,
    /// The channels it may be answered on; each brings the more stable ones with it.
    pub channels: Arc<[Slug]>,
    /// The versions it is pinned to.
    pub version_req: Option<Arc<Requirement>>,
    /// The group whose maintenance window it keeps to.
    pub hosting_group: Option<HostingGroupId>,
}

impl Coverage {
    /// The last day that is covered, grace included; `None` never ends.
    #[must_use]
    pub fn last_covered_day(&self) -> Option<Date> {
        self.ends_on.map(|end| end.saturating_add(jiff::Span::new().days(i64::from(self.grace_days))))
    }

    /// What the subscription is at `now`; its days are days in the product's `zone`.
    #[must_use]
    pub fn status(&self, zone: &Zone, now: Timestamp) -> Status {
        match self.state {
            SubscriptionState::Suspended => Status::Suspended,
            SubscriptionState::Cancelled => Status::Cancelled,
            SubscriptionState::Active => self.status_on(zone.date_at(now)),
        }
    }

    /// What the dates alone make of it on a day.
    fn status_on(&self, today: Date) -> Status {
        if today < self.starts_on {
            Status::Pending
        } else if self.ends_on.is_none_or(|end| today <= end) {
            Status::Active
        } else if self.last_covered_day().is_none_or(|last| today <= last) {
            Status::Grace
        } else {
            Status::Expired
        }
    }
}

/// A subscription, whole.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Subscription {
    /// What it covers.
    pub coverage: Coverage,
    /// Whose it is.
    pub customer: CustomerId,
    /// What the vendor's other systems call it.
    pub external_ref: Option<String>,
    /// Whether it will be renewed at its end; `false` once it was cancelled to its end.
    pub renews: bool,
    /// When it was entered.
    pub created_at: Timestamp,
    /// Counts changes, for `If-Match`.
    pub revision: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn coverage() -> Coverage {
        Coverage {
            id: SubscriptionId(uuid::Uuid::nil()),
            product: ProductId(uuid::Uuid::nil()),
            deployment: Deployment::SingleUser,
            state: SubscriptionState::Active,
            starts_on: date(2026, 1, 1),
            ends_on: Some(date(2026, 6, 30)),
            grace_days: 10,
            channels: Arc::new([]),
            version_req: None,
            hosting_group: None,
        }
    }

    #[test]
    fn days_begin_and_end_in_the_products_time_zone() {
        let rome: Zone = "Europe/Rome".parse().expect("a zone");
        let status = |text: &str| coverage().status(&rome, text.parse().expect("a time"));
        assert_eq!(status("2025-12-31T22:59:59Z"), Status::Pending);
        assert_eq!(status("2025-12-31T23:00:00Z"), Status::Active);
        assert_eq!(status("2026-06-30T21:59:59Z"), Status::Active);
        assert_eq!(status("2026-06-30T22:00:00Z"), Status::Grace);
        assert_eq!(status("2026-07-10T21:59:59Z"), Status::Grace);
        assert_eq!(status("2026-07-10T22:00:00Z"), Status::Expired);
    }

    #[test]
    fn the_state_outranks_the_dates() {
        let suspended = Coverage { state: SubscriptionState::Suspended, ends_on: Some(date(2020, 1, 1)), ..coverage() };
        assert_eq!(suspended.status(&Zone::utc(), Timestamp::UNIX_EPOCH), Status::Suspended);
    }
}

//! Subscriptions: what a customer is entitled to, and until when.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};

use super::{
    id::{CustomerId, HostingGroupId, ProductId, SubscriptionId},
    line::Line,
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
        /// A server and clients that the customer runs.
        MultiUser = "multi_user",
        /// A server that the vendor hosts, and clients.
        Cloud = "cloud",
    }
}

named_enum! {
    /// The state that staff have given a subscription.
    SubscriptionState, "subscription state" {
        /// Its dates decide.
        Active = "active",
        /// Suspended until it is resumed.
        Suspended = "suspended",
        /// Ended, regardless of its dates.
        Cancelled = "cancelled",
    }
}

named_enum! {
    /// The status of a subscription on a given day.
    #[schema(as = SubscriptionStatus)]
    Status, "subscription status" {
        /// It has not begun.
        Pending = "pending",
        Active = "active",
        /// It has ended, and is covered for some more days.
        Grace = "grace",
        Expired = "expired",
        Suspended = "suspended",
        Cancelled = "cancelled",
    }
}

/// The part of a subscription that the decision needs. It is small, because a server holds all subscriptions in memory.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Coverage {
    pub id: SubscriptionId,
    pub product: ProductId,
    pub deployment: Deployment,
    /// Overrides the dates.
    pub state: SubscriptionState,
    /// The first covered day.
    pub starts_on: Date,
    /// The last covered day; `None` for no end.
    pub ends_on: Option<Date>,
    /// Covered days after `ends_on`.
    pub grace_days: u16,
    /// The allowed channels; each includes the more stable ones.
    pub channels: Arc<[Slug]>,
    /// The versions that it is pinned to.
    pub version_req: Option<Arc<Requirement>>,
    /// The group whose maintenance window applies.
    pub hosting_group: Option<HostingGroupId>,
}

impl Coverage {
    /// The last covered day, including the grace days; `None` for no end.
    #[must_use]
    pub fn last_covered_day(&self) -> Option<Date> {
        self.ends_on.map(|end| end.saturating_add(jiff::Span::new().days(i64::from(self.grace_days))))
    }

    /// The status at `now`; days are those of the product's `zone`.
    #[must_use]
    pub fn status(&self, zone: &Zone, now: Timestamp) -> Status {
        match self.state {
            SubscriptionState::Suspended => Status::Suspended,
            SubscriptionState::Cancelled => Status::Cancelled,
            SubscriptionState::Active => self.status_on(zone.date_at(now)),
        }
    }

    /// The status by the dates alone.
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

/// A complete subscription.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Subscription {
    pub coverage: Coverage,
    pub customer: CustomerId,
    /// The subscription's id in the vendor's other systems.
    pub external_ref: Option<Line>,
    /// Whether it will be renewed at its end; `false` once it was cancelled to its end.
    pub renews: bool,
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

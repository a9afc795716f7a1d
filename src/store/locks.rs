//! The numbers of the locks in a shared database. They must differ from one another and from those of other programs on
//! the same database. They must never change, because replicas of different versions run at the same time.

/// Held by a transaction that changes what decisions depend on: one at a time among all replicas.
pub(super) const CHANGE: i64 = 0x536C_7569_6365_0001;

/// Held during a migration. If two replicas start at once, one migrates, and the other waits and finds it done.
pub(super) const MIGRATION: i64 = 0x536C_7569_6365_0002;

/// Held by the leader as long as its connection lasts.
pub(super) const LEAD: i64 = 0x536C_7569_6365_0003;

/// The first half of the lock numbers of runs and logins.
///
/// A transaction takes locks in the order of these constants, and locks of one kind in the order of their numbers.
/// Otherwise two transactions could wait for each other.
pub(super) const THING: i32 = 0x536C_7569;

/// The same for subscriptions, while their votes or mails are counted.
pub(super) const SUBSCRIPTION: i32 = 0x536C_756A;

/// The same for users, with all of their logins.
pub(super) const USER: i32 = 0x536C_756C;

/// The same for hosting groups, while their slots are given out.
pub(super) const GROUP: i32 = 0x536C_756B;

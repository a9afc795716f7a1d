//! The numbers of the locks in a shared database. They only have to differ from one another and from those of other programs
//! that use the same database, and must stay what they are: replicas of different versions run at the same time.

/// Held by the transaction that changes what decisions depend on: one at a time in the whole installation.
pub(super) const CHANGE: i64 = 0x536C_7569_6365_0001;

/// Held while migrating, so that of two replicas that start at once one does it and the other finds it done.
pub(super) const MIGRATION: i64 = 0x536C_7569_6365_0002;

/// Held for as long as it lives by the replica that does the work that one is enough for.
pub(super) const LEAD: i64 = 0x536C_7569_6365_0003;

/// The first half of the numbers of what a transaction holds: runs and logins. Whoever holds some of one kind takes those of
/// the next kinds only after them, and each kind in the order of its numbers: then nobody waits in a circle.
pub(super) const THING: i32 = 0x536C_7569;

/// The same of subscriptions, whose votes are counted or whose mails are.
pub(super) const SUBSCRIPTION: i32 = 0x536C_756A;

/// The same of users, with all of their logins.
pub(super) const USER: i32 = 0x536C_756C;

/// The same of hosting groups, whose slots are given out.
pub(super) const GROUP: i32 = 0x536C_756B;

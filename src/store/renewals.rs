//! Sites that ask for updates although their subscription has ended.

use diesel::{QueryableByName, RunQueryDsl as _, sql_types};
use jiff::{Timestamp, civil::Date};

use super::{
    Connection, StoreError,
    bulk::Cell,
    sql::Sql,
    value::{Key, Moment, Name},
};
use crate::domain::{
    id::{CustomerId, ProductId, SubscriptionId},
    reach::Reach,
    version::Version,
};

/// A site that may want to renew its subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    pub subscription: SubscriptionId,
    pub product: ProductId,
    /// When the subscription ended.
    pub ends_on: Date,
    pub customer: CustomerId,
    pub customer_name: String,
    /// How many installations asked.
    pub installations: i64,
    /// When an installation last asked.
    pub last_seen_at: Timestamp,
    /// The version of the installation that asked last.
    pub version: Version,
}

#[derive(QueryableByName)]
struct Candidate {
    #[diesel(sql_type = sql_types::Binary)]
    id: Key<SubscriptionId>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Binary)]
    id: Key<SubscriptionId>,
    #[diesel(sql_type = sql_types::Binary)]
    product_id: Key<ProductId>,
    #[diesel(sql_type = sql_types::Text)]
    ends_on: Name<Date>,
    #[diesel(sql_type = sql_types::Binary)]
    customer_id: Key<CustomerId>,
    #[diesel(sql_type = sql_types::Text)]
    customer_name: String,
    #[diesel(sql_type = sql_types::BigInt)]
    installations: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    last_seen_at: Moment,
    #[diesel(sql_type = sql_types::Text)]
    version: Name<Version>,
}

/// Subscriptions that ended before `ended_before` and whose installations have asked since `since`, by id. Some may not
/// have expired yet, because of grace periods and time zones.
pub fn candidates(
    connection: &mut Connection,
    reach: &Reach,
    ended_before: Date,
    since: Timestamp,
) -> Result<Vec<SubscriptionId>, StoreError> {
    let sql = Sql::new("SELECT DISTINCT s.id AS id FROM subscriptions AS s JOIN installations AS i ON i.subscription_id = s.id WHERE s.ends_on < ")
        .value(Cell::Text(ended_before.to_string()))
        .then(" AND i.last_seen_at >= ")
        .value(Cell::Number(since.as_microsecond()))
        .and_within("s.product_id", reach)
        .then(" ORDER BY s.id");
    let rows: Vec<Candidate> = sql.load(connection)?;
    Ok(rows.into_iter().map(|row| row.id.0).collect())
}

/// The details of these subscriptions, by id. Only installations that have asked since `since` count.
pub fn of(
    connection: &mut Connection,
    subscriptions: &[SubscriptionId],
    since: Timestamp,
) -> Result<Vec<Asking>, StoreError> {
    if subscriptions.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new(
        "SELECT s.id AS id, s.product_id AS product_id, s.ends_on AS ends_on, c.id AS customer_id, c.name AS customer_name, \
        count(*) AS installations, max(i.last_seen_at) AS last_seen_at, \
        (SELECT newest.version FROM installations AS newest WHERE newest.subscription_id = s.id \
        ORDER BY newest.last_seen_at DESC, newest.id LIMIT 1) AS version \
        FROM subscriptions AS s JOIN customers AS c ON c.id = s.customer_id JOIN installations AS i ON i.subscription_id = s.id \
        WHERE i.last_seen_at >= ",
    )
    .value(Cell::Number(since.as_microsecond()))
    .then(" AND s.id IN (")
    .values(subscriptions.iter().map(|id| Cell::Bytes(id.0.as_bytes().to_vec())))
    .then(") GROUP BY s.id, s.product_id, s.ends_on, c.id, c.name ORDER BY s.id");
    let rows: Vec<Row> = sql.load(connection)?;
    let asking = |row: Row| Asking {
        subscription: row.id.0,
        product: row.product_id.0,
        ends_on: row.ends_on.0,
        customer: row.customer_id.0,
        customer_name: row.customer_name,
        installations: row.installations,
        last_seen_at: row.last_seen_at.0,
        version: row.version.0,
    };
    Ok(rows.into_iter().map(asking).collect())
}

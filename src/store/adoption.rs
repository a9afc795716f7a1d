//! Table `adoption`: the number of installations of each version, day by day.

use diesel::{QueryableByName, RunQueryDsl as _, sql_types};
use jiff::{Timestamp, civil::Date};

use super::{
    Connection, StoreError,
    bulk::{Bulk, Cell, NewRow, Replace},
    schema::adoption,
    sql::Sql,
    value::{Key, Name},
};
use crate::domain::{
    id::ProductId,
    platform::{Component, Platform},
    reach::Reach,
    subscription::Deployment,
    version::Version,
};

/// The filter of the counted installations; `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only products within this reach.
    pub reach: Reach,
    pub component: Option<Component>,
    pub platform: Option<Platform>,
    /// The deployment of the installation's subscription.
    pub deployment: Option<Deployment>,
}

/// The number of installations of a version on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// In UTC.
    pub day: Date,
    pub product: ProductId,
    pub version: Version,
    pub installations: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Text)]
    day: Name<Date>,
    #[diesel(sql_type = sql_types::Binary)]
    product_id: Key<ProductId>,
    #[diesel(sql_type = sql_types::Text)]
    version: Name<Version>,
    #[diesel(sql_type = sql_types::BigInt)]
    installations: i64,
}

impl Row {
    fn into_domain(self) -> Count {
        Count {
            day: self.day.0,
            product: self.product_id.0,
            version: self.version.0,
            installations: self.installations,
        }
    }
}

/// The left join keeps installations that asked without a license key. Their deployment is unknown.
const SEEN: &str =
    " FROM installations AS i LEFT JOIN subscriptions AS s ON s.id = i.subscription_id WHERE i.last_seen_at >= ";

fn moment(at: Timestamp) -> Cell {
    Cell::Number(at.as_microsecond())
}

fn day(day: Date) -> Cell {
    Cell::Text(day.to_string())
}

/// The number of installations of a version, in the detail that is stored.
#[derive(QueryableByName)]
pub struct Use {
    #[diesel(sql_type = sql_types::Binary)]
    product_id: Key<ProductId>,
    #[diesel(sql_type = sql_types::Text)]
    component: String,
    #[diesel(sql_type = sql_types::Text)]
    platform: String,
    #[diesel(sql_type = sql_types::Text)]
    deployment: String,
    #[diesel(sql_type = sql_types::Text)]
    version: String,
    #[diesel(sql_type = sql_types::BigInt)]
    installations: i64,
}

/// Counts the installations that have asked since `since`.
pub fn in_use(connection: &mut Connection, since: Timestamp) -> Result<Vec<Use>, StoreError> {
    let counted = Sql::new(
        "SELECT i.product_id AS product_id, i.component AS component, i.platform AS platform, \
        COALESCE(s.deployment, '') AS deployment, i.version AS version, count(*) AS installations",
    );
    let counted = counted.then(SEEN).value(moment(since));
    Ok(counted
        .then(" GROUP BY i.product_id, i.component, i.platform, COALESCE(s.deployment, ''), i.version")
        .load(connection)?)
}

/// Rows in one statement: 7 values each, of the 32,766 that `SQLite` accepts.
const AT_ONCE: usize = 1000;

/// Stores the figures of a day, in place of earlier figures of that day. If two replicas do this at once, the figures
/// of either may stay.
pub fn record(connection: &mut Connection, today: Date, in_use: &[Use]) -> Result<(), StoreError> {
    Sql::new("DELETE FROM adoption WHERE day = ").value(day(today)).execute(connection)?;
    for some in in_use.chunks(AT_ONCE) {
        let rows = some.iter().map(|one| new_row(today, one)).collect();
        Bulk::of(rows).replacing(Replace::ALL).insert(connection)?;
    }
    Ok(())
}

fn new_row(day: Date, counted: &Use) -> impl NewRow<Table = adoption::table> {
    (
        (adoption::day, Name(day)),
        (adoption::product_id, counted.product_id),
        (adoption::component, counted.component.as_str()),
        (adoption::platform, counted.platform.as_str()),
        (adoption::deployment, counted.deployment.as_str()),
        (adoption::version, counted.version.as_str()),
        (adoption::installations, counted.installations),
    )
}

/// The stored figures of the days `from` to `to`, both included.
pub fn recorded(connection: &mut Connection, wanted: &Wanted, from: Date, to: Date) -> Result<Vec<Count>, StoreError> {
    let days = Sql::new("SELECT day, product_id, version, CAST(sum(installations) AS BIGINT) AS installations FROM adoption WHERE day >= ")
        .value(day(from))
        .then(" AND day <= ")
        .value(day(to));
    let sql = narrowed(days, wanted, ["product_id", " AND component = ", " AND platform = ", " AND deployment = "])
        .then(" GROUP BY day, product_id, version");
    let rows: Vec<Row> = sql.load(connection)?;
    Ok(rows.into_iter().map(Row::into_domain).collect())
}

/// The current figures, with `today` as their day: the installations that have asked since `since`.
pub fn current(
    connection: &mut Connection,
    wanted: &Wanted,
    today: Date,
    since: Timestamp,
) -> Result<Vec<Count>, StoreError> {
    let seen = Sql::new("SELECT ")
        .value(day(today))
        .then(" AS day, i.product_id AS product_id, i.version AS version, count(*) AS installations")
        .then(SEEN)
        .value(moment(since));
    let conditions = ["i.product_id", " AND i.component = ", " AND i.platform = ", " AND s.deployment = "];
    let rows: Vec<Row> =
        narrowed(seen, wanted, conditions).then(" GROUP BY i.product_id, i.version").load(connection)?;
    Ok(rows.into_iter().map(Row::into_domain).collect())
}

/// Adds the conditions on product, component, platform and deployment that the filter sets.
fn narrowed(sql: Sql, wanted: &Wanted, [product, component, platform, deployment]: [&'static str; 4]) -> Sql {
    sql.and_within(product, &wanted.reach)
        .and_if(component, wanted.component.map(|component| Cell::Text(component.to_string())))
        .and_if(platform, wanted.platform.map(|platform| Cell::Text(platform.to_string())))
        .and_if(deployment, wanted.deployment.map(|deployment| Cell::Text(deployment.to_string())))
}

//! `adoption`: how many installations there were of each version, day by day.

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

/// Which installations are counted; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of this product.
    pub reach: Reach,
    /// Of this program.
    pub component: Option<Component>,
    /// On this operating system.
    pub platform: Option<Platform>,
    /// On a subscription of this deployment.
    pub deployment: Option<Deployment>,
}

/// How many installations of a version there were on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The day, in UTC.
    pub day: Date,
    /// Of which product.
    pub product: ProductId,
    /// The version.
    pub version: Version,
    /// How many.
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

/// Of an installation that asked without a license key nobody knows how it is deployed.
const SEEN: &str =
    " FROM installations AS i LEFT JOIN subscriptions AS s ON s.id = i.subscription_id WHERE i.last_seen_at >= ";

fn moment(at: Timestamp) -> Cell {
    Cell::Number(at.as_microsecond())
}

fn day(day: Date) -> Cell {
    Cell::Text(day.to_string())
}

/// How many installations there are of a version, in the detail that is written down.
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

/// Counts the installations that asked since a moment.
///
/// # Errors
/// When the database cannot be read.
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

/// Rows of one statement.
const AT_ONCE: usize = 1000;

/// Writes down for a day what is in use. What was written down for it before is replaced; of two that do this at once,
/// either may have the last word.
///
/// # Errors
/// When the database cannot be written.
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

/// What was written down for the days from one to another.
///
/// # Errors
/// When the database cannot be read.
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

/// What there is now: the installations that asked since a moment, as of `today`.
///
/// # Errors
/// When the database cannot be read.
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

/// Adds the conditions on product, component, platform and deployment that are wanted.
fn narrowed(sql: Sql, wanted: &Wanted, [product, component, platform, deployment]: [&'static str; 4]) -> Sql {
    sql.and_within(product, &wanted.reach)
        .and_if(component, wanted.component.map(|component| Cell::Text(component.to_string())))
        .and_if(platform, wanted.platform.map(|platform| Cell::Text(platform.to_string())))
        .and_if(deployment, wanted.deployment.map(|deployment| Cell::Text(deployment.to_string())))
}

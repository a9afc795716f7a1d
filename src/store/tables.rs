//! The tables as data, for work that treats all rows alike, whatever they mean. Names, columns and types come from
//! [`super::schema`]. Only the order of the tables and the lengths of their keys are stated here.

mod checksum;

use diesel::{
    QueryResult, RunQueryDsl,
    deserialize::{self, FromSql, QueryableByName},
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    row::{Field as _, NamedRow},
    sql_types::{BigInt, Binary, Bool, Nullable, Text, Untyped},
};

pub use checksum::Checksum;

use super::{
    Connection, MultiBackend, StoreError,
    bulk::{Bulk, Cell, Values},
    columns::{Columns, Kind},
    schema,
};

/// Rows that are in memory at once. diesel allows at most 32 columns, so they are fewer values than a database accepts
/// in one statement (32,766).
const ROWS: usize = 500;

impl Kind {
    /// The prefix under which a column of this kind is selected. A row that is read knows its kinds from these letters.
    const fn letter(self) -> char {
        match self {
            Self::Text => 't',
            Self::Bytes => 'b',
            Self::Number => 'n',
            Self::Flag => 'f',
        }
    }
}

/// A table, with its columns and key.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    pub name: &'static str,
    columns: &'static [(&'static str, Kind)],
    /// The number of leading columns that form the key.
    key: usize,
    /// An SQL condition on the rows that count; empty: all rows.
    only: &'static str,
}

macro_rules! table {
    ($name:ident, $key:literal) => {
        table!($name, $key, "")
    };
    ($name:ident, $key:literal, $only:literal) => {
        Table {
            name: stringify!($name),
            columns: <<schema::$name::table as diesel::Table>::AllColumns as Columns>::LIST,
            key: $key,
            only: $only,
        }
    };
}

/// All data of a database, in an order in which each row comes after the rows that it refers to. Not included are
/// the signing keys, which are kept elsewhere with `SQLite`, and [`LOG`].
pub const CONTENTS: [Table; 28] = [
    // The setting with the name `settings::KEYS`.
    table!(settings, 1, "name <> 'keys'"),
    table!(users, 1),
    table!(refresh_tokens, 1),
    table!(removed_identities, 2),
    table!(products, 1),
    table!(trusted_publishers, 1),
    table!(exchanged_identities, 1),
    table!(api_tokens, 1),
    table!(stops, 2),
    table!(releases, 1),
    table!(artifacts, 1),
    table!(manifests, 2),
    table!(customers, 1),
    table!(hosting_groups, 1),
    table!(subscriptions, 1),
    table!(license_keys, 1),
    table!(installations, 2),
    table!(runs, 2),
    table!(votes, 2),
    table!(offers, 2),
    table!(adoption, 6),
    table!(known_problems, 1),
    table!(group_slots, 2),
    table!(mails, 1),
    table!(webhooks, 1),
    table!(webhook_messages, 1),
    table!(audit_log, 1),
    table!(approvals, 1),
];

/// The tables by which replicas notify one another. A new database does not need their rows: no replica has used it
/// yet.
pub const LOG: [Table; 1] = [table!(changes, 1)];

impl Table {
    /// How many rows of the table count.
    pub fn count(&self, connection: &mut Connection) -> Result<u64, StoreError> {
        let only = if self.only.is_empty() { "" } else { " WHERE " };
        let counted = format!("SELECT count(*) AS n FROM {}{only}{}", self.name, self.only);
        let rows: Vec<Row> = diesel::sql_query(counted).load(connection)?;
        match rows.first().and_then(|row| row.0.first()) {
            Some(Cell::MaybeNumber(Some(count))) => Ok(u64::try_from(*count).unwrap_or_default()),
            _ => Err(StoreError::Other(format!("the rows of {} cannot be counted", self.name))),
        }
    }

    /// Whether the table has no rows at all.
    pub fn is_empty(&self, connection: &mut Connection) -> Result<bool, StoreError> {
        let any: Vec<Row> =
            diesel::sql_query(format!("SELECT 1 = 1 AS f FROM {} LIMIT 1", self.name)).load(connection)?;
        Ok(any.is_empty())
    }

    /// Adds rows to the table.
    pub fn insert(&self, connection: &mut Connection, rows: Rows) -> Result<(), StoreError> {
        Bulk::untyped(self.name, self.columns.iter().map(|(name, _)| *name).collect(), rows.0).insert(connection)
    }

    /// The columns that identify a row, in the order of reading.
    #[must_use]
    pub fn key(&self) -> Vec<&'static str> {
        self.columns.iter().take(self.key).map(|(name, _)| *name).collect()
    }

    /// Reads the rows of the table, page by page.
    #[must_use]
    pub fn pages(&self) -> Pages {
        let selected: Vec<String> =
            self.columns.iter().map(|(name, kind)| format!("{name} AS {}_{name}", kind.letter())).collect();
        Pages { table: *self, selected: selected.join(", "), key: self.key().join(", "), after: Vec::new() }
    }
}

/// Some rows of a table.
#[derive(Debug)]
pub struct Rows(Vec<Row>);

impl Rows {
    /// The number of rows.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }
}

/// The rows of a table by key, page by page.
#[derive(Debug)]
pub struct Pages {
    table: Table,
    selected: String,
    key: String,
    /// The key of the last row that was read; empty at the start.
    after: Vec<Cell>,
}

impl Pages {
    /// The next page; `None` at the end.
    pub fn next(&mut self, connection: &mut Connection) -> Result<Option<Rows>, StoreError> {
        let rows: Vec<Row> = (&*self).load(connection)?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.after = last.0.iter().take(self.table.key).cloned().collect();
        Ok(Some(Rows(rows)))
    }
}

impl RunQueryDsl<Connection> for &Pages {}

impl QueryId for Pages {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Pages {
    type SqlType = Untyped;
}

impl QueryFragment<MultiBackend> for Pages {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql(&format!("SELECT {} FROM {} WHERE ", self.selected, self.table.name));
        out.push_sql(if self.table.only.is_empty() { "1 = 1" } else { self.table.only });
        if !self.after.is_empty() {
            out.push_sql(&format!(" AND ({}) > (", self.key));
            for (place, cell) in self.after.iter().enumerate() {
                if place > 0 {
                    out.push_sql(", ");
                }
                cell.push(&mut out)?;
            }
            out.push_sql(")");
        }
        out.push_sql(&format!(" ORDER BY {} LIMIT {ROWS}", self.key));
        Ok(())
    }
}

/// A row, with a cell for each column.
#[derive(Debug)]
struct Row(Vec<Cell>);

impl Values for Row {
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        for (place, cell) in self.0.iter().enumerate() {
            if place > 0 {
                out.push_sql(", ");
            }
            cell.push(out)?;
        }
        Ok(())
    }
}

impl QueryableByName<MultiBackend> for Row {
    fn build<'a>(row: &impl NamedRow<'a, MultiBackend>) -> deserialize::Result<Self> {
        let cell = |place: usize| {
            let field = diesel::row::Row::get(row, place).ok_or("a column is missing")?;
            let letter = field.field_name().and_then(|name| name.chars().next());
            let value = field.value();
            Ok(match letter {
                Some('t') => Cell::MaybeText(FromSql::<Nullable<Text>, MultiBackend>::from_nullable_sql(value)?),
                Some('b') => Cell::MaybeBytes(FromSql::<Nullable<Binary>, MultiBackend>::from_nullable_sql(value)?),
                Some('n') => Cell::MaybeNumber(FromSql::<Nullable<BigInt>, MultiBackend>::from_nullable_sql(value)?),
                Some('f') => Cell::Flag(FromSql::<Bool, MultiBackend>::from_nullable_sql(value)?),
                _ => return Err("a column of a kind that is not known".into()),
            })
        };
        (0..row.field_count()).map(cell).collect::<deserialize::Result<_>>().map(Self)
    }
}

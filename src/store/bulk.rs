//! Many rows in one statement, in the words that both databases understand.

use diesel::{
    QueryResult, RunQueryDsl,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Binary, Nullable, Text},
};

use super::{Connection, MultiBackend, StoreError};

/// A value of a row.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Text(String),
    MaybeText(Option<String>),
    Bytes(Vec<u8>),
    MaybeBytes(Option<Vec<u8>>),
    Number(i64),
}

/// `INSERT INTO table (columns) VALUES (…), (…) tail`.
#[derive(Debug)]
pub(super) struct Bulk {
    /// The table and its columns, as in `changes (kind, at)`.
    pub(super) into: &'static str,
    /// The rows, each with a cell for every column.
    pub(super) rows: Vec<Vec<Cell>>,
    /// What comes after the rows: `ON CONFLICT …`, or nothing.
    pub(super) tail: &'static str,
}

impl Bulk {
    /// Inserts the rows, if there are any.
    pub(super) fn insert(self, connection: &mut Connection) -> Result<(), StoreError> {
        if !self.rows.is_empty() {
            self.execute(connection)?;
        }
        Ok(())
    }
}

impl RunQueryDsl<Connection> for Bulk {}

impl QueryId for Bulk {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<MultiBackend> for Bulk {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // Each number of rows is another statement; to keep them all prepared would fill the memory for nothing.
        out.unsafe_to_cache_prepared();
        out.push_sql("INSERT INTO ");
        out.push_sql(self.into);
        out.push_sql(" VALUES ");
        for (number, row) in self.rows.iter().enumerate() {
            out.push_sql(if number == 0 { "(" } else { ", (" });
            for (place, cell) in row.iter().enumerate() {
                if place > 0 {
                    out.push_sql(", ");
                }
                match cell {
                    Cell::Text(text) => out.push_bind_param::<Text, _>(text)?,
                    Cell::MaybeText(text) => out.push_bind_param::<Nullable<Text>, _>(text)?,
                    Cell::Bytes(bytes) => out.push_bind_param::<Binary, _>(bytes)?,
                    Cell::MaybeBytes(bytes) => out.push_bind_param::<Nullable<Binary>, _>(bytes)?,
                    Cell::Number(number) => out.push_bind_param::<BigInt, _>(number)?,
                }
            }
            out.push_sql(")");
        }
        out.push_sql(self.tail);
        Ok(())
    }
}

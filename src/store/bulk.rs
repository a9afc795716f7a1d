//! Many rows in one statement, in the words that both databases understand.

use std::borrow::Cow;

use diesel::{
    QueryResult, RunQueryDsl,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Binary, Bool, Nullable, Text},
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
    MaybeNumber(Option<i64>),
    Flag(bool),
}

impl Cell {
    /// Puts the value into a statement.
    pub(super) fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        match self {
            Self::Text(text) => out.push_bind_param::<Text, _>(text),
            Self::MaybeText(text) => out.push_bind_param::<Nullable<Text>, _>(text),
            Self::Bytes(bytes) => out.push_bind_param::<Binary, _>(bytes),
            Self::MaybeBytes(bytes) => out.push_bind_param::<Nullable<Binary>, _>(bytes),
            Self::Number(number) => out.push_bind_param::<BigInt, _>(number),
            Self::MaybeNumber(number) => out.push_bind_param::<Nullable<BigInt>, _>(number),
            Self::Flag(flag) => out.push_bind_param::<Bool, _>(flag),
        }
    }
}

/// `INSERT INTO table (columns) VALUES (…), (…) tail`.
#[derive(Debug)]
pub(super) struct Bulk {
    /// The table and its columns, as in `changes (kind, at)`.
    pub(super) into: Cow<'static, str>,
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
        out.push_sql(&self.into);
        out.push_sql(" VALUES ");
        for (number, row) in self.rows.iter().enumerate() {
            out.push_sql(if number == 0 { "(" } else { ", (" });
            for (place, cell) in row.iter().enumerate() {
                if place > 0 {
                    out.push_sql(", ");
                }
                cell.push(&mut out)?;
            }
            out.push_sql(")");
        }
        out.push_sql(self.tail);
        Ok(())
    }
}

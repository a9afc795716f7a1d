//! Statements that diesel cannot express: pieces of text with values between them. One statement serves both databases.

use std::borrow::Cow;

use diesel::{
    QueryResult, RunQueryDsl,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Untyped,
};

use super::{Connection, MultiBackend, bulk::Cell};
use crate::domain::reach::Reach;

/// A statement, built piece by piece.
#[derive(Debug, Default)]
pub(super) struct Sql(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(Cow<'static, str>),
    Value(Cell),
}

impl Sql {
    /// A statement that begins with this text.
    pub(super) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self::default().then(text)
    }

    /// Appends a piece of text.
    pub(super) fn then(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.0.push(Piece::Text(text.into()));
        self
    }

    /// Appends a bound value.
    pub(super) fn value(mut self, value: Cell) -> Self {
        self.0.push(Piece::Value(value));
        self
    }

    /// Appends bound values, separated by commas.
    pub(super) fn values(self, values: impl IntoIterator<Item = Cell>) -> Self {
        let add = |sql: Self, (number, value)| if number == 0 { sql.value(value) } else { sql.then(", ").value(value) };
        values.into_iter().enumerate().fold(self, add)
    }

    /// Appends the condition that `column` is one of the products within reach. Appends nothing if the reach is not
    /// limited.
    pub(super) fn and_within(self, column: &'static str, reach: &Reach) -> Self {
        let Some(products) = reach.products() else { return self };
        let ids = products.iter().map(|id| Cell::Bytes(id.0.as_bytes().to_vec()));
        self.then(" AND ").then(column).then(" IN (").values(ids).then(")")
    }

    /// Appends a condition if there is a value to compare with.
    pub(super) fn and_if(self, condition: &'static str, value: Option<Cell>) -> Self {
        match value {
            Some(value) => self.then(condition).value(value),
            None => self,
        }
    }
}

impl RunQueryDsl<Connection> for Sql {}

impl QueryId for Sql {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Sql {
    type SqlType = Untyped;
}

impl QueryFragment<MultiBackend> for Sql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // Figures are queried rarely and in many forms. Cached statements would only fill the cache.
        out.unsafe_to_cache_prepared();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_sql(text),
                Piece::Value(value) => value.push(&mut out)?,
            }
        }
        Ok(())
    }
}

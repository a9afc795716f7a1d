//! Insertion of many rows by one statement that both databases understand. A row is a tuple of columns of
//! [`super::schema`], each with its value. The compiler checks the names, order, types and completeness of the columns.

use diesel::{
    Column, QueryResult, RunQueryDsl, Table,
    associations::HasTable,
    dsl::sql,
    expression::SqlLiteral,
    query_builder::{AstPass, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{BigInt, Binary, Bool, HasSqlType, Nullable, Text, Untyped},
};

use super::{Connection, MultiBackend, StoreError, columns::Columns};

/// A value of a column that the compiler does not know.
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
    /// Adds the value to a statement.
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

/// The values of a row.
pub(super) trait Values {
    /// Adds the values to a statement, separated by commas.
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()>;
}

/// A row: columns of one table with their values, as a tuple of [pairs](Pair).
pub(super) trait NewRow: Values {
    /// The table of the columns.
    type Table;
    const COUNT: usize;
    /// Adds the names of the columns to `list`, in the order of the values.
    fn names(list: &mut Vec<&'static str>);
}

/// A column and a value of the column's type.
pub(super) trait Pair {
    /// The table of the column.
    type Table;
    const NAME: &'static str;
    /// Adds the value to a statement.
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()>;
}

impl<C, V> Pair for (C, V)
where
    C: Column,
    V: ToSql<C::SqlType, MultiBackend>,
    MultiBackend: HasSqlType<C::SqlType>,
{
    type Table = C::Table;
    const NAME: &'static str = C::NAME;

    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_bind_param::<C::SqlType, V>(&self.1)
    }
}

macro_rules! new_rows_of_tuples {
    ($first:ident) => {};
    ($first:ident $($rest:ident)+) => {
        impl<$first: Pair, $($rest: Pair<Table = $first::Table>),+> Values for ($first, $($rest),+) {
            #[expect(non_snake_case, reason = "a value is named as its type")]
            fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
                let ($first, $($rest),+) = self;
                $first.push(out)?;
                $(
                    out.push_sql(", ");
                    $rest.push(out)?;
                )+
                Ok(())
            }
        }

        impl<$first: Pair, $($rest: Pair<Table = $first::Table>),+> NewRow for ($first, $($rest),+) {
            type Table = $first::Table;
            const COUNT: usize = [$first::NAME, $($rest::NAME),+].len();

            fn names(list: &mut Vec<&'static str>) {
                list.extend([$first::NAME, $($rest::NAME),+]);
            }
        }

        new_rows_of_tuples!($($rest)+);
    };
}
new_rows_of_tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z AA);

/// A row in two parts, such as the own columns of a mail and the columns of all deliveries.
pub(super) struct Both<A, B>(pub(super) A, pub(super) B);

impl<A: Values, B: Values> Values for Both<A, B> {
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        self.0.push(out)?;
        out.push_sql(", ");
        self.1.push(out)
    }
}

impl<A: NewRow, B: NewRow<Table = A::Table>> NewRow for Both<A, B> {
    type Table = A::Table;
    const COUNT: usize = A::COUNT + B::COUNT;

    fn names(list: &mut Vec<&'static str>) {
        A::names(list);
        B::names(list);
    }
}

/// What happens if a row with the same key exists.
#[derive(Debug)]
enum Conflict {
    /// The statement fails.
    Fail,
    /// The existing row stays.
    Ignore,
    /// The existing row changes.
    Replace { key: Vec<&'static str>, how: Replace },
}

/// How an existing row is replaced. All columns change except the key and the columns named here, by [`Column::NAME`].
#[derive(Debug)]
pub(super) struct Replace {
    /// Columns that keep their values.
    pub(super) kept: &'static [&'static str],
    /// Columns that keep their values if the new row has NULL.
    pub(super) kept_without_value: &'static [&'static str],
    /// The row does not change if this column would become smaller.
    pub(super) unless_smaller: Option<&'static str>,
}

impl Replace {
    /// All columns change, always.
    pub(super) const ALL: Self = Self { kept: &[], kept_without_value: &[], unless_smaller: None };
}

/// `INSERT INTO table (columns) VALUES (…), (…) ON CONFLICT …`.
#[derive(Debug)]
pub(super) struct Bulk<T, R> {
    table: T,
    columns: Vec<&'static str>,
    rows: Vec<R>,
    conflict: Conflict,
}

impl<T, R> Bulk<T, R>
where
    T: Table + HasTable<Table = T>,
    T::AllColumns: Columns,
    R: NewRow<Table = T>,
{
    /// An insertion of rows that have all columns of the table. A missing column does not compile.
    pub(super) fn of(rows: Vec<R>) -> Self {
        const { assert!(R::COUNT == <T::AllColumns as Columns>::LIST.len(), "a row lacks a column of its table") };
        Self::with_columns_of(rows)
    }

    /// An insertion of rows without one column, which the database fills in. Another missing column does not compile.
    pub(super) fn without<C: Column<Table = T>>(_: C, rows: Vec<R>) -> Self {
        const { assert!(R::COUNT + 1 == <T::AllColumns as Columns>::LIST.len(), "a row lacks a column of its table") };
        Self::with_columns_of(rows)
    }

    fn with_columns_of(rows: Vec<R>) -> Self {
        let mut columns = Vec::with_capacity(R::COUNT);
        R::names(&mut columns);
        Self { table: T::table(), columns, rows, conflict: Conflict::Fail }
    }

    /// Skips rows whose key, or other unique value, already exists.
    pub(super) fn ignoring(self) -> Self {
        Self { conflict: Conflict::Ignore, ..self }
    }

    /// Replaces existing rows with the same key.
    pub(super) fn replacing(self, how: Replace) -> Self
    where
        T::PrimaryKey: Columns,
    {
        let key = <T::PrimaryKey as Columns>::LIST.iter().map(|(name, _)| *name).collect();
        Self { conflict: Conflict::Replace { key, how }, ..self }
    }
}

impl<R: Values> Bulk<SqlLiteral<Untyped>, R> {
    /// An insertion into a table whose columns the compiler does not know.
    pub(super) fn untyped(table: &str, columns: Vec<&'static str>, rows: Vec<R>) -> Self {
        Self { table: sql(table), columns, rows, conflict: Conflict::Fail }
    }
}

impl<T: QueryFragment<MultiBackend>, R: Values> Bulk<T, R> {
    /// Inserts the rows. Without rows it does nothing.
    pub(super) fn insert(self, connection: &mut Connection) -> Result<(), StoreError> {
        if !self.rows.is_empty() {
            self.execute(connection)?;
        }
        Ok(())
    }

    fn push_conflict<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        match &self.conflict {
            Conflict::Fail => Ok(()),
            Conflict::Ignore => {
                out.push_sql(" ON CONFLICT DO NOTHING");
                Ok(())
            }
            Conflict::Replace { key, how } => {
                out.push_sql(" ON CONFLICT (");
                push_names(key, out);
                out.push_sql(") DO UPDATE SET ");
                self.push_changes(key, how, out)
            }
        }
    }

    fn push_changes<'b>(
        &'b self,
        key: &[&'static str],
        how: &Replace,
        out: &mut AstPass<'_, 'b, MultiBackend>,
    ) -> QueryResult<()> {
        let changed = self.columns.iter().filter(|name| !key.contains(name) && !how.kept.contains(name));
        for (number, name) in changed.enumerate() {
            out.push_sql(if number == 0 { "" } else { ", " });
            out.push_sql(name);
            out.push_sql(" = ");
            if how.kept_without_value.contains(name) {
                out.push_sql("COALESCE(excluded.");
                out.push_sql(name);
                out.push_sql(", ");
                self.table.walk_ast(out.reborrow())?;
                out.push_sql(".");
                out.push_sql(name);
                out.push_sql(")");
            } else {
                out.push_sql("excluded.");
                out.push_sql(name);
            }
        }
        if let Some(name) = how.unless_smaller {
            out.push_sql(" WHERE ");
            self.table.walk_ast(out.reborrow())?;
            out.push_sql(".");
            out.push_sql(name);
            out.push_sql(" <= excluded.");
            out.push_sql(name);
        }
        Ok(())
    }
}

fn push_names(names: &[&'static str], out: &mut AstPass<'_, '_, MultiBackend>) {
    for (number, name) in names.iter().enumerate() {
        out.push_sql(if number == 0 { "" } else { ", " });
        out.push_sql(name);
    }
}

impl<T, R> RunQueryDsl<Connection> for Bulk<T, R> {}

impl<T, R> QueryId for Bulk<T, R> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T: QueryFragment<MultiBackend>, R: Values> QueryFragment<MultiBackend> for Bulk<T, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // Each number of rows is another statement. Keeping them all prepared would only use memory.
        out.unsafe_to_cache_prepared();
        out.push_sql("INSERT INTO ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" (");
        push_names(&self.columns, &mut out);
        out.push_sql(") VALUES ");
        for (number, row) in self.rows.iter().enumerate() {
            out.push_sql(if number == 0 { "(" } else { ", (" });
            row.push(&mut out)?;
            out.push_sql(")");
        }
        self.push_conflict(&mut out)
    }
}

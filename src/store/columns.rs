//! The columns of a table as data, taken from [`super::schema`]: their names and kinds.

use diesel::{
    Expression,
    sql_types::{BigInt, Binary, Bool, Nullable, Text},
};

/// The kind of a column's values. It is the same on both databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Bytes, such as an id.
    Bytes,
    /// An integer, such as a time.
    Number,
    /// A truth value. `SQLite` stores it as a number.
    Flag,
}

/// A column type of the schema.
pub(super) trait Typed {
    const KIND: Kind;
}

impl Typed for Text {
    const KIND: Kind = Kind::Text;
}

impl Typed for Binary {
    const KIND: Kind = Kind::Bytes;
}

impl Typed for BigInt {
    const KIND: Kind = Kind::Number;
}

impl Typed for Bool {
    const KIND: Kind = Kind::Flag;
}

impl Typed for Nullable<Text> {
    const KIND: Kind = Kind::Text;
}

impl Typed for Nullable<Binary> {
    const KIND: Kind = Kind::Bytes;
}

impl Typed for Nullable<BigInt> {
    const KIND: Kind = Kind::Number;
}

/// A tuple of columns of one table.
pub(super) trait Columns {
    /// The name and kind of each column, in the order of the tuple.
    const LIST: &'static [(&'static str, Kind)];
}

macro_rules! columns_of_tuples {
    () => {};
    ($first:ident $($rest:ident)*) => {
        impl<$first, $($rest),*> Columns for ($first, $($rest),*)
        where
            $first: diesel::Column, <$first as Expression>::SqlType: Typed,
            $($rest: diesel::Column, <$rest as Expression>::SqlType: Typed,)*
        {
            const LIST: &'static [(&'static str, Kind)] = &[
                ($first::NAME, <$first as Expression>::SqlType::KIND),
                $(($rest::NAME, <$rest as Expression>::SqlType::KIND)),*
            ];
        }
        columns_of_tuples!($($rest)*);
    };
}
columns_of_tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z AA);

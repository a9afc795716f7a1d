//! `stops`: the emergency switches that are on.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::{
    Connection, StoreError,
    schema::stops,
    value::{Json, Key, Moment},
};
use crate::domain::{id::ProductId, locale::LanguageTag, slug::Slug, stop::Stop};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = stops)]
struct Row {
    product_id: Key<ProductId>,
    channel: String,
    reason: String,
    message: Json<BTreeMap<LanguageTag, String>>,
    since: Moment,
}

impl Row {
    fn into_domain(self) -> Result<Stop, StoreError> {
        let channel = match self.channel.as_str() {
            "" => None,
            name => {
                Some(name.parse().map_err(|error| StoreError::Damaged(format!("a stop in the database: {error}")))?)
            }
        };
        Ok(Stop { channel, reason: self.reason, message: self.message.0, since: self.since.0 })
    }
}

/// The key of a stop's place: the channel, or an empty text for the product.
fn place(channel: Option<&Slug>) -> &str {
    channel.map_or("", Slug::as_str)
}

/// Every stop, with the product it is of.
///
/// # Errors
/// When the database cannot be read.
pub fn all(connection: &mut Connection) -> Result<Vec<(ProductId, Stop)>, StoreError> {
    let rows: Vec<Row> = stops::table.select(Row::as_select()).load(connection)?;
    rows.into_iter().map(|row| Ok((row.product_id.0, row.into_domain()?))).collect()
}

/// The stops of a product.
///
/// # Errors
/// When the database cannot be read.
pub fn of_product(connection: &mut Connection, product: ProductId) -> Result<Vec<Stop>, StoreError> {
    let rows: Vec<Row> =
        stops::table.filter(stops::product_id.eq(Key(product))).select(Row::as_select()).load(connection)?;
    rows.into_iter().map(Row::into_domain).collect()
}

/// Sets a stop, in place of the one that may be on already.
///
/// # Errors
/// When the database cannot be written.
pub fn put(connection: &mut Connection, product: ProductId, stop: &Stop) -> Result<(), StoreError> {
    delete(connection, product, stop.channel.as_ref())?;
    let row = Row {
        product_id: Key(product),
        channel: place(stop.channel.as_ref()).to_owned(),
        reason: stop.reason.clone(),
        message: Json(stop.message.clone()),
        since: Moment(stop.since),
    };
    diesel::insert_into(stops::table).values(row).execute(connection)?;
    Ok(())
}

/// Lifts a stop; `false` when it was not on.
///
/// # Errors
/// When the database cannot be written.
pub fn delete(connection: &mut Connection, product: ProductId, channel: Option<&Slug>) -> Result<bool, StoreError> {
    let target = stops::table.find((Key(product), place(channel).to_owned()));
    Ok(diesel::delete(target).execute(connection)? > 0)
}

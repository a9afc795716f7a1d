//! Table `stops`: the stops that are in force.

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

/// The key of a stop: the channel, or an empty text for the whole product.
fn place(channel: Option<&Slug>) -> &str {
    channel.map_or("", Slug::as_str)
}

/// All stops, each with its product.
pub fn all(connection: &mut Connection) -> Result<Vec<(ProductId, Stop)>, StoreError> {
    let rows: Vec<Row> = stops::table.select(Row::as_select()).load(connection)?;
    rows.into_iter().map(|row| Ok((row.product_id.0, row.into_domain()?))).collect()
}

/// The stops of a product.
pub fn of_product(connection: &mut Connection, product: ProductId) -> Result<Vec<Stop>, StoreError> {
    let rows: Vec<Row> =
        stops::table.filter(stops::product_id.eq(Key(product))).select(Row::as_select()).load(connection)?;
    rows.into_iter().map(Row::into_domain).collect()
}

/// Sets a stop. It replaces a stop of the same product and channel.
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

/// Lifts a stop; `false` if it was not in force.
pub fn delete(connection: &mut Connection, product: ProductId, channel: Option<&Slug>) -> Result<bool, StoreError> {
    let target = stops::table.find((Key(product), place(channel).to_owned()));
    Ok(diesel::delete(target).execute(connection)? > 0)
}

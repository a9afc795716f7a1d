//! Table `customers`: one row for each customer.

use diesel::{dsl::exists, prelude::*};

use super::{
    Connection, Page, StoreError,
    schema::{customers, subscriptions},
    value::{Key, Moment, Name},
};
use crate::domain::{customer::Customer, id::CustomerId, line::Line, locale::LanguageTag, reach::Reach};

#[diesel::declare_sql_function]
extern "SQL" {
    /// Lower case of ASCII letters only. Both databases do this alike, because texts collate by their bytes.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = customers, treat_none_as_null = true)]
struct Row {
    id: Key<CustomerId>,
    name: Name<Line>,
    email: Option<String>,
    locale: Option<Name<LanguageTag>>,
    external_ref: Option<Name<Line>>,
    created_at: Moment,
    revision: i64,
}

impl Row {
    fn of(customer: &Customer) -> Self {
        Self {
            id: Key(customer.id),
            name: Name(customer.name.clone()),
            email: customer.email.clone(),
            locale: customer.locale.clone().map(Name),
            external_ref: customer.external_ref.clone().map(Name),
            created_at: Moment(customer.created_at),
            revision: customer.revision,
        }
    }

    fn into_domain(self) -> Customer {
        Customer {
            id: self.id.0,
            name: self.name.0,
            email: self.email,
            locale: self.locale.map(|locale| locale.0),
            external_ref: self.external_ref.map(|reference| reference.0),
            created_at: self.created_at.0,
            revision: self.revision,
        }
    }
}

/// The customer with this id.
pub fn get(connection: &mut Connection, id: CustomerId) -> Result<Option<Customer>, StoreError> {
    Ok(customers::table.find(Key(id)).select(Row::as_select()).first(connection).optional()?.map(Row::into_domain))
}

/// Whether a customer is within reach: one of their subscriptions is for a product within reach, or they have no
/// subscription yet.
pub fn is_within(connection: &mut Connection, id: CustomerId, reach: &Reach) -> Result<bool, StoreError> {
    let Some(products) = reach.products() else { return Ok(true) };
    let theirs = subscriptions::table.filter(subscriptions::customer_id.eq(Key(id)));
    let of_product = theirs.filter(subscriptions::product_id.eq_any(products.iter().copied().map(Key)));
    let (any, of_product) = (exists(theirs.select(subscriptions::id)), exists(of_product.select(subscriptions::id)));
    Ok(diesel::select(of_product.or(diesel::dsl::not(any))).get_result(connection)?)
}

/// A customer with this reference of the vendor's other systems.
pub fn by_external_ref(connection: &mut Connection, external_ref: &Line) -> Result<Option<Customer>, StoreError> {
    let row = customers::table
        .filter(customers::external_ref.eq(&**external_ref))
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Row::into_domain))
}

/// A page of the customers whose name, e-mail or external reference contains `words`, in the order of their creation.
/// Only customers within reach are listed (see [`is_within`]).
pub fn matching(
    connection: &mut Connection,
    words: Option<&str>,
    reach: &Reach,
    page: Page<CustomerId>,
) -> Result<Vec<Customer>, StoreError> {
    let mut query = customers::table.select(Row::as_select()).order(customers::id).limit(page.limit).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(customers::id.gt(Key(after)));
    }
    if let Some(products) = reach.products() {
        let theirs = subscriptions::table.filter(subscriptions::customer_id.eq(customers::id));
        let of_product = theirs.filter(subscriptions::product_id.eq_any(products.iter().copied().map(Key)));
        let (any, of_product) =
            (exists(theirs.select(subscriptions::id)), exists(of_product.select(subscriptions::id)));
        query = query.filter(of_product.or(diesel::dsl::not(any)));
    }
    if let Some(words) = words {
        // No text in the database contains NUL, and PostgreSQL refuses NUL in a query.
        if words.contains('\0') {
            return Ok(Vec::new());
        }
        let words = words.to_ascii_lowercase();
        let pattern = format!("%{}%", words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
        query = query.filter(
            lower(customers::name)
                .like(pattern.clone())
                .escape('\\')
                .or(lower(customers::email.assume_not_null()).like(pattern.clone()).escape('\\'))
                .or(lower(customers::external_ref.assume_not_null()).like(pattern).escape('\\')),
        );
    }
    Ok(query.load(connection)?.into_iter().map(Row::into_domain).collect())
}

/// Adds the row of a customer.
pub fn insert(connection: &mut Connection, customer: &Customer) -> Result<(), StoreError> {
    diesel::insert_into(customers::table).values(Row::of(customer)).execute(connection)?;
    Ok(())
}

/// Replaces a customer's row.
pub fn update(connection: &mut Connection, customer: &Customer) -> Result<(), StoreError> {
    diesel::update(customers::table.find(Key(customer.id))).set(Row::of(customer)).execute(connection)?;
    Ok(())
}

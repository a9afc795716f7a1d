//! Table `products`: one row for each product.

use diesel::prelude::*;

use super::{
    Connection, StoreError,
    schema::products,
    value::{Json, Key, Name},
};
use crate::domain::{
    channel::Channels,
    id::ProductId,
    line::Line,
    link::Link,
    locale::LanguageTag,
    product::{ExpiryPolicy, Product, RequiredArtifact},
    slug::Slug,
    version::Version,
    zone::Zone,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = products, treat_none_as_null = true)]
struct Row {
    id: Key<ProductId>,
    slug: Name<Slug>,
    name: Name<Line>,
    channels: Json<Vec<Slug>>,
    default_locale: Name<LanguageTag>,
    help_url: Option<Name<Link>>,
    renew_url: Option<Name<Link>>,
    expiry_policy: Name<ExpiryPolicy>,
    min_supported_version: Option<Name<Version>>,
    timezone: Name<Zone>,
    required_artifacts: Json<Vec<RequiredArtifact>>,
    required_locales: Json<Vec<LanguageTag>>,
    revision: i64,
    two_person_rule: bool,
}

impl Row {
    fn of(product: &Product) -> Self {
        Self {
            id: Key(product.id),
            slug: Name(product.slug.clone()),
            name: Name(product.name.clone()),
            channels: Json(product.channels.names().cloned().collect()),
            default_locale: Name(product.default_locale.clone()),
            help_url: product.help_url.clone().map(Name),
            renew_url: product.renew_url.clone().map(Name),
            expiry_policy: Name(product.expiry_policy),
            min_supported_version: product.min_supported_version.clone().map(Name),
            timezone: Name(product.timezone.clone()),
            required_artifacts: Json(product.required_artifacts.clone()),
            required_locales: Json(product.required_locales.clone()),
            revision: product.revision,
            two_person_rule: product.two_person_rule,
        }
    }

    fn into_domain(self) -> Result<Product, StoreError> {
        Ok(Product {
            id: self.id.0,
            channels: Channels::new(self.channels.0)
                .map_err(|error| StoreError::Damaged(format!("product {} in the database: {error}", self.slug.0)))?,
            slug: self.slug.0,
            name: self.name.0,
            default_locale: self.default_locale.0,
            help_url: self.help_url.map(|link| link.0),
            renew_url: self.renew_url.map(|link| link.0),
            expiry_policy: self.expiry_policy.0,
            min_supported_version: self.min_supported_version.map(|version| version.0),
            timezone: self.timezone.0,
            required_artifacts: self.required_artifacts.0,
            required_locales: self.required_locales.0,
            revision: self.revision,
            two_person_rule: self.two_person_rule,
        })
    }
}

/// All products, in no particular order.
pub fn all(connection: &mut Connection) -> Result<Vec<Product>, StoreError> {
    products::table.select(Row::as_select()).load(connection)?.into_iter().map(Row::into_domain).collect()
}

/// The product with this id.
pub fn get(connection: &mut Connection, id: ProductId) -> Result<Option<Product>, StoreError> {
    products::table
        .find(Key(id))
        .select(Row::as_select())
        .first(connection)
        .optional()?
        .map(Row::into_domain)
        .transpose()
}

/// The product with this slug.
pub fn by_slug(connection: &mut Connection, slug: &Slug) -> Result<Option<Product>, StoreError> {
    let row = products::table
        .filter(products::slug.eq(slug.as_str()))
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    row.map(Row::into_domain).transpose()
}

/// Adds the row of a product.
///
/// # Errors
/// [`StoreError::Conflict`] if the slug already exists.
pub fn insert(connection: &mut Connection, product: &Product) -> Result<(), StoreError> {
    diesel::insert_into(products::table).values(Row::of(product)).execute(connection)?;
    Ok(())
}

/// Replaces the row of a product.
pub fn update(connection: &mut Connection, product: &Product) -> Result<(), StoreError> {
    diesel::update(products::table.find(Key(product.id))).set(Row::of(product)).execute(connection)?;
    Ok(())
}

//! Table `known_problems`: the vendor's rules, and how many runs matched each.

use std::collections::{BTreeMap, HashMap};

use diesel::{dsl::count_star, prelude::*};

use super::{
    Connection, StoreError,
    schema::{known_problems, runs},
    value::{Json, Key, Moment, Name},
};
use crate::domain::{
    id::{KnownProblemId, ProductId},
    known_problem::{Conditions, KnownProblem, Pattern},
    link::Link,
    locale::LanguageTag,
    platform::Platform,
    reach::Reach,
    run::FailureClass,
    version::Requirement,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = known_problems, treat_none_as_null = true)]
struct Row {
    id: Key<KnownProblemId>,
    product_id: Key<ProductId>,
    failure_class: Option<Name<FailureClass>>,
    code_pattern: Option<Name<Pattern>>,
    platform: Option<Name<Platform>>,
    versions: Option<Name<Requirement>>,
    texts: Json<BTreeMap<LanguageTag, String>>,
    link: Option<Name<Link>>,
    created_at: Moment,
    revision: i64,
}

impl Row {
    fn of(rule: &KnownProblem) -> Self {
        let Conditions { failure_class, code, platform, versions } = rule.conditions.clone();
        Self {
            id: Key(rule.id),
            product_id: Key(rule.product),
            failure_class: failure_class.map(Name),
            code_pattern: code.map(Name),
            platform: platform.map(Name),
            versions: versions.map(Name),
            texts: Json(rule.texts.clone()),
            link: rule.link.clone().map(Name),
            created_at: Moment(rule.created_at),
            revision: rule.revision,
        }
    }

    fn into_domain(self) -> KnownProblem {
        KnownProblem {
            id: self.id.0,
            product: self.product_id.0,
            conditions: Conditions {
                failure_class: self.failure_class.map(|class| class.0),
                code: self.code_pattern.map(|pattern| pattern.0),
                platform: self.platform.map(|platform| platform.0),
                versions: self.versions.map(|versions| versions.0),
            },
            texts: self.texts.0,
            link: self.link.map(|link| link.0),
            created_at: self.created_at.0,
            revision: self.revision,
        }
    }
}

/// All rules, in no particular order.
pub fn all(connection: &mut Connection) -> Result<Vec<KnownProblem>, StoreError> {
    let rows: Vec<Row> = known_problems::table.select(Row::as_select()).load(connection)?;
    Ok(rows.into_iter().map(Row::into_domain).collect())
}

/// The rules of a product, in no particular order.
pub fn of_product(connection: &mut Connection, product: ProductId) -> Result<Vec<KnownProblem>, StoreError> {
    let of_product = known_problems::table.filter(known_problems::product_id.eq(Key(product)));
    let rows: Vec<Row> = of_product.select(Row::as_select()).load(connection)?;
    Ok(rows.into_iter().map(Row::into_domain).collect())
}

/// The rule with this id.
pub fn get(connection: &mut Connection, id: KnownProblemId) -> Result<Option<KnownProblem>, StoreError> {
    let row: Option<Row> = known_problems::table.find(Key(id)).select(Row::as_select()).first(connection).optional()?;
    Ok(row.map(Row::into_domain))
}

/// Adds the row of a rule.
pub fn insert(connection: &mut Connection, rule: &KnownProblem) -> Result<(), StoreError> {
    diesel::insert_into(known_problems::table).values(Row::of(rule)).execute(connection)?;
    Ok(())
}

/// Replaces the row of a rule.
pub fn update(connection: &mut Connection, rule: &KnownProblem) -> Result<(), StoreError> {
    diesel::update(known_problems::table.find(Key(rule.id))).set(Row::of(rule)).execute(connection)?;
    Ok(())
}

/// Deletes a rule. Runs that matched it keep its mark.
pub fn delete(connection: &mut Connection, id: KnownProblemId) -> Result<(), StoreError> {
    diesel::delete(known_problems::table.find(Key(id))).execute(connection)?;
    Ok(())
}

/// The number of runs that matched each problem, by product and by the mark of the runs.
pub type Matched = HashMap<(ProductId, String), i64>;

/// How many runs matched each problem, of the products within reach.
pub fn matched(connection: &mut Connection, reach: &Reach) -> Result<Matched, StoreError> {
    let mut query = runs::table
        .filter(runs::known_problem.is_not_null())
        .group_by((runs::product_id, runs::known_problem))
        .select((runs::product_id, runs::known_problem.assume_not_null(), count_star()))
        .into_boxed();
    if let Some(products) = reach.products() {
        query = query.filter(runs::product_id.eq_any(products.iter().copied().map(Key)));
    }
    let rows: Vec<(Key<ProductId>, String, i64)> = query.load(connection)?;
    Ok(rows.into_iter().map(|(product, key, count)| ((product.0, key), count)).collect())
}

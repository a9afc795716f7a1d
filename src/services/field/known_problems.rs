//! Known problems: the vendor's rules, which support maintains.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    directory::{Change, ProductEntry},
    domain::{
        id::KnownProblemId,
        known_problem::{self, Conditions, DefaultProblem, KnownProblem, Pattern, Recognised},
        link::Link,
        locale::LanguageTag,
        page::Page,
        patch::patch_body,
        platform::Platform,
        reach::Reach,
        run::{FailureClass, Run},
        slug::Slug,
        version::Requirement,
    },
    services::desk::{Code, Context, Expected, Faults, Refusal, Write, lookup},
    store::{self, StoreError, known_problems::Matched},
};

/// A new rule: at least one condition, and at least one text.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKnownProblem {
    /// The slug of the product.
    #[schema(example = "office-maker")]
    pub product: Slug,
    /// Failures of this class.
    pub failure_class: Option<FailureClass>,
    /// Failures with such a code of the updater's: `*` stands for any text, `|` for 'or', and capitals make no
    /// difference.
    pub code: Option<Pattern>,
    /// Failures on this operating system, as the last check of the installation told.
    pub platform: Option<Platform>,
    /// Failures of updates to such a version.
    pub versions: Option<Requirement>,
    /// What the user is told to do, by locale.
    #[schema(value_type = BTreeMap<LanguageTag, String>, example = json!({"en": "Switch the scanner off for the update."}))]
    pub texts: BTreeMap<LanguageTag, String>,
    /// Where there is more.
    pub link: Option<Link>,
}

patch_body! {
    /// A change to a rule: what is absent stays as it is, `null` clears what can be cleared.
    #[derive(Debug)]
    pub struct KnownProblemChange {
        /// Failures of this class.
        pub failure_class: Patch<Option<FailureClass>>,
        /// Failures with such a code of the updater's.
        pub code: Patch<Option<Pattern>>,
        /// Failures on this operating system.
        pub platform: Patch<Option<Platform>>,
        /// Failures of updates to such a version.
        pub versions: Patch<Option<Requirement>>,
        /// All of the texts, in place of those there are.
        pub texts: Patch<BTreeMap<LanguageTag, String>>,
        /// Where there is more.
        pub link: Patch<Option<Link>>,
    }
}

/// Checks the conditions of a rule that its types do not enforce.
fn check(rule: &KnownProblem) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    if rule.conditions.count() == 0 {
        // A rule without conditions would match every failure, and hide all rules after it.
        faults.add("code", "say which failures are meant: at least one of failure_class, code, platform and versions");
    }
    if !(1..=100).contains(&rule.texts.len()) {
        faults.add("texts", "must be in at least one and at most 100 languages");
    }
    for (locale, text) in &rule.texts {
        if text.trim().is_empty() {
            faults.add(&format!("texts.{locale}"), "must say what to do");
        }
        faults.text(&format!("texts.{locale}"), text);
    }
    faults.finish()
}

/// Adds a rule to a product.
///
/// # Errors
/// `product_not_found`, `body_invalid`.
pub async fn add(context: &Arc<Context>, reach: Reach, new: NewKnownProblem) -> Result<KnownProblem, Refusal> {
    context
        .write(move |write| {
            let id = write.new_id();
            add_within(write, id, &reach, new)
        })
        .await
}

/// Adds a rule under a given id, within a write.
pub(in crate::services) fn add_within(
    write: &mut Write<'_>,
    id: KnownProblemId,
    reach: &Reach,
    new: NewKnownProblem,
) -> Result<KnownProblem, Refusal> {
    let product = store::products::by_slug(write.connection, &new.product)?
        .filter(|product| reach.includes(product.id))
        .ok_or_else(|| lookup::product_not_found(&new.product))?;
    let NewKnownProblem { failure_class, code, platform, versions, texts, link, .. } = new;
    let rule = KnownProblem {
        id,
        product: product.id,
        conditions: Conditions { failure_class, code, platform, versions },
        texts,
        link,
        created_at: write.now,
        revision: 1,
    };
    check(&rule)?;
    store::known_problems::insert(write.connection, &rule)?;
    write.made("known_problem.add", &rule)?;
    write.changed(Change::Product(rule.product));
    Ok(rule)
}

/// Reads a rule within a write; a rule outside the caller's reach is not found.
fn find(write: &mut Write<'_>, reach: &Reach, id: KnownProblemId) -> Result<KnownProblem, Refusal> {
    let rule = store::known_problems::get(write.connection, id)?.filter(|rule| reach.includes(rule.product));
    rule.ok_or_else(|| not_found(id))
}

/// Changes a rule. Runs that it already matched stay marked with it.
///
/// # Errors
/// `known_problem_not_found`, `precondition_failed`, `body_invalid`.
pub async fn change(
    context: &Arc<Context>,
    reach: Reach,
    id: KnownProblemId,
    expected: Expected,
    change: KnownProblemChange,
) -> Result<KnownProblem, Refusal> {
    context
        .write(move |write| {
            let mut rule = find(write, &reach, id)?;
            expected.check(rule.revision)?;
            let before = rule.clone();
            let conditions = &mut rule.conditions;
            change.failure_class.apply(&mut conditions.failure_class);
            change.platform.apply(&mut conditions.platform);
            change.code.apply(&mut conditions.code);
            change.versions.apply(&mut conditions.versions);
            change.texts.apply(&mut rule.texts);
            change.link.apply(&mut rule.link);
            check(&rule)?;
            write.save("known_problem.change", &before, &mut rule)?;
            Ok(rule)
        })
        .await
}

/// Deletes one of the vendor's rules.
///
/// # Errors
/// `known_problem_not_found`, `precondition_failed`.
pub async fn delete(
    context: &Arc<Context>,
    reach: Reach,
    id: KnownProblemId,
    expected: Expected,
) -> Result<(), Refusal> {
    context
        .write(move |write| {
            let rule = find(write, &reach, id)?;
            expected.check(rule.revision)?;
            store::known_problems::delete(write.connection, id)?;
            write.removed("known_problem.delete", &rule)?;
            write.changed(Change::Product(rule.product));
            Ok(())
        })
        .await
}

/// `known_problem_not_found`: for a rule that does not exist or is outside the caller's reach.
#[must_use]
pub fn not_found(id: KnownProblemId) -> Refusal {
    Refusal::new(Code::KnownProblemNotFound, format!("there is no known problem {id}"))
}

/// Marks a run with an error with the known problem that matches it: the first of the vendor's rules for the product,
/// or else a default. Reports do not state the platform, so `seen_on` returns that of the installation's last check;
/// it is called only if a rule depends on it.
pub(in crate::services) fn mark(
    rules: &[KnownProblem],
    run: &mut Run,
    seen_on: impl FnOnce(&Run) -> Result<Option<Platform>, StoreError>,
) -> Result<(), StoreError> {
    let Some(error) = run.error.as_ref() else { return Ok(()) };
    let depends = known_problem::depends_on_platform(rules, error, &run.to_version);
    let platform = if depends { seen_on(run)? } else { None };
    let recognised = known_problem::recognise(rules, error, &run.to_version, platform);
    run.known_problem = recognised.map(|recognised| recognised.key());
    Ok(())
}

/// A known problem: a rule or a default.
#[derive(Clone, Debug)]
pub enum Known {
    Vendors(KnownProblem),
    Default(DefaultProblem),
}

/// A known problem, with the number of runs that it matched.
#[derive(Clone, Debug)]
pub struct Counted {
    pub entry: Arc<ProductEntry>,
    pub problem: Known,
    /// The number of matched runs.
    pub matched: i64,
}

impl Counted {
    fn of(entry: &Arc<ProductEntry>, problem: &Recognised<'_>, matched: &Matched) -> Self {
        let matched = matched.get(&(entry.product.id, problem.key())).copied().unwrap_or_default();
        let problem = match *problem {
            Recognised::Vendors(rule) => Known::Vendors(rule.clone()),
            Recognised::Default(default) => Known::Default(default),
        };
        Self { entry: Arc::clone(entry), problem, matched }
    }

    /// The `next` cursor of a page that ends with this problem.
    #[must_use]
    pub fn cursor(&self) -> String {
        let problem = match &self.problem {
            Known::Vendors(rule) => Recognised::Vendors(rule),
            Known::Default(default) => Recognised::Default(*default),
        };
        cursor(&self.entry, &problem)
    }
}

fn cursor(entry: &ProductEntry, problem: &Recognised<'_>) -> String {
    format!("{}.{}", entry.product.slug, problem.key())
}

/// A page of the known problems within reach, by product, in the order in which they are tried; the defaults last.
///
/// # Errors
/// `parameter_invalid` if the cursor names a problem that no longer exists; `storage_unavailable`.
pub async fn list(context: &Arc<Context>, reach: Reach, page: Page<String>) -> Result<Vec<Counted>, Refusal> {
    let matched = matched(context, reach.clone()).await?;
    let catalogue = context.directory.catalogue();
    let entries = catalogue.products().filter(|entry| reach.includes(entry.product.id));
    let all: Vec<_> = entries
        .flat_map(|entry| {
            let vendors = entry.known_problems.iter().map(Recognised::Vendors);
            let defaults = DefaultProblem::ALL.iter().copied().map(Recognised::Default);
            vendors.chain(defaults).map(move |problem| (entry, problem))
        })
        .collect();
    let first = match &page.after {
        Some(after) => all.iter().position(|(entry, problem)| cursor(entry, problem) == *after).map(|place| place + 1),
        None => Some(0),
    };
    let first =
        first.ok_or_else(|| Refusal::parameter("after", "is not the `next` of a page; begin anew without it"))?;
    Ok(page.first_of(all.iter().skip(first).map(|(entry, problem)| Counted::of(entry, problem, &matched))))
}

/// The rule with this id, within reach.
///
/// # Errors
/// `known_problem_not_found`.
pub fn get(context: &Context, reach: &Reach, id: KnownProblemId) -> Result<KnownProblem, Refusal> {
    let catalogue = context.directory.catalogue();
    let mut entries = catalogue.products().filter(|entry| reach.includes(entry.product.id));
    let rule = entries.find_map(|entry| entry.known_problems.iter().find(|rule| rule.id == id).cloned());
    rule.ok_or_else(|| not_found(id))
}

/// A rule, with the number of runs that it matched.
///
/// # Errors
/// `known_problem_not_found` if its product no longer exists; `storage_unavailable`.
pub async fn count(context: &Arc<Context>, rule: KnownProblem) -> Result<Counted, Refusal> {
    let matched = matched(context, Reach::one(rule.product)).await?;
    let catalogue = context.directory.catalogue();
    let entry = catalogue.product_by_id(rule.product).ok_or_else(|| not_found(rule.id))?;
    Ok(Counted::of(entry, &Recognised::Vendors(&rule), &matched))
}

async fn matched(context: &Arc<Context>, reach: Reach) -> Result<Matched, Refusal> {
    context.read(move |connection| Ok(store::known_problems::matched(connection, &reach)?)).await
}

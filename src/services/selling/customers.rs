//! Customers: added, listed and changed by staff.

use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        customer::Customer, id::CustomerId, line::Line, locale::LanguageTag, page::Page, patch::patch_body,
        reach::Reach,
    },
    services::desk::{Code, Context, Expected, Faults, Refusal, Write},
    store::{self, Connection},
};

/// A new customer.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustomer {
    /// Their name for people.
    pub name: Line,
    /// Where to write to.
    #[schema(format = Email, example = "anna@bianchi.example.com")]
    pub email: Option<String>,
    /// The language to write in.
    #[schema(example = "it")]
    pub locale: Option<LanguageTag>,
    /// What the vendor's other systems call them.
    pub external_ref: Option<Line>,
}

patch_body! {
    /// A change to a customer: what is absent stays as it is, `null` clears what can be cleared.
    #[derive(Debug)]
    pub struct CustomerChange {
        /// Their name for people.
        pub name: Patch<Line>,
        /// Where to write to.
        #[schema(format = Email)]
        pub email: Patch<Option<String>>,
        /// The language to write in.
        pub locale: Patch<Option<LanguageTag>>,
        /// What the vendor's other systems call them.
        pub external_ref: Patch<Option<Line>>,
    }
}

/// Checks the rules that the types do not enforce.
fn check(customer: &Customer) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    if let Some(email) = &customer.email {
        faults.email("email", email);
    }
    faults.finish()
}

/// Adds a customer, without any subscription.
///
/// # Errors
/// `body_invalid`.
pub async fn add(context: &Arc<Context>, new: NewCustomer) -> Result<Customer, Refusal> {
    context
        .write(move |write| {
            let id = write.new_id();
            add_within(write, id, new)
        })
        .await
}

/// Adds a customer under an id, within a write.
pub(in crate::services) fn add_within(
    write: &mut Write<'_>,
    id: CustomerId,
    new: NewCustomer,
) -> Result<Customer, Refusal> {
    let customer = Customer {
        id,
        name: new.name,
        email: new.email,
        locale: new.locale,
        external_ref: new.external_ref,
        created_at: write.now,
        revision: 1,
    };
    check(&customer)?;
    store::customers::insert(write.connection, &customer)?;
    write.made("customer.add", &customer)?;
    Ok(customer)
}

/// The customer with this id.
///
/// # Errors
/// `customer_not_found`.
pub async fn get(context: &Arc<Context>, reach: Reach, id: CustomerId) -> Result<Customer, Refusal> {
    context.read(move |connection| find(connection, &reach, id)).await
}

/// The customer with this id, if within reach. A reach limited to products includes the customers who have a
/// subscription of one of them, and those who have no subscription.
pub(in crate::services) fn find(
    connection: &mut Connection,
    reach: &Reach,
    id: CustomerId,
) -> Result<Customer, Refusal> {
    let within = store::customers::is_within(connection, id, reach)?;
    store::customers::get(connection, id)?.filter(|_| within).ok_or_else(|| not_found(id))
}

/// A page of the customers within reach whose name, e-mail or external reference contains `words`.
///
/// # Errors
/// `parameter_invalid`.
pub async fn list(
    context: &Arc<Context>,
    reach: Reach,
    words: Option<String>,
    page: Page<CustomerId>,
) -> Result<Vec<Customer>, Refusal> {
    if words.as_ref().is_some_and(|words| words.chars().count() > 200) {
        return Err(Refusal::parameter("q", "must be at most 200 characters"));
    }
    context.read(move |connection| Ok(store::customers::matching(connection, words.as_deref(), &reach, page)?)).await
}

/// Changes the given fields of a customer.
///
/// # Errors
/// `customer_not_found`, `precondition_failed`, `body_invalid`.
pub async fn change(
    context: &Arc<Context>,
    reach: Reach,
    id: CustomerId,
    expected: Expected,
    change: CustomerChange,
) -> Result<Customer, Refusal> {
    context
        .write(move |write| {
            let mut customer = find(write.connection, &reach, id)?;
            expected.check(customer.revision)?;
            let before = customer.clone();
            change.name.apply(&mut customer.name);
            change.email.apply(&mut customer.email);
            change.locale.apply(&mut customer.locale);
            change.external_ref.apply(&mut customer.external_ref);
            check(&customer)?;
            write.save("customer.change", &before, &mut customer)?;
            Ok(customer)
        })
        .await
}

fn not_found(id: CustomerId) -> Refusal {
    Refusal::new(Code::CustomerNotFound, format!("there is no customer {id}"))
}

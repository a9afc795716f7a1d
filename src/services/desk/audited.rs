//! How the things that the audit log speaks of are named in it, and what of them it keeps.

use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use crate::{
    auth::token_hash,
    domain::{
        approval::Approval,
        audit::Record,
        customer::Customer,
        hosting_group::HostingGroup,
        id::ProductId,
        known_problem::KnownProblem,
        license_key::KeyRecord,
        mail::Mail,
        product::Product,
        release::Release,
        subject::Subject,
        subscription::Subscription,
        trusted_publisher::TrustedPublisher,
        webhook::{Webhook, WebhookMessage},
    },
    services::desk::{context::Write, refusal::Refusal},
    store::{api_tokens::ApiToken, users::User},
};

/// A thing whose changes are remembered.
pub(in crate::services) trait Audited {
    /// How the log names it.
    fn subject(&self) -> Subject;

    /// The product that it belongs to.
    fn product(&self) -> Option<ProductId> {
        None
    }

    /// What is kept of it; never a secret.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    fn state(&self) -> Result<Value, serde_json::Error>;
}

/// All of a thing, as JSON: of those that have no secrets, and will have none.
fn all(thing: &impl Serialize) -> Result<Value, serde_json::Error> {
    serde_json::to_value(thing)
}

impl Audited for Product {
    fn subject(&self) -> Subject {
        Subject::Product(self.id)
    }

    fn product(&self) -> Option<ProductId> {
        Some(self.id)
    }

    fn state(&self) -> Result<Value, serde_json::Error> {
        all(self)
    }
}

impl Audited for Release {
    fn subject(&self) -> Subject {
        Subject::Release(self.id)
    }

    fn product(&self) -> Option<ProductId> {
        Some(self.product)
    }

    fn state(&self) -> Result<Value, serde_json::Error> {
        all(self)
    }
}

impl Audited for Customer {
    fn subject(&self) -> Subject {
        Subject::Customer(self.id)
    }

    fn state(&self) -> Result<Value, serde_json::Error> {
        all(self)
    }
}

impl Audited for Subscription {
    fn subject(&self) -> Subject {
        Subject::Subscription(self.coverage.id)
    }

    fn product(&self) -> Option<ProductId> {
        Some(self.coverage.product)
    }

    fn state(&self) -> Result<Value, serde_json::Error> {
        all(self)
    }
}

impl Audited for KeyRecord {
    fn subject(&self) -> Subject {
        Subject::LicenseKey(self.id)
    }

    /// Not its fingerprint: with the server's secret that would be as good as the key.
    fn state(&self) -> Result<Value, serde_json::Error> {
        Ok(json!({ "subscription": self.subscription, "imported": self.imported, "revoked_at": self.revoked_at }))
    }
}

impl Audited for HostingGroup {
    fn subject(&self) -> Subject {
        Subject::HostingGroup(self.id)
    }

    fn state(&self) -> Result<Value, serde_json::Error> {
        all(self)
    }
}

impl Audited for KnownProblem {
    fn subject(&self) -> Subject {
        Subject::KnownProblem(self.id)
    }

    fn product(&self) -> Option<ProductId> {
        Some(self.product)
    }

    fn state(&self) -> Result<Value, serde_json::Error> {
        all(self)
    }
}

impl Audited for Webhook {
    fn subject(&self) -> Subject {
        Subject::Webhook(self.id)
    }

    fn product(&self) -> Option<ProductId> {
        self.product
    }

    /// Of the address whose it is, and a mark by which a change of the rest is seen: for many receivers that is a password.
    fn state(&self) -> Result<Value, serde_json::Error> {
        let mut state = all(self)?;
        let whose = Url::parse(&self.url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        let [first, second, third, fourth, ..] = token_hash(&self.url);
        let mark = u32::from_be_bytes([first, second, third, fourth]);
        if let Some(url) = state.get_mut("url") {
            *url = format!("{whose}/… ({mark:08x})").into();
        }
        Ok(state)
    }
}

/// How far it has come; what it says stays as it is.
impl Audited for Mail {
    fn subject(&self) -> Subject {
        Subject::Mail(self.id)
    }

    fn state(&self) -> Result<Value, serde_json::Error> {
        Ok(json!({ "state": self.delivery.state, "queued_at": self.delivery.queued_at }))
    }
}

/// As of a mail.
impl Audited for WebhookMessage {
    fn subject(&self) -> Subject {
        Subject::WebhookMessage(self.id)
    }

    fn state(&self) -> Result<Value, serde_json::Error> {
        Ok(json!({ "state": self.delivery.state, "queued_at": self.delivery.queued_at }))
    }
}

impl Audited for ApiToken {
    fn subject(&self) -> Subject {
        Subject::Token(self.id)
    }

    fn product(&self) -> Option<ProductId> {
        self.product
    }

    /// Not its hash.
    fn state(&self) -> Result<Value, serde_json::Error> {
        Ok(json!({
            "name": self.name, "scopes": self.scopes, "product": self.product, "expires_at": self.expires_at,
            "trusted_publisher": self.publisher,
        }))
    }
}

impl Audited for TrustedPublisher {
    fn subject(&self) -> Subject {
        Subject::TrustedPublisher(self.id)
    }

    fn product(&self) -> Option<ProductId> {
        Some(self.product)
    }

    fn state(&self) -> Result<Value, serde_json::Error> {
        all(self)
    }
}

impl Audited for Approval {
    fn subject(&self) -> Subject {
        Subject::Approval(self.id)
    }

    fn product(&self) -> Option<ProductId> {
        Some(self.product)
    }

    fn state(&self) -> Result<Value, serde_json::Error> {
        let decision = self.decision.as_ref();
        Ok(json!({
            "deed": self.deed,
            "subject": self.subject,
            "version": self.version,
            "request": self.parameters,
            "requested_by": self.requested_by.name,
            "decided_by": decision.map(|decision| &decision.name),
            "note": decision.and_then(|decision| decision.note.as_ref()),
        }))
    }
}

impl Audited for User {
    fn subject(&self) -> Subject {
        Subject::User(self.id)
    }

    /// Neither the hash of the password nor the secret of the second factor.
    fn state(&self) -> Result<Value, serde_json::Error> {
        Ok(json!({
            "email": self.email,
            "role": self.role,
            "products": self.products,
            "password": self.password_hash.is_some(),
            "second_factor": self.factor.secret.is_some(),
            "identity": self.identity,
        }))
    }
}

/// That a thing was made.
///
/// # Errors
/// `internal_error` when its state cannot be written as JSON, as with all that follow.
pub(in crate::services) fn made(action: &'static str, thing: &impl Audited) -> Result<Record, Refusal> {
    Ok(record(action, thing, Value::Null, state(thing)?))
}

/// That a thing is no more.
pub(in crate::services) fn removed(action: &'static str, thing: &impl Audited) -> Result<Record, Refusal> {
    Ok(record(action, thing, state(thing)?, Value::Null))
}

/// That something was done to a thing of which nothing is kept.
pub(in crate::services) fn done(action: &'static str, thing: &impl Audited) -> Record {
    record(action, thing, Value::Null, Value::Null)
}

/// That a thing was changed.
pub(in crate::services) fn altered<T: Audited>(action: &'static str, before: &T, after: &T) -> Result<Record, Refusal> {
    Ok(record(action, after, state(before)?, state(after)?))
}

fn record(action: &'static str, thing: &impl Audited, before: Value, after: Value) -> Record {
    Record::change(action, thing.subject(), thing.product(), before, after)
}

/// A change without a state would be in the log as if nothing had been there.
fn state(thing: &impl Audited) -> Result<Value, Refusal> {
    thing.state().map_err(|error| Refusal::internal(&error))
}

impl Write<'_> {
    /// Adds the reason that was given to what was remembered last.
    pub(in crate::services) fn because(&mut self, reason: &str) {
        self.with("reason", json!(reason));
    }

    /// Adds something to what was remembered last.
    pub(in crate::services) fn with(&mut self, name: &str, value: Value) {
        if let Some(details) = self.last_record().and_then(|record| record.details.as_object_mut()) {
            details.insert(name.to_owned(), value);
        }
    }

    /// Remembers that a thing was made.
    ///
    /// # Errors
    /// `internal_error` when its state cannot be written as JSON, as with all that follow.
    pub(in crate::services) fn made(&mut self, action: &'static str, thing: &impl Audited) -> Result<(), Refusal> {
        self.record(made(action, thing)?);
        Ok(())
    }

    /// Remembers that a thing is no more.
    pub(in crate::services) fn removed(&mut self, action: &'static str, thing: &impl Audited) -> Result<(), Refusal> {
        self.record(removed(action, thing)?);
        Ok(())
    }

    /// Remembers that something was done to a thing of which nothing is kept.
    pub(in crate::services) fn done(&mut self, action: &'static str, thing: &impl Audited) {
        self.record(done(action, thing));
    }

    /// Remembers that a thing was changed.
    pub(in crate::services) fn altered<T: Audited>(
        &mut self,
        action: &'static str,
        before: &T,
        after: &T,
    ) -> Result<(), Refusal> {
        self.record(altered(action, before, after)?);
        Ok(())
    }
}

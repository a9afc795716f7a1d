//! How the audit log names each thing, and which part of its state it keeps.

use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use crate::{
    auth::token_hash,
    domain::{
        approval::Approval, audit::Record, customer::Customer, hosting_group::HostingGroup, id::ProductId,
        known_problem::KnownProblem, license_key::KeyRecord, mail::Mail, product::Product, release::Release,
        subject::Subject, subscription::Subscription, trusted_publisher::TrustedPublisher, webhook::Webhook,
        webhook_message::WebhookMessage,
    },
    services::desk::{context::Write, refusal::Refusal},
    store::{api_tokens::ApiToken, users::User},
};

/// A thing whose changes are recorded in the audit log.
pub(in crate::services) trait Audited {
    /// The name of the thing in the log.
    fn subject(&self) -> Subject;

    /// The product to which the thing belongs.
    fn product(&self) -> Option<ProductId> {
        None
    }

    /// The state that the log keeps, without any secret. Fails if it cannot be serialised as JSON.
    fn state(&self) -> Result<Value, serde_json::Error>;
}

/// The whole thing as JSON. Only for things that have no secrets and will have none.
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

    /// Without the fingerprint: together with the server's secret it would be as good as the key.
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

    /// The URL is cut to its origin and a hash of 32 bits, which shows that the URL changed. For many receivers the
    /// rest of the URL is a password.
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

/// Only the state of the delivery is kept: the text never changes.
impl Audited for Mail {
    fn subject(&self) -> Subject {
        Subject::Mail(self.id)
    }

    fn state(&self) -> Result<Value, serde_json::Error> {
        Ok(json!({ "state": self.delivery.state, "queued_at": self.delivery.queued_at }))
    }
}

/// Only the state of the delivery is kept, as for a mail.
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

    /// Without the hash of the token.
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

    /// Without the hash of the password and the secret of the second factor.
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

/// The record of an added thing.
///
/// # Errors
/// `internal_error` when the state cannot be serialised as JSON; the same for `removed` and `altered`.
pub(in crate::services) fn made(action: &'static str, thing: &impl Audited) -> Result<Record, Refusal> {
    Ok(record(action, thing, Value::Null, state(thing)?))
}

/// The record of a removed thing.
pub(in crate::services) fn removed(action: &'static str, thing: &impl Audited) -> Result<Record, Refusal> {
    Ok(record(action, thing, state(thing)?, Value::Null))
}

/// The record of an action that changes no recorded state.
pub(in crate::services) fn done(action: &'static str, thing: &impl Audited) -> Record {
    record(action, thing, Value::Null, Value::Null)
}

/// The record of a changed thing.
pub(in crate::services) fn altered<T: Audited>(action: &'static str, before: &T, after: &T) -> Result<Record, Refusal> {
    Ok(record(action, after, state(before)?, state(after)?))
}

fn record(action: &'static str, thing: &impl Audited, before: Value, after: Value) -> Record {
    Record::change(action, thing.subject(), thing.product(), before, after)
}

/// Fails without a state: the log would otherwise show the change as if nothing had been there.
fn state(thing: &impl Audited) -> Result<Value, Refusal> {
    thing.state().map_err(|error| Refusal::internal(&error))
}

impl Write<'_> {
    /// Adds the given reason to the last record.
    pub(in crate::services) fn because(&mut self, reason: &str) {
        self.with("reason", json!(reason));
    }

    /// Adds a detail to the last record.
    pub(in crate::services) fn with(&mut self, name: &str, value: Value) {
        if let Some(details) = self.last_record().and_then(|record| record.details.as_object_mut()) {
            details.insert(name.to_owned(), value);
        }
    }

    /// Records that a thing was added.
    ///
    /// # Errors
    /// `internal_error` when the state cannot be serialised as JSON; the same for `removed` and `altered`.
    pub(in crate::services) fn made(&mut self, action: &'static str, thing: &impl Audited) -> Result<(), Refusal> {
        self.record(made(action, thing)?);
        Ok(())
    }

    /// Records that a thing was removed.
    pub(in crate::services) fn removed(&mut self, action: &'static str, thing: &impl Audited) -> Result<(), Refusal> {
        self.record(removed(action, thing)?);
        Ok(())
    }

    /// Records an action that changes no recorded state.
    pub(in crate::services) fn done(&mut self, action: &'static str, thing: &impl Audited) {
        self.record(done(action, thing));
    }

    /// Records that a thing was changed.
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

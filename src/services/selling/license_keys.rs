//! License keys: issued, imported, revoked, and recognised when a program presents one.

use std::sync::Arc;

use crate::{
    directory::{Change, KeyEntry},
    domain::{
        id::{LicenseKeyId, SubscriptionId},
        license_key::{KeyRecord, LicenseKey, Reading, check_imported},
        page::Page,
        reach::Reach,
    },
    services::desk::{Code, Context, Refusal, Write, lookup},
    signing::{KeyForm, KeyRing, random},
    store,
};

/// A license key that was just issued or imported, in clear text. It is returned only here.
#[derive(Clone)]
pub struct Issued {
    pub id: LicenseKeyId,
    pub license_key: String,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Issued").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The license key that a program presented.
///
/// # Errors
/// `license_key_mistyped`, `license_key_unknown`, `license_key_revoked`.
pub fn recognise(context: &Context, presented: &str) -> Result<KeyEntry, Refusal> {
    let directory = &context.directory;
    // Imported keys are matched first, exactly as they are written: an imported key may look like an issued one (see
    // `add`).
    let imported =
        directory.has_imported_keys().then(|| context.keys.load().fingerprint(KeyForm::Imported, presented.as_bytes()));
    let entry = match imported.and_then(|fingerprint| directory.key(&fingerprint)) {
        Some(entry) => entry,
        None => match LicenseKey::read(presented) {
            Reading::Key(key) => {
                directory.key(&context.keys.load().fingerprint(KeyForm::Issued, key.as_bytes())).ok_or_else(unknown)?
            }
            Reading::Mistyped => {
                return Err(Refusal::new(
                    Code::LicenseKeyMistyped,
                    "the license key has a typing error; compare it with the one you were given",
                ));
            }
            Reading::Foreign => return Err(unknown()),
        },
    };
    if entry.revoked {
        return Err(Refusal::new(
            Code::LicenseKeyRevoked,
            "the license key has been revoked; ask the vendor for a new one",
        ));
    }
    Ok(entry)
}

fn unknown() -> Refusal {
    Refusal::new(Code::LicenseKeyUnknown, "the license key is not known here")
}

/// Issues a key for a subscription, or imports one, under an id and within a write.
pub(in crate::services) fn add(
    write: &mut Write<'_>,
    keys: &KeyRing,
    id: LicenseKeyId,
    subscription: SubscriptionId,
    import: Option<&str>,
) -> Result<Issued, Refusal> {
    let (text, fingerprint) = if let Some(text) = import {
        check_imported(text).map_err(|error| Refusal::field("license_key", error.to_string()))?;
        (text.to_owned(), keys.fingerprint(KeyForm::Imported, text.as_bytes()))
    } else {
        let key = std::iter::repeat_with(|| LicenseKey::from_random(&random())).flatten().next().ok_or_else(unknown)?;
        (key.to_string(), keys.fingerprint(KeyForm::Issued, key.as_bytes()))
    };
    let record = KeyRecord {
        id,
        subscription,
        fingerprint,
        imported: import.is_some(),
        created_at: write.now,
        revoked_at: None,
    };
    // Checked instead of letting the insert fail: a failed statement ends the transaction, and an import continues with
    // the next line.
    let mut taken = store::license_keys::exists(write.connection, &fingerprint)?;
    // An imported key can read like an issued key, in whatever spelling. It would be matched before that key, and open
    // another subscription.
    if let Reading::Key(key) = LicenseKey::read(import.unwrap_or_default()) {
        taken |= store::license_keys::exists(write.connection, &keys.fingerprint(KeyForm::Issued, key.as_bytes()))?;
    }
    if taken {
        return Err(Refusal::new(Code::LicenseKeyExists, "this license key belongs to a subscription already"));
    }
    store::license_keys::insert(write.connection, &record)?;
    write.made("license_key.add", &record)?;
    write.changed(Change::Subscription(subscription));
    Ok(Issued { id: record.id, license_key: text })
}

/// Issues one more license key for a subscription.
///
/// # Errors
/// `subscription_not_found`.
pub async fn issue(context: &Arc<Context>, reach: Reach, subscription: SubscriptionId) -> Result<Issued, Refusal> {
    let keys = Arc::clone(context);
    context
        .write(move |write| {
            lookup::subscription(write.connection, &reach, subscription)?;
            let id = write.new_id();
            add(write, &keys.keys.load(), id, subscription, None)
        })
        .await
}

/// Revokes a license key. Has no effect on a revoked key.
///
/// # Errors
/// `subscription_not_found`, `license_key_not_found`.
pub async fn revoke(
    context: &Arc<Context>,
    reach: Reach,
    subscription: SubscriptionId,
    key: LicenseKeyId,
) -> Result<(), Refusal> {
    context
        .write(move |write| {
            lookup::subscription(write.connection, &reach, subscription)?;
            let keys = store::license_keys::of_subscription(write.connection, subscription)?;
            let known = keys.into_iter().find(|known| known.id == key).ok_or_else(|| {
                let detail = format!("subscription {subscription} has no license key {key}");
                Refusal::new(Code::LicenseKeyNotFound, detail)
            })?;
            if known.revoked_at.is_some() {
                return Ok(());
            }
            store::license_keys::revoke(write.connection, key, write.now)?;
            let revoked = KeyRecord { revoked_at: Some(write.now), ..known.clone() };
            write.altered("license_key.revoke", &known, &revoked)?;
            write.changed(Change::Subscription(subscription));
            write.say(move || tracing::info!(%subscription, license_key = %key, "license key revoked"));
            Ok(())
        })
        .await
}

/// A page of a subscription's license keys.
///
/// # Errors
/// `subscription_not_found`.
pub async fn list(
    context: &Arc<Context>,
    reach: Reach,
    subscription: SubscriptionId,
    page: Page<LicenseKeyId>,
) -> Result<Vec<KeyRecord>, Refusal> {
    context
        .read(move |connection| {
            let id = lookup::subscription(connection, &reach, subscription)?.coverage.id;
            Ok(store::license_keys::page_of_subscription(connection, id, page)?)
        })
        .await
}

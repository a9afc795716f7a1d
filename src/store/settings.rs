//! `settings`: single values that belong to the database as a whole.

use diesel::prelude::*;

use super::{Connection, Store, StoreError, schema::settings};

/// Which license secret the fingerprints in this database were made with.
pub const LICENSE_SECRET: &str = "license_secret";

/// Which folder of artifacts this database lists the contents of.
pub const ARTIFACTS: &str = "artifacts";

/// The keys that replicas share, encrypted.
pub const KEYS: &str = "keys";

/// Until when staff were told of subscriptions that are about to end.
pub const ENDINGS_TOLD: &str = "endings_told";

/// How far the audit log goes, with a mark that only the keys can make.
pub const AUDIT_HEAD: &str = "audit_head";

/// The value of a setting.
///
/// # Errors
/// When the database cannot be read.
pub fn get(connection: &mut Connection, name: &str) -> Result<Option<String>, StoreError> {
    Ok(settings::table.find(name).select(settings::value).first(connection).optional()?)
}

/// Sets a value that was not set before.
///
/// # Errors
/// [`StoreError::Conflict`] when it was; else when the database cannot be written.
pub fn insert(connection: &mut Connection, name: &str, value: &str) -> Result<(), StoreError> {
    diesel::insert_into(settings::table)
        .values((settings::name.eq(name), settings::value.eq(value)))
        .execute(connection)?;
    Ok(())
}

/// Sets a value anew that was set before.
///
/// # Errors
/// When the database cannot be written.
pub fn replace(connection: &mut Connection, name: &str, value: &str) -> Result<(), StoreError> {
    diesel::update(settings::table.find(name)).set(settings::value.eq(value)).execute(connection)?;
    Ok(())
}

/// The value of a setting, which becomes `new` where it has none. Of replicas that start at once one sets it.
///
/// # Errors
/// When the database cannot be used, or `new` fails.
pub fn known_or_new(
    store: &Store,
    name: &str,
    new: impl FnOnce() -> Result<String, StoreError>,
) -> Result<String, StoreError> {
    if let Some(known) = store.read(|connection| get(connection, name))? {
        return Ok(known);
    }
    store.write(
        |connection: &mut Connection| {
            if let Some(known) = get(connection, name)? {
                return Ok((known, ()));
            }
            let new = new()?;
            insert(connection, name, &new)?;
            Ok::<_, StoreError>((new, ()))
        },
        |()| (),
    )
}

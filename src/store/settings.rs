//! Table `settings`: single values that belong to the database as a whole.

use diesel::prelude::*;

use super::{Connection, Store, StoreError, schema::settings};

/// The id of the license secret that the fingerprints in this database were made with.
pub const LICENSE_SECRET: &str = "license_secret";

/// The id of the artifact store whose contents this database lists.
pub const ARTIFACTS: &str = "artifacts";

/// The keys that replicas share, encrypted.
pub const KEYS: &str = "keys";

/// The time up to which staff have been notified of subscriptions that are about to end.
pub const ENDINGS_TOLD: &str = "endings_told";

/// The number and hash of the newest audit record, with a mark that only the keys can make.
pub const AUDIT_HEAD: &str = "audit_head";

/// The value of a setting; `None` if it was never set.
pub fn get(connection: &mut Connection, name: &str) -> Result<Option<String>, StoreError> {
    Ok(settings::table.find(name).select(settings::value).first(connection).optional()?)
}

/// Sets a value for the first time.
///
/// # Errors
/// [`StoreError::Conflict`] if the setting has a value.
pub fn insert(connection: &mut Connection, name: &str, value: &str) -> Result<(), StoreError> {
    diesel::insert_into(settings::table)
        .values((settings::name.eq(name), settings::value.eq(value)))
        .execute(connection)?;
    Ok(())
}

/// Replaces the value of a setting.
pub fn replace(connection: &mut Connection, name: &str, value: &str) -> Result<(), StoreError> {
    diesel::update(settings::table.find(name)).set(settings::value.eq(value)).execute(connection)?;
    Ok(())
}

/// The value of a setting. If it has none, it becomes `new`. If several replicas start at once, one of them sets it.
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

//! Everything of one database in another: the way from the embedded default to `PostgreSQL`, and back.
//!
//! One snapshot of the source, one transaction on the target: whatever goes wrong, the target is as empty as before. What
//! has arrived is read back and compared before it is committed.

use crate::{
    services::running::key_place::KeyPlace,
    signing::{KeyError, KeyFile, KeyRing, KeySet},
    store::{
        Connection, Place, Schema, Store, StoreError, settings,
        tables::{CONTENTS, Checksum, LOG, Table},
    },
};

/// A database, and the place of the keys that belong to it.
#[derive(Debug)]
pub struct Side {
    /// The database.
    pub store: Store,
    /// The place of its keys.
    pub keys: KeyPlace,
}

/// Why a database was not copied. Each says in one line what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A database cannot be used.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The databases are not such that one can be copied to the other.
    #[error("{0}")]
    Refused(String),
}

/// How far the work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many rows will be gone through, those that are read back among them.
    Rows(u64),
    /// The rows of a table are next.
    Copying(&'static str),
    /// They are read back.
    Comparing(&'static str),
    /// So many rows are done.
    Done(u64),
}

/// What was copied of a table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Copied {
    /// The table.
    pub table: &'static str,
    /// How many rows.
    pub rows: u64,
    /// The checksum over all of them, the same on both sides; see [`Checksum`].
    pub sha256: String,
}

/// Copies everything into an empty database, which is given its tables where it has none.
///
/// # Errors
/// When either side is in use, of another version, or cannot be used; when the target is not empty; when what arrived is
/// not what was sent. Nothing is in the target then.
pub fn copy(source: &Side, target: &Side, tell: &mut dyn FnMut(Progress)) -> Result<Vec<Copied>, CopyError> {
    if source.store.place() == target.store.place() {
        return Err(CopyError::Refused("a database cannot be copied to itself".to_owned()));
    }
    let _source = take(&source.store)?;
    let _target = take(&target.store)?;
    if schema(&source.store)? == Schema::Missing {
        return Err(CopyError::Refused(format!("there is nothing of Sluice in {}", source.store.place())));
    }
    if schema(&target.store)? == Schema::Missing {
        target.store.migrate().map_err(|error| error.at(target.store.place()))?;
    }
    source.store.long_snapshot(|from| {
        let keys = source.keys(from)?;
        target.store.long_write(|to| {
            must_be_empty(&target.store, to)?;
            let mut from = Opened { place: source.store.place(), connection: from };
            let mut into = Opened { place: target.store.place(), connection: to };
            let copied = copy_rows(&mut from, &mut into, tell)?;
            target.put_keys(to, keys)?;
            Ok(copied)
        })
    })
}

/// Whoever serves from a database would not know what is put into it, and would change what is being copied.
fn take(store: &Store) -> Result<crate::store::Lead, CopyError> {
    let lead = store.lead().map_err(|error| error.at(store.place()))?;
    lead.ok_or_else(|| CopyError::Refused(format!("a Sluice is serving from {}; stop it first", store.place())))
}

/// The schema, unless it is another one than this program's.
fn schema(store: &Store) -> Result<Schema, CopyError> {
    let place = store.place();
    let schema = store.schema().map_err(|error| error.at(place))?;
    match schema {
        Schema::Older => Err(CopyError::Refused(format!(
            "{place} has the schema of an older Sluice; run `sluice migrate` first, with database.url set to it"
        ))),
        Schema::Newer(migration) => Err(CopyError::Refused(format!(
            "{place} has the schema of a newer Sluice (migration {migration}); copy it with that version"
        ))),
        Schema::Missing | Schema::Current => Ok(schema),
    }
}

fn must_be_empty(store: &Store, connection: &mut Connection) -> Result<(), CopyError> {
    for table in CONTENTS.iter().chain(&LOG) {
        if !table.is_empty(connection).map_err(|error| error.at(store.place()))? {
            return Err(CopyError::Refused(format!(
                "{} is not empty: it has rows in `{}`; nothing was copied, name a database that nothing was put into yet",
                store.place(),
                table.name
            )));
        }
    }
    Ok(())
}

/// A connection, and the place of its database for error messages.
struct Opened<'a> {
    place: &'a Place,
    connection: &'a mut Connection,
}

fn copy_rows(
    source: &mut Opened<'_>,
    target: &mut Opened<'_>,
    tell: &mut dyn FnMut(Progress),
) -> Result<Vec<Copied>, CopyError> {
    let mut all: u64 = 0;
    for table in CONTENTS {
        all += table.count(source.connection).map_err(|error| error.at(source.place))?;
    }
    tell(Progress::Rows(all.saturating_mul(2)));
    let mut sent = Vec::new();
    for table in CONTENTS {
        tell(Progress::Copying(table.name));
        let mut checksum = Checksum::default();
        let mut pages = table.pages();
        while let Some(rows) = pages.next(source.connection).map_err(|error| error.at(source.place))? {
            checksum.add(&rows);
            let count = rows.count();
            table.insert(target.connection, rows).map_err(|error| of_table(&error, &table).at(target.place))?;
            tell(Progress::Done(count));
        }
        let (rows, sha256) = checksum.finish();
        sent.push(Copied { table: table.name, rows, sha256 });
    }
    for (table, sent) in CONTENTS.iter().zip(&sent) {
        tell(Progress::Comparing(table.name));
        compare(sent, table, target, tell)?;
    }
    Ok(sent)
}

fn of_table(error: &StoreError, table: &Table) -> StoreError {
    StoreError::Other(format!("`{}` does not take a row of the other database: {error}", table.name))
}

/// Reads back what has arrived.
fn compare(
    sent: &Copied,
    table: &Table,
    target: &mut Opened<'_>,
    tell: &mut dyn FnMut(Progress),
) -> Result<(), CopyError> {
    let mut checksum = Checksum::default();
    let mut pages = table.pages();
    while let Some(rows) = pages.next(target.connection).map_err(|error| error.at(target.place))? {
        checksum.add(&rows);
        tell(Progress::Done(rows.count()));
    }
    let (rows, sha256) = checksum.finish();
    if (rows, &sha256) != (sent.rows, &sent.sha256) {
        return Err(CopyError::Refused(format!(
            "`{}` did not arrive as it was: {} rows with the checksum {} were sent, {rows} with {sha256} have arrived; nothing was kept",
            table.name, sent.rows, sent.sha256
        )));
    }
    Ok(())
}

impl Side {
    /// The keys, which must be those that the license keys of the database were made with.
    fn keys(&self, connection: &mut Connection) -> Result<KeySet, CopyError> {
        let place = self.store.place();
        let (keys, kept) = match &self.keys {
            KeyPlace::File(path, encryption) => {
                (KeyFile::read(path, encryption.clone())?.keys().clone(), format!("{}", path.display()))
            }
            KeyPlace::Database(vault) => {
                let keys = vault.open(connection)?.ok_or_else(|| {
                    CopyError::Refused(format!("there are no keys in {place}; `sluice serve` makes them"))
                })?;
                (keys, "the setting `keys`".to_owned())
            }
        };
        let ring = KeyRing::of(&keys).map_err(|error| StoreError::Other(error.to_string()))?;
        let known = settings::get(connection, settings::LICENSE_SECRET).map_err(|error| error.at(place))?;
        match known.as_deref() {
            Some(id) if id != ring.license_secret_id() => Err(CopyError::Refused(format!(
                "the license keys in {place} were made with other secrets than those in {kept}; name the file that belongs to it with --keys"
            ))),
            _ => Ok(keys),
        }
    }

    fn put_keys(&self, connection: &mut Connection, keys: KeySet) -> Result<(), CopyError> {
        match &self.keys {
            // Before the commit: of two things one is first, and keys without their database can be put there again.
            KeyPlace::File(path, encryption) => drop(KeyFile::put(path, keys, encryption.clone())?),
            KeyPlace::Database(vault) => vault.fill(connection, &keys)?,
        }
        Ok(())
    }
}

//! Copies one database into another: from the embedded default to `PostgreSQL`, and back.
//!
//! The copy reads one snapshot of the source and writes one transaction on the target, so that the target stays empty
//! after any error. The rows on the target are read back and compared before the commit.

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
    pub store: Store,
    pub keys: KeyPlace,
}

/// Why a database was not copied. Each text states in one line what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The databases do not permit the copy: one is in use, of another version, or not empty, for example.
    #[error("{0}")]
    Refused(String),
}

/// The progress of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The total number of rows to process. Each row counts twice: copied and read back.
    Rows(u64),
    /// The copy of this table begins.
    Copying(&'static str),
    /// The comparison of this table begins.
    Comparing(&'static str),
    /// This many more rows are done.
    Done(u64),
}

/// The result of copying a table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Copied {
    pub table: &'static str,
    pub rows: u64,
    /// The checksum of all rows, equal on both sides; see [`Checksum`].
    pub sha256: String,
}

/// Copies a database and its keys into an empty one. Creates missing tables on the target.
///
/// # Errors
/// [`CopyError`] when either side is in use, has the schema of another version, or cannot be used; when the target is
/// not empty; when the rows that are read back differ. The target is then as empty as before.
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

/// Takes the lead of a database, so that no Sluice serves from it: a server would not see the rows that are put into
/// it, and would change the rows that are being copied.
fn take(store: &Store) -> Result<crate::store::Lead, CopyError> {
    let lead = store.lead().map_err(|error| error.at(store.place()))?;
    lead.ok_or_else(|| CopyError::Refused(format!("a Sluice is serving from {}; stop it first", store.place())))
}

/// The schema of a database; refuses that of another version.
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

/// A connection, with the place of its database for error messages.
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

/// Reads a table back from the target and compares its checksum.
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
    /// Reads the keys, and checks that the license keys of the database were made with them.
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
            // The file is written before the commit. If the commit fails, the same keys can be written again.
            KeyPlace::File(path, encryption) => drop(KeyFile::put(path, keys, encryption.clone())?),
            KeyPlace::Database(vault) => vault.fill(connection, &keys)?,
        }
        Ok(())
    }
}

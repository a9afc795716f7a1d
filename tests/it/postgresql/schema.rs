//! The two trees of migrations make the same tables.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use sluice::store::Store;

use crate::{architecture::tables_of_diesel, harness::database::Database};

fn tree(name: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(name);
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn names(name: &str) -> Vec<String> {
    tree(name).iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

fn is_sluices(table: &str) -> String {
    format!("{table} IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')")
}

#[test]
fn both_databases_have_the_same_migrations() {
    assert_eq!(names("sqlite"), names("postgresql"));
    for folder in tree("sqlite").iter().chain(&tree("postgresql")) {
        for file in ["up.sql", "down.sql"] {
            assert!(!fs::read_to_string(folder.join(file)).unwrap().trim().is_empty(), "{}/{file}", folder.display());
        }
    }
}

#[test]
fn the_schema_of_diesel_matches_the_migrations() {
    let database = Database::migrated();
    let columns = database.select(&format!(
        "SELECT attrelid::regclass || '|' || attname || CASE WHEN attnotnull THEN '' ELSE '?' END || '|' ||
         format_type(atttypid, NULL) AS value
         FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND {} ORDER BY attrelid::regclass::text, attnum",
        is_sluices("attrelid")
    ));
    let mut made: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for column in &columns {
        let [table, name, kind] = column.split('|').collect::<Vec<_>>()[..] else { panic!("{column}") };
        if table != "__diesel_schema_migrations" {
            made.entry(table.to_owned()).or_default().push((name.to_owned(), kind.to_owned()));
        }
    }
    let of_postgresql = |kind: &str| match kind {
        "Text" => "text",
        "Binary" => "bytea",
        "BigInt" => "bigint",
        "Bool" => "boolean",
        other => panic!("{other}"),
    };
    let seen: BTreeMap<_, Vec<_>> = tables_of_diesel()
        .into_iter()
        .map(|(table, columns)| {
            let column = |(name, kind): (String, String)| match kind.strip_prefix("Nullable<") {
                Some(inner) => (format!("{name}?"), of_postgresql(inner.trim_end_matches('>')).to_owned()),
                None => (name, of_postgresql(&kind).to_owned()),
            };
            (table, columns.into_iter().map(column).collect())
        })
        .collect();
    assert_eq!(made, seen);
}

#[test]
fn every_text_collates_by_its_bytes_as_in_sqlite() {
    let others = Database::migrated().select(&format!(
        "SELECT attrelid::regclass || '.' || attname AS value FROM pg_attribute
         WHERE attnum > 0 AND atttypid = 'text'::regtype AND attcollation <> '\"C\"'::regcollation AND {}",
        is_sluices("attrelid")
    ));
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn every_foreign_key_is_indexed() {
    let unindexed = Database::migrated().select(
        "SELECT conrelid::regclass || '.' || conname AS value FROM pg_constraint
         WHERE contype = 'f' AND NOT EXISTS (
             SELECT 1 FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1])",
    );
    assert!(unindexed.is_empty(), "{unindexed:?}");
}

#[test]
fn what_migrations_do_they_undo() {
    let database = Database::empty();
    let objects =
        "SELECT relkind::text || ' ' || relname AS value FROM pg_class WHERE relnamespace = 'public'::regnamespace
         AND relname NOT LIKE '\\_\\_diesel%' ORDER BY 1";
    for folder in tree("postgresql") {
        database.execute(&fs::read_to_string(folder.join("up.sql")).unwrap());
    }
    assert!(!database.select(objects).is_empty());
    for folder in tree("postgresql").iter().rev() {
        database.execute(&fs::read_to_string(folder.join("down.sql")).unwrap());
    }
    assert_eq!(database.select(objects), Vec::<String>::new());
}

#[test]
fn replicas_that_start_at_once_migrate_once() {
    let database = Database::empty();
    let runs: Vec<Vec<String>> = std::thread::scope(|scope| {
        let replicas: Vec<_> =
            (0..6).map(|_| scope.spawn(|| Store::connect(database.url(), 2).unwrap().migrate().unwrap())).collect();
        replicas.into_iter().map(|replica| replica.join().unwrap()).collect()
    });
    let did: Vec<_> = runs.into_iter().filter(|run| !run.is_empty()).collect();
    assert_eq!((did.len(), did[0].len()), (1, names("postgresql").len()), "{did:?}");
}
